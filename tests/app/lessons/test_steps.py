"""Every step of every lesson computes: at its defaults, at both ends of each control, twice the same, and soon."""

from __future__ import annotations

import time
from typing import Any

import pytest

from app.lessons.compute.lesson import Choice, Hidden, Lesson, Slider, Step, Switch, Value
from app.lessons.models import LESSONS
from tests.app.lessons import scenes

STEPS = [
    pytest.param(name, number, id=f"{name}-{number + 1}")
    for name, lesson in LESSONS.items()
    for number in range(len(lesson.steps))
]
ENOUGH_SECONDS = 0.2  # of refining; some steps do so for many seconds
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


def _step(name: str, number: int) -> tuple[Lesson, Step]:
    lesson = LESSONS.get(name)
    return lesson, lesson.steps[number]


@pytest.mark.parametrize(("name", "number"), STEPS)
def test_a_step_computes_at_its_defaults(name: str, number: int) -> None:
    lesson, step = _step(name, number)
    found, begin = [], time.process_time()
    for scene in step.compute(lesson.defaults()):
        found.append(scene)
        scenes.check(scene)
        assert scenes.arrangement(scene) == scenes.arrangement(found[0]), "refining moves no panel"
        assert scene.caption
        if time.process_time() - begin > ENOUGH_SECONDS:
            break
    else:
        assert not found[-1].rough, "the last one is the finest"
    assert all(scene.rough for scene in found[:-1]), "rough says that a finer one follows"
    begin = time.perf_counter()  # after the first time, which may have made what it keeps
    again = next(iter(step.compute(lesson.defaults())))
    assert time.perf_counter() - begin < FIRST_SECONDS
    scenes.check(again)
    if len(found) == 1 and not found[0].rough:  # a rough one may show how far the work has come
        assert scenes.same(again, found[0]), "equal settings give equal scenes"


@pytest.mark.parametrize(("name", "number"), STEPS)
def test_a_step_computes_at_the_ends_of_its_controls(name: str, number: int) -> None:
    lesson, step = _step(name, number)
    defaults = lesson.defaults()
    handles = scenes.handles(scenes.first(name, number))
    names = [*step.controls, *(one for handle in handles for one in (handle.name_x, handle.name_y) if one)]
    all_ends = {control: ends(lesson.control(control)) for control in names}
    # All controls at their first end, all at their last, and every other choice by itself.
    settings = [{control: values[at] for control, values in all_ends.items()} for at in (0, -1)]
    settings += [{control: value} for control, values in all_ends.items() for value in values[1:-1]]
    for changed in settings:
        scenes.check(next(iter(step.compute({**defaults, **changed}))))
    if step.draws:
        scenes.check(next(iter(step.compute({**defaults, "seed": 8.0}))))


@pytest.mark.parametrize(("name", "number"), STEPS)
def test_what_a_step_names_is_there(name: str, number: int) -> None:
    lesson, step = _step(name, number)
    for control in step.controls:
        assert not isinstance(lesson.control(control), Hidden), f"{control} has no control"
    if step.sweep:
        assert isinstance(lesson.control(step.sweep), Slider)
        assert step.sweep in step.controls, "what an animation moves can be moved by hand"
    for handle in scenes.handles(scenes.first(name, number)):
        for control in (handle.name_x, handle.name_y):
            assert not control or isinstance(lesson.control(control), (Slider, Hidden))


@pytest.mark.parametrize("name", LESSONS.names())
def test_defaults_lie_within(name: str) -> None:
    lesson = LESSONS.get(name)
    assert len({control.name for control in lesson.controls}) == len(lesson.controls)
    for control in lesson.controls:
        if isinstance(control, (Slider, Hidden)):
            assert control.low <= control.default <= control.high
        if isinstance(control, Choice):
            assert control.default in [value for value, _ in control.options]
