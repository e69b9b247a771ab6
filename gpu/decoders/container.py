"""Films through FFmpeg (PyAV): each frame at its own time, in its own colours, turned as the file says."""

from __future__ import annotations

import heapq
import os
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import av.error
import av.filter
import numpy as np

from gpu.decoders import colour
from gpu.decoders.film import MOST_PIXELS, U8, Frame, Header
from gpu.decoders.interlacing import combed
from gpu.decoders.orientation import Orientation, from_matrix, turned
from gpu.errors import ClipError

KINDS = "mp4, avi, mov, mkv, webm, mpg, gif or the like"

av.logging.set_level(None)

FORMATS = (
    "aa,aiff,alias_pix,apng,asf,ast,av1,avi,avs,avs2,avs3,bink,cdxl,dirac,dnxhd,dv,dxa,ea,evc,ffm,film_cpk,filmstrip,flic,flv,gif,"
    "gxf,h261,h263,h264,hevc,ico,idcin,iff,ingenient,ipmovie,ivf,ivr,jv,live_flv,lvf,m4v,matroska,mgsts,mjpeg,mjpeg_2000,mlv,mm,mov,"
    "mpeg,mpegts,mpegvideo,mpjpeg,mtv,mv,mvi,mxf,mxg,nsv,nut,nuv,obu,ogg,paf,pmp,pva,r3d,redspark,rl2,rm,roq,rpl,segafilm,sga,siff,"
    "smk,smjpeg,smush,svag,swf,thp,tiertexseq,tmv,txd,ty,vc1,vc1test,viv,vivo,vmd,vqf,vvc,wc3movie,webm,wsvqa,wtv,wve,xmv,xwma,yop,"
    "yuv4mpegpipe"
)
"""Containers that hold their pictures themselves: none that names other files or addresses, or draws a text."""

BY_SUFFIX = {".mjpeg": "mjpeg", ".mjpg": "mjpeg"}
"""Where the first bytes look like something else (a picture)."""

UNSPECIFIED = 2
SCALER_MATRICES = (0, 1, 2, 4, 5, 6, 7, 9)
"""Matrix coefficients (H.273) that FFmpeg's scaler knows."""

MATRIX_NAMES = {
    3: "reserved", 8: "YCgCo", 10: "BT.2020 constant luminance", 11: "SMPTE 2085", 12: "derived from its primaries",
    13: "derived from its primaries, constant luminance", 14: "ICtCp", 15: "IPT-C2", 16: "YCgCo-Re", 17: "YCgCo-Ro",
}  # fmt: skip
DERIVED_MATRICES = {1: 1, 4: 4, 5: 5, 6: 6, 7: 7, 9: 9}
"""Of primaries, the matrix that H.273 derives from them (equations 20 to 36), where it has a name of its own."""

INTERLACE_FILTER = "bwdif"  # weaves where nothing moves, interpolates along edges where something does
THREADS = 4


