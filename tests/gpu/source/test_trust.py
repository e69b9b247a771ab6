"""What speaks against a source is said, and nothing is said of sources that are well."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gpu.assets import asset
from gpu.cv import cv2
from gpu.engine.clip import opened
from gpu.session import MotionSettings, SourceSettings
from gpu.source import Findings, Glance
from gpu.source.footage.shots import thumbnail
from gpu.source.gallery import SAMPLES
from gpu.source.motion import SourceMotion
from gpu.source.opening import open_source
from gpu.source.stills import read_picture
from gpu.source.trust import Trust, collecting, is_plain, moved, of_pictures

CPU = torch.device("cpu")
NOTHING = Findings()


def judged(settings: SourceSettings, motion: MotionSettings | None = None, steps: int = 8) -> Findings:
    source = open_source(settings)
    trust = Trust(source, SourceMotion(source, motion or MotionSettings(), CPU))
    trust.sample(steps)
    findings = trust.findings()
    source.close()
    return findings


def photo(t: float = 0.0, height: int = 96, width: int = 128) -> np.ndarray:
    """A part of a photo that goes by 2 pixels a frame."""
    x = round(300 + 2 * t)
    return np.ascontiguousarray(read_picture(asset("stills/picos.jpg"))[200 : 200 + height, x : x + width])


def written(folder: Path, pictures: list[np.ndarray]) -> SourceSettings:
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"{number:03}.png"), picture[..., ::-1])
    return SourceSettings("images", str(folder))


def plain(value: int) -> np.ndarray:
    return np.full((96, 128, 3), value, np.uint8)


def night(t: int) -> np.ndarray:
    """A dark scene with some lights."""
    return np.asarray(photo(t) // 12, np.uint8)


@pytest.mark.parametrize(
    ("pictures", "warning"),
    [
        (lambda: [plain(0)] * 6, r"^All 6 frames are of one colour \(black\)"),
        (lambda: [plain(16)] * 6, r"^All 6 frames are of one colour \(black\)"),
        (lambda: [plain(255)] * 6, r"^All 6 frames are of one colour \(white\)"),
        (lambda: [plain(t) + np.uint8([0, 90, 9]) for t in range(6)], r"^All 6 frames are of one colour:"),
        (lambda: [plain(0)] * 6 + [photo(t) for t in range(4)], r"^6 of 10 frames are of one colour \(black\)\.$"),
        (lambda: [photo()] * 5, r"^All 5 frames are the same picture"),
        (lambda: [photo(min(t, 5)) for t in range(12)], r"^Frames 5 to 11 are the same picture \(7 of 12 frames\)"),
        (
            lambda: [photo(t // 5) for t in range(25)],
            r"^Frames 0 to 4, 5 to 9, 10 to 14 and 2 more times are the same picture",
        ),
        (lambda: [plain(0)], r"^The only frame is of one colour \(black\)"),
    ],
)
def test_pictures_that_tell_nothing_are_warned_about(
    tmp_path: Path, pictures: Callable[[], list[np.ndarray]], warning: str
) -> None:
    warnings = judged(written(tmp_path, pictures()), MotionSettings("dis", "ultrafast")).warnings
    assert len(warnings) == 1
    assert re.search(warning, warnings[0]), warnings


@pytest.mark.parametrize(
    "pictures",
    [
        lambda: [photo(t) for t in range(8)],
        lambda: [night(t) for t in range(8)],
        lambda: [np.uint8(photo(t) * min(t / 8, 1)) for t in range(16)],  # a fade from black
        lambda: [np.uint8(photo(t) * max(1 - t / 8, 0)) for t in range(14)],  # and to black, where it stays
        lambda: [*(photo(t) for t in range(5)), plain(255), *(photo(t) for t in range(6, 11))],  # a flash
        lambda: [photo(0)],
    ],
    ids=["a pan", "at night", "from black", "to black", "a flash", "one picture"],
)
def test_nothing_is_said_of_pictures_that_are_well(tmp_path: Path, pictures: Callable[[], list[np.ndarray]]) -> None:
    assert judged(written(tmp_path, pictures()), MotionSettings("dis", "ultrafast")) == NOTHING


@pytest.mark.parametrize("drawings", [2, 3])
def test_animation_on_twos_and_threes_is_a_note(tmp_path: Path, drawings: int) -> None:
    findings = judged(written(tmp_path, [photo(2 * (t // drawings)) for t in range(24)]))
    assert findings.warnings == ()
    assert findings.notes == (
        f"{24 - 24 // drawings} of 24 frames repeat the one before, as animation on twos does: nothing moves between them.",
    )


def test_a_picture_that_differs_in_a_single_place_is_another() -> None:
    first = photo(0)
    second = first.copy()
    second[40:42, 60:62] = 255 - second[40:42, 60:62]
    glances = [
        Glance(thumbnail(picture), number) for number, picture in enumerate([first, second, first, second, first])
    ]
    assert of_pictures(glances) == NOTHING


def test_bars_are_no_part_of_a_picture(tmp_path: Path) -> None:
    settings = written(tmp_path, [plain(200)] * 3)
    padded = SourceSettings("images", settings.path, height=64, width=64, fit="pad")
    assert judged(padded).warnings == ("All 3 frames are of one colour: there is nothing to carry noise along.",)


def flowing(folder: Path, step: tuple[float, float], frames: int = 6, height: int = 96, width: int = 128) -> str:
    flow = np.broadcast_to(np.float32(step), (frames - 1, height, width, 2))
    np.save(folder / "flow.npy", flow)
    return str(folder / "flow.npy")


def test_zero_flow_under_moving_pictures_is_warned_about(tmp_path: Path) -> None:
    (tmp_path / "film").mkdir()
    film = written(tmp_path / "film", [photo(4 * t) for t in range(6)])
    settings = SourceSettings("images", film.path, flow_path=flowing(tmp_path, (0.0, 0.0)), flow_units="pixels")
    findings = judged(settings)
    assert "The flow is zero in 5 of 5 steps looked at, although the pictures move." in findings.warnings
    right = SourceSettings("images", film.path, flow_path=flowing(tmp_path, (8.0, 0.0)), flow_units="pixels")
    assert judged(right).warnings == ()


def test_flow_beyond_the_frame_is_warned_about_whatever_gave_it(tmp_path: Path) -> None:
    told = "The flow leads most pixels beyond the frame in 5 of 5 steps looked at."
    still = SourceSettings("flow", flow_path=flowing(tmp_path, (100.0, 0.0)), flow_units="pixels")
    assert told in judged(still).warnings
    moved_away = SourceSettings(
        "synthetic", name="translation", height=48, frames=6, parameters={"dx": 32.0, "dy": 32.0}
    )
    assert judged(moved_away).warnings == (told,)


def test_vectors_that_are_not_finite_are_warned_about(tmp_path: Path) -> None:
    flow = np.full((3, 96, 128, 2), np.nan, np.float32)
    flow[:, :20] = 1
    np.save(tmp_path / "flow.npy", flow)
    findings = judged(SourceSettings("flow", flow_path=str(tmp_path / "flow.npy"), flow_units="pixels"))
    assert any(line.startswith("Most vectors of the flow cannot be used") for line in findings.warnings)


def test_an_estimate_between_pictures_that_have_nothing_in_common_is_warned_about(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    grain = [random.integers(0, 256, (96, 128, 3)).astype(np.uint8) for _ in range(6)]
    (warning,) = judged(written(tmp_path, grain)).warnings
    assert warning.startswith("Forward and backward flow agree almost nowhere in ")


def test_a_still_that_nothing_moves_and_a_black_one(tmp_path: Path) -> None:
    still = SourceSettings("synthetic", name="translation", height=48, frames=6, parameters={"dx": 0.0, "dy": 0.0})
    assert judged(still) == NOTHING
    assert judged(SourceSettings("flow", flow_path=flowing(tmp_path, (0.0, 0.0)), flow_units="pixels")).warnings == ()
    cv2.imwrite(str(tmp_path / "black.png"), plain(0))
    black = SourceSettings("synthetic", path=str(tmp_path / "black.png"), name="rotation", height=48, frames=6)
    assert judged(black).warnings == ("All 6 frames looked at are of one colour: there is nothing to see in them.",)


def test_what_a_reader_notes_is_passed_on_and_its_warnings_are_warnings() -> None:
    class Told:
        title, height, width, frames, fps, cuts, truth = "told", 8, 8, 1, 25.0, (), None
        notes = ("2 of 30 frames could not be decoded and are left out.", "Warning: it does not fit the pictures.")

    source = Told()
    findings = Trust(source, SourceMotion(source, MotionSettings(), CPU)).findings()
    assert findings == Findings(
        ("It does not fit the pictures.",), ("2 of 30 frames could not be decoded and are left out.",)
    )


def test_brightness_and_grain_are_no_movement() -> None:
    first = photo(0)
    grain = np.random.default_rng(1).normal(0, 6, first.shape)
    assert moved(first, np.uint8(first * 0.4)) < 0.5
    assert moved(first, np.uint8(np.clip(first + grain, 0, 255))) < 1.5
    assert moved(first, photo(2)) > 4
    assert is_plain(plain(9))
    assert not is_plain(first)


def test_warnings_of_an_experiments_inputs_are_collected_once() -> None:
    settings = SourceSettings("synthetic", name="translation", height=32, width=32, frames=4, parameters={"dx": 30.0})
    with collecting() as told:
        for _ in range(2):
            with opened(settings, "torch"):
                pass
    assert told == [
        f"{open_source(settings).title}: The flow leads most pixels beyond the frame in 3 of 3 steps looked at."
    ]
    with opened(settings, "torch"):
        pass
    assert len(told) == 1


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.title)
def test_nothing_is_said_of_the_bundled_samples(sample: object) -> None:
    assert judged(replace(sample.settings(), height=96, frames=30), steps=3).warnings == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "estimator"), [("flat", "auto"), ("pose", "auto"), ("pose", "dis"), ("smoke", "auto")]
)
def test_nothing_is_said_of_the_scenes(name: str, estimator: str) -> None:
    settings = SourceSettings("scene", name=name, height=48, frames=6)
    assert judged(settings, MotionSettings(estimator), steps=4) == NOTHING
