"""README says what the program does: its table of priors is the registry's, and its commands are understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from app.cli import parser
from gpu.priors import PRIORS

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^noisescope .+$", README, re.MULTILINE)


def test_the_table_of_priors_is_the_registry() -> None:
    rows = ["| prior | what it does | carried | source |", "| --- | --- | --- | --- |"]
    for name, prior in PRIORS.items():
        info = prior.info
        modes = ", ".join(info.modes) or "–"
        rows.append(f"| `{name}` | {info.summary} | {modes} | {info.source.rstrip('.')} |")
    table = "\n".join(rows)
    assert table in README, f"README's table of priors should be:\n{table}"


@pytest.mark.parametrize("line", EXAMPLES)
def test_the_examples_are_understood(line: str) -> None:
    arguments = parser().parse_args(shlex.split(line)[1:])
    assert callable(arguments.run)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 6
