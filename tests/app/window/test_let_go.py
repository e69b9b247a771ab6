"""What was closed is gone, and what was asked for is refused in a sentence rather than by an exception."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QMessageBox

from app.views.export.dialog import ExportDialog
from app.views.source.flow_dialog import FlowDialog
from app.window.main_window import Window
from gpu.session import PriorSettings, SourceSettings
from tests.app.window.conftest import MakeWindow, delete_closed, settle, wait_for
from tests.app.window.fake_engine import FakeEngine


@pytest.fixture
def window(make_window: MakeWindow, engines: type[FakeEngine]) -> Window:
    """A window on few and small frames, all computed."""
    engines.frames, engines.height, engines.width = 4, 9, 16
    window = make_window()
    settle(window)
    return window


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Exceptions in slots, which pytest-qt would report in a test of its own choice."""
    raised: list[str] = []
    monkeypatch.setattr("sys.excepthook", lambda kind, problem, trace: raised.append(repr(problem)))
    yield raised
    assert raised == []


def _export(window: Window) -> QDialog:
    window.exporting.open()
    return window.findChildren(ExportDialog)[-1]


def _flow(window: Window) -> QDialog:
    window.documents.check_flow(SourceSettings(kind="flow", flow_path="absent.npy"))
    return window.findChildren(FlowDialog)[-1]


def _page(name: str) -> Callable[[Window], QDialog]:
    def show(window: Window) -> QDialog:
        window.actions_[name].trigger()
        return window.findChildren(QDialog)[-1]

    return show


def _column(window: Window) -> QMenu:
    window.compare._chips[0].open_menu()
    return window.compare._chips[0].findChildren(QMenu)[-1]


SHOWN: dict[str, Callable[[Window], QDialog | QMenu]] = {
    "about": _page("about"), "shortcuts": _page("shortcuts"), "flow": _flow, "export": _export, "column": _column,
}  # fmt: skip


@pytest.mark.slow
def test_dialogs_that_are_closed_are_deleted(window: Window, faults: list[str]) -> None:
    for name, show in SHOWN.items():
        shown = show(window)
        objects = len(window.findChildren(QObject))
        shown.close()
        delete_closed()
        assert not shiboken6.isValid(shown), name
        for _ in range(3):
            show(window).close()
            delete_closed()
        assert len(window.findChildren(QObject)) < objects, name


@pytest.mark.slow
def test_the_box_with_details_is_deleted(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QMessageBox, "exec", lambda box: 0)
    window.banner.show_error("It went wrong.", "Here.")
    window.banner._more.click()
    delete_closed()
    assert window.findChildren(QMessageBox) == []


@pytest.mark.slow
def test_the_export_dialog_can_be_closed_before_it_knows_what_it_would_write(window: Window, faults: list[str]) -> None:
    answered: list[int] = []
    window.worker.answered.connect(lambda ticket, _: answered.append(ticket))
    window.exporting.open()
    dialog = window.findChildren(ExportDialog)[-1]
    dialog._ask_plan()
    dialog.close()
    delete_closed()
    wait_for(lambda: bool(answered))
    assert not shiboken6.isValid(dialog)


def _used_and_closed(window: Window) -> weakref.ref[Window]:
    settle(window)
    for name in window.layout_.panels:
        window.layout_.fold(name, True)
    wait_for(lambda: window.statistics.panel is not None and window.timeline.panel is not None)
    for name in ("about", "poses"):
        window.actions_[name].trigger()
    assert window.experiments.dialog is not None
    for show in (_export, _column):
        show(window)
    window.close()
    return weakref.ref(window)


@pytest.mark.slow
def test_windows_that_were_closed_are_gone(make_window: MakeWindow, engines: type[FakeEngine]) -> None:
    """Nothing keeps a window: no lambda at a signal, no timer, no registry. With its dialogs, panels and the pose editor."""
    engines.frames, engines.height, engines.width = 2, 9, 16
    gone, objects = [], []
    for _ in range(2):
        gone.append(_used_and_closed(make_window()))
        QApplication.processEvents()
        delete_closed()
        objects.append(sum(isinstance(each, QObject) for each in shiboken6.getAllValidWrappers()))
        gc.collect()
    assert objects[-1] <= objects[0]
    assert [reference() for reference in gone] == [None, None]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["shorter", "undone"])
