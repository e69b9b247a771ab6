"""README says what the program does: its tables are those of the registries, and its commands are understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from app.cli import parser
from app.commands import COMMANDS
from app.commands.kit import tables
from app.export import FORMATS
from app.lessons.compute import texts
from gpu.decoders.formats import FORMATS as PICTURES
from gpu.diffusion.tasks import TASKS
from gpu.experiments import EXPERIMENTS
from gpu.flow.estimators import ESTIMATORS
from gpu.priors import PRIORS
from gpu.source.deformations import DEFORMATIONS
from gpu.source.scenes import SCENES

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
ENTRIES = {
    "priors": len(PRIORS.names()),
    "deformations": len(DEFORMATIONS.names()),
    "scenes": len(SCENES.names()),
    "estimators": len(ESTIMATORS.names()),
    "tasks": len(TASKS.names()),
    "formats": len(FORMATS.names()),
    "pictures": len(PICTURES),
    "lessons": len(texts.lessons()),
    "experiments": len(EXPERIMENTS.names()),
    "commands": len(COMMANDS.names()),
}
EXAMPLES = re.findall(r"^noisescope .+$", README, re.MULTILINE)


def test_the_tables_are_those_of_the_registries() -> None:
    assert tables.rewritten(README) == README, "run: python -m app.commands.kit.tables README.md"


@pytest.mark.parametrize("name", tables.TABLES)
def test_a_table_has_every_entry(name: str) -> None:
    """A row for each entry under the headings and the line below them, and as many cells in each."""
    lines = tables.table(name).splitlines()
    assert len(lines) == 2 + ENTRIES[name]
    assert len({len(re.findall(r"(?<!\\)[|]", line)) for line in lines}) == 1


def test_a_stale_table_is_found_and_rewritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before.\n<!-- table: priors -->\n| old |\n<!-- end of table -->\nAfter.\n", encoding="utf-8")
    assert tables.main([str(page), "--check"]) == 1
    assert "| old |" in page.read_text(encoding="utf-8")
    assert "out of date" in capsys.readouterr().err
    assert tables.main([str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("Before.\n<!-- table: priors -->\n| prior |")
    assert text.endswith("<!-- end of table -->\nAfter.\n")
    assert tables.main([str(page), "--check"]) == 0


@pytest.mark.parametrize("line", EXAMPLES)
def test_the_examples_are_understood(line: str) -> None:
    arguments = parser().parse_args(shlex.split(line)[1:])
    assert callable(arguments.run)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 6
