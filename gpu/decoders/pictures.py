"""Decodes pictures, in a process of its own (gpu.decoders.process): with OpenImageIO, and AVIF with Pillow.

What is said of a picture that cannot be read is a sentence without its subject, "it is …", which `gpu.pictures` gives the name.
"""

from __future__ import annotations

import math
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenImageIO as oiio

from gpu.decoders import alpha, colour, pillow_pictures, view
from gpu.decoders.formats import BYTES, FORMATS, RAW_SUFFIXES, Format, claimed_size, format_of, other_of
from gpu.decoders.layers import Layer, Part, beauty, full_names, layers_of
from gpu.decoders.pixels import check_size, check_values, over_black, turned
from gpu.decoders.server import Result
from gpu.errors import ClipError

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

BAND = 128  # rows that are brought to 8 bits at once
KEPT_BYTES = 256 << 20  # of float values that are not read twice
MOST_CHANNEL_BYTES = 1 << 30
MOST_PAGES = 100_000
MOST_CHANNELS = 1024

_PLAIN = re.compile(r"[A-Za-z0-9_./ -]+")
_FLOATS = (oiio.HALF, oiio.FLOAT, oiio.DOUBLE)

oiio.attribute("threads", 1)
oiio.attribute("exr_threads", 2)
oiio.attribute("limits:imagesize_MB", 1 << 24)  # our own bound is checked
oiio.attribute("limits:channels", MOST_CHANNELS)


def look(path: str) -> Result:
    """What the file at `path` holds, without its pixels."""
    with _opened(path, 0) as (inp, kind, parts):
        if inp is None:
            (width, height), pages, _ = pillow_pictures.look(path, kind.reader)
            names, stored = [], "uint8"
        else:
            width, height = _size(inp.spec(), kind)
            stored, pages = str(inp.spec().format), _pages(path, kind)[0]
            names = [name for part in parts for name in full_names(part, len(parts) > 1)]
    told = {"format": kind.title, "width": width, "height": height, "pages": pages, "channels": names, "type": stored}
    return told, []


def sizes(paths: list[str], seconds: float = math.inf) -> Result:
    """(width, height) of each picture as it is shown, or a text that says why it has none; after `seconds` empty texts."""
    answers: list[Any] = []
    deadline = time.monotonic() + seconds
    for path in paths:
        try:
            answers.append(_shown_size(path) if time.monotonic() < deadline else "")
        except (ClipError, OSError) as problem:
            answers.append(str(problem))
    return answers, []


def frame(path: str, layer: str = "", page: int = 0, exposure: float | None = None) -> Result:
    """(H, W, 3) sRGB uint8 as the picture is meant to be seen, and what there is to say of it.

    `exposure` in stops, of scene-linear pictures; None lets their brightness tell.
    """
    with _opened(path, page) as (inp, kind, parts):
        if inp is None:
            return pillow_pictures.frame(path, kind.reader, page)
        layers = layers_of(parts)
        chosen = _choose(layers, beauty(parts, layers) if kind.title == "OpenEXR" else _first(layers), layer)
        if not inp.seek_subimage(chosen.part, 0):
            raise ClipError(f"it is damaged ({_error(inp)})")
        spec = inp.spec()
        _size(spec, kind)
        pages, alike = _pages(path, kind) if page == 0 else (page + 1, page + 1)
        told: dict[str, Any] = {
            "format": kind.title,
            "pages": pages,
            "alike": alike,
            "layer": chosen.name,
        }
        told["layers"] = [other.name for other in layers if other.name]
        inp.seek_subimage(chosen.part, 0)
        transfer = _transfer(kind, spec)
        straight = chosen.alpha >= 0 and alpha.straight(kind, spec, path)
        if transfer in ("linear", "density"):
            pixels, more = _developed(inp, spec, chosen, transfer, exposure, straight)
        elif _pillows(spec):
            return pillow_pictures.frame(path, kind.reader.upper(), page)
        else:
            try:
                pixels, more = _stored(inp, spec, chosen, transfer, straight)
            except ClipError as problem:
                if kind.reader == "tiff" and "not configured" in str(problem):  # a compression that this libtiff lacks
                    return pillow_pictures.frame(path, "TIFF", page)
                raise
        told |= {"exposure": None} | more
        if _windowed(kind):
            pixels = _in_window(pixels, spec)
        return told, [turned(pixels, spec.get_int_attribute("Orientation", 1))]


