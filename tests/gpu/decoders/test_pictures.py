"""Pictures as the decoder reads them, each against a second reader (Pillow, OpenCV) or a formula."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import OpenImageIO as oiio
import pytest
from PIL import Image, ImageCms, ImageOps

from gpu.cv import cv2
from gpu.decoders import colour, pictures, view
from gpu.errors import ClipError

Array = npt.NDArray[Any]

RANDOM = np.random.default_rng(0)
BASE = np.asarray(cv2.GaussianBlur(RANDOM.integers(0, 256, (24, 32, 3)).astype(np.uint8), (0, 0), 1.5))
BASE = np.asarray(cv2.normalize(BASE, np.empty_like(BASE), 0, 255, cv2.NORM_MINMAX), np.uint8)
RAMP = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (24, 1))
LIGHT = (BASE / 255.0).astype(np.float32)


def read(path: Path, **arguments: Any) -> tuple[dict[str, Any], Array]:
    told, (pixels,) = pictures.frame(str(path), **arguments)
    assert pixels.dtype == np.uint8
    assert pixels.shape[2] == 3
    return told, pixels


def by_pillow(path: Path) -> npt.NDArray[np.float64]:
    """As Pillow reads it, over black."""
    with Image.open(path) as image:
        rgba = np.asarray(ImageOps.exif_transpose(image).convert("RGBA"), np.float64)
    return rgba[..., :3] * rgba[..., 3:] / 255


def exr(path: Path, names: Sequence[str], values: Array, kind: str = "half", **attributes: Any) -> Path:
    """An OpenEXR file (or another of OpenImageIO's) of `values` (H, W, C) in channels `names`."""
    spec = oiio.ImageSpec(values.shape[1], values.shape[0], len(names), kind)
    spec.channelnames = tuple(names)
    for name in ("full_x", "full_y", "full_width", "full_height", "x", "y", "tile_width", "tile_height"):
        if name in attributes:
            setattr(spec, name, attributes.pop(name))
    for name, value in attributes.items():
        spec.attribute(*value) if isinstance(value, tuple) else spec.attribute(name, value)
    out = oiio.ImageOutput.create(str(path))
    assert out.open(str(path), spec), oiio.geterror()
    assert out.write_image(values.astype(np.float32)), out.geterror()
    out.close()
    return path


def parts(path: Path, named: dict[str, tuple[Sequence[str], Array]]) -> Path:
    """An OpenEXR file of several parts."""
    specs = []
    for name, (channels, values) in named.items():
        spec = oiio.ImageSpec(values.shape[1], values.shape[0], len(channels), "float")
        spec.channelnames = tuple(channels)
        spec.attribute("oiio:subimagename", name)
        specs.append(spec)
    out = oiio.ImageOutput.create(str(path))
    assert out.open(str(path), tuple(specs)), oiio.geterror()
    for index, (_, values) in enumerate(named.values()):
        if index:
            assert out.open(str(path), specs[index], "AppendSubimage"), out.geterror()
        assert out.write_image(values.astype(np.float32))
    out.close()
    return path


def by_formula(light: Array, stops: float = 0.0) -> npt.NDArray[np.float64]:
    """The view transform, written down once more: exposure, shoulder on the largest colour above 0.8, sRGB."""
    out = np.maximum(np.asarray(light, np.float64), 0) * 2**stops
    flat = out.reshape(-1, 3)
    for row in flat:
        most = row.max()
        if most > 0.8:
            row *= (1 - 0.2 * np.exp(-(most - 0.8) / 0.2)) / most
    return np.where(out <= 0.0031308, 12.92 * out, 1.055 * out ** (1 / 2.4) - 0.055) * 255


SAVED: dict[str, tuple[str, dict[str, Any]]] = {
    "rgb.png": ("RGB", {}),
    "rgb.jpg": ("RGB", {"quality": 95}),
    "420.jpg": ("RGB", {"quality": 70}),
    "progressive.jpg": ("RGB", {"progressive": True}),
    "rgb.webp": ("RGB", {"lossless": True}),
    "lossy.webp": ("RGB", {"quality": 80}),
    "rgb.avif": ("RGB", {"quality": 90}),
    "rgb.bmp": ("RGB", {}),
    "rgb.tga": ("RGB", {}),
    "rle.tga": ("RGB", {"compression": "tga_rle"}),
    "rgb.ppm": ("RGB", {}),
    "rgb.jp2": ("RGB", {}),
    "rgb.j2k": ("RGB", {}),
    "rgb.gif": ("RGB", {}),
    "rgb.sgi": ("RGB", {}),
    "rgb.tif": ("RGB", {}),
    "lzw.tif": ("RGB", {"compression": "tiff_lzw"}),
    "zip.tif": ("RGB", {"compression": "tiff_adobe_deflate"}),
    "jpeg.tif": ("RGB", {"compression": "jpeg"}),
    "zstd.tif": ("RGB", {"compression": "zstd"}),
    "lzma.tif": ("RGB", {"compression": "lzma"}),
    "big.tif": ("RGB", {"big_tiff": True}),
    "grey.png": ("L", {}),
    "grey.jpg": ("L", {}),
    "grey.tif": ("L", {}),
    "grey.pgm": ("L", {}),
    "bit.png": ("1", {}),
    "bit.pbm": ("1", {}),
    "bit.bmp": ("1", {}),
    "bit.tif": ("1", {}),
    "fax.tif": ("1", {"compression": "group4"}),
    "palette.png": ("P", {}),
    "palette.bmp": ("P", {}),
    "palette.gif": ("P", {}),
    "palette.tif": ("P", {}),
    "transparent palette.png": ("P", {"transparency": 3}),
    "cmyk.jpg": ("CMYK", {"quality": 95}),
    "cmyk.tif": ("CMYK", {}),
    "ycbcr.tif": ("YCbCr", {}),
    "rgba.png": ("RGBA", {}),
    "rgba.tif": ("RGBA", {}),
    "rgba.webp": ("RGBA", {"lossless": True}),
    "rgba.tga": ("RGBA", {}),
    "rgba.avif": ("RGBA", {"quality": 90}),
    "grey and alpha.png": ("LA", {}),
}
EXACT = ("RGB", "L", "1", "P", "CMYK")


@pytest.mark.parametrize("name", SAVED)
def test_a_picture_is_what_pillow_reads(tmp_path: Path, name: str) -> None:
    mode, options = SAVED[name]
    image = Image.fromarray(np.dstack([BASE, RAMP]))
    image = image.convert("RGB").quantize(16) if mode == "P" else image.convert(mode)
    image.save(tmp_path / name, **options)
    told, pixels = read(tmp_path / name)
    rounded = (
        0.0 if mode in EXACT and name != "palette.tif" else 1.0
    )  # 16 bits a colour of its palette, and premultiplied
    assert np.abs(by_pillow(tmp_path / name) - pixels).max() <= rounded
    assert bool(told.get("transparent")) == (mode in ("RGBA", "LA") or "transparent" in name)
    assert told["exposure"] is None


@pytest.mark.parametrize("name", ["rgb.png", "rgb.jpg", "420.jpg", "progressive.jpg", "grey.png", "palette.png"])
def test_it_is_also_bit_for_bit_what_opencv_reads(tmp_path: Path, name: str) -> None:
    mode, options = SAVED[name]
    image = Image.fromarray(BASE)
    (image.quantize(16) if mode == "P" else image.convert(mode)).save(tmp_path / name, **options)
    assert (read(tmp_path / name)[1] == cv2.imread(str(tmp_path / name), cv2.IMREAD_COLOR_RGB)).all()


@pytest.mark.parametrize("kind", ["png", "tif", "ppm", "jp2"])
def test_sixteen_bits_become_eight_by_rounding(tmp_path: Path, kind: str) -> None:
    deep = RANDOM.integers(0, 65536, (48, 64, 3)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / f"deep.{kind}"), deep[..., ::-1])
    deep = cv2.imread(str(tmp_path / f"deep.{kind}"), cv2.IMREAD_UNCHANGED)[
        ..., ::-1
    ]  # what is left of it in JPEG 2000
    assert np.abs(read(tmp_path / f"deep.{kind}")[1] - deep / 257).max() <= 0.5 + 1e-6
    values = pictures.channels(str(tmp_path / f"deep.{kind}"))
    assert (values[1][0] == deep).all()
    assert values[0]["type"] == "uint16"


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "webp", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_exif_says(tmp_path: Path, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{kind}"
    options = {"quality": 95} if kind in ("jpg", "avif") else {"lossless": True} if kind == "webp" else {}
    Image.fromarray(BASE).save(path, exif=exif, **options)
    pixels = read(path)[1]
    assert pixels.shape == ((24, 32, 3) if orientation < 5 else (32, 24, 3))
    upright = {
        1: BASE,
        2: BASE[:, ::-1],
        3: BASE[::-1, ::-1],
        4: BASE[::-1],
        5: BASE.transpose(1, 0, 2),
        6: np.rot90(BASE, -1),
        7: BASE[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(BASE),
    }[orientation]
    assert np.abs(pixels - upright.astype(int)).mean() <= (0 if kind in ("png", "tif", "webp") else 8)
    assert pictures.sizes([str(path)])[0] == [(pixels.shape[1], pixels.shape[0])]


def test_alpha_that_is_zero_everywhere_is_none(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([BASE, 0 * RAMP])).save(tmp_path / "zero.tga")
    told, pixels = read(tmp_path / "zero.tga")
    assert (pixels == BASE).all()
    assert not told["transparent"]


def test_an_icc_profile_is_converted_to_srgb(tmp_path: Path) -> None:
    profile = wide_profile()
    for name in ("wide.png", "wide.jpg", "wide.tif"):
        Image.fromarray(BASE).save(
            tmp_path / name, icc_profile=profile, **({"quality": 100} if name[-1] == "g" else {})
        )
        told, pixels = read(tmp_path / name)
        stored = np.asarray(Image.open(tmp_path / name).convert("RGB"), np.float64) / 255
        light = np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)
        matrix = view.to_bt709((0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290))
        assert matrix is not None
        srgb = view.encoded(np.clip(light @ matrix.T, 0, 1).astype(np.float32)) * 255
        assert np.abs(pixels - srgb).max() <= 3
        assert np.abs(pixels - stored * 255).max() > 8
        assert (told["converted"], told["profile"]) == (True, "wide")
    srgb_profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(BASE).save(tmp_path / "srgb.png", icc_profile=srgb_profile)
    Image.fromarray(BASE).save(tmp_path / "broken.png", icc_profile=b"no profile at all")
    for name in ("srgb.png", "broken.png"):
        told, pixels = read(tmp_path / name)
        assert (pixels == BASE).all()
        assert not told.get("converted")


def wide_profile() -> bytes:
    """An ICC profile (version 2) of Display P3's primaries, adapted to D50, and of sRGB's curve in 1024 steps."""
    primaries = [[0.51512, 0.24120, -0.00105], [0.29198, 0.69225, 0.04189], [0.15710, 0.06657, 0.78407]]
    steps = np.arange(1024) / 1023
    curve = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
    curves = struct.pack(">4s4xI", b"curv", 1024) + (curve * 65535).round().astype(">u2").tobytes()

    def xyz(values: Sequence[float]) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))

    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"wide\0" + bytes(78)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0none\0", b"wtpt": xyz((0.9642, 1.0, 0.8249))}
    tags |= {name + b"XYZ": xyz(values) for name, values in zip((b"r", b"g", b"b"), primaries, strict=True)}
    tags |= {name + b"TRC": curves for name in (b"r", b"g", b"b")}
    table, data = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, 128 + 4 + 12 * len(tags) + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12x4s", 132 + 12 * len(tags) + len(data), b"\0" * 4, 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp"
    )
    head = head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + data


