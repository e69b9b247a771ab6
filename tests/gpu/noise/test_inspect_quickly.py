"""The pixel inspector's numbers and sentences, worked out by hand on a few pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gpu.noise import field, footprints, gathering, inspection, rng
from gpu.noise.inspection import Footprint
from gpu.noise.known_motion import KnownMotion
from gpu.noise.ownership import TorchRasteriser
from gpu.noise.states import KEPT, NEW, UNDEFINED
from gpu.noise.tiling import NoiseGrid
from gpu.noise.tracks import Motion
from tests.gpu.noise import motions
from tests.gpu.noise.motions import CPU, carrier

SIZE = (6, 9)
OPENS = "It opens an anchor here: fresh noise, which later frames carry on."
THROWN = "Random fill gives it fresh noise, which is thrown away after this frame."


def test_a_pixel_that_is_born_owns_its_own_square() -> None:
    moved = carrier(motions.translation(SIZE, 0.0, 0.0), TorchRasteriser(), k=1)
    noise = moved.integral(0, 2)[0]
    shown = moved.inspect(0, 8, 2, 2)
    foot = shown.footprint
    assert foot is not None
    assert (shown.t, shown.x, shown.y, shown.state, foot.anchor, foot.level) == (0, 8, 2, KEPT, 0, 1)
    assert shown.sentence == (
        "Frame 0 is the first of its shot: noise is born here, as the integral over the pixel's own square."
    )
    assert foot.position.tolist() == [8.5, 2.5]
    assert foot.polygon.tolist() == [[8, 2], [9, 2], [9, 3], [8, 3]]
    assert foot.subpixels.tolist() == [[16, 4], [17, 4], [16, 5], [17, 5]]
    fine = field.refine(noise[1], 7, 0, 1, 1, 0, 0)
    assert foot.values[1].tolist() == pytest.approx([float(fine[y, x]) for x, y in foot.subpixels])
    assert (foot.area, foot.jacobian, foot.covered, foot.count) == (1, 1, 4, 4)
    assert foot.total.tolist() == pytest.approx(noise[:, 2, 8].tolist(), abs=1e-6)
    assert foot.value.tolist() == noise[:, 2, 8].tolist()
    assert shown.value.tolist() == shown.own.tolist() == foot.value.tolist()
    beside = {(other.x, other.y): other.polygon.tolist() for other in foot.neighbours}
    assert set(beside) == {(7, 1), (8, 1), (7, 2), (7, 3), (8, 3)}  # the right border
    assert beside[7, 3] == [[7, 3], [8, 3], [8, 4], [7, 4]]


def test_what_is_fresh_in_a_later_frame_is_that_frames_noise() -> None:
    moved = carrier(motions.translation(SIZE, 2.0, -1.0), TorchRasteriser(), k=1)
    shown = moved.inspect(3, 1, 2, 2)
    foot = shown.footprint
    assert foot is not None
    assert (shown.t, shown.x, shown.y, shown.state, foot.anchor) == (3, 1, 2, NEW, 3)
    assert foot.value.tolist() == rng.white(7, rng.FIELD, 3, 2, *SIZE, CPU)[:, 2, 1].tolist()
    assert shown.sentence == (
        f"This pixel came into view: it was at (-0.5, 3.5) in frame 2, outside the picture. {OPENS}"
    )


@pytest.mark.parametrize(("x", "y", "beside"), [
    (0, 0, {(1, 0), (0, 1), (1, 1)}),
    (1, 1, {(0, 0), (1, 0), (2, 0), (0, 1), (2, 1), (0, 2), (1, 2), (2, 2)}),
    (8, 5, {(7, 4), (8, 4), (7, 5)}),
    (4, 5, {(3, 4), (4, 4), (5, 4), (3, 5), (5, 5)}),
])  # fmt: skip
def test_neighbours_are_the_eight_that_are_inside(x: int, y: int, beside: set[tuple[int, int]]) -> None:
    around = footprints._around(NoiseGrid(*SIZE, CPU), x, y)
    assert {(x + dx, y + dy) for dx, dy in around} == beside
    assert len(around) == len(beside)


@pytest.mark.parametrize("share", [0.0, 1e9], ids=["dense", "sparse"])
def test_a_moved_pixel_owns_what_its_outline_covers(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Moved by (0.5, 1): four sub-pixels of level 1, of two pixels, whichever way they are gathered."""
    monkeypatch.setattr(gathering, "SPARSE", share)
    moved = carrier(motions.translation(SIZE, 0.5, 1.0), TorchRasteriser(), k=1)
    noise, born = moved.integral(1, 2)[0], moved.integral(0, 2)[0]
    shown = moved.inspect(1, 4, 3, 2)
    foot = shown.footprint
    assert foot is not None
    assert (shown.t, shown.x, shown.y, shown.state, foot.anchor, foot.level) == (1, 4, 3, KEPT, 0, 1)
    assert (
        shown.sentence == "Carried from frame 0: the sum of the sub-pixels it owns there, brought back to variance 1."
    )
    assert sorted(foot.subpixels.tolist()) == [[7, 4], [7, 5], [8, 4], [8, 5]]
    fine = [field.refine(born[channel], 7, 0, channel, 1, 0, 0) for channel in range(2)]
    for channel in range(2):
        expected = [float(fine[channel][y, x]) for x, y in foot.subpixels]
        assert foot.values[channel].tolist() == pytest.approx(expected, abs=1e-6)
    assert foot.total.tolist() == pytest.approx(foot.values.sum(1).tolist(), abs=1e-6)
    assert foot.value.tolist() == pytest.approx(noise[:, 3, 4].tolist(), abs=1e-6)
    assert (foot.count, foot.covered) == (4, 4)
    beside = {(other.x, other.y): other.polygon for other in foot.neighbours}
    assert len(beside) == 8
    for (x, y), outline in beside.items():
        np.testing.assert_allclose(outline, foot.polygon + np.array([x - 4, y - 3]))
    assert moved.inspect(1, 4, 3, 0).footprint.values.shape == (0, 4)