def channels(path: str, names: list[str] | None = None, page: int = 0) -> Result:
    """(H, W, C) float32 values as they are stored (integers as such), and the channels' names; `names`: those alone."""
    with _opened(path, page) as (inp, kind, parts):
        if inp is None:
            raise ClipError(f"it is a picture of the format {kind.title}, which holds colours for the eye, not values")
        several = len(parts) > 1
        held = {name: (part.place, place) for part in parts for place, name in enumerate(full_names(part, several))}
        wanted = list(held) if names is None else list(names)
        missing = [name for name in wanted if name not in held]
        if missing or not wanted:
            raise ClipError(f"it holds no channel {(missing or ['at all'])[0]}; it holds {', '.join(held) or 'none'}")
        values = np.empty((0, 0, 0), np.float32)
        for index in sorted({held[name][0] for name in wanted}):
            inp.seek_subimage(index, 0)
            spec = inp.spec()
            width, height = _size(spec, kind)
            if width * height * len(wanted) * 4 > MOST_CHANNEL_BYTES:
                raise ClipError(
                    f"it holds {len(wanted)} channels of {width} × {height}, more than can be worked with at once; "
                    "some of them have to be named"
                )
            if not values.size:
                values = np.zeros((height, width, len(wanted)), np.float32)
            if (values.shape[0], values.shape[1]) != (height, width):
                raise ClipError("its parts are of different sizes; the channels of one have to be named")
            here = [name for name in wanted if held[name][0] == index]
            places = [held[name][1] for name in here]
            first, last = min(places), max(places) + 1
            block = np.empty((spec.height, spec.width, len(here)), np.float32)
            for top, band in _bands(inp, spec, first, last, spec.format):
                block[top : top + len(band)] = band[..., [place - first for place in places]]
            values[..., [wanted.index(name) for name in here]] = _in_window(block, spec) if _windowed(kind) else block
        return {"names": wanted, "type": str(inp.spec().format), "format": kind.title}, [values]


@contextmanager
def _opened(path: str, page: int) -> Iterator[tuple[Any, Format, list[Part]]]:
    """OpenImageIO's reader at the page, its format, and the parts that hold channels; None where Pillow reads it."""
    kind = _kind(path)
    if kind.library == "Pillow":
        yield None, kind, []
        return
    claimed = claimed_size(kind, path)
    if claimed is not None:
        check_size(*claimed)  # the reader of this format decodes all of it as soon as it opens it
    with _reader(path, kind) as inp:
        if inp.format_name() != kind.reader:
            raise ClipError(f"it is damaged: it begins like {kind.title}, but holds {inp.format_name()}")
        if inp.spec().deep:
            raise ClipError("it holds deep samples; a flattened picture was expected")
        yield inp, kind, _parts(inp, kind, page)


@contextmanager
def _reader(path: str, kind: Format) -> Iterator[Any]:
    """OpenImageIO's reader of the file."""
    with _plain_name(path, kind) as name:
        config = oiio.ImageSpec()
        config["oiio:UnassociatedAlpha"] = 1
        inp = oiio.ImageInput.open(name, config)
        if inp is None:
            raise ClipError(f"it is damaged ({_clean(oiio.geterror())})")
        try:
            yield inp
        finally:
            inp.close()