class Container:
    """gpu.decoders.film.Film of a file that FFmpeg reads. Keys are times in halves of the stream's time base."""

    def __init__(self, path: str, deinterlace: str) -> None:
        self._file = Path(path).open("rb")  # noqa: SIM115  # ends with the process; a handle, so that no name is an address
        options = {"format_whitelist": FORMATS, "protocol_whitelist": "none", "max_pixels": str(MOST_PIXELS)}
        try:
            form = BY_SUFFIX.get(Path(path).suffix.lower())
            self._container: Any = av.open(self._file, "r", format=form, options=options, metadata_errors="replace")
        except av.error.FFmpegError:
            raise ClipError(f"it is damaged, cut short, or of a format that is not known; expected {KINDS}") from None
        streams = [stream for stream in self._container.streams.video if not _is_cover(stream)]
        streams = streams or list(self._container.streams.video)
        if not streams:
            held = ", ".join(sorted({stream.type for stream in self._container.streams})) or "nothing"
            raise ClipError(f"it holds no pictures, but {held}")
        self._stream = max(streams, key=_rank)
        context = self._stream.codec_context
        if context is None:
            raise ClipError(f"its pictures are coded in a way that is not known here ({_unknown_codec(path)})")
        context.thread_type = "AUTO"
        context.thread_count = min(THREADS, os.cpu_count() or 1)
        context.options = {**dict(context.options), "max_pixels": str(MOST_PIXELS)}
        self._deinterlace = deinterlace
        self._base = Fraction(self._stream.time_base or Fraction(1, 1000))
        rate = self._stream.average_rate or self._stream.guessed_rate
        self.rate = float(rate) if rate else 0.0
        self.notes: dict[str, None] = {}
        self.lost = 0
        self.stretch = 1.0
        self._size = (0, 0)
        self._orientation: Orientation | None = None
        self._peak = colour.PEAK
        self._converters: dict[tuple[Any, ...], Any] = {}
        duration = float(self._stream.duration * self._base) if self._stream.duration else 0.0
        if not duration and self._container.duration:
            duration = self._container.duration / 1e6
        estimate = self._stream.frames or round(duration * self.rate)
        self.header = Header(
            context.name, context.width, context.height, self.rate, max(duration, 0.0), max(estimate, 0)
        )

    # -- standing somewhere

    def seek(self, key: int) -> None:
        self._container.seek(key // 2, stream=self._stream, backward=True, any_frame=False)
        self.lost = 0

    def locate(self, index: int) -> int | None:
        """By the times of the packets, which are in the file without decoding. Stands at the end of them afterwards."""
        times: list[int] = []
        for packet in self._container.demux(self._stream):
            if packet.size == 0:
                continue
            if packet.pts is None:
                return None
            if not packet.is_discard:
                times.append(packet.pts)
            if len(times) > index + REORDERED:
                break
        if len(times) <= index or len(set(times)) != len(times):
            return None
        return 2 * sorted(times)[index]

    # -- frames

    def frames(self) -> Iterator[Frame]:
        last: int | None = None
        step = max(1, round(1 / (self.rate or 25.0) / self._base))
        for picture, time, length, damaged in self._whole(self._decoded()):
            key = time if time is not None else (last + 2 * step if last is not None else 0)
            last = key
            seconds = None if time is None else float(time * self._base / 2)
            yield Frame(key, seconds, length, partial(self._rgb, picture), damaged)

    def _decoded(self) -> Iterator[Any]:
        """What the decoder gives, packet by packet; packets that give nothing are counted in `lost`."""
        count = _Count()
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:  # the file breaks off
                packet = None
            if packet is None:
                break
            if packet.size and not packet.is_discard:
                count.sent(packet.pts)
            try:
                pictures = packet.decode()
            except av.error.FFmpegError:
                count.errors += 1
                continue
            for picture in pictures:
                count.given(picture.pts)
                self.lost = count.lost
                yield picture
        while True:  # what the decoder still holds, where the packets ended with an error
            try:
                pictures = self._stream.codec_context.decode(None)
            except (av.error.FFmpegError, EOFError):
                break
            if not pictures:
                break
            for picture in pictures:
                count.given(picture.pts)
                yield picture
        self.lost = count.at_end()

    def _whole(self, pictures: Iterator[Any]) -> Iterator[tuple[Any, int | None, float, bool]]:
        """Pictures that show one moment each, with their time (in halves of the time base), length and whether damaged."""
        graph: Any = None
        held: deque[Any] = deque()
        for picture in pictures:
            if self._deinterlace == "off" or not picture.interlaced_frame:
                if graph is not None:
                    yield from self._pulled(graph, held, end=True)
                    graph = None
                if picture.interlaced_frame:
                    self._note("its frames are interlaced and left as they are: two moments, line by line")
                yield picture, self._time(picture), self._length(picture), picture.is_corrupt
                continue
            if graph is None:
                graph = _graph(picture, self._base, [(INTERLACE_FILTER, f"mode={self._mode}:parity=auto:deint=all")])
            held.append(picture)
            graph.push(picture)
            yield from self._pulled(graph, held, end=False)
        if graph is not None:
            yield from self._pulled(graph, held, end=True)

    @property
    def _mode(self) -> str:
        return "send_field" if self._deinterlace == "fields" else "send_frame"

    def _pulled(self, graph: Any, held: deque[Any], end: bool) -> Iterator[tuple[Any, int | None, float, bool]]:
        """What the filter has ready; of frames without combs, the frame itself."""
        if end:
            graph.push(None)
        second = False
        while held:
            try:
                made = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError, BlockingIOError, EOFError):
                break
            picture = held[0]
            time, length = self._time(picture), self._length(picture)
            if self._deinterlace == "fields":
                self._note(f"a picture of each field, by the filter {INTERLACE_FILTER}")
                offset = round(length / 2 / self._base * 2) if second else 0
                yield made, None if time is None else time + offset, length / 2, picture.is_corrupt
                if second:
                    held.popleft()
                second = not second
                continue
            held.popleft()
            if combed(_luma(picture)):
                self._note(f"interlaced, made whole by the filter {INTERLACE_FILTER}")
                _tag(made, picture)
                yield made, time, length, picture.is_corrupt
            else:
                yield picture, time, length, picture.is_corrupt

    def _time(self, picture: Any) -> int | None:
        return None if picture.pts is None else 2 * int(picture.pts)

    def _length(self, picture: Any) -> float:
        return float(picture.duration * self._base) if picture.duration else 0.0

    def _note(self, sentence: str) -> None:
        self.notes[sentence] = None

    # -- colours

    def _rgb(self, picture: Any) -> U8:
        if self._orientation is None:
            self._look(picture)
        if (picture.width, picture.height) != self._size:
            self._note("the size of its frames changes; all are shown at the first one's")
        matrix, transfer = picture.colorspace, picture.color_trc
        if matrix == colour.DERIVED and picture.color_primaries in DERIVED_MATRICES:
            matrix = picture.colorspace = DERIVED_MATRICES[picture.color_primaries]
        wide = picture.color_primaries in (colour.BT2020, UNSPECIFIED)
        if transfer in (colour.PQ, colour.HLG):
            self._note(f"high dynamic range ({'PQ' if transfer == colour.PQ else 'HLG'}), toned to what a screen shows")
        if matrix in (colour.YCGCO, colour.ICTCP):
            planes = self._planes(picture)
            full = picture.color_range == 2
            rgb = colour.from_planes(planes, matrix, transfer, full, self._peak, wide)
        elif matrix not in SCALER_MATRICES and "rgb" not in picture.format.name and "gbr" not in picture.format.name:
            raise ClipError(
                f"its colours are coded by a matrix that is not known here ({MATRIX_NAMES.get(matrix, matrix)})"
            )
        elif transfer in (colour.PQ, colour.HLG):
            rgb = colour.toned(self._converted(picture, "rgb48le"), transfer, self._peak, wide)
        else:
            rgb = self._converted(picture, "rgb24")
        assert self._orientation is not None
        return turned(rgb, self._orientation)

    def _look(self, picture: Any) -> None:
        """What the first frame says of all."""
        self._size = (picture.width, picture.height)
        self._orientation = Orientation()
        for data in picture.side_data:
            name = str(data.type.name)
            if name == "DISPLAYMATRIX":
                self._orientation, exact = from_matrix(bytes(data))
                if not exact:
                    self._note("its header turns it by an odd angle; it is shown turned by the nearest quarter")
            elif name == "MASTERING_DISPLAY_METADATA":
                self._peak = _mastering_peak(bytes(data)) or self._peak
        ratio = self._stream.sample_aspect_ratio or self._stream.codec_context.sample_aspect_ratio
        stretch = float(ratio) if ratio else 1.0
        if not 1 / 16 <= stretch <= 16:
            stretch = 1.0
        self.stretch = 1 / stretch if self._orientation.swap else stretch

    def _converted(self, picture: Any, form: str) -> Any:
        """(H, W, 3) of the first frame's size, by FFmpeg's scaler, which reads matrix and range off the frame."""
        key = (form, picture.format.name, picture.width, picture.height, picture.colorspace, picture.color_range)
        if key not in self._converters:
            if len(self._converters) > 8:
                self._converters.clear()
            size = f"{self._size[0]}:{self._size[1]}"
            self._converters[key] = _graph(picture, self._base, [("scale", size), ("format", form)])
        graph = self._converters[key]
        graph.push(picture)
        return graph.pull().to_ndarray()

    def _planes(self, picture: Any) -> Any:
        """(3, H, W) uint16 as coded, chroma at luma's resolution."""
        coded = picture.colorspace
        picture.colorspace = 1  # one that the scaler knows, in and out: nothing is converted
        try:
            return self._converted_planes(picture)
        finally:
            picture.colorspace = coded

    def _converted_planes(self, picture: Any) -> Any:
        key = ("planes", picture.format.name, picture.width, picture.height, picture.color_range)
        if key not in self._converters:
            size = f"{self._size[0]}:{self._size[1]}:in_color_matrix=bt709:out_color_matrix=bt709"
            size += ":in_range=full:out_range=full" if picture.color_range == 2 else ":in_range=tv:out_range=tv"
            self._converters[key] = _graph(picture, self._base, [("scale", size), ("format", "yuv444p16le")])
        graph = self._converters[key]
        graph.push(picture)
        return np.moveaxis(graph.pull().to_ndarray(), -1, 0)


