"""Any plot as a file: PNG, SVG and CSV, from a menu that every plot carries."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QContextMenuEvent, QGuiApplication, QImage, QPainter, QPalette
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QVBoxLayout, QWidget

from app.look.theme import LIGHT
from app.views.widgets.prior_lines import Legend
from app.views.widgets.words import Label, message
from gpu.errors import OutputError

FIGURE_SIZE = QSize(640, 400)
"""Size of an exported figure in points; a PNG has twice as many pixels."""


@dataclass(frozen=True)
class Table:
    """Columns of numbers for a CSV file; headings name quantity and unit. Columns may differ in length."""

    headings: Sequence[str]
    columns: Sequence[npt.NDArray[np.generic] | Sequence[object]]


class Messenger(QObject):
    """Tells the window what became of a file: `saved` its path, `problem` a sentence."""

    saved = Signal(str)
    problem = Signal(str)


class Figure:
    """Mix-in of widgets that can be saved. The picture is a fresh twin on white at a size fit for a paper, not the
    screen's small one; that is why a subclass says how to build its twin."""

    messenger: Messenger

    def figure_name(self) -> str:
        """The start of the file's name."""
        raise NotImplementedError

    def figure_title(self) -> str:
        """The title above the picture."""
        raise NotImplementedError

    def figure_keys(self) -> list[str]:
        """The priors to list in the legend."""
        raise NotImplementedError

    def figure_twin(self, scale: float) -> QWidget:
        """A new widget of the same kind with the same data, in light colours on white. Pens of a fixed width are `scale`
        times as wide: so many pixels will the picture have a point."""
        raise NotImplementedError

    def figure_table(self) -> Table:
        """The numbers that are drawn."""
        raise NotImplementedError

    def figure_menu(self) -> None:
        """Give the widget its menu: an overflow button in the corner, and the same on a right click."""
        assert isinstance(self, QWidget)
        self.messenger = Messenger(self)
        self._menu = QMenu(self)
        self._menu.setAccessibleName("Save this plot")
        for text, tip, slot in (
            ("Save as PNG…", "A picture on white, 1280 × 800 pixels", lambda: self._save_as("png")),
            ("Save as SVG…", "A drawing on white for papers and slides", lambda: self._save_as("svg")),
            ("Save data as CSV…", "The numbers of every curve, units in the headings", lambda: self._save_as("csv")),
            ("Copy picture", "Put the picture on the clipboard", self._copy),
        ):
            action = QAction(text, self._menu)
            action.setToolTip(tip)
            action.triggered.connect(slot)
            self._menu.addAction(action)
        self._menu.setToolTipsVisible(True)
        self._button = CornerButton(self, self._menu)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._menu.popup(event.globalPos())

    def _save_as(self, suffix: str) -> None:
        assert isinstance(self, QWidget)
        name = f"{self.figure_name()}.{suffix}"
        chosen, _ = QFileDialog.getSaveFileName(self.window(), "Save the plot", name, f"{suffix.upper()} (*.{suffix})")
        if chosen:
            self.save(Path(chosen).with_suffix(f".{suffix}"))

    def save(self, path: Path) -> None:
        """Write the format that the path's ending names; say how it went through the messenger."""
        assert isinstance(self, QWidget)
        try:
            write_figure(self, path)
        except OutputError as problem:
            if not self.messenger.receivers("2problem(QString)"):
                box = message(self.window(), "Not saved", str(problem))
                box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
                box.exec()
            self.messenger.problem.emit(str(problem))
        else:
            self.messenger.saved.emit(str(path))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setImage(picture(self))


class CornerButton(QToolButton):
    """The overflow button of a plot, kept in its upper right corner."""

    def __init__(self, host: QWidget, menu: QMenu) -> None:
        super().__init__(host)
        self.setText("⋯")
        self.setAutoRaise(True)
        self.setFixedSize(22, 18)
        self.setMenu(menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setStyleSheet("QToolButton { border: none; } QToolButton::menu-indicator { image: none; }")
        self.setToolTip("Save this plot as PNG, SVG or CSV")
        self.setAccessibleName("Save this plot")
        host.installEventFilter(self)
        self._place(host)

    def _place(self, host: QWidget) -> None:
        self.move(host.width() - self.width() - 2, 0)
        self.raise_()

    def eventFilter(self, host: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(host, QWidget):
            self._place(host)
        return False


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as .png, .svg or .csv; OutputError says why it cannot be."""
    writers = {".png": _write_png, ".svg": _write_svg, ".csv": _write_csv}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise OutputError(f"The plot cannot be written to {path}: expected a name that ends in .png, .svg or .csv.")
    try:
        with path.open("ab"):
            pass
        writer(figure, path)
    except OSError as problem:
        raise OutputError(f"The plot cannot be written to {path}: {problem.strerror or problem}.") from None


def _sheet(figure: Figure, scale: float) -> QWidget:
    """The page that is drawn: title, legend, twin. It is laid out as if shown, but never on the screen."""
    sheet = QWidget()
    sheet.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    palette = sheet.palette()
    palette.setColor(QPalette.ColorRole.Window, QColor("white"))
    palette.setColor(QPalette.ColorRole.WindowText, QColor(LIGHT.text))
    sheet.setPalette(palette)
    sheet.setAutoFillBackground(True)
    layout = QVBoxLayout(sheet)
    layout.setContentsMargins(16, 12, 16, 12)
    title = Label(figure.figure_title())
    title.setStyleSheet(f"color: {LIGHT.text}; font-weight: 600;")
    legend = Legend(colours=LIGHT)
    legend.set_keys(figure.figure_keys())
    twin = figure.figure_twin(scale)
    for button in twin.findChildren(CornerButton):
        button.hide()
    layout.addWidget(title)
    layout.addWidget(legend)
    layout.addWidget(twin, 1)
    sheet.resize(FIGURE_SIZE)
    sheet.show()
    return sheet


def _close(sheet: QWidget) -> None:
    sheet.close()
    sheet.deleteLater()


def picture(figure: Figure, scale: float = 2.0) -> QImage:
    """The figure on white, `scale` pixels a point."""
    sheet = _sheet(figure, scale)
    image = QImage(FIGURE_SIZE * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(Qt.GlobalColor.white)
    sheet.render(image)
    _close(sheet)
    return image


def _write_png(figure: Figure, path: Path) -> None:
    if not picture(figure).save(str(path)):
        raise OutputError(f"The plot cannot be written to {path}: the picture could not be stored.")


def _write_svg(figure: Figure, path: Path) -> None:
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)  # version 1.1 is the one with clipping
    generator.setFileName(str(path))
    generator.setSize(FIGURE_SIZE)
    generator.setViewBox(QRect(QPoint(0, 0), FIGURE_SIZE))
    generator.setResolution(96)
    generator.setTitle(figure.figure_title())
    generator.setDescription("Written by Noisescope")
    sheet = _sheet(figure, 1.0)
    painter = QPainter(generator)
    sheet.render(painter, QPoint())
    painter.end()
    _close(sheet)


def _write_csv(figure: Figure, path: Path) -> None:
    write_table(figure.figure_table(), path)


def write_table(table: Table, path: Path) -> None:
    """Write a table as UTF-8 CSV, numbers in full float32 precision, NaN as an empty cell."""
    rows = max((len(column) for column in table.columns), default=0)
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow(table.headings)
        for row in range(rows):
            writer.writerow([_cell(column[row]) if row < len(column) else "" for column in table.columns])


def _cell(value: object) -> object:
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else f"{float(value):.9g}"
    return value
