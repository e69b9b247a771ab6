"""Tracks: where pixels were a step before, what becomes of their anchors, and when pixels become one."""

from __future__ import annotations

import pytest
import torch

from gpu.flow import maps
from gpu.noise import tracks
from gpu.noise.known_motion import KnownMotion
from gpu.noise.states import INHERITED, KEPT, NEW, RENEWED, UNDEFINED
from gpu.noise.tiling import NoiseGrid
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


def test_positions_are_traced_not_interpolated_again_and_again() -> None:
    """A swirl whose steps are known everywhere: 30 steps end where 30 exact steps lead, but for what two interpolations between
    pixels at the bases leave; interpolating in every step is ten times as far off."""
    size, frames = (40, 48), 30
    swirl = motions.swirl(size, 6.0)
    along = tracks.Tracks(
        swirl, NoiseGrid(*size, CPU), lambda t: 0, "two-stage", lambda track, t: None, lambda track, t: torch.ones(size)
    )
    traced, composed = along.geometric(frames), tracks.fresh(0, *size, CPU)
    exact = motions.centres(size)
    for t in range(frames):
        composed = tracks.advance(composed, t, swirl, "two-stage")
        exact = exact + maps.sample(swirl.backward(frames - 1 - t), exact)
    middle = (slice(8, -8), slice(8, -8))
    still = (traced.label[middle] == 0) & (composed.label[middle] == 0)
    assert float(still.float().mean()) > 0.9
    off, before = ((track.position - exact)[middle].norm(dim=-1)[still] for track in (traced, composed))
    assert float(off.median()) < 0.2 * float(before.median())


def test_a_track_ends_at_the_first_anchor_on_its_way() -> None:
    """1 x 8 pixels move to the right by a pixel a frame; in frame 2 the fourth is renewed, in frame 4 the sixth owns
    nothing."""
    motion = KnownMotion(torch.tensor([-1.0, 0.0]).expand(1, 8, 2))

    def renewing(track: Track, t: int) -> torch.Tensor | None:
        return torch.arange(8)[None] == 3 if t == 2 else None

    def owned(track: Track, t: int) -> torch.Tensor:
        return (torch.arange(8)[None] != (5 if t == 4 else -1)).to(torch.int32)

    along = tracks.Tracks(motion, NoiseGrid(1, 8, CPU), lambda t: 0, "two-stage", renewing, owned)
    third, fifth = along.transported(3), along.transported(5)
    assert along.anchors() == [2]
    assert third.label.tolist() == [[3, 2, 1, 0, 2, 0, 0, 0]]
    assert third.state.tolist() == [[NEW, INHERITED, INHERITED, KEPT, RENEWED, KEPT, KEPT, KEPT]]
    assert third.position[0, :, 0].tolist() == [0.5, 0.5, 0.5, 0.5, 3.5, 2.5, 3.5, 4.5]
    # The renewed pixel is the sixth in frame 4, and born anew there.
    assert fifth.label.tolist() == [[5, 4, 3, 2, 1, 0, 4, 0]]
    assert fifth.state.tolist() == [[NEW, INHERITED, INHERITED, INHERITED, INHERITED, KEPT, INHERITED, KEPT]]
    assert along.geometric(5).label.tolist() == [[5, 4, 3, 2, 1, 0, 0, 0]]


@pytest.mark.parametrize("fill", ["two-stage", "random"])
def test_what_is_handed_on_at_a_base_is_what_is_traced(fill: str) -> None:
    """Whole pixels move, so that nothing is interpolated: where bases lie makes no difference."""
    motion = KnownMotion(torch.tensor([-1.0, 2.0]).expand(9, 30, 2))

    def track(base: int, t: int) -> Track:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tracks, "BASE", base)
            along = tracks.Tracks(
                motion, NoiseGrid(9, 30, CPU), lambda t: 0, fill,
                lambda track, t: (track.label + t) % 3 == 0 if t % 5 == 0 else None,
                lambda track, t: (torch.arange(270).view(9, 30) % 31 != t).to(torch.int32),
            )  # fmt: skip
            return along.transported(t)

    for t in (4, 11, 19):
        once, often = track(1000, t), track(3, t)
        assert torch.equal(once.label, often.label)
        assert torch.equal(once.state, often.state)
        assert torch.equal(once.position, often.position)


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
