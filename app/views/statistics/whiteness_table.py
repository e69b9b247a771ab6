"""The whiteness of every shown prior as a table with verdicts, sortable and copyable, upright or on its side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.look.theme import DARK, Theme, small, tabular
from app.views.statistics.measures import MEASURES, Measure, verdict_of
from app.views.widgets.plots import verdict_colour, verdict_text
from app.views.widgets.prior_lines import SAMPLE, draw_sample

if TYPE_CHECKING:
    from gpu.metrics.whiteness import Whiteness

Index = QModelIndex | QPersistentModelIndex
WIDE = 760
"""From this width in pixels priors are rows; below, priors are columns."""


class WhitenessModel(QAbstractTableModel):
    """Priors × measures. `upright` has priors as rows; otherwise they are columns, without the long overall verdict."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.upright = False
        self.colours = DARK
        self.keys: list[str] = []
        self._whiteness: dict[str, Whiteness] = {}
        self._sorted: tuple[int, bool] | None = None
        self._looks: dict[str, list[tuple[str, QColor]]] = {}

    def set_data(self, whiteness: Mapping[str, Whiteness]) -> None:
        """Show these priors; the layout is reset only where priors came or went."""
        changed = set(whiteness) != set(self._whiteness) or (self._sorted is None and list(whiteness) != self.keys)
        if changed:
            self.beginResetModel()
        self._whiteness = dict(whiteness)
        self._make_looks()
        order = self._order()
        moved = not changed and order != self.keys
        if moved:
            self.layoutAboutToBeChanged.emit()
        self.keys = order
        if changed:
            self.endResetModel()
        elif moved:
            self.layoutChanged.emit()
        elif self.keys:
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))

    def set_upright(self, upright: bool) -> None:
        """Choose whether priors are rows."""
        if upright != self.upright:
            self.beginResetModel()
            self.upright = upright
            self.endResetModel()

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        self.beginResetModel()
        self.colours = colours
        self._make_looks()
        self.endResetModel()

    def sort_by(self, measure: int) -> None:
        """Sort priors by a measure, largest first; again: smallest first; a third time: the session's order."""
        if self._sorted is None or self._sorted[0] != measure:
            self._sorted = (measure, True)
        else:
            self._sorted = (measure, False) if self._sorted[1] else None
        self.beginResetModel()
        self.keys = self._order()
        self.endResetModel()

    def _make_looks(self) -> None:
        """Text and colour of every cell, made once a frame of noise rather than at every painting."""
        colours = {ok: verdict_colour(ok, self.colours) for ok in (True, False, None)}
        dim = QColor(self.colours.dim)
        self._looks = {}
        for key, whiteness in self._whiteness.items():
            looks = []
            for measure in MEASURES:
                verdict, text = verdict_of(whiteness, measure), measure.text(whiteness)
                looks.append((verdict_text(verdict.ok, text), colours[verdict.ok]) if verdict else (text, dim))
            self._looks[key] = looks

    def look(self, index: Index) -> tuple[str, QColor, bool]:
        """Text and colour of a cell, and whether it stands on the left."""
        row, column = (index.row(), index.column()) if self.upright else (index.column(), index.row())
        text, colour = self._looks[self.keys[row]][column]
        return text, colour, column == len(MEASURES) - 1

    def _order(self) -> list[str]:
        keys = list(self._whiteness)
        if self._sorted is None:
            return keys
        measure, falling = self._sorted
        values = {key: MEASURES[measure].value(self._whiteness[key]) for key in keys}
        finite = sorted((key for key in keys if math.isfinite(values[key])), key=values.__getitem__, reverse=falling)
        return finite + [key for key in keys if not math.isfinite(values[key])]

    def _measures(self) -> int:
        return len(MEASURES) if self.upright else len(MEASURES) - 1

    def prior_at(self, section: int, orientation: Qt.Orientation) -> str:
        """The prior that a header section stands for; empty where it stands for a measure."""
        of_priors = (orientation == Qt.Orientation.Vertical) == self.upright
        return self.keys[section] if of_priors and section < len(self.keys) else ""

    def cell(self, index: Index) -> tuple[str, Measure]:
        """The prior and the measure of a cell."""
        row, column = (index.row(), index.column()) if self.upright else (index.column(), index.row())
        return self.keys[row], MEASURES[column]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (the signature is Qt's)
        return 0 if parent.isValid() else len(self.keys) if self.upright else self._measures()

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else self._measures() if self.upright else len(self.keys)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        key, measure = self.cell(index)
        whiteness = self._whiteness[key]
        verdict = verdict_of(whiteness, measure)
        if role == Qt.ItemDataRole.DisplayRole:
            return self.look(index)[0]
        if role == Qt.ItemDataRole.ForegroundRole:
            return self.look(index)[1]
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{key}: {verdict.text}\n{measure.tip}" if verdict else measure.tip
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return (
                f"{key}, {measure.heading.strip()}: {measure.text(whiteness)}{f', {verdict.text}' if verdict else ''}"
            )
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        key = self.prior_at(section, orientation)
        if key:
            return key if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) else None
        if section >= len(MEASURES):
            return None
        measure = MEASURES[section]
        if role == Qt.ItemDataRole.DisplayRole:
            if self._sorted is not None and self._sorted[0] == section:
                return f"{measure.heading} {'↓' if self._sorted[1] else '↑'}"
            return measure.heading
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{measure.tip}\nClick to sort the priors by it."
        return None

    def tsv(self) -> str:
        """The whole table as tab-separated text: one line a prior, numbers in full precision, verdicts in words."""
        lines = ["\t".join(["prior", *(measure.heading.strip() for measure in MEASURES)])]
        for key in self.keys:
            whiteness = self._whiteness[key]
            cells = [key]
            for measure in MEASURES:
                words = measure.heading in ("verdict", "spectrum")
                cells.append(measure.text(whiteness) if words else f"{measure.value(whiteness):.7g}")
            lines.append("\t".join(cells))
        return "\n".join(lines) + "\n"