class _Count:
    """How many packets gave no frame. Their times tell which; where those of frames are not those of packets (AVI), only their
    numbers do."""

    def __init__(self) -> None:
        self.errors = self.lost = self._packets = self._frames = 0
        self._waiting: list[int] = []
        self._sent: set[int] = set()
        self._matching = True

    def sent(self, time: int | None) -> None:
        self._packets += 1
        if time is None:
            self._matching = False
        else:
            heapq.heappush(self._waiting, time)
            self._sent.add(time)

    def given(self, time: int | None) -> None:
        self._frames += 1
        if time not in self._sent:
            self._matching = False
        if not self._matching:
            self._waiting.clear()
            self._sent.clear()
            self.lost = self.errors
            return
        while self._waiting and time is not None and self._waiting[0] <= time:
            earlier = heapq.heappop(self._waiting)
            self._sent.discard(earlier)
            self.lost += earlier < time
        # Where every other packet gives nothing and none is broken, fields come in packets of their own.
        if not self.errors and self.lost > max(8, 0.4 * self._frames):
            self._matching = False
            self.lost = 0

    def at_end(self) -> int:
        """Frames that are missing when no more will come."""
        if self._matching:
            return self.lost + len(self._waiting)
        missing = max(0, self._packets - self._frames)
        return missing if self.errors or missing <= 2 else 0


