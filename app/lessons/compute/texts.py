"""The lessons' texts: Markdown under assets/lessons, read by the program and on the repository's pages alike. No Qt here.

A file `NN-name.md` starts with its title (`# N. Title`) and a line or two on what it is about; then comes a section
(`## Heading`) for each step, in order, and after these the sections that the program shows as "Mathematics".
Formulas stand between $ (in a line) or $$ (on lines of their own).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gpu.assets import asset
from gpu.errors import ChoiceError

GLOSSARY = "glossary"
FOLDER_FILE = "lessons/README.md"  # found wherever assets are installed; the other texts lie beside it


@dataclass(frozen=True)
class LessonText:
    """A lesson as it stands in the menu: `title` with its number, `about` the first paragraph, `path` its Markdown."""

    name: str
    title: str
    about: str
    path: Path


@dataclass(frozen=True)
class Page:
    """A Markdown text cut at its sections: what comes before the first, then (heading, text) in order."""

    title: str
    opening: str
    sections: tuple[tuple[str, str], ...]

    def section(self, heading: str) -> str:
        """The text below a heading; ChoiceError when there is none."""
        for known, text in self.sections:
            if known == heading:
                return text
        raise ChoiceError(f"The text {self.title!r} has no section {heading!r}.")


@cache
def lessons() -> tuple[LessonText, ...]:
    """All lessons in order."""
    folder = asset(FOLDER_FILE).parent
    found = []
    for path in sorted(folder.glob("[0-9][0-9]-*.md")):
        page = read(path)
        about = page.opening.strip().split("\n\n", 1)[0].replace("\n", " ")
        found.append(LessonText(path.stem[3:], page.title, about, path))
    return tuple(found)


def lesson(name: str) -> LessonText:
    """The lesson of that name or number ("3"); ChoiceError names the choices when there is none."""
    for text in lessons():
        if name in (text.name, text.path.stem, text.path.stem[:2].lstrip("0")):
            return text
    choices = ", ".join(text.name for text in lessons())
    raise ChoiceError(f"There is no lesson {name!r}. Choose one of: {choices}.")


def step_number(text: str, headings: tuple[str, ...]) -> int:
    """Which step `text` means: a number from 1, "last", or the beginning of a heading (nothing: the first). ChoiceError
    names the choices."""
    if not text:
        return 0
    if text == "last":
        return len(headings) - 1
    if text.isdigit() and 1 <= int(text) <= len(headings):
        return int(text) - 1
    for index, heading in enumerate(headings):
        if heading.lower().startswith(text.lower()):
            return index
    choices = "; ".join(f"{index} {heading}" for index, heading in enumerate(headings, start=1))
    raise ChoiceError(f"The lesson has no step {text!r}. Choose one of: {choices}.")


def glossary() -> Path:
    """The Markdown of the glossary."""
    return asset(FOLDER_FILE).parent / f"{GLOSSARY}.md"


def read(path: Path) -> Page:
    """A Markdown file, cut at its sections."""
    return cut(path.read_text(encoding="utf-8"))


def cut(text: str) -> Page:
    """Markdown cut at its `## ` headings."""
    head, *rest = re.split(r"^## +(.+?) *$", text, flags=re.MULTILINE)
    first, _, opening = head.strip().partition("\n")
    sections = tuple((rest[at], rest[at + 1].strip()) for at in range(0, len(rest), 2))
    return Page(first.removeprefix("#").strip(), opening.strip(), sections)


FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$([.,;]?)", re.DOTALL)
"""A formula, and the mark right behind one in a line: drawn apart from it, a line could begin with it."""

UNBROKEN = re.compile("∫-(?=noise)")


def unbroken(text: str) -> str:
    """The text with words held together that no line may break at their hyphen: ∫-noise."""
    return UNBROKEN.sub("∫-\u2060", text)


@dataclass(frozen=True)
class Formula:
    """A formula of a text: TeX without the dollars, and whether it stands on a line of its own."""

    tex: str
    display: bool


def formulas(text: str) -> list[Formula]:
    """All formulas of a Markdown text, in order."""
    return [_formula(match) for match in FORMULA.finditer(text)]


def replaced(text: str) -> str:
    """The text with every formula as an image `![](formula:N)`, N counting as in `formulas`: no letter of one is mistaken
    for Markdown."""
    count = iter(range(len(text)))

    def image(match: re.Match[str]) -> str:
        mark = f"![formula](formula:{next(count)})"
        return f"\n\n{mark}\n\n" if match[1] is not None else mark

    return FORMULA.sub(image, text)


def _formula(match: re.Match[str]) -> Formula:
    return Formula(match[1].strip(), True) if match[1] is not None else Formula(match[2].strip() + match[3], False)
