"""A film with its motion from a flow file: steps, sizes, units, and how well the flow fits the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpu.cv import cv2
from gpu.errors import FlowError, FlowQuestion
from gpu.session import SourceSettings
from gpu.source import Source, notes
from gpu.source.opening import open_source

HEIGHT, WIDTH, FRAMES = 48, 64, 7
DX, DY = 3, 1  # pixels a frame, to the right and down

OPENED: list[Source] = []


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A smooth texture that moves by (DX, DY) a frame, as pictures."""
    folder = tmp_path_factory.mktemp("film") / "pictures"
    folder.mkdir()
    random = np.random.default_rng(0).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    texture = cv2.GaussianBlur(np.tile(random, (3, 3, 1)), (0, 0), 2)[HEIGHT : 2 * HEIGHT, WIDTH : 2 * WIDTH]
    texture = (255 * (texture - texture.min()) / np.ptp(texture)).astype(np.uint8)
    for t in range(FRAMES):
        cv2.imwrite(str(folder / f"{t:04d}.png"), np.roll(texture, (DY * t, DX * t), axis=(0, 1)))
    return folder


@pytest.fixture(autouse=True)
def _closing() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def opened(pictures: Path, flow: Path, **values: Any) -> Source:
    OPENED.append(open_source(SourceSettings("images", path=str(pictures), flow_path=str(flow), **values)))
    return OPENED[-1]


