"""Whether colours beside alpha are stored as they are (straight) or multiplied by it, where OpenImageIO does not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpu.decoders.formats import Format

HEAD_BYTES = 1 << 16

STRAIGHT = ("BMP", "DPX", "GIF", "JPEG 2000", "JPEG XL", "SGI")
"""Formats whose colours OpenImageIO hands over as stored without the attribute oiio:UnassociatedAlpha. All but OpenEXR and
Photoshop store them straight unless they say otherwise."""


def straight(kind: Format, spec: Any, path: str) -> bool:
    """Whether the colours that OpenImageIO, asked for unassociated alpha, gives of the file still have to be multiplied."""
    if spec.getattribute("oiio:UnassociatedAlpha"):
        return True
    if kind.title not in STRAIGHT:
        return False
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    if kind.title == "JPEG 2000":
        return not _premultiplied_jpeg2000(head)
    return not (kind.title == "JPEG XL" and _premultiplied_jpeg_xl(head))


def _premultiplied_jpeg2000(head: bytes) -> bool:
    """Whether the box `cdef` calls a channel premultiplied opacity (ISO/IEC 15444-1, I.5.3.6)."""
    at = head.find(b"cdef")
    count = int.from_bytes(head[at + 4 : at + 6], "big") if at >= 0 else 0
    return any(head[at + 8 + 6 * place : at + 10 + 6 * place] == b"\0\2" for place in range(min(count, 16)))


def _premultiplied_jpeg_xl(head: bytes) -> bool:
    """Whether the first extra channel that is alpha is called associated (ISO/IEC 18181-1, D.2 and D.3)."""
    at = 2 if head.startswith(b"\xff\x0a") else head.find(b"\xff\x0a") + 2
    bits = int.from_bytes(head[at : at + 4096], "little") if at >= 2 else 0

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    def chosen(*ways: tuple[int, int]) -> int:
        """One of four (bits, offset), chosen by two bits."""
        count, offset = ways[take(2)]
        return offset + take(count)

    _pass_size(take, chosen)
    if take(1):  # all as usual: no alpha
        return False
    if take(1):
        take(3)  # orientation
        if take(1):
            _pass_size(take, chosen)
        if take(1):  # a preview, which nobody writes
            return False
        if take(1):  # an animation
            chosen((0, 100), (0, 1000), (10, 1), (30, 1)), chosen((0, 1), (0, 1001), (8, 1), (10, 1))
            chosen((0, 0), (3, 0), (16, 0), (32, 0)), take(1)
    _pass_depth(take, chosen)
    take(1)
    for _ in range(min(chosen((0, 0), (0, 1), (4, 2), (12, 1)), 16)):
        if take(1):
            return False  # alpha, straight
        is_alpha = not chosen((0, 0), (0, 1), (4, 2), (6, 18))
        _pass_depth(take, chosen)
        chosen((0, 0), (0, 3), (0, 4), (3, 1))
        take(8 * chosen((0, 0), (4, 0), (5, 16), (10, 48)))
        if is_alpha:
            return bool(take(1))
        return False  # depth, a mask or the like, whose own fields are not known here
    return False


def _pass_size(take: Callable[[int], int], chosen: Callable[..., int]) -> None:
    small = take(1)
    for side in range(2):
        if side and take(3):  # the ratio of the sides
            return
        if small:
            take(5)
        else:
            chosen((9, 1), (13, 1), (18, 1), (30, 1))


def _pass_depth(take: Callable[[int], int], chosen: Callable[..., int]) -> None:
    if take(1):
        chosen((0, 32), (0, 16), (0, 24), (6, 1)), take(4)
    else:
        chosen((0, 8), (0, 10), (0, 12), (6, 1))
