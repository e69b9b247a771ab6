"""Whiteness: calibrated on true white noise, and sharp enough to catch each way of not being white."""

from __future__ import annotations

import math
import re
import time

import numpy as np
import pytest
import torch
from scipy import stats

from gpu.errors import SizeError
from gpu.metrics import moments, spatial
from gpu.metrics.whiteness import Whiteness, across, measure, pool

KEYS = ("mean", "variance", "skewness", "kurtosis", "ks", "moran", "autocorrelation", "channels", "spectrum")


def white(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape, dtype=np.float32))


@pytest.fixture(scope="module")
def seeds() -> list[Whiteness]:
    """200 frames of true white noise. An asymmetric grid, so that exchanged axes would show."""
    return [measure(white(3, 40, 64, seed=seed)) for seed in range(200)]


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
def test_p_values_of_white_noise_are_uniform(seeds: list[Whiteness], key: str) -> None:
    # One KS over 200 p-values; fails by chance with probability 0.01 per measure, and the seeds are fixed.
    assert stats.kstest([result.p[key] for result in seeds], "uniform").pvalue > 0.01


@pytest.mark.slow
def test_variance_interval_has_its_coverage(seeds: list[Whiteness]) -> None:
    # Expected 0.2 of 200 outside; more than 3 has probability 6e-5.
    assert sum(not r.variance_low < r.variance < r.variance_high for r in seeds) <= 3
    low, high = moments.variance_interval(1001)
    assert [low, high] == pytest.approx(stats.chi2.ppf([0.0005, 0.9995], 1000) / 1000)


def test_expected_peak_is_the_mean_peak(seeds: list[Whiteness]) -> None:
    peaks = np.array([r.autocorrelation for r in seeds])
    # Five standard errors: 6e-7 by chance; the expectation itself assumes independent shifts.
    assert abs(peaks.mean() - seeds[0].autocorrelation_expected) < 5 * peaks.std() / math.sqrt(200)
    assert (peaks > seeds[0].autocorrelation_limit).sum() <= 3


def test_overall_verdict_of_white_noise(seeds: list[Whiteness]) -> None:
    # The overall verdict errs at 0.001: more than 3 of 200 has probability 6e-5.
    assert sum(r.verdict.ok is not True for r in seeds) <= 3
    assert seeds[0].verdict.text == "white Gaussian noise (n = 7680)"


