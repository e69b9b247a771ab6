"""Films through FFmpeg (PyAV): each frame at its own time, in its own colours, turned as the file says."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from gpu.decoders import colour
from gpu.decoders.clock import Clock, Count
from gpu.decoders.fields import Decoded, Fields
from gpu.decoders.film import MOST_PIXELS, U8, Frame, Header, Look
from gpu.decoders.filters import graph
from gpu.decoders.orientation import Orientation, from_matrix, turned
from gpu.decoders.pixels import over_black
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

UNSET_ALPHA = ("rawvideo", "msrle", "msvideo1", "cinepak")
"""Codecs whose fourth byte is 0 in many files that mean no transparency."""

MATRIX_NAMES = {
    3: "reserved", 8: "YCgCo", 10: "BT.2020 constant luminance", 11: "SMPTE 2085", 12: "derived from its primaries",
    13: "derived from its primaries, constant luminance", 14: "ICtCp", 15: "IPT-C2", 16: "YCgCo-Re", 17: "YCgCo-Ro",
}  # fmt: skip
DERIVED_MATRICES = {1: 1, 4: 4, 5: 5, 6: 6, 7: 7, 9: 9}
"""Of primaries, the matrix that H.273 derives from them (equations 20 to 36), where it has a name of its own."""

THREADS = 4


class Container:
    """gpu.decoders.film.Film of a file that FFmpeg reads. Keys are times in halves of the stream's time base."""

    def __init__(self, path: str, deinterlace: str, look: Look | None = None) -> None:
        """`look`: what the first frame said when the film was open before."""
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
            held = ", ".join(sorted({stream.type for stream in self._container.streams}))
            raise ClipError(f"it holds no pictures{f', but {held}' if held else ' and nothing else'}")
        self._stream = max(streams, key=_rank)
        context = self._stream.codec_context
        if context is None:
            raise ClipError(f"its pictures are coded in a way that is not known here ({_unknown_codec(path)})")
        context.thread_type = "AUTO"
        context.thread_count = min(THREADS, os.cpu_count() or 1)
        context.options = {**dict(context.options), "max_pixels": str(MOST_PIXELS)}
        self._form, self._codec = str(self._container.format.name).split(",")[0], str(context.name)
        self._decoder = _with_alpha(self._stream)
        self._base = Fraction(self._stream.time_base or Fraction(1, 1000))
        rates = (self._stream.average_rate, self._stream.guessed_rate)
        # AVI tells the ticks of its clock, however few of them a frame begins at.
        rate = rates[1] or rates[0] if self._form == "avi" else rates[0] or rates[1]
        self.rate = float(rate) if rate else 0.0
        self.notes: dict[str, None] = {}
        self.lost = 0
        self.steady, self.torn = True, False
        self._index = _index(self._stream) if self._form == "avi" else {}
        self._clock, self._whole_film = self._new_clock(), True
        order = int(context.field_order or 0)
        self._fields = Fields(deinterlace, self._base, self._codec, order, 1 / (self.rate or 25.0), self._note)
        self.look = look
        self._converters: dict[tuple[Any, ...], Any] = {}
        duration = float(self._stream.duration * self._base) if self._stream.duration else 0.0
        if not duration and self._container.duration:
            duration = self._container.duration / 1e6
        estimate = self._stream.frames or round(duration * self.rate)
        written = _seconds(self._stream.metadata.get("DURATION", "")) if self._form == "matroska" else 0.0
        if self._form == "avi":
            duration = float(self._stream.frames * self._base) or duration  # a count of ticks
        end = written or (duration and duration + float((self._stream.start_time or 0) * self._base))
        self.header = Header(
            context.name,
            context.width,
            context.height,
            self.rate,
            max(duration, 0.0),
            max(estimate, 0),
            end,
            written > 0,
        )

    # -- standing somewhere

    def seek(self, key: int) -> None:
        self._container.seek(key // 2, stream=self._stream, backward=True, any_frame=False)
        if self._decoder is not None:
            self._decoder.flush_buffers()
        self._clock, self._whole_film = self._new_clock(), False
        self.lost = 0

    def locate(self, index: int) -> int | None:
        """By the times of the packets, which are in the file without decoding. Stands at the end of them afterwards."""
        clock = self._new_clock()
        times: list[int] = []
        for packet in self._container.demux(self._stream):
            if packet.size == 0:
                continue
            clock.stamp(packet)
            if packet.pts is None or clock.jumps:
                return None
            if not packet.is_discard:
                times.append(packet.pts)
            if len(times) > index + REORDERED:
                break
        if len(times) <= index or len(set(times)) != len(times):
            return None
        return 2 * sorted(times)[index]

    def _new_clock(self) -> Clock:
        return Clock(self._form, self._codec, self._index, float(1 / self._base))

    # -- frames

    def frames(self) -> Iterator[Frame]:
        last: int | None = None
        step = max(1, round(1 / (self.rate or 25.0) / self._base))
        for picture, time, length, damaged in self._fields.whole(self._decoded()):
            if self.look is None:
                self._look(picture)
            key = time if time is not None else (last + 2 * step if last is not None else 0)
            last = key
            seconds = None if time is None else float(time * self._base / 2)
            yield Frame(key, seconds, length, partial(self._rgb, picture), damaged)

    def _decoded(self) -> Iterator[Decoded]:
        """What the decoder gives, packet by packet; packets that give nothing are counted in `lost`."""
        count, clock = Count(), self._clock
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:  # the file breaks off
                packet = None
            if packet is None:
                break
            if packet.size:
                clock.stamp(packet)
                self.torn |= packet.is_corrupt
                if clock.jumps:
                    self.steady = False
                    self._note(
                        "its clock goes back or leaps, as where films were joined; it is shown as going on there"
                    )
                if not packet.is_discard:
                    count.sent(packet.pts)
            try:
                pictures = self._pictures(packet)
            except av.error.FFmpegError:
                count.errors += 1
                clock.failed(packet)
                continue
            for picture in pictures:
                time = clock.shown(picture)
                count.given(time)
                self.lost = count.lost + self._unread(clock.left_out)
                yield self._timed(picture, time)
        while True:  # what the decoder still holds, where the packets ended with an error
            try:
                pictures = (self._decoder or self._stream.codec_context).decode(None)
            except (av.error.FFmpegError, EOFError):
                break
            if not pictures:
                break
            for picture in pictures:
                time = clock.shown(picture)
                count.given(time)
                yield self._timed(picture, time)
        self.lost = count.at_end() + self._unread(clock.left_out_at_end())

    def _pictures(self, packet: Any) -> Any:
        if self._decoder is None:
            return packet.decode()
        return self._decoder.decode(packet if packet.size else None)

    def _unread(self, left_out: int) -> int:
        """Pictures that did not come out of the file, where it was read from its beginning."""
        return left_out if self._whole_film else 0

    def _timed(self, picture: Any, time: int | None) -> Decoded:
        return Decoded(picture, None if time is None else 2 * time, self._length(picture), picture.is_corrupt)

    def _length(self, picture: Any) -> float:
        """Seconds that it lasts, 0 where that is not told: AVI tells of all the same, however few they are."""
        return float(picture.duration * self._base) if picture.duration and self._form != "avi" else 0.0

    def _note(self, sentence: str) -> None:
        self.notes[sentence] = None

    # -- colours

    def _rgb(self, picture: Any) -> U8:
        assert self.look is not None
        look = self.look
        if (picture.width, picture.height) != look.size:
            self._note("the size of its frames changes; all are shown at the first one's")
        matrix, transfer = picture.colorspace, picture.color_trc
        if matrix == colour.DERIVED and picture.color_primaries in DERIVED_MATRICES:
            matrix = picture.colorspace = DERIVED_MATRICES[picture.color_primaries]
        wide = picture.color_primaries in (colour.BT2020, UNSPECIFIED)
        if transfer in (colour.PQ, colour.HLG):
            self._note(f"high dynamic range ({'PQ' if transfer == colour.PQ else 'HLG'}), toned to what a screen shows")
        clear = picture.format.has_palette or any(component.is_alpha for component in picture.format.components)
        if matrix in (colour.YCGCO, colour.ICTCP):
            planes = self._planes(picture)
            full = picture.color_range == 2
            rgb = colour.from_planes(planes, matrix, transfer, full, look.peak, wide)
        elif matrix not in SCALER_MATRICES and "rgb" not in picture.format.name and "gbr" not in picture.format.name:
            raise ClipError(
                f"its colours are coded by a matrix that is not known here ({MATRIX_NAMES.get(matrix, matrix)})"
            )
        elif transfer in (colour.PQ, colour.HLG):
            values = self._converted(picture, "rgba64le" if clear else "rgb48le")
            rgb = colour.toned(values[..., :3], transfer, look.peak, wide)
            rgb = self._over_black(rgb, np.asarray(values[..., 3] >> 8, np.uint8)) if clear else rgb
        else:
            rgb = self._converted(picture, "rgba" if clear else "rgb24")
            rgb = self._over_black(rgb[..., :3], rgb[..., 3]) if clear else rgb
        return turned(rgb, Orientation(*look.orientation))

    def _over_black(self, rgb: U8, alpha: U8) -> U8:
        """As pictures are shown that are transparent. Raw frames and palettes leave alpha at 0 where they have none."""
        if not alpha.any() and self._codec not in UNSET_ALPHA:
            shown, clear = np.zeros_like(rgb), True
        else:
            shown, clear = over_black(rgb, alpha)
        if clear:
            self._note("where it is transparent it is shown over black")
        return np.ascontiguousarray(shown)

    def _look(self, picture: Any) -> None:
        """What the first frame says of all."""
        orientation, peak = Orientation(), colour.PEAK
        for data in picture.side_data:
            name = str(data.type.name)
            if name == "DISPLAYMATRIX":
                orientation, exact = from_matrix(bytes(data))
                if not exact:
                    self._note("its header turns it by an odd angle; it is shown turned by the nearest quarter")
            elif name == "MASTERING_DISPLAY_METADATA":
                peak = _mastering_peak(bytes(data)) or peak
        ratio = self._stream.sample_aspect_ratio or self._stream.codec_context.sample_aspect_ratio
        stretch = float(ratio) if ratio else 1.0
        if not 1 / 16 <= stretch <= 16:
            stretch = 1.0
        stretch = 1 / stretch if orientation.swap else stretch
        self.look = Look((picture.width, picture.height), tuple(orientation), peak, stretch)

    def _converted(self, picture: Any, form: str) -> Any:
        """(H, W, 3 or 4) of the first frame's size, by FFmpeg's scaler, which reads matrix and range off the frame."""
        key = (form, picture.format.name, picture.width, picture.height, picture.colorspace, picture.color_range)
        if key not in self._converters:
            if len(self._converters) > 8:
                self._converters.clear()
            self._converters[key] = graph(picture, self._base, [("scale", self._scale), ("format", form)])
        made = self._converters[key]
        made.push(picture)
        return made.pull().to_ndarray()

    @property
    def _scale(self) -> str:
        assert self.look is not None
        return f"{self.look.size[0]}:{self.look.size[1]}"

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
            size = f"{self._scale}:in_color_matrix=bt709:out_color_matrix=bt709"
            size += ":in_range=full:out_range=full" if picture.color_range == 2 else ":in_range=tv:out_range=tv"
            self._converters[key] = graph(picture, self._base, [("scale", size), ("format", "yuv444p16le")])
        made = self._converters[key]
        made.push(picture)
        return np.moveaxis(made.pull().to_ndarray(), -1, 0)


REORDERED = 64
"""So many packets may lie between one and the packet that is shown before it."""


def _seconds(text: str) -> float:
    """ "00:00:01.200000000", as Matroska's tag DURATION of a stream has it, in seconds; 0 where it is something else."""
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", text)
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3]) if match else 0.0


def _index(stream: Any) -> dict[int, int]:
    """Where in the file the stream's chunks lie, and the slot of time that each fills, as its table says: of one chunk alone it
    says nothing."""
    entries = {entry.pos: entry.timestamp for entry in stream.index_entries if entry.size}
    return entries if len(entries) > 1 else {}


def _with_alpha(stream: Any) -> Any:
    """A decoder of the transparency that VP8 and VP9 have beside their colours, which FFmpeg's own leave out; None for what has
    none."""
    name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec_context.name, "")
    if not name or stream.metadata.get("alpha_mode", "0") != "1":
        return None
    try:
        made: Any = av.CodecContext.create(name, "r")
    except (av.error.FFmpegError, ValueError):  # a build without that library
        return None
    made.options = {"max_pixels": str(MOST_PIXELS)}
    return made


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
