"""What the window knows, without widgets: the session with its undo history, the current frame and what is shown of it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from PySide6.QtCore import QObject, Signal

from app.model.history import History
from gpu.session import PriorSettings, Session

ROWS = ("noise", "output", "xt-noise", "xt-output", "error", "motion")
"""The rows of the comparison grid, in the order they are drawn."""

MODES = ("side", "wipe", "difference")
"""How a column is drawn: alone, left of the wipe line the reference, or its absolute difference from the reference."""

MERGE_SECONDS = 1.5
MAX_ZOOM = 64.0


@dataclass(frozen=True)
class View:
    """What only the window reads. `zoom` is relative to the size that fits the cell; `centre` is (x, y) in 0..1."""

    rows: tuple[str, ...] = ("noise", "output", "xt-noise")
    mode: Literal["side", "wipe", "difference"] = "side"
    colours: Literal["grey", "rgb"] = "grey"
    motion: Literal["arrows", "wheel"] = "arrows"
    overlay: bool = False
    zoom: float = 1.0
    centre: tuple[float, float] = (0.5, 0.5)
    reference: str = ""  # the key of a prior; empty: the first column
    wipe: float = 0.5
    slice: float = 0.5  # height of the x-t slice, 0 (top) to 1
    loop: tuple[int, int] | None = None
    frame: int = 0
    hidden: tuple[str, ...] = ()  # keys of columns that the plots leave out


def view_from(data: Mapping[str, Any]) -> View:
    """The view kept in a session file. An entry that does not fit stays at its default: no number depends on it."""
    taken: dict[str, Any] = {}
    rows = data.get("rows")
    if isinstance(rows, (list, tuple)) and all(row in ROWS for row in rows) and rows:
        taken["rows"] = tuple(row for row in ROWS if row in rows)
    for name, choices in (("mode", MODES), ("colours", ("grey", "rgb")), ("motion", ("arrows", "wheel"))):
        if data.get(name) in choices:
            taken[name] = data[name]
    for name, low, high in (("zoom", 1.0, MAX_ZOOM), ("wipe", 0.0, 1.0), ("slice", 0.0, 1.0)):
        if _is_number(data.get(name)):
            taken[name] = min(max(float(data[name]), low), high)
    centre, loop = data.get("centre"), data.get("loop")
    if isinstance(centre, (list, tuple)) and len(centre) == 2 and all(_is_number(value) for value in centre):
        taken["centre"] = clamp_centre((float(centre[0]), float(centre[1])), taken.get("zoom", 1.0))
    if isinstance(loop, (list, tuple)) and len(loop) == 2 and all(type(value) is int and value >= 0 for value in loop):
        taken["loop"] = (min(loop), max(loop))
    if isinstance(data.get("reference"), str):
        taken["reference"] = data["reference"]
    if isinstance(data.get("hidden"), (list, tuple)):
        taken["hidden"] = tuple(str(key) for key in data["hidden"])
    if type(data.get("frame")) is int and data["frame"] >= 0:
        taken["frame"] = data["frame"]
    if isinstance(data.get("overlay"), bool):
        taken["overlay"] = data["overlay"]
    return View(**taken)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


class State(QObject):
    """The one truth behind the window. It tells of its changes by Qt's signals, and knows no widget."""

    session_changed = Signal()
    view_changed = Signal()
    frame_changed = Signal()
    history_changed = Signal()
    saved_changed = Signal()  # whether the settings are those of their file

    def __init__(self, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._load(session)

    def _load(self, session: Session) -> None:
        self.view = view_from(session.view)
        self.session = replace(session, view={})
        self.frames = 0
        self._history: History[Session] = History(MERGE_SECONDS, self._clock)
        self._saved = self.session

    def _tell_session(self) -> None:
        self.session_changed.emit()
        self.history_changed.emit()
        self.saved_changed.emit()

    # -- the session and its history

    def open(self, session: Session) -> None:
        """Start over with another session: an empty history, its own view."""
        self._load(session)
        self.session_changed.emit()
        self.view_changed.emit()
        self.frame_changed.emit()
        self.history_changed.emit()
        self.saved_changed.emit()

    def change(self, session: Session, what: str, merge: str = "") -> None:
        """Take new settings. Changes with the same `merge` that follow each other quickly are undone in one step."""
        session = replace(session, view={})
        if session == self.session:
            return
        self._history.record(self.session, what, merge)
        self.session = session
        self._tell_session()

    def undo(self) -> None:
        self._travel(self._history.undo(self.session))

    def redo(self) -> None:
        self._travel(self._history.redo(self.session))

    def _travel(self, session: Session | None) -> None:
        if session is not None:
            self.session = session
            self._tell_session()

    @property
    def undo_text(self) -> str:
        """What undo would take back; empty when there is nothing."""
        return self._history.undo_text

    @property
    def redo_text(self) -> str:
        return self._history.redo_text

    @property
    def modified(self) -> bool:
        return self.session != self._saved

    def mark_saved(self) -> None:
        self._saved = self.session
        self.saved_changed.emit()

    def to_save(self) -> Session:
        """The session with the view inside, as it goes to a file."""
        return replace(self.session, view=dataclasses.asdict(self.view))

    # -- columns

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(prior.key for prior in self.session.priors)

    @property
    def reference(self) -> str:
        """The key of the reference column: the chosen one while it is there, else the first; empty without columns."""
        keys = self.keys
        if self.view.reference in keys:
            return self.view.reference
        return keys[0] if keys else ""

    def add_prior(self, prior: PriorSettings) -> None:
        """Add a column at the right; SessionError when it is there already with the same settings."""
        self.change(replace(self.session, priors=(*self.session.priors, prior)), f"Add {prior.key}")

    def remove_prior(self, key: str) -> None:
        self.change(
            replace(self.session, priors=tuple(prior for prior in self.session.priors if prior.key != key)),
            f"Remove {key}",
        )

    def move_prior(self, key: str, index: int) -> None:
        """Put the column at `index` of the others' order."""
        moved = [prior for prior in self.session.priors if prior.key == key]
        others = [prior for prior in self.session.priors if prior.key != key]
        index = min(max(index, 0), len(others))
        self.change(replace(self.session, priors=(*others[:index], *moved, *others[index:])), f"Move {key}")

    def replace_prior(self, key: str, prior: PriorSettings, merge: str = "") -> None:
        """Other settings for the column `key`; SessionError when another column already has them."""
        priors = tuple(prior if other.key == key else other for other in self.session.priors)
        session = replace(self.session, priors=priors)
        if self.view.reference == key:
            self.view = replace(self.view, reference=prior.key)
        self.change(session, f"Change {prior.name}", merge)

    # -- frame and view

    def opened(self, frames: int) -> None:
        """The source has `frames` frames: frame and loop are brought inside."""
        self.frames = frames
        loop = self.view.loop
        if loop is not None:
            loop = (min(loop[0], frames - 1), min(loop[1], frames - 1))
            loop = loop if loop[0] < loop[1] else None
        self.set_view(loop=loop)
        self.set_frame(self.view.frame)

    def set_frame(self, t: int) -> None:
        """Go to frame t, or the nearest one there is. Before the source is open any frame is taken on trust."""
        t = max(t, 0) if self.frames == 0 else min(max(t, 0), self.frames - 1)
        if t != self.view.frame:
            self.view = replace(self.view, frame=t)
            self.frame_changed.emit()

    def next_frame(self) -> int:
        """The frame that playback shows after this one: inside the loop if there is one, else around the whole clip."""
        low, high = self.view.loop or (0, max(self.frames - 1, 0))
        t = self.view.frame + 1
        return t if low <= t <= high else low

    def order(self) -> list[int]:
        """All frames in the order worth computing: the current one, the one before it, on which its warp error rests, from
        there on in playback order, then the rest."""
        low, high = self.view.loop or (0, max(self.frames - 1, 0))
        t = min(max(self.view.frame, low), high)
        before = range(max(t - 1, low), t)
        looped = [*range(t, t + 1), *before, *range(t + 1, high + 1), *range(low, t - 1)]
        return looped + [frame for frame in range(self.frames) if not low <= frame <= high]

    def set_view(self, **changes: Any) -> None:
        view = replace(self.view, **changes)
        if view != self.view:
            self.view = view
            self.view_changed.emit()

    def zoom(self, factor: float, x: float, y: float) -> None:
        """Zoom by `factor` while the point (x, y), in 0..1 of the picture, stays where it is on the screen."""
        zoom = min(max(self.view.zoom * factor, 1.0), MAX_ZOOM)
        ratio = self.view.zoom / zoom
        centre = self.view.centre
        self.set_view(zoom=zoom, centre=clamp_centre((x + (centre[0] - x) * ratio, y + (centre[1] - y) * ratio), zoom))


def clamp_centre(centre: tuple[float, float], zoom: float) -> tuple[float, float]:
    """The nearest centre at which the picture still covers its cell."""
    margin = min(0.5 / zoom, 0.5)
    return (min(max(centre[0], margin), 1 - margin), min(max(centre[1], margin), 1 - margin))