def test_numbers_agree_with_scipy() -> None:
    noise = white(2, 30, 41, seed=3)
    values = noise.numpy().ravel().astype(np.float64)
    result = measure(noise)
    assert result.n == values.size
    assert result.mean == pytest.approx(values.mean(), abs=1e-7)
    assert result.variance == pytest.approx(values.var(ddof=1), rel=1e-5)
    assert result.skewness == pytest.approx(stats.skew(values), abs=1e-5)
    assert result.kurtosis == pytest.approx(stats.kurtosis(values), abs=1e-4)
    assert result.p["skewness"] == pytest.approx(stats.skewtest(values).pvalue, abs=1e-4)
    assert result.p["kurtosis"] == pytest.approx(stats.kurtosistest(values).pvalue, abs=1e-3)
    ks = stats.kstest(values, "norm")
    assert result.ks == pytest.approx(ks.statistic, abs=1e-6)
    assert result.ks_p == pytest.approx(ks.pvalue, abs=0.01)
    assert result.density.sum() * 0.1 == pytest.approx(np.mean(np.abs(values) <= 4.5), abs=1e-4)
    middle = result.quantiles[len(result.quantiles) // 2]
    assert middle == pytest.approx([0, np.median(values)], abs=1e-4)


def test_moran_agrees_with_the_definition() -> None:
    """I, its expectation and variance from the full weight matrix of a small asymmetric grid of two channels."""
    noise = white(2, 3, 5, seed=1)
    z = noise.numpy().astype(np.float64)
    z = (z - z.mean()).ravel()
    n = z.size
    place = [(c, i, j) for c in range(2) for i in range(3) for j in range(5)]
    w = np.array([[float(a[0] == b[0] and abs(a[1] - b[1]) + abs(a[2] - b[2]) == 1) for b in place] for a in place])
    s0, s1 = w.sum(), ((w + w.T) ** 2).sum() / 2
    s2 = ((w.sum(0) + w.sum(1)) ** 2).sum()
    value = n / s0 * (z @ w @ z) / (z @ z)
    variance = (n * n * s1 - n * s2 + 3 * s0**2) / ((n * n - 1) * s0**2) - 1 / (n - 1) ** 2
    result = measure(noise)
    assert result.moran == pytest.approx(value, abs=1e-6)
    assert result.moran_z == pytest.approx((value + 1 / (n - 1)) / math.sqrt(variance), abs=1e-5)


def test_autocorrelation_agrees_with_the_definition() -> None:
    """Brute force over every shift and every pair of channels of a grid with an even and an odd side."""
    noise = white(2, 6, 9, seed=5)
    x = noise.numpy().astype(np.float64)
    x = (x - x.mean(axis=(1, 2), keepdims=True)) / x.std(axis=(1, 2), keepdims=True)
    found: dict[tuple[int, int, int, int], float] = {}
    for a, b in [(0, 0), (1, 1), (0, 1)]:
        for dy in range(6):
            for dx in range(9):
                if (a, dy, dx) != (b, 0, 0):
                    r = float((np.roll(x[a], (-dy, -dx), axis=(0, 1)) * x[b]).mean())
                    # The shift by half the height compares each pair twice.
                    found[a, b, dy, dx] = abs(r) * (math.sqrt(0.5) if a == b and (dy, dx) == (3, 0) else 1)
    a, b, dy, dx = max(found, key=lambda key: found[key])
    result = measure(noise)
    assert result.autocorrelation == pytest.approx(found[a, b, dy, dx], abs=1e-5)
    signed = {(dy - 6 * (dy > 3), dx - 9 * (dx > 4)), (-(dy - 6 * (dy > 3)), -(dx - 9 * (dx > 4)))}
    assert result.autocorrelation_shift in (signed if a == b else {(dy - 6 * (dy > 3), dx - 9 * (dx > 4))})
    near = result.autocorrelation_map
    assert near[16, 16] == pytest.approx(1, abs=1e-5)
    own = np.mean([(np.roll(x[c], (-1, -2), axis=(0, 1)) * x[c]).mean() for c in range(2)])
    assert near[17, 18] == pytest.approx(own, abs=1e-5)
    assert np.isnan(near[16 + 4, 16])
    assert np.isnan(near[16, 16 + 5])


def test_spectrum_agrees_with_parseval() -> None:
    noise = 1.5 * white(2, 33, 20, seed=8)
    result = measure(noise)
    frequency, power = result.spectrum.T
    assert (np.diff(frequency) > 0).all()
    assert frequency.max() <= math.hypot(0.5, 0.5)
    # Every ring near the variance, 2.25; 5 standard deviations of a ring of at least 40 coefficients.
    assert abs(np.median(power) / 2.25 - 1) < 0.2
    assert result.verdicts["spectrum"].ok
    assert result.verdicts["variance"].ok is False


@pytest.mark.parametrize("size", [(33, 20), (24, 31), (1, 40)])
def test_spectrum_agrees_with_the_definition(size: tuple[int, int]) -> None:
    """Rings of the full frequency plane, each coefficient of |FFT|^2 / N counted once."""
    noise = white(2, *size, seed=21)
    x = noise.numpy().astype(np.float64)
    power = (np.abs(np.fft.fft2(x - x.mean(axis=(1, 2), keepdims=True))) ** 2).mean(axis=0) / x[0].size
    radius = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1])[None])
    rings = max(size) // 4
    ring = np.minimum((radius / radius.max() * rings).astype(int), rings - 1)
    ring[0, 0] = -1
    used = [r for r in range(rings) if (ring == r).any()]
    expected = [(radius[ring == r].mean(), power[ring == r].mean()) for r in used]
    assert measure(noise).spectrum == pytest.approx(np.array(expected), rel=1e-4)


