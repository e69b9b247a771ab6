"""Transparent pictures of every format over black: white at half alpha is grey, and what is hidden stays hidden."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from PIL import Image

from gpu import pictures
from gpu.decoders import pictures as decoding

RANDOM = np.random.default_rng(3)
COLOURS = RANDOM.integers(0, 256, (24, 32, 3)).astype(np.uint8)
ALPHA = np.repeat(np.array([0, 64, 128, 255], np.uint8), 8)[None].repeat(24, axis=0)
COLOURS[:, 16:20] = 255

BY_PILLOW = {"png": {}, "tif": {}, "webp": {"lossless": True, "exact": True}, "jp2": {}, "sgi": {}, "tga": {}}
BY_OPENIMAGEIO = ("bmp", "sgi", "jxl", "png", "tif", "tga", "dpx")


def check(path: Path) -> None:
    told, (pixels,) = decoding.frame(str(path))
    expected = COLOURS.astype(int) * ALPHA[..., None] / 255
    assert told["transparent"]
    assert np.abs(pixels - expected).max() <= 0.51
    assert (pixels[:, :8] == 0).all()
    assert (pixels[:, 16:20] == 128).all()


@pytest.mark.parametrize("kind", BY_PILLOW)
def test_what_is_transparent_is_shown_over_black(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    Image.fromarray(np.dstack([COLOURS, ALPHA])).save(path, **BY_PILLOW[kind])
    check(path)


@pytest.mark.parametrize("kind", BY_OPENIMAGEIO)
def test_it_is_in_files_of_openimageio(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    spec = oiio.ImageSpec(32, 24, 4, oiio.UINT8)
    spec["oiio:UnassociatedAlpha"] = 1
    output = oiio.ImageOutput.create(str(path))
    output.open(str(path), spec)
    output.write_image(np.ascontiguousarray(np.dstack([COLOURS, ALPHA])))
    output.close()
    check(path)


def test_hidden_colours_of_a_gif_stay_hidden(tmp_path: Path) -> None:
    places = RANDOM.integers(0, 4, (24, 32)).astype(np.uint8)
    image = Image.fromarray(places, "P")
    image.putpalette([200, 10, 10, 10, 200, 10, 10, 10, 200, 255, 255, 255])
    image.save(tmp_path / "a.gif", transparency=3)
    picture = pictures.read(tmp_path / "a.gif")
    palette = np.array([[200, 10, 10], [10, 200, 10], [10, 10, 200], [0, 0, 0]])
    assert (picture.pixels == palette[places]).all()
    assert picture.notes == ("Where a.gif is transparent it is shown over black.",)


def test_colours_that_are_multiplied_already_stay(tmp_path: Path) -> None:
    """JPEG 2000 says it in its box `cdef`, JPEG XL in a bit that libjxl was seen to obey."""
    Image.fromarray(np.dstack([COLOURS, ALPHA])).save(tmp_path / "a.jp2")
    data = bytearray((tmp_path / "a.jp2").read_bytes())
    at = data.find(b"cdef") + 6 + 3 * 6 + 2  # the type of the fourth channel
    assert data[at : at + 2] == b"\0\1"
    data[at + 1] = 2
    (tmp_path / "a.jp2").write_bytes(data)
    told, (pixels,) = decoding.frame(str(tmp_path / "a.jp2"))
    assert told["transparent"]
    assert (pixels == COLOURS).all()


@pytest.mark.parametrize(
    ("header", "straight"), [("ff0a83c1002001", True), ("ff0a83c1002801", False), ("ff0a83c14a", True)]
)
def test_a_jpeg_xl_says_whether_its_colours_are_multiplied(header: str, straight: bool, tmp_path: Path) -> None:
    from gpu.decoders import alpha
    from gpu.decoders.formats import FORMATS

    (tmp_path / "a.jxl").write_bytes(bytes.fromhex(header))
    kind = next(kind for kind in FORMATS if kind.title == "JPEG XL")
    assert alpha.straight(kind, oiio.ImageSpec(20, 16, 4, oiio.UINT8), str(tmp_path / "a.jxl")) == straight


@pytest.mark.parametrize("bare", [False, True])
def test_a_dib_with_and_without_the_header_of_a_file(bare: bool, tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "a.bmp")
    data = (tmp_path / "a.bmp").read_bytes()
    (tmp_path / "a.dib").write_bytes(data[14:] if bare else data)
    assert (pictures.read(tmp_path / "a.dib").pixels == COLOURS).all()