class Header(QHeaderView):
    """Names of measures in dim text, names of priors over a piece of their line."""

    def __init__(self, orientation: Qt.Orientation, model: WhitenessModel, parent: QWidget) -> None:
        super().__init__(orientation, parent)
        self._model = model
        self.setFont(small(self.font()))
        self.setHighlightSections(False)
        self.setSectionsClickable(True)
        self.setMinimumSectionSize(18)
        self.setAccessibleName("Measures and priors; a click on a measure sorts by it")

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        text = str(self._model.headerData(section, self.orientation()) or "")
        key = self._model.prior_at(section, self.orientation())
        upright, colours = self._model.upright, self._model.colours
        inner = QRectF(rect.adjusted(0 if self.orientation() == Qt.Orientation.Vertical else 4, 0, -4, 0))
        painter.save()
        painter.fillRect(rect, QColor(colours.panel))
        if key and upright:
            draw_sample(painter, QRectF(inner.left(), inner.top(), SAMPLE, inner.height()), key, colours)
            inner.setLeft(inner.left() + SAMPLE + 6)
        elif key:
            draw_sample(painter, QRectF(inner.left(), inner.bottom() - 5, inner.width(), 4), key, colours)
            inner.setBottom(inner.bottom() - 5)
        left = self.orientation() == Qt.Orientation.Vertical or text.startswith("verdict")
        side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
        painter.setFont(small(self.font()))
        painter.setPen(QColor(colours.text if key else colours.dim))
        words = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, int(inner.width()))
        painter.drawText(inner, side | Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()

    def sectionSizeFromContents(self, section: int) -> QSize:
        text = str(self._model.headerData(section, self.orientation()) or "")
        width = QFontMetrics(small(self.font())).horizontalAdvance(text) + 8
        if self._model.prior_at(section, self.orientation()) and self._model.upright:
            width += SAMPLE + 6
        return QSize(width, 24 if self.orientation() == Qt.Orientation.Horizontal else 19)


class CellDelegate(QStyledItemDelegate):
    """Draws a cell's text itself: the style sheet's way takes most of a frame for a table of this size."""

    def __init__(self, model: WhitenessModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        text, colour, left = self._model.look(index)
        painter.setPen(colour)
        painter.setFont(option.font)
        side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
        if left:
            text = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, option.rect.width() - 6)
        painter.drawText(option.rect.adjusted(2, 0, -4, 0), side | Qt.AlignmentFlag.AlignVCenter, text)


class WhitenessTable(QTableView):
    """The table itself. Ctrl-C copies all of it as tab-separated text."""

    def __init__(self, colours: Theme = DARK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.whiteness = WhitenessModel(self)
        self.whiteness.colours = colours
        self.setModel(self.whiteness)
        self.setFont(small(tabular(self.font())))
        self.setShowGrid(False)
        self.setFrameStyle(0)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("Whiteness of every prior")
        self.setAccessibleDescription("Statistics of this frame's noise with verdicts. Control C copies the table.")
        self.setToolTip("Click a measure to sort by it. Ctrl+C copies the table.")
        self.setItemDelegate(CellDelegate(self.whiteness, self))
        self.setStyleSheet(
            "QTableCornerButton::section { background: transparent; border: none; } QHeaderView { background: transparent; }"
        )
        self.setHorizontalHeader(Header(Qt.Orientation.Horizontal, self.whiteness, self))
        self.setVerticalHeader(Header(Qt.Orientation.Vertical, self.whiteness, self))
        self.horizontalHeader().sectionClicked.connect(lambda section: self._sort(section, of_rows=False))
        self.verticalHeader().sectionClicked.connect(lambda section: self._sort(section, of_rows=True))
        self.verticalHeader().setDefaultSectionSize(19)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.whiteness.modelReset.connect(self._fit)

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        self.whiteness.set_theme(colours)

    def _sort(self, section: int, of_rows: bool) -> None:
        if of_rows != self.whiteness.upright:
            self.whiteness.sort_by(section)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        upright = self.width() >= WIDE
        if upright != self.whiteness.upright:
            self.whiteness.set_upright(upright)
        else:
            self._fit()

    def _fit(self) -> None:
        """Columns share the width where that leaves each enough; otherwise the table scrolls sideways."""
        count = self.whiteness.columnCount()
        header, metrics = self.horizontalHeader(), QFontMetrics(small(self.font()))
        if not count:
            return
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setStretchLastSection(self.whiteness.upright)
        if self.whiteness.upright:
            for column in range(count):
                cells = [str(self.whiteness.index(row, column).data()) for row in range(self.whiteness.rowCount())]
                widest = max(metrics.horizontalAdvance(text) for text in [*cells, f"{MEASURES[column].heading} ↓"])
                header.resizeSection(column, widest + 14)
            return
        needed = metrics.horizontalAdvance("✗ < 0.001") + 6
        room = max(self.viewport().width() // count, needed)
        for column in range(count):
            header.resizeSection(column, room)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def copy(self) -> None:
        """Put the table on the clipboard as tab-separated text."""
        QGuiApplication.clipboard().setText(self.whiteness.tsv())