def blurred(alpha: float, beta: float, channels: int = 3, size: tuple[int, int] = (120, 161)) -> torch.Tensor:
    noise = white(channels, size[0] + 1, size[1] + 1, seed=11)
    across_x = (1 - alpha) * noise[:, :, :-1] + alpha * noise[:, :, 1:]
    return (1 - beta) * across_x[:, :-1] + beta * across_x[:, 1:]


@pytest.mark.parametrize(("alpha", "beta"), [(0.5, 0.0), (0.3, 0.0), (0.0, 0.2), (0.3, 0.45), (0.5, 0.5)])
def test_bilinear_variance_is_the_theory(alpha: float, beta: float) -> None:
    """1-D: a^2 + (1 - a)^2, 2-D: the product; and it is called not white."""
    theory = (alpha**2 + (1 - alpha) ** 2) * (beta**2 + (1 - beta) ** 2)
    result = measure(blurred(alpha, beta))
    # Neighbours correlate by c = a (1 - a) / (a^2 + (1 - a)^2) on each axis, so that Var(s^2) = 2 v^2 / n times the
    # product of 1 + 2 c^2. 5 standard deviations, 6e-7 by chance.
    spread = math.prod(1 + 2 * (a * (1 - a) / (a * a + (1 - a) ** 2)) ** 2 for a in (alpha, beta))
    assert abs(result.variance / theory - 1) < 5 * math.sqrt(2 * spread / result.n)
    assert result.verdict.ok is False
    assert f"variance {theory:.1f}"[:-1] in result.verdict.text
    assert "neighbours correlate" in result.verdict.text
    for key in ("variance", "ks", "moran", "autocorrelation", "spectrum"):
        assert result.verdicts[key].ok is False, key


def test_normalised_bilinear_is_still_caught() -> None:
    noise = blurred(0.5, 0.5)
    result = measure(noise / noise.std())
    assert result.verdicts["variance"].ok
    assert result.verdict.ok is False
    assert result.autocorrelation_shift in {(0, 1), (1, 0), (0, -1), (-1, 0)}
    assert result.moran == pytest.approx(0.5, abs=0.02)
    assert "times the mean power" in result.verdicts["spectrum"].text


def test_duplicated_rows_are_caught() -> None:
    noise = white(3, 60, 80, seed=2).repeat_interleave(2, dim=1)
    result = measure(noise)
    assert result.verdicts["variance"].ok
    assert result.verdicts["moran"].ok is False
    assert result.autocorrelation == pytest.approx(0.5, abs=0.03)
    assert result.autocorrelation_shift in {(1, 0), (-1, 0)}


def test_a_far_copy_is_caught_only_by_all_shifts() -> None:
    """A quarter of the frame repeated (31 rows down, 47 columns on): no local test sees it."""
    noise = white(2, 100, 140, seed=4)
    noise[:, 50:95, 60:130] = noise[:, 19:64, 13:83].clone()
    result = measure(noise)
    assert result.verdicts["moran"].ok
    assert result.verdicts["ks"].ok
    assert result.verdicts["autocorrelation"].ok is False
    assert result.autocorrelation_shift in {(31, 47), (-31, -47)}
    assert "resembles itself at shift (x " in result.verdict.text


def test_a_channel_that_is_a_shifted_copy_is_caught() -> None:
    noise = white(3, 50, 70, seed=6)
    noise[2] = 0.2 * noise[0].roll((-7, 12), dims=(0, 1)) + math.sqrt(0.96) * noise[2]
    result = measure(noise)
    assert result.verdicts["channels"].ok
    assert result.verdicts["autocorrelation"].ok is False
    assert result.autocorrelation_shift == (7, -12)  # channel 2 at (y, x) is channel 0 at (y + 7, x - 12)


def test_equal_channels_are_caught() -> None:
    noise = white(4, 40, 40, seed=7)
    noise[3] = 0.15 * noise[1] + math.sqrt(1 - 0.15**2) * noise[3]
    result = measure(noise)
    assert result.verdicts["channels"].ok is False
    assert result.channel_correlation == pytest.approx(0.15, abs=0.08)


