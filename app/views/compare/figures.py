"""The figures under every column: variance, whiteness, coherence, warp error and sharpness, with verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.look import palette, theme
from app.views.compare.cell_layout import GAP, GUTTER
from gpu.engine.results import Column, FrameResult

LINE = 18
BLURRED = 0.7  # sharpness relative to the sharpest column's below which a low warp error is no merit


@dataclass(frozen=True)
class Figure:
    """One number as text with its verdict (None: no judgement) and a sentence for the tooltip."""

    text: str
    ok: bool | None = None
    tip: str = ""

    @property
    def symbol(self) -> str:
        return "" if self.ok is None else palette.SYMBOLS[self.ok]


NONE = Figure("–")

NOISE_LABELS = ("variance", "whiteness", "coherence")
OUTPUT_LABELS = ("warp ×10⁻³", "warp, gap 5", "sharpness")
LABEL_TIPS = {
    "variance": "Variance of this frame's noise. White noise has 1; the verdict uses its 99.9 % interval.",
    "whiteness": "All tests of whiteness together; the table at the right shows each of them.",
    "coherence": "Correlation with the previous frame's noise along the motion.",
    "warp ×10⁻³": "Warp error: mean squared difference from the previous frame's output moved along the motion.",
    "warp, gap 5": "The same over a gap of five frames, where noise that sticks to the screen can no longer hide.",
    "sharpness": "Variance of the Laplacian relative to the true frame; blurred if far below the sharpest column's.",
}


def all_figures(result: FrameResult | None, keys: Sequence[str]) -> dict[str, dict[str, Figure]]:
    """The figures of every column; blur is judged against the sharpest of them, which saw the same frame."""
    columns = {key: result.columns.get(key) if result is not None else None for key in keys}
    sharpnesses = [column.quality.sharpness for column in columns.values() if column is not None and column.quality]
    sharpest = max((value for value in sharpnesses if math.isfinite(value)), default=1.0)
    return {key: figures(column, sharpest) for key, column in columns.items()}


def figures(column: Column | None, sharpest: float = 1.0) -> dict[str, Figure]:
    """Label to figure of one column; what is not known yet is a dash."""
    figures = dict.fromkeys((*NOISE_LABELS, *OUTPUT_LABELS), NONE)
    if column is None:
        return figures
    white = column.whiteness
    verdict = white.verdicts.get("variance")
    figures["variance"] = Figure(
        f"{white.variance:.2f}",
        None if verdict is None else verdict.ok,
        f"variance {white.variance:.4f}; white noise of {white.n} values lies in "
        f"{white.variance_low:.4f} … {white.variance_high:.4f}",
    )
    words = {True: "white", False: "not white", None: "unknown"}[white.verdict.ok]
    figures["whiteness"] = Figure(words, white.verdict.ok, white.verdict.text)
    if column.coherence is not None and math.isfinite(column.coherence.previous):
        coherence = column.coherence
        figures["coherence"] = Figure(
            f"{coherence.previous:.2f}".replace("-0.00", "0.00").replace("-", "−"),
            None,
            f"with the previous frame {coherence.previous:.3f}, with the shot's first frame {coherence.first:.3f}; "
            f"white noise can reach {coherence.ceiling:.2f} for this motion",
        )
    quality = column.quality
    if quality is not None:
        figures["warp ×10⁻³"] = _warp(quality.warp_error, quality.coverage, quality.sharpness, 1)
        figures["warp, gap 5"] = _warp(quality.warp_error_5, quality.coverage_5, quality.sharpness, 5)
        if math.isfinite(quality.sharpness):
            blurred = quality.sharpness < BLURRED * sharpest
            figures["sharpness"] = Figure(
                f"{quality.sharpness:.2f}" + (" blur" if blurred else ""),
                False if blurred else None,
                f"{quality.sharpness:.3f} of the true frame's"
                + ("; a low warp error won by blurring is no merit" if blurred else ""),
            )
    return figures


def _warp(error: float, coverage: float, sharpness: float, gap: int) -> Figure:
    if not math.isfinite(error):
        return NONE
    return Figure(
        f"{error * 1e3:.2f}",
        None,
        f"{error * 1e3:.3f} ×10⁻³, or {error * 255**2:.1f} on the 0 … 255² scale, over a gap of {gap} "
        f"frame{'s' * (gap > 1)} and {coverage:.0%} of the pixels",
    )


class Figures(QWidget):
    """Draws the figures of all columns below the pictures."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Figures of every prior")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._labels: tuple[str, ...] = NOISE_LABELS
        self._keys: tuple[str, ...] = ()
        self._columns: list[QRect] = []
        self._figures: dict[str, dict[str, Figure]] = {}

    def sizeHint(self) -> QSize:
        return QSize(200, len(self._labels) * LINE + GAP)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def set_columns(self, keys: tuple[str, ...], columns: list[QRect], with_output: bool) -> None:
        """Where the columns stand, and whether there are figures of outputs."""
        self._keys, self._columns = keys, columns
        labels = (*NOISE_LABELS, *OUTPUT_LABELS) if with_output else NOISE_LABELS
        if labels != self._labels:
            self._labels = labels
            self.updateGeometry()
        self.update()

    def show_result(self, result: FrameResult | None) -> None:
        """The figures of a frame; None: there is none."""
        self._figures = all_figures(result, self._keys)
        self.setAccessibleDescription(
            "; ".join(
                f"{key}: "
                + ", ".join(f"{label} {figure.text}" for label, figure in figures.items() if figure is not NONE)
                for key, figures in self._figures.items()
            )
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        small = theme.small(self.font())
        for index, label in enumerate(self._labels):
            y = GAP // 2 + index * LINE
            painter.setFont(small)
            painter.setPen(QColor(colours.dim))
            box = QRectF(0, y, GUTTER - GAP, LINE)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label)
            painter.setFont(theme.tabular(self.font()))
            for key, column in zip(self._keys, self._columns, strict=False):
                figure = self._figures.get(key, {}).get(label, NONE)
                painter.setPen(QColor(colours.dim if figure is NONE else colours.text))
                text = QRectF(column.x() + 2, y, column.width() - 4, LINE)
                side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
                painter.drawText(text, side, figure.text)
                if figure.symbol:
                    painter.setPen(QColor(colours.good if figure.ok else colours.bad))
                    shift = painter.fontMetrics().horizontalAdvance(figure.text + " ")
                    painter.drawText(text.adjusted(shift, 0, 0, 0), side, figure.symbol)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = (event.pos().y() - GAP // 2) // LINE
            tip = ""
            if 0 <= index < len(self._labels):
                label = self._labels[index]
                tip = LABEL_TIPS[label]
                for key, column in zip(self._keys, self._columns, strict=False):
                    if column.left() <= event.pos().x() <= column.right():
                        tip = f"{key}: " + (self._figures.get(key, {}).get(label, NONE).tip or tip)
            QToolTip.showText(event.globalPos(), tip, self)
            return True
        return super().event(event)
