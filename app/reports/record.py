"""What result.json holds: numbers, and all that is needed to get them again: parameters, seed, versions, machine."""

from __future__ import annotations

import csv
import importlib.metadata
import io
import math
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import gpu
from gpu.experiments import Experiment, Outcome, Settings, Table
from gpu.experiments.kit.outcome import Claim
from gpu.metrics.intervals import Interval


@dataclass(frozen=True)
class Entry:
    """An experiment of a series: what its result.json holds, or the sentence that says why there is none yet."""

    name: str
    title: str
    about: str
    result: dict[str, Any] | None = None
    problem: str = ""

    @property
    def state(self) -> str:
        """ "done", "failed" or "waiting"."""
        return "done" if self.result else "failed" if self.problem else "waiting"


PACKAGES = ("torch", "numpy", "scipy", "opencv-python", "moderngl", "matplotlib")


def record(
    name: str,
    experiment: Experiment,
    settings: Settings,
    outcome: Outcome,
    started: datetime,
    seconds: float,
    figures: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """result.json as a dictionary: `figures` are the files of each figure by kind."""
    return {
        "experiment": name,
        "title": experiment.title,
        "about": experiment.about,
        "summary": outcome.summary,
        "claims": [claim_record(claim) for claim in outcome.claims],
        "table": [row(cells) for cells in outcome.tables[0].rows] if outcome.tables else [],
        "tables": {table.name: table_record(table) for table in outcome.tables},
        "figures": [
            {
                "name": figure.name,
                "title": figure.title,
                "n": figure.n,
                "caption": figure.caption,
                "files": dict(figures.get(figure.name, {})),
            }
            for figure in outcome.figures
        ],
        "notes": list(outcome.notes),
        "facts": {key: _plain(value) for key, value in outcome.facts.items()},
        "parameters": dict(settings.values),
        "seed": settings.seed,
        "quick": settings.quick,
        "command": command(name, experiment, settings),
        "started": started.astimezone(UTC).isoformat(timespec="seconds"),
        "duration_s": round(seconds, 2),
        "versions": versions(),
        "machine": machine(),
        "commit": commit(),
    }


def command(name: str, experiment: Experiment, settings: Settings) -> str:
    """The command line that runs the same again."""
    words = ["noisescope experiment", name, "--out DIR", f"--seed {settings.seed}"]
    if settings.quick:
        words.append("--quick")
    for info in experiment.parameters:
        usual = info.usual
        if settings.quick:
            usual = experiment.quick.get(info.name, usual)
        value = settings.values[info.name]
        if value != usual:
            text = f"{value:g}" if isinstance(value, float) else str(value)
            words.append(f"--set {info.name}={text}" if " " not in text else f"--set '{info.name}={text}'")
    return " ".join(words)


def claim_record(claim: Claim) -> dict[str, Any]:
    """A claim as JSON holds it."""
    measured = claim.measured
    if isinstance(measured, Interval):
        value, low, high, n = measured.value, measured.low, measured.high, measured.n
        confidence = measured.confidence if math.isfinite(low) else None
    else:
        value, low, high, n, confidence = float(measured), math.nan, math.nan, 0, None
    return {
        "claim": claim.text,
        "measured": _plain(value),
        "measured_lo": _plain(low),
        "measured_hi": _plain(high),
        "n": n or None,
        "confidence": confidence,
        "unit": claim.unit,
        "form": claim.form,
        "wanted": claim.wanted,
        "holds": claim.holds,
        "published": claim.published,
        "published_source": claim.published_source,
        "note": claim.note,
        "answers": claim.answers,
    }


def table_record(table: Table) -> dict[str, Any]:
    """A table as JSON holds it: title, what its columns mean, rows."""
    return {
        "title": table.title,
        "columns": [
            {"name": c.name, "label": c.label, "unit": c.unit, "published": c.published} for c in table.columns
        ],
        "rows": [row(cells) for cells in table.rows],
    }


def row(cells: Mapping[str, Any]) -> dict[str, Any]:
    """A row with numbers that JSON knows: NaN and infinity as null."""
    return {key: _plain(value) for key, value in cells.items()}


def csv_text(table: Table) -> str:
    """A table as CSV with a header line; empty where there is no number."""
    names = list(dict.fromkeys(key for cells in table.rows for key in cells))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for cells in table.rows:
        plain = row(cells)
        writer.writerow(["" if plain.get(name) is None else plain[name] for name in names])
    return text.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def versions() -> dict[str, str]:
    """Versions of this program, Python and what computes."""
    numbers = {"noisescope": gpu.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            numbers[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return numbers


def machine() -> dict[str, Any]:
    """What it ran on."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": _memory(),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, OSError, ValueError):
        return None


def commit() -> str | None:
    """The git commit of the checkout this program runs from, "+" where files differ from it; None outside a checkout."""
    folder = Path(gpu.__file__).resolve().parents[1]
    if not (folder / ".git").exists():
        return None
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],
            cwd=folder, capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip() or None
