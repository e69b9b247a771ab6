"""Which picture files are read: how each format is told by its first bytes, its usual endings, and what decodes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

BYTES = 64
"""Of a file's beginning that `format_of` looks at."""


@dataclass(frozen=True)
class Format:
    """One format. `begins` is matched against a file's first bytes; None: it has no mark, and its ending has to tell.

    `reader` is OpenImageIO's name of its plug-in, or Pillow's of its own. `holds`: what of the format is read, in words.
    """

    title: str
    suffixes: tuple[str, ...]
    begins: bytes | None
    library: Literal["OpenImageIO", "Pillow"]
    reader: str
    holds: str


FORMATS = (
    Format(
        "PNG",
        (".png",),
        rb"\x89PNG\r\n\x1a\n",
        "OpenImageIO",
        "png",
        "1 to 16 bits, palettes, transparency, PQ and HLG",
    ),
    Format(
        "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), rb"\xff\xd8\xff", "OpenImageIO", "jpeg", "grey, RGB, CMYK, YCCK"
    ),
    Format("WebP", (".webp",), rb"RIFF....WEBP", "OpenImageIO", "webp", "both kinds, transparency"),
    Format(
        "TIFF",
        (".tif", ".tiff"),
        rb"II\*\0|MM\0\*|II\+\0|MM\0\+",
        "OpenImageIO",
        "tiff",
        "1 to 16 bits, half, float, pages, palettes, CMYK, Lab",
    ),
    Format("OpenEXR", (".exr",), rb"v/1\x01", "OpenImageIO", "openexr", "half, float, layers, parts, windows"),
    Format("Radiance HDR", (".hdr", ".rgbe", ".pic"), rb"#\?", "OpenImageIO", "hdr", "RGBE"),
    Format("PFM", (".pfm",), rb"P[Ff]\s", "OpenImageIO", "pnm", "float, grey or RGB"),
    Format("PNM", (".ppm", ".pgm", ".pbm", ".pnm"), rb"P[1-6]\s", "OpenImageIO", "pnm", "1 to 16 bits, grey or RGB"),
    Format(
        "AVIF", (".avif",), rb"....ftypavi[fs]|....ftyp.{0,48}avi[fs]", "Pillow", "AVIF", "8 to 12 bits, PQ and HLG"
    ),
    Format(
        "JPEG XL", (".jxl",), rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", "OpenImageIO", "jpegxl", "8 and 16 bits, float"
    ),
    Format(
        "JPEG 2000",
        (".jp2", ".j2k", ".j2c", ".jpc"),
        rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
        "OpenImageIO",
        "jpeg2000",
        "8 to 16 bits",
    ),
    Format("BMP", (".bmp",), rb"BM", "OpenImageIO", "bmp", "1 to 32 bits, palettes"),
    Format(
        "DIB",
        (".dib",),
        rb"[\x28\x6c\x7c]\0\0\0.{8}\x01\0[\x01\x04\x08\x10\x18\x20]\0",
        "Pillow",
        "DIB",
        "BMP, with or without the header of a file",
    ),
    Format("GIF", (".gif",), rb"GIF8[79]a", "OpenImageIO", "gif", "the first picture"),
    Format("DPX", (".dpx",), rb"SDPX|XPDS", "OpenImageIO", "dpx", "8 to 16 bits, printing density"),
    Format("SGI", (".sgi", ".rgb", ".rgba", ".bw"), rb"\x01\xda", "OpenImageIO", "sgi", "8 and 16 bits"),
    Format("Photoshop", (".psd", ".psb"), rb"8BPS", "OpenImageIO", "psd", "all layers merged"),
    Format("Targa", (".tga",), None, "OpenImageIO", "targa", "palettes, transparency"),
)

SUFFIXES = tuple(suffix for kind in FORMATS for suffix in kind.suffixes)
"""Endings of pictures, lower case, in the order of FORMATS."""

RAW_SUFFIXES = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw")
"""Endings of camera raw files. Many are TIFF files of a small preview, which must not be taken for the picture."""

_OTHERS = {
    "HEIC": rb"....ftyp(hei[cxms]|mif1|msf1)",
    "a video": rb"....ftyp|\x1a\x45\xdf\xa3|RIFF....AVI |\x00\x00\x01\xba|OggS|FLV",
    "a PDF": rb"%PDF",
    "SVG": rb"\s*(<\?xml|<svg)",
    "a Web page": rb"\s*<(!doctype|html)",
    "a pointer of Git LFS rather than the file": rb"version https://git-lfs",
    "PAM": rb"P7\s",
    "a camera's raw file": rb"FUJIFILMCCD-RAW|IIRO|MMOR|IIU\0|II\x1a\0\0\0HEAPCCDR",
    "a NumPy array": rb"\x93NUMPY",
    "an archive": rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!",
}


def format_of(head: bytes, suffix: str) -> Format | None:
    """The format of a file that begins with `head` (BYTES of it), with the ending `suffix`; None where it is none of ours."""
    for kind in FORMATS:
        if kind.begins is not None and re.match(kind.begins, head, re.DOTALL):
            return kind
    marked = other_of(head)
    return next(
        (kind for kind in FORMATS if kind.begins is None and suffix.lower() in kind.suffixes and not marked), None
    )


def other_of(head: bytes) -> str:
    """What a file is instead of a picture that is read, in words; empty where that is not known."""
    return next((name for name, begins in _OTHERS.items() if re.match(begins, head, re.DOTALL | re.IGNORECASE)), "")


def claimed_size(kind: Format, path: str) -> tuple[int, int] | None:
    """(width, height) that the header of a JPEG 2000, JPEG XL or GIF file claims; None of others, or where it is not found."""
    if kind.title not in ("JPEG 2000", "JPEG XL", "GIF"):
        return None
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    if kind.title == "GIF":
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    return _size_of_jpeg2000(head) if kind.title == "JPEG 2000" else _size_of_jpeg_xl(head)


def _size_of_jpeg2000(head: bytes) -> tuple[int, int] | None:
    """From the marker SIZ, which comes first in a codestream (ISO/IEC 15444-1, A.5.1)."""
    at = head.find(b"\xff\x4f\xff\x51")
    if at < 0 or at + 24 > len(head):
        return None
    right, bottom, left, top = (int.from_bytes(head[at + place : at + place + 4], "big") for place in (8, 12, 16, 20))
    return right - left, bottom - top


def _size_of_jpeg_xl(head: bytes) -> tuple[int, int] | None:
    """From SizeHeader, which comes first in a codestream (ISO/IEC 18181-1, D.2); bits of bytes from the lowest."""
    at = 2 if head.startswith(b"\xff\x0a") else head.find(b"\xff\x0a") + 2
    if at < 2:
        return None
    bits = int.from_bytes(head[at : at + 16].ljust(16, b"\0"), "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    def side(small: int) -> int:
        return 8 * (take(5) + 1) if small else take((9, 13, 18, 30)[take(2)]) + 1

    small = take(1)
    height = side(small)
    ratio = take(3)
    if not ratio:
        return side(small), height
    across, down = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
    return height * across // down, height
