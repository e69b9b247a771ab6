"""What every scene must be, whichever lesson it comes from: checked here so that a lesson's own tests need not."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np

from app.lessons.compute import scene as s
from app.lessons.models import LESSONS
from app.look import palette

SYMBOLS = ("o", "s", "t", "d", "+", "x")


def check(scene: s.Scene) -> None:
    """Fails with the name of the panel where something could not be drawn, or would be drawn without being understood."""
    names = [panel.name for row in scene.rows for panel in row]
    assert names, "a scene shows something"
    assert len(set(names)) == len(names), "names of panels are used once"
    assert not scene.heights or len(scene.heights) == len(scene.rows)
    assert scene.caption
    for row in scene.rows:
        for panel in row:
            _check_panel(panel)
    for fact in scene.facts:
        assert fact.label
        assert fact.value
        assert "nan" not in fact.value.lower()
        _check_ink(fact.ink)


def _check_panel(panel: s.Panel) -> None:
    assert panel.title, panel.name
    for ends in (panel.range_x, panel.range_y):
        assert ends is None or (np.isfinite(ends).all() and ends[1] > ends[0]), panel.name
    for item in panel.items:
        _check_item(item, panel)


def _check_item(item: s.Item, panel: s.Panel) -> None:
    for field in dataclasses.fields(item):
        value = getattr(item, field.name)
        if isinstance(value, np.ndarray):
            assert value.dtype == np.uint8 or np.issubdtype(value.dtype, np.floating), (panel.name, field.name)
            # A gap is written as NaN; anything infinite is a fault.
            assert not np.isinf(value).any(), (panel.name, field.name)
    if isinstance(item, (s.Curve, s.Points)):
        assert np.shape(item.x) == np.shape(item.y), panel.name
        assert np.ndim(item.x) == 1, panel.name
    if isinstance(item, s.Points):
        assert item.symbol in SYMBOLS, panel.name
    if isinstance(item, s.Bars):
        assert len(item.edges) == len(item.heights) + 1, panel.name
    if isinstance(item, s.Band):
        assert np.shape(item.x) == np.shape(item.low) == np.shape(item.high), panel.name
        assert (np.asarray(item.low) <= np.asarray(item.high)).all(), panel.name
    if isinstance(item, s.Image):
        assert np.ndim(item.values) in (2, 3), panel.name
        assert item.area[2] > 0, panel.name
        assert item.area[3] > 0, panel.name
    if isinstance(item, s.Outlines):
        assert all(np.ndim(shape) == 2 and np.shape(shape)[1] == 2 for shape in item.shapes), panel.name
    if isinstance(item, s.Arrows):
        assert np.shape(item.start) == np.shape(item.end), panel.name
    if hasattr(item, "ink"):
        _check_ink(item.ink)


def _check_ink(ink: str) -> None:
    known = ink in s.INKS or ink.startswith("#") or palette.is_prior(ink)
    assert known, f"{ink!r} is no ink"


def same(one: Any, other: Any) -> bool:
    """Whether two scenes, or parts of them, are equal to the last bit."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=np.issubdtype(np.asarray(one).dtype, np.floating))
    if dataclasses.is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one)
        )
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def handles(scene: s.Scene) -> list[s.Handle]:
    """What can be dragged in a scene."""
    return [item for row in scene.rows for panel in row for item in panel.items if isinstance(item, s.Handle)]


def arrangement(scene: s.Scene) -> tuple[Any, ...]:
    """Where the panels of a scene stand."""
    return tuple(tuple((panel.name, panel.weight) for panel in row) for row in scene.rows), scene.heights


@cache
def first(name: str, number: int) -> s.Scene:
    """The first scene of step `number` (from 0) of a lesson at its defaults, computed once for all tests."""
    lesson = LESSONS.get(name)
    return next(iter(lesson.steps[number].compute(lesson.settings())))
