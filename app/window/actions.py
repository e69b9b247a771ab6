"""What each command of the menus does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.model.state import MODES, ROWS, State
from app.model.user_folder import UserFolder
from app.views.compare.grid import CompareView
from app.views.widgets.banner import Banner
from app.window import help_pages
from app.window.documents import Documents
from app.window.exporting import Exporting
from app.window.layout import Layout
from app.window.panels import Statistics
from app.window.playback import Playback

FLIP_MS = 800

Actions = dict[str, Callable[..., Any]]
"""Name of a command to what it does. Checkable commands are given whether they are on."""


def of_documents(documents: Documents, exporting: Exporting) -> Actions:
    """Opening, saving, exporting."""
    return {
        "open_video": lambda: documents.open_source("video"),
        "open_images": lambda: documents.open_source("images"),
        "open_numbered": lambda: documents.open_source("numbered"),
        "open_still": lambda: documents.open_source("still"),
        "open_flow": lambda: documents.open_source("flow"),
        "open_session": documents.open_session,
        "save": documents.save,
        "save_as": documents.save_as,
        "export": exporting.open,
        "copy_values": lambda: QApplication.clipboard().setText(exporting.figures_text()),
    }


def of_state(state: State, show_view: Callable[[], None]) -> Actions:
    """History, rows, zoom and loop. `show_view` checks the actions again: a click may have unchecked one that stays."""
    actions: Actions = {
        "undo": state.undo,
        "redo": state.redo,
        "rgb": lambda on: state.set_view(colours="rgb" if on else "grey"),
        "overlay": lambda on: state.set_view(overlay=on),
        "wheel": lambda on: state.set_view(motion="wheel" if on else "arrows"),
        "zoom_in": lambda: state.zoom(1.5, *state.view.centre),
        "zoom_out": lambda: state.zoom(1 / 1.5, *state.view.centre),
        "zoom_fit": lambda: state.set_view(zoom=1.0, centre=(0.5, 0.5)),
        "next": lambda: state.set_frame(state.view.frame + 1),
        "previous": lambda: state.set_frame(state.view.frame - 1),
        "first": lambda: state.set_frame(0),
        "last": lambda: state.set_frame(max(state.frames - 1, 0)),
        "loop_start": lambda: _set_loop(state, start=state.view.frame),
        "loop_end": lambda: _set_loop(state, end=state.view.frame),
        "loop_off": lambda: state.set_view(loop=None),
    }
    for row in ROWS:
        actions[f"row_{row}"] = lambda on, row=row: _show_row(state, row, on, show_view)
    for mode in MODES:
        actions[f"mode_{mode}"] = lambda _=False, mode=mode: _set_mode(state, mode, show_view)
    return actions


def of_views(compare: CompareView, layout: Layout, statistics: Statistics, playback: Playback) -> Actions:
    """Pictures, panels, playing."""

    def inspect() -> None:
        layout.fold("statistics", True)
        statistics.open_page("pixel")

    actions: Actions = {
        "copy": lambda: QApplication.clipboard().setImage(compare.picture()),
        "flip": lambda: flip_once(compare),
        "inspect": inspect,
        "play": playback.play,
    }
    for name in layout.panels:
        actions[f"panel_{name}"] = lambda on, name=name: layout.fold(name, on)
    return actions


def of_help(parent: QWidget, user_folder: UserFolder, banner: Banner) -> Actions:
    """The pages of the Help menu."""
    return {
        "shortcuts": lambda: help_pages.show_shortcuts(parent),
        "log": lambda: help_pages.open_log(user_folder, banner),
        "about": lambda: help_pages.show_about(parent),
    }


def flip_once(compare: CompareView) -> None:
    """Show the reference in every column for a moment."""
    compare.canvas.set_flip(True)
    QTimer.singleShot(FLIP_MS, compare.canvas, lambda: compare.canvas.set_flip(False))


def _show_row(state: State, row: str, on: bool, show_view: Callable[[], None]) -> None:
    shown = state.view.rows
    rows = tuple(name for name in ROWS if (name in shown and name != row) or (name == row and on))
    state.set_view(rows=rows or shown)  # the last row stays
    show_view()


def _set_mode(state: State, mode: str, show_view: Callable[[], None]) -> None:
    state.set_view(mode=mode if state.view.mode != mode else "side")
    show_view()


def _set_loop(state: State, start: int | None = None, end: int | None = None) -> None:
    low, high = state.view.loop or (0, max(state.frames - 1, 0))
    low, high = (low if start is None else start), (high if end is None else end)
    state.set_view(loop=(low, high) if low < high else None)
