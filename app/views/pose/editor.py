"""The pose editor: a window for making and changing the movement of the paper doll, keyframe by keyframe."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.look import theme
from app.model.pose_document import BUNDLED, PoseDocument
from app.views.pose.canvas import PoseCanvas
from app.views.pose.form import PoseForm
from app.views.pose.keyframe_strip import PoseStrip
from app.views.widgets.forms import note, show_note
from app.views.widgets.once import once
from app.views.widgets.words import Label, tooltip
from gpu.errors import NoisescopeError

TICK_MS = 25
SAID_MS = 4000

# name, text, tip, keys, icon; a line stands for a gap
ACTIONS = (
    ("save", "Save", "Save the movement to its file", "Ctrl+S", "save"),
    ("save_as", "Save as …", "Save the movement to another file", "Ctrl+Shift+S", "download"),
    ("", "", "", "", ""),
    ("undo", "Undo", "Take back the last change", "Ctrl+Z", "undo-2"),
    ("redo", "Redo", "Do again what was taken back", "Ctrl+Shift+Z", "redo-2"),
    ("", "", "", "", ""),
    ("copy", "Copy posture", "Copy the posture that is shown", "Ctrl+C", "files"),
    ("paste", "Paste posture", "Put the copied posture into the keyframe that is shown", "Ctrl+V", "upload"),
    ("mirror_pose", "Mirror posture", "Exchange left and right in the posture that is shown", "Ctrl+M", "columns-2"),
    ("mirror_all", "Mirror movement", "Exchange left and right in every keyframe, and walk the other way", "", "contrast"),
)  # fmt: skip
KEY_ACTIONS = (
    ("previous", "Previous keyframe", "To the keyframe before", "Ctrl+PgUp", "step-back"),
    ("play", "Play", "Play the movement (Space on the skeleton or the keyframes)", "Ctrl+Space", "play"),
    ("next", "Next keyframe", "To the next keyframe", "Ctrl+PgDown", "step-forward"),
    ("", "", "", "", ""),
    ("add", "Add keyframe", "Make a keyframe of what is shown here", "Ins", "plus"),
    ("duplicate", "Duplicate keyframe", "Copy the keyframe that is shown, half way to the next one", "Ctrl+D", "copy"),
    ("delete", "Delete keyframe", "Remove the keyframe that is shown", "Del", "trash-2"),
)
SHORT = {"copy": "Copy", "paste": "Paste", "mirror_pose": "Mirror", "mirror_all": "Mirror all"}
"""Beside the icons that do not speak for themselves."""


class PoseEditor(QDialog):
    """Edits `editing`. `used` is emitted when the movement is wanted in the main window."""

    used = Signal()

    def __init__(self, editing: PoseDocument, parent: QWidget | None = None, folder: Path | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.editing, self._folder = editing, folder
        self.setWindowTitle("Pose editor")
        self.resize(960, 680)
        self.canvas, self.strip, self.form = PoseCanvas(editing), PoseStrip(editing), PoseForm(editing)
        self.actions_: dict[str, QAction] = {}
        self._wrong, self._said = note("wrong"), note()
        self._clock = QTimer(self)
        self._clock.setInterval(TICK_MS)
        self._clock.timeout.connect(self._tick)
        self._shown = 0.0
        self._quiet = once(self, SAID_MS, lambda: show_note(self._said, ""))
        self._build()
        for part in (self.canvas, self.strip):
            part.play_wanted.connect(lambda: self.play(not self._clock.isActive()))
        self.form.view_changed.connect(self._look)
        editing.changed.connect(self._follow)
        self._follow()
        self.canvas.setFocus()

    # -- building

    def _build(self) -> None:
        slots: dict[str, Callable[[], object]] = {
            "save": self.save, "save_as": self.save_as, "undo": self.editing.undo, "redo": self.editing.redo,
            "copy": self._copy, "paste": self.editing.paste, "mirror_pose": self.editing.mirror_pose,
            "mirror_all": self.editing.mirror_all, "previous": lambda: self.editing.step_key(-1),
            "next": lambda: self.editing.step_key(1), "play": lambda: self.play(not self._clock.isActive()),
            "add": lambda: self._tried(self.editing.add(), "There is a keyframe here already."),
            "duplicate": lambda: self._tried(self.editing.duplicate(), "There is no room for a copy after this keyframe."),
            "delete": lambda: self._tried(self.editing.delete(), "The only keyframe stays."),
        }  # fmt: skip
        top = QHBoxLayout()
        top.setSpacing(2)
        top.addWidget(self._open_button())
        self._tools(ACTIONS, top, slots)
        self._title = Label()
        self._title.setObjectName("dim")
        self._title.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._title.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )  # a long name is cut, no more
        top.addWidget(self._title, 1)
        middle = QHBoxLayout()
        middle.setSpacing(theme.GRID)
        middle.addWidget(self.canvas, 1)
        middle.addWidget(self.form)
        keys = QHBoxLayout()
        keys.setSpacing(2)
        self._tools(KEY_ACTIONS, keys, slots)
        keys.addWidget(self.strip, 1)
        use, close = QPushButton("Use in the window"), QPushButton("Close")
        use.setToolTip("Show this movement in the main window, as the scene of the paper doll (Ctrl+Return)")
        use.setShortcut(QKeySequence("Ctrl+Return"))
        use.setDefault(True)
        use.clicked.connect(self.used)
        close.setToolTip("Close the editor; what is in it is kept")
        close.setAutoDefault(False)
        close.clicked.connect(self.close)
        bottom = QHBoxLayout()
        words = QVBoxLayout()
        words.addWidget(self._wrong)
        words.addWidget(self._said)
        bottom.addLayout(words, 1)
        bottom.addWidget(close)
        bottom.addWidget(use)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[theme.GRID + 4] * 4)
        layout.setSpacing(theme.GRID)
        layout.addLayout(top)
        layout.addLayout(middle, 1)
        layout.addLayout(keys)
        layout.addLayout(bottom)

    def _offer(self, menu: QMenu, name: str) -> None:
        """An entry that opens the built-in movement of this name."""
        menu.addAction(name, lambda: self.attempt(lambda: self.editing.open_bundled(name)))

    def _open_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("Open")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setToolTip("A movement that is built in, or one from a file (Ctrl+O); it can be undone")
        button.setAccessibleName("Open a movement")
        menu = QMenu(button)
        for name in BUNDLED:
            self._offer(menu, name)
        menu.addSeparator()
        opening = menu.addAction("From a file: Noisescope, OpenPose or COCO …", self.ask_file)
        opening.setShortcut(QKeySequence("Ctrl+O"))
        self.addAction(opening)
        menu.addAction("From a folder of OpenPose …", self.ask_folder)
        button.setMenu(menu)
        self._open = button
        return button

    def _tools(
        self,
        table: tuple[tuple[str, str, str, str, str], ...],
        row: QHBoxLayout,
        slots: dict[str, Callable[[], object]],
    ) -> None:
        for name, text, tip, shortcut, icon in table:
            if not name:
                row.addSpacing(theme.GRID)
                continue
            action = QAction(text, self)
            action.setProperty("icon name", icon)
            action.setToolTip(f"{tip} ({shortcut})" if shortcut else tip)
            action.setShortcut(QKeySequence(shortcut))
            action.triggered.connect(lambda _=False, name=name: slots[name]())
            button = QToolButton()
            button.setDefaultAction(action)
            if name in SHORT:
                action.setIconText(SHORT[name])
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setAccessibleName(text)
            button.setAccessibleDescription(tip)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
            self.addAction(action)
            self.actions_[name] = action

    # -- showing

    def _follow(self) -> None:
        editing, colours = self.editing, theme.current()
        file = editing.path.name if editing.path is not None else "not in a file of yours"
        self._title.setText(f"{editing.sequence.name} · {file}{' · changed' if editing.modified else ''}")
        self._title.setToolTip(tooltip(str(editing.path or self._title.text())))
        for name, text in (("undo", editing.undo_text), ("redo", editing.redo_text)):
            self.actions_[name].setEnabled(bool(text))
            self.actions_[name].setText(f"{name.capitalize()}: {text}" if text else name.capitalize())
        at_key = editing.key is not None
        self.actions_["add"].setEnabled(not at_key)
        for name in ("duplicate", "delete"):
            self.actions_[name].setEnabled(at_key)
        self.actions_["paste"].setEnabled(editing.clipboard is not None)
        self._open.setIcon(theme.icon("folder-open", colours))
        for name, action in self.actions_.items():
            icon = "pause" if name == "play" and self._clock.isActive() else str(action.property("icon name"))
            action.setIcon(theme.icon(icon, colours))

    def _look(self) -> None:
        self.canvas.onion, self.canvas.filled = self.form.onion.isChecked(), self.form.filled.isChecked()
        self.canvas.update()

    def say(self, text: str) -> None:
        """A sentence that goes away by itself."""
        show_note(self._said, text)
        self._quiet.start()

    def attempt(self, action: Callable[[], object]) -> bool:
        """Do what may fail; the sentence of an error is shown until something works again."""
        try:
            action()
        except NoisescopeError as error:
            show_note(self._wrong, str(error))
            return False
        show_note(self._wrong, "")
        return True

    def _tried(self, done: bool, otherwise: str) -> None:
        if not done:
            self.say(otherwise)

    # -- playing

    def play(self, on: bool) -> None:
        if on:
            self._shown = time.monotonic()
            self._clock.start()
        else:
            self._clock.stop()
        self.canvas.playing = on
        with QSignalBlocker(self.strip):
            self._follow()
        self.canvas.update()

    def _tick(self) -> None:
        editing, now = self.editing, time.monotonic()
        frames = (now - self._shown) * editing.sequence.fps
        self._shown = now
        editing.go((editing.time + frames) % max(editing.end, 1e-6))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return belongs to the field that it is typed in; elsewhere it does nothing."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.actions_:
            self._follow()

    def hideEvent(self, event: object) -> None:
        self.play(False)
        super().hideEvent(event)  # type: ignore[arg-type]

    # -- files

    def _copy(self) -> None:
        self.editing.copy()
        self.say("The posture is copied: go to another keyframe and paste it.")

    def save(self) -> None:
        path = self.editing.path
        if path is None:
            self.save_as()
        elif self.attempt(lambda: self.editing.save(path)):
            self.say(f"Saved {path.name}.")

    def save_as(self) -> None:
        folder = self._folder or Path.home()
        start = str(self.editing.path or folder / f"{self.editing.sequence.name}.json")
        chosen, _ = QFileDialog.getSaveFileName(self, "Save the movement", start, "Poses (*.json)")
        if not chosen:
            return
        path = Path(chosen) if Path(chosen).suffix else Path(chosen).with_suffix(".json")
        if self.attempt(lambda: self.editing.save(path)):
            self.say(f"Saved {path.name}.")

    def ask_file(self) -> None:
        start = str(self.editing.path.parent if self.editing.path else self._folder or Path.home())
        chosen, _ = QFileDialog.getOpenFileName(self, "Open poses", start, "Poses (*.json);;All (*)")
        if chosen:
            self.attempt(lambda: self.editing.open(Path(chosen)))

    def ask_folder(self) -> None:
        start = str(self._folder or Path.home())
        chosen = QFileDialog.getExistingDirectory(self, "Open a folder with one file of OpenPose a frame", start)
        if chosen:
            self.attempt(lambda: self.editing.open(Path(chosen)))