def test_four_colours_with_a_profile_are_converted_by_it(tmp_path: Path) -> None:
    """No free CMYK profile is at hand: one of another kind must leave the colours as without any."""
    Image.fromarray(BASE).convert("CMYK").save(tmp_path / "plain.tif")
    Image.fromarray(BASE).convert("CMYK").save(tmp_path / "odd.tif", icc_profile=wide_profile())
    assert np.abs(read(tmp_path / "odd.tif")[1] - read(tmp_path / "plain.tif")[1].astype(int)).max() <= 1


def test_lab_is_converted(tmp_path: Path) -> None:
    Image.fromarray(BASE).convert("LAB").save(tmp_path / "lab.tif")
    assert np.abs(read(tmp_path / "lab.tif")[1] - BASE.astype(int)).mean() < 3


@pytest.mark.parametrize("kind", ["half", "float"])
def test_openexr_is_shown_through_the_view_transform(tmp_path: Path, kind: str) -> None:
    light = 3 * LIGHT**2
    told, pixels = read(exr(tmp_path / "a.exr", "RGB", light, kind))
    assert told["transfer"] == "linear"
    assert told["exposure"] == 0
    assert np.abs(by_formula(light) - pixels).max() <= (0.51 if kind == "float" else 0.6)
    told, pixels = read(tmp_path / "a.exr", exposure=-2.0)
    assert told["exposure"] == -2
    assert np.abs(by_formula(light, -2) - pixels).max() <= (0.51 if kind == "float" else 0.6)


