"""Changes made to good files: bytes, lengths and numbers in them, parts cut, doubled, put elsewhere or taken from others."""

from __future__ import annotations

import io
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence

NUMBERS = (
    0, 1, 2, 3, 7, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 1 << 20, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1,
    1 << 33, 1 << 40, (1 << 63) - 1, (1 << 64) - 1,
)  # fmt: skip
WORDS = (
    b"0", b"-1", b"1", b"3", b"65536", b"2147483648", b"99999999999", b"1e9", b"1e400", b"-0.0", b"NaN", b"Infinity",
    b"9" * 400, b"9" * 5000, b"1" + b"0" * 400, b"null", b"true", b"[]", b"{}", b'""', b'"\\ud800"', b'"\\u0000"', b"0x10",
)  # fmt: skip
OPENING = (b"[", b"{", b"(", b'{"a":', b"-", b"((")
PNG = b"\x89PNG\r\n\x1a\n"


def mutated(data: bytes, random_: random.Random, others: Sequence[bytes]) -> bytes:
    """`data` with one to eight changes, its checksums put right half of the time so that what lies behind them is reached."""
    if data.startswith(b"PK\3\4") and random_.random() < 0.5:
        data = _inside_zip(data, random_, others)
        if random_.random() < 0.7:
            return data
    changes = OF_TEXT if b"\0" not in data[:4096] else CHANGES
    for _ in range(random_.choice((1, 1, 1, 2, 3, 8))):
        data = random_.choice(changes)(data, random_, others)
    if data.startswith(PNG) and random_.random() < 0.7:
        data = _with_sums(data)
    return data[: 4 << 20]


def _place(data: bytes, random_: random.Random) -> int:
    """Where to change: mostly in headers, which begin or end a file."""
    if not data:
        return 0
    near = random_.choice((16, 64, 256, 1024, len(data), len(data)))
    at = random_.randrange(min(near, len(data)))
    return len(data) - 1 - at if random_.random() < 0.25 else at


def _flip(data: bytes, random_: random.Random, others: Sequence[bytes]) -> bytes:
    at = _place(data, random_)
    return data[:at] + bytes(value ^ 1 << random_.randrange(8) for value in data[at : at + 1]) + data[at + 1 :]


def _byte(data: bytes, random_: random.Random, others: Sequence[bytes]) -> bytes:
    at = _place(data, random_)
    return data[:at] + bytes([random_.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, random_: random.Random, others: Sequence[bytes]) -> bytes:
    return data[: _place(data, random_)]


def _remove(data: bytes, random_: random.Random, others: Sequence[bytes]) -> bytes:
    at = _place(data, random_)
    return data[:at] + data[at + random_.choice((1, 2, 4, 8, 64)) :]


def _double(data: bytes, random_: random.Random, others: Sequence[bytes]) -> bytes:
    at, size = _place(data, random_), random_.choice((1, 4, 16, 256, 4096))
    return data[:at] + data[at : at + size] * random_.choice((2, 2, 3, 100)) + data[at + size :]


def _splice(data: bytes, random_: random.Random, others: Sequence[bytes]) -> bytes:
    other = random_.choice(others)
    at, there, size = _place(data, random_), _place(other, random_), random_.choice((4, 16, 64, 1024))
    return data[:at] + other[there : there + size] + data[at + random_.choice((0, size)) :]


def _length(data: bytes, random_: random.Random, others: Sequence[bytes]) -> bytes:
    """A whole number of 1 to 8 bytes, as lengths are."""
    at, form = _place(data, random_), random_.choice(("<B", ">H", "<H", ">I", "<I", ">Q", "<Q"))
    size = struct.calcsize(form)
    return data[:at] + struct.pack(form, random_.choice(NUMBERS) & ((1 << 8 * size) - 1)) + data[at + size :]


def _number(data: bytes, random_: random.Random, others: Sequence[bytes]) -> bytes:
    """A number written in digits."""
    written = list(re.finditer(rb"-?\d+(?:\.\d+)?", data[:65536]))
    if not written:
        return _length(data, random_, others)
    match = random_.choice(written[: random_.choice((8, len(written)))])
    return data[: match.start()] + random_.choice(WORDS) + data[match.end() :]


def _digit(data: bytes, random_: random.Random, others: Sequence[bytes]) -> bytes:
    """A digit for another, which often leaves a file that can be read."""
    places = [match.start() for match in re.finditer(rb"\d", data[:65536])]
    if not places:
        return _flip(data, random_, others)
    at = random_.choice(places)
    return data[:at] + str(random_.randrange(10)).encode() + data[at + 1 :]


def _nest(data: bytes, random_: random.Random, others: Sequence[bytes]) -> bytes:
    at = _place(data, random_)
    return data[:at] + random_.choice(OPENING) * random_.choice((1, 30, 3000, 100_000)) + data[at:]


CHANGES = (_flip, _byte, _cut, _remove, _double, _splice, _length, _number, _flip, _length, _number, _nest)
OF_TEXT = (_digit, _digit, _digit, _number, _number, _remove, _byte, _splice, _double, _nest, _cut)


def _inside_zip(data: bytes, random_: random.Random, others: Sequence[bytes]) -> bytes:
    """A member changed, and the archive written anew with right sums and lengths."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        chosen = random_.choice(names)
        for name in names:
            member = old.read(name)
            for _ in range(random_.choice((1, 1, 3)) if name == chosen else 0):
                member = random_.choice(CHANGES)(member, random_, others)
            new.writestr(zipfile.ZipInfo(name), member, random_.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
    return out.getvalue()


def _with_sums(data: bytes) -> bytes:
    """A PNG with the checksum of each chunk put right, as far as its lengths lead."""
    out, at = bytearray(PNG), len(PNG)
    while at + 12 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        body = data[at + 4 : at + 8 + length]
        if len(body) < 4 + length:
            break
        out += data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return bytes(out) + data[at:]
