"""Every step of every lesson computes: at its defaults, at both ends of each control, twice the same, and soon."""

from __future__ import annotations

import time
from itertools import islice
from typing import Any

import pytest

from app.lessons.lesson import Choice, Hidden, Lesson, Slider, Step, Switch, Value
from app.lessons.models import LESSONS
from tests.app.lessons import scenes

STEPS = [
    pytest.param(lesson, step, id=f"{name}-{number}")
    for name, lesson in LESSONS.items()
    for number, step in enumerate(lesson.steps, start=1)
]
SCENES = 3  # of a step at its defaults; some refine for seconds
FIRST_SECONDS = 2.0
"""Bound on the first scene, far above the 30 ms it should take: a loaded machine fails no test, a lesson that computes
everything before it shows anything does. tests/app/lessons/measure_latency.py measures the real figure."""


def ends(control: Any) -> list[Value]:
    """The values at which a control could break a lesson."""
    if isinstance(control, (Slider, Hidden)):
        return [control.low, control.high]
    if isinstance(control, Choice):
        return [value for value, _ in control.options]
    assert isinstance(control, Switch)
    return [not control.default]


@pytest.mark.parametrize(("lesson", "step"), STEPS)
def test_a_step_computes_at_its_defaults(lesson: Lesson, step: Step) -> None:
    found = list(islice(step.compute(lesson.defaults()), SCENES))
    assert found
    for scene in found:
        scenes.check(scene)
        assert scenes.arrangement(scene) == scenes.arrangement(found[0]), "refining moves no panel"
    assert all(scene.rough for scene in found[:-1]), "rough says that a finer one follows"
    assert len(found) == SCENES or not found[-1].rough, "the last one is the finest"
    begin = time.perf_counter()  # after the first time, which may have made what it keeps
    again = step.compute(lesson.defaults())
    scene = next(again)
    assert time.perf_counter() - begin < FIRST_SECONDS
    if not found[-1].rough:  # rough ones may show how far the work has come, the finest is a function of the settings
        for scene in again:
            assert scene.rough or scenes.same(scene, found[-1]), "equal settings give equal scenes"
        assert scenes.same(scene, found[-1])


@pytest.mark.parametrize(("lesson", "step"), STEPS)
def test_a_step_computes_at_the_ends_of_its_controls(lesson: Lesson, step: Step) -> None:
    first = next(iter(step.compute(lesson.defaults())))
    names = {*step.controls, *(name for one in scenes.handles(first) for name in (one.name_x, one.name_y) if name)}
    for name in sorted(names):
        for value in ends(lesson.control(name)):
            scenes.check(next(iter(step.compute({**lesson.defaults(), name: value}))))
    if step.draws:
        scenes.check(next(iter(step.compute({**lesson.defaults(), "seed": 8.0}))))


@pytest.mark.parametrize(("lesson", "step"), STEPS)
def test_what_a_step_names_is_there(lesson: Lesson, step: Step) -> None:
    for name in step.controls:
        assert not isinstance(lesson.control(name), Hidden), f"{name} has no control"
    if step.sweep:
        assert isinstance(lesson.control(step.sweep), Slider)
        assert step.sweep in step.controls, "what an animation moves can be moved by hand"
    first = next(iter(step.compute(lesson.defaults())))
    for handle in scenes.handles(first):
        for name in (handle.name_x, handle.name_y):
            assert not name or isinstance(lesson.control(name), (Slider, Hidden))


@pytest.mark.parametrize("name", LESSONS.names())
def test_defaults_lie_within(name: str) -> None:
    lesson = LESSONS.get(name)
    assert len({control.name for control in lesson.controls}) == len(lesson.controls)
    for control in lesson.controls:
        if isinstance(control, (Slider, Hidden)):
            assert control.low <= control.default <= control.high
        if isinstance(control, Choice):
            assert control.default in [value for value, _ in control.options]
