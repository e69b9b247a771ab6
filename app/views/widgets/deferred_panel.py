"""Stands in for a panel that takes long to build, until the window is on the screen and the panel is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views.widgets.once import once

AFTER_MS = 40  # the window is painted first

P = TypeVar("P", bound=QWidget)


class DeferredPanel(QWidget, Generic[P]):
    """What the panel is to show while it is hidden, or not there yet, it shows when it is seen: only the last of a kind.

    `panel` is the panel itself, None until it is made.
    """

    def __init__(self, make: Callable[[], P], connect: Callable[[P], None]) -> None:
        """`make` builds the panel, `connect` is called with it once, before it shows anything."""
        super().__init__()
        self.setObjectName("panel")
        self._make, self._connect = make, connect
        self.panel: P | None = None
        self._shown: dict[str, Callable[[P], None]] = {}
        self._once: set[str] = set()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._timer = once(self, AFTER_MS, self._catch_up)

    def tell(self, kind: str, action: Callable[[P], None]) -> None:
        """Have the panel show something; a later action of the same kind replaces an earlier one. It is repeated when the panel
        is unfolded again."""
        self._shown[kind] = action
        if self.panel is not None and self._is_live():
            action(self.panel)

    def tell_once(self, kind: str, action: Callable[[P], None]) -> None:
        """The same for what is done rather than shown: it is not done again when the panel is folded and comes back."""
        if self.panel is not None and self._is_live():
            self._shown.pop(kind, None)
            action(self.panel)
        else:
            self._shown[kind] = action
            self._once.add(kind)

    def _is_live(self) -> bool:
        return self.isVisible() and not self._timer.isActive()

    def showEvent(self, event: QShowEvent) -> None:
        self._timer.start()

    def _catch_up(self) -> None:
        if self.panel is None:
            self.panel = self._make()
            self._column.addWidget(self.panel)
            self._connect(self.panel)
        for action in list(self._shown.values()):
            action(self.panel)
        for kind in self._once:
            self._shown.pop(kind, None)
        self._once.clear()
