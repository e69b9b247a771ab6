"""The Experiments menu: an entry for every experiment, the dialog, its runs, and what closing the window means for them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, QUrl
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QMenu, QMessageBox, QWidget

from app.look.theme import Theme
from app.model import experiment_runs
from app.model.experiment_runs import ALL, ExperimentChoice, Run
from app.model.user_folder import UserFolder
from app.views.widgets.banner import Banner
from app.views.widgets.words import message
from app.window.status import StatusLine
from app.worker.experiment_processes import Processes, python
from app.worker.messages import Progress
from app.worker.worker import Worker

if TYPE_CHECKING:
    from app.views.experiments.dialog import ExperimentsDialog

SETTINGS = "experiments"  # in settings.json what the dialog was left with, in experiments.json the list


class ExperimentsMenu(QObject):
    """Belongs to a window. The dialog is made when it is first wanted, the processes when one is started.

    What there is to run is asked of a process as well, once for every version of the program: importing all experiments
    takes seconds, and would make the window stutter.
    """

    def __init__(
        self,
        menu: QMenu,
        background: QAction,
        worker: Worker,
        user_folder: UserFolder,
        banner: Banner,
        status: StatusLine,
        parent: QWidget,
    ) -> None:
        """`menu` gets an entry for every experiment; `background` is the action that computes ahead, which rests while times
        are measured; `parent` is what dialogs belong to."""
        super().__init__(parent)
        self._menu, self._background, self._worker, self._parent = menu, background, worker, parent
        self._user_folder, self._banner, self._status = user_folder, banner, status
        self.choices: list[ExperimentChoice] = []
        self.processes = Processes(self)
        self.processes.changed.connect(self._changed)
        self.processes.busy.connect(self._busy)
        self._dialog: ExperimentsDialog | None = None
        self._reported: set[int] = set()
        self._resume = False
        self._wanted: str | None = None
        self._reading: QProcess | None = None
        self._opened = False
        menu.addSeparator()
        self._note = menu.addAction("Reading the experiments …")
        self._note.setEnabled(False)
        menu.aboutToShow.connect(self.read)
        kept = user_folder.kept(SETTINGS, experiment_runs.stamp())
        if kept is not None:
            self._take(kept)

    def read_when_idle(self) -> None:
        """Find it out before a person asks, once the worker has nothing left to do."""
        self._worker.opened.connect(self._note_opened)
        self._worker.progressed.connect(self._idle)

    def _note_opened(self) -> None:
        self._opened = True

    def _idle(self, progress: Progress | None) -> None:
        if progress is None and self._opened:
            self._worker.progressed.disconnect(self._idle)
            self._worker.opened.disconnect(self._note_opened)
            self.read()

    def read(self) -> None:
        """Find out what there is to run, unless that is known."""
        if self.choices or self._reading is not None:
            return
        process = self._reading = python(self)
        process.finished.connect(self._read)
        process.errorOccurred.connect(
            self._read
        )  # no lambda: a window that is deleted takes its process with it, which tells
        process.start(sys.executable, [*self.processes.command, *experiment_runs.LIST])

    def _read(self) -> None:
        process, self._reading = self._reading, None
        if process is None:
            return
        text = bytes(process.readAllStandardOutput().data()).decode("utf-8", "replace")
        said = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        process.deleteLater()
        if self._take(text):
            self._user_folder.keep(SETTINGS, experiment_runs.stamp(), text)
            if self._wanted is not None:
                self._status.say("")
                self.open(self._wanted)
            return
        last = said.splitlines()[-1].removeprefix("noisescope: ") if said else "Their list is damaged."
        self._banner.show_error(f"The experiments cannot be read. {last}", said)

    def _take(self, text: str) -> bool:
        """An entry for every experiment, below those that are always there; False when `text` is no list of them."""
        try:
            self.choices = experiment_runs.choices_of(text)
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
        self._note.setVisible(not self.choices)
        for choice in self.choices:
            action = self._menu.addAction(choice.title.replace("&", "&&") + " …")
            action.setToolTip(choice.about)
            action.triggered.connect(lambda _=False, name=choice.name: self.open(name))
        return bool(self.choices)

    @property
    def dialog(self) -> ExperimentsDialog:
        if self._dialog is None:
            from app.views.experiments.dialog import ExperimentsDialog

            self._dialog = ExperimentsDialog(self.choices, self._user_folder.settings().get(SETTINGS, {}), self._parent)
            self._dialog.start_wanted.connect(self.processes.start)
            self._dialog.settings_changed.connect(lambda values: self._user_folder.set(**{SETTINGS: values}))
            self._dialog.runs.cancel_wanted.connect(self.processes.cancel)
            self._dialog.runs.report_wanted.connect(lambda run: self._look(run.report))
            self._dialog.runs.folder_wanted.connect(lambda run: self._look(run.out))
        return self._dialog

    def open(self, name: str = "") -> None:
        """Show the dialog, at the experiment of that name; when it is first wanted, as soon as they are known."""
        if not self.choices:
            self._wanted = name
            self._status.say("Reading the experiments …")
            self.read()
            return
        if name:
            self.dialog.show_experiment(name)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def open_all(self) -> None:
        self.open(ALL)

    def set_theme(self, colours: Theme) -> None:
        if self._dialog is not None:
            self._dialog.set_theme(colours)

    def _look(self, path: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self._banner.show_note(f"It is in {path}.")

    def _changed(self, run: Run) -> None:
        self.dialog.runs.show_run(run)
        if run.ended and run.number not in self._reported:
            self._reported.add(run.number)
            if run.state == "done":
                self._banner.show_note(f"{run.request.title}: done. The report is {run.report}")
            elif run.state == "failed":
                self._banner.show_error(f"{run.request.title}: {run.problem}")

    def _busy(self, on: bool) -> None:
        """Compute nothing unasked while times are measured."""
        if on:
            self._resume = self._background.isChecked()
        if self._resume:
            self._background.setChecked(not on)
            self._worker.set_background(not on)

    def may_close(self) -> bool:
        """Ask whether runs may be stopped, if there are any."""
        active = self.processes.active
        if not active:
            return True
        alone = len(active) == 1
        state = (
            f"{active[0].request.title} is still running." if alone else f"{len(active)} experiments are not done yet."
        )
        more = f"Closing the window stops {'it' if alone else 'them'}; reports that are finished stay."
        box = message(self._parent, "Experiments are running", state, more)
        box.setIcon(QMessageBox.Icon.Question)
        stop = box.addButton("Stop and close", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton("Keep running", QMessageBox.ButtonRole.RejectRole))
        box.exec()
        box.deleteLater()
        return box.clickedButton() is stop

    def end(self) -> None:
        """The window closes."""
        process, self._reading = self._reading, None  # what it says from now on is no answer
        if process is not None:
            process.kill()
            process.waitForFinished(1000)
        self.processes.stop()
        if self._dialog is not None:
            self._dialog.close()
