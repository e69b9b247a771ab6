"""LPIPS, FID and Improved Precision in the window: finds their weights, has the worker measure, forgets what is out of date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

if TYPE_CHECKING:
    from app.window.main_window import Window
    from gpu.engine import Engine

CHOOSE = "choose their folder with the button above the table"


class PerceptualMeasures(QObject):
    """Made with the page on outputs. The folders are remembered between runs."""

    def __init__(self, window: Window, page: Any) -> None:
        super().__init__(page)
        self._window, self._page = window, page
        self._asked = False
        page.wanted.connect(self._ask)
        page.perception_wanted.connect(self._measure)
        page.weights_wanted.connect(lambda: self._choose("weights", "Folder of the published weights"))
        page.reference_wanted.connect(lambda: self._choose("real_pictures", "Folder of real pictures"))
        window.worker.opened.connect(lambda *_: page.show_perception(None))

    def _folder(self, name: str) -> Path | None:
        found = self._window.store.settings().get(name)
        return Path(found) if isinstance(found, str) and Path(found).is_dir() else None

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            folder = self._folder("weights")
            self._window.ask(lambda _: missing(folder), self._page.show_missing, hurry=False)

    def _choose(self, name: str, title: str) -> None:
        here = self._folder(name)
        path = QFileDialog.getExistingDirectory(self._window, title, str(here or Path.home()))
        if path:
            self._window.store.set(**{name: path})
            self._asked = False
            self._ask()

    def _measure(self) -> None:
        weights, reference, number = self._folder("weights"), self._folder("real_pictures"), self._window.worker.number

        def show(found: Any) -> None:
            if number == self._window.worker.number:
                self._page.show_perception(found)
                self._window.status.say("Perceptual measures: done")

        self._window.run_job("Perceptual measures", lambda engine: _steps(engine, weights, reference), show)


def _steps(engine: Engine, weights: Path | None, reference: Path | None) -> Any:
    return engine.perceive(weights, reference)


def missing(folder: Path | None) -> dict[str, str]:
    """By measure the sentence on which of its files are not found; empty where all are. It imports torch: for the worker."""
    from gpu.metrics.perceptual import fid, lpips, precision, weights

    needs = {"LPIPS": lpips.NEEDS, "FID": fid.NEEDS, "Improved Precision": precision.NEEDS}
    told = {name: weights.missing(files, folder) for name, files in needs.items()}
    return {name: one.replace("name their folder with --weights", CHOOSE) for name, one in told.items()}