def test_a_clip_that_becomes_shorter_than_the_frame_shown_is_computed_to_its_end(
    window: Window, faults: list[str], change: str
) -> None:
    def length(frames: int) -> None:
        session = window.state.session
        window.state.change(replace(session, source=replace(session.source, frames=frames)), "Length")

    length(6)
    settle(window)
    if change == "undone":
        length(7)
        settle(window)
    window.actions_["last"].trigger()
    settle(window)
    if change == "undone":
        window.actions_["undo"].trigger()
    else:
        length(3)
    settle(window)
    assert window.banner.text == ""
    assert window.actions_["background"].isChecked()
    assert window.state.view.frame == (5 if change == "undone" else 2)


@pytest.mark.slow
def test_errors_that_end_computing_ahead_untick_it(window: Window, engines: type[FakeEngine]) -> None:
    engines.bad_frames = frozenset(range(1, 4))
    session = window.state.session
    window.state.change(replace(session, noise=replace(session.noise, seed=4)), "Seed")
    wait_for(lambda: not window.actions_["background"].isChecked())
    assert window.banner.text == "The clip is damaged here."
    engines.bad_frames = frozenset()
    window.state.undo()
    settle(window)
    assert window.actions_["background"].isChecked()


@pytest.mark.slow
def test_one_gamma_for_columns_that_differ_in_nothing_else_is_refused(window: Window, faults: list[str]) -> None:
    priors = (PriorSettings("random"), PriorSettings("random", gamma=0.3), PriorSettings("integral"))
    window.state.change(replace(window.state.session, priors=priors), "Columns")
    slider = window.source.noise._gamma
    slider.bar.setValue(50)
    assert window.banner.text == (
        "γ cannot be the same in all columns: random and random (γ=0.3) would become one. Remove one of them, or "
        "set γ in the menu of a column's head."
    )
    assert window.state.session.priors == priors
    assert slider.value == 0
    window.state.remove_prior("random")
    slider.bar.setValue(50)
    assert [prior.gamma for prior in window.state.session.priors] == [0.5, 0.5]


@pytest.mark.slow
def test_lessons_can_be_closed_while_they_are_laid_out(qapp: object, faults: list[str]) -> None:
    from app.lessons.view.lesson_window import LessonWindow

    lessons = LessonWindow()
    lessons.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    lessons.show()
    QApplication.processEvents()
    lessons.resize(900, 700)
    lessons.close()
    delete_closed()
    assert not shiboken6.isValid(lessons)
    QApplication.processEvents()


@pytest.mark.slow
def test_a_closed_lesson_takes_its_menus_along_also_while_python_still_names_it(qapp: object) -> None:
    """pyqtgraph gives each plot seven menus that belong to no widget."""
    from app.lessons.view.lesson_window import LessonWindow

    def menus() -> int:
        return sum(isinstance(widget, QMenu) for widget in QApplication.allWidgets())

    gc.collect()
    before = menus()
    lessons = LessonWindow()
    lessons.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    lessons.show()
    lessons.open("1")
    wait_for(lambda: bool(lessons.board.panels))
    plots = [panel.plot for panel in lessons.board.panels.values()]
    assert len(plots) > 0
    assert menus() > before
    lessons.close()
    delete_closed()  # the plots
    delete_closed()  # what is to go with them
    assert menus() == before


DELETED = """
import sys
from PySide6.QtCore import QEventLoop, QTimer
from app.lessons.view.glossary import show_glossary
from app.lessons.view.lesson_window import LessonWindow
from app.window import start
app = start.application()
lessons = LessonWindow()
lessons.show()
lessons.open("1")
show_glossary(lessons)
lessons.deleteLater()
loop = QEventLoop()
QTimer.singleShot(50, loop.quit)
loop.exec()
print("alive")
"""


@pytest.mark.slow
def test_a_window_that_is_deleted_waits_for_its_threads(root: Path) -> None:
    """Qt aborts the process where a thread that runs is deleted: those of lessons and of their glossary end first."""
    done = subprocess.run(
        [sys.executable, "-c", DELETED], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout, done.returncode) == ("alive\n", 0), done.stderr[-500:]


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[3] / "app").rglob("*.py")), ids=lambda path: path.name)
def test_what_is_done_later_is_not_done_for_what_is_gone(path: Path) -> None:
    """A single shot names the object that it is for, and is dropped when that is deleted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "singleShot":
            assert len(node.args) == 3, f"{path}:{node.lineno}: milliseconds, the object, what is done"
