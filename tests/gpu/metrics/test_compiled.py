"""Whiteness by compiled code, and the shortened search of the largest distance, give what the plain way gives."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
import torch
from scipy import special

from gpu import compiled
from gpu.metrics import moments, whiteness


@pytest.mark.slow
@pytest.mark.skipif(not compiled.available(), reason="numba is not installed")
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 9), (3, 8, 7), (4, 64, 96)])
def test_whiteness_is_that_of_torch(shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    by_code = whiteness.measure(noise)
    monkeypatch.setattr(compiled, "available", lambda: False)
    by_torch = whiteness.measure(noise)
    for field in fields(by_code):
        ours, theirs = getattr(by_code, field.name), getattr(by_torch, field.name)
        if isinstance(ours, float | np.ndarray):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6, err_msg=field.name)
    assert by_code.verdict.ok == by_torch.verdict.ok


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 17, 47])
def test_a_value_that_is_none_is_counted_wherever_it_stands(bad: float, place: int) -> None:
    noise = torch.randn(2, 4, 6)
    noise.view(-1)[place] = bad
    assert whiteness.measure(noise).verdict.text == "not noise: 1 of 48 values are not finite"
    noise.view(-1)[20] = -bad
    assert whiteness.measure(noise).verdict.text == "not noise: 2 of 48 values are not finite"


def shapes(n: int) -> list[torch.Tensor]:
    """Values of many distributions: white, narrow, wide, shifted, of few values, constant, with a gap, of two halves."""
    white = torch.randn(n, generator=torch.Generator().manual_seed(n))
    halves = torch.where(torch.arange(n) < n // 3, white - 2, white + 2)
    return [
        white,
        0.9 * white,
        1.5 * white,
        white + 0.01,
        white.round(),
        torch.zeros(n),
        white.abs(),
        halves,
        white + 40,
    ]


@pytest.mark.parametrize("n", [1, 63, 4096, 4097, 20_001])
def test_the_largest_distance_is_that_of_all_values(n: int) -> None:
    for number, values in enumerate(shapes(n)):
        ascending = moments.ordered(values)
        below = special.ndtr(ascending.double().numpy())
        steps = np.arange(n + 1) / n
        whole = max(float((steps[1:] - below).max()), float((below - steps[:-1]).max()))
        assert moments.kolmogorov_smirnov(ascending) == pytest.approx(whole, abs=1e-6), number
