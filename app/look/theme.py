"""The look: one palette in two lights, an 8-pixel grid, two type sizes, and icons in the palette's colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from app.look.palette import BAD, GOOD, Style
from gpu.assets import asset
from gpu.errors import ClipError

GRID = 8
BODY = 13  # pixels; everything that is read
SMALL = 11  # pixels; labels of rows, units, second lines
FONTS = ("Inter_400Regular.ttf", "Inter_600SemiBold.ttf")


@dataclass(frozen=True)
class Theme:
    """The colours of one light, as #rrggbb; `negative` and `positive` are the ends of a scale around zero."""

    name: str
    window: str
    panel: str
    field: str
    hover: str
    border: str
    text: str
    dim: str
    accent: str
    on_accent: str
    good: str
    bad: str
    canvas: str
    negative: str
    positive: str

    def ink(self, style: Style) -> str:
        """The colour of a prior or a verdict on this background, as #rrggbb."""
        return style.colour_light if self.name == "light" else style.colour


DARK = Theme(
    name="dark",
    window="#17191d",
    panel="#1c1f24",
    field="#262a31",
    hover="#2e333b",
    border="#31363f",
    text="#e4e7eb",
    dim="#9aa3af",
    accent="#6aa7e8",
    on_accent="#0d1722",
    good=GOOD.colour,
    bad=BAD.colour,
    canvas="#101215",
    negative="#56b4e9",
    positive="#f08a3c",
)
LIGHT = Theme(
    name="light",
    window="#f1f2f4",
    panel="#f8f9fa",
    field="#ffffff",
    hover="#e6e9ed",
    border="#d3d7dd",
    text="#1b1f24",
    dim="#5a6472",
    accent="#2366b8",
    on_accent="#ffffff",
    good=GOOD.colour_light,
    bad=BAD.colour_light,
    canvas="#e3e6ea",
    negative="#0b4f96",
    positive="#b83a00",
)


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of #rrggbb, each from 0 to 255."""
    parsed = QColor(colour)
    return parsed.red(), parsed.green(), parsed.blue()


def of(palette: QPalette) -> Theme:
    """The theme that a widget's palette belongs to."""
    return DARK if palette.color(QPalette.ColorRole.Window).lightness() < 128 else LIGHT


def current() -> Theme:
    """The application's theme. A widget's own palette can lag behind it where a style sheet is at work."""
    return of(QApplication.palette())


def chosen(choice: str) -> Theme:
    """The theme for `dark`, `light` or `system`; a system that does not say gets the dark one."""
    if choice == "system":
        return LIGHT if QApplication.styleHints().colorScheme() == Qt.ColorScheme.Light else DARK
    return LIGHT if choice == "light" else DARK


def apply(app: QApplication, theme: Theme) -> None:
    """Give the whole application this theme."""
    app.setStyle("Fusion")
    app.setPalette(_palette(theme))
    app.setStyleSheet(_stylesheet(theme))


def load_font(app: QApplication) -> None:
    """Use the bundled typeface, so that texts have the widths they were laid out for; without it the system's."""
    families: list[str] = []
    for file in FONTS:
        try:
            number = QFontDatabase.addApplicationFont(str(asset(f"fonts/{file}")))
        except ClipError:
            break
        families += QFontDatabase.applicationFontFamilies(number)
    font = QFont(families[0]) if families else app.font()
    font.setPixelSize(BODY)
    app.setFont(font)
    app.setFont(tabular(font), "QAbstractSpinBox")  # type: ignore[arg-type]  # bytes, as annotated, are refused


_TABULAR: dict[str, QFont] = {}
_SMALL: dict[tuple[str, bool, bool], QFont] = {}


def tabular(font: QFont) -> QFont:
    """For numbers: figures of one width, so that those that change do not jump. Not for words, whose hyphens get as wide."""
    name = font.key()
    if name not in _TABULAR:
        made = _TABULAR[name] = QFont(font)
        made.setFeature(QFont.Tag("tnum"), 1)
    return _TABULAR[name]


