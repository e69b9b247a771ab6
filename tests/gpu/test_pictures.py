"""Pictures through the process that decodes them: what the caller gets, names of every kind, limits, and a crash."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from PIL import Image

from gpu import pictures
from gpu.assets import asset
from gpu.cv import cv2
from gpu.errors import ClipError

RANDOM = np.random.default_rng(1)
PIXELS = RANDOM.integers(0, 256, (12, 16, 3)).astype(np.uint8)


def saved(path: Path) -> Path:
    Image.fromarray(PIXELS).save(path)
    return path


def exr(path: Path, names: tuple[str, ...], values: np.ndarray) -> Path:
    spec = oiio.ImageSpec(values.shape[1], values.shape[0], len(names), "float")
    spec.channelnames = names
    out = oiio.ImageOutput.create(str(path))
    assert out.open(str(path), spec)
    assert out.write_image(values.astype(np.float32))
    out.close()
    return path


def test_a_picture_and_its_notes(tmp_path: Path) -> None:
    picture = pictures.read(saved(tmp_path / "a.png"))
    assert (picture.pixels == PIXELS).all()
    assert (picture.exposure, picture.layer, picture.layers, picture.pages, picture.notes) == (None, "", (), 1, ())
    values = RANDOM.random((12, 16, 6))
    names = ("R", "G", "B", "depth.Z", "speed.X", "speed.Y")
    picture = pictures.read(exr(tmp_path / "b.exr", names, values))
    assert picture.exposure == 0
    assert picture.notes == (
        "b.exr holds scene-linear light; it is shown as sRGB at exposure 0, highlights rolled off.",
        "The main layer of b.exr is shown; there are also depth, speed.",
    )
    assert pictures.read(tmp_path / "b.exr", "depth").layer == "depth"
    assert pictures.look(tmp_path / "b.exr") == pictures.Header("OpenEXR", 16, 12, 1, names, "float")


def test_values_as_they_are_stored(tmp_path: Path) -> None:
    """Blender's vector pass: X and Y lead to the frame before, Z and W to the next one."""
    names = tuple(f"View Layer.Vector.{name}" for name in "XYZW")
    values = RANDOM.normal(0, 40, (12, 16, 4)).astype(np.float32)
    values[0, 0, 0] = np.nan
    path = exr(tmp_path / "vector.exr", names, values)
    channels = pictures.read_channels(path)
    assert channels.names == names
    assert np.array_equal(channels.values, values, equal_nan=True)
    channels = pictures.read_channels(path, [names[3], names[0]])
    assert np.array_equal(channels.values, values[..., [3, 0]], equal_nan=True)
    with pytest.raises(
        ClipError, match=r"vector\.exr holds no channel View Layer\.Vector\.V; it holds View Layer\.Vector\.X"
    ):
        pictures.read_channels(path, ["View Layer.Vector.V"])
    with pytest.raises(ClipError, match=r"vector\.exr holds no colours, only the layers View Layer\.Vector"):
        pictures.read(path)


def test_codes_of_sixteen_bits_are_exact(tmp_path: Path) -> None:
    """As KITTI's flow has them."""
    codes = RANDOM.integers(0, 65536, (12, 16, 3)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "flow.png"), codes[..., ::-1])
    channels = pictures.read_channels(tmp_path / "flow.png")
    assert (channels.values == codes).all()
    assert channels.stored == "uint16"


@pytest.mark.parametrize("name", ["ü ①.png", "a?b#c%04d*.png", "file:x.png", "-.png", "null.png", "pipe:1"])
def test_names_of_every_kind(tmp_path: Path, name: str) -> None:
    saved(tmp_path / "plain.png").rename(tmp_path / name)
    assert (pictures.read(tmp_path / name).pixels == PIXELS).all()
    assert pictures.sizes([tmp_path / name]) == [(16, 12)]


