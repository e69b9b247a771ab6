"""The export dialog: what of the comparison is written, as what, and where; it says what that will be before it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from app.export import AXES, FORMATS, ExportOptions
from app.look import theme
from app.views.widgets.once import once
from app.views.widgets.prior_lines import SAMPLE, Legend
from app.views.widgets.words import Label

if TYPE_CHECKING:
    from gpu.engine.results import SourceInfo
    from gpu.session import Session

VIEW = "view"
KINDS = (
    ("noise", "Noise", "The noise of one or more priors as arrays, for diffusion pipelines"),
    ("flow", "Flow", "The motion that carries the noise"),
    ("pictures", "Pictures", "Output, noise or source as video or numbered files"),
    (VIEW, "Current view", "The comparison grid as it stands on the screen"),
)
CONTENT = (
    ("output", "Diffusion output", "What the model makes of the noise"),
    ("noise", "Noise", "Black at −3σ, white at +3σ, as in the window"),
    ("image", "Source frames", "The clip itself"),
)
WAIT_MS = 120


@dataclass(frozen=True)
class ExportRequest:
    """What a person asked to be written. `kind` is noise, flow, pictures or view; `form` a name of app.export.FORMATS,
    empty for a view; `files` are (column key, path), one for each file; the key is empty where no column is meant."""

    kind: str
    form: str
    files: tuple[tuple[str, Path], ...]
    options: ExportOptions


def file_name(key: str) -> str:
    """A column's key as part of a file name: "bilinear (chained, γ=0.3)" as "bilinear-chained-γ-0.3"."""
    return re.sub(r"[^\w.]+", "-", key).strip("-")