def small(font: QFont, bold: bool = False) -> QFont:
    """The second type size. One font for all who ask: making it again at every painting costs more than the painting."""
    name = (font.key(), bold, bool(font.featureTags()))
    if name not in _SMALL:
        made = _SMALL[name] = QFont(font)
        made.setPixelSize(SMALL)
        made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return _SMALL[name]


class _Icon(QIconEngine):
    """Draws an SVG in the colour that mode and state ask for, at the size asked for, when it is first needed."""

    def __init__(self, name: str, theme: Theme) -> None:
        super().__init__()
        self._name, self._theme = name, theme

    def clone(self) -> QIconEngine:
        return _Icon(self._name, self._theme)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        colour = self._theme.text
        if mode == QIcon.Mode.Disabled:
            colour = self._theme.border
        elif state == QIcon.State.On:
            colour = self._theme.accent
        return _pixmap(self._name, colour, size.width(), size.height())

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        return self.pixmap(size, mode, state)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        ratio = painter.device().devicePixelRatio() if painter.device() is not None else 1.0
        painter.drawPixmap(rect, self.pixmap((QSizeF(rect.size()) * ratio).toSize(), mode, state))


@lru_cache(maxsize=256)
def icon(name: str, theme: Theme) -> QIcon:
    """An icon of assets/icons in the text colour, paler when disabled, in the accent colour when switched on."""
    return QIcon(_Icon(name, theme))


@lru_cache(maxsize=128)
def _svg(name: str) -> str:
    return asset(f"icons/{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=1024)
def _pixmap(name: str, colour: str, width: int, height: int) -> QPixmap:
    pixmap = QPixmap(QSize(width, height))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    svg = _svg(name).replace("currentColor", colour)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, width, height))
    painter.end()
    return pixmap


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for part, colour in (
        (role.Window, theme.window),
        (role.WindowText, theme.text),
        (role.Base, theme.field),
        (role.AlternateBase, theme.panel),
        (role.Text, theme.text),
        (role.PlaceholderText, theme.dim),
        (role.Button, theme.field),
        (role.ButtonText, theme.text),
        (role.BrightText, theme.bad),
        (role.Highlight, theme.accent),
        (role.HighlightedText, theme.on_accent),
        (role.Link, theme.accent),
        (role.ToolTipBase, theme.field),
        (role.ToolTipText, theme.text),
        (role.Mid, theme.border),
        (role.Midlight, theme.hover),
        (role.Light, theme.hover),
        (role.Dark, theme.border),
        (role.Shadow, theme.canvas),
        (role.Accent, theme.accent),
    ):
        palette.setColor(part, QColor(colour))
    for part in (role.WindowText, role.Text, role.ButtonText):
        faded = QColor(theme.dim)
        faded.setAlphaF(0.6)
        palette.setColor(QPalette.ColorGroup.Disabled, part, faded)
    return palette