def test_middle_grey_is_where_srgb_has_it(tmp_path: Path) -> None:
    assert (read(exr(tmp_path / "a.exr", "RGB", np.full((4, 4, 3), 0.18)))[1] == 118).all()


@pytest.mark.parametrize(("scale", "stops"), [(1.0, 0), (0.1, 0), (2.0**-10, 9), (2.0**9, -10), (0.0, 0)])
def test_light_out_of_reach_is_brought_to_middle_grey(tmp_path: Path, scale: float, stops: int) -> None:
    told, _ = read(exr(tmp_path / "a.exr", "RGB", np.full((4, 4, 3), 0.3 * scale), "float"))
    assert told["exposure"] == stops


@pytest.mark.parametrize("name", ["a.hdr", "a.pfm", "a.tif"])
def test_other_files_of_light(tmp_path: Path, name: str) -> None:
    light = (1.5 * LIGHT**2 + 0.01).astype(np.float32)
    cv2.imwrite(str(tmp_path / name), light[..., ::-1])
    stored = cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED)[..., ::-1]  # HDR keeps 8 bits of each
    told, pixels = read(tmp_path / name)
    assert told["transfer"] == "linear"
    assert np.abs(by_formula(stored) - pixels).max() <= (0.51 if name != "a.hdr" else 2)
    values = pictures.channels(str(tmp_path / name))[1][0]
    assert np.abs(values - stored).max() <= (0 if name != "a.hdr" else 0.01)
    grey = cv2.imwrite(str(tmp_path / f"grey{name[1:]}"), light[..., 0])
    assert grey
    assert (np.ptp(read(tmp_path / f"grey{name[1:]}")[1].astype(int), axis=2) == 0).all()


