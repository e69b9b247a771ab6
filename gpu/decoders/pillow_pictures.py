"""What Pillow decodes where OpenImageIO's wheel cannot: AVIF, Lab, four colours with a profile, rare TIFF compressions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from gpu.decoders import colour, view
from gpu.decoders.pixels import check_size, check_values, over_black, turned
from gpu.decoders.server import Result
from gpu.errors import ClipError

U8 = npt.NDArray[np.uint8]

HEAD_BYTES = 1 << 16
ORIENTATION = 0x0112  # of Exif


def look(path: str, reader: str) -> tuple[tuple[int, int], int, int]:
    """(width, height), pages, and Exif's orientation."""
    with _opened(path, reader) as image:
        return image.size, int(getattr(image, "n_frames", 1)), int(image.getexif().get(ORIENTATION, 1))


def frame(path: str, reader: str, page: int) -> Result:
    """As gpu.decoders.pictures.frame."""
    with _opened(path, reader) as image:
        pages = int(getattr(image, "n_frames", 1))
        if not 0 <= page < pages:
            raise ClipError(f"it has no page {page + 1}")
        image.seek(page)
        check_size(*image.size)
        told: dict[str, Any] = {
            "format": reader,
            "pages": pages,
            "alike": 1,
            "layer": "",
            "layers": [],
            "exposure": None,
        }
        orientation = int(image.getexif().get(ORIENTATION, 1))
        profile = bytes(image.info.get("icc_profile") or b"")
        transfer, primaries = _nclx(path) if reader == "AVIF" else (0, 0)
        width, height = image.size
        if image.mode == "LAB":
            image, profile = _from_lab(image), b""
        mode = image.mode if image.mode in ("L", "LA", "CMYK", "RGB", "RGBA") else "RGBA"
        values = np.asarray(image.convert(mode))
    values = check_values(values, height, width, len(mode))
    alpha = values[..., -1] if mode in ("LA", "RGBA") else None
    colours = np.ascontiguousarray(values[..., : len(mode) - 1] if alpha is not None else values)
    if transfer and colours.shape[2] == 3:
        colours = colour.toned(colours.astype(np.uint16) * 257, transfer, wide=primaries == colour.BT2020)
        told["transfer"] = "pq" if transfer == colour.PQ else "hlg"
    elif profile:
        kind = mode.removesuffix("A")
        converted, told["profile"] = view.to_srgb(colours, profile, kind)
        told["converted"] = converted is not None
        colours = colours if converted is None else converted
    if colours.shape[2] == 4:  # four colours without a usable profile
        rest = 255 - colours.astype(np.uint16)
        colours = np.asarray((rest[..., :3] * rest[..., 3:] + 127) // 255, np.uint8)
    told["transparent"] = False
    if alpha is not None:
        colours, told["transparent"] = over_black(colours, alpha)
    if colours.shape[2] == 1:
        colours = np.repeat(colours, 3, axis=2)
    return told, [turned(colours, orientation)]


def _from_lab(image: Any) -> Any:
    """CIELAB (D50) as sRGB."""
    from PIL import ImageCms

    return ImageCms.profileToProfile(
        image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )


@contextmanager
def _opened(path: str, reader: str) -> Iterator[Any]:
    from PIL import Image, UnidentifiedImageError, features

    if reader == "AVIF" and not features.check("avif"):
        raise ClipError("it is AVIF, which this Pillow cannot read; install Pillow 11.3 or newer")
    Image.MAX_IMAGE_PIXELS = None  # our own bound is checked
    try:
        with open(path, "rb") as file, Image.open(file, formats=[reader]) as image:
            check_size(*image.size)
            yield image
    except (UnidentifiedImageError, SyntaxError, EOFError, ValueError, OSError, IndexError, KeyError) as problem:
        said = str(problem) if not isinstance(problem, UnidentifiedImageError) else "its header cannot be read"
        raise ClipError(f"it is damaged ({said})") from None


def _nclx(path: str) -> tuple[int, int]:
    """Transfer (PQ or HLG, else 0) and primaries of an AVIF file: its box `colr` of the kind `nclx`."""
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    at = head.find(b"colrnclx")
    if at < 0 or at + 12 > len(head):
        return 0, 0
    primaries, transfer = (int.from_bytes(head[at + place : at + place + 2], "big") for place in (8, 10))
    return (transfer if transfer in (colour.PQ, colour.HLG) else 0), primaries
