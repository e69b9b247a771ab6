"""The numbers are those of the record (see record.py): noise of every prior, mode and backend, and metrics of outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.recorded import record

pytestmark = pytest.mark.slow

RECORD = Path(__file__).with_name("recorded.npz")


@pytest.fixture(scope="module")
def recorded() -> Any:
    with np.load(RECORD) as arrays:
        return dict(arrays)


def test_the_record_knows_every_case(recorded: Any) -> None:
    """A prior that is new since is no fault; one that is gone, or has lost a mode, is."""
    there = {name.partition("|")[0] for name in recorded}
    assert there <= set(record.cases()) | set(record.renders())
    assert len(there) > 80


@pytest.mark.parametrize("name", record.cases())
def test_noise(name: str, recorded: Any) -> None:
    """Torch gives the same bits on one kind of processor and 1e-5 on another; GL may own a few sub-pixels otherwise."""
    if f"{name}|noise" not in recorded:
        pytest.skip("this prior is newer than the record")
    now = record.warped(record.cases()[name])
    then, noise = recorded[f"{name}|noise"], record.seen(now["noise"])
    assert noise.shape == then.shape
    off = np.abs(noise - then) > 1e-4
    allowed = 0.002 if name.endswith("gl") else 0.0
    assert off.mean() <= allowed, f"{off.mean():.2%} of the values differ, by up to {np.abs(noise - then).max():.3g}"
    differing = np.unpackbits(now["undefined"]) != np.unpackbits(recorded[f"{name}|undefined"])
    assert differing.mean() <= allowed
    if not allowed:
        np.testing.assert_allclose(record.sums(now["noise"]), recorded[f"{name}|sums"], rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("name", record.renders())
def test_metrics(name: str, recorded: Any) -> None:
    now = record.rendered(record.renders()[name])
    then = dict(zip(recorded[f"{name}|names"].tolist(), recorded[f"{name}|values"].tolist(), strict=True))
    assert set(then) <= set(now)
    for key, value in then.items():
        assert now[key] == pytest.approx(value, rel=1e-3, abs=1e-6), key
