"""What speaks against believing the source, above the pictures: it stays until it is closed or its cause is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.views.source.panel import SourcePanel
from app.views.widgets.banner import Banner
from app.worker.worker import Worker

if TYPE_CHECKING:
    from gpu.engine.results import SourceInfo
    from gpu.source import Findings

SENTENCES = 2  # that are shown at once; the tooltip has all


class Doubts(QObject):
    """Shows the worker's findings (gpu.source.trust) in a strip of their own and in the source panel."""

    def __init__(self, worker: Worker, panel: SourcePanel, parent: QObject) -> None:
        super().__init__(parent)
        self.strip = Banner()
        self._worker, self._panel = worker, panel
        self._dismissed: set[str] = set()
        self._warnings: tuple[str, ...] = ()
        self._sentence = ""
        self._title = ""
        worker.opened.connect(self._opened)
        worker.trusted.connect(self._take)
        self.strip.closed.connect(self._dismiss)

    def _opened(self, number: int, info: SourceInfo) -> None:
        """Another source is open: what was closed of the one before says nothing of it."""
        if info.title != self._title:
            self._title = info.title
            self._dismissed.clear()
            self._show((), "")
            self._panel.show_findings((), ())

    def _take(self, number: int, findings: Findings) -> None:
        if number < self._worker.number:
            return
        tip = "\n".join((*findings.warnings, *findings.notes))
        self._show(tuple(warning for warning in findings.warnings if warning not in self._dismissed), tip)
        self._panel.show_findings(findings.warnings, findings.notes)

    def _show(self, warnings: tuple[str, ...], tip: str) -> None:
        if warnings == self._warnings:
            return
        self._warnings = warnings
        more = f" And {len(warnings) - SENTENCES} more." if len(warnings) > SENTENCES else ""
        before, self._sentence = self._sentence, " ".join(warnings[:SENTENCES]) + more
        if before:
            self.strip.withdraw(before)
        if warnings:
            self.strip.show_notice(self._sentence, tip)

    def _dismiss(self, sentence: str) -> None:
        self._dismissed |= set(self._warnings)
        self._warnings, self._sentence = (), ""
