"""The table of what a soak does: everything that a person can do with the window, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu, QMessageBox, QPushButton, QWidget, QWidgetAction

from app.views.pose.editor import PoseEditor
from app.views.widgets.sliders import ParameterSlider
from app.window.main_window import Window
from tests.app.window.soak.answers import Person
from tests.app.window.soak.pokes import drag, keys, leaves, place, poke, use, use_menu, wheel

Key = Qt.Key
MOST_COLUMNS = 6
EXPERIMENTS = "experiments"
MOST_FRAMES, ROWS = 8, 40
WINDOW_KEYS = (Key.Key_Right, Key.Key_Left, Key.Key_Home, Key.Key_End, Key.Key_Space, Key.Key_R, Key.Key_Escape)
EDITOR_KEYS = (
    Key.Key_Left, Key.Key_Right, Key.Key_Up, Key.Key_Down, Key.Key_PageDown, Key.Key_Space, Key.Key_Home, Key.Key_End,
)  # fmt: skip
LESSON_KEYS = (
    Key.Key_PageDown, Key.Key_PageUp, Key.Key_Home, Key.Key_End, Key.Key_Space, Key.Key_D, Key.Key_R, Key.Key_M,
    Key.Key_Escape,
)  # fmt: skip


@dataclass(frozen=True)
class Action:
    """`do` says in words what it did. `weight`: how often, relative to the others. `modal`: it can be done while a dialog
    keeps the window from being used, and only then."""

    name: str
    weight: float
    do: Callable[[Window, Person], str]
    modal: bool = False


def lessons(window: Window) -> list[QWidget]:
    """The windows of lessons and the glossary that are open."""
    return [child for child in _windows(window) if type(child).__name__ in ("LessonWindow", "Glossary")]


def _windows(window: Window) -> list[QWidget]:
    children = window.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return [child for child in children if child.isWindow() and child.isVisible()]


def _menu_bar(window: Window, person: Person) -> str:
    """Any entry of the menu bar, but those that end the soak or have an action of their own."""
    menus = [action.menu() for action in window.menuBar().actions()]
    usable = [
        entry for menu in menus if isinstance(menu, QMenu) for entry in leaves(menu) if entry.objectName() != "quit"
    ]
    action = person.random.choice(usable)
    text = action.text()
    action.trigger()
    return text


def _length(window: Window, person: Person) -> str:
    frames = person.random.randint(1, MOST_FRAMES)
    window.source._frames.setValue(frames)
    return f"{frames} frames"


def _history(window: Window, person: Person) -> str:
    times, name = person.random.randint(1, 4), person.random.choice(("undo", "undo", "redo"))
    for _ in range(times):
        window.actions_[name].trigger()
    return f"{name} {times} times"


def _ends(window: Window, person: Person) -> str:
    name = person.random.choice(("last", "last", "first", "next", "previous", "loop_start", "loop_end", "loop_off"))
    window.actions_[name].trigger()
    return name


def _gamma(window: Window, person: Person) -> str:
    return use(window.source.noise._gamma.bar, person.random)


def _sample(window: Window, person: Person) -> str:
    buttons = [button for _, button in window.source.gallery._buttons]
    if not buttons:
        return "no samples yet"
    button = person.random.choice(buttons)
    button.click()
    return button.accessibleName()


def _add(window: Window, person: Person) -> str:
    if len(window.state.keys) >= MOST_COLUMNS:
        key = person.random.choice(window.state.keys)
        window.compare.prior_removed.emit(key)
        return f"removed {key}"
    return use_menu(window.compare.add.menu(), person.random)


def _column(window: Window, person: Person) -> str:
    """A column's menu: opened, one entry chosen or one slider dragged, closed."""
    rng = person.random
    chips = window.compare._chips
    if not chips:
        return "no columns"
    chip = rng.choice(chips)
    key = chip.prior.key
    chip.click()
    menu = QApplication.activePopupWidget()
    if not isinstance(menu, QMenu):
        return f"{key}: no menu"
    action = rng.choice([each for each in menu.actions() if each.isEnabled() and not each.isSeparator()])
    text = action.text()
    if isinstance(action, QWidgetAction):
        slider = action.defaultWidget().findChild(ParameterSlider)
        assert slider is not None
        text += f" {use(slider.bar, rng)}"
    else:
        action.trigger()
    menu.close()
    return f"{key}: {text}"


