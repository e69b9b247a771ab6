"""One mp4 video, written frame by frame: H.264 in yuv420p, which every player shows. Memory holds one frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gpu.errors import OutputError

U8 = npt.NDArray[np.uint8]

QUALITY = 14
"""x264's constant rate factor: 0 is lossless, 18 is called visually lossless; noise needs a little better than that."""


class Put(Protocol):
    """Takes the next frame (H, W, 3); all frames have one size."""

    def __call__(self, frame: U8) -> None: ...


@contextmanager
def video(path: Path, fps: float) -> Iterator[Put]:
    """A video that grows by every frame that is put. OutputError when the encoder fails or frames are lost.

    yuv420p needs even sizes: an odd frame repeats its last row or column.
    """
    import imageio_ffmpeg

    writer: Any = None
    count = 0

    def put(frame: U8) -> None:
        nonlocal writer, count
        height, width = frame.shape[:2]
        padded = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        if writer is None:
            writer = imageio_ffmpeg.write_frames(
                str(path),
                (padded.shape[1], padded.shape[0]),
                fps=fps,
                codec="libx264",
                macro_block_size=1,
                quality=None,
                ffmpeg_log_level="error",
                output_params=["-crf", str(QUALITY), "-preset", "fast", "-movflags", "+faststart"],
            )
            writer.send(None)
        writer.send(np.ascontiguousarray(padded))
        count += 1

    try:
        yield put
        if writer is not None:
            writer.close()
    except OSError as problem:  # imageio-ffmpeg raises it with ffmpeg's whole log
        lines = [line for line in str(problem).splitlines() if line.strip()]
        raise OutputError(
            f"The video {path.name} cannot be written: {lines[-1] if lines else 'ffmpeg ended'}."
        ) from None
    finally:
        if writer is not None:
            writer.close()
    if count and frames_in(path) != count:
        raise OutputError(f"The video {path.name} reads back with {frames_in(path)} frames instead of {count}.")


def frames_in(path: Path) -> int:
    """How many frames a video has, by decoding it."""
    import imageio_ffmpeg

    try:
        return int(imageio_ffmpeg.count_frames_and_secs(str(path))[0])
    except (OSError, RuntimeError):
        return 0
