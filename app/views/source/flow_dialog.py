"""The dialog for a flow file: what it holds, which direction, axes, sign and units it is read with, which of them fits the
pictures, and whether these stay."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGridLayout,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.look import theme
from app.model.flow_fits import UNITS, FlowFit, FlowReport, untried
from app.views.widgets.words import Label
from gpu.session import SourceSettings

LAYOUTS = (
    ("", "as its shape tells"),
    ("THWC", "T, H, W, 2"),
    ("TCHW", "T, 2, H, W"),
    ("CTHW", "2, T, H, W"),
    ("HWC", "H, W, 2"),
    ("CHW", "2, H, W"),
)
"""Orders of the axes to offer: T steps, H rows, W columns."""


class FlowDialog(QDialog):
    """Offers every reading, the best first once the worker has compared them; `source` is what was chosen."""

    asked = Signal()  # another array or layout was chosen: the file is to be looked at again

    def __init__(self, parent: QWidget, source: SourceSettings, film: SourceSettings | None = None) -> None:
        """`source` has the flow file. `film` is the clip that is open, whose pictures may stay."""
        super().__init__(parent)
        self._read, self._film = source, film
        self._report = FlowReport(fits=untried())
        self._open = False  # the units are open, and must be chosen
        self.setWindowTitle("How is this flow file stored?")
        self.resize(600, 580)
        note = Label(
            "Flow files differ in direction, order of the axes, sign and units. Each reading is tried on the first pictures: "
            "the previous picture moved along the flow should give the next one."
        )
        note.setWordWrap(True)
        self._about = Label()
        self._about.setWordWrap(True)
        self._state = Label("Comparing …")
        self._state.setObjectName("dim")
        self._state.setWordWrap(True)
        self._keep = QCheckBox("Keep the pictures that are open, and take only the motion from this file")
        self._keep.setToolTip(
            "The frames stay those of the clip; its motion is read from the file rather than estimated"
        )
        self._keep.setVisible(film is not None)
        self._keep.setChecked(film is not None and bool(film.flow_path))
        self._key, self._layout, self._units = QComboBox(), QComboBox(), QComboBox()
        for box, text, tip in (
            (self._key, "Array", "Which array of the file is the flow"),
            (self._layout, "Order of its axes", "T steps, H rows, W columns; 2 components"),
            (self._units, "Units", "What a vector of length 1 means"),
        ):
            box.setToolTip(tip)
            box.setAccessibleName(text)
        for order, text in LAYOUTS:
            self._layout.addItem(text, order)
        self._layout.setCurrentIndex(max(self._layout.findData(source.flow_layout), 0))
        self._key.setPlaceholderText("choose …")
        self._units.setPlaceholderText("choose …")
        self._form = QFormLayout()
        for label, box in (("Array", self._key), ("Axes", self._layout), ("Units", self._units)):
            self._form.addRow(label, box)
        self._form.setRowVisible(self._key, False)
        self._form.setRowVisible(self._units, False)
        self._key.activated.connect(lambda: self._ask(replace(self._read, flow_key=self._key.currentData())))
        self._layout.activated.connect(lambda: self._ask(replace(self._read, flow_layout=self._layout.currentData())))
        self._units.activated.connect(lambda: self._choose_units(self._units.currentData()))
        self._rows = QWidget()
        self._grid = QGridLayout(self._rows)
        self._grid.setColumnStretch(0, 1)
        self._grid.setHorizontalSpacing(2 * theme.GRID)
        scroll = QScrollArea()
        scroll.setWidget(self._rows)
        scroll.setWidgetResizable(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self._ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[2 * theme.GRID] * 4)
        for part in (note, self._about, self._state, self._keep):
            layout.addWidget(part)
        layout.addLayout(self._form)
        layout.addWidget(scroll)
        layout.addWidget(buttons)
        self._show(self._report.fits)

    @property
    def source(self) -> SourceSettings:
        """The flow file as it is to be read: alone, or as the motion of the clip that is open."""
        if self._film is None or not self._keep.isChecked():
            return self._read
        read = self._read
        return replace(
            self._film,
            flow_path=read.flow_path,
            forward_path=read.forward_path,
            flow_direction=read.flow_direction,
            flow_axes=read.flow_axes,
            flow_sign=read.flow_sign,
            flow_units=read.flow_units,
            flow_layout=read.flow_layout,
            flow_key=read.flow_key,
        )

    @property
    def read(self) -> SourceSettings:
        """The flow file alone, as it is to be read."""
        return self._read

    def show_report(self, report: FlowReport) -> None:
        """What the file holds, and its readings with their errors, from the worker."""
        self._report = report
        self._about.setText(report.about)
        if report.setting == "flow_key":
            self._key.clear()
            for choice in report.choices:
                self._key.addItem(choice, choice)
            self._key.setCurrentIndex(-1)
            self._form.setRowVisible(self._key, True)
        for order in report.choices if report.setting == "flow_layout" else ():
            if self._layout.findData(order) < 0:
                self._layout.addItem(", ".join(order.replace("C", "2")), order)
        if report.question:
            said, option, _ = report.question.rpartition("; --")  # which option of the command line would say it
            self._state.setText(f"{said}; choose it here." if option else report.question)
            self._ok.setEnabled(False)
            self._show(())
            return
        if report.belongs and self._film is not None:
            self._keep.setChecked(True)
        several = len(report.units) > 1
        self._form.setRowVisible(self._units, several)
        self._units.clear()
        for unit, text, tip in UNITS if several else ():
            self._units.addItem(text, unit)
            self._units.setItemData(self._units.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        compared = [fit for fit in report.fits if fit.error is not None]  # the best first
        self._open = several and not compared
        if compared:
            best = compared[0]
            self._state.setText(
                f"Best fit: {best.words}. The pictures show what is left unexplained; darker is better."
            )
            self._take(best)
        else:
            told = (
                "" if not self._open else " Its vectors are short: they may be pixels, or measure the frame; say which."
            )
            self._state.setText(
                "There are no pictures to compare with: open the clip that it belongs to first, or choose by what you know "
                f"of the file.{told}"
            )
        if several:
            self._units.setCurrentIndex(-1 if self._open else self._units.findData(self._read.flow_units))
        self._ok.setEnabled(not self._open)
        self._show_units()

    def _ask(self, read: SourceSettings) -> None:
        self._read = read
        self._state.setText("Looking …")
        self.asked.emit()

    def _choose_units(self, unit: str) -> None:
        self._read = replace(self._read, flow_units=unit)  # type: ignore[arg-type]
        self._open = False
        self._ok.setEnabled(True)
        self._show_units()

    def _show_units(self) -> None:
        """The readings with the units that are chosen."""
        fits = self._report.fits
        unit = self._read.flow_units if len(self._report.units) > 1 else ""
        shown = [fit for fit in fits if fit.units == (unit if unit not in ("", "auto") else fits[0].units)]
        self._show(shown)

    def _show(self, fits: tuple[FlowFit, ...] | list[FlowFit]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        chosen = self._read.flow_direction
        direction = chosen if chosen != "auto" else self._report.taken
        sure = self._report.directions
        for row, fit in enumerate(fits):
            button = QRadioButton(fit.words)
            button.setToolTip(f"Read the file as {fit.words}")
            button.setAccessibleName(fit.words)
            same = sure or fit.direction == direction
            button.setChecked(bool(same) and (fit.axes, fit.sign) == (self._read.flow_axes, self._read.flow_sign))
            button.toggled.connect(lambda on, fit=fit: self._take(fit) if on else None)
            self._grid.addWidget(button, row, 0)
            if fit.error is not None:
                number = Label(f"{fit.error * 255:.2f} of 255")
                number.setToolTip("Mean absolute difference between the moved picture and the next one")
                self._grid.addWidget(number, row, 1, Qt.AlignmentFlag.AlignRight)
            if fit.picture is not None:
                height, width = fit.picture.shape[:2]
                image = QImage(fit.picture.data, width, height, fit.picture.strides[0], QImage.Format.Format_RGB888)
                picture = Label()
                picture.setPixmap(
                    QPixmap.fromImage(image).scaled(
                        128, 72, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
                    )
                )
                self._grid.addWidget(picture, row, 2)
        self._grid.setRowStretch(len(fits), 1)

    def _take(self, fit: FlowFit) -> None:
        """Read the file so; what its names or its format say is left to them."""
        self._read = replace(
            self._read,
            flow_direction="auto" if self._report.directions else fit.direction,
            flow_axes=fit.axes,
            flow_sign=fit.sign,
            flow_units=fit.units if len(self._report.units) > 1 and not self._open else self._read.flow_units,
        )
