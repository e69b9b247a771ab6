"""The fields at the right of the pose editor: the movement as a whole, the chosen joint, what is drawn."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QLineEdit, QVBoxLayout, QWidget

from app.look import theme
from app.model.pose_document import JOINTS, PoseDocument
from app.views.widgets.forms import Choices, Section, name, note, show_note

WIDTH = 250
HELP = (
    "Drag a joint: the limb turns about the joint that it hangs on, and its lengths stay. Hold Shift to move that joint alone. "
    "The neck moves the whole figure. Dragging between two keyframes makes a new one there."
)


class Number(QDoubleSpinBox):
    """A number; the wheel scrolls and does not change it."""

    def __init__(self, low: float, high: float, step: float, decimals: int, suffix: str = "") -> None:
        super().__init__()
        self.setDecimals(decimals)
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setSuffix(suffix)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_value(self, value: float) -> None:
        """Show a value without saying that it changed."""
        with QSignalBlocker(self):
            self.setValue(value)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class PoseForm(QWidget):
    """Shows numbers of `editing` and changes them."""

    view_changed = Signal()

    def __init__(self, editing: PoseDocument, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editing = editing
        self.setFixedWidth(WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        self._sections = [self._movement(), self._joint(), self._view()]
        for section in self._sections:
            layout.addWidget(section)
        help_ = note()
        show_note(help_, HELP)
        layout.addWidget(help_)
        layout.addStretch(1)
        editing.changed.connect(self._follow)
        self._follow()

    def _movement(self) -> Section:
        section = Section("Movement", "The sequence as a whole")
        self.title = QLineEdit()
        self.title.editingFinished.connect(lambda: self.editing.set(name=self.title.text().strip() or "movement"))
        section.row("Name", self.title, "Name of the movement, and of its file")
        self.length = Number(1, 2000, 1, 1, " frames")
        self.length.valueChanged.connect(lambda value: self.editing.set(length=value))
        section.row("Length", self.length, "How long the whole takes; the keyframes are spread in proportion")
        self.fps = Number(1, 240, 1, 0, " a second")
        self.fps.valueChanged.connect(lambda value: self.editing.set(fps=value))
        section.row("Frames", self.fps, "How many frames are shown in a second")
        self.travel = Number(-20, 20, 0.05, 2, " heights")
        self.travel.valueChanged.connect(lambda value: self.editing.set(travel=value))
        section.row("Walks", self.travel, "Body heights by which the figure walks to the right in the whole length")
        self.loop = QCheckBox("Loop")
        name(self.loop, "Loop", "After the end the movement goes back to its first keyframe")
        self.loop.toggled.connect(lambda on: self.editing.set(loop=on))
        section.wide(self.loop)
        return section

    def _joint(self) -> Section:
        section = Section("Joint", "The chosen joint in the posture that is shown")
        self.joint = Choices([(index, text, "") for index, text in enumerate(JOINTS)])
        self.joint.picked.connect(self.editing.choose)
        section.row("Joint", self.joint, "The joint that arrow keys on the skeleton move")
        self.across, self.down = (Number(-3, 3, 0.01, 3, " heights") for _ in range(2))
        section.row("x", self.across, "To the right of the middle, in body heights; the joint alone is moved")
        section.row("y", self.down, "Below the middle, in body heights; the joint alone is moved")
        for field in (self.across, self.down):
            field.valueChanged.connect(self._place)
        return section

    def _view(self) -> Section:
        section = Section("View", "What is drawn")
        self.onion, self.filled = QCheckBox("Keyframes before and after"), QCheckBox("Body")
        name(self.onion, "Keyframes before and after", "Draw the neighbouring keyframes in dashes and dots")
        name(self.filled, "Body", "Draw the parts of the body around the skeleton")
        for box in (self.onion, self.filled):
            box.setChecked(True)
            box.toggled.connect(lambda _: self.view_changed.emit())
            section.wide(box)
        return section

    def _place(self) -> None:
        self.editing.drag(self.editing.joint, np.array([self.across.value(), self.down.value()]), keep=False)

    def _follow(self) -> None:
        editing, sequence = self.editing, self.editing.sequence
        for section in self._sections:
            section.set_theme(theme.current())
        if not self.title.hasFocus():
            self.title.setText(sequence.name)
        self.length.show_value(sequence.length)
        self.fps.show_value(sequence.fps)
        self.travel.show_value(sequence.travel)
        with QSignalBlocker(self.loop):
            self.loop.setChecked(sequence.loop)
        self.joint.show_value(editing.joint)
        x, y = editing.joints[editing.joint]
        self.across.show_value(float(x))
        self.down.show_value(float(y))
