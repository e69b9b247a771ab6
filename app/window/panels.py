"""What the window asks of the panels that are built late: all that it knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from app.look.theme import Theme
from app.model.state import View
from app.views.widgets.deferred_panel import DeferredPanel

if TYPE_CHECKING:
    from app.views.statistics.panel import StatisticsPanel
    from app.views.timeline.panel import TimelinePanel
    from gpu.engine.results import FrameResult, SourceInfo

Series = Mapping[str, Mapping[str, npt.NDArray[np.float32]]]
"""Curves over time: by column, by measure, (frames,)."""


class Statistics(DeferredPanel["StatisticsPanel"]):
    """The panel at the right, made when it is first seen: what it draws with takes long to import."""

    def show_result(self, result: FrameResult | None) -> None:
        self.tell("result", lambda panel: panel.show_result(result))

    def set_hidden(self, keys: set[str]) -> None:
        self.tell("hidden", lambda panel: panel.set_hidden_keys(keys))

    def set_theme(self, colours: Theme) -> None:
        self.tell("theme", lambda panel: panel.set_theme(colours))

    def open_page(self, name: str) -> None:
        """Turn to the page `noise`, `outputs` or `pixel`."""
        self.tell_once("page", lambda panel: panel.open_page(name))


class Timeline(DeferredPanel["TimelinePanel"]):
    """The panel at the bottom, likewise."""

    def set_info(self, info: SourceInfo) -> None:
        self.tell("info", lambda panel: panel.set_info(info))

    def set_frame(self, t: int) -> None:
        self.tell("frame", lambda panel: panel.set_frame(t))

    def set_computed(self, mask: npt.NDArray[np.bool_]) -> None:
        """(frames,) which frames are complete."""
        self.tell("computed", lambda panel: panel.set_computed(mask))

    def set_series(self, series: Series) -> None:
        self.tell("series", lambda panel: panel.set_series(series))

    def set_playing(self, on: bool) -> None:
        self.tell("playing", lambda panel: panel.set_playing(on))

    def set_measures(self, names: list[str]) -> None:
        """Which measures the curves show, from left to right."""
        self.tell("measures", lambda panel: panel.set_measures(names))

    def show_view(self, view: View) -> None:
        """The loop, and which columns are left out."""
        self.tell("hidden", lambda panel: panel.set_hidden_keys(set(view.hidden)))
        self.tell("loop", lambda panel: panel.set_loop(view.loop))

    def set_theme(self, colours: Theme) -> None:
        self.tell("theme", lambda panel: panel.set_theme(colours))


def make_statistics() -> StatisticsPanel:
    """The panel itself; imports pyqtgraph."""
    from app.views.statistics.panel import StatisticsPanel

    return StatisticsPanel()


def make_timeline() -> TimelinePanel:
    """The panel itself; imports pyqtgraph."""
    from app.views.timeline.panel import TimelinePanel

    return TimelinePanel()