def _kind(path: str) -> Format:
    suffix = os.path.splitext(path)[1]
    with open(path, "rb") as file:
        head = file.read(BYTES)
    if not head:
        raise ClipError("it is empty (0 bytes)")
    if suffix.lower() in RAW_SUFFIXES:
        raise ClipError("it is a camera's raw file; develop it to TIFF or PNG first")
    kind = format_of(head, suffix)
    if kind is None:
        other = other_of(head)
        read = ", ".join(each.title for each in FORMATS)
        raise ClipError(f"it is not a picture that can be read{f' but {other}' if other else ''}; expected {read}")
    return kind


@contextmanager
def _plain_name(path: str, kind: Format) -> Iterator[str]:
    """A name for the file that OpenImageIO takes as it is: of letters that it knows, with the format's own ending."""
    if os.path.splitext(path)[1].lower() in kind.suffixes and _PLAIN.fullmatch(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="noisescope-") as folder:
        link = os.path.join(folder, "picture" + kind.suffixes[0])
        try:
            os.symlink(os.path.abspath(path), link)
        except (OSError, NotImplementedError):  # Windows, where names are text
            link = path
        yield link


def _parts(inp: Any, kind: Format, page: int) -> list[Part]:
    """The sub-images whose channels belong to the picture: all parts of OpenEXR, else the page alone."""
    if kind.title != "OpenEXR":
        if not inp.seek_subimage(page, 0):
            raise ClipError(f"it has no page {page + 1}")
        return [Part(page, "", tuple(inp.spec().channelnames))]
    parts = []
    index = 0
    while inp.seek_subimage(index, 0):
        spec = inp.spec()
        name = str(spec.getattribute("oiio:subimagename") or spec.getattribute("name") or "")
        parts.append(Part(index, name, tuple(spec.channelnames)))
        index += 1
        if sum(len(part.channels) for part in parts) > MOST_CHANNELS:
            raise ClipError(f"it holds more than {MOST_CHANNELS} channels")
    inp.geterror()  # that there are no more
    inp.seek_subimage(0, 0)
    return parts


def _pages(path: str, kind: Format) -> tuple[int, int]:
    """Pages of a TIFF file, and how many of them, from the first, are of one size. Of an animation 2, whose frames would all
    have to be decoded to be counted, and 1. Of others 1: their sub-images are something else, such as layers."""
    if kind.title not in ("TIFF", "GIF", "WebP"):
        return 1, 1
    with _reader(path, kind) as inp:
        first = inp.spec()
        size = (first.width, first.height)
        pages = alike = 1
        while pages < (MOST_PAGES if kind.title == "TIFF" else 2) and inp.seek_subimage(pages, 0):
            same = kind.title == "TIFF" and (inp.spec().width, inp.spec().height) == size
            alike += same and alike == pages
            pages += 1
        inp.geterror()
        return pages, alike


def _shown_size(path: str) -> tuple[int, int]:
    with _opened(path, 0) as (inp, kind, parts):
        if inp is None:
            size, _, orientation = pillow_pictures.look(path, kind.reader)
        else:
            layers = layers_of(parts)
            chosen = beauty(parts, layers)
            inp.seek_subimage(chosen.part if chosen is not None else parts[0].place, 0)
            spec = inp.spec()
            size = _size(spec, kind)
            orientation = spec.get_int_attribute("Orientation", 1)
    return size if orientation < 5 else (size[1], size[0])


def _first(layers: Sequence[Layer]) -> Layer | None:
    return layers[0] if layers else None


def _choose(layers: Sequence[Layer], usual: Layer | None, name: str) -> Layer:
    held = ", ".join(layer.name or "(without a name)" for layer in layers)
    if name:
        for layer in layers:
            if layer.name == name:
                return layer
        raise ClipError(f"it has no layer {name}; it has {held}")
    if usual is None:
        raise ClipError(
            f"it holds no colours, only the layers {held}; name the one to show" if held else "it has no channels"
        )
    return usual


