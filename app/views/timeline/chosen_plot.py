"""A plot over time with a chooser of its measure."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from app.look.theme import DARK, Theme, small
from app.views.timeline.curves import Series, TimePlot
from app.views.timeline.measures import CURVES
from app.views.widgets.words import tooltip

FLAT = "QComboBox { background: transparent; border: 1px solid transparent; padding: 0 2px; min-height: 18px; }"


class ChosenPlot(QWidget):
    """A plot over time with a chooser of its measure."""

    measureChanged = Signal(str)

    def __init__(self, series: str, colours: Theme = DARK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        number = next(index for index, curves in enumerate(CURVES) if curves.series == series)
        self._series: Series = {}
        self.plot = TimePlot(CURVES[number], colours)
        self.chooser = QComboBox()
        self.chooser.setAccessibleName("Measure of this plot")
        self.chooser.setFont(small(self.chooser.font(), bold=True))
        self.chooser.setStyleSheet(FLAT)
        self.chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for index, curves in enumerate(CURVES):
            self.chooser.addItem(curves.label, curves.series)
            self.chooser.setItemData(index, tooltip(curves.tip), Qt.ItemDataRole.ToolTipRole)
        self.chooser.setCurrentIndex(number)
        self.chooser.setToolTip(tooltip(CURVES[number].tip))
        self.chooser.currentIndexChanged.connect(self._choose)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self.chooser)
        head.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.plot, 1)

    def sizeHint(self) -> QSize:
        return QSize(360, 130)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 100)

    def set_series(self, series: Series) -> None:
        """{prior: {name: (frames,)}}; the plot takes its measure out of it."""
        self._series = series
        self.plot.set_series(series)

    def choose(self, series: str) -> None:
        """Draw the measure of this name."""
        self.chooser.setCurrentIndex(max(0, self.chooser.findData(series)))

    def _choose(self, index: int) -> None:
        self.plot.set_measure(CURVES[index])
        self.plot.set_series(self._series)
        self.chooser.setToolTip(tooltip(CURVES[index].tip))
        self.measureChanged.emit(CURVES[index].series)
