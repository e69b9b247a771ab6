"""The window on a fake engine: start, scrub, settings, errors, files, and that everything says what it is."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QSpinBox,
    QWidget,
)

from app.model.flow_fits import FlowFit, FlowReport
from app.model.samples import start_session
from app.model.state import ROWS
from app.views.compare.figures import figures
from app.views.source.flow_dialog import FlowDialog
from app.window import documents, menus
from app.window.main_window import Window
from app.worker.messages import Progress
from gpu.session import PriorSettings, Session, SourceSettings
from tests.app.window.conftest import MakeWindow, idle, settle, wait_for
from tests.app.window.fake_engine import FakeEngine


def seeded(window: Window, seed: int) -> Session:
    session = window.state.session
    return replace(session, noise=replace(session.noise, seed=seed))


def canvas_bytes(window: Window) -> bytes:
    QApplication.processEvents()
    picture = window.compare.canvas.picture()  # it owns the bytes
    return bytes(picture.constBits())


def test_it_shows_itself_before_anything_is_computed(make_window: MakeWindow) -> None:
    window = make_window(run=False)
    assert window.isVisible()
    assert window.result is None
    assert [chip.prior.name for chip in window.compare._chips] == ["random", "fixed", "bilinear", "integral"]
    assert window.state.session.task.name == "super-resolution"


def test_noise_appears_before_the_frame_is_complete(make_window: MakeWindow, engines: type[FakeEngine]) -> None:
    engines.delay = 0.1
    window = make_window()
    wait_for(lambda: window.result is not None)
    assert window.result is not None
    assert not window.result.complete
    assert len(window.result.columns) < 4


@pytest.mark.slow
def test_figures_say_what_was_measured(window: Window) -> None:
    assert window.result is not None
    found = figures(window.result.columns["bilinear"])
    assert found["variance"].text.startswith("0.5")
    assert found["variance"].ok is False
    assert found["warp ×10⁻³"].text == "7.41"
    assert found["sharpness"].ok is False
    assert figures(None)["variance"].text == "–"


@pytest.mark.slow
def test_scrubbing_to_a_computed_frame_takes_a_frame_of_time(
    make_window: MakeWindow, engines: type[FakeEngine]
) -> None:
    engines.height, engines.width, engines.frames = 144, 256, 5
    window = make_window()
    settle(window)
    window.state.set_view(rows=("noise", "output", "xt-noise"))
    times = []
    for t in [4, 3, 1, 0, 2, 4, 1, 3, 0]:
        QApplication.processEvents()
        begin = time.thread_time()  # this thread's own time: the test may share its cores
        window.state.set_frame(t)
        window.compare.canvas.repaint()
        times.append(time.thread_time() - begin)
        assert window.compare.canvas._pictures.t == t
    assert np.median(times) < 0.016


@pytest.mark.slow
def test_a_frame_that_is_not_computed_is_asked_for_and_shown(
    make_window: MakeWindow, engines: type[FakeEngine]
) -> None:
    engines.delay = 0.02
    window = make_window()
    wait_for(lambda: window.result is not None and window.result.complete)
    window.state.set_frame(10)
    assert "frame 10" in window.compare.canvas._waiting
    wait_for(lambda: window.result is not None and window.result.t == 10 and window.result.complete)
    assert window.compare.canvas._waiting == ""


@pytest.mark.slow
def test_results_of_older_settings_are_dropped(window: Window) -> None:
    old = window.worker.cached(0)
    assert old is not None
    window.state.change(seeded(window, 99), "Seed")
    settle(window)
    pictures = window.frames.pictures.get(0)
    assert pictures is not None
    from app.worker.messages import Arrival

    window.frames.on_arrived(Arrival(1, old, pictures))
    assert window.result is not old
    assert window.result is window.worker.cached(0)


@pytest.mark.slow
def test_undo_brings_back_the_same_pictures(window: Window) -> None:
    window.state.set_view(rows=("noise", "output"))  # slices come a little later than frames
    before = canvas_bytes(window)
    window.state.change(seeded(window, 99), "Seed")
    settle(window)
    assert canvas_bytes(window) != before
    window.actions_["undo"].trigger()
    settle(window)
    assert canvas_bytes(window) == before
    assert not window.actions_["undo"].isEnabled()
    assert window.actions_["redo"].isEnabled()


@pytest.mark.slow
def test_an_error_is_said_and_the_window_lives_on(window: Window, tmp_path: Path) -> None:
    window.documents.open_path(tmp_path / "bad.mp4")
    wait_for(lambda: "not a video" in window.banner.text)
    window.actions_["undo"].trigger()
    settle(window)
    assert window.banner.text == ""
    window.state.set_frame(3)
    assert window.result is not None


@pytest.mark.slow
def test_a_bug_is_said_calmly_and_logged(window: Window, caplog: pytest.LogCaptureFixture) -> None:
    window.state.change(seeded(window, 666), "Seed")
    wait_for(lambda: "unexpected" in window.banner.text)
    assert "Traceback" not in window.banner.text
    window.state.change(seeded(window, 5), "Seed")
    settle(window)


@pytest.mark.slow
def test_a_formula_error_stands_beside_the_formula(window: Window) -> None:
    source = SourceSettings(kind="synthetic", name="formula", parameters={"x": "x + sin("})
    window.state.change(replace(window.state.session, source=source), "Formula")
    wait_for(lambda: not window.source._wrong.isHidden())
    assert "bracket" in window.source._wrong.text()
    assert window.banner.text == ""
    fixed = replace(source, parameters={"x": "x + 1"})
    window.state.change(replace(window.state.session, source=fixed), "Formula")
    settle(window)
    assert window.source._wrong.isHidden()


@pytest.mark.slow
def test_sliders_of_a_deformation_change_the_session(window: Window) -> None:
    source = SourceSettings(kind="synthetic", name="translation", frames=12)
    window.state.change(replace(window.state.session, source=source), "Deformation")
    slider = window.source.parameters.sliders["dx"]
    slider.bar.setValue(slider.bar.maximum())
    assert window.state.session.source.parameters["dx"] == 8
    for position in range(10, 60):
        slider.bar.setValue(position)
    settle(window)
    window.state.undo()
    assert window.state.session.source.parameters == {}, "one drag, one step of undo"


@pytest.mark.slow
def test_a_session_goes_through_a_file(window: Window, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    window.state.change(seeded(window, 123), "Seed")
    window.state.set_view(loop=(2, 5), rows=("noise", "error"))
    window.state.set_frame(4)
    kept, view = window.state.session, window.state.view
    window.documents.save_to(path)
    assert not window.state.modified
    assert "mine.json" in window.windowTitle()
    window.documents.show_session(start_session())
    settle(window)
    window.documents.open_path(path)
    settle(window)
    assert window.state.session == kept
    assert window.state.view == view
    assert str(path) in window.user_folder.recent()


@pytest.mark.slow
def test_a_corrupt_session_is_refused_and_nothing_changes(window: Window, tmp_path: Path) -> None:
    before = window.state.session
    for text in ("{", '{"version": 99}', '{"noise": {"k": "three"}}', "[]"):
        path = tmp_path / "broken.json"
        path.write_text(text)
        window.documents.open_path(path)
        assert "broken.json" in window.banner.text
        assert window.state.session == before


@pytest.mark.slow
def test_saving_where_one_may_not_is_said(window: Window, tmp_path: Path) -> None:
    window.documents.save_to(tmp_path / "no such folder" / "x.json")
    assert "cannot be written" in window.banner.text


def drop(window: Window, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(300, 300), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), [("a.mp4", "video"), ("b.JPG", "synthetic"), ("folder", "images")])
def test_what_is_dropped_is_opened(window: Window, tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.touch() if path.suffix else path.mkdir()
    drop(window, path)
    wait_for(lambda: window.state.session.source.path == str(path))  # how long a film is, is asked in the worker first
    source = window.state.session.source
    assert (source.kind, source.path) == (kind, str(path))
    settle(window)
    assert str(path) in window.user_folder.recent()


@pytest.mark.slow
def test_a_dropped_flow_is_opened_as_it_fits_best(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = [FlowFit("forward", "yx", -1, 0.01, np.zeros((8, 8, 3), np.uint8)), FlowFit("backward", "xy", 1, 0.2, None)]
    monkeypatch.setattr(documents, "flow_report", lambda engine, source: FlowReport(fits=tuple(fits)))
    path = tmp_path / "motion.npy"
    path.touch()
    before = window.state.session
    drop(window, path)
    dialog = window.findChild(FlowDialog)
    wait_for(lambda: "Best fit: forward flow" in dialog._state.text())
    assert window.state.session == before, "nothing changes until the person agrees"
    dialog.accept()
    source = window.state.session.source
    assert (source.kind, source.flow_path) == ("flow", str(path))
    assert (source.flow_direction, source.flow_axes, source.flow_sign) == ("forward", "yx", -1)
    settle(window)


@pytest.mark.slow
def test_columns_are_added_renamed_moved_and_removed(window: Window) -> None:
    window.compare.prior_added.emit(PriorSettings("go-with-the-flow"))
    window.compare.prior_added.emit(PriorSettings("go-with-the-flow"))
    assert "same prior" in window.banner.text
    chip = window.compare._chips[2]
    chip._tuned("gamma", 0.5)
    chip._tuned("gamma", 0.6)
    assert window.state.keys[2] == "bilinear (γ=0.6)"
    window.compare.prior_moved.emit("integral", 0)
    window.compare.prior_removed.emit("fixed")
    assert window.state.keys == ("integral", "random", "bilinear (γ=0.6)", "go-with-the-flow")
    settle(window)
    assert window.result is not None
    assert set(window.result.columns) == set(window.state.keys)


@pytest.mark.slow
def test_the_menu_of_priors_explains_them(window: Window) -> None:
    window.compare._fill_menu()
    entries = {action.text(): action for action in window.compare.add.menu().actions()}
    assert not entries["random"].isEnabled(), "it is there already"
    assert entries["bilinear (chained)"].isEnabled()
    assert "What go-with-the-flow does." in entries["go-with-the-flow"].toolTip()


@pytest.mark.slow
def test_zoom_is_linked_and_the_crosshair_reads_all_columns(window: Window) -> None:
    canvas = window.compare.canvas
    column, (top, height) = canvas.columns[1], canvas._layout.rows["noise"]
    point = QPointF(column.center().x(), top + height / 2)
    wheel = QWheelEvent(
        point, canvas.mapToGlobal(point), QPoint(), QPoint(0, 480), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    canvas.wheelEvent(wheel)
    assert window.state.view.zoom > 1.5
    QTest.mouseMove(canvas, point.toPoint())
    text = window.status._message.text()
    assert all(f"{key} " in text for key in window.state.keys)
    assert "σ" in text


@pytest.mark.slow
def test_holding_the_key_flips_every_column_to_the_reference(window: Window) -> None:
    window.state.set_view(reference="fixed", rows=("noise",))
    before = canvas_bytes(window)
    QTest.keyPress(window, Qt.Key.Key_R)
    flipped = canvas_bytes(window)
    assert flipped != before
    QTest.keyRelease(window, Qt.Key.Key_R)
    assert canvas_bytes(window) == before


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["wipe", "difference"])
def test_modes_against_the_reference_change_the_pictures(window: Window, mode: str) -> None:
    window.state.set_view(rows=("noise", "output"))
    before = canvas_bytes(window)
    window.actions_[f"mode_{mode}"].trigger()
    assert window.state.view.mode == mode
    assert canvas_bytes(window) != before
    window.actions_["mode_side"].trigger()
    assert canvas_bytes(window) == before


@pytest.mark.slow
def test_every_row_can_be_shown(window: Window) -> None:
    window.state.set_frame(2)
    for row in ROWS:
        if row not in window.state.view.rows:
            window.actions_[f"row_{row}"].trigger()
    settle(window)
    assert window.state.view.rows == ROWS
    for row in ROWS:
        assert window.actions_[f"row_{row}"].isChecked()
    for row in ROWS:
        window.actions_[f"row_{row}"].trigger()
    assert len(window.state.view.rows) == 1, "the last row stays"


@pytest.mark.slow
def test_playback_shows_frames_and_waits_for_those_that_are_not_there(
    make_window: MakeWindow, engines: type[FakeEngine]
) -> None:
    engines.delay = 0.03
    window = make_window()
    wait_for(lambda: window.result is not None and window.result.complete)
    shown: list[int] = []
    window.state.frame_changed.connect(lambda: shown.append(window.state.view.frame))
    QTest.keyClick(window, Qt.Key.Key_Space)
    assert window.playback.playing
    wait_for(lambda: len(shown) > 5)
    QTest.keyClick(window, Qt.Key.Key_Space)
    assert not window.playback.playing
    assert shown == list(range(1, len(shown) + 1)), "no frame is skipped and none shown before it is computed"


@pytest.mark.slow
def test_colour_noise_is_converted_anew(window: Window) -> None:
    window.actions_["rgb"].trigger()
    wait_for(lambda: window.compare.canvas._pictures.colours == "rgb")
    assert window.compare.canvas._pictures.columns["random"].noise.ndim == 3


@pytest.mark.slow
def test_cancelling_stops_computing_ahead(make_window: MakeWindow, engines: type[FakeEngine]) -> None:
    engines.delay = 0.05
    window = make_window()
    wait_for(lambda: window.result is not None and window.result.complete)
    window.status.cancelled.emit(Progress("", 0, 1))
    wait_for(lambda: window.status._work.isHidden())
    engine = engines.instances[-1]
    count = int(engine.computed().sum())
    QTest.qWait(300)
    assert int(engine.computed().sum()) == count < 12


@pytest.mark.slow
def test_the_theme_can_be_light(window: Window) -> None:
    dark = window.grab().toImage().pixelColor(4, 4).lightness()
    window.actions_["theme_light"].trigger()
    QApplication.processEvents()
    assert window.grab().toImage().pixelColor(4, 4).lightness() > dark + 100
    assert window.user_folder.settings()["theme"] == "light"
    window.actions_["theme_dark"].trigger()


@pytest.mark.slow
def test_every_command_has_a_tip_and_no_shortcut_is_given_twice(window: Window) -> None:
    assert all(command.tip for command in menus.COMMANDS)
    keys = [command.keys or command.hint for command in menus.COMMANDS if command.keys or command.hint]
    assert len(keys) == len(set(keys))
    assert set(window.actions_) == {command.name for command in menus.COMMANDS}
    page = menus.shortcut_page()
    assert all(command.tip in page for command in menus.COMMANDS if command.keys)


@pytest.mark.slow
def test_every_control_has_a_tip_and_a_name(window: Window) -> None:
    source = SourceSettings(kind="synthetic", name="translation")
    window.state.change(replace(window.state.session, source=source), "Deformation")
    settle(window)
    controls = (QAbstractButton, QAbstractSlider, QComboBox, QSpinBox, QLineEdit)
    for panel in (window.source, window.compare, window.status, window.banner):
        for kind in controls:
            for control in panel.findChildren(kind):
                if _internal(control):
                    continue
                named = control.accessibleName() or (isinstance(control, QAbstractButton) and control.text())
                assert named, f"{control} in {type(panel).__name__} has no accessible name"
                if not control.isHidden():
                    assert control.toolTip(), f"{named} has no tooltip"


def _internal(widget: QWidget) -> bool:
    """Parts that Qt makes inside of a control: the field of a spin box, scroll bars, the list of a combo box."""
    if "ScrollBar" in type(widget).__name__ or widget.objectName().startswith("qt_"):
        return True
    parent = widget.parent()
    while parent is not None and not isinstance(parent, (QAbstractSpinBox, QComboBox, QMenu)):
        parent = parent.parent()
    return parent is not None


@pytest.mark.slow
def test_the_plots_follow_the_frame(make_window: MakeWindow) -> None:
    window = make_window(plots=True)
    settle(window)
    before = window.statistics.grab().toImage()
    window.state.set_frame(8)
    settle(window)
    assert window.statistics.grab().toImage() != before
    assert window.timeline.isVisible()


def test_closing_ends_the_worker_and_frees_the_engine(make_window: MakeWindow, engines: type[FakeEngine]) -> None:
    window = make_window()
    wait_for(lambda: window.result is not None)
    window.close()
    assert window.worker.isFinished()
    assert [engine.closed for engine in engines.instances] == [1]


@pytest.mark.slow
def test_figures_can_be_copied(window: Window) -> None:
    window.actions_["copy_values"].trigger()
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].split("\t") == ["frame 0", "random", "fixed", "bilinear", "integral"]
    assert any(line.startswith("variance") for line in lines)


@pytest.mark.slow
def test_idle_is_idle(window: Window) -> None:
    assert idle(window)
    wait_for(lambda: window.status._bar.isHidden())