def test_values_that_are_no_numbers_are_black_or_white_and_counted(tmp_path: Path) -> None:
    light = LIGHT.copy()
    light[0, 0], light[0, 1, 1], light[0, 2] = np.nan, np.inf, -np.inf
    light[1, 0] = -5
    told, pixels = read(exr(tmp_path / "a.exr", "RGB", light, "float"))
    assert told["odd"] == 3
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert pixels[0, 1].tolist()[1] == 255
    assert pixels[0, 2].tolist() == pixels[1, 0].tolist() == [0, 0, 0]
    with pytest.raises(ClipError, match="none of its values is a number"):
        read(exr(tmp_path / "b.exr", "RGB", np.full((4, 4, 3), np.nan)))


NINE = RANDOM.random((24, 32, 9)).astype(np.float32)


@pytest.mark.parametrize(
    ("names", "layer", "places"),
    [
        (["A", "B", "G", "R", "diffuse.B", "diffuse.G", "diffuse.R", "Z", "N.X"], "", [3, 2, 1]),
        (
            ["diffuse.R", "diffuse.G", "diffuse.B", "beauty.R", "beauty.G", "beauty.B", "Z.Z", "N.X", "N.Y"],
            "beauty",
            [3, 4, 5],
        ),
        (
            [
                f"View Layer.{name}"
                for name in ("DiffCol.R", "DiffCol.G", "DiffCol.B", "Combined.R", "Combined.G", "Combined.B")
            ]
            + ["View Layer.Depth.Z", "View Layer.Vector.X", "View Layer.Vector.Y"],
            "View Layer.Combined",
            [3, 4, 5],
        ),
        (["own.red", "own.green", "own.blue", "P.X", "P.Y", "P.Z", "Z", "u", "v"], "own", [0, 1, 2]),
        (["Y", "P.X", "P.Y", "P.Z", "Q.X", "Q.Y", "Q.Z", "Z", "id"], "", [0, 0, 0]),
    ],
)
def test_the_layer_with_the_finished_picture_is_shown(
    tmp_path: Path, names: list[str], layer: str, places: list[int]
) -> None:
    told, pixels = read(exr(tmp_path / "a.exr", names, NINE, "float"))
    assert told["layer"] == layer
    assert np.abs(by_formula(NINE[..., places]) - pixels).max() <= 0.51