def _transfer(kind: Format, spec: Any) -> str:
    """How values become light: `linear`, `pq`, `hlg`, `density`, or empty for what is shown as it is stored."""
    cicp = spec.getattribute("CICP")
    if cicp is not None and len(cicp) == 4 and int(cicp[1]) in (colour.PQ, colour.HLG):
        return "pq" if int(cicp[1]) == colour.PQ else "hlg"
    space = str(spec.getattribute("oiio:ColorSpace") or "").lower()
    if kind.title == "DPX":
        return "density" if "log" in space else "linear" if space.startswith("lin") else ""
    linear = spec.format.basetype in _FLOATS or space.startswith("lin") or kind.title in ("OpenEXR", "Radiance HDR")
    return "linear" if linear else ""


def _stored(inp: Any, spec: Any, layer: Layer, transfer: str, straight: bool) -> tuple[U8, dict[str, Any]]:
    """The channels of `layer` with 8 bits, over black where they are transparent, and what there is to say. `transfer`: `pq`
    and `hlg` are toned. `straight`: colours are not multiplied by alpha yet."""
    places = [*layer.colours, *([layer.alpha] if layer.alpha >= 0 else [])]
    first, last = min(places), max(places) + 1
    whole = np.empty((spec.height, spec.width, last - first), np.uint8)
    for top, values in _bands(inp, spec, first, last, oiio.UINT16 if transfer else oiio.UINT8):
        if transfer:
            curve, primaries = (int(spec.getattribute("CICP")[place]) for place in (1, 0))
            places_here = [place - first for place in layer.colours]
            values[..., places_here] = 257 * colour.toned(
                values[..., places_here], curve, wide=primaries == colour.BT2020
            ).astype(np.uint16)
            values = values >> 8
        whole[top : top + len(values)] = values
    told: dict[str, Any] = {"transparent": False, "transfer": transfer}
    pixels = whole[..., [place - first for place in layer.colours]] if last - first != len(layer.colours) else whole
    profile = _profile(spec)
    if profile:
        mode = "RGB" if pixels.shape[2] == 3 else "L"
        converted, told["profile"] = view.to_srgb(np.ascontiguousarray(pixels), profile, mode)
        told["converted"] = converted is not None
        pixels = pixels if converted is None else converted
    if layer.alpha >= 0 and layer.alpha not in layer.colours:
        pixels, told["transparent"] = over_black(pixels, whole[..., layer.alpha - first], associated=not straight)
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels), told


def _developed(
    inp: Any, spec: Any, layer: Layer, transfer: str, exposure: float | None, straight: bool
) -> tuple[U8, dict[str, Any]]:
    """Light of `layer` through the view transform, and what there is to say: the exposure that was taken, values that are no
    numbers. `straight` as in `_stored`."""
    places = [*layer.colours, *([layer.alpha] if layer.alpha >= 0 else [])]
    first, last = min(places), max(places) + 1
    matrix = _primaries(spec)
    kept: list[tuple[int, F32]] = []
    small = spec.height * spec.width * (last - first) * 4 <= KEPT_BYTES
    odd = 0
    transparent = False

    def light(values: F32) -> F32:
        linear = values[..., [place - first for place in layer.colours]]
        linear = linear if linear.shape[2] == 3 else np.repeat(linear, 3, axis=2)
        if transfer == "density":
            linear = view.linear_of_printing_density(linear)
        if matrix is not None:
            linear = linear @ matrix.T
        return linear * values[..., layer.alpha - first : layer.alpha - first + 1] if straight else linear

    total, count = 0.0, 0
    if exposure is None or small:
        for top, values in _bands(inp, spec, first, last, oiio.FLOAT):
            part, pixels = view.log_luminance(light(values[::2, ::2]))
            total, count = total + part, count + pixels
            if small:
                kept.append((top, values))
    stops = exposure
    if stops is None:
        stops = view.fitting_exposure(total / count if count else math.nan) if transfer == "linear" else 0.0
    shown = np.empty((spec.height, spec.width, 3), np.uint8)
    for top, values in kept or _bands(inp, spec, first, last, oiio.FLOAT):
        colours = values[..., [place - first for place in layer.colours]]
        odd += int((~np.isfinite(colours)).any(axis=-1).sum())
        if layer.alpha >= 0:
            transparent = transparent or bool((values[..., layer.alpha - first] < 1).any())
        shown[top : top + len(values)] = view.view(light(values), stops)
    if odd == spec.height * spec.width:
        raise ClipError("it is damaged: none of its values is a number")
    return shown, {"exposure": stops, "transfer": transfer, "odd": odd, "transparent": transparent}