def _drag_head(window: Window, person: Person) -> str:
    chips = window.compare._chips
    if not chips:
        return "no columns"
    chip = person.random.choice(chips)
    key, far = chip.prior.key, person.random.randint(-600, 600)
    QTest.mousePress(chip, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(30, 10))
    for part in (0.3, 0.7, 1.0):
        QTest.mouseMove(chip, QPoint(30 + round(far * part), 10))
    QTest.mouseRelease(chip, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(30, 10))
    popup = QApplication.activePopupWidget()
    if popup is not None:  # it was not far enough to be a drag
        popup.close()
    return f"{key} by {far}"


def _canvas(window: Window, person: Person) -> str:
    canvas, rng = window.compare.canvas, person.random
    if rng.random() < 0.3:
        return wheel(canvas, rng)
    if rng.random() < 0.3:
        QTest.mouseMove(canvas, place(canvas, rng))
        return "pointed"
    return drag(canvas, rng)


def _scrub(window: Window, person: Person) -> str:
    panel = window.timeline.panel
    if panel is None or not panel.isVisible():
        window.state.set_frame(person.random.randrange(max(window.state.frames, 1)))
        return f"frame {window.state.view.frame}"
    if person.random.random() < 0.2:
        return wheel(panel.scrub, person.random)
    return drag(panel.scrub, person.random)


def _play(window: Window, person: Person) -> str:
    window.actions_["play"].trigger()
    return f"playing: {window.playback.playing}"


def _drop(window: Window, person: Person) -> str:
    path = person.file("video", "images", "still", "flow", "session", "poses", "wrong")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, button, keyboard = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), copy, data, button, keyboard))
    return path.name


def _save(window: Window, person: Person) -> str:
    window.actions_[person.random.choice(("save", "save_as"))].trigger()
    return window.status.said


def _open_saved(window: Window, person: Person) -> str:
    saved = sorted(person.folder.glob("[0-3]-*.json")) or person.files["session"]
    path = person.random.choice(saved)
    window.documents.open_path(path)
    return path.name


def _export(window: Window, person: Person) -> str:
    """Open the dialog; now and then close it before it has heard what it would write."""
    window.actions_["export"].trigger()
    dialog = QApplication.activeModalWidget()
    if dialog is None:
        return window.banner.text
    if person.random.random() < 0.4:
        if person.random.random() < 0.5:
            QTest.qWait(person.random.randint(0, 200))
        dialog.close()
        return "opened and closed"
    return "opened"


def _flow_check(window: Window, person: Person) -> str:
    path = person.file("flow", "wrong")
    window.documents.open_as("flow", str(path))
    if person.random.random() < 0.3:
        dialog = QApplication.activeModalWidget()
        if dialog is not None:
            dialog.close()
    return path.name


def _resize(window: Window, person: Person) -> str:
    width, height = person.random.randint(700, 1600), person.random.randint(500, 1000)
    window.resize(width, height)
    return f"{width} × {height}"


def _lesson(window: Window, person: Person) -> str:
    entry = person.random.choice([action for action in window.findChildren(QMenu) if action.title() == "&Lessons"])
    return use_menu(entry, person.random)


def _in_lesson(window: Window, person: Person) -> str:
    rng, shown = person.random, lessons(window)
    if not shown:
        return _lesson(window, person)
    lesson = rng.choice(shown)
    if rng.random() < 0.25:
        lesson.close()
        return "closed"
    if rng.random() < 0.4:
        return keys(lesson, rng, LESSON_KEYS)
    return poke(lesson, rng)


def _poses(window: Window, person: Person) -> str:
    rng = person.random
    editor = next((child for child in _windows(window) if isinstance(child, PoseEditor)), None)
    if editor is None:
        window.actions_["poses"].trigger()
        return "opened"
    if rng.random() < 0.15:
        editor.close()
        return "closed"
    if rng.random() < 0.3:
        return drag(rng.choice((editor.canvas, editor.strip)), rng)
    if rng.random() < 0.3:
        return keys(rng.choice((editor.canvas, editor.strip)), rng, EDITOR_KEYS)
    return poke(editor, rng)


