"""Type sizes and colours of the lessons: large enough for the back row, in the application's theme."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFont, QPen
from PySide6.QtWidgets import QLabel

from app.lessons.compute import texts
from app.lessons.compute.scene import INKS
from app.look import palette, theme
from app.look.theme import Theme
from app.views.widgets.prior_lines import LINE_WIDTH

LEAST, MOST = 14, 44  # pixels of body type


def body(size: QSize) -> int:
    """Pixels of body type for a window of that size: a 43rd of its height, and 68 of them across."""
    return max(LEAST, min(MOST, round(min(size.height() / 43, size.width() / 68))))


def font(base: QFont, pixels: float, bold: bool = False) -> QFont:
    """The window's typeface at another size."""
    result = QFont(base)
    result.setPixelSize(max(round(pixels), 9))
    result.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return result


def colour(ink: str, colours: Theme | None = None) -> QColor:
    """The colour of an ink (see app.lessons.compute.scene) in this theme."""
    colours = colours or theme.current()
    if ink.startswith("#"):
        return QColor(ink)
    if ink == "warn":
        return QColor(colours.ink(palette.WARN))
    if ink in INKS:
        return QColor(getattr(colours, ink))
    return QColor(colours.ink(palette.style(ink)))


def words(label: QLabel, text: str, base: float, ink: str = "text", bold: bool = False, panel: bool = False) -> None:
    """Give a label its text, type and colour, and with `panel` a ground of its own. They stand in its style sheet, which the
    application's would else override."""
    if label.text() != texts.unbroken(text):
        label.setText(texts.unbroken(text))
    weight = 600 if bold else 400
    colours = theme.current()
    ground = f"{colours.field}; border: 1px solid {colours.border}; padding: 6px 10px" if panel else "transparent"
    sheet = f"color: {colour(ink).name()}; font-size: {round(base)}px; font-weight: {weight}; background: {ground};"
    if label.styleSheet() != sheet:
        label.setStyleSheet(sheet)
    if label.isHidden() == bool(text):
        label.setVisible(bool(text))


def pen(ink: str, width: float, dash: tuple[float, ...] | None, colours: Theme | None = None) -> QPen:
    """The pen of an ink; `dash` of None is the prior's own."""
    if dash is None:
        dash = () if ink in INKS or ink.startswith("#") else tuple(map(float, palette.style(ink).dash))
    line = QPen(colour(ink, colours), LINE_WIDTH * width)
    line.setCosmetic(True)
    line.setCapStyle(Qt.PenCapStyle.FlatCap)
    line.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if dash:
        line.setDashPattern(list(dash))
    return line


def diverging(colours: Theme) -> list[tuple[int, int, int]]:
    """256 colours from blue over the panel's own colour to orange: 0 is what nothing looks like."""
    dark = colours.name == "dark"
    low, middle, high = (
        QColor("#6cc4ff" if dark else "#0b4f96"), QColor(colours.panel), QColor("#ffb000" if dark else "#b83a00")
    )  # fmt: skip
    table = []
    for index in range(256):
        share = abs(index - 127.5) / 127.5
        end = low if index < 127.5 else high
        table.append(tuple(round(a + (b - a) * share) for a, b in zip(_rgb(middle), _rgb(end), strict=True)))
    return table  # type: ignore[return-value]


def _rgb(colour_: QColor) -> tuple[int, int, int]:
    return colour_.red(), colour_.green(), colour_.blue()
