"""The left panel: scenes, tasks, samplers and models; what a person sets reaches the session and can be undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QSlider

from app.views.widgets.forms import Choices, show_note
from app.views.widgets.sliders import ParameterSlider
from app.window.main_window import Window
from app.worker.model_check import model_found
from gpu.engine.results import SourceInfo
from gpu.parameters import ParameterInfo
from gpu.session import SourceSettings, TaskSettings
from tests.app.window.conftest import settle, wait_for


def pick(combo: Choices, value: object) -> None:
    """Choose as a person does, by the item's place in the list."""
    index = combo.findData(value)
    assert index >= 0
    combo.setCurrentIndex(index)
    combo.activated.emit(index)


def take(window: Window, task: TaskSettings) -> None:
    window.state.change(replace(window.state.session, task=task), "Task")


def take_source(window: Window, source: SourceSettings) -> None:
    window.state.change(replace(window.state.session, source=source), "Source")


@pytest.mark.slow
def test_a_scene_has_live_sliders_and_choices(window: Window) -> None:
    panel = window.source
    before = window.state.session
    pick(panel._kind, "scene")
    assert window.state.session.source.kind == "scene"
    assert window.state.session.source.name == "smoke"
    assert panel._scene_about.text() == "It rises."
    assert panel._file_row.isHidden(), "it reads no file"
    panel.parameters.sliders["dx"].bar.setValue(0)
    pick(panel.parameters.choices["ground"], "sand")
    assert window.state.session.source.parameters == {"dx": -8.0, "ground": "sand"}
    settle(window)
    pick(panel._scene, "pose")
    assert window.state.session.source.parameters == {}
    assert not panel._file_row.isHidden()
    panel._file.setText("/a/walk.json")
    panel._file.editingFinished.emit()
    assert window.state.session.source.path == "/a/walk.json"
    for _ in range(5):
        window.state.undo()
    assert window.state.session == before


@pytest.mark.slow
def test_which_frames_and_what_part_of_them(window: Window) -> None:
    panel, before = window.source, window.state.session
    take_source(window, SourceSettings("video", "a.mp4"))
    start = window.state.session
    assert not panel._form.isRowVisible(panel._fit), "a grid of the picture's own shape leaves nothing to fit"
    panel._every.setValue(3)
    panel._every.setValue(4)
    assert window.state.undo_text == "Every N-th frame"
    pick(panel._rate, 12.0)
    pick(panel._shape, "1:1")
    assert panel._form.isRowVisible(panel._fit)
    pick(panel._fit, "crop")
    pick(panel._height, 96)
    assert window.state.session.source == SourceSettings(
        "video", "a.mp4", height=96, width=96, every=4, fps=12.0, fit="crop"
    )
    pick(panel._shape, "16:9")
    assert window.state.session.source.width == 171
    assert panel._shape.currentData() == "16:9"
    pick(panel._height, 0)
    assert window.state.session.source.width == 0
    for _ in range(7):
        window.state.undo()
    assert window.state.session == start
    assert (panel._every.value(), panel._rate.currentData(), panel._shape.currentData()) == (1, 0.0, "")
    take_source(window, SourceSettings("scene", "smoke", height=30, width=40))
    assert panel._shape.currentData() == "4:3"
    assert not any(panel._form.isRowVisible(field) for field in (panel._every, panel._rate, panel._fit))
    take_source(window, SourceSettings("video", "a.mp4", height=30, width=100))
    assert panel._shape.currentData() == "10:3", "what is not on the menu is shown"
    while window.state.session != before:
        window.state.undo()


@pytest.mark.slow
def test_the_tasks_own_settings_and_what_to_look_at(window: Window) -> None:
    section = window.source.task
    pick(section._task, "jpeg")
    assert section._about.text() == "Puts back what was lost."
    assert not section._about.isHidden()
    slider = section.parameters.sliders["quality"]
    assert slider.value == 8
    for position in range(10, 20):
        slider.bar.setValue(position)
    assert window.state.session.task.parameters == {"quality": slider.value}
    assert window.state.undo_text == "JPEG quality"
    window.state.undo()
    assert window.state.session.task == TaskSettings("jpeg"), "one drag, one step of undo"
    assert slider.value == 8


@pytest.mark.slow
def test_the_sampler_and_its_levels_show_the_tasks_defaults(window: Window) -> None:
    section = window.source.task
    pick(section._task, "hub")
    assert section._sampler.itemText(0) == "the task's"
    pick(section._task, "super-resolution")
    assert section._sampler.itemText(0) == "Heun (task's)"
    assert section._steps.text() == "10 (task's)"
    assert section._sigma_max.number.text() == "10 (task's)"
    assert section._sigma_min.number.text() == "0.02 (task's)"
    assert not section._churn.isEnabled(), "Heun adds no noise"
    pick(section._sampler, "sde")
    assert section._churn.isEnabled()
    section._churn.number.setValue(0.25)
    section._sigma_max.bar.setValue(section._sigma_max.bar.maximum())
    section._sigma_min.number.setValue(0.5)
    section._steps.setValue(7)
    expected = TaskSettings("super-resolution", "sde", 7, 1000.0, 0.5, 0.25)
    assert window.state.session.task == expected
    assert section._reset.isEnabled()
    section._reset.click()
    assert window.state.session.task == TaskSettings("super-resolution")
    assert not section._reset.isEnabled()
    window.state.undo()
    assert window.state.session.task == expected


@pytest.mark.slow
def test_another_task_keeps_the_sampler_and_a_task_its_settings(window: Window) -> None:
    section = window.source.task
    take(window, TaskSettings("jpeg", "heun", 6, 20.0, parameters={"quality": 20.0}))
    pick(section._task, "super-resolution")
    assert window.state.session.task == TaskSettings("super-resolution", "heun", 6)
    pick(section._task, "jpeg")
    assert window.state.session.task == TaskSettings("jpeg", "heun", 6, parameters={"quality": 20.0})


