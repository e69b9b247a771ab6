"""Small files that claim much: each would take gigabytes of a reader that believes it. Tried as they are, not changed."""

from __future__ import annotations

import io
import json
import struct
import tempfile
import zlib
from pathlib import Path

from tests.fuzz import readers
from tests.fuzz.corpus import Files
from tests.fuzz.readers import Reader

MEGABYTE = 1 << 20
_ZEROS = memoryview(bytes(MEGABYTE))


def zeros(count: int, start: bytes = b"", wrapped: bool = True) -> bytes:
    """`start` and `count` bytes of zero, deflated; `wrapped` as a zlib stream."""
    first = zlib.compressobj(wbits=-15)
    data = first.compress(start) + first.flush(zlib.Z_FULL_FLUSH)
    block = zlib.compressobj(wbits=-15)
    data += (block.compress(bytes(MEGABYTE)) + block.flush(zlib.Z_FULL_FLUSH)) * (count // MEGABYTE)
    last = zlib.compressobj(wbits=-15)
    data += last.compress(bytes(count % MEGABYTE)) + last.flush()
    if not wrapped:
        return data
    adler = zlib.adler32(start)
    low, high = adler & 0xFFFF, adler >> 16
    return b"\x78\x9c" + data + struct.pack(">2H", (high + count * low) % 65521, low)


def png(width: int, height: int, bits: int, colour: int, data: bytes | None = None) -> bytes:
    channels = {0: 1, 2: 3, 6: 4}[colour]
    data = zeros(height * (1 + width * channels * bits // 8)) if data is None else data

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">2I5B", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def npy_header(shape: tuple[int, ...]) -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text


def npz(shape: tuple[int, ...], name: str) -> bytes:
    """An archive of one array of float32 zeros."""
    start, size = npy_header(shape), 4
    for side in shape:
        size *= side
    data, member = zeros(size, start, wrapped=False), f"{name}.npy".encode()
    sum_ = zlib.crc32(start)
    for at in range(0, size, MEGABYTE):
        sum_ = zlib.crc32(_ZEROS[: size - at], sum_)
    told = struct.pack("<5H3L2H", 20, 0, 8, 0, 0, sum_, len(data), len(start) + size, len(member), 0)
    listed = b"PK\1\2" + struct.pack("<H", 20) + told + struct.pack("<3H2L", 0, 0, 0, 0, 0) + member
    beginning = b"PK\3\4" + told + member + data
    return beginning + listed + b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, len(listed), len(beginning), 0)


def jpeg(progressive: bool) -> bytes:
    """A JPEG of 64 pixels whose header says 65,500 × 65,500."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (8, 8), (90, 40, 200)).save(out, "JPEG", progressive=progressive)
    data = out.getvalue()
    at = data.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    return data[:at] + struct.pack(">2H", 65500, 65500) + data[at + 4 :]


def tiff() -> bytes:
    """A TIFF of one strip of 16 bytes that says it has 100,000 × 100,000 pixels."""
    entries = ((256, 4, 100_000), (257, 4, 100_000), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1),
               (278, 4, 100_000), (279, 4, 16))  # fmt: skip
    table = b"".join(struct.pack("<2H2L", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<L", 24) + bytes(16) + struct.pack("<H", len(entries)) + table + bytes(4)


def gif() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("P", (8, 8)).save(out, "GIF")
    data = bytearray(out.getvalue())
    struct.pack_into("<2H", data, 6, 65535, 65535)
    return bytes(data)


def pictures() -> Files:
    return [
        ("small.png", png(8, 8, 8, 2)),
        ("rgb.png", png(30_000, 30_000, 8, 2)),
        ("deep.png", png(20_000, 20_000, 16, 6)),
        ("empty.png", png(60_000, 60_000, 8, 2, zeros(100))),
        ("plain.jpg", jpeg(False)),
        ("progressive.jpg", jpeg(True)),
        ("a.tiff", tiff()),
        ("a.gif", gif()),
        ("a.pfm", b"PF\n60000 60000\n-1.0\n" + bytes(64)),
        ("a.hdr", b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 60000 +X 60000\n" + bytes(64)),
        ("a.ppm", b"P6\n60000 60000\n255\n" + bytes(64)),
        ("a.bmp", b"BM" + struct.pack("<4L2l2H6L", 200, 0, 54, 40, 60_000, 60_000, 1, 24, *[0] * 6) + bytes(64)),
    ]  # fmt: skip


def flow() -> Files:
    return [
        ("small.npz", npz((1, 8, 8, 2), "backward")),
        ("kitti.png", png(20_000, 20_000, 16, 2)),
        ("empty.png", png(40_000, 40_000, 16, 2, zeros(100))),
        ("frames.npz", npz((800, 512, 512, 2), "backward")),
        ("large.npz", npz((1, 14_000, 15_000, 2), "backward")),
        ("claimed.flo", b"PIEH" + struct.pack("<2i", 30_000, 30_000) + bytes(64)),
        ("claimed.pfm", b"PF\n30000 30000\n-1.0\n" + bytes(64)),
        ("claimed.npy", npy_header((9, 30_000, 30_000, 2)) + bytes(64)),
    ]  # fmt: skip


def noise() -> Files:
    return [
        ("small.npz", npz((1, 4, 8, 8), "noise")),
        ("frames.npz", npz((400, 4, 512, 512), "noise")),
        ("large.npz", npz((1, 4, 10_000, 10_000), "noise")),
    ]


def session() -> Files:
    from gpu import session as sessions

    sound = json.loads(sessions.to_json(sessions.Session()))
    prior = {"name": "random", "mode": "", "gamma": 0.0, "parameters": {}}
    return [
        ("small.json", json.dumps(sound).encode()),
        ("priors.json", json.dumps(sound | {"priors": [prior] * 200_000}).encode()),
        ("view.json", json.dumps(sound | {"view": {"a": ["x" * 60] * 800_000}}).encode()),
        ("deep.json", b'{"view":' + b"[" * 20_000_000),
        ("lists.json", b'{"view":[' + b"[]," * 9_000_000 + b"1]}"),
    ]


def poses() -> Files:
    from tests.fuzz.corpus import poses as sound

    return [
        ("small.json", sound()[0][1]),
        ("lists.json", b'{"people":[' + b"[]," * 5_000_000 + b"1]}"),
        (
            "long.json",
            sound()[0][1].replace(b'"length": 4', b'"length": 1e9').replace(b'"time": 2.5', b'"time": 9.9e8'),
        ),
        ("digits.json", b'{"people":' + b"9" * 20_000_000 + b"}"),
    ]


def video() -> Files:
    """A film of PNG pictures, one of them much larger than the film says, and one that says it is that large."""
    import av

    out: Files = []
    for name, sides, large in (("small.mov", (16, 16), png(16, 16, 8, 2)), ("within.mov", (16, 16), png(20_000, 20_000, 8, 2)),
                               ("said.mov", (16_000, 16_000), png(16_000, 16_000, 8, 2))):  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            with av.open(str(path), "w") as container:
                stream = container.add_stream("png", rate=10)
                stream.width, stream.height, stream.pix_fmt = *sides, "rgb24"
                for time, data in enumerate((png(*sides, 8, 2), large)):
                    packet = av.Packet(data)
                    packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, time * 100, time * 100, True
                    container.mux(packet)
            out.append((name, path.read_bytes()))
    return out


PICTURES, FLOW, NOISE, SESSION, POSES, VIDEO = (
    Reader(read, files, as_they_are=True)
    for read, files in (
        (readers.pictures, pictures), (readers.flow, flow), (readers.noise, noise), (readers.session, session),
        (readers.poses, poses), (readers.video, video),
    )
)  # fmt: skip
