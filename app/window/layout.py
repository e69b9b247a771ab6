"""Where the window's parts stand: splitters, the tools above the pictures, panels that fold, and how all is remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMainWindow, QSplitter, QToolButton, QVBoxLayout, QWidget

from app.look import theme
from app.model.state import ROWS
from app.model.user_folder import UserFolder
from app.views.compare.grid import CompareView
from app.window.panels import Timeline

SIDE_WIDTHS = (268, 328)
TIMELINE_HEIGHT = 196
TOOL_WIDTH = 32
NARROW = 1120  # all three panels ask for about 1100 pixels
GRIP = 64  # pixels of a window each way that are enough to take hold of it
FILLS = 10**5  # the middle takes what is left


class Layout:
    """The window's parts in their places. `panels` are those that can be folded away: source, statistics, timeline."""

    def __init__(
        self,
        window: QMainWindow,
        banners: Sequence[QWidget],
        compare: CompareView,
        panels: Mapping[str, QWidget],
        timeline: Timeline,
    ) -> None:
        self._window, self.panels, self._timeline = window, panels, timeline
        self._actions: Mapping[str, QAction] = {}
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for banner in banners:
            column.addWidget(banner)
        column.addWidget(compare, 1)
        self.across = QSplitter(Qt.Orientation.Horizontal)
        self.down = QSplitter(Qt.Orientation.Vertical)
        for index, (widget, stretch) in enumerate(((panels["source"], 0), (middle, 1), (panels["statistics"], 0))):
            self.across.addWidget(widget)
            self.across.setStretchFactor(index, stretch)
        self.down.addWidget(self.across)
        self.down.addWidget(panels["timeline"])
        self.down.setStretchFactor(0, 1)
        self.down.setStretchFactor(1, 0)
        for splitter in (self.across, self.down):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(1)
        self.across.setSizes([SIDE_WIDTHS[0], FILLS, SIDE_WIDTHS[1]])
        self.down.setSizes([FILLS, TIMELINE_HEIGHT])
        window.setCentralWidget(self.down)

    def set_actions(self, actions: Mapping[str, QAction]) -> None:
        """The actions that fold the panels, and are checked while these are there."""
        self._actions = actions

    def fit(self, width: int) -> None:
        """Fold the statistics away where `width` is too narrow for all panels beside each other."""
        if width < NARROW:
            self.fold("statistics", False)

    def fold(self, name: str, shown: bool) -> None:
        """Show a panel, or fold it away."""
        self.panels[name].setVisible(shown)
        self._actions[f"panel_{name}"].setChecked(shown)

    def restore(self, user_folder: UserFolder) -> None:
        """Sizes and folded panels as they were left."""
        settings = user_folder.settings()
        for name in self.panels:
            self.fold(name, settings.get(f"panel_{name}", True))
        for key, take in (
            ("across", self.across.restoreState),
            ("down", self.down.restoreState),
            ("geometry", self._window.restoreGeometry),
        ):
            if key in settings:
                take(QByteArray.fromHex(settings[key].encode()))
        for splitter, orientation in ((self.across, Qt.Orientation.Horizontal), (self.down, Qt.Orientation.Vertical)):
            splitter.setOrientation(orientation)  # these are kept with the sizes, and are no matter of taste
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(1)
        _bring_onto_a_screen(self._window)
        if "measures" in settings:
            self._timeline.set_measures(settings["measures"])

    def keep(self, user_folder: UserFolder) -> None:
        """Remember them."""
        values: dict[str, Any] = {f"panel_{name}": not panel.isHidden() for name, panel in self.panels.items()}
        for key, data in (
            ("across", self.across.saveState()),
            ("down", self.down.saveState()),
            ("geometry", self._window.saveGeometry()),
        ):
            values[key] = bytes(data.toHex().data()).decode()
        user_folder.set(**values)


def _bring_onto_a_screen(window: QMainWindow) -> None:
    """A window that lies where no screen is any more, or is larger than any, is put onto the first one."""
    frame = window.frameGeometry()
    places = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    for place in places:
        seen = place.intersected(frame)
        fits = window.width() <= 2 * place.width() and window.height() <= 2 * place.height()
        if fits and seen.width() >= GRIP and seen.height() >= GRIP:
            return
    if places:
        window.resize(min(window.width(), places[0].width()), min(window.height(), places[0].height()))
        window.move(places[0].topLeft())


def build_tools(compare: CompareView, actions: Mapping[str, QAction]) -> None:
    """The buttons above the pictures, made of the menus' actions."""
    tools = compare.tools
    for row in ROWS:
        tools.addWidget(_tool(f"row_{row}", actions))
    tools.addStretch(1)
    for name in ("mode_side", "mode_wipe", "mode_difference", "", "rgb", "overlay", "zoom_fit"):
        if name:
            tools.addWidget(_tool(name, actions))
        else:
            tools.addSpacing(theme.GRID)
    compare.setMinimumWidth(max(compare.minimumWidth(), tools.minimumSize().width()))


def _tool(name: str, actions: Mapping[str, QAction]) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(actions[name])
    style = Qt.ToolButtonStyle
    button.setToolButtonStyle(style.ToolButtonTextOnly if name.startswith("row_") else style.ToolButtonIconOnly)
    button.setAccessibleName(actions[name].text().replace("&", ""))
    if name.startswith("row_"):
        button.setMinimumWidth(button.sizeHint().width())  # else a narrow window cuts its words
    else:
        button.setFixedWidth(TOOL_WIDTH)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
