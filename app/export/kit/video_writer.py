"""One mp4 video, written frame by frame: H.264 in yuv420p, which every player shows. Memory holds one frame."""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

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
    encoder: subprocess.Popen[bytes] | None = None
    count = 0
    with tempfile.TemporaryFile() as log:

        def put(frame: U8) -> None:
            nonlocal encoder, count
            height, width = frame.shape[:2]
            padded = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            if encoder is None:
                encoder = _encoder(path, fps, padded.shape[0], padded.shape[1], log)
            assert encoder.stdin is not None
            try:
                encoder.stdin.write(padded.tobytes())
            except OSError:  # the encoder has gone; its log says why
                raise _failure(path, encoder, log) from None
            count += 1

        try:
            yield put
            if encoder is not None:
                assert encoder.stdin is not None
                with contextlib.suppress(OSError):
                    encoder.stdin.close()
                if encoder.wait() != 0:
                    raise _failure(path, encoder, log)
        finally:
            if encoder is not None:
                if encoder.poll() is None:
                    encoder.kill()
                encoder.wait()
                assert encoder.stdin is not None
                with contextlib.suppress(OSError):
                    encoder.stdin.close()
    if count and frames_in(path) != count:
        raise OutputError(f"The video {path.name} reads back with {frames_in(path)} frames instead of {count}.")


def _encoder(path: Path, fps: float, height: int, width: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """ffmpeg, fed with raw RGB frames. Its own messages go to `log`, not to the user's terminal."""
    import imageio_ffmpeg

    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps:.6g}", "-i", "-"]
    coding = ["-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", str(QUALITY), "-preset", "fast"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *source, *coding, "-movflags", "+faststart"]
    return subprocess.Popen([*command, str(path)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log)


def _failure(path: Path, encoder: subprocess.Popen[bytes], log: IO[bytes]) -> OutputError:
    encoder.wait()
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    said = re.sub(r"^\[.*?\] *", "", lines[0]) if lines else "the encoder ended early"  # less ffmpeg's [part @ address]
    return OutputError(f"The video {path.name} cannot be written: {said.rstrip('.')}.")


def frames_in(path: Path) -> int:
    """How many frames a video has, by decoding it."""
    import imageio_ffmpeg

    try:
        return int(imageio_ffmpeg.count_frames_and_secs(str(path))[0])
    except (OSError, RuntimeError):
        return 0
