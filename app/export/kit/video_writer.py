"""One mp4 video, written frame by frame: H.264 in yuv420p, which every player shows. Memory holds one frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from gpu.errors import OutputError
from gpu.files import reason

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet

U8 = npt.NDArray[np.uint8]

QUALITY = 14
"""x264's constant rate factor: 0 is lossless, 18 is called visually lossless; noise needs a little better than that."""

CLOCK, SLOW_CLOCK = 90000, 100
"""Ticks a second of a video whose frames last differently long, and where one lasts longer than LONGEST of them."""

LONGEST = (1 << 31) - 1  # ticks, of one frame of an mp4 (ISO/IEC 14496-12, section 8.6.1.2)
LEAST_RATE = Fraction(1, 10000)

HIGH_ROWS, HIGH_COLUMNS = 720, 1280
"""From this size on colours are those of HD: players take BT.709 there, and BT.601 below, whether a file is tagged or not."""

BT709, BT601 = 1, 6
"""In the tables of ITU-T H.273, for primaries, transfer and matrix alike; 6 is SMPTE 170M."""


class Put(Protocol):
    """Takes the next frame (H, W, 3); all frames have one size."""

    def __call__(self, frame: U8) -> None: ...


@contextmanager
def video(path: Path, fps: float, times: Sequence[float] = ()) -> Iterator[Put]:
    """A video that grows by every frame that is put. OutputError when the encoder fails or frames are lost.

    `times`: seconds at which each frame is shown, and at which the last one's time is over; none: `fps` frames a second. A
    frame that is not shown after the one before it follows at the next tick.
    yuv420p needs even sizes: an odd frame repeats its last row or column.
    """
    import av
    import av.error

    writer: _Writer | None = None
    try:

        def put(frame: U8) -> None:
            nonlocal writer
            if writer is None:
                writer = _Writer(path, frame.shape[0], frame.shape[1], fps, times)
            writer.put(frame)

        try:
            yield put
            if writer is not None:
                writer.finish()
        finally:
            if writer is not None:
                writer.close()
    except av.error.FFmpegError as problem:
        said = reason(problem) if isinstance(problem, OSError) else problem.strerror or str(problem)
        raise OutputError(f"The video {path.name} cannot be written: {said}.") from None
    count = writer.count if writer is not None else 0
    if count and frames_in(path) != count:
        raise OutputError(f"The video {path.name} reads back with {frames_in(path)} frames instead of {count}.")


class _Writer:
    """An encoder and the file that it writes to."""

    def __init__(self, path: Path, height: int, width: int, fps: float, times: Sequence[float]) -> None:
        import av

        rows, columns = height + height % 2, width + width % 2
        self._times = times
        rate = max(Fraction(fps).limit_denominator(100000), LEAST_RATE)
        longest = max((after - before for before, after in pairwise(times)), default=0.0)
        self._clock = CLOCK if longest * CLOCK < LONGEST else SLOW_CLOCK
        self._base = Fraction(1, self._clock) if times else 1 / rate
        self._container: OutputContainer = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        stream: Any = self._container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = columns, rows, "yuv420p"
        stream.codec_context.options = {"crf": str(QUALITY), "preset": "fast"}
        if self._clock == SLOW_CLOCK:
            stream.codec_context.options |= {"bf": "0"}  # else decoding would begin before the earliest time there is
        stream.time_base = stream.codec_context.time_base = self._base
        self._colours = BT709 if rows >= HIGH_ROWS or columns >= HIGH_COLUMNS else BT601
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = self._colours
        context.color_range = 1  # limited, as in all video
        self._stream = stream
        self._lengths: dict[int, int] = {}
        self._next = 0  # the earliest tick that the next frame can have
        self.count = 0

    def put(self, frame: U8) -> None:
        import av

        height, width = frame.shape[:2]
        padded = np.ascontiguousarray(np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))
        made: Any = av.VideoFrame.from_ndarray(padded, format="rgb24")
        made = made.reformat(format="yuv420p", dst_colorspace=self._colours, dst_color_range=1)
        made.color_primaries = made.color_trc = made.colorspace = self._colours
        made.time_base = self._base
        # Two frames of one tick would be refused, after all the work.
        tick = max(round(self._times[self.count] * self._clock), self._next) if self._times else self.count
        made.pts, self._next = tick, tick + 1
        if self._times and self.count + 1 < len(self._times):
            self._lengths[tick] = max(round(self._times[self.count + 1] * self._clock) - tick, 1)
        self._write(self._stream.encode(made))
        self.count += 1

    def finish(self) -> None:
        self._write(self._stream.encode(None))

    def _write(self, packets: Sequence[Packet[Any]]) -> None:
        for packet in packets:
            if packet.pts in self._lengths:  # else the last frame would be as long as the one before it
                packet.duration = self._lengths[packet.pts]
            self._container.mux(packet)

    def close(self) -> None:
        self._container.close()


def frames_in(path: Path) -> int:
    """How many frames a video that was written here has, by decoding it."""
    import av
    import av.error

    try:
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0))
    except (av.error.FFmpegError, OSError, IndexError):
        return 0