def test_many_channels_compare_neighbours_at_all_shifts() -> None:
    noise = white(12, 24, 30, seed=9)
    assert measure(noise).verdict.ok
    noise[5] = noise[4].roll((3, 4), dims=(0, 1))
    assert measure(noise).autocorrelation == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("change", "key"), [
    (lambda x: x + 0.05, "mean"),
    (lambda x: x * 1.05, "variance"),
    (lambda x: (x + 0.05 * (x * x - 1)) / math.sqrt(1.005), "skewness"),
    (lambda x: x.sign() * x.abs() ** 1.2 / 1.08, "kurtosis"),
    (lambda x: x.sign() * x.abs().clamp(min=0.05), "ks"),
])  # fmt: skip
def test_each_kind_of_distribution_is_caught(change: object, key: str) -> None:
    assert callable(change)
    assert measure(change(white(4, 100, 120, seed=10))).verdicts[key].ok is False


def test_shifted_copies_of_another_frame_are_caught() -> None:
    """The trap of a linear seed: each frame alone is white, the second is the first moved by (5, -9)."""
    first = white(3, 48, 64, seed=12)
    second = first.roll((5, -9), dims=(1, 2))
    assert measure(second).verdict.ok
    peak = across(second, first)
    assert peak.value == pytest.approx(1, abs=1e-4)
    assert peak.shift == (5, -9)
    assert peak.p < 1e-12


def test_independent_frames_have_uniform_p_across() -> None:
    p = [across(white(2, 30, 44, seed=2 * s), white(2, 30, 44, seed=2 * s + 1)).p for s in range(200)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (4, 1, 1), (1, 1, 7), (3, 7, 1), (4, 2, 2), (2, 2, 3), (1, 2, 3000), (9, 3, 3)]
)
@pytest.mark.parametrize("kind", ["white", "zero", "constant", "nan", "inf", "huge", "one channel constant"])
def test_odd_input_has_defined_values_and_a_sentence(shape: tuple[int, int, int], kind: str) -> None:
    noise = white(*shape, seed=13)
    if kind == "zero":
        noise.zero_()
    elif kind == "constant":
        noise.fill_(1.7)
    elif kind in ("nan", "inf"):
        noise[0, 0, 0] = math.nan if kind == "nan" else math.inf
    elif kind == "huge":
        noise *= 1e25
    elif kind == "one channel constant":
        noise[-1] = 0.3
    for result in (measure(noise), pool(noise.expand(3, *shape))):
        assert set(result.verdicts) == set(KEYS)
        assert all(verdict.text for verdict in result.verdicts.values())
        assert result.verdict.text
        assert result.edges.shape == (91,)
        assert result.density.shape == (90,)
        assert result.autocorrelation_map.shape == (33, 33)
        if kind in ("nan", "inf", "huge"):
            assert result.verdict.ok is False
            assert math.isnan(result.variance)
        if kind in ("zero", "constant") and noise.numel() > 20:
            assert result.verdict.ok is False
            assert "all values are the same" in result.verdict.text
        if kind == "white" and noise.numel() >= 20:
            assert result.verdict.ok
    assert math.isnan(across(noise, noise).value) or across(noise, noise).value <= 1 + 1e-5


@pytest.mark.parametrize("array", [np.zeros((4, 4)), np.zeros((0, 3, 3)), np.zeros((2, 3, 4, 4))])
def test_wrong_shapes_are_refused(array: np.ndarray) -> None:
    with pytest.raises(SizeError, match="channels, height, width"):
        measure(array)


def test_pool_of_nothing_and_of_mixed_shapes_is_refused() -> None:
    with pytest.raises(SizeError, match="no frames"):
        pool([])
    with pytest.raises(SizeError, match="one shape"):
        pool([white(1, 4, 4), white(1, 4, 5)])
    with pytest.raises(SizeError, match="one shape"):
        across(white(1, 4, 4), white(1, 4, 5))


