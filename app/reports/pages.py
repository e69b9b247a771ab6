"""The HTML pages, from the templates beside this file: figures inside, nothing loaded from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.look.palette import is_prior, style
from app.reports.record import Entry
from gpu.experiments import Column, Experiment, Outcome, Table
from gpu.experiments.kit.questions import QUESTIONS, UNANSWERED

SHOWN = 8
"""Answers of a question that the page shows unfolded."""

VERDICTS = {True: ("✓", "holds", "good"), False: ("✗", "does not hold", "bad"), None: ("–", "not decided", "open")}


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["duration"] = duration
    made.globals["verdicts"] = VERDICTS
    return made


def report(
    result: Mapping[str, Any], outcome: Outcome, experiment: Experiment, pictures: Mapping[str, str], up: str
) -> str:
    """The page of one experiment; `pictures` are the figures as data: addresses."""
    claims = [_claim(claim) for claim in result["claims"]]
    tables = [_table(table) for table in outcome.tables]
    parameters = [(info.label, result["parameters"][info.name], info.unit, info.tip) for info in experiment.parameters]
    page = _environment().get_template("report.html")
    return page.render(
        result=result, claims=claims, tables=tables, parameters=parameters, figures=outcome.figures, pictures=pictures,
        up=up, has_published=any(table["published"] for table in tables) or any(c["published"] is not None for c in claims),
    )  # fmt: skip


def index(entries: Sequence[Entry], summary: Mapping[str, Any]) -> str:
    """The page that links the reports of a series."""
    claims = [
        {**_claim(claim), "experiment": entry.name}
        for entry in entries
        if entry.result
        for claim in entry.result["claims"]
    ]
    page = _environment().get_template("index.html")
    return page.render(
        entries=entries, summary=summary, claims=claims, counts=_counts(claims), questions=_questions(entries, claims),
        unanswered=UNANSWERED, has_published=any(claim["published"] is not None for claim in claims),
    )  # fmt: skip


def _questions(entries: Sequence[Entry], claims: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The questions of the summary paper with the claims that answer them, and which experiments are still missing."""
    states = {entry.name: entry.state for entry in entries}
    listed = []
    for key, question in QUESTIONS.items():
        answers = [
            claim for claim in claims
            if claim["answers"] == key or (not claim["answers"] and claim["experiment"] in question.whole)
        ]  # fmt: skip
        answers.sort(key=lambda claim: (False, None, True).index(claim["holds"]))  # what does not hold is seen first
        missing = [
            (name, {"failed": "failed", "waiting": "not run yet"}.get(states.get(name, ""), "not in this report"))
            for name in question.experiments
            if states.get(name) != "done"
        ]
        listed.append(
            {
                "text": question.text, "place": question.place, "answers": answers[:SHOWN], "more": answers[SHOWN:],
                "missing": missing, "counts": _counts(answers),
            }
        )  # fmt: skip
    return listed


def _counts(claims: Sequence[Mapping[str, Any]]) -> dict[bool | None, int]:
    return {verdict: sum(claim["holds"] is verdict for claim in claims) for verdict in VERDICTS}


def _claim(claim: Mapping[str, Any]) -> dict[str, Any]:
    """A claim of result.json as the templates want it."""
    return {
        **claim,
        "shown": _interval(claim, "measured", claim["form"]),
        "shown_published": _number(claim["published"], claim["form"]),
        "about_interval": about_interval(claim),
    }


def about_interval(claim: Mapping[str, Any]) -> str:
    """ "95 %, n = 1 000" of what was measured, as far as it has an interval and a number."""
    parts = [f"{claim['confidence'] * 100:.4g} %"] if claim["confidence"] else []
    parts += [f"n = {_number(claim['n'], '')}"] if claim["n"] else []
    return ", ".join(parts)


def duration(seconds: float | None) -> str:
    """63.2 as "1 min 3 s"."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _number(value: Any, form: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    if isinstance(value, float):
        return format(value, form).replace("-", "−") if math.isfinite(value) else "–"
    return str(value)


def _interval(cells: Mapping[str, Any], name: str, form: str) -> Markup:
    """ "2.50 [2.41, 2.59]" with the interval in small letters, where there is one."""
    low, high = cells.get(f"{name}_lo"), cells.get(f"{name}_hi")
    value = _number(cells.get(name), form)
    if low is None or high is None:
        return Markup("{}").format(value)
    return Markup('{} <span class="ci">[{}, {}]</span>').format(value, _number(low, form), _number(high, form))


def _table(table: Table) -> dict[str, Any]:
    """A table as the template wants it: headings, and cells with their text and class."""
    rows = [[_cell(column, row) for column in table.columns] for row in table.rows]
    return {
        "name": table.name,
        "title": table.title,
        "caption": table.caption,
        "columns": table.columns,
        "rows": rows,
        "published": any(column.published for column in table.columns),
    }


def _cell(column: Column, row: Mapping[str, Any]) -> dict[str, Any]:
    value = row.get(column.name)
    if isinstance(value, np.generic):
        value = value.item()
    spot = ""
    if isinstance(value, str) and is_prior(value):
        spot = style(value).colour_light
    numeric = isinstance(value, (int, float)) or value is None
    kind = "published" if column.published else "number" if numeric else "text"
    return {"text": _interval({**row, column.name: value}, column.name, column.form), "kind": kind, "spot": spot}
