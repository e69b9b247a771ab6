"""Lesson 6: two-stage carries on what has appeared, random fill does not, neither remembers what was hidden; both are white.

Seeds are fixed; bounds on correlations of independent noises fail by chance with probability 0.001 each at most.
"""

from __future__ import annotations

import itertools

import pytest
import torch

from app.lessons.compute import crossing_objects
from app.lessons.compute.crossing_objects import FILLS, RANDOM, TWO_STAGE
from gpu.metrics import moments, spatial
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED

SPEED, SEED, LATE = 2.0, 3, 8


def _state(fill: str, t: int) -> torch.Tensor:
    return crossing_objects.frame(SPEED, fill, SEED, t).state


@pytest.mark.slow
def test_states_of_either_handler() -> None:
    for t in range(LATE + 1):
        assert not bool((_state(TWO_STAGE, t) == UNDEFINED).any())
        assert set(_state(RANDOM, t).unique().tolist()) <= {KEPT, UNDEFINED}
        assert sum(crossing_objects.fractions(_state(TWO_STAGE, t)).values()) == pytest.approx(1)
    assert bool((_state(TWO_STAGE, 0) == KEPT).all())
    assert not bool((_state(TWO_STAGE, 1) == INHERITED).any()), "nothing was born before frame 1"


@pytest.mark.slow
def test_gaps_add_up_under_random_fill_only() -> None:
    undefined = [crossing_objects.fractions(_state(RANDOM, t))[UNDEFINED] for t in range(LATE + 1)]
    new = [crossing_objects.fractions(_state(TWO_STAGE, t))[NEW] for t in range(LATE + 1)]
    assert all(later > earlier for earlier, later in itertools.pairwise(undefined))
    assert undefined[-1] > 0.3
    assert max(new) < 0.15
    # In frame 1 both meet the same gaps.
    assert undefined[1] == pytest.approx(new[1], abs=1e-6)


def test_what_has_appeared_is_carried_on_by_two_stage() -> None:
    for t in (5, LATE):
        two_stage, filled = (crossing_objects.with_previous(SPEED, fill, SEED, t) for fill in FILLS)
        assert two_stage.n == filled.n > 100
        assert abs(filled.value) < filled.chance
        assert two_stage.value > 0.3
        assert two_stage.value > filled.value + 4 * filled.chance
        assert two_stage.value < crossing_objects.ceiling(SPEED, t)


def test_neither_remembers_what_was_hidden() -> None:
    found = {rule: crossing_objects.with_first(SPEED, rule, SEED, LATE) for rule in (*FILLS, "remembering")}
    for fill in FILLS:
        assert found[fill].n > 50
        assert abs(found[fill].value) < found[fill].chance
    # Few pixels reappear: their correlation is far from chance, and no more is claimed.
    assert found["remembering"].value > 2 * found["remembering"].chance


@pytest.mark.parametrize("fill", FILLS)
def test_frames_are_white_all_the_same(fill: str) -> None:
    noise = crossing_objects.frame(SPEED, fill, SEED, LATE).noise
    low, high = moments.variance_interval(noise.numel())
    assert low < float(noise.var()) < high
    centred = noise - noise.mean()
    assert spatial.moran(centred, float((centred**2).sum())).p > 0.001


def test_draft_is_close_to_the_frame() -> None:
    """A draft has a coarser field and skips renewals: most pixels have the same state, and noise of the same anchors. Between
    whole pixels the detail of two levels is independent, so that the correlation is about a half."""
    for fill in FILLS:
        draft, final = crossing_objects.draft(SPEED, fill, SEED, LATE), crossing_objects.frame(SPEED, fill, SEED, LATE)
        assert float((draft.state == final.state).float().mean()) > 0.95
        both = torch.stack([draft.noise.reshape(-1), final.noise.reshape(-1)])
        assert float(torch.corrcoef(both)[0, 1]) > 0.3