def test_a_name_that_is_not_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.png")
    try:
        os.rename(saved(tmp_path / "plain.png"), name)
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    assert (pictures.read(name).pixels == PIXELS).all()
    Path(name).write_bytes(b"text")
    with pytest.raises(ClipError, match=r"\\xff\\xfe\.png is not a picture") as raised:
        pictures.read(name)
    str(raised.value).encode("utf-8")
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "here.png")
    assert (pictures.read("here.png").pixels == PIXELS).all()


@pytest.mark.skipif(os.name != "posix", reason="pipes have names on POSIX alone")
def test_a_pipe_and_a_device_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(ClipError, match="is no regular file; expected a picture file"):
            pictures.read(path)


def test_what_is_bundled_is_read_here_and_is_the_same(tmp_path: Path) -> None:
    for name in ("stills/picos.jpg", "stills/bowl.jpg", "stills/seeding.jpg", "clips/bunny.jpg"):
        copy = tmp_path / "copy.jpg"
        copy.write_bytes(asset(name).read_bytes())
        assert (pictures.read(asset(name)).pixels == pictures.read(copy).pixels).all()


def test_a_crash_costs_a_sentence_and_the_next_picture_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png")
    pictures.read(path)
    process = pictures._PROCESSES[0]._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    process.wait()
    with pytest.raises(ClipError, match=r"The picture .*a\.png cannot be read: the decoder ended early"):
        pictures.read(path)
    assert (pictures.read(path).pixels == PIXELS).all()
    pictures.close()
    assert (pictures.read(path).pixels == PIXELS).all()


def test_several_threads_may_ask(tmp_path: Path) -> None:
    paths = []
    for number in range(8):
        Image.fromarray(np.full((50, 60, 3), number, np.uint8)).save(tmp_path / f"{number}.png")
        paths.append(tmp_path / f"{number}.png")
    answers: dict[int, bool] = {}

    def ask(number: int) -> None:
        answers[number] = all((pictures.read(paths[number]).pixels == number).all() for _ in range(5))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == dict.fromkeys(range(8), True)


def bomb(width: int, height: int, bits: int, data: bytes) -> bytes:
    out = b"\x89PNG\r\n\x1a\n"
    for name, content in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)),
        (b"IDAT", data),
        (b"IEND", b""),
    ):
        out += struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return out


MEASURE = """
import sys
from gpu import pictures
from gpu.errors import ClipError
try:
    pictures.read(sys.argv[1])
except ClipError as problem:
    print(problem)
for pid in (pictures._PROCESSES[0]._process.pid, "self"):
    with open(f"/proc/{pid}/status") as status:
        print(next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) >> 10)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kind", ["small", "honest", "jp2", "jxl", "gif"])
def test_claims_of_a_header_cost_no_memory(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    if kind == "small":  # 1,550 bytes took 2.5 GB
        path.write_bytes(bomb(29000, 29000, 8, zlib.compress(bytes(1_500_000), 9)))
    elif kind == "honest":  # every byte of 400 million pixels is there
        path.write_bytes(bomb(20000, 20000, 1, zlib.compress(bytes(20000 * 2501), 9)))
    elif kind == "gif":
        path.write_bytes(b"GIF89a" + struct.pack("<HHBBB", 20000, 20000, 0, 0, 0) + bytes(2_000_000))
    elif kind == "jp2":
        head = (
            b"\xff\x4f\xff\x51"
            + struct.pack(">HHIIIIIIIIH", 41, 0, 30000, 30000, 0, 0, 30000, 30000, 0, 0, 1)
            + b"\x07\x01\x01"
        )
        path.write_bytes(head + bytes(200))
    else:
        height, width = 40000 - 1, 40000 - 1
        bits = 0 | 2 << 1 | height << 3 | 0 << 21 | 2 << 24 | width << 26
        path.write_bytes(b"\xff\x0a" + bits.to_bytes(16, "little") + bytes(100))
    out = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    said, *figures = out.stdout.strip().split("\n")
    assert "pixels; at most 134 million" in said or "claims a" in said
    assert max(map(int, figures)) < 250  # MB
