"""Settings that a person asks for in the left panel: new ones, or a sentence where they cannot be had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import SignalInstance

from gpu.errors import NoisescopeError
from gpu.session import Session


class Proposing(Protocol):
    """A part of the panel: `changed` comes with (Session, what was changed, merge key for undo), `refused` with a sentence."""

    changed: SignalInstance
    refused: SignalInstance

    @property
    def session(self) -> Session:
        """What it shows."""

    def show_session(self, session: Session) -> None:
        """Show settings; nothing is emitted."""


def propose(part: Proposing, make: Callable[[], Session], what: str, merge: str = "") -> None:
    """Say that the person wants the settings that `make` makes. Where it raises a NoisescopeError, its sentence is said and
    the part shows again what there is."""
    try:
        session = make()
    except NoisescopeError as problem:
        part.show_session(part.session)
        part.refused.emit(str(problem))
        return
    part.changed.emit(session, what, merge)
