"""The dialog for a flow file: which direction, axes and sign it is read with, and which of them fits the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.look import theme
from app.model.flow_fits import UNTRIED, FlowFit
from app.views.widgets.words import Label
from gpu.session import SourceSettings


class FlowDialog(QDialog):
    """Offers every reading, the best first once the worker has compared them; `source` is the chosen one."""

    def __init__(self, parent: QWidget, source: SourceSettings) -> None:
        super().__init__(parent)
        self.source = source
        self.setWindowTitle("How is this flow file stored?")
        self.resize(560, 520)
        self._note = Label(
            "Flow files differ in direction, order of the axes and sign. Each reading is tried on the first pictures: "
            "the previous picture moved along the flow should give the next one."
        )
        self._note.setWordWrap(True)
        self._state = Label("Comparing …")
        self._state.setObjectName("dim")
        self._state.setWordWrap(True)
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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[2 * theme.GRID] * 4)
        for widget in (self._note, self._state, scroll, buttons):
            layout.addWidget(widget)
        self._show(UNTRIED)

    def show_fits(self, fits: Sequence[FlowFit]) -> None:
        """The readings with their errors, from the worker."""
        compared = sorted((fit for fit in fits if fit.error is not None), key=lambda fit: fit.error or 0.0)
        if not compared:
            self._state.setText(
                "There are no pictures to compare with: open the clip that it belongs to first, or choose by what you know "
                "of the file."
            )
            return
        best = compared[0]
        self._state.setText(f"Best fit: {best.words}. The pictures show what is left unexplained; darker is better.")
        self.source = replace(
            self.source,
            flow_direction=best.direction,
            flow_axes=best.axes,
            flow_sign=best.sign,
        )
        self._show(compared)

    def _show(self, fits: Sequence[FlowFit]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        direction = "forward" if self.source.flow_direction == "forward" else "backward"
        chosen = (direction, self.source.flow_axes, self.source.flow_sign)
        for row, fit in enumerate(fits):
            button = QRadioButton(fit.words)
            button.setToolTip(f"Read the file as {fit.words}")
            button.setAccessibleName(fit.words)
            button.setChecked((fit.direction, fit.axes, fit.sign) == chosen)
            button.toggled.connect(lambda on, fit=fit: self._choose(fit) if on else None)
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

    def _choose(self, fit: FlowFit) -> None:
        self.source = replace(
            self.source,
            flow_direction=fit.direction,
            flow_axes=fit.axes,
            flow_sign=fit.sign,
        )