@pytest.mark.slow
def test_a_bad_models_folder_gets_a_sentence_and_a_text_is_taken_once(window: Window, tmp_path: Path) -> None:
    section = window.source.task
    pick(section._task, "hub")
    field = section.parameters.texts["path"]
    number = window.worker.number
    QTest.keyClicks(field, str(tmp_path))
    assert window.state.session.task.parameters == {}, "not letter by letter: each would load a model"
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert window.state.session.task.parameters == {"path": str(tmp_path)}
    wait_for(lambda: not section._wrong.isHidden())
    assert "model_index.json" in section._wrong.text()
    assert str(tmp_path) in section._wrong.text()
    section.show_path(str(tmp_path / "none"))
    wait_for(lambda: "no folder" in section._wrong.text())
    section._reset.click()
    assert window.state.session.task.parameters == {"path": str(tmp_path / "none")}, "a reset does not forget the model"
    pick(section._task, "super-resolution")
    assert section._wrong.isHidden()
    settle(window)
    assert window.worker.number > number


@pytest.mark.slow
def test_what_is_said_of_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert model_found(str(tmp_path)) == (model_found(str(tmp_path))[0], False)
    sentence, good = model_found("nobody/nothing-of-that-name")
    assert good
    assert "not on this machine yet" in sentence


def test_a_logarithmic_slider_goes_from_the_default_to_the_highest(qapp: object) -> None:
    slider = ParameterSlider(ParameterInfo("s", "σ", 0, 0, 1000, 0.01), 0.0, "the task's", 0.1)
    seen: list[float] = []
    slider.changed.connect(lambda _, value: seen.append(value))
    for position in (1, 250, 500, 750, 1000, 0):
        slider.bar.setValue(position)
    assert seen == [0.1, 1.0, 10.0, 100.0, 1000.0, 0.0]
    assert slider.number.text() == "the task's"
    for value in (0.0, 0.1, 0.5, 10.0, 1000.0):
        slider.set_value(value)
        assert slider.value == value
    slider.set_value(10.0)
    assert slider.bar.value() == 500


@pytest.mark.slow
def test_the_wheel_scrolls_the_panel_and_changes_nothing(window: Window) -> None:
    before = window.state.session
    for slider in (window.source.task._sigma_max, window.source.noise._gamma):
        for widget in (slider.bar, slider.number):
            event = QWheelEvent(
                QPointF(4, 4), widget.mapToGlobal(QPointF(4, 4)), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(widget, event)
    assert window.state.session == before


@pytest.mark.slow
def test_the_wheel_leaves_the_keys_to_the_pictures(window: Window) -> None:
    fields = [*window.source.findChildren(QComboBox), *window.source.findChildren(QAbstractSpinBox)]
    fields += window.source.findChildren(QSlider)
    assert len(fields) > 20
    for field in fields:
        assert field.focusPolicy() != Qt.FocusPolicy.WheelFocus, field.accessibleName()


def test_a_number_has_room_for_its_unit(qapp: object) -> None:
    slider = ParameterSlider(ParameterInfo("zoom", "Zoom", 1, 0.9, 1.1, 0.005, "×/frame"), 1.01)
    number = slider.number
    assert number.width() >= number.fontMetrics().horizontalAdvance(number.text()) + 12


@pytest.mark.slow
def test_a_text_takes_the_height_it_needs(window: Window) -> None:
    about, heights = window.source.task._about, []
    for text in ("Look at the grass. " * 30, "Look at the grass. " * 12, "Look at the grass."):
        show_note(about, text)
        QApplication.processEvents()
        heights.append(about.height())
    line = about.fontMetrics().lineSpacing()
    assert heights[0] > 2 * heights[1] > 4 * heights[2]
    assert heights[2] < 2 * line


@pytest.mark.slow
def test_where_a_task_is_seen_best(window: Window) -> None:
    section = window.source.task
    assert section._suits.isHidden(), "this one is at home anywhere"
    take(window, TaskSettings("dress"))
    assert section._suits.text() == "Best seen on the scene Pose, under Source."
    window.state.change(replace(window.state.session, source=SourceSettings(kind="scene", name="pose")), "Scene")
    assert section._suits.isHidden()


@pytest.mark.slow
def test_a_scene_without_catalogue_is_shown_as_it_is(window: Window) -> None:
    source = SourceSettings(kind="scene", name="unheard-of")
    window.state.change(replace(window.state.session, source=source), "Scene")
    assert window.source._scene.currentData() == "unheard-of"
    assert window.source.parameters.isHidden()


@pytest.mark.slow
def test_exposure_and_layer_are_there_for_pictures_of_light_alone(window: Window) -> None:
    panel = window.source
    assert panel._exposure.isHidden()
    assert not panel._form.isRowVisible(panel._layer)
    panel.show_info(replace(_info(), exposure=2.0, layers=("depth",)))
    assert not panel._exposure.isHidden()
    pick(panel._layer, "depth")
    panel._exposure.number.setValue(1.5)
    assert (window.state.session.source.layer, window.state.session.source.exposure) == ("depth", 1.5)
    panel.show_info(_info())
    assert panel._exposure.isHidden()
    window.state.undo()
    window.state.undo()
    assert (panel._exposure.number.value(), window.state.session.source.layer) == (0, "")


def _info() -> SourceInfo:
    return SourceInfo("f.exr", 144, 256, 8, 25.0, (), "DIS", False, "torch cpu", "cpu")
