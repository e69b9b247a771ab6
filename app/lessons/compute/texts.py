"""The lessons' texts: Markdown, read without importing the lessons themselves. No Qt here.

The text of a lesson is the file `NN-name.md` under assets/lessons, which is a page of the repository as well, or stands in the
lesson's own module (app/lessons/models/name.py) as the constant TEXT. It starts with its title (`# N. Title`) and a line or
two on what it is about; then comes a section (`## Heading`) for each step, in order, and after these the sections that the
program shows as "Mathematics". Formulas stand between $ (in a line) or $$ (on lines of their own).
"""

from __future__ import annotations

import ast
import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gpu.assets import asset
from gpu.errors import ChoiceError
from gpu.registry import plugin_folders

GLOSSARY = "glossary"
FOLDER_FILE = "lessons/README.md"  # found wherever assets are installed; the other texts lie beside it
MODELS = "app.lessons.models"
CONSTANT = "TEXT"  # of a module that carries its text itself
LAST = 100  # the number of a lesson whose title has none


@dataclass(frozen=True)
class Page:
    """A Markdown text cut at its sections: what comes before the first, then (heading, text) in order."""

    title: str
    opening: str
    sections: tuple[tuple[str, str], ...]

    def section(self, heading: str) -> str:
        """The text below a heading; ChoiceError when there is none."""
        for title, text in self.sections:
            if title == heading:
                return text
        raise ChoiceError(f"The text {self.title!r} has no section {heading!r}.")


@dataclass(frozen=True)
class LessonText:
    """The text of a lesson as menus list it. `path` is the file that it stands in: Markdown, or the lesson's module."""

    name: str
    markdown: str
    page: Page
    path: Path

    @property
    def title(self) -> str:
        """The title with its number."""
        return self.page.title

    @property
    def number(self) -> int:
        """The place among all lessons, as its title has it."""
        head = self.title.partition(".")[0]
        return int(head) if head.isdigit() else LAST

    @property
    def about(self) -> str:
        """The first paragraph."""
        return self.page.opening.strip().split("\n\n", 1)[0].replace("\n", " ")

    @property
    def stem(self) -> str:
        """Number and name, as files are called."""
        return f"{self.number:02}-{self.name}"


def lessons() -> tuple[LessonText, ...]:
    """All lessons in order."""
    spec = importlib.util.find_spec(MODELS)
    folders = [*(spec.submodule_search_locations or () if spec else ()), *plugin_folders(MODELS)]
    return _lessons(tuple(dict.fromkeys(folders)))


@cache
def _lessons(folders: tuple[str, ...]) -> tuple[LessonText, ...]:
    """The lessons of assets/lessons and of the modules in `folders`."""
    texts = []
    for path in asset(FOLDER_FILE).parent.glob("[0-9][0-9]-*.md"):
        markdown = path.read_text(encoding="utf-8")
        texts.append(LessonText(path.stem[3:], markdown, cut(markdown), path))
    for path in (path for folder in folders for path in Path(folder).glob("*.py")):
        own = _text_of(path)
        if own:
            texts.append(LessonText(path.stem.replace("_", "-"), own, cut(own), path))
    return tuple(sorted(texts, key=lambda text: (text.number, text.name)))


def _text_of(path: Path) -> str:
    """The constant TEXT of a module, which is parsed and not imported; empty where there is none, or no Python."""
    source = path.read_text(encoding="utf-8")
    if f"\n{CONSTANT} = " not in source:
        return ""
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # whoever opens a lesson will be told
        return ""
    for statement in statements:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            if CONSTANT in names and isinstance(statement.value.value, str):
                return statement.value.value
    return ""


def lesson(name: str) -> LessonText:
    """The lesson of that name or number ("3"); ChoiceError names the choices when there is none."""
    for text in lessons():
        if name in (text.name, text.stem, str(text.number)):
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