def test_neighbours_of_other_anchors_and_fresh_ones_are_no_part_of_the_outline() -> None:
    """In the second column from the left after two steps of a pixel, what lies to the left has just come in."""
    moved = carrier(motions.translation(SIZE, 1.0, 0.0), TorchRasteriser(), k=1)
    foot = moved.inspect(2, 2, 3, 1).footprint
    assert foot is not None
    assert {(other.x, other.y) for other in foot.neighbours} == {(2, 2), (3, 2), (3, 3), (2, 4), (3, 4)}
    inherited = moved.inspect(2, 1, 3, 1).footprint
    assert inherited is not None
    assert inherited.anchor == 1
    assert {(other.x, other.y) for other in inherited.neighbours} == {(1, 2), (1, 4)}


def test_area_and_jacobian_of_a_shear_are_its_determinant() -> None:
    moved = carrier(motions.linear((12, 12), [[0.5, 0.25], [0.0, 1.0]]), TorchRasteriser(), k=3)
    foot = moved.inspect(1, 6, 6, 1).footprint
    assert foot is not None
    assert foot.area == pytest.approx(0.5)
    assert foot.jacobian == pytest.approx(0.5)
    assert foot.position.tolist() == pytest.approx([6 + 0.375, 6.5])


class Hidden(KnownMotion):
    """Valid nowhere."""

    def valid(self, t: int) -> torch.Tensor:
        return torch.zeros(self.flow.shape[:2], dtype=torch.bool)