def test_another_layer_can_be_asked_for(tmp_path: Path) -> None:
    names = ["R", "G", "B", "diffuse.R", "diffuse.G", "diffuse.B", "depth.Z", "speed.X", "speed.Y"]
    path = exr(tmp_path / "a.exr", names, NINE, "float")
    told, pixels = read(path, layer="diffuse")
    assert np.abs(by_formula(NINE[..., 3:6]) - pixels).max() <= 0.51
    assert told["layers"] == ["depth", "diffuse", "speed"] or set(told["layers"]) == {"depth", "diffuse", "speed"}
    assert np.abs(by_formula(NINE[..., [6, 6, 6]]) - read(path, layer="depth")[1]).max() <= 0.51
    with pytest.raises(ClipError, match="no layer specular; it has"):
        read(path, layer="specular")


def test_a_file_without_colours_names_what_it_holds(tmp_path: Path) -> None:
    path = exr(tmp_path / "a.exr", ["speed.X", "speed.Y", "Z"], NINE[..., :3], "float")
    with pytest.raises(ClipError, match=r"no colours, only the layers .*speed"):
        read(path)


def test_parts_of_openexr_are_layers(tmp_path: Path) -> None:
    named = {
        "depth": (["Z"], NINE[..., :1]),
        "rgba": (["R", "G", "B"], NINE[..., 1:4]),
        "speed": (["X", "Y"], NINE[..., 4:6]),
    }
    path = parts(tmp_path / "parts.exr", named)
    told, pixels = read(path)
    assert told["layer"] == "rgba"
    assert np.abs(by_formula(NINE[..., 1:4]) - pixels).max() <= 0.51
    header = pictures.look(str(path))[0]
    assert header["channels"] == ["depth.Z", "rgba.R", "rgba.G", "rgba.B", "speed.X", "speed.Y"]
    told, (values,) = pictures.channels(str(path), ["speed.Y", "depth.Z"])
    assert told["names"] == ["speed.Y", "depth.Z"]
    assert (values == NINE[..., [5, 0]]).all()
    assert (pictures.channels(str(path))[1][0] == NINE[..., :6]).all()
    with pytest.raises(ClipError, match=r"no channel speed\.Z; it holds depth\.Z"):
        pictures.channels(str(path), ["speed.Z"])


