"""Films that are transparent, and films whose container alone says how they are interlaced, beside FFmpeg's own program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpu.session import SourceSettings
from gpu.source.footage import video
from gpu.source.opening import open_source
from tests.gpu.source.second_decoder import ffmpeg, shown_by_ffmpeg

SIZE = "size=64x48"
CLEAR = [
    "-f",
    "lavfi",
    "-i",
    f"testsrc2={SIZE}:rate=25:duration=0.12,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='4*X'",
]
FIELDS = ["-f", "lavfi", "-i", "testsrc2=size=128x96:rate=50:duration=0.24"]
OVER_BLACK = "Where it is transparent it is shown over black."


def opened(path: Path, **settings: Any) -> video.VideoSource:
    source = open_source(SourceSettings("video", str(path), **settings))
    assert isinstance(source, video.VideoSource)
    return source


def pictures(source: video.VideoSource) -> np.ndarray:
    return np.stack([source.frame(t) for t in range(source.frames)])


def over_black(path: Path, *decoder: str) -> np.ndarray:
    """(T, 48, 64, 3) of what FFmpeg's program decodes, over black by a formula."""
    raw = ffmpeg(*decoder, "-i", path, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgba", "-")
    rgba = np.frombuffer(raw, np.uint8).reshape(-1, 48, 64, 4).astype(int)
    return (rgba[..., :3] * rgba[..., 3:] + 127) // 255


# -- transparent films


@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("png.mov", ["-c:v", "png"]),
        pytest.param("qtrle.mov", ["-c:v", "qtrle"], marks=pytest.mark.slow),
        pytest.param("ffv1.mkv", ["-c:v", "ffv1", "-pix_fmt", "bgra"], marks=pytest.mark.slow),
        pytest.param("moving.apng", ["-f", "apng"], marks=pytest.mark.slow),
        ("moving.gif", ["-vf", "split[a][b];[a]palettegen[p];[b][p]paletteuse"]),
        pytest.param("raw.avi", ["-c:v", "rawvideo", "-pix_fmt", "bgra"], marks=pytest.mark.slow),
    ],
)
def test_transparent_films_are_shown_over_black(name: str, coding: list[str], tmp_path: Path) -> None:
    ffmpeg(*CLEAR, *coding, tmp_path / name)
    source = opened(tmp_path / name)
    np.testing.assert_array_equal(pictures(source), over_black(tmp_path / name))
    assert source.notes == (OVER_BLACK,)
    assert source.frame(1)[:, 0].max() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "coding", "decoder"),
    [
        ("prores.mov", ["-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"], []),
        ("vp9.webm", ["-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-deadline", "realtime"], ["-c:v", "libvpx-vp9"]),
        ("vp8.webm", ["-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0"], ["-c:v", "libvpx"]),
    ],
)
def test_transparency_beside_the_colours_is_read(
    name: str, coding: list[str], decoder: list[str], tmp_path: Path
) -> None:
    ffmpeg(*CLEAR, *coding, tmp_path / name)
    source = opened(tmp_path / name)
    expected = over_black(tmp_path / name, *decoder)
    assert np.abs(pictures(source).astype(int) - expected).max() <= 1
    assert source.frame(1)[:, :2].max() < 16 < 100 < source.frame(1)[:, -8:].max()
    assert source.notes == (OVER_BLACK,)
    np.testing.assert_array_equal(source.frame(0), pictures(opened(tmp_path / name))[0])


