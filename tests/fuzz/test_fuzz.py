"""Some broken files for every reader, and that the harness finds what readers do wrong; python -m tests.fuzz runs more."""

from __future__ import annotations

import random
import re

import pytest

from tests.fuzz import bombs
from tests.fuzz import run as runs
from tests.fuzz.mutations import mutated
from tests.fuzz.readers import READERS

SLOW = ("video", "hub")
"""Readers that take half a second an input, or ten for their libraries to be loaded."""


@pytest.mark.slow
def test_broken_files_are_read_or_refused() -> None:
    names = [name for name in READERS if name not in SLOW]
    outcomes = runs.run(names, 30, seed=12) + runs.run(["video"], 10, seed=12)
    for outcome in outcomes:
        assert outcome.failures == [], outcome.reader
        assert outcome.read > 0, outcome.reader
        assert outcome.refused > 0, outcome.reader
    assert sum(outcome.inputs for outcome in outcomes) == 220


@pytest.mark.slow
@pytest.mark.parametrize("name", ["PICTURES", "FLOW", "NOISE", "SESSION", "POSES", "VIDEO"])
def test_small_files_that_claim_much_take_little(name: str) -> None:
    count = len(getattr(bombs, name).files())
    (outcome,) = runs.run([f"tests.fuzz.bombs:{name}"], count, seed=1)
    assert outcome.failures == []
    assert (outcome.inputs, outcome.read > 0) == (count, True)


@pytest.mark.slow
def test_faults_of_readers_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SECONDS", 0.3)
    monkeypatch.setattr(runs, "PATIENCE", 4.0)
    monkeypatch.setattr(runs, "BYTES", 100 << 20)
    says = {
        "RAISES": "IndexError: list index out of range", "DIES": r"the process died \(-11\)", "HANGS": "not done after 4 s",
        "WORKS": r"\d s of processor time \(read\)",
        "TAKES": r"0\.2 GB of memory for a result of 80 bytes", "MUMBLES": "no sentence",
    }  # fmt: skip
    outcomes = {
        outcome.reader: outcome for outcome in runs.run([f"tests.fuzz.bad_readers:{name}" for name in says], 2, 1)
    }
    for name, sentence in says.items():
        outcome = outcomes[f"tests.fuzz.bad_readers:{name}"]
        assert outcome.inputs == len(outcome.failures) == 2, name
        assert all(re.fullmatch(f"{sentence}.*", told) for _, told in outcome.failures), outcome.failures
    (fine,) = runs.run(["tests.fuzz.bad_readers:FINE"], 4, seed=1)
    assert (fine.inputs, fine.failures) == (4, [])


def test_changes_are_the_same_for_a_seed_and_differ_from_the_file() -> None:
    data, others = bytes(range(256)) * 4, [b"PIEH" + bytes(40), b'{"a": [1, 2, 3]}']
    made = [mutated(data, random.Random(seed), others) for seed in range(200)]
    assert made == [mutated(data, random.Random(seed), others) for seed in range(200)]
    assert sum(other != data for other in made) > 190
    assert len(set(made)) > 190
