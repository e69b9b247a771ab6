"""README's tables, written from the registries: `python -m app.commands.kit.tables README.md`, with --check to only compare.

A table stands between two lines of Markdown that no reader sees, `<!-- table: priors -->` and `<!-- end of table -->`; what
stands there is replaced. The names are those of TABLES.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gpu.files import replacing

Rows = Iterator[tuple[str, ...]]
"""The headings, then a row for each entry."""

PLACE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
NONE = "–"


def priors() -> Rows:
    """The priors, how each can be carried, and where it comes from."""
    from gpu.priors import PRIORS

    yield "prior", "what it does", "carried", "source"
    for name, prior in PRIORS.items():
        info = prior.info
        yield _code(name), info.summary, ", ".join(info.modes) or NONE, info.source.rstrip(".")


def deformations() -> Rows:
    """The deformations that --synthetic takes, with their parameters."""
    from gpu.source.deformations import DEFORMATIONS

    yield "deformation", "what it does", "parameters"
    for name, deformation in DEFORMATIONS.items():
        yield _code(name), deformation.about, _codes(parameter.name for parameter in deformation.parameters)


def scenes() -> Rows:
    """The computed worlds that --scene takes, and the task that suits each."""
    from gpu.source.scenes import SCENES

    yield "scene", "what it shows", "task"
    for name, scene in SCENES.items():
        yield _code(name), _first_sentence(scene.about), _code(scene.task)


def estimators() -> Rows:
    """The flow estimators and their presets, the default first."""
    from gpu.flow.estimators import ESTIMATORS

    yield "estimator", "what it is", "presets"
    for name, estimator in ESTIMATORS.items():
        yield _code(name), estimator.about, _codes(estimator.presets)


def tasks() -> Rows:
    """The diffusion tasks, and the scene that was made for each."""
    from gpu.diffusion.tasks import TASKS
    from gpu.source.scenes import SCENES

    yield "task", "made for", "what it does"
    for name, task in TASKS.items():
        made_for = [f"the scene {_code(scene)}" for scene, entry in SCENES.items() if entry.task == name]
        yield _code(name), ", ".join(made_for) or "any clip or photo", _first_sentence(task.about)


def formats() -> Rows:
    """The export formats."""
    from app.export import FORMATS

    yield "format", "ending", "holds", "what it is"
    for name, entry in FORMATS.items():
        yield _code(name), "a folder" if entry.is_folder else _code(entry.suffix), entry.kind, entry.summary


def pictures() -> Rows:
    """The formats of pictures that are read."""
    from gpu.decoders.formats import FORMATS

    yield "format", "endings", "what of it", "read by"
    for kind in FORMATS:
        yield kind.title, _codes(kind.suffixes), kind.holds, kind.library


def lessons() -> Rows:
    """The lessons, by number."""
    from app.lessons.compute import texts

    yield "lesson", "what it shows"
    for text in texts.lessons():
        yield text.title, text.about


def experiments() -> Rows:
    """The experiments and what each asks."""
    from gpu.experiments import EXPERIMENTS

    yield "experiment", "asks"
    for name, experiment in EXPERIMENTS.items():
        yield _code(name), f"{_sentence(experiment.title)} {experiment.about}"


def commands() -> Rows:
    """The commands and what each writes."""
    from app.commands import COMMANDS

    yield "command", "what it does", "writes"
    for name, command in COMMANDS.items():
        yield _code(name), command.summary, command.writes or NONE


TABLES: dict[str, Callable[[], Rows]] = {
    "priors": priors,
    "deformations": deformations,
    "scenes": scenes,
    "estimators": estimators,
    "tasks": tasks,
    "formats": formats,
    "pictures": pictures,
    "lessons": lessons,
    "experiments": experiments,
    "commands": commands,
}


def table(name: str) -> str:
    """The Markdown of a table, its last line ended; KeyError for a name that TABLES has not."""
    headings, *rows = TABLES[name]()
    lines = [headings, ("---",) * len(headings), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def rewritten(text: str) -> str:
    """A Markdown text with its tables as the registries have them; KeyError for a mark that names no table."""
    return PLACE.sub(lambda place: f"{place[1]}{table(place[2])}{place[3]}", text)


def main(argv: Sequence[str] | None = None) -> int:
    """Rewrite the tables of the files, or with --check say which differ; 1 when one does."""
    parser = argparse.ArgumentParser(prog="python -m app.commands.kit.tables", description=__doc__)
    parser.add_argument("files", metavar="F.md", nargs="+", type=Path)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 where a table is not up to date"
    )
    arguments = parser.parse_args(argv)
    stale = []
    for path in arguments.files:
        before = path.read_text(encoding="utf-8")
        after = rewritten(before)
        if after == before:
            continue
        stale.append(path)
        if not arguments.check:
            with replacing(path) as partial:
                partial.write_text(after, encoding="utf-8", errors="backslashreplace")
    if arguments.check and stale:
        names = " ".join(map(str, stale))
        print(f"Tables are out of date; run: python -m app.commands.kit.tables {names}", file=sys.stderr)
        return 1
    return 0


def _code(text: str) -> str:
    return f"`{text}`" if text else NONE


def _codes(names: Iterator[str] | Sequence[str]) -> str:
    return ", ".join(map(_code, names)) or NONE


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?]) (?=[A-Z])", text, maxsplit=1)[0]


if __name__ == "__main__":
    sys.exit(main())
