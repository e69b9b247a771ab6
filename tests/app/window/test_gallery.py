"""The gallery: a sample opens with its task on, in one step of the history, and is marked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.model import samples
from app.model.catalogue import Sample
from app.window.main_window import Window
from gpu.session import SourceSettings
from tests.app.window.conftest import wait_for

PICTURE = np.full((27, 48, 3), 90, np.uint8)
CLIP = Sample("video", "/a/bunny.mp4", "Bunny", "Runs.", "CC", "", "super-resolution", PICTURE)
STILL = Sample("synthetic", "/a/picos.jpg", "Picos", "Grass.", "CC", "translation", "jpeg", PICTURE)
SMOKE = Sample("scene", "", "Smoke", "Rises <up>.", "", "smoke", "hub")
AGAIN = Sample("video", "/a/bunny.mp4", "Bunny again", "", "CC", "", "jpeg", PICTURE)


def marked(window: Window) -> list[str]:
    return [sample.title for sample, button in window.source.gallery._buttons if button.isChecked()]


def click(window: Window, title: str) -> None:
    next(button for sample, button in window.source.gallery._buttons if sample.title == title).click()


@pytest.mark.slow
def test_a_sample_opens_with_its_task_in_one_step(window: Window) -> None:
    window.source.set_samples([CLIP, STILL, SMOKE, AGAIN])
    assert marked(window) == ["Bunny"], "an empty path is the bundled clip"
    before = window.state.session
    click(window, "Picos")
    session = window.state.session
    assert (session.source.kind, session.source.name, session.task.name) == ("synthetic", "translation", "jpeg")
    assert marked(window) == ["Picos"]
    click(window, "Smoke")
    assert window.state.session.source == SourceSettings(kind="scene", name="smoke")
    assert window.state.session.task.name == "hub"
    assert marked(window) == ["Smoke"]
    window.state.undo()
    window.state.undo()
    assert window.state.session == before
    click(window, "Bunny again")
    assert marked(window) == ["Bunny again"], "of two with the same clip the one whose task is on"


@pytest.mark.slow
def test_a_sample_opens_at_its_first_frame(window: Window) -> None:
    window.source.set_samples([CLIP, STILL])
    window.state.set_frame(5)
    click(window, "Picos")
    assert window.state.view.frame == 0


@pytest.mark.slow
def test_a_task_that_is_on_keeps_its_settings(window: Window) -> None:
    session = window.state.session
    task = replace(session.task, steps=33)
    window.state.change(replace(session, task=task), "Steps")
    window.source.set_samples([CLIP, STILL])
    click(window, "Bunny")
    assert window.state.session.task == task


@pytest.mark.slow
def test_the_picture_of_a_scene_follows(window: Window) -> None:
    window.source.set_samples([CLIP, SMOKE])
    button = window.source.gallery._buttons[1][1]
    empty = button.icon().cacheKey()
    window.source.gallery.set_picture(SMOKE, PICTURE)
    assert button.icon().cacheKey() != empty
    assert "&lt;up&gt;" in button.toolTip()


@pytest.mark.slow
def test_a_question_without_hurry_waits_for_the_frame(window: Window) -> None:
    told: list[int] = []
    window.state.set_frame(3)
    window.dispatch.ask(lambda engine: len(engine.log), told.append, hurry=False)
    wait_for(lambda: bool(told))
    assert told[0] > 0


@pytest.mark.slow
def test_every_scene_has_a_small_picture_that_is_of_it() -> None:
    from gpu.source.scenes import SCENES

    shown = {sample.name: sample for sample in samples.bundled() if sample.kind == "scene"}
    assert set(shown) == set(SCENES.names())
    assert all(sample.picture is not None for sample in shown.values()), "python -m app.model.samples"
    flat = shown["flat"]
    assert flat.picture is not None
    computed = samples.scene_thumbnail(flat, samples.SCENE_FRAME)
    apart = np.abs(flat.picture.astype(float) - computed)
    assert apart.mean() < 4, "JPEG alone costs about 2; python -m app.model.samples"