@pytest.mark.slow
def test_pool_keeps_its_level_for_frames_that_repeat() -> None:
    """20 identical frames of white noise are one frame's evidence: still white, where naive pooling would reject."""
    calls = [pool(white(1, 1, 24, 32, seed=seed).expand(20, 1, 24, 32)) for seed in range(30)]
    # Errs at most at 0.001: more than 2 of 30 has probability 4e-6.
    assert sum(result.verdict.ok is not True for result in calls) <= 2
    assert calls[0].n == 20 * 24 * 32
    naive = [moments.variance_p(result.variance, result.n) < 0.001 for result in calls]
    assert sum(naive) > 3


def test_pool_of_independent_frames_and_a_bad_one_among_them() -> None:
    frames = white(12, 2, 40, 50, seed=14)
    good = pool(frames)
    assert good.verdict.ok
    assert good.frames == 12
    assert good.verdict.text == "white Gaussian noise (n = 48000 in 12 frames)"
    values = frames.numpy().ravel()
    assert good.mean == pytest.approx(values.mean(), abs=1e-6)
    assert good.variance == pytest.approx(values.var(), rel=2e-3)
    assert good.ks == pytest.approx(stats.kstest(values, "norm").statistic, abs=3e-5)
    bad = frames.clone()
    bad[7] = bad[7].roll(1, dims=2) * 0.5 + bad[7] * 0.5
    result = pool(iter(bad))
    assert result.verdict.ok is False
    assert re.search(r"frame 7: variance 0\.(49|50|51) instead of 1", result.verdict.text)
    bad[3, 0, 0, 0] = math.nan
    assert pool(bad).verdict.text.startswith("frame 3: not noise: 1 of 4000 values are not finite")


def test_numpy_strided_and_double_input_give_the_same() -> None:
    noise = white(2, 20, 30, seed=15)
    direct = measure(noise)
    assert measure(noise.numpy()).autocorrelation == direct.autocorrelation
    assert measure(noise.double()).ks == direct.ks
    assert measure(noise.permute(0, 2, 1).contiguous().permute(0, 2, 1)).moran == direct.moran


@pytest.mark.slow
def test_peak_formulas() -> None:
    expected, limit = spatial.peak_of_white(10_000, 50_000)
    assert spatial.peak_p(limit, 10_000, 50_000) == pytest.approx(0.001, rel=1e-6)
    assert 0.5 < spatial.peak_p(expected, 10_000, 50_000) * 1.25 < 0.75  # the mean of a maximum lies above its median
    maxima = np.abs(np.random.default_rng(0).standard_normal((400, 50_000))).max(axis=1) / 100
    assert expected == pytest.approx(maxima.mean(), rel=0.01)


def test_it_is_fast_enough_for_live_use() -> None:
    """Budget 60 ms for 4 x 288 x 512 on one core; asserted at three times that for slower machines."""
    noise = white(4, 288, 512, seed=16)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        measure(noise)
        took = []
        for _ in range(7):
            began = time.process_time()
            measure(noise)
            took.append(time.process_time() - began)
    finally:
        torch.set_num_threads(threads)
    assert min(took) < 0.18, f"fastest of 7: {min(took) * 1000:.0f} ms"


def test_p_of_many_frames_are_the_smallest_times_the_number_of_tests() -> None:
    """Bonferroni: as many tests as frames, and one more for what is judged of all frames together."""
    frames = white(5, 2, 24, 30, seed=31)
    frames[3] += 0.07  # so that a mean is unlikely alone
    alone, pooled = [measure(frame) for frame in frames], pool(frames)
    for key in ("autocorrelation", "channels", "spectrum"):
        assert pooled.p[key] == pytest.approx(min(1.0, 5 * min(result.p[key] for result in alone))), key
    n = 2 * 24 * 30
    together = {
        "mean": moments.mean_p(float(np.mean([result.mean for result in alone])), n),
        "variance": moments.variance_p(float(np.mean([result.variance for result in alone])), n),
        "skewness": moments.skewness_p(float(np.mean([result.skewness for result in alone])), n),
        "kurtosis": moments.kurtosis_p(float(np.mean([result.kurtosis for result in alone])), n),
        "moran": moments.normal_p(float(np.mean([result.moran_z for result in alone]))),
        "ks": moments.kolmogorov_p(pooled.ks, n),
    }
    for key, p in together.items():
        assert pooled.p[key] == pytest.approx(min(1.0, 6 * min(p, *(result.p[key] for result in alone)))), key
    assert pooled.p["mean"] < 0.2  # not all of them are 1
    assert pooled.ks_p == pooled.p["ks"]
    assert pooled.moran_p == pooled.p["moran"]


