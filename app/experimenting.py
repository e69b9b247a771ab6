"""The Experiments menu: an entry for every experiment, the dialog, its runs, and what closing the window means for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMenu, QMessageBox

from app import runs
from app.processes import Processes
from app.runs import ALL, ExperimentChoice, Run

if TYPE_CHECKING:
    from app.views.experiments import ExperimentsDialog
    from app.window import Window

SETTINGS = "experiments"


class Experimenting(QObject):
    """Belongs to a window. The dialog is made when it is first wanted, the processes when one is started."""

    def __init__(self, window: Window, menu: QMenu) -> None:
        super().__init__(window)
        self._window, self._menu = window, menu
        self.choices: list[ExperimentChoice] = []
        self.processes = Processes(self)
        self.processes.changed.connect(self._changed)
        self.processes.busy.connect(self._busy)
        self._dialog: ExperimentsDialog | None = None
        self._told: set[int] = set()
        self._resume = False
        self._enable(False)

    def _enable(self, on: bool) -> None:
        for name in ("experiments", "experiments_all"):
            self._window.actions_[name].setEnabled(on)

    def collect(self) -> None:
        """Have the worker read the registry, when nothing else is to do; then fill the menu."""
        self._window.ask(lambda _: runs.collect(), self.fill, hurry=False)

    def fill(self, choices: list[ExperimentChoice]) -> None:
        """An entry for every experiment, below those that are always there."""
        self.choices = choices
        self._menu.addSeparator()
        for choice in choices:
            action = self._menu.addAction(choice.title.replace("&", "&&") + " …")
            action.setToolTip(choice.about)
            action.triggered.connect(lambda _=False, name=choice.name: self.open(name))
        self._enable(bool(choices))

    @property
    def dialog(self) -> ExperimentsDialog:
        if self._dialog is None:
            from app.views.experiments import ExperimentsDialog

            settings = self._window.store.settings().get(SETTINGS)
            self._dialog = ExperimentsDialog(self.choices, settings if isinstance(settings, dict) else {}, self._window)
            self._dialog.start_wanted.connect(self.processes.start)
            self._dialog.settings_changed.connect(lambda values: self._window.store.set(**{SETTINGS: values}))
            self._dialog.runs.cancel_wanted.connect(self.processes.cancel)
            self._dialog.runs.report_wanted.connect(lambda run: self._look(run.report))
            self._dialog.runs.folder_wanted.connect(lambda run: self._look(run.out))
        return self._dialog

    def open(self, name: str = "") -> None:
        """Show the dialog, at the experiment of that name."""
        if name:
            self.dialog.show_experiment(name)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def open_all(self) -> None:
        self.open(ALL)

    def set_theme(self, colours: Any) -> None:
        if self._dialog is not None:
            self._dialog.set_theme(colours)

    def _look(self, path: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self._window.banner.show_note(f"It is in {path}.")

    def _changed(self, run: Run) -> None:
        self.dialog.runs.show_run(run)
        if run.ended and run.number not in self._told:
            self._told.add(run.number)
            if run.state == "done":
                self._window.banner.show_note(f"{run.request.title}: done. The report is {run.report}")
            elif run.state == "failed":
                self._window.banner.show_error(f"{run.request.title}: {run.problem}")

    def _busy(self, on: bool) -> None:
        """Compute nothing unasked while times are measured."""
        background = self._window.actions_["background"]
        if on:
            self._resume = background.isChecked()
        if self._resume:
            background.setChecked(not on)
            self._window.worker.set_background(not on)

    def may_close(self) -> bool:
        """Ask whether runs may be stopped, if there are any."""
        active = self.processes.active
        if not active:
            return True
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Experiments are running")
        box.setText(
            f"{active[0].request.title} is still running."
            if len(active) == 1
            else f"{len(active)} experiments are not done yet."
        )
        box.setInformativeText("Closing the window stops them; reports that are finished stay.")
        stop = box.addButton("Stop and close", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton("Keep running", QMessageBox.ButtonRole.RejectRole)
        box.exec()
        return box.clickedButton() is stop

    def end(self) -> None:
        """The window closes."""
        self.processes.stop()
        if self._dialog is not None:
            self._dialog.close()
