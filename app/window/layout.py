"""Where the window's parts stand: splitters, the tools above the pictures, and how both are remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QSplitter, QToolButton, QVBoxLayout, QWidget

from app.look import theme
from app.model.state import ROWS

if TYPE_CHECKING:
    from app.window.main_window import Window

SIDE_WIDTHS = (268, 328)
TIMELINE_HEIGHT = 196
TOOL_WIDTH = 32
NARROW = 1120  # all three panels ask for about 1100 pixels
FILLS = 10**5  # the middle takes what is left


def build(window: Window) -> tuple[QSplitter, QSplitter]:
    """Put the parts together; the splitter across and the one down."""
    middle = QWidget()
    column = QVBoxLayout(middle)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(window.banner)
    column.addWidget(window.compare, 1)
    across = QSplitter(Qt.Orientation.Horizontal)
    down = QSplitter(Qt.Orientation.Vertical)
    for index, (widget, stretch) in enumerate(((window.source, 0), (middle, 1), (window.statistics, 0))):
        across.addWidget(widget)
        across.setStretchFactor(index, stretch)
    down.addWidget(across)
    down.addWidget(window.timeline)
    down.setStretchFactor(0, 1)
    down.setStretchFactor(1, 0)
    for splitter in (across, down):
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(1)
    across.setSizes([SIDE_WIDTHS[0], FILLS, SIDE_WIDTHS[1]])
    down.setSizes([FILLS, TIMELINE_HEIGHT])
    window.setCentralWidget(down)
    window.setStatusBar(window.status)
    return across, down


def build_tools(window: Window) -> None:
    """The buttons above the pictures, made of the menus' actions."""
    tools = window.compare.tools
    for row in ROWS:
        tools.addWidget(_tool(window, f"row_{row}"))
    tools.addStretch(1)
    for name in ("mode_side", "mode_wipe", "mode_difference", "", "rgb", "overlay", "zoom_fit"):
        if name:
            tools.addWidget(_tool(window, name))
        else:
            tools.addSpacing(theme.GRID)
    window.compare.setMinimumWidth(max(window.compare.minimumWidth(), tools.minimumSize().width()))


def fit(window: Window, width: int) -> None:
    """Fold the statistics away where `width` is too narrow for all panels beside each other."""
    if width < NARROW:
        fold(window, "statistics", False)


def _tool(window: Window, name: str) -> QToolButton:
    action = window.actions_[name]
    button = QToolButton()
    button.setDefaultAction(action)
    style = Qt.ToolButtonStyle
    button.setToolButtonStyle(style.ToolButtonTextOnly if name.startswith("row_") else style.ToolButtonIconOnly)
    button.setAccessibleName(action.text().replace("&", ""))
    if name.startswith("row_"):
        button.setMinimumWidth(button.sizeHint().width())  # else a narrow window cuts its words
    else:
        button.setFixedWidth(TOOL_WIDTH)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def panels(window: Window) -> dict[str, QWidget]:
    """The parts that can be folded away."""
    return {"source": window.source, "statistics": window.statistics, "timeline": window.timeline}


def fold(window: Window, name: str, shown: bool) -> None:
    panels(window)[name].setVisible(shown)
    window.actions_[f"panel_{name}"].setChecked(shown)


def restore(window: Window) -> None:
    """Sizes and folded panels as they were left."""
    settings = window.store.settings()
    for name in panels(window):
        fold(window, name, bool(settings.get(f"panel_{name}", True)))
    for key, take in (
        ("across", window.across.restoreState),
        ("down", window.down.restoreState),
        ("geometry", window.restoreGeometry),
    ):
        if isinstance(settings.get(key), str):
            take(QByteArray.fromHex(settings[key].encode()))
    measures = settings.get("measures")
    if isinstance(measures, list):
        window.timeline.tell("set_measures", [str(name) for name in measures])


def keep(window: Window) -> None:
    """Remember them."""
    values: dict[str, Any] = {f"panel_{name}": not one.isHidden() for name, one in panels(window).items()}
    for key, data in (
        ("across", window.across.saveState()),
        ("down", window.down.saveState()),
        ("geometry", window.saveGeometry()),
    ):
        values[key] = bytes(data.toHex().data()).decode()
    window.store.set(**values)


def statistics() -> Any:
    """The panel at the right, made when it is first seen: what it draws with takes long to import."""
    from app.views.statistics.panel import StatisticsPanel

    return StatisticsPanel()


def timeline() -> Any:
    """The panel at the bottom, likewise."""
    from app.views.timeline.panel import TimelinePanel

    return TimelinePanel()
