"""The hash and the Gaussians: the same in torch and GLSL, white in space and from frame to frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import special, stats

from gpu import compiled, gl
from gpu.metrics import whiteness
from gpu.noise import field, ownership_gl, rng
from tests.gpu.noise.motions import CPU


@pytest.mark.parametrize("plane", [0, 1, 12345, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("origin", [(0, 0), (3, 1000), (70000, 5)])
def test_words_are_the_same_in_glsl(context: gl.Context, plane: int, origin: tuple[int, int]) -> None:
    y0, x0 = origin
    assert torch.equal(ownership_gl.words(context, plane, y0, x0, 33, 65), rng.words(plane, y0, x0, 33, 65, CPU))


def test_words_match_the_scalar_definition() -> None:
    hashed = rng.words(99, 5, 7, 4, 3, CPU)
    for y in range(4):
        for x in range(3):
            row = rng.mix(rng.mix(5 + y + 0x9E3779B9) ^ 99)
            assert int(hashed[y, x]) & 0xFFFFFFFF == rng.mix(row ^ rng.mix(7 + x + 0x85EBCA6B))


@pytest.mark.parametrize("k", [0, 1, 3, 5])
def test_fine_field_is_the_same_in_glsl(context: gl.Context, k: int) -> None:
    values = field.fixed(rng.plane(3, rng.FIELD, 2, 1, 0, 4, 8, 6, 5, CPU))
    drawn = ownership_gl.cells(context, values, 3, 2, 1, k, 4, 8)
    expected = field.cells(values, 3, 2, 1, k, 4, 8)
    assert torch.allclose(field.floating(drawn) * 2**k, field.floating(expected) * 2**k, atol=1e-4, rtol=0)
    n = 1 << k
    assert torch.equal(drawn.view(6, n, 5, n).sum((1, 3)).to(torch.int32), values)


def test_gaussian_inverts_the_normal_distribution() -> None:
    generator = torch.Generator().manual_seed(1)
    words = torch.randint(-(2**31), 2**31, (200_000,), generator=generator, dtype=torch.int64).to(torch.int32)
    words[:4] = torch.tensor([0, -(2**31), 2**31 - 1, -1], dtype=torch.int32)
    probability = ((words.to(torch.int64) & 0x7FFFFFFF).numpy() + 0.5) / 2**32
    expected = -special.ndtri(probability) * np.where(words.numpy() < 0, -1, 1)
    error = np.abs(rng.gaussian(words).numpy() - expected)
    assert error[np.abs(expected) < 5.5].max() < 2e-6
    assert error.max() < 5e-3  # the polynomials were fitted up to about 5.5 standard deviations


def test_scattered_and_tiled_values_are_those_of_the_plane() -> None:
    whole = rng.plane(7, rng.FINE, 3, 2, 3, 0, 0, 300, 200, CPU)
    assert torch.equal(whole[100:150, 20:90], rng.plane(7, rng.FINE, 3, 2, 3, 100, 20, 50, 70, CPU))
    y, x = torch.tensor([0, 17, 299], dtype=torch.int32), torch.tensor([0, 199, 3], dtype=torch.int32)
    key = torch.tensor(rng.signed(rng.key(7, rng.FINE, 3, 2, 3)), dtype=torch.int32)
    assert torch.equal(rng.scattered(key, y, x), whole[y.long(), x.long()])


def test_white_in_space_and_across_channels() -> None:
    # Every verdict is at p = 0.001 or finer; fixed seed.
    measured = whiteness.measure(rng.white(11, rng.FIELD, 0, 4, 192, 256, CPU))
    assert measured.verdict.ok, measured.verdict.text


@pytest.mark.parametrize("other", [(11, rng.FIELD, 1), (12, rng.FIELD, 0), (11, rng.FINE, 0), (11, rng.FIELD, 1000)])
def test_no_frame_seed_or_stream_is_a_shifted_copy_of_another(other: tuple[int, int, int]) -> None:
    """Largest correlation over all shifts; the limit is exceeded with probability 0.001 by independent noise."""
    first = rng.white(11, rng.FIELD, 0, 2, 128, 128, CPU)
    peak = whiteness.across(first, rng.white(*other, 2, 128, 128, CPU))
    assert peak.value < peak.limit


@pytest.mark.slow
def test_p_values_over_seeds_are_uniform() -> None:
    """200 seeds; a correct generator fails with probability 0.01."""
    values = [
        stats.kstest(rng.white(seed, rng.FIELD, 0, 1, 48, 48, CPU).numpy().ravel(), "norm").pvalue
        for seed in range(200)
    ]
    assert stats.kstest(values, "uniform").pvalue > 0.01


@pytest.mark.parametrize("origin", [(0, 0), (5, 70_000)])
def test_compiled_values_are_those_of_torch_to_the_last_bit(
    origin: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    y0, x0 = origin
    assert compiled.available(), "the tests are run with numba"
    # Enough of them that the far tail is met thousands of times.
    fast = rng.plane(7, rng.FINE, 3, 2, 3, y0, x0, 700, 900, CPU)
    y, x = torch.arange(y0, y0 + 50, dtype=torch.int32), torch.arange(x0, x0 + 50, dtype=torch.int32)
    key = torch.tensor(rng.signed(rng.key(7, rng.FINE, 3, 2, 3)), dtype=torch.int32)
    places = rng.scattered(key, y, x)
    monkeypatch.setattr(compiled, "available", lambda: False)
    assert torch.equal(fast, rng.plane(7, rng.FINE, 3, 2, 3, y0, x0, 700, 900, CPU))
    assert torch.equal(places, rng.scattered(key, y, x))
