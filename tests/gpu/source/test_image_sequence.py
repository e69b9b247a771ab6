"""Image sequences and single pictures: order, sizes, and sentences for what cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpu.cv import cv2
from gpu.decoders.process import DecoderProcess
from gpu.errors import ClipError, SizeError
from gpu.session import SourceSettings
from gpu.source import Lit
from gpu.source.footage.image_sequence import ImagesSource
from gpu.source.opening import open_source
from gpu.source.stills import read_picture, resize, target_size


def write(folder: Path, name: str, value: int, height: int = 20, width: int = 30) -> Path:
    picture = np.full((height, width, 3), value, np.uint8)
    picture[:, width // 2 :] = 255 - value
    assert cv2.imwrite(str(folder / name), picture)
    return folder / name


def opened(path: Path, **settings: int) -> ImagesSource:
    source = open_source(SourceSettings("images", str(path), **settings))
    assert isinstance(source, ImagesSource)
    return source


def values(source: ImagesSource) -> list[int]:
    return [int(source.frame(t)[2, 2, 0]) for t in range(source.frames)]


def test_a_folder_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 1, 2):
        write(tmp_path, f"frame{number}.png", number)
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / ".hidden.png").write_bytes(b"x")
    source = opened(tmp_path)
    assert (source.frames, source.height, source.width) == (4, 20, 30)
    assert values(source) == [1, 2, 9, 10]
    assert source.truth is None
    assert source.title == tmp_path.name


def test_a_numbered_file_begins_its_sequence_and_gaps_are_said(tmp_path: Path) -> None:
    for number in (4, 5, 6, 8):
        write(tmp_path, f"shot2_{number:03d}.png", number)
    write(tmp_path, "shot1_005.png", 99)
    source = opened(tmp_path / "shot2_005.png")
    assert values(source) == [5, 6, 8]
    assert source.notes == (f"Frame 7 is missing in {tmp_path / 'shot2_005.png'}.",)
    single = write(tmp_path, "still.png", 7)
    assert values(opened(single)) == [7]


def test_a_pattern_and_a_range_of_it(tmp_path: Path) -> None:
    for number in (4, 5, 6, 8):
        write(tmp_path, f"shot_{number:04d}.png", number)
    assert values(opened(tmp_path / "shot_%04d.png")) == [4, 5, 6, 8]
    assert values(opened(tmp_path / "shot_####.png:5-8", every=2)) == [5, 8]


def test_strays_are_said_and_two_of_one_number_are_refused(tmp_path: Path) -> None:
    """../shared/cases/png_and_jpg."""
    for number in range(3):
        write(tmp_path, f"{number:04d}.png", number)
    (tmp_path / "._0001.png").write_bytes(b"x")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    assert opened(tmp_path).notes == (f"2 files were left out of {tmp_path}: ._0001.png and Thumbs.db.",)
    write(tmp_path, "0001.jpg", 1)
    with pytest.raises(ClipError, match=r"two pictures of one number, 0001\.jpg and 0001\.png"):
        opened(tmp_path)
    assert opened(tmp_path / "*.png").frames == 3


def test_circled_digits_are_no_numbers(tmp_path: Path) -> None:
    """../shared/cases/circled_digits."""
    for number in range(3):
        write(tmp_path, f"①{number}.png", number)
    assert values(opened(tmp_path)) == [0, 1, 2]


def test_pages_of_a_tiff_file_are_frames(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((8, 9), value, np.uint8)) for value in (10, 20, 30)]
    pages.append(Image.fromarray(np.zeros((4, 5), np.uint8)))  # a thumbnail
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    source = opened(tmp_path / "stack.tif", start=1)
    assert values(source) == [20, 30]
    assert source.notes == ("The frames are the 3 pages of stack.tif.",)


def test_light_keeps_one_exposure_through_a_sequence(tmp_path: Path) -> None:
    """../shared/cases/exr, with a fade: brought to middle grey frame by frame, it would be none."""
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.hdr"), np.full((8, 9, 3), 2.0 ** (8 - number), np.float32))
    source = opened(tmp_path)
    assert "scene-linear light; it is shown as sRGB at -10 stops" in source.notes[0]
    assert values(source) == [137, 99, 71]  # 0.25, 0.125 and 0.0625 as sRGB
    brighter = open_source(SourceSettings("images", str(tmp_path), exposure=1.0))
    assert values(brighter) == [188, 137, 99]  # type: ignore[arg-type]


def test_a_range_and_a_size(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path, f"{number}.png", number * 10)
    source = opened(tmp_path, start=2, frames=3, height=10)
    assert values(source) == [20, 30, 40]
    assert source.frame(0).shape == (10, 15, 3)
    with pytest.raises(IndexError):
        source.frame(3)
    with pytest.raises(ClipError, match="has 6 pictures; the start at frame 6"):
        opened(tmp_path, start=6)


def test_a_picture_of_another_size_is_named(tmp_path: Path) -> None:
    write(tmp_path, "1.png", 1)
    write(tmp_path, "2.png", 2, height=21)
    with pytest.raises(ClipError, match=r"2\.png is 30x21, but the sequence began with 30x20 \(1\.png\)"):
        opened(tmp_path)
    source = opened(tmp_path, frames=1)
    write(tmp_path, "1.png", 1, height=21)  # later
    with pytest.raises(ClipError, match=r"1\.png has changed since it was opened"):
        source.frame(0)


def test_a_damaged_picture_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "1.png", 1)
    (tmp_path / "2.png").write_text("this is text")
    (tmp_path / "3.png").write_bytes(b"")
    source = opened(tmp_path)
    with pytest.raises(ClipError, match=r"2\.png is not a picture"):
        source.frame(1)
    with pytest.raises(ClipError, match=r"3\.png is empty"):
        source.frame(2)
    assert capfd.readouterr().err == ""


def test_what_is_no_sequence(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="holds no pictures"):
        opened(tmp_path)
    with pytest.raises(ClipError, match="There is no folder or picture"):
        opened(tmp_path / "absent")
    with pytest.raises(ClipError, match="needs a path"):
        open_source(SourceSettings("images"))


def test_a_cut_is_found_in_pictures(tmp_path: Path) -> None:
    for number in range(8):
        write(tmp_path, f"{number}.png", 20 if number < 5 else 200)
    assert opened(tmp_path).cuts == (5,)


@pytest.mark.parametrize(
    ("picture", "asked", "expected"),
    [
        ((720, 1280), (0, 0), (288, 512)),
        ((100, 200), (0, 0), (100, 200)),
        ((1, 1), (0, 0), (1, 1)),
        ((2, 3000), (0, 0), (2, 3000)),
        ((3000, 2), (0, 0), (288, 1)),
        ((720, 1280), (144, 0), (144, 256)),
        ((720, 1280), (0, 64), (36, 64)),
        ((720, 1280), (100, 100), (100, 100)),
        ((1, 1), (256, 0), (256, 256)),
        ((3000, 2), (0, 1), (1500, 1)),
        ((2, 3000), (0, 1), (1, 1)),
    ],
)
def test_sizes(picture: tuple[int, int], asked: tuple[int, int], expected: tuple[int, int]) -> None:
    assert target_size(*picture, SourceSettings(height=asked[0], width=asked[1])) == expected


def test_a_size_beyond_reason_is_refused() -> None:
    with pytest.raises(SizeError, match="would become 200 × 300000"):
        target_size(2, 3000, SourceSettings(height=200))


def test_shrinking_averages_areas_and_other_sizes_work() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    blocks = picture.reshape(10, 4, 10, 6, 3).mean(axis=(1, 3))
    assert np.abs(resize(picture, 10, 10) - blocks).max() <= 0.51
    assert resize(picture, 80, 30).shape == (80, 30, 3)
    assert resize(picture, 40, 60) is picture
    assert resize(np.full((1, 1, 3), 7, np.uint8), 16, 16).tolist() == np.full((16, 16, 3), 7).tolist()


def test_grey_sixteen_bit_and_transparent_pictures_become_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((4, 5), 100, np.uint8))
    cv2.imwrite(str(tmp_path / "deep.png"), np.full((4, 5, 3), 100 * 257, np.uint16))
    cv2.imwrite(str(tmp_path / "alpha.png"), np.full((4, 5, 4), 100, np.uint8))
    for name, value in (("grey", 100), ("deep", 100), ("alpha", 39)):  # over black: 100 * 100 / 255
        picture = read_picture(tmp_path / f"{name}.png")
        assert picture.shape == (4, 5, 3)
        assert picture.dtype == np.uint8
        assert (picture == value).all()
    cv2.imwrite(str(tmp_path / "blue.png"), np.full((4, 5, 3), (200, 0, 10), np.uint8))
    assert read_picture(tmp_path / "blue.png")[0, 0].tolist() == [10, 0, 200]


def test_a_photo_on_its_side_is_turned(tmp_path: Path) -> None:
    """Exif orientation 6: the camera was turned; the picture is shown turned clockwise."""
    plain = cv2.imencode(".jpg", np.full((16, 32, 3), 90, np.uint8))[1].tobytes()
    tiff = b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"
    exif = b"Exif\x00\x00" + tiff
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    (tmp_path / "turned.jpg").write_bytes(plain[:2] + segment + plain[2:])
    assert read_picture(tmp_path / "turned.jpg").shape == (32, 16, 3)


def test_pictures_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="There is no picture"):
        read_picture(tmp_path / "absent.png")
    with pytest.raises(ClipError, match="is a folder"):
        read_picture(tmp_path)


def test_a_picture_cut_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a PPM of what it was would be another picture."""
    path = tmp_path / "still.ppm"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    calling = DecoderProcess.call

    def cut(self: DecoderProcess, *arguments: Any, **options: Any) -> Any:
        answer = calling(self, *arguments, **options)
        path.write_bytes(path.read_bytes()[::-1])
        return answer

    monkeypatch.setattr(DecoderProcess, "call", cut)
    with pytest.raises(ClipError, match=r"still\.ppm has changed since it was opened"):
        read_picture(path)