def test_the_display_window_is_shown(tmp_path: Path) -> None:
    path = exr(tmp_path / "a.exr", "RGB", LIGHT, "float", x=-4, y=6, full_x=0, full_y=0, full_width=20, full_height=40)
    expected = np.zeros((40, 20, 3), np.float32)
    expected[6:30, :] = LIGHT[:, 4:24]
    assert np.abs(by_formula(expected) - read(path)[1]).max() <= 0.51
    assert pictures.sizes([str(path)])[0] == [(20, 40)]
    assert (pictures.channels(str(path))[1][0] == expected).all()


def test_tiles_are_put_together(tmp_path: Path) -> None:
    large = np.tile(LIGHT, (8, 3, 1))
    path = exr(tmp_path / "a.exr", "RGB", large, "float", tile_width=64, tile_height=48)
    assert np.abs(by_formula(large) - read(path)[1]).max() <= 0.51


def test_primaries_that_a_file_names_are_brought_to_those_of_srgb(tmp_path: Path) -> None:
    aces = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
    matrix = np.array(  # AP0 to linear BT.709 with Bradford's adaptation, as OpenColorIO's configurations have it
        [[2.52169, -1.13413, -0.38756], [-0.27648, 1.37272, -0.09624], [-0.01538, -0.15298, 1.16835]]
    )
    light = 0.2 + 0.3 * LIGHT
    path = exr(tmp_path / "a.exr", "RGB", light, "float", chromaticities=("chromaticities", "float[8]", aces))
    assert np.abs(by_formula(light @ matrix.T) - read(path)[1]).max() <= 0.6
    assert view.to_bt709(view.BT709) is None
    assert view.to_bt709((0.0,) * 8) is None


def test_straight_alpha_of_light_is_multiplied(tmp_path: Path) -> None:
    values = np.dstack([LIGHT, np.full(LIGHT.shape[:2], 0.5, np.float32)])
    exr(tmp_path / "straight.tif", "RGBA", values, "float", straight=("oiio:UnassociatedAlpha", 1))
    told, pixels = read(tmp_path / "straight.tif")
    assert told["transparent"]
    assert np.abs(by_formula(LIGHT * 0.5) - pixels).max() <= 1.1
    exr(tmp_path / "multiplied.exr", "RGBA", values, "float")
    assert np.abs(by_formula(LIGHT) - read(tmp_path / "multiplied.exr")[1]).max() <= 0.51


def test_hdr_png_is_toned_as_a_film_is(tmp_path: Path) -> None:
    deep = RANDOM.integers(0, 50000, (24, 32, 3)).astype(np.uint16)
    for curve in (16, 18):
        chunks = [
            (b"IHDR", struct.pack(">IIBBBBB", 32, 24, 16, 2, 0, 0, 0)),
            (b"cICP", bytes([9, curve, 0, 1])),
            (b"IDAT", zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep))),
            (b"IEND", b""),
        ]
        (tmp_path / "a.png").write_bytes(png(chunks))
        told, pixels = read(tmp_path / "a.png")
        assert told["transfer"] == {16: "pq", 18: "hlg"}[curve]
        assert (pixels == colour.toned(deep, curve)).all()