def test_the_curves_of_many_frames_are_those_of_all_values() -> None:
    """Quantiles of all values together, the averages of the rest; the peak and the channels of the frame of the smallest p."""
    frames = white(6, 2, 30, 40, seed=33) * 1.1
    alone, pooled = [measure(frame) for frame in frames], pool(frames)
    assert pooled.moran_z == pytest.approx(np.mean([result.moran_z for result in alone]))
    assert pooled.moran == pytest.approx(np.mean([result.moran for result in alone]))
    for name in ("skewness", "kurtosis", "variance", "mean"):
        assert getattr(pooled, name) == pytest.approx(np.mean([getattr(result, name) for result in alone]))
    levels = stats.norm.cdf(alone[0].quantiles[:, 0].astype(np.float64))
    assert pooled.quantiles[:, 0].tolist() == alone[0].quantiles[:, 0].tolist()
    assert pooled.quantiles[1:-1, 1] == pytest.approx(np.quantile(frames.numpy(), levels)[1:-1], abs=5e-3)
    for name in ("density", "spectrum", "autocorrelation_map"):
        assert getattr(pooled, name) == pytest.approx(
            np.mean([getattr(result, name) for result in alone], axis=0), nan_ok=True
        )
        assert getattr(pooled, name).dtype == np.float32
    peak = min(alone, key=lambda result: result.p["autocorrelation"])
    channel = min(alone, key=lambda result: result.p["channels"])
    ring = min(alone, key=lambda result: result.p["spectrum"])
    assert (pooled.autocorrelation, pooled.autocorrelation_shift) == (peak.autocorrelation, peak.autocorrelation_shift)
    assert (pooled.channel_correlation, pooled.channel_limit) == (channel.channel_correlation, channel.channel_limit)
    assert pooled.spectrum_peak == ring.spectrum_peak
    assert (pooled.variance_low, pooled.variance_high) == moments.variance_interval(2400)


@pytest.mark.parametrize(("shape", "comparisons"), [
    ((2, 6, 4), 2 * 13 + 24),  # three shifts are their own opposites: (23 + 3) / 2 a channel, and 24 of the pair
    ((1, 5, 6), 15),  # one: (29 + 1) / 2
    ((3, 5, 7), 3 * 17 + 3 * 35),
    ((9, 3, 3), 9 * 4 + 9 * 9),  # beyond eight channels each with the next
])  # fmt: skip
def test_every_shift_is_counted_once(shape: tuple[int, int, int], comparisons: int) -> None:
    field = spatial.standardise(white(*shape, seed=3))
    assert field is not None
    transform = torch.fft.rfft2(field)
    power = torch.view_as_real(transform).square().sum(-1)
    peak, _ = spatial.autocorrelation(transform, power, shape[2])
    assert peak.comparisons == comparisons
    assert (peak.expected, peak.limit) == spatial.peak_of_white(shape[1] * shape[2], comparisons)


def test_a_shift_that_is_its_own_opposite_counts_as_the_half_of_the_pairs_that_it_is() -> None:
    """The lower half like the upper one: correlation 1 at half the height, whose p is that of 1 / √2."""
    noise = white(1, 6, 31, seed=4).repeat(1, 2, 1)
    result = measure(noise)
    assert result.autocorrelation == pytest.approx(1, abs=1e-5)
    assert result.autocorrelation_shift == (6, 0)
    assert result.p["autocorrelation"] == pytest.approx(
        spatial.peak_p(math.sqrt(0.5) * result.autocorrelation, 12 * 31, (12 * 31 - 1 + 1) // 2), rel=1e-3
    )
