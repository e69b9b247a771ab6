"""Every step of every lesson computes: at its defaults, at both ends of each control, twice the same, and soon."""

from __future__ import annotations

import time

import pytest

from app.lessons.compute.lesson import Lesson, Step
from app.lessons.models import LESSONS
from gpu.errors import SessionError
from gpu.parameters import ParameterInfo, Value
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


def ends(control: ParameterInfo) -> list[Value]:
    """The values at which a control could break a lesson."""
    if control.is_number:
        return [control.low, control.high]
    return [not control.default] if control.is_switch else list(control.choices)


def _step(name: str, number: int) -> tuple[Lesson, Step]:
    lesson = LESSONS.get(name)
    return lesson, lesson.steps[number]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "number"), STEPS)
def test_a_step_computes_at_its_defaults(name: str, number: int) -> None:
    lesson, step = _step(name, number)
    computed, begin = [], time.process_time()
    for scene in step.compute(lesson.settings()):
        computed.append(scene)
        scenes.check(scene)
        assert scenes.arrangement(scene) == scenes.arrangement(computed[0]), "refining moves no panel"
        assert scene.caption
        if time.process_time() - begin > ENOUGH_SECONDS:
            break
    else:
        assert not computed[-1].rough, "the last one is the finest"
    assert all(scene.rough for scene in computed[:-1]), "rough says that a finer one follows"
    begin = time.perf_counter()  # after the first time, which may have made what it keeps
    again = next(iter(step.compute(lesson.settings())))
    assert time.perf_counter() - begin < FIRST_SECONDS
    scenes.check(again)
    if len(computed) == 1 and not computed[0].rough:  # a rough one may show how far the work has come
        assert scenes.same(again, computed[0]), "equal settings give equal scenes"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "number"), STEPS)
def test_a_step_computes_at_the_ends_of_its_controls(name: str, number: int) -> None:
    lesson, step = _step(name, number)
    defaults = lesson.settings()
    handles = scenes.handles(scenes.first(name, number))
    names = [*step.controls, *(place for handle in handles for place in (handle.name_x, handle.name_y) if place)]
    all_ends = {control: ends(lesson.control(control)) for control in names}
    # All controls at their first end, all at their last, and every other choice by itself.
    settings = [{control: values[at] for control, values in all_ends.items()} for at in (0, -1)]
    settings += [{control: value} for control, values in all_ends.items() for value in values[1:-1]]
    for changed in settings:
        scenes.check(next(iter(step.compute({**defaults, **changed}))))
    if step.draws:
        scenes.check(next(iter(step.compute({**defaults, "seed": 8.0}))))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "number"), STEPS)
def test_what_a_step_names_is_there(name: str, number: int) -> None:
    lesson, step = _step(name, number)
    for control in step.controls:
        assert lesson.control(control).label, f"{control} has no control"
    if step.sweep:
        assert lesson.control(step.sweep).is_number
        assert step.sweep in step.controls, "what an animation moves can be moved by hand"
    for handle in scenes.handles(scenes.first(name, number)):
        for control in (handle.name_x, handle.name_y):
            assert not control or lesson.control(control).is_number


@pytest.mark.parametrize("name", LESSONS.names())
def test_defaults_lie_within(name: str) -> None:
    lesson = LESSONS.get(name)
    assert len({control.name for control in lesson.controls}) == len(lesson.controls)
    assert lesson.settings().keys() == {"seed", *(control.name for control in lesson.controls)}
    for control in lesson.controls:
        with pytest.raises(SessionError, match=control.name):
            lesson.settings({control.name: "no such value" if not control.is_number else control.high + 1})