@pytest.mark.parametrize(("dx", "dy", "place"), [
    (-1.75, 0.25, "(-0.2, 1.8)"),
    (2.75, 0.25, "(4.2, 1.8)"),
    (0.25, -1.75, "(1.8, -0.2)"),
    (0.25, 1.75, "(1.8, 3.2)"),
])  # fmt: skip
def test_what_came_into_view_was_outside(dx: float, dy: float, place: str) -> None:
    """Of 3 x 4 pixels the one in row 1, column 1, on each of the four sides."""
    motion = KnownMotion(torch.tensor([dx, dy]).expand(3, 4, 2))
    assert inspection.not_followed(motion, 5, 1, 1, NEW) == (
        f"This pixel came into view: it was at {place} in frame 4, outside the picture. {OPENS}"
    )


@pytest.mark.parametrize(("make", "why"), [
    (Hidden, "was not seen in frame 4: its motion fails the forward-backward check, or the truth says so"),
    (KnownMotion, "stands where frame 4 had no noise to carry on"),
])  # fmt: skip
@pytest.mark.parametrize(("state", "fate"), [(NEW, OPENS), (UNDEFINED, THROWN)])
def test_why_a_pixel_inside_was_not_followed(make: Callable[..., Motion], why: str, state: int, fate: str) -> None:
    """Also from the border itself, which is inside: (1.5, 1.5) plus or minus 1.5, and to the right by 2.5."""
    for step in ((0.0, 0.0), (-1.5, -1.5), (2.5, 1.5)):
        motion = make(torch.tensor(step).expand(3, 4, 2))
        assert inspection.not_followed(motion, 5, 1, 1, state) == f"This pixel {why}. {fate}"


def test_why_a_pixel_owns_nothing() -> None:
    none = np.zeros((0, 2), np.int64)
    empty = np.zeros(0, np.float32)
    foot = Footprint(3, empty, empty, (), 2, none, empty, -0.0123, 1.0, 0, empty, empty)
    assert foot.count == 0
    assert inspection.owns_nothing(foot, NEW) == (
        f"The outline of this pixel has shrunk to 0.012 px² of frame 3 and covers no sub-pixel's centre. {OPENS}"
    )
    folded = dataclasses.replace(foot, covered=5)
    assert inspection.owns_nothing(folded, UNDEFINED) == (
        "The outline of this pixel covers 5 sub-pixels of frame 3, and pixels in front own all of them: the map folds. "
        + THROWN
    )


def test_a_pixel_that_a_fold_hides_says_so() -> None:
    """Columns 5 and 6 come from where columns 2 and 3 do, and have the larger error: they own nothing."""
    flow = torch.zeros(*SIZE, 2)
    flow[:, 5:, 0] = -3.0
    error = torch.zeros(SIZE)
    error[:, 5:] = 1.0
    moved = carrier(motions.Given(SIZE, lambda t: flow, error=lambda t: error), TorchRasteriser(), k=1, s=1)
    noise, state = moved.integral(1, 1)
    hidden = torch.nonzero(state[:, 5] == NEW)
    track = moved.tracks.before_renewal(1)
    assert torch.equal(moved.gather(track, 1, 0)[1] == 0, state == NEW)
    for (y,) in hidden.tolist():
        shown = moved.inspect(1, 5, y, 1)
        assert "own all of them: the map folds" in shown.sentence
        assert shown.footprint is not None
        assert shown.footprint.anchor == 1
        assert shown.value.tolist() == noise[:, y, 5].tolist()
    assert len(hidden) > 0


def test_a_known_motion_is_the_same_in_every_frame() -> None:
    flow = torch.arange(24.0).reshape(3, 4, 2)
    motion = KnownMotion(flow)
    assert motion.backward(7) is flow
    assert motion.valid(7).shape == motion.error(7).shape == (3, 4)
    assert motion.valid(7).dtype == torch.bool
    assert bool(motion.valid(7).all())
    assert float(motion.error(7).abs().max()) == 0
    errors = torch.ones(3, 4)
    assert KnownMotion(flow, errors).error(2) is errors
