"""Gathering: which pieces pixels look at, how errors become ranks, and what sums of sub-pixels are brought to."""

from __future__ import annotations

import math

import pytest
import torch

from gpu.noise import field, gathering, tracks
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED
from gpu.noise.tiling import NoiseGrid, Tiling
from gpu.noise.tracks import Track
from tests.gpu.noise.motions import CPU


def test_the_rank_is_the_error_in_64ths_of_a_pixel_up_to_255() -> None:
    """So that errors from a 64th of a pixel on are told apart, and all from 4 pixels on are alike; an error that is no number
    is the largest."""
    errors = [0.0, 0.015, 1 / 64, 0.25, 1.0, 3.96, 3.99, 50.0, math.inf, math.nan, -1.0]
    tiling = Tiling(NoiseGrid(1, len(errors), CPU), 2)
    pieces = gathering.cut(tracks.fresh(0, 1, len(errors), CPU), torch.tensor([errors]), tiling, 4)
    assert pieces.rank.tolist() == [0, 0, 1, 16, 64, 253, 255, 255, 255, 255, 0]
    assert pieces.rank.dtype == torch.int32


def test_pixels_that_are_born_look_at_nothing() -> None:
    track = tracks.fresh(3, 1, 4, CPU)
    state = torch.tensor([[KEPT, NEW, UNDEFINED, INHERITED]], dtype=torch.uint8)
    pieces = gathering.cut(
        Track(track.label, track.position, state), torch.zeros(1, 4), Tiling(NoiseGrid(1, 4, CPU), 0), 1
    )
    assert pieces.pixel.tolist() == [0, 3]
    assert pieces.polygon.tolist() == [0, 1]


def test_a_pixel_looks_at_every_piece_that_its_outline_touches() -> None:
    """Pieces are 64 pixels wide at level 2. A pixel at x from 63 to 64 touches the first alone, one from 63.5 to 64.5 two, and
    one on a corner four; of frame 5 they are named from 5 times the pieces of a frame on."""
    tiling = Tiling(NoiseGrid(100, 200, CPU), 2)
    assert (tiling.rows, tiling.columns) == (2, 4)

    def touched(x: float, y: float, label: int = 0) -> list[int]:
        track = Track(
            torch.full((1, 1), label, dtype=torch.int32),
            torch.tensor([[[x, y]]]),
            torch.zeros(1, 1, dtype=torch.uint8),
        )
        return gathering.cut(track, torch.zeros(1, 1), tiling, 4).piece.tolist()

    assert touched(63.5, 10.5) == [0]
    assert touched(64.5, 10.5) == [1]
    assert touched(64.0, 10.5) == [0, 1]
    assert touched(64.0, 64.0) == [0, 1, 4, 5]
    assert touched(199.5, 99.5, 5) == [5 * 8 + 7]
    assert touched(-3.0, 10.5) == []  # beside the frame


@pytest.mark.parametrize("k", [0, 1, 3])
def test_sums_are_brought_to_unit_variance_by_what_they_are_sums_of(k: int) -> None:
    """Equation 5: sqrt(N / |Ω|), with N = 4^k; a pixel that owns nothing stays 0."""
    total = torch.tensor([[[2, 3, 0]]]) << field.FRACTION
    count = torch.tensor([[4**k, 5, 0]], dtype=torch.int32)
    assert gathering.normalised(total, count, k)[0, 0].tolist() == pytest.approx([2, 3 * math.sqrt(4**k / 5), 0])
