"""The compiled hash and Gaussians are those of gpu.noise.rng."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpu import compiled
from gpu.compiled import available
from gpu.noise import rng

CPU = torch.device("cpu")


@pytest.mark.skipif(not available(), reason="numba is not installed")
@pytest.mark.slow
def test_planes_are_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """At places whose sums leave 32 bits as well; 1.2 million values reach into both tails."""
    from gpu.noise import rng_compiled

    monkeypatch.setattr(compiled, "available", lambda: False)
    for seed, stream, frame, level, y0, x0 in [
        (7, rng.FIELD, 0, 0, 0, 0),
        (2**40 + 3, 9, 57, 3, 5_000_000, 2**31 - 40),
    ]:
        out = np.empty((2, 500, 600), np.float32)
        rng_compiled.fill(rng.keys(seed, stream, frame, 2, level), y0, x0, out)
        for channel in range(2):
            plane = rng.plane(seed, stream, frame, channel, level, y0, x0, 500, 600, CPU).numpy()
            np.testing.assert_array_equal(out[channel], plane)
        assert np.abs(out).max() > 4


@pytest.mark.skipif(not available(), reason="numba is not installed")
@pytest.mark.slow
def test_gaussians_of_chosen_words_are_those_of_torch() -> None:
    """The ends, the middle, and both sides of where the polynomials change (w = 5)."""
    import numba

    from gpu.noise import rng_compiled

    chosen = [0, 1, 2, 2**31 - 1, 2**31, 2**32 - 1, 0x80000000 + 7, *range(7_200_000, 7_300_000, 997), 123456789]

    @numba.njit(error_model="numpy")
    def all_of(words: np.ndarray, out: np.ndarray) -> None:
        for at in range(len(words)):
            out[at] = rng_compiled.gaussian(words[at])

    out = np.empty(len(chosen), np.float32)
    all_of(np.array(chosen, np.uint32), out)
    words = torch.from_numpy(np.array(chosen, np.uint32).view(np.int32))
    np.testing.assert_array_equal(out, rng.gaussian(words).numpy())
    assert out[0] > 6
    assert out[0] == -out[4]
