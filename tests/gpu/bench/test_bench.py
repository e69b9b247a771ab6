"""Rows of the benchmark: measured in processes of their own, compared with earlier ones, and fitted over the pixels."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpu.bench import earlier, rows
from gpu.bench.row import Job, Row, Span, _row
from gpu.bench.rows import Measured
from gpu.engine.results import Update
from gpu.errors import BackendError, ChoiceError, SessionError


def row(prior: str = "integral", size: int = 64, ratio: float = 10.0, backend: str = "torch", **changes: Any) -> Row:
    values: dict[str, Any] = {
        "prior": prior, "height": size, "width": size, "channels": 4, "backend": backend, "k": 3, "median_ms": 2 * ratio,
        "floor_ms": 2.0, "ratio": ratio, "peak_mb": 300.0, "clock": "processor", "wall_ms": 3 * ratio, "wall_floor_ms": 2.0,
        "wall_ratio": 1.5 * ratio, "once_ms": 1.0, "once_ratio": 0.5, "frames": 9, "drawn": True, "renderer": "torch",
        "device": "cpu",
    }  # fmt: skip
    return {**values, **changes}  # type: ignore[typeddict-item]


def end(steps: Generator[Update, None, Measured]) -> Measured:
    while True:
        try:
            next(steps)
        except StopIteration as done:
            outcome: Measured = done.value
            return outcome


def test_medians_ratios_and_what_is_made_once() -> None:
    import torch

    spans = [Span(0.004, 0.010), Span(0.002, 0.030), Span(0.003, 0.020)]
    floors = [Span(0.001, 0.001), Span(0.001, 0.004), Span(0.001, 0.002)]
    measured = _row(
        Job("integral", 8, 16), spans, floors, [Span(0.009, 1.0), Span(0.013, 1.0)], torch.device("cpu"), "torch", True
    )
    assert (measured["clock"], measured["median_ms"], measured["floor_ms"], measured["ratio"]) == ("processor", 3, 1, 3)
    assert (measured["wall_ms"], measured["wall_floor_ms"], measured["wall_ratio"]) == (20, 2, 10)
    assert (measured["once_ms"], measured["once_ratio"], measured["frames"]) == (8, 8, 3)
    assert (measured["height"], measured["width"]) == (8, 16)
    card = _row(Job("integral", 8, 16), spans, floors, spans, torch.device("cuda"), "torch", True)
    assert (card["clock"], card["median_ms"], card["ratio"]) == ("wall", 20, 10)


def test_the_slope_is_that_of_the_fit_and_of_each_prior_and_backend() -> None:
    measured = [row(size=size, ratio=size**2 / 1000) for size in (64, 128, 256)]
    measured += [row(backend="gl", size=size, ratio=float(size)) for size in (64, 128)]
    measured += [row(prior="random")]
    assert rows.slopes(measured) == [
        {"prior": "integral", "backend": "torch", "slope": 1.0},
        {"prior": "integral", "backend": "gl", "slope": 0.5},
    ]


def test_rows_are_compared_by_all_that_tells_them_apart(tmp_path: Path) -> None:
    before = [
        row(ratio=8.0),
        row(ratio=4.0, backend="gl"),
        row(size=128, ratio=2.0),
        row("bilinear", ratio=5.0, drawn=False),
    ]
    path = tmp_path / "before.json"
    path.write_text(json.dumps({"results": before}))
    now = [
        row(ratio=12.0),
        row(ratio=4.0, k=5),
        row(ratio=2.0, backend="gl"),
        row("bilinear", ratio=5.0, backend="gl", drawn=False),
        row(size=256),
    ]
    changes = earlier.changes(now, earlier.ratios(path))
    assert [(change.row["prior"], change.row["backend"], change.factor) for change in changes] == [
        ("integral", "torch", 1.5),
        ("integral", "gl", 0.5),
        ("bilinear", "gl", 1.0),
    ]
    assert changes[0].sentence == "integral at 64 × 64 (torch) grew from 8.0 to 12.0 times torch.randn, 1.50 times it."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing", "not valid JSON"),
        ("[]", "no results with prior"),
        ('{"results": []}', "it has no results"),
        ('{"results": [{"prior": "random"}]}', "no results with prior"),
        (json.dumps({"results": [row(ratio=0.0)]}), "not positive"),
        (json.dumps({"results": [{**row(), "ratio": "fast"}]}), "could not convert"),
    ],
)
def test_a_file_that_is_no_earlier_run_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "F.json"
    path.write_text(text)
    with pytest.raises(SessionError, match=said):
        earlier.ratios(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="cannot be read"):
        earlier.ratios(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SessionError, match="no text"):
        earlier.ratios(tmp_path / "bytes.json")


def small(**changes: Any) -> Job:
    return Job(**{"prior": "random", "height": 32, "width": 48, "frames": 3, **changes})


@pytest.mark.slow
def test_peaks_are_those_of_the_rows_and_not_of_who_starts_them() -> None:
    """The processes share the memory of whoever starts them until Python is loaded."""
    weight = np.ones(100_000_000)  # 800 MB
    outcome = end(rows.measured([small(), small(prior="integral", channels=2, k=2), small(backend="gl")]))
    assert weight[-1] == 1
    assert not outcome.failures
    random, integral = outcome.rows  # random is not measured again for gl
    assert (random["prior"], random["height"], random["width"], random["drawn"]) == ("random", 32, 48, False)
    assert (integral["prior"], integral["k"], integral["channels"], integral["drawn"]) == ("integral", 2, 2, True)
    for each in outcome.rows:
        assert each["peak_mb"] is None or 50 < each["peak_mb"] < 700
        assert each["frames"] == 3
        assert each["ratio"] == pytest.approx(each["median_ms"] / each["floor_ms"], rel=0.05)
    assert integral["median_ms"] > random["median_ms"]


@pytest.mark.slow
def test_what_a_process_refuses_is_said_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ChoiceError, match="no prior"):
        end(rows.measured([small(prior="nonesuch")]))
    jobs = [small(device="nonesuch"), small(device="nonesuch", height=64)]
    with pytest.raises(BackendError, match="nonesuch"):
        end(rows.measured(jobs))
    outcome = end(rows.measured(jobs, optional=("torch",)))
    assert not outcome.rows
    assert len(outcome.notes) == 1
    assert outcome.notes[0].startswith("The backend torch is left out: The torch device 'nonesuch' cannot be used here")
    crashing = end(rows.measured([small(channels=-1)]))
    assert crashing.failures[0].startswith("random at 32 × 48 (torch) could not be measured: its process ended with ")


@pytest.mark.slow
def test_closing_the_work_ends_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    spawn = rows._spawn

    def noting(*arguments: Any) -> Any:
        started.append(spawn(*arguments))
        return started[-1]

    monkeypatch.setattr(rows, "_spawn", noting)
    steps = rows.measured([small(height=1024, width=1024, frames=900, seconds=600)])
    for _ in range(3):
        next(steps)
    assert started[0].poll() is None
    begin = time.monotonic()
    steps.close()
    assert started[0].poll() is not None
    assert time.monotonic() - begin < 2
