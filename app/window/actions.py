"""What each command of the menus does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QApplication

from app.model.state import MODES, ROWS
from app.window import documents, layout, pixel_inspection, pose_editor

if TYPE_CHECKING:
    from app.window.main_window import Window


def slots(window: Window) -> dict[str, Callable[..., Any]]:
    """Name of a command to what it does. Checkable commands are given whether they are on."""
    state = window.state
    found: dict[str, Callable[..., Any]] = {
        "open_video": lambda: documents.open_source(window, "video"),
        "open_images": lambda: documents.open_source(window, "images"),
        "open_still": lambda: documents.open_source(window, "still"),
        "open_flow": lambda: documents.open_source(window, "flow"),
        "open_session": lambda: documents.open_session(window),
        "save": lambda: documents.save(window),
        "save_as": lambda: documents.save_as(window),
        "export": lambda: documents.export(window),
        "quit": window.close,
        "undo": state.undo,
        "redo": state.redo,
        "copy": lambda: QApplication.clipboard().setImage(window.compare.picture()),
        "copy_values": lambda: QApplication.clipboard().setText(documents.figures_text(window)),
        "poses": lambda: pose_editor.open_editor(window),
        "flip": window.flip_once,
        "rgb": lambda on: state.set_view(colours="rgb" if on else "grey"),
        "overlay": lambda on: state.set_view(overlay=on),
        "wheel": lambda on: state.set_view(motion="wheel" if on else "arrows"),
        "zoom_in": lambda: state.zoom(1.5, *state.view.centre),
        "zoom_out": lambda: state.zoom(1 / 1.5, *state.view.centre),
        "zoom_fit": lambda: state.set_view(zoom=1.0, centre=(0.5, 0.5)),
        "inspect": lambda: pixel_inspection.open_page(window, "pixel"),
        "full_screen": lambda on: window.showFullScreen() if on else window.showNormal(),
        "play": window.play,
        "next": lambda: state.set_frame(state.view.frame + 1),
        "previous": lambda: state.set_frame(state.view.frame - 1),
        "first": lambda: state.set_frame(0),
        "last": lambda: state.set_frame(max(state.frames - 1, 0)),
        "loop_start": lambda: _loop(window, start=state.view.frame),
        "loop_end": lambda: _loop(window, end=state.view.frame),
        "loop_off": lambda: state.set_view(loop=None),
        "background": window.worker.set_background,
        "experiments": lambda: window.experimenting.open(),
        "experiments_all": lambda: window.experimenting.open_all(),
        "shortcuts": lambda: documents.show_shortcuts(window),
        "log": lambda: documents.open_log(window),
        "about": lambda: documents.show_about(window),
    }
    for row in ROWS:
        found[f"row_{row}"] = lambda on, row=row: _show_row(window, row, on)
    for mode in MODES:
        found[f"mode_{mode}"] = lambda _=False, mode=mode: _set_mode(window, mode)
    for choice in ("system", "dark", "light"):
        found[f"theme_{choice}"] = lambda _=False, choice=choice: _choose_theme(window, choice)
    for name in ("source", "statistics", "timeline"):
        found[f"panel_{name}"] = lambda on, name=name: layout.fold(window, name, on)
    return found


def _show_row(window: Window, row: str, on: bool) -> None:
    shown = window.state.view.rows
    rows = tuple(one for one in ROWS if (one in shown and one != row) or (one == row and on))
    window.state.set_view(rows=rows or shown)  # the last row stays
    window.show_view()


def _set_mode(window: Window, mode: str) -> None:
    window.state.set_view(mode=mode if window.state.view.mode != mode else "side")
    window.show_view()


def _choose_theme(window: Window, choice: str) -> None:
    window.store.set(theme=choice)
    window.set_theme(choice)


def _loop(window: Window, start: int | None = None, end: int | None = None) -> None:
    state = window.state
    low, high = state.view.loop or (0, max(state.frames - 1, 0))
    low, high = (low if start is None else start), (high if end is None else end)
    state.set_view(loop=(low, high) if low < high else None)
