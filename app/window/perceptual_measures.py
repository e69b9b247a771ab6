"""LPIPS, FID and Improved Precision in the window: finds their weights, has the worker measure, forgets what is out of date."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from app.model.user_folder import UserFolder
from app.window.status import StatusLine
from app.worker.dispatch import Dispatch
from app.worker.worker import Worker

if TYPE_CHECKING:
    from app.views.statistics.outputs_page import OutputsPage
    from gpu.engine.perceptual import Perception

CHOOSE = "choose their folder with the button above the table"


class PerceptualMeasures(QObject):
    """Made with the page on outputs. The folders are remembered between runs."""

    def __init__(
        self, page: OutputsPage, worker: Worker, dispatch: Dispatch, user_folder: UserFolder, status: StatusLine
    ) -> None:
        super().__init__(page)
        self._page, self._worker, self._dispatch = page, worker, dispatch
        self._user_folder, self._status = user_folder, status
        self._asked = False
        page.wanted.connect(self._ask)
        page.perception_wanted.connect(self._measure)
        page.weights_wanted.connect(lambda: self._choose("weights", "Folder of the published weights"))
        page.reference_wanted.connect(lambda: self._choose("real_pictures", "Folder of real pictures"))
        worker.opened.connect(lambda *_: page.show_perception(None))

    def _folder(self, name: str) -> Path | None:
        kept = self._user_folder.settings().get(name, "")
        return Path(kept) if os.path.isdir(kept) else None

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            folder = self._folder("weights")
            self._dispatch.ask(lambda _: missing(folder), self._page.show_missing, hurry=False)

    def _choose(self, name: str, title: str) -> None:
        here = self._folder(name)
        path = QFileDialog.getExistingDirectory(self._page.window(), title, str(here or Path.home()))
        if path:
            self._user_folder.set(**{name: path})
            self._asked = False
            self._ask()

    def _measure(self) -> None:
        weights, reference, number = self._folder("weights"), self._folder("real_pictures"), self._worker.number

        def show(perception: Perception) -> None:
            if number == self._worker.number:
                self._page.show_perception(perception)
                self._status.say("Perceptual measures: done")

        self._dispatch.run("Perceptual measures", lambda engine: engine.perceive(weights, reference), show)


def missing(folder: Path | None) -> dict[str, str]:
    """By measure the sentence on which of its files are not found; empty where all are. It imports torch: for the worker."""
    from gpu.metrics.perceptual import fid, lpips, precision, weights

    needs = {"LPIPS": lpips.NEEDS, "FID": fid.NEEDS, "Improved Precision": precision.NEEDS}
    sentences = {name: weights.missing(files, folder) for name, files in needs.items()}
    return {name: text.replace("name their folder with --weights", CHOOSE) for name, text in sentences.items()}