def avif(path: Path, transfer: int) -> npt.NDArray[np.uint16]:
    """A grey ramp in AVIF with 10 bits, by SVT-AV1; its values."""
    ramp = np.tile(np.linspace(0, 1023, 128).astype(np.uint16), (96, 1))
    frame = av.VideoFrame(128, 96, "yuv420p10le")
    frame.color_range = 2
    for plane, values in zip(frame.planes, (ramp, *2 * [np.full((48, 64), 512, np.uint16)]), strict=True):
        rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
        rows[:, : plane.width] = values
        plane.update(rows.tobytes())
    with av.open(str(path), "w", format="avif") as container:
        stream = container.add_stream("libsvtav1", rate=1, options={"crf": "5", "preset": "8"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p10le"
        context = stream.codec_context
        context.color_range, context.color_trc = 2, transfer
        context.color_primaries = context.colorspace = 9 if transfer == colour.PQ else 1
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return ramp


@pytest.mark.parametrize("transfer", [1, 16])
def test_avif_of_ten_bits(tmp_path: Path, transfer: int) -> None:
    ramp = avif(tmp_path / "a.avif", transfer)
    told, pixels = read(tmp_path / "a.avif")
    expected = np.repeat((ramp[..., None] * (65535 / 1023)).astype(np.uint16), 3, 2)
    assert told.get("transfer", "") == ("pq" if transfer == 16 else "")
    shown = colour.toned(expected, 16).astype(float) if transfer == 16 else expected / 257
    assert np.abs(shown - pixels).max() <= (2.5 if transfer == 16 else 1.1)  # Pillow gives 8 bits


@pytest.mark.parametrize(
    ("name", "kind", "attributes"),
    [
        ("a.sgi", "uint8", {}),
        ("a.sgi", "uint16", {}),
        ("a.jxl", "uint8", {"compression": "jpegxl:100"}),
        ("a.jxl", "uint16", {"compression": "jpegxl:100"}),
        ("a.dpx", "uint8", {}),
        ("a.dpx", "uint16", {"bits": ("oiio:BitsPerSample", 10)}),
    ],
)
def test_formats_of_studios(tmp_path: Path, name: str, kind: str, attributes: dict[str, Any]) -> None:
    told, pixels = read(exr(tmp_path / name, "RGB", LIGHT, kind, **attributes))
    assert np.abs(LIGHT * 255 - pixels).max() <= 0.76
    assert told["exposure"] is None
    assert pictures.sizes([str(tmp_path / name)])[0] == [(32, 24)]


def test_light_in_jpeg_xl(tmp_path: Path) -> None:
    told, pixels = read(exr(tmp_path / "a.jxl", "RGB", LIGHT, "float", compression="jpegxl:100"))
    assert told["transfer"] == "linear"
    assert np.abs(by_formula(LIGHT) - pixels).max() <= 1.1


def test_printing_density_of_film_scans(tmp_path: Path) -> None:
    """SMPTE 268M: code 95 is black, 685 is white, 470 is close to 18 %."""
    codes = np.repeat(np.array([[95, 300, 470, 685]])[..., None], 3, 2) / 1023
    exr(
        tmp_path / "log.dpx",
        "RGB",
        codes,
        "uint16",
        bits=("oiio:BitsPerSample", 10),
        space=("oiio:ColorSpace", "KodakLog"),
    )
    told, pixels = read(tmp_path / "log.dpx")
    assert told["transfer"] == "density"
    light = (10 ** ((codes * 1023 - 685) * 0.002 / 0.6) - 10 ** (-590 * 0.002 / 0.6)) / (1 - 10 ** (-590 * 0.002 / 0.6))
    assert light[0, 2, 0] == pytest.approx(0.18, abs=0.01)
    assert np.abs(by_formula(light) - pixels).max() <= 1


def test_the_merged_picture_of_photoshop(tmp_path: Path) -> None:
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, *BASE.shape[:2], 8, 3)
    (tmp_path / "a.psd").write_bytes(head + struct.pack(">IIIH", 0, 0, 0, 0) + BASE.transpose(2, 0, 1).tobytes())
    assert (read(tmp_path / "a.psd")[1] == BASE).all()


def test_pages_are_counted_and_read(tmp_path: Path) -> None:
    shades = [Image.fromarray(np.full((8, 9, 3), value, np.uint8)) for value in (10, 20, 30)]
    shades[0].save(tmp_path / "stack.tif", save_all=True, append_images=shades[1:])
    for page, value in enumerate((10, 20, 30)):
        told, pixels = read(tmp_path / "stack.tif", page=page)
        assert (pixels == value).all()
        assert told["pages"] == (3 if page == 0 else page + 1)
    with pytest.raises(ClipError, match="no page 4"):
        read(tmp_path / "stack.tif", page=3)
    for name in ("many.gif", "many.webp"):
        shades[0].save(tmp_path / name, save_all=True, append_images=shades[1:])
        assert read(tmp_path / name)[0]["pages"] == 2


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    out = b"\x89PNG\r\n\x1a\n"
    for name, data in chunks:
        out += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return out


def header_only(width: int, height: int, data: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return png([(b"IHDR", head), (b"IDAT", data or zlib.compress(bytes(1000))), (b"IEND", b"")])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (header_only(29000, 29000, zlib.compress(bytes(10**6))), "2406 MB|29000 × 29000"),
        (header_only(65000, 3000), "65000 × 3000 pixels; at most|from a"),
        (header_only(2**31 - 1, 2**31 - 1), "damaged"),
        (header_only(0, 4), "damaged"),
        (header_only(64, 64), "damaged"),
        (b"", "empty"),
        (b"this is text", "not a picture that can be read; expected PNG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "not a picture that can be read but HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp41", "but a video"),
        (b"%PDF-1.7", "but a PDF"),
        (b"<!DOCTYPE html><html>", "but a Web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"PK\x03\x04", "an archive"),
        (b"v/1\x01" + bytes(60), "damaged"),
        (b"\xff\xd8\xff" + bytes(60), "damaged"),
        (b"BM" + bytes(60), "damaged"),
        (b"P6 1000000000 1000000000 255\n", "damaged|pixels"),
        (b"PF\n60000 60000\n-1.0\n", "damaged|pixels"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 60000 +X 60000\n", "damaged|pixels"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    for ask in (pictures.frame, pictures.look):
        if ask is pictures.look and said == "damaged":
            continue  # its header may be right
        with pytest.raises(ClipError, match=said):
            ask(str(path))
    with pytest.raises(ClipError):
        pictures.channels(str(path))


CUT = [name for name in SAVED if name.startswith(("rgb.", "progressive"))]


@pytest.mark.parametrize("name", CUT)
def test_a_file_cut_short_is_refused(tmp_path: Path, name: str) -> None:
    mode, options = SAVED[name]
    Image.fromarray(BASE).convert(mode).save(tmp_path / name, **options)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(ClipError, match="damaged"):
        read(tmp_path / name)


def test_the_ending_does_not_matter_but_for_camera_raw(tmp_path: Path) -> None:
    Image.fromarray(BASE).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert (read(tmp_path / "a.jpg")[1] == BASE).all()
    (tmp_path / "a.jpg").rename(tmp_path / "what? #1 ü")
    assert (read(tmp_path / "what? #1 ü")[1] == BASE).all()
    Image.fromarray(BASE).save(tmp_path / "a.tif")
    (tmp_path / "a.tif").rename(tmp_path / "a.NEF")
    with pytest.raises(ClipError, match="camera's raw file"):
        read(tmp_path / "a.NEF")


def test_sizes_of_many_are_told_at_once(tmp_path: Path) -> None:
    Image.fromarray(BASE).save(tmp_path / "a.png")
    Image.fromarray(BASE[:5]).save(tmp_path / "b.avif")
    (tmp_path / "c.png").write_bytes(b"text")
    a, b, c, d = pictures.sizes([str(tmp_path / name) for name in ("a.png", "b.avif", "c.png", "d.png")])[0]
    assert (a, b) == ((32, 24), (32, 5))
    assert "not a picture" in c
    assert "No such file" in d
