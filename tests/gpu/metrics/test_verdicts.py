"""What verdicts say, word for word, and where numbers begin to be judged."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from gpu.metrics import verdicts
from gpu.metrics.whiteness import Whiteness, measure, pool
from gpu.metrics.whiteness_result import Verdict


@pytest.mark.parametrize(("value", "text"), [
    (0.01234, "0.0123"),
    (-1.5, "−1.50"),
    (123.4, "123"),
    (12345.6, "12346"),
    (1e-5, "1e-05".replace("-", "−")),
    (1e-4, "0.000100"),
    (1e5, "1e+05"),
    (99999.0, "99999"),
    (0.0, "0"),
])  # fmt: skip
def test_numbers_have_three_digits_and_a_true_minus(value: float, text: str) -> None:
    assert verdicts._number(value) == text


KEYS = ("mean", "variance", "skewness", "kurtosis", "ks", "moran", "autocorrelation", "channels", "spectrum")

WHITE = Whiteness(
    n=4000, mean=0.01, variance=1.004, variance_low=0.928, variance_high=1.075, skewness=0.02, kurtosis=-0.03, ks=0.0123,
    ks_p=0.5, moran=0.001, moran_z=0.1, moran_p=0.9, autocorrelation=0.07, autocorrelation_expected=0.066,
    autocorrelation_limit=0.09, autocorrelation_shift=(-3, 4), channel_correlation=0.02, channel_limit=0.08, verdicts={},
    verdict=Verdict(None, ""), edges=np.zeros(0, np.float32), density=np.zeros(0, np.float32),
    quantiles=np.zeros((0, 2), np.float32), spectrum=np.zeros((0, 2), np.float32),
    autocorrelation_map=np.zeros((0, 0), np.float32), spectrum_peak=(0.25, 1.2),
    p=dict.fromkeys(KEYS, 0.5),
)  # fmt: skip


def judged(**changes: object) -> Whiteness:
    """WHITE with some numbers changed, and its verdicts."""
    changed = dataclasses.replace(WHITE, **changes)
    said = dataclasses.replace(changed, verdicts=verdicts.verdicts(changed))
    return dataclasses.replace(said, verdict=verdicts.overall(said))


def test_what_is_said_of_white_noise() -> None:
    said = judged()
    assert {key: verdict.text for key, verdict in said.verdicts.items()} == {
        "mean": "mean 0.0100 (white: up to ±0.0520)",
        "variance": "variance 1.00 (white: 0.93–1.07)",
        "skewness": "skewness 0.0200 (white: up to ±0.127)",
        "kurtosis": "excess kurtosis −0.0300 (white: up to ±0.255)",
        "ks": "Kolmogorov-Smirnov distance 0.0123, p = 0.500, n = 4000",
        "moran": "neighbours are uncorrelated: Moran's I 0.00100, p = 0.900",
        "autocorrelation": "largest correlation at any shift 0.0700, as white noise (0.0660 expected)",
        "channels": "channels are uncorrelated: 0.0200 (white: below 0.0800)",
        "spectrum": "spectrum is flat (furthest ring 1.20 × the mean, at 0.25 cycles/px)",
    }
    assert all(verdict.ok for verdict in said.verdicts.values())
    assert said.verdict == Verdict(True, "white Gaussian noise (n = 4000)")


def test_what_is_said_of_noise_that_is_not_white() -> None:
    said = judged(p=dict.fromkeys(WHITE.p, 1e-6), mean=-0.2, variance=0.5, skewness=0.4, kurtosis=0.5, moran=0.3)
    assert {key: verdict.text for key, verdict in said.verdicts.items()} == {
        "mean": "mean −0.200 instead of 0 (white: up to ±0.0520)",
        "variance": "variance 0.50 instead of 1 (0.93–1.07)",
        "skewness": "leans to high values: skewness 0.400 (white: up to ±0.127)",
        "kurtosis": "heavy tails: excess kurtosis 0.500 (white: up to ±0.255)",
        "ks": "not distributed as N(0, 1): Kolmogorov-Smirnov distance 0.0123, p = 0.500, n = 4000",
        "moran": "neighbours correlate: Moran's I 0.300",
        "autocorrelation": "resembles itself at shift (x 4, y −3) px: correlation 0.0700, white stays below 0.0900",
        "channels": "channels correlate: 0.0200, white stays below 0.0800",
        "spectrum": "spectrum not flat: 1.20 times the mean power at 0.25 cycles/px",
    }
    assert not any(verdict.ok for verdict in said.verdicts.values())
    assert said.verdict == Verdict(
        False, "not white: variance 0.50 instead of 1 (0.93–1.07); neighbours correlate: Moran's I 0.300; and 7 more"
    )
    other = judged(p=dict.fromkeys(WHITE.p, 1e-6), skewness=-0.4, kurtosis=-0.5, moran=-0.3).verdicts
    assert other["skewness"].text.startswith("leans to low values: ")
    assert other["kurtosis"].text.startswith("light tails: ")
    assert other["moran"].text == "neighbours oppose each other: Moran's I −0.300"


def test_the_whole_allows_for_nine_tests() -> None:
    def with_p(p: float) -> Verdict:
        return judged(p={**WHITE.p, "channels": p}).verdict

    assert with_p(0.00012) == Verdict(
        True, "white Gaussian noise (n = 4000); channels at p = 0.0001, not rare among 9 tests"
    )
    assert with_p(0.00011).ok is False  # 9 of it are below 0.001
    assert with_p(0.001).text == "white Gaussian noise (n = 4000)"
    two = judged(p={**WHITE.p, "channels": 1e-9, "mean": 1e-9}).verdict.text
    assert (
        two
        == "not white: channels correlate: 0.0200, white stays below 0.0800; mean 0.0100 instead of 0 (white: up to ±0.0520)"
    )
    fewer = {key: (p if key in ("mean", "ks") else math.nan) for key, p in WHITE.p.items()}
    assert judged(p={**fewer, "mean": 0.00049}).verdict.ok is False  # two tests are left
    assert judged(p={**fewer, "mean": 0.00051}).verdict.ok


def test_variances_are_told_apart_from_1() -> None:
    near = judged(variance_low=0.9991, variance_high=1.0009, variance=1.0004)
    assert near.verdicts["variance"].text == "variance 1.000 (white: 0.999–1.001)"
    off = judged(variance_low=0.9999, variance_high=1.0001, variance=1.00004, p={**WHITE.p, "variance": 1e-9})
    assert off.verdicts["variance"].text == "variance 1.00004 instead of 1 (0.9999–1.0001)"
    assert judged(variance=math.nan).verdicts["variance"] == Verdict(None, "one value has no variance")


@pytest.mark.parametrize(("n", "judged_at_all"), [(19, False), (20, True)])
def test_fewer_than_twenty_values_are_not_judged(n: int, judged_at_all: bool) -> None:
    few = torch.full((1, 1, n), 3.5)
    result = measure(few)
    assert result.verdicts["variance"] == Verdict(False if judged_at_all else None, "all values are the same")
    assert result.verdicts["autocorrelation"].text == (
        "all values of a channel are the same" if judged_at_all else "no shifts to compare"
    )
    assert result.verdict.ok is (False if judged_at_all else None)
    if not judged_at_all:
        assert result.verdict.text == "too few values to judge (n = 19)"
        assert pool(few.expand(3, 1, 1, n)).verdict.text == "too few values to judge (n = 57 in 3 frames)"
    ramp = torch.linspace(-9, 9, n).view(1, 1, n)
    assert measure(ramp).verdicts["mean"].ok is (True if judged_at_all else None)


def test_what_cannot_be_measured_has_no_number() -> None:
    """A value that is not finite: every number is NaN, every verdict the reason, every curve empty or NaN."""
    noise = torch.randn(2, 6, 7)
    noise[1, 2, 3] = math.inf
    result = measure(noise)
    numbers = ("mean", "variance", "skewness", "kurtosis", "ks", "ks_p", "moran", "moran_z", "moran_p", "autocorrelation",
               "autocorrelation_expected", "autocorrelation_limit", "channel_correlation", "channel_limit")  # fmt: skip
    assert all(isinstance(getattr(result, name), float) and math.isnan(getattr(result, name)) for name in numbers)
    assert (result.n, result.frames, result.autocorrelation_shift, dict(result.p)) == (84, 1, (0, 0), {})
    assert set(result.verdicts) == set(WHITE.p)
    assert set(result.verdicts.values()) == {Verdict(False, "1 of 84 values are not finite")}
    assert result.verdict == Verdict(False, "not noise: 1 of 84 values are not finite")
    for curve, shape in [
        (result.density, (90,)), (result.quantiles, (101, 2)), (result.spectrum, (0, 2)), (result.autocorrelation_map, (33, 33))
    ]:  # fmt: skip
        assert curve.shape == shape
        assert curve.dtype == np.float32
        assert np.isnan(curve).all()
    assert result.edges.tolist() == measure(torch.randn(1, 4, 4)).edges.tolist()
    assert 0 < result.variance_low < 1 < result.variance_high
    far = measure(torch.full((1, 5, 5), 2e9)).verdict.text
    assert far == "not noise: values reach 2e+09, far outside what noise of variance 1 takes"
    assert measure(torch.full((1, 5, 5), -2e9)).verdict.text == far
    assert measure(torch.full((1, 5, 5), 1e9)).verdict.text == "not noise: all values are the same"
