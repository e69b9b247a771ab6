"""The program still computes the numbers of its record: noise of every prior, mode and backend, and metrics of outputs.

recorded.npz holds what the command line wrote at commit e851dd8; see record.py for what that is. Where a change of the
noise is meant, the record is made anew and .github/CHANGELOG.md says what changed:

    OMP_NUM_THREADS=1 python -m tests.recorded.record tests/recorded/recorded.npz

With torch the noise is the same bit for bit where the machine is like the one of the record. Elsewhere, and in GL, where a
driver may own an edge otherwise, a few pixels may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.recorded.record import Numbers, Record, cases, machine, run

RECORD = Record(Path(__file__).with_name("recorded.npz"))
CASES = RECORD.cases()


@dataclass(frozen=True)
class Limits:
    """How far numbers may be off."""

    noise: float  # at a pixel
    pixels: float  # share of pixels that may be off by more, or with a history where there was none
    sums: float | None  # of noise over a frame; None: sums are not compared, as one pixel may move them
    flow: float  # of vectors over a frame
    metrics: float  # relatively
    least: float  # metrics that are off by less are the same


EXACT = Limits(noise=0.0, pixels=0.0, sums=1e-6, flow=1e-6, metrics=1e-4, least=1e-7)
GL = Limits(noise=1e-4, pixels=1e-3, sums=None, flow=1e-6, metrics=1e-2, least=1e-3)
ELSEWHERE = Limits(noise=1e-4, pixels=1e-3, sums=None, flow=0.1, metrics=1e-2, least=1e-3)
ELSEWHERE_BY_A_MODEL = Limits(noise=0.02, pixels=1e-3, sums=None, flow=0.1, metrics=1e-2, least=1e-3)
"""Without AVX2 the inversion of `layers` was 0.006 off: its pictures are rounded to bytes before the model sees them."""


def limits(name: str) -> Limits:
    """How far a case may be off on this machine."""
    if machine() != RECORD.machine():
        return ELSEWHERE_BY_A_MODEL if "ddim-inversion" in name else ELSEWHERE
    return GL if name.endswith("gl") else EXACT


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_numbers_are_those_of_the_record(name: str) -> None:
    differences = compare(RECORD.numbers(name), run(CASES[name]), limits(name))
    assert not differences, f"noisescope {' '.join(CASES[name])}: {'; '.join(differences)}"


def test_the_record_is_of_these_cases() -> None:
    """A prior that is newer than the record is no fault; a case that was changed without a new record is."""
    now = cases()
    assert {name: now.get(name) for name in CASES} == CASES
    assert len(CASES) > 120


@pytest.mark.parametrize("allowed", [EXACT, GL, ELSEWHERE])
def test_a_changed_number_is_found(allowed: Limits) -> None:
    """The comparison can fail: on a value, a pixel without history, a setting, a metric. What is equal passes."""
    then = RECORD.numbers("rotation, integral anchored, torch")
    assert compare(then, then, allowed) == []
    noise = then.arrays["noise"].copy()
    noise[2, 0, :5] += 2 * allowed.noise + 1e-6
    assert "noise" in compare(then, changed(then, noise=noise), allowed)[0]
    undefined = then.arrays["undefined"].copy()
    undefined[100:104] ^= 255
    assert "undefined" in compare(then, changed(then, undefined=undefined), allowed)[0]
    assert "seed" in compare(then, Numbers(then.arrays, then.facts | {"seed": 8}), allowed)[0]
    then = RECORD.numbers("render, rotation, torch")
    assert compare(then, then, allowed) == []
    metrics = then.arrays["metrics"] * (1 + 2 * allowed.metrics)
    assert "integral/psnr" in " ".join(compare(then, changed(then, metrics=metrics), allowed))


def changed(numbers: Numbers, **arrays: Any) -> Numbers:
    return Numbers(numbers.arrays | arrays, numbers.facts)


def compare(then: Numbers, now: Numbers, allowed: Limits) -> list[str]:
    """What differs by more than it may, in words."""
    differences = missing(then.facts, now.facts)
    if differences:
        return differences
    if "metrics" in then.arrays:
        measured = dict(zip(now.arrays["names"].tolist(), now.arrays["metrics"].tolist()))
        return [
            f"{name} is {measured.get(name)}, not {value}"
            for name, value in zip(then.arrays["names"].tolist(), then.arrays["metrics"].tolist())
            if measured.get(name) != pytest.approx(value, rel=allowed.metrics, abs=allowed.least, nan_ok=True)
        ]
    off = np.abs(now.arrays["noise"] - then.arrays["noise"]).max(1)
    far = (~(off <= allowed.noise)).mean()  # NaN is far off
    if far > allowed.pixels:
        differences.append(f"noise differs in {far:.2%} of the pixels looked at, by up to {np.nanmax(off):.3g}")
    other = np.unpackbits(now.arrays["undefined"] ^ then.arrays["undefined"]).mean()
    if other > allowed.pixels:
        differences.append(f"undefined differs in {other:.2%} of the pixels")
    for key, limit in (("flow", allowed.flow), ("sums", allowed.sums)):
        if limit is not None and not np.allclose(now.arrays[key], then.arrays[key], rtol=1e-9, atol=limit):
            differences.append(f"{'flow' if key == 'flow' else 'noise'} has other sums over the frames")
    return differences


def missing(then: Any, now: Any, path: str = "") -> list[str]:
    """What of the tree `then` is gone or otherwise in `now`; what is new in `now` is no difference."""
    if isinstance(then, dict) and isinstance(now, dict):
        return [line for key in then for line in missing(then[key], now.get(key), f"{path}/{key}")]
    return [] if then == now else [f"{path} is {now!r}, not {then!r}"]
