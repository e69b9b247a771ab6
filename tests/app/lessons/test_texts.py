"""The lessons' texts fit the lessons: a section for every step, then mathematics, exercises, sources; formulas are drawn."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from app.lessons import models
from app.lessons.compute import formulas, texts
from app.lessons.models import LESSONS
from gpu.errors import ChoiceError
from gpu.registry import PLUGINS
from tests.app.lessons import scenes

LAST = ("Mathematics", "Exercises", "Source")
EXAMPLE = textwrap.dedent((models.__doc__ or "").partition("waves.py:\n\n")[2].partition("\nThe name is")[0])
PAGES = [pytest.param(text.path, text.markdown, id=text.stem) for text in texts.lessons()]
PAGES.append(pytest.param(texts.glossary(), texts.glossary().read_text(encoding="utf-8"), id="glossary"))


def test_every_lesson_has_its_text_in_the_same_order() -> None:
    assert [text.name for text in texts.lessons()] == LESSONS.names()
    for text in texts.lessons():
        assert text.title.startswith(f"{text.number}. "), text.path
        assert text.path.suffix == ".py" or text.path.stem == text.stem
        assert text.about, text.path


@pytest.mark.parametrize("text", texts.lessons(), ids=lambda text: text.name)
def test_sections_are_those_of_the_steps(text: texts.LessonText) -> None:
    headings = [heading for heading, _ in text.page.sections]
    steps = [step.heading for step in LESSONS.get(text.name).steps]
    assert headings[: len(steps)] == steps
    assert headings[-len(LAST) :] == list(LAST)
    assert all(words for _, words in text.page.sections)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "text"), PAGES)
def test_formulas_are_understood(path: Path, text: str) -> None:
    for formula in texts.formulas(text):
        drawn = formulas.outline(formula.tex, formula.display)
        assert drawn.width > 0, formula.tex
        assert len(drawn.points) == len(drawn.codes)
    assert "$" not in texts.replaced(text), "every dollar belongs to a formula"


@pytest.mark.parametrize(("path", "text"), PAGES)
def test_links_to_files_lead_somewhere(path: Path, text: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", text):
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
    assert [(formula.tex, formula.display) for formula in texts.formulas(text)] == [
        ("x_1 * y_1", False),
        (r"\frac{a}{b}", True),
    ]
    assert texts.replaced(text) == "a ![formula](formula:0) and \n\n![formula](formula:1)\n\n"


def test_no_line_begins_with_a_mark_or_breaks_within_a_name() -> None:
    """The mark behind a formula is drawn with it, and ∫-noise stays on one line."""
    text = "of $a$, $b$. And $c$: then $$d$$."
    assert [formula.tex for formula in texts.formulas(text)] == ["a,", "b.", "c", "d"]
    assert texts.replaced("of $a$, $b$.") == "of ![formula](formula:0) ![formula](formula:1)"
    assert texts.unbroken("∫-noise, ∫-") == "∫-\u2060noise, ∫-"


def test_a_module_can_carry_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file is a lesson: the menus find its text in it without importing it."""
    folder = tmp_path / "app" / "lessons" / "models"
    folder.mkdir(parents=True)
    text = "# 11. A new one\n\nWhat it is about.\n\n## First\n\nWords.\n"
    (folder / "a_new_one.py").write_text(f'"""A lesson."""\n\nTEXT = """{text}"""\n\nraise ImportError\n')
    (folder / "broken.py").write_text("\nTEXT = (\n")
    before = texts.lessons()
    monkeypatch.setenv(PLUGINS, str(tmp_path))
    *others, new = texts.lessons()
    assert tuple(others) == before
    assert (new.name, new.title, new.about) == ("a-new-one", "11. A new one", "What it is about.")
    assert new.page.section("First") == "Words."
    assert texts.lesson("11") == texts.lesson("a-new-one") == new


@pytest.mark.slow
def test_the_example_in_the_package_is_a_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a newcomer copies works as it stands."""
    folder = tmp_path / "app" / "lessons" / "models"
    folder.mkdir(parents=True)
    (path := folder / "waves.py").write_text(EXAMPLE, encoding="utf-8")
    monkeypatch.setenv(PLUGINS, str(tmp_path))
    text = texts.lesson("waves")
    monkeypatch.setattr(
        LESSONS, "_entries", {name: (index, LESSONS.get(name)) for index, name in enumerate(LESSONS.names())}
    )
    exec(compile(EXAMPLE, str(path), "exec"), {})
    lesson = LESSONS.get("waves")
    headings = [heading for heading, _ in text.page.sections]
    assert headings == [*(step.heading for step in lesson.steps), *LAST]
    for formula in texts.formulas(text.markdown):
        assert formulas.outline(formula.tex).width > 0
    for scene in lesson.steps[0].compute(lesson.settings()):
        scenes.check(scene)
