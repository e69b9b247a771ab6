"""The page that links the reports of several experiments, and the result.json beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from app.reports import pages
from app.reports.record import Entry, commit, machine, versions
from gpu.experiments.kit.questions import QUESTIONS
from gpu.files import replacing


def write_index(folder: Path, entries: Sequence[Entry]) -> None:
    """Write index.html and result.json into `folder`; each experiment lies in the folder of its name."""
    summary = {
        "experiments": [
            {
                "experiment": entry.name,
                "title": entry.title,
                "state": entry.state,
                "problem": entry.problem,
                "summary": entry.result["summary"] if entry.result else "",
                "claims": entry.result["claims"] if entry.result else [],
                "duration_s": entry.result["duration_s"] if entry.result else None,
                "result": f"{entry.name}/result.json" if entry.result else "",
            }
            for entry in entries
        ],
        "questions": {key: question.text for key, question in QUESTIONS.items()},
        "duration_s": sum(entry.result["duration_s"] for entry in entries if entry.result),
        "versions": versions(),
        "machine": machine(),
        "commit": commit(),
    }
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    _replace(folder / "result.json", text)
    _replace(folder / "index.html", pages.index(entries, summary))


def _replace(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")
