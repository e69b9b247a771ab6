"""The lessons' texts fit the lessons: a section for every step, then mathematics, exercises, sources; formulas are drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.lessons.compute import formulas, texts
from app.lessons.models import LESSONS
from gpu.errors import ChoiceError

LAST = ("Mathematics", "Exercises", "Source")
PAGES = [pytest.param(text.path, id=text.path.stem) for text in texts.lessons()]
if texts.glossary().is_file():
    PAGES.append(pytest.param(texts.glossary(), id="glossary"))


def test_every_lesson_has_its_text_in_the_same_order() -> None:
    assert [text.name for text in texts.lessons()] == LESSONS.names()
    for text in texts.lessons():
        assert text.title.startswith(f"{int(text.path.stem[:2])}. "), text.path
        assert text.about, text.path


@pytest.mark.parametrize("text", texts.lessons(), ids=lambda text: text.name)
def test_sections_are_those_of_the_steps(text: texts.LessonText) -> None:
    page = texts.read(text.path)
    headings = [heading for heading, _ in page.sections]
    steps = [step.heading for step in LESSONS.get(text.name).steps]
    assert headings[: len(steps)] == steps
    assert headings[-len(LAST) :] == list(LAST)
    assert all(words for _, words in page.sections)


@pytest.mark.parametrize("path", PAGES)
def test_formulas_are_understood(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for formula in texts.formulas(text):
        drawn = formulas.outline(formula.tex, formula.display)
        assert drawn.width > 0, formula.tex
        assert len(drawn.points) == len(drawn.codes)
    assert "$" not in texts.replaced(text), "every dollar belongs to a formula"


@pytest.mark.parametrize("path", PAGES)
def test_links_to_files_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
        assert target.startswith(("https://", "#")) or (path.parent / target.partition("#")[0]).is_file(), target


def test_steps_are_found_by_number_and_by_heading() -> None:
    headings = ("One draw", "Many draws")
    assert texts.step_number("", headings) == 0
    assert texts.step_number("2", headings) == 1
    assert texts.step_number("last", headings) == 1
    assert texts.step_number("many", headings) == 1
    with pytest.raises(ChoiceError, match="1 One draw; 2 Many draws"):
        texts.step_number("3", headings)
    with pytest.raises(ChoiceError, match="why-not-interpolate"):
        texts.lesson("nothing")
    assert texts.lesson("1").name == texts.lessons()[0].name


def test_a_formula_is_no_markdown() -> None:
    """Letters and underscores of a formula survive: it is taken out before Markdown is read."""
    text = "a $x_1 * y_1$ and $$\\frac{a}{b}$$"
    assert [(one.tex, one.display) for one in texts.formulas(text)] == [("x_1 * y_1", False), (r"\frac{a}{b}", True)]
    assert texts.replaced(text) == "a ![formula](formula:0) and \n\n![formula](formula:1)\n\n"


def test_no_line_begins_with_a_mark_or_breaks_within_a_name() -> None:
    """The mark behind a formula is drawn with it, and ∫-noise stays on one line."""
    text = "of $a$, $b$. And $c$: then $$d$$."
    assert [one.tex for one in texts.formulas(text)] == ["a,", "b.", "c", "d"]
    assert texts.replaced("of $a$, $b$.") == "of ![formula](formula:0) ![formula](formula:1)"
    assert texts.unbroken("∫-noise, ∫-") == "∫-\u2060noise, ∫-"
