"""Tracks: where pixels were a step before, what becomes of their anchors, and when a whole frame becomes one."""

from __future__ import annotations

import pytest
import torch

from gpu.noise import tracks
from gpu.noise.known_motion import KnownMotion
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED
from gpu.noise.tracks import Track
from tests.gpu.noise import motions
from tests.gpu.noise.motions import CPU


def test_a_step_back_leads_to_the_pixel_that_a_position_falls_into() -> None:
    """Of 4 x 5 pixels moved by (0.75, -1.5): right of the frame's last column and above its first row nothing is known."""
    went = tracks.step_back(KnownMotion(torch.tensor([0.75, -1.5]).expand(4, 5, 2)), 0)
    assert went.valid.tolist() == [[False] * 5, [True] * 4 + [False], [True] * 4 + [False], [True] * 4 + [False]]
    assert went.column[1:].tolist() == [[1, 2, 3, 4, 4]] * 3
    assert went.row.tolist() == [[0] * 5, [0] * 4 + [1], [1] * 4 + [2], [2] * 4 + [3]]
    assert went.position[2, 1].tolist() == [2.25, 1.0]
    assert went.position[0, 4].tolist() == [4.5, 0.5]  # its own centre
    down = tracks.step_back(KnownMotion(torch.tensor([-0.5, 0.5]).expand(4, 5, 2)), 0)
    assert bool(down.valid.all())  # on the border is inside
    assert down.row[3].tolist() == [3] * 5
    assert down.column[0].tolist() == [0, 1, 2, 3, 4]


def filled(fill: str) -> list[Track]:
    """Five frames of 1 x 6 pixels that move to the right by a pixel a frame."""
    motion = KnownMotion(torch.tensor([-1.0, 0.0]).expand(1, 6, 2))
    track = [tracks.fresh(0, 1, 6, CPU)]
    for t in range(4):
        track.append(tracks.advance(track[-1], t, motion, fill))
    return track


def test_in_two_stages_what_comes_in_opens_an_anchor_and_is_carried_on() -> None:
    last = filled("two-stage")[3]
    assert last.label.tolist() == [[3, 2, 1, 0, 0, 0]]
    assert last.state.tolist() == [[NEW, INHERITED, INHERITED, KEPT, KEPT, KEPT]]
    assert last.position[0].tolist() == [[0.5, 0.5]] * 3 + [[0.5, 0.5], [1.5, 0.5], [2.5, 0.5]]


def test_random_fill_never_carries_what_it_filled() -> None:
    last = filled("random")[3]
    assert last.label.tolist() == [[3, 3, 3, 0, 0, 0]]
    assert last.state.tolist() == [[UNDEFINED] * 3 + [KEPT] * 3]
    assert last.position[0].tolist() == [[0.5, 0.5], [1.5, 0.5], [2.5, 0.5], [0.5, 0.5], [1.5, 0.5], [2.5, 0.5]]


@pytest.mark.parametrize(("dx", "dy"), [(0.25, 0.0), (-0.25, 0.0), (0.0, 0.25), (0.3, -0.4)])
def test_positions_are_bilinear_on_the_surface_of_the_pixel(dx: float, dy: float) -> None:
    """An affine track stays affine, also in the corners, where neighbours are extrapolated."""
    matrix = torch.tensor([[1.25, 0.25], [-0.125, 0.875]])
    place = motions.centres((5, 6))
    before = Track(torch.zeros(5, 6, dtype=torch.int32), place @ matrix.T + 0.5, torch.zeros(5, 6, dtype=torch.uint8))
    after = tracks.advance(before, 3, KnownMotion(torch.tensor([dx, dy]).expand(5, 6, 2)), "two-stage")
    expected = (place + torch.tensor([dx, dy])) @ matrix.T + 0.5
    followed = after.label == 0
    assert int(followed.sum()) >= 12
    assert torch.allclose(after.position[followed], expected[followed])


def test_the_bend_is_the_median_of_how_far_three_in_a_row_are_out_of_line() -> None:
    place = motions.centres((4, 5))
    track = Track(torch.zeros(4, 5, dtype=torch.int32), place, torch.zeros(4, 5, dtype=torch.uint8))
    assert tracks.bend(track) == 0
    bent = place.clone()
    bent[..., 0] += 0.25 * place[..., 0] ** 2  # the second difference along x is 0.5, along y 0
    assert tracks.bend(Track(track.label, bent, track.state)) == pytest.approx(0.5, abs=1e-5)  # 12 of 22
    bent[..., 1] -= 0.25 * place[..., 1] ** 2
    assert tracks.bend(Track(track.label, bent, track.state)) == pytest.approx(0.5, abs=1e-5)
    apart = torch.arange(20, dtype=torch.int32).reshape(4, 5)
    assert tracks.bend(Track(apart, bent, track.state)) == 0  # no three of one anchor
    assert tracks.bend(tracks.fresh(0, 1, 1, CPU)) == 0
    assert tracks.bend(tracks.fresh(0, 2, 2, CPU)) == 0


def test_an_anchor_for_all_starts_from_every_pixels_own_place() -> None:
    state = torch.tensor([[KEPT, NEW, INHERITED]], dtype=torch.uint8)
    before = Track(torch.tensor([[0, 4, 2]], dtype=torch.int32), torch.rand(1, 3, 2), state)
    after = tracks.reanchored(before, 6)
    assert after.label.tolist() == [[6, 6, 6]]
    assert after.position.tolist() == [[[0.5, 0.5], [1.5, 0.5], [2.5, 0.5]]]
    assert after.state is state


@pytest.mark.parametrize(("fill", "state"), [("two-stage", NEW), ("random", UNDEFINED)])
def test_renewed_pixels_are_anchors_of_their_own(fill: str, state: int) -> None:
    before = Track(
        torch.zeros(2, 2, dtype=torch.int32), torch.full((2, 2, 2), 9.0), torch.zeros(2, 2, dtype=torch.uint8)
    )
    after = tracks.renew(before, torch.tensor([1, 2]), 5, fill)
    assert after.label.tolist() == [[0, 5], [5, 0]]
    assert after.state.tolist() == [[KEPT, state], [state, KEPT]]
    assert after.position.tolist() == [[[9, 9], [1.5, 0.5]], [[0.5, 1.5], [9, 9]]]
    assert before.label.sum() == 0
    assert tracks.renew(before, torch.zeros(0, dtype=torch.int64), 5, fill) is before
