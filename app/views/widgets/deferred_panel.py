"""Stands in for a panel that takes long to build, until the window is on the screen and the panel is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

AFTER_MS = 40  # the window is painted first


class DeferredPanel(QWidget):
    """What the panel is told while it is hidden, or not there yet, it is told when it is seen: only the last of a kind."""

    def __init__(self, make: Callable[[], QWidget], connect: Callable[[Any], None]) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._make, self._connect = make, connect
        self._panel: Any = None
        self._told: dict[str, tuple[Any, ...]] = {}
        self._once: set[str] = set()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(AFTER_MS)
        self._timer.timeout.connect(self._catch_up)

    def tell(self, method: str, *values: Any) -> None:
        """Call a method of the panel that shows something; a later call replaces an earlier one of the same name."""
        self._told[method] = values
        if self._panel is not None and self.isVisible() and not self._timer.isActive():
            getattr(self._panel, method)(*values)

    def tell_once(self, method: str, *values: Any) -> None:
        """The same for what is done rather than shown: it is not done again when the panel is folded and comes back."""
        self.tell(method, *values)
        if self._panel is not None and self.isVisible() and not self._timer.isActive():
            del self._told[method]
        else:
            self._once.add(method)

    def showEvent(self, event: QShowEvent) -> None:
        self._timer.start()

    def _catch_up(self) -> None:
        if self._panel is None:
            self._panel = self._make()
            self._column.addWidget(self._panel)
            self._connect(self._panel)
        for method, values in list(self._told.items()):
            getattr(self._panel, method)(*values)
        for method in self._once:
            self._told.pop(method, None)
        self._once.clear()
