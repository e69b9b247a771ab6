"""The page that links the reports of several experiments, and the result.json beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.reports import pages
from app.reports.record import commit, machine, versions
from gpu.experiments.kit.questions import QUESTIONS


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
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
