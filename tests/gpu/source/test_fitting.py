"""Pictures on a grid of another shape: stretched, cropped or padded; and sources shown finer than their grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gpu import source as sources
from gpu.assets import asset
from gpu.cv import cv2
from gpu.session import MotionSettings, SourceSettings
from gpu.source.motion import SourceMotion
from gpu.source.opening import open_source
from gpu.source.stills import BAR, fitted, fitting, resize


def gradient(height: int, width: int) -> np.ndarray:
    """(H, W, 3): the row in red, the column in green, blue full."""
    y, x = np.mgrid[:height, :width]
    return np.stack([y * 255 / height, x * 255 / width, np.full(y.shape, 255)], axis=-1).round().astype(np.uint8)


def settings(fit: str, height: int = 0, width: int = 0) -> SourceSettings:
    return SourceSettings(fit=fit, height=height, width=width)


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_a_grid_of_the_pictures_own_shape_shows_all_of_it(fit: str) -> None:
    picture = gradient(90, 160)
    for asked in (settings(fit), settings(fit, 45), settings(fit, 0, 80), settings(fit, 45, 80)):
        shown = fitted(picture, fitting(90, 160, asked))
        assert (shown == resize(picture, *shown.shape[:2])).all()
        assert (shown[..., 2] == 255).all()


def test_stretching_shows_all_of_the_picture_on_all_of_the_grid() -> None:
    picture = gradient(90, 160)
    shown = fitted(picture, fitting(90, 160, settings("stretch", 30, 30)))
    assert (shown == resize(picture, 30, 30)).all()


@pytest.mark.parametrize(
    ("grid", "part"),
    [((45, 45), (0, 35, 90, 90)), ((40, 160), (25, 0, 40, 160)), ((200, 100), (0, 57, 90, 45)), ((1, 3000), (45, 0, 1, 160))],
)  # fmt: skip
def test_cropping_takes_the_largest_middle_of_the_grids_shape(grid: tuple[int, int], part: tuple[int, ...]) -> None:
    picture = gradient(90, 160)
    fit = fitting(90, 160, settings("crop", *grid))
    assert fit.part[:2] == pytest.approx(part[:2], abs=1)
    assert fit.part[2:] == part[2:]
    assert fit.area == (0, 0, *grid)
    shown = fitted(picture, fit)
    assert shown.shape == (*grid, 3)
    top, left, height, width = fit.part
    assert (shown == resize(picture[top : top + height, left : left + width].copy(), *grid)).all()


@pytest.mark.parametrize(
    ("grid", "area"),
    [((64, 64), (14, 0, 36, 64)), ((64, 200), (0, 43, 64, 114)), ((1, 3000), (0, 1499, 1, 2)), ((3000, 1), (1499, 0, 1, 1))],
)  # fmt: skip
def test_padding_shows_all_of_the_picture_in_the_middle(grid: tuple[int, int], area: tuple[int, ...]) -> None:
    picture = gradient(90, 160)
    fit = fitting(90, 160, settings("pad", *grid))
    assert fit.area == area
    assert fit.part == (0, 0, 90, 160)
    shown = fitted(picture, fit)
    assert shown.shape == (*grid, 3)
    top, left, height, width = fit.area
    inner = (slice(top, top + height), slice(left, left + width))
    assert (shown[inner] == resize(picture, height, width)).all()
    bars = np.ones(grid, bool)
    bars[inner] = False
    assert bars.any()
    assert (shown[bars] == BAR).all()


def written(folder: Path, count: int, height: int = 36, width: int = 64) -> Path:
    for number in range(count):
        picture = np.roll(gradient(height, width), 2 * number, axis=1)
        cv2.imwrite(str(folder / f"shot_{number:03}.png"), picture[..., ::-1])
    return folder


SOURCES = {
    "video": SourceSettings("video", str(asset("clips/bunny.mp4")), height=48, width=64, frames=3),
    "synthetic": SourceSettings("synthetic", name="rotation", height=48, width=64, frames=3),
    "layers": SourceSettings("synthetic", name="layers", height=48, width=64, frames=3),
    "flat": SourceSettings("scene", name="flat", height=48, width=64, frames=3),
    "pose": SourceSettings("scene", name="pose", height=48, width=64, frames=3),
    "smoke": SourceSettings("scene", name="smoke", height=48, width=64, frames=3),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SOURCES)
def test_a_source_is_shown_finer_and_the_same_in_its_own_pixels(name: str) -> None:
    source = open_source(SOURCES[name])
    rows, columns = sources.original_size(source)
    assert rows > 48
    area = sources.area(source)
    assert area == (0, 0, 48, 64)
    assert (source.original(2, 48, 64) == source.frame(2)).all()
    fine = source.original(2, rows, columns)
    assert fine.shape == (rows, columns, 3)
    assert fine.dtype == np.uint8
    coarse = resize(fine, 48, 64).astype(float)
    blurred = np.abs(coarse - cv2.GaussianBlur(coarse, (0, 0), 0.7)).mean()
    # Drawn coarsely or averaged from what was drawn finely: the same, but for what antialiasing leaves.
    assert np.abs(coarse - source.frame(2)).mean() < max(0.7 * blurred, 0.3)
    for shift in (-1, 1):
        for axis in (0, 1):
            moved = np.roll(coarse, shift, axis)
            assert np.abs(moved - source.frame(2)).mean() > 3 * np.abs(coarse - source.frame(2)).mean()
    with pytest.raises(IndexError):
        source.original(3, rows, columns)
    source.close()


@pytest.mark.parametrize("kind", ["video", "images"])
@pytest.mark.parametrize(("fit", "own", "area"), [("stretch", (36, 64), (0, 0, 24, 24)), ("crop", (36, 36), (0, 0, 24, 24)),
                                                  ("pad", (36, 64), (5, 0, 14, 24))])  # fmt: skip
def test_footage_on_a_square_grid(
    tmp_path: Path, kind: str, fit: str, own: tuple[int, int], area: tuple[int, ...]
) -> None:
    if kind == "video":
        path = tmp_path / "film.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 25, (64, 36))
        for number in range(4):
            writer.write(np.roll(gradient(36, 64), 2 * number, axis=1)[..., ::-1].copy())
        writer.release()
    else:
        path = written(tmp_path, 4)
    source = open_source(SourceSettings(kind, str(path), height=24, width=24, fit=fit))
    assert sources.original_size(source) == own
    assert sources.area(source) == area
    top, left, height, width = area
    for t in (3, 0, 1, 2):
        frame = source.frame(t)
        assert frame.shape == (24, 24, 3)
        shown = frame[top : top + height, left : left + width]
        assert (source.original(t, height, width) == shown).all()
        fine = source.original(t, *own)
        assert fine.shape == (*own, 3)
        assert (resize(fine, height, width) == shown).all()
        expected = np.roll(gradient(36, 64), 2 * t, axis=1)[:, (64 - own[1]) // 2 : (64 + own[1]) // 2]
        assert np.abs(fine.astype(int) - expected).max() <= 4
    with pytest.raises(IndexError):
        source.original(4, *own)
    source.close()


@pytest.mark.parametrize(
    ("changes", "numbers", "fps"),
    [
        ({"every": 3}, [0, 3, 6, 9], 25 / 3),
        ({"every": 3, "start": 2, "frames": 2}, [2, 5], 25 / 3),
        ({"every": 100}, [0], 0.25),
        ({"fps": 12.5}, [0, 2, 4, 6, 8], 12.5),
        ({"fps": 10}, [0, 2, 5, 7], 10),
        ({"fps": 10, "every": 2, "start": 1}, [1, 6], 5),
        ({"fps": 50, "start": 8}, [8, 8, 9, 9], 50),
    ],
)
def test_every_nth_picture_or_those_nearest_to_a_rate(
    tmp_path: Path, changes: dict[str, float], numbers: list[int], fps: float
) -> None:
    source = open_source(SourceSettings("images", str(written(tmp_path, 10)), **changes))
    assert source.fps == pytest.approx(fps)
    assert source.frames == len(numbers)
    for t, number in enumerate(numbers):
        expected = np.roll(gradient(36, 64), 2 * number, axis=1)
        assert np.abs(source.frame(t).astype(int) - expected).max() == 0
    source.close()


@pytest.mark.parametrize(
    ("fit", "area"), [("stretch", (0, 0, 24, 24)), ("crop", (0, 0, 24, 24)), ("pad", (5, 0, 14, 24))]
)
def test_a_flow_file_and_its_still_on_a_square_grid(tmp_path: Path, fit: str, area: tuple[int, ...]) -> None:
    """Flow of 36×64 that differs from place to place: the grid has of it, and of the still, what a film would show there."""
    y, x = np.mgrid[:36, :64].astype(np.float32) + 0.5
    flow = np.stack([0.02 * x, -0.03 * y], axis=-1)[None]
    np.save(tmp_path / "flow.npy", flow)
    cv2.imwrite(str(tmp_path / "still.png"), gradient(72, 128)[..., ::-1])
    source = open_source(
        SourceSettings(
            "flow", str(tmp_path / "still.png"), height=24, width=24, fit=fit, flow_path=str(tmp_path / "flow.npy"),
            flow_units="pixels", flow_direction="backward",
        )
    )  # fmt: skip
    assert sources.area(source) == area
    top, left, height, width = area
    inner = np.zeros((24, 24), bool)
    inner[top : top + height, left : left + width] = True
    first, columns = (14, 36) if fit == "crop" else (0, 64)
    y, x = np.mgrid[:height, :width] + 0.5
    own_x, own_y = first + x * columns / width, y * 36 / height
    expected = np.stack([0.02 * own_x * width / columns, -0.03 * own_y * height / 36], axis=-1)
    backward = source.truth.backward(0)
    assert np.abs(backward[inner].reshape(height, width, 2) - expected).max() < 0.02
    assert not backward[~inner].any()
    shown = source.frame(0)[inner].reshape(height, width, 3)
    assert np.abs(shown[..., 0] - own_y * 255 / 36).max() < 6
    assert np.abs(shown[..., 1] - own_x * 255 / 64).max() < 6
    assert (source.frame(0)[~inner] == BAR).all()
    assert not SourceMotion(source, MotionSettings(), torch.device("cpu")).valid(0).numpy()[~inner].any()
    source.close()