def backward(steps: int = FRAMES - 1, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """The true flow on a grid of that size."""
    vector = np.array([-DX * width / WIDTH, -DY * height / HEIGHT], np.float32)
    return np.broadcast_to(vector, (steps, height, width, 2)).copy()


def saved(folder: Path, array: np.ndarray, name: str = "flow.npy") -> Path:
    np.save(folder / name, array)
    return folder / name


def test_frames_of_the_film_and_motion_of_the_file(pictures: Path, tmp_path: Path) -> None:
    source = opened(pictures, saved(tmp_path, backward()))
    alone = open_source(SourceSettings("images", path=str(pictures)))
    assert (source.title, source.frames, source.fps, source.height) == (alone.title, FRAMES, alone.fps, HEIGHT)
    assert np.array_equal(source.frame(3), alone.frame(3))
    assert alone.truth is None
    assert source.truth is not None
    assert np.allclose(source.truth.backward(2), (-DX, -DY))
    assert np.allclose(source.truth.forward(2)[10:-10, 10:-10], (DX, DY), atol=1e-4)
    said = notes(source)
    assert len(said) == 1
    assert "Moved along flow.npy a frame differs from the next by" in said[0]
    alone.close()


def test_flow_of_another_resolution_is_scaled(pictures: Path, tmp_path: Path) -> None:
    for height, width in ((HEIGHT // 2, WIDTH // 2), (96, 256)):
        source = opened(pictures, saved(tmp_path, backward(height=height, width=width)))
        assert source.truth is not None
        assert np.allclose(source.truth.backward(0), (-DX, -DY), atol=1e-4)
        assert not any("Warning" in note for note in notes(source))


@pytest.mark.parametrize("steps", [1, 3, FRAMES - 2, FRAMES + 1])
def test_another_number_of_steps_is_refused(steps: int, pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(FlowError, match=rf"6 steps lead through 7 frames of pictures, but flow\.npy has {steps} field"):
        opened(pictures, saved(tmp_path, backward(steps)))


def test_a_field_to_spare_is_said(pictures: Path, tmp_path: Path) -> None:
    """Of backward flow the pictures tell which is to spare; forward flow ends with one that leads nowhere."""
    odd = np.full((1, HEIGHT, WIDTH, 2), (9.0, -7.0), np.float32)
    first = opened(pictures, saved(tmp_path, np.concatenate([odd, backward()])))
    last = opened(pictures, saved(tmp_path, np.concatenate([backward(), odd]), "other.npy"))
    ahead = opened(pictures, saved(tmp_path, np.concatenate([-backward(), odd]), "forward.npy"))
    for source, said in ((first, "without the first it fits"), (last, "the last is left out"), (ahead, "leads to no")):
        assert source.truth is not None
        for t in (0, FRAMES - 2):
            assert np.allclose(source.truth.backward(t)[12:-12, 12:-12], (-DX, -DY), atol=1e-3)
        assert any("one to spare" in note and said in note for note in notes(source))


def test_start_length_and_every(pictures: Path, tmp_path: Path) -> None:
    """The flow of the whole film, or that between the frames that are taken."""
    flow = backward()
    flow *= np.arange(1, FRAMES)[:, None, None, None] / 6  # steps that differ
    path = saved(tmp_path, flow)
    part = opened(pictures, path, start=2, frames=3)
    assert part.truth is not None
    assert np.allclose(part.truth.backward(0), flow[2])
    assert np.allclose(part.truth.backward(1), flow[3])
    own = opened(pictures, saved(tmp_path, flow[2:4], "own.npy"), start=2, frames=3)
    assert own.truth is not None
    assert np.allclose(own.truth.backward(1), flow[3])
    with pytest.raises(FlowError, match="4 frames"):
        opened(pictures, saved(tmp_path, flow[:2], "short.npy"), frames=4)


def test_every_other_frame_has_the_motion_of_two_steps(pictures: Path, tmp_path: Path) -> None:
    source = opened(pictures, saved(tmp_path, backward()), every=2)
    assert source.frames == 4
    assert source.truth is not None
    assert np.allclose(source.truth.backward(1)[:, 2 * DX :][2 * DY :], (-2 * DX, -2 * DY), atol=1e-4)
    carried = open_source(SourceSettings("flow", flow_path=str(tmp_path / "flow.npy"), every=3))
    OPENED.append(carried)
    assert carried.frames == 3
    assert carried.truth is not None
    assert np.allclose(carried.truth.backward(1)[12:, 12:], (-3 * DX, -3 * DY), atol=1e-4)
    with pytest.raises(FlowError, match="no frames a second"):
        open_source(SourceSettings("flow", flow_path=str(tmp_path / "flow.npy"), fps=5))


@pytest.mark.parametrize(("units", "unit"), [("normalised", (WIDTH / 2, HEIGHT / 2)), ("fraction", (WIDTH, HEIGHT))])
def test_pictures_tell_units_that_values_do_not(
    units: str, unit: tuple[float, float], pictures: Path, tmp_path: Path
) -> None:
    path = saved(tmp_path, backward() / np.array(unit, np.float32))
    source = opened(pictures, path)
    assert source.truth is not None
    assert np.allclose(source.truth.backward(1), (-DX, -DY), atol=1e-4)
    assert any("that fits the pictures" in note for note in notes(source))
    alone = SourceSettings("flow", flow_path=str(path))
    with pytest.raises(FlowQuestion, match="--flow-units") as raised:
        open_source(alone)
    assert raised.value.setting == "flow_units"
    OPENED.append(open_source(SourceSettings("flow", flow_path=str(path), flow_units=units)))  # type: ignore[arg-type]
    assert OPENED[-1].truth is not None
    assert np.allclose(OPENED[-1].truth.backward(1), (-DX, -DY), atol=1e-4)


def test_units_that_neither_values_nor_pictures_tell_are_asked_for(pictures: Path, tmp_path: Path) -> None:
    """Vectors that are as wrong in pixels as they are as parts of the frame."""
    with pytest.raises(FlowQuestion, match="--flow-units"):
        opened(pictures, saved(tmp_path, np.full((6, HEIGHT, WIDTH, 2), 0.005, np.float32)))


@pytest.mark.parametrize(
    ("stored", "asked", "said"),
    [
        (backward()[..., ::-1], {}, "--flow-axes yx"),
        (-backward(), {}, "--flow-"),  # reversed, or forward: both explain a shift
        (backward(), {"flow_sign": -1}, "--flow-"),
    ],
)
def test_another_reading_that_fits_better_is_said(
    stored: np.ndarray, asked: dict[str, Any], said: str, pictures: Path, tmp_path: Path
) -> None:
    source = opened(pictures, saved(tmp_path, np.ascontiguousarray(stored)), **asked)
    warnings = [note for note in notes(source) if note.startswith("Warning")]
    assert len(warnings) == 1
    assert "fits clearly better as" in warnings[0]
    assert said in warnings[0]


def test_flow_that_does_not_fit_at_all_is_said(pictures: Path, tmp_path: Path) -> None:
    odd = np.random.default_rng(0).uniform(-9, 9, (6, HEIGHT, WIDTH, 2)).astype(np.float32)
    source = opened(pictures, saved(tmp_path, odd))
    assert any("does not fit the pictures" in note for note in notes(source))


def test_bars_and_cuts_are_those_of_the_pictures(pictures: Path, tmp_path: Path) -> None:
    path = saved(tmp_path, backward())
    padded = opened(pictures, path, height=48, width=48, fit="pad")
    assert padded.truth is not None
    motion = padded.truth.backward(0)
    assert np.allclose(motion[6:42], (-DX * 0.75, -DY * 0.75), atol=1e-4)
    assert np.allclose(motion[:5], 0)
    assert np.allclose(motion[44:], 0)
    across = backward()
    across[:, :, :8] = 0  # what is cut off
    across[:, :, -8:] = 0
    cropped = opened(pictures, saved(tmp_path, across, "across.npy"), height=24, width=24, fit="crop")
    assert cropped.truth is not None
    assert np.allclose(cropped.truth.backward(0), (-DX / 2, -DY / 2), atol=1e-4)


def test_a_wrong_flow_file_closes_the_film(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(FlowError, match=r"no flow file .*none\.npy"):
        opened(pictures, tmp_path / "none.npy")
