"""What the inspector says of priors that interpolate: the pixels they read, with weights that give the value."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from gpu.noise.states import INHERITED, KEPT, NEW
from gpu.priors import PRIORS
from gpu.priors.kit import interpolation as ip

Build = Callable[..., object]
COLUMNS = [
    (name, mode)
    for name in ("bilinear", "bicubic", "nearest", "root-bilinear")
    for mode in PRIORS.get(name).info.modes or ("",)
]
FIRST = "Frame 0 is the first of its shot: its noise is drawn afresh, and later frames interpolate it."


def test_taps_of_a_position_are_its_four_pixels_and_their_weights() -> None:
    values = torch.arange(24.0).reshape(2, 3, 4)
    taps = ip.read_taps(values, torch.tensor([2.25, 1.0]), ip.BILINEAR, 7)
    assert taps.source == 7
    assert taps.position.tolist() == [2.25, 1.0]
    assert taps.pixels.tolist() == [[1, 0], [2, 0], [1, 1], [2, 1]]
    assert taps.weights.tolist() == [0.125, 0.375, 0.125, 0.375]
    assert taps.weights.dtype == np.float32
    assert taps.values.tolist() == [[1, 2, 5, 6], [13, 14, 17, 18]]
    assert taps.value.tolist() == [3.75, 15.75]
    assert taps.variance == 2 * (0.125**2 + 0.375**2)


def test_taps_that_fall_on_one_pixel_are_put_together() -> None:
    """In the corner bicubic reads 16 places of which the border repeats: 3 x 3 pixels, whose weights still sum to 1."""
    values = torch.randn(1, 5, 6)
    taps = ip.read_taps(values, torch.tensor([0.75, 0.75]), ip.BICUBIC, 0)
    assert sorted(taps.pixels.tolist()) == [[x, y] for x in range(3) for y in range(3)]
    assert float(taps.weights.sum()) == pytest.approx(1, abs=1e-6)
    assert float((taps.values * taps.weights).sum()) == pytest.approx(float(taps.value[0]), abs=1e-6)


@pytest.mark.parametrize(("name", "mode"), COLUMNS)
def test_what_is_shown_is_what_the_frame_holds(make: Build, translation: Build, name: str, mode: str) -> None:
    """Content moves by (0.25, -0.5): pixel (9, 5) of frame 2 is carried."""
    run = PRIORS.get(name).start(make(translation(0.25, -0.5), mode=mode))
    frames = [run.frame(t) for t in range(3)]
    first = run.inspect(0, 3, 4)
    assert (first.t, first.x, first.y, first.state) == (0, 3, 4, KEPT)
    assert first.sentence == FIRST
    assert first.value.tolist() == first.own.tolist() == frames[0].noise[:, 4, 3].tolist()
    moved = run.inspect(2, 9, 5)
    assert (moved.t, moved.x, moved.y, moved.state) == (2, 9, 5, KEPT)
    assert moved.value.tolist() == moved.own.tolist() == pytest.approx(frames[2].noise[:, 5, 9].tolist(), abs=1e-6)
    taps = moved.taps
    assert taps is not None
    source, back = (1, 1) if mode == "chained" else (0, 2)
    assert taps.source == source
    assert taps.position.tolist() == pytest.approx([9.5 - 0.25 * back, 5.5 + 0.5 * back])
    for (x, y), held in zip(taps.pixels.tolist(), taps.values.T):
        assert held.tolist() == frames[source].noise[:, y, x].tolist()
    assert (taps.values @ taps.weights).tolist() == pytest.approx(moved.value.tolist(), abs=1e-5)
    assert taps.variance == pytest.approx(float(np.square(taps.weights).sum()), rel=1e-5)
    said = {
        "chained": "Interpolated from the noise of frame 1, which is interpolated itself: it loses more in every frame.",
        "anchored": "Interpolated from the noise that frame 0 was born with.",
    }
    assert moved.sentence == said[mode or "anchored"]


@pytest.mark.parametrize(("name", "mode"), COLUMNS)
def test_what_is_fresh_is_told_from_what_was_carried(make: Build, translation: Build, name: str, mode: str) -> None:
    """Content moves right by 2: in frame 2 columns 0 and 1 are new, 2 and 3 inherited from frame 1."""
    run = PRIORS.get(name).start(make(translation(2, 0), mode=mode))
    frame = run.frame(2)
    assert [int(state) for state in frame.state[7, :6]] == [NEW, NEW, INHERITED, INHERITED, KEPT, KEPT]
    fresh, inherited = run.inspect(2, 1, 7), run.inspect(2, 3, 7)
    assert (fresh.t, fresh.x, fresh.y, fresh.state) == (2, 1, 7, NEW)
    assert fresh.sentence.startswith(
        "This pixel came into view: it was at (-0.5, 7.5) in frame 1, outside the picture."
    )
    assert (inherited.t, inherited.x, inherited.y, inherited.state) == (2, 3, 7, INHERITED)
    assert inherited.taps is not None
    assert inherited.taps.source == 1
    for shown in (fresh, inherited):
        assert shown.value.tolist() == shown.own.tolist() == pytest.approx(frame.noise[:, 7, shown.x].tolist())


def test_what_integral_shows_is_what_the_frame_holds(make: Build, translation: Build) -> None:
    run = PRIORS.get("integral").start(make(translation(0.5, -0.25), channels=3))
    shown = run.inspect(1, 9, 5)
    assert (shown.t, shown.x, shown.y) == (1, 9, 5)
    assert shown.value.tolist() == pytest.approx(run.frame(1).noise[:, 5, 9].tolist(), abs=1e-6)
    assert shown.footprint is not None
    assert shown.footprint.anchor == 0
