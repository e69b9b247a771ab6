"""Writes one experiment's folder: figures, CSV, result.json, report.html."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from app.reports import drawing, pages
from app.reports.record import csv_text, record
from gpu.experiments import Experiment, Outcome, Settings


def write_report(
    folder: Path,
    name: str,
    experiment: Experiment,
    settings: Settings,
    outcome: Outcome,
    started: datetime,
    seconds: float,
    up: str = "",
    preset: str = "",
    processor_seconds: float | None = None,
) -> dict[str, Any]:
    """Write everything into `folder`, which exists, and return what result.json holds. `up` is the page to link back to,
    `preset` a sentence on parameters that differ from the defaults because of time,
    `processor_seconds` what all threads computed together: on a busy machine less than `seconds`."""
    files = {figure.name: drawing.draw(figure, folder) for figure in outcome.figures}
    for table in outcome.tables:
        (folder / f"{table.name}.csv").write_text(csv_text(table), encoding="utf-8", errors="backslashreplace")
    result = {
        **record(name, experiment, settings, outcome, started, seconds, files),
        "preset": preset,
        "processor_s": None if processor_seconds is None else round(processor_seconds, 2),
    }
    text = json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    (folder / "result.json").write_text(text, encoding="utf-8", errors="backslashreplace")
    pictures = {key: _embedded(folder / its["png"]) for key, its in files.items()}
    page = pages.report(result, outcome, experiment, pictures, up)
    (folder / "report.html").write_text(page, encoding="utf-8", errors="backslashreplace")
    return result


def _embedded(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
