"""Shot cuts: found where they are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from gpu.assets import asset
from gpu.cv import cv2
from gpu.session import SourceSettings
from gpu.source.footage.shots import find_cuts, thumbnail
from gpu.source.opening import open_source


def scene(seed: int, height: int = 90, width: int = 400) -> np.ndarray:
    """A wide picture of smooth blobs, to pan over."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), 6).astype(np.float32)
    return np.clip((blurred - 128) * 12 + 128, 0, 255).astype(np.uint8)


def pan(seed: int, frames: int, speed: int) -> list[np.ndarray]:
    wide = scene(seed)
    return [wide[:, t * speed : t * speed + 160] for t in range(frames)]


def cuts(frames: list[np.ndarray]) -> tuple[int, ...]:
    return find_cuts([thumbnail(frame) for frame in frames])


@pytest.mark.slow
@pytest.mark.parametrize("size", [{}, {"height": 64, "width": 64}, {"height": 20}])
def test_the_city_has_one_cut_in_its_middle_and_the_bunny_none(size: dict[str, int]) -> None:
    city = open_source(SourceSettings("video", str(asset("clips/city.mp4")), **size))
    bunny = open_source(SourceSettings("video", str(asset("clips/bunny.mp4")), **size))
    assert city.cuts == (24,)
    assert bunny.cuts == ()


def test_a_cut_is_counted_from_the_start_of_the_range() -> None:
    path = str(asset("clips/city.mp4"))
    assert open_source(SourceSettings("video", path, height=36, start=20, frames=10)).cuts == (4,)
    assert open_source(SourceSettings("video", path, height=36, start=24, frames=10)).cuts == ()


def test_cuts_between_pans() -> None:
    assert cuts(pan(1, 8, 4) + pan(2, 8, 4) + pan(3, 5, 9)) == (8, 16)


def test_cuts_at_the_ends_and_close_together() -> None:
    assert cuts(pan(1, 1, 2) + pan(2, 8, 2) + pan(3, 4, 2) + pan(4, 8, 2) + pan(5, 1, 2)) == (1, 9, 13, 21)


@pytest.mark.parametrize("speed", [1, 8, 20])
def test_a_pan_is_no_cut(speed: int) -> None:
    assert cuts(pan(1, 12, speed)) == ()


def test_a_flash_is_no_cut() -> None:
    frames = pan(1, 14, 2)
    frames[6] = np.full_like(frames[6], 255)
    assert cuts(frames) == ()
    frames[7] = np.clip(frames[7].astype(int) + 180, 0, 255).astype(np.uint8)
    assert cuts(frames) == ()


def test_fades_and_dissolves_are_no_cuts() -> None:
    a, b = scene(1)[:, :160].astype(float), scene(2)[:, :160].astype(float)
    weights = np.clip(np.arange(-5, 16) / 10, 0, 1)
    assert cuts([(a * (1 - w) + b * w).astype(np.uint8) for w in weights]) == ()
    assert cuts([(a * (1 - w)).astype(np.uint8) for w in weights]) == ()


def test_noise_on_a_flat_picture_is_no_cut() -> None:
    generator = np.random.default_rng(0)
    assert cuts([generator.normal(128, 12, (90, 160, 3)).clip(0, 255).astype(np.uint8) for _ in range(12)]) == ()


def test_a_change_between_flat_pictures_is_a_cut() -> None:
    assert cuts([np.full((90, 160, 3), value, np.uint8) for value in [40] * 6 + [200] * 6]) == (6,)


def test_few_and_small_frames() -> None:
    assert find_cuts([]) == ()
    assert cuts(pan(1, 1, 0)) == ()
    assert cuts([np.zeros((1, 1, 3), np.uint8)] * 3) == ()
    assert cuts(pan(1, 1, 0) + pan(2, 1, 0)) == (1,)