def _bands(inp: Any, spec: Any, first: int, last: int, kind: Any) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """Channels `first` to `last` band by band: the row it begins at, and (rows, W, channels)."""
    step = max(1, -(-BAND // spec.tile_height)) * spec.tile_height if spec.tile_width else BAND
    for top in range(0, spec.height, step):
        rows = min(step, spec.height - top)
        begin = spec.y + top
        if spec.tile_width:
            values = inp.read_tiles(
                spec.x, spec.x + spec.width, begin, begin + rows, spec.z, spec.z + 1, first, last, kind
            )
        else:
            values = inp.read_scanlines(begin, begin + rows, spec.z, first, last, kind)
        if values is None or inp.has_error:
            raise ClipError(f"it is damaged ({_error(inp)})")
        yield top, check_values(np.asarray(values), rows, spec.width, last - first)


def _windowed(kind: Format) -> bool:
    """Whether files of this format say which window of the plane their pixels cover, and which is to be seen."""
    return kind.title == "OpenEXR"


def _size(spec: Any, kind: Format) -> tuple[int, int]:
    """(width, height) to be seen; ClipError where that, or what is stored, is too large."""
    check_size(spec.width, spec.height)
    if not _windowed(kind):
        return spec.width, spec.height
    check_size(spec.full_width, spec.full_height)
    return spec.full_width, spec.full_height


def _in_window(pixels: npt.NDArray[Any], spec: Any) -> npt.NDArray[Any]:
    """What of `pixels` lies in the display window, black (0) where that holds none."""
    data = (spec.x, spec.y, spec.width, spec.height)
    if data == (spec.full_x, spec.full_y, spec.full_width, spec.full_height):
        return pixels
    whole = np.zeros((spec.full_height, spec.full_width, pixels.shape[2]), pixels.dtype)
    left, top = spec.x - spec.full_x, spec.y - spec.full_y
    x0, x1 = max(left, 0), min(left + spec.width, spec.full_width)
    y0, y1 = max(top, 0), min(top + spec.height, spec.full_height)
    if x0 < x1 and y0 < y1:
        whole[y0:y1, x0:x1] = pixels[y0 - top : y1 - top, x0 - left : x1 - left]
    return whole


def _primaries(spec: Any) -> F32 | None:
    """The matrix to BT.709's primaries from those that the file names."""
    named = spec.getattribute("chromaticities")
    return view.to_bt709(tuple(float(value) for value in named)) if named is not None else None


def _pillows(spec: Any) -> bool:
    """Whether colours are of a space that Pillow converts, with the profile where there is one, and OpenImageIO does not."""
    space = str(spec.getattribute("tiff:ColorSpace") or spec.getattribute("jpeg:ColorSpace") or "")
    return space == "CIELAB" or (space in ("CMYK", "YCCK") and bool(_profile(spec)))


def _profile(spec: Any) -> bytes:
    profile = spec.getattribute("ICCProfile")
    return b"" if profile is None else np.asarray(profile, np.uint8).tobytes()


def _error(inp: Any) -> str:
    return _clean(inp.geterror()) or "it cannot be decoded"


def _clean(text: str) -> str:
    """A library's message as part of a sentence: in one line, without the names of our own links."""
    return re.sub(r'\s*\(?"?\S*noisescope-\S*"?\)?', "", " ".join(text.split())).rstrip(".")[:200]