def _experiments(window: Window, person: Person) -> str:
    rng = person.random
    window.actions_["experiments"].trigger()
    dialog = window.experiments._dialog
    if dialog is None:
        return "being read"
    dialog.folder.setText(str(person.folder / "runs"))
    active = window.experiments.processes.active
    if active and rng.random() < 0.7:
        window.experiments.processes.cancel(active[-1])
        return "cancelled"
    if rng.random() < 0.2:
        dialog.close()
        return "closed"
    if rng.random() < 0.25 and len(active) < 2:
        dialog.preset.show_value(True)
        dialog.start.click()
        return f"started {dialog.experiment}"
    return poke(dialog, rng, lambda widget: not isinstance(widget, QPushButton) and widget is not dialog.folder)


def _cancel(window: Window, person: Person) -> str:
    if not window.status._cancel.isVisible():
        return "nothing to cancel"
    window.status._cancel.click()
    return window.status.said


def _key(window: Window, person: Person) -> str:
    return keys(window.compare.canvas, person.random, WINDOW_KEYS)


def _in_dialog(window: Window, person: Person) -> str:
    """Use the dialog that is open, or end it."""
    rng, dialog = person.random, QApplication.activeModalWidget()
    if dialog is None or isinstance(dialog, QMessageBox):
        return "nothing"
    if rng.random() < 0.35:
        buttons = [each for each in dialog.findChildren(QPushButton) if each.isVisible() and each.isEnabled()]
        ending: list[QAbstractButton] = [button for button in buttons if "Browse" not in button.text()]
        if ending and rng.random() < 0.8:
            button = rng.choice(ending)
            text = button.text()
            button.click()
            return f"{type(dialog).__name__}: {text}"
        dialog.close()
        return f"{type(dialog).__name__}: closed"
    return f"{type(dialog).__name__}: {poke(dialog, rng, lambda widget: not isinstance(widget, QPushButton))}"


ACTIONS = (
    Action("menu", 6, _menu_bar),
    Action("length", 5, _length),
    Action("history", 8, _history),
    Action("ends", 5, _ends),
    Action("source panel", 12, lambda window, person: poke(window.source, person.random)),
    Action("statistics", 5, lambda window, person: poke(window.statistics, person.random)),
    Action("timeline", 4, lambda window, person: poke(window.timeline, person.random)),
    Action("tools", 3, lambda window, person: poke(window.compare, person.random)),
    Action("gamma", 3, _gamma),
    Action("sample", 2, _sample),
    Action("add", 4, _add),
    Action("column", 6, _column),
    Action("drag head", 2, _drag_head),
    Action("canvas", 6, _canvas),
    Action("scrub", 4, _scrub),
    Action("play", 2, _play),
    Action("keys", 3, _key),
    Action("drop", 3, _drop),
    Action("save", 1, _save),
    Action("open saved", 1, _open_saved),
    Action("export", 3, _export),
    Action("flow dialog", 2, _flow_check),
    Action("theme", 0.7, lambda window, person: use_menu(_theme_menu(window), person.random)),
    Action("resize", 1, _resize),
    Action("lesson", 0.6, _lesson),
    Action("in lesson", 3, _in_lesson),
    Action("poses", 3, _poses),
    Action(EXPERIMENTS, 1.2, _experiments),
    Action("cancel", 1, _cancel),
    Action("dialog", 1, _in_dialog, modal=True),
)


def _theme_menu(window: Window) -> QMenu:
    return next(menu for menu in window.findChildren(QMenu) if menu.title() == "The&me")


def tame(window: Window, person: Person) -> None:
    """Keep what is computed small, by the fields that a person has for it: the soak is about the window."""
    session = window.state.session
    source, task = session.source, session.task
    if not 0 < source.frames <= MOST_FRAMES:
        source = replace(source, frames=person.random.randint(3, MOST_FRAMES))
    if source.height != ROWS or source.width:
        source = replace(source, height=ROWS, width=0)
    if task.name and not 0 < task.steps <= 2:
        task = replace(task, steps=1)
    window.state.change(replace(session, source=source, task=task), "Small", "tame")