def _stylesheet(theme: Theme) -> str:
    return f"""
* {{ outline: none; }}
QToolTip {{ background: {theme.field}; color: {theme.text}; border: 1px solid {theme.border}; padding: 4px 6px; }}
QMenuBar {{ background: {theme.window}; padding: 2px 4px; }}
QMenuBar::item {{ padding: 4px 8px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected {{ background: {theme.hover}; }}
QMenu {{ background: {theme.panel}; border: 1px solid {theme.border}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 4px; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::item:selected {{ background: {theme.hover}; color: {theme.text}; }}
QMenu::item:disabled {{ color: {theme.dim}; }}
QMenu::separator {{ height: 1px; background: {theme.border}; margin: 4px 8px; }}
QStatusBar {{ background: {theme.window}; color: {theme.dim}; border-top: 1px solid {theme.border}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ color: {theme.dim}; }}
QSplitter::handle {{ background: {theme.border}; }}
QSplitter::handle:hover {{ background: {theme.accent}; }}
QScrollArea {{ border: none; background: transparent; }}
QScrollArea > QWidget > QWidget {{ background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 8px; margin: 0; }}
QScrollBar::handle {{ background: {theme.border}; border-radius: 4px; min-height: 24px; min-width: 24px; }}
QScrollBar::handle:hover {{ background: {theme.dim}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox {{ background: {theme.field}; color: {theme.text};
    border: 1px solid {theme.border}; border-radius: 4px; padding: 2px 6px; min-height: 20px;
    selection-background-color: {theme.accent}; selection-color: {theme.on_accent}; }}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus {{ border-color: {theme.accent}; }}
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {{ color: {theme.dim};
    background: {theme.panel}; }}
QAbstractSpinBox QLineEdit {{ border: none; background: transparent; padding: 0 6px; min-height: 0; }}
QLineEdit[wrong="true"] {{ border-color: {theme.bad}; }}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{ width: 0; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url({_drawn("chevron", theme)}); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {theme.panel}; border: 1px solid {theme.border}; outline: none;
    selection-background-color: {theme.hover}; selection-color: {theme.text}; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 3px 6px; }}
QToolButton:hover {{ background: {theme.hover}; }}
QToolButton:pressed {{ background: {theme.border}; }}
QToolButton:checked {{ background: {theme.hover}; color: {theme.accent}; }}
QToolButton:focus {{ border-color: {theme.accent}; }}
QToolButton:disabled {{ color: {theme.dim}; }}
QToolButton::menu-indicator {{ image: none; }}
QPushButton {{ background: {theme.field}; border: 1px solid {theme.border}; border-radius: 4px; padding: 4px 12px;
    min-height: 18px; }}
QPushButton:hover {{ background: {theme.hover}; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QPushButton:focus {{ border-color: {theme.accent}; }}
QPushButton:default {{ background: {theme.accent}; color: {theme.on_accent}; border-color: {theme.accent}; }}
QPushButton:disabled {{ color: {theme.dim}; background: {theme.panel}; border-color: {theme.border}; }}
QSlider::groove:horizontal {{ height: 3px; background: {theme.border}; border-radius: 1px; }}
QSlider::sub-page:horizontal {{ background: {theme.accent}; border-radius: 1px; }}
QSlider::sub-page:horizontal:disabled {{ background: {theme.border}; }}
QSlider::handle:horizontal {{ background: {theme.text}; width: 12px; height: 12px; margin: -5px 0;
    border-radius: 6px; }}
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{ background: {theme.accent}; }}
QSlider::handle:horizontal:disabled {{ background: {theme.border}; }}
QCheckBox {{ spacing: 8px; }}
QCheckBox::indicator {{ width: 13px; height: 13px; border: 1px solid {theme.dim}; border-radius: 3px;
    background: {theme.field}; }}
QCheckBox::indicator:hover, QCheckBox::indicator:focus {{ border-color: {theme.accent}; }}
QCheckBox::indicator:checked {{ background: {theme.accent}; border-color: {theme.accent};
    image: url({_drawn("check", theme)}); }}
QCheckBox::indicator:disabled {{ border-color: {theme.border}; }}
QCheckBox::indicator:checked:disabled {{ background: {theme.dim}; border-color: {theme.dim}; }}
QTabBar::tab {{ padding: 4px 8px; border: none; color: {theme.dim}; background: transparent;
    border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {theme.text}; border-bottom-color: {theme.accent}; }}
QTabWidget::pane {{ border: none; }}
QHeaderView::section {{ background: {theme.panel}; color: {theme.dim}; border: none; padding: 4px; }}
QTableView {{ background: {theme.panel}; border: none; gridline-color: {theme.border}; }}
#panel {{ background: {theme.panel}; }}
#heading {{ color: {theme.dim}; font-size: {SMALL}px; font-weight: 600; background: transparent; text-align: left; }}
#heading:hover {{ color: {theme.text}; }}
#dim {{ color: {theme.dim}; font-size: {SMALL}px; }}
#wrong {{ color: {theme.bad}; font-size: {SMALL}px; }}
#banner {{ background: {theme.field}; border-bottom: 1px solid {theme.border}; }}
"""


def _drawn(name: str, theme: Theme) -> str:
    """An icon in the theme's own colour, for style sheets, which cannot give it one."""
    return asset(f"icons/{name}-{theme.name}.svg").as_posix()