def test_light_and_layers_are_told_to_the_window(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.hdr"), np.full((8, 9, 3), 0.2, np.float32))
    write(tmp_path, "b.png", 4)
    for settings, exposure in (
        (SourceSettings("images", str(tmp_path / "a.hdr"), exposure=0.5), 0.5),
        (SourceSettings("images", str(tmp_path / "b.png")), None),
        (SourceSettings("synthetic", str(tmp_path / "a.hdr"), "rotation", frames=2, exposure=-1), -1.0),
        (SourceSettings("synthetic", name="rotation", frames=2), None),
    ):
        source = open_source(settings)
        assert isinstance(source, Lit)
        assert (source.exposure, source.layers) == (exposure, ())
        source.close()


def test_a_picture_that_changes_after_the_sequence_was_opened_is_refused(tmp_path: Path) -> None:
    for number in range(4):
        write(tmp_path, f"{number}.png", 20 * number)
    source = opened(tmp_path)
    before = source.frame(1).copy()
    write(tmp_path, "1.png", 200)
    write(tmp_path, "2.png", 210)
    (tmp_path / "3.png").unlink()
    assert np.array_equal(source.frame(1), before), "what was read stays"
    for t, says in ((2, "2.png has changed since it was opened"), (3, "3.png has changed .*no longer there")):
        with pytest.raises(ClipError, match=says):
            source.frame(t)
    source.close()
