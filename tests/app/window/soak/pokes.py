"""Uses any control as a person does: presses, picks, slides, types, drags. What would take too long is kept small."""

from __future__ import annotations

import random
from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QKeyEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QListWidget,
    QMenu,
    QScrollBar,
    QSpinBox,
    QTabBar,
    QToolButton,
    QWidget,
)

HIGHEST = {"Length": 12, "Channels": 6, "Steps": 4, "First frame": 30, "Working size": 96, "Sub-pixels": 4}
"""By accessible name: the highest number, or place in a list, that is chosen."""

LOWEST = {"Length": 1, "Resolution": 1, "Steps": 1}
ROWS = 3  # places in the list of resolutions that are chosen: 72, 96 and 144 rows
TEXTS = ("", "x + 1.5*sin(t)", "y - t/2", "x + sin(", "1/0", "é\u202e", "walk", "/absent/folder", "7")

Random = random.Random


def controls(root: QWidget, wanted: Callable[[QWidget], bool] = lambda _: True) -> list[QWidget]:
    """All that can be used below `root` now."""
    kinds = (QAbstractButton, QComboBox, QAbstractSlider, QAbstractSpinBox, QLineEdit, QTabBar, QListWidget)
    return [
        widget
        for widget in root.findChildren(QWidget)
        if isinstance(widget, kinds)
        and not isinstance(widget, QScrollBar)
        and widget.isVisible()
        and widget.isEnabled()
        and not (isinstance(widget, QLineEdit) and isinstance(widget.parent(), (QAbstractSpinBox, QComboBox)))
        and wanted(widget)
    ]


def poke(root: QWidget, rng: Random, wanted: Callable[[QWidget], bool] = lambda _: True) -> str:
    """Use one control below `root`; what was done, in words."""
    usable = controls(root, wanted)
    if not usable:
        return "nothing to use"
    widget = rng.choice(usable)
    return f"{type(widget).__name__} {_name(widget)!r} {use(widget, rng)}"


def use(widget: QWidget, rng: Random) -> str:
    """Use this control."""
    if isinstance(widget, QToolButton) and widget.menu() is not None:
        return use_menu(widget.menu(), rng)
    if isinstance(widget, QAbstractButton):
        widget.click()
        return "pressed"
    if isinstance(widget, QComboBox):
        return _pick(widget, rng)
    if isinstance(widget, QAbstractSlider):
        places = [rng.randint(widget.minimum(), _top(widget, widget.maximum())) for _ in range(rng.randint(1, 6))]
        for place in places:
            widget.setValue(place)
        return f"slid to {places[-1]}"
    if isinstance(widget, QSpinBox):
        low = max(widget.minimum(), LOWEST.get(_name(widget), widget.minimum()))
        value = rng.randint(low, max(min(_top(widget, widget.maximum()), low + 10**6), low))
        widget.setValue(value)
        widget.editingFinished.emit()
        return f"set to {value}"
    if isinstance(widget, QDoubleSpinBox):
        number = rng.uniform(widget.minimum(), min(widget.maximum(), HIGHEST.get(_name(widget), widget.maximum())))
        widget.setValue(number)
        widget.editingFinished.emit()
        return f"set to {number:g}"
    if isinstance(widget, QLineEdit):
        text = rng.choice(TEXTS)
        widget.selectAll()
        QTest.keyClick(widget, Qt.Key.Key_Delete)
        for letter in text:  # QTest knows no keys beyond ASCII, and ends the process
            pressed = QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, letter)
            QApplication.sendEvent(widget, pressed)
        widget.editingFinished.emit()
        return f"typed {text!r}"
    if isinstance(widget, QTabBar):
        widget.setCurrentIndex(rng.randrange(widget.count()))
        return f"turned to {widget.currentIndex()}"
    assert isinstance(widget, QListWidget)
    if widget.count():
        widget.setCurrentRow(rng.randrange(widget.count()))
    return f"chose row {widget.currentRow()}"


def _pick(combo: QComboBox, rng: Random) -> str:
    if not combo.count():
        return "empty"
    name = _name(combo)
    top = ROWS if name == "Resolution" else min(HIGHEST.get(name, combo.count() - 1), combo.count() - 1)
    index = rng.randint(min(LOWEST.get(name, 0), top), top)
    combo.setCurrentIndex(index)
    combo.activated.emit(index)
    return f"picked {combo.itemText(index)!r}"


def _top(widget: QWidget, maximum: int) -> int:
    return min(maximum, HIGHEST.get(_name(widget), maximum))


def _name(widget: QWidget) -> str:
    return widget.accessibleName() or getattr(widget, "text", lambda: "")() or widget.objectName()


def leaves(menu: QMenu) -> list[QAction]:
    """All entries of a menu that can be chosen, those of its submenus among them."""
    menu.aboutToShow.emit()  # some are filled only then
    entries: list[QAction] = []
    for action in menu.actions():
        below = action.menu()
        if isinstance(below, QMenu):
            entries += leaves(below)
        elif action.isEnabled() and action.isVisible() and not action.isSeparator():
            entries.append(action)
    return entries


def use_menu(menu: QMenu, rng: Random) -> str:
    """Choose one entry of a menu."""
    entries = leaves(menu)
    if not entries:
        return "nothing in the menu"
    action = rng.choice(entries)
    text = action.text()
    action.trigger()
    return f"chose {text!r}"


def place(widget: QWidget, rng: Random) -> QPoint:
    """Anywhere in a widget."""
    return QPoint(rng.randrange(max(widget.width(), 1)), rng.randrange(max(widget.height(), 1)))


def drag(widget: QWidget, rng: Random) -> str:
    """Press, move and let go, with or without Shift; sometimes it is only a click or a double click."""
    begin = place(widget, rng)
    modifier = rng.choice((Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier))
    if rng.random() < 0.2:
        QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, modifier, begin)
        return f"double click at {begin.x()}, {begin.y()}"
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, modifier, begin)
    ends = [place(widget, rng) for _ in range(rng.randint(0, 4))]
    for end in ends:
        QTest.mouseMove(widget, end)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, modifier, (ends or [begin])[-1])
    return f"drag over {len(ends)} places"


def wheel(widget: QWidget, rng: Random) -> str:
    """Turn the wheel."""
    at, turn = QPointF(place(widget, rng)), rng.choice((-240, -120, 120, 480))
    event = QWheelEvent(
        at, widget.mapToGlobal(at), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    return f"wheel by {turn}"


def keys(widget: QWidget, rng: Random, choices: tuple[Qt.Key, ...]) -> str:
    """Press some keys."""
    pressed = [rng.choice(choices) for _ in range(rng.randint(1, 5))]
    for key in pressed:
        QTest.keyClick(widget, key)
    return " ".join(key.name.removeprefix("Key_") for key in pressed)