REORDERED = 64
"""So many packets may lie between one and the packet that is shown before it."""


def _graph(picture: Any, base: Fraction, filters: list[tuple[str, str]]) -> Any:
    graph: Any = av.filter.Graph()
    last = graph.add_buffer(width=picture.width, height=picture.height, format=picture.format, time_base=base)
    for name, settings in filters:
        node = graph.add(name, settings)
        last.link_to(node)
        last = node
    sink = graph.add("buffersink")
    last.link_to(sink)
    graph.configure()
    return graph


def _tag(made: Any, picture: Any) -> None:
    """The colours of the frame that it was made of."""
    made.colorspace, made.color_range = picture.colorspace, picture.color_range
    made.color_primaries, made.color_trc = picture.color_primaries, picture.color_trc


def _luma(picture: Any) -> U8:
    """(H, W) the first plane, of more than 8 bits the upper ones."""
    plane = picture.planes[0]
    component = picture.format.components[0]
    if component.bits <= 8:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        step = 2 if picture.format.name.startswith(("yuyv", "yvyu")) else 1
        return np.ascontiguousarray(rows[:, : plane.width * step : step])
    rows = np.frombuffer(plane, "<u2").reshape(plane.height, plane.line_size // 2)
    return np.asarray(rows[:, : plane.width] >> (component.bits - 8), np.uint8)


def _mastering_peak(data: bytes) -> float:
    """cd/m² that the master reaches (AVMasteringDisplayMetadata: ten fractions, the last its largest), 0 where not told."""
    if len(data) < 88:
        return 0.0
    numbers = np.frombuffer(data[:88], "=i4")
    told = numbers[18] / numbers[19] if numbers[21] and numbers[19] > 0 else 0
    return float(min(max(told, colour.WHITE), 1e4)) if told > 0 else 0.0


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & stream.disposition.attached_pic)


def _rank(stream: Any) -> tuple[bool, int]:
    """The film of several: one that can be decoded, and of these the largest."""
    context = stream.codec_context
    return (True, context.width * context.height) if context is not None else (False, 0)


def _unknown_codec(path: str) -> str:
    """What FFmpeg calls the coding that it has no decoder for: it says so in its log only."""
    with av.logging.Capture() as lines, suppress(av.error.FFmpegError):
        av.logging.set_level(av.logging.WARNING)
        with (
            Path(path).open("rb") as file,
            av.open(file, options={"format_whitelist": FORMATS, "protocol_whitelist": "none"}),
        ):
            pass
    av.logging.set_level(None)
    said = " ".join(line[2] for line in lines)
    match = re.search(r"Video: (\w+)(?: \(([^)/]*?) */)?", said)
    if match is None:
        return "its name is not told"
    return str(match[2] or match[1]) if match[1] == "none" else str(match[1])