def test_transparent_webp_says_so(tmp_path: Path) -> None:
    clear = np.full((48, 64, 4), 200, np.uint8)
    clear[..., 3] = np.arange(64) * 4
    frames = [Image.fromarray(clear), Image.fromarray(np.roll(clear, 9, 0) // 2 * 2)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], duration=40, lossless=True)
    source = opened(tmp_path / "a.webp")
    np.testing.assert_array_equal(source.frame(0)[..., 0], (200 * clear[..., 3].astype(int) + 127) // 255)
    assert source.notes == (OVER_BLACK,)


def test_a_fourth_byte_that_nobody_set_hides_nothing(tmp_path: Path) -> None:
    ffmpeg(
        *CLEAR,
        "-vf",
        "geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a=0",
        "-c:v",
        "rawvideo",
        "-pix_fmt",
        "bgra",
        tmp_path / "a.avi",
    )
    source = opened(tmp_path / "a.avi")
    np.testing.assert_array_equal(pictures(source), shown_by_ffmpeg(tmp_path / "a.avi"))
    assert source.notes == ()


def test_a_frame_that_is_wholly_transparent_is_black(tmp_path: Path) -> None:
    ffmpeg(*CLEAR, "-vf", "geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*gt(N,0)'", "-c:v", "png", tmp_path / "a.mov")
    source = opened(tmp_path / "a.mov")
    assert source.frame(0).max() == 0
    assert source.frame(1).max() == 255


# -- interlaced films


def check_mended(shown: np.ndarray, combed: np.ndarray, whole: np.ndarray) -> None:
    """Frames without combs stay, the others are the filter's; at the very edge two versions of it differ."""
    mended = (shown != combed).any((1, 2, 3))
    assert mended.sum() >= 5
    np.testing.assert_array_equal(shown[mended, 8:-8], whole[mended, 8:-8])


@pytest.mark.slow
@pytest.mark.parametrize("first", ["tff", "bff"])
@pytest.mark.parametrize(("name", "codec"), [("a.mov", "huffyuv"), ("a.mkv", "utvideo")])
def test_an_order_of_fields_that_the_container_alone_tells(name: str, codec: str, first: str, tmp_path: Path) -> None:
    file = tmp_path / name
    woven = ["-vf", f"interlace=scan={first},setfield={first}", "-flags", "+ildct+ilme"]
    ffmpeg(*FIELDS, *woven, "-c:v", codec, "-pix_fmt", "yuv422p", file)
    source = opened(file)
    left = opened(file, deinterlace="off")
    np.testing.assert_array_equal(pictures(left), shown_by_ffmpeg(file))
    assert left.notes == ("Its frames are interlaced and left as they are: two moments, line by line.",)
    whole = shown_by_ffmpeg(file, "-vf", f"setfield={first},bwdif=mode=send_frame:deint=all")
    check_mended(pictures(source), pictures(left), whole)
    assert source.notes == ("Interlaced, made whole by the filter bwdif.",)
    assert opened(file, deinterlace="fields").frames == 2 * source.frames


@pytest.mark.slow
@pytest.mark.parametrize(("first", "name"), [("tff", "top"), ("bff", "bottom")])
def test_fields_that_are_coded_as_pictures_become_frames(first: str, name: str, tmp_path: Path) -> None:
    file = tmp_path / "fields.mkv"
    x265 = ["-c:v", "libx265", "-x265-params", f"log-level=none:interlace={first}", "-pix_fmt", "yuv420p"]
    ffmpeg(*FIELDS, "-vf", f"interlace=scan={first},setfield={first},separatefields", *x265, file)
    assert shown_by_ffmpeg(file).shape[1:3] == (48, 128)
    source, left = opened(file), opened(file, deinterlace="off")
    assert (source.frames, source.height, source.width) == (6, 96, 128)
    assert source.fps == pytest.approx(25)
    weave = f"weave=first_field={name},setfield={first}"
    np.testing.assert_array_equal(pictures(left), shown_by_ffmpeg(file, "-vf", weave))
    whole = shown_by_ffmpeg(file, "-vf", f"{weave},bwdif=mode=send_frame:deint=all")
    check_mended(pictures(source), pictures(left), whole)
    assert "Its fields are coded one by one; two and two are woven into a frame." in source.notes
    np.testing.assert_array_equal(source.frame(4), pictures(source)[4])