class ExportDialog(QDialog):
    """Asks; the window has the worker do it. `planAsked` wants `show_plan` called with what would be written."""

    planAsked = Signal(object)
    requested = Signal(object)

    def __init__(self, parent: QWidget | None, session: Session, info: SourceInfo, folder: Path | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setMinimumWidth(560)
        self._keys = [prior.key for prior in session.priors]
        self._info = info
        self._has_task = bool(session.task.name)
        self._folder = folder or Path.home()
        self._path_typed = False
        self._timer = once(self, WAIT_MS, self._ask_plan)

        self.kind = QTabBar()
        self.kind.setDrawBase(False)
        self.kind.setExpanding(False)
        self.kind.setAccessibleName("What to export")
        for _, title, tip in KINDS:
            self.kind.setTabToolTip(self.kind.addTab(title), tip)
        self.form = _combo("Format", "The kind of file")
        self.summary = Label()
        self.axes = _combo("Axis order", "The order of the array's axes; it is written into the file as well")
        for order, text in AXES.items():
            self.axes.addItem(text, order)
        self.content = _combo("Content", "Which picture of every frame")
        for name, title, tip in CONTENT:
            if name != "output" or self._has_task:
                self.content.addItem(title, name)
                self.content.setItemData(self.content.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.colours = _combo("Colours", "How noise is drawn")
        self.colours.addItem("first three channels as red, green, blue", "rgb")
        self.colours.addItem("first channel in grey", "grey")
        self.direction = _combo("Direction", "On which frame's grid the vectors stand")
        self.direction.addItem("backward: on the later frame's grid, to the earlier", "backward")
        self.direction.addItem("forward: on the earlier frame's grid, to the later", "forward")
        self.first, self.last = _spin("First frame", info.frames), _spin("Last frame, written as well", info.frames)
        self.last.setValue(max(0, info.frames - 1))
        self.fps = QDoubleSpinBox()
        self.fps.setRange(1, 240)
        self.fps.setValue(info.fps if info.fps > 0 else 24.0)
        self.fps.setSuffix(" frames/s")
        self.fps.setAccessibleName("Frame rate")
        self.fps.setToolTip("Frames a second of the video")
        self.checks: dict[str, QCheckBox] = {}
        self.path = QLineEdit()
        self.path.setAccessibleName("File")
        self.path.setToolTip("Where to write; with several columns each file gets its column's name added")
        self.browse = QPushButton("Browse …")
        self.browse.setAccessibleName("Choose the file")
        self.browse.setToolTip("Choose the file or folder")
        self.browse.setAutoDefault(False)
        self.plan = Label()
        self.plan.setWordWrap(True)
        self.plan.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.plan.setAccessibleName("What will be written")
        self.plan.setMinimumHeight(64)
        self.plan.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setDefault(True)
        self.go.setToolTip("Write the files; the window stays usable and says when they have been read back")
        cancel = self.buttons.button(QDialogButtonBox.StandardButton.Cancel)
        cancel.setToolTip("Close without writing")
        cancel.setIcon(QIcon())
        self._build()
        self._connect()
        self._take_kind()

    def _build(self) -> None:
        columns = QWidget()
        inside = QVBoxLayout(columns)
        inside.setContentsMargins(0, 2, 0, 2)
        inside.setSpacing(2)
        for key in self._keys:
            check = QCheckBox(key)
            check.setToolTip(f"Write the column {key}")
            check.setAccessibleName(f"Column {key}")
            self.checks[key] = check
            row = QHBoxLayout()
            sample = Legend(theme.of(self.palette()))
            sample.set_keys([key])
            sample.setFixedSize(SAMPLE + 4, Legend.ROW)
            row.addWidget(sample)
            row.addWidget(check, 1)
            inside.addLayout(row)
        preferred = "integral" if "integral" in self.checks else (self._keys[-1] if self._keys else "")
        if preferred:
            self.checks[preferred].setChecked(True)
        area = QScrollArea()
        area.setWidget(columns)
        area.setWidgetResizable(True)
        area.setFixedHeight(min(132, columns.sizeHint().height() + 4))
        frames = QWidget()
        across = QHBoxLayout(frames)
        across.setContentsMargins(0, 0, 0, 0)
        across.addWidget(self.first)
        across.addWidget(Label("to"))
        across.addWidget(self.last)
        across.addWidget(_dim(f"of 0 to {max(0, self._info.frames - 1)}"))
        across.addStretch(1)
        place = QWidget()
        beside = QHBoxLayout(place)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.path, 1)
        beside.addWidget(self.browse)
        self.summary.setObjectName("dim")
        self.summary.setWordWrap(True)
        self.rows = QFormLayout()
        self.rows.setVerticalSpacing(theme.GRID)
        self.rows.setHorizontalSpacing(2 * theme.GRID)
        self.rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._fields = {
            "form": self.form,
            "summary": self.summary,
            "columns": area,
            "content": self.content,
            "colours": self.colours,
            "axes": self.axes,
            "direction": self.direction,
            "frames": frames,
            "fps": self.fps,
            "path": place,
        }
        titles = {"form": "Format", "columns": "Columns", "content": "Content", "colours": "Colours", "fps": "Rate"}
        titles |= {"axes": "Axis order", "direction": "Direction", "frames": "Frames", "path": "Write to"}
        for name, field in self._fields.items():
            label = Label(titles.get(name, ""))
            label.setBuddy(field)
            self.rows.addRow(label, field)
        heading = Label("THIS WILL BE WRITTEN")
        heading.setObjectName("heading")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(self.kind)
        layout.addLayout(self.rows)
        layout.addWidget(heading)
        layout.addWidget(self.plan)
        layout.addStretch(1)
        layout.addWidget(self.buttons)

    def _connect(self) -> None:
        self.kind.currentChanged.connect(lambda: self._take_kind())
        self.form.currentIndexChanged.connect(lambda: self._take_form())
        self.content.currentIndexChanged.connect(lambda: self._take_form())
        for combo in (self.axes, self.colours, self.direction):
            combo.currentIndexChanged.connect(lambda: self._changed())
        for check in self.checks.values():
            check.toggled.connect(lambda: self._changed())
        self.first.valueChanged.connect(lambda value: self.last.setMinimum(value))
        for box in (self.first, self.last, self.fps):
            box.valueChanged.connect(lambda: self._changed())
        self.path.textEdited.connect(lambda: setattr(self, "_path_typed", True))
        self.path.textChanged.connect(lambda: self._changed())
        self.browse.clicked.connect(self._browse)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)

    # what is asked for

    def kind_name(self) -> str:
        """noise, flow, pictures or view."""
        return KINDS[self.kind.currentIndex()][0]

    def _take_kind(self) -> None:
        kind = self.kind_name()
        self.form.blockSignals(True)
        self.form.clear()
        if kind == VIEW:
            self.form.addItem("PNG (.png)", "")
            self.form.setItemData(0, ("The comparison grid, pixel for pixel.", ".png"), Qt.ItemDataRole.UserRole + 1)
        for name, entry in FORMATS.items():
            if entry.kind == kind:
                self.form.addItem(f"{entry.title} ({entry.suffix})" if entry.suffix else entry.title, name)
                about = (entry.summary, entry.suffix)
                self.form.setItemData(self.form.count() - 1, about, Qt.ItemDataRole.UserRole + 1)
        self.form.blockSignals(False)
        self._take_form()

    def _take_form(self) -> None:
        kind, form = self.kind_name(), self.form.currentData()
        content = self.content.currentData()
        heeded = FORMATS.get(form).options if form else ()
        shown = {
            "columns": kind == "noise" or (kind == "pictures" and content != "image"),
            "content": "content" in heeded,
            "colours": "colours" in heeded and content == "noise",
            "axes": "axes" in heeded,
            "direction": "direction" in heeded,
            "frames": kind != VIEW,
            "fps": "fps" in heeded,
        }
        for name, visible in shown.items():
            self.rows.setRowVisible(self._fields[name], visible)
        summary, suffix = self.form.currentData(Qt.ItemDataRole.UserRole + 1) or ("", "")
        self.summary.setText(summary)
        if not self._path_typed:
            stem = file_name(Path(self._info.title).stem) or "noisescope"
            what = content if kind == "pictures" else kind
            self.path.setText(str(self._folder / f"{stem}-{what}{suffix}"))
        elif suffix:
            self.path.setText(_with_suffix(self.path.text(), suffix))
        self._changed()

    def request(self) -> ExportRequest:
        """What the dialog says now."""
        kind = self.kind_name()
        form = self.form.currentData() or ""
        free = not form or "axes" in FORMATS.get(form).options
        options = ExportOptions(
            axes=self.axes.currentData() if free else FORMATS.get(form).axes,
            start=self.first.value(),
            stop=self.last.value() + 1,
            direction=self.direction.currentData(),
            content=self.content.currentData() or "noise",
            colours=self.colours.currentData(),
            fps=self.fps.value(),
        )
        path = Path(self.path.text()).expanduser()
        keys = [key for key, check in self.checks.items() if check.isChecked()]
        if not self.rows.isRowVisible(self._fields["columns"]):
            files: tuple[tuple[str, Path], ...] = (("", path),)
        elif len(keys) == 1 or not path.name:  # without a name there is nothing to add the columns' names to
            files = tuple((key, path) for key in keys)
        else:
            files = tuple((key, path.with_name(f"{path.stem}-{file_name(key)}{path.suffix}")) for key in keys)
        return ExportRequest(kind, form, files, options)

    def _wrong(self) -> str:
        if not self.path.text().strip():
            return "Say where to write."
        if not Path(self.path.text()).expanduser().name:
            return f"{self.path.text()} is no name of a file."
        if not self.request().files:
            return "Choose at least one column."
        return ""

    def _changed(self) -> None:
        wrong = self._wrong()
        self.show_plan(wrong or "Looking what that would be …", ok=not wrong)
        self.go.setEnabled(False)
        if wrong:
            self._timer.stop()
        else:
            self._timer.start()

    def _ask_plan(self) -> None:
        request = self.request()
        if request.kind == VIEW:
            self.show_plan(f"PNG: the comparison grid as it stands on the screen, {request.files[0][1].name}", ok=True)
        else:
            self.planAsked.emit(request)

    def show_plan(self, text: str, ok: bool, request: ExportRequest | None = None) -> None:
        """Say what will be written, or why it cannot be. An answer to an earlier `request` is dropped."""
        if request is not None and request != self.request():
            return
        self.plan.setText(text)
        self.plan.setObjectName("" if ok else "wrong")
        self.plan.style().unpolish(self.plan)
        self.plan.style().polish(self.plan)
        self.go.setEnabled(ok)

    def _browse(self) -> None:
        _, suffix = self.form.currentData(Qt.ItemDataRole.UserRole + 1)
        here = self.path.text()
        chosen, _ = QFileDialog.getSaveFileName(self, "Export to", here, f"*{suffix}" if suffix else "")
        if chosen:
            self._path_typed = True
            self.path.setText(_with_suffix(chosen, suffix) if suffix else chosen)

    def _accept(self) -> None:
        if self.go.isEnabled():
            self.requested.emit(self.request())
            self.accept()


def _with_suffix(path: str, suffix: str) -> str:
    """The path with another ending; as it is where it names no file, such as one that is still being typed."""
    return str(Path(path).with_suffix(suffix)) if Path(path).name else path


def _combo(name: str, tip: str) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setToolTip(tip)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(24)
    return combo


def _spin(name: str, frames: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(0, max(0, frames - 1))
    box.setAccessibleName(name)
    box.setToolTip(f"{name}, counted from 0")
    box.setMinimumWidth(72)
    return box


def _dim(text: str) -> QLabel:
    label = Label(text)
    label.setObjectName("dim")
    return label
