"""Runs experiments one after the other in processes of their own; the window stays free and a run stops when told."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from app.model.experiment_runs import Request, Run, free_folder
from gpu import leftovers

GRACE_MS = 2000
"""So long a process that was told to stop may clean up; then it is ended."""

SAID = "noisescope: Stopped."
"""What a process says when it has tidied up after itself (app/cli.py). It ends a second later, which is not waited for:
Python then takes torch apart."""

NICE = 5
"""A run leaves the processor to the window where both want it, unless it measures times."""


def python(parent: QObject) -> QProcess:
    """A process that finds this program's packages."""
    process = QProcess(parent)
    environment = QProcessEnvironment.systemEnvironment()
    root = str(Path(__file__).parents[2])
    paths = [root, environment.value("PYTHONPATH")] if environment.contains("PYTHONPATH") else [root]
    environment.insert("PYTHONPATH", os.pathsep.join(paths))
    environment.insert("PYTHONIOENCODING", "utf-8")
    environment.insert("PYTHONSAFEPATH", "1")  # nothing is imported from the folder the person stands in
    process.setProcessEnvironment(environment)
    return process


class Processes(QObject):
    """All runs of this window, and the process of the one that is on."""

    changed = Signal(object)  # the Run
    busy = Signal(bool)  # a run that measures times has begun, or ended

    def __init__(self, parent: QObject | None = None, command: tuple[str, ...] = ("-m", "app")) -> None:
        """`command`: what Python is given before the words of `noisescope`."""
        super().__init__(parent)
        self.runs: list[Run] = []
        self.command = command
        self._process: QProcess | None = None
        self._on: Run | None = None
        self._pid = 0

    @property
    def active(self) -> list[Run]:
        """Runs that are not over yet."""
        return [run for run in self.runs if not run.ended]

    def start(self, request: Request) -> Run:
        """Run this as soon as nothing else runs."""
        out = free_folder(request.folder, request.name, [run.out for run in self.runs])
        run = Run(len(self.runs) + 1, request, out)
        self.runs.append(run)
        self.changed.emit(run)
        self._next()
        return run

    def cancel(self, run: Run) -> None:
        """Stop a run, or take it off the queue."""
        if run is self._on and run.state == "running":
            run.state = "stopping"
            process = self._process
            assert process is not None
            if os.name == "nt":
                process.kill()  # there is no gentle signal for a process without a window
            else:
                process.terminate()
            QTimer.singleShot(GRACE_MS, self, lambda: process.kill() if process is self._process else None)
            self.changed.emit(run)
        elif run.state == "waiting":
            run.state = run.what = "stopped"
            self.changed.emit(run)

    def stop(self) -> None:
        """Stop everything, and wait for it."""
        for run in [*self.active][::-1]:
            self.cancel(run)
        process = self._process
        if process is not None and not process.waitForFinished(GRACE_MS):
            process.kill()
            process.waitForFinished(GRACE_MS)

    def _next(self) -> None:
        run = next((run for run in self.runs if run.state == "waiting"), None)
        if self._process is not None or run is None:
            return
        run.begin(time.monotonic())
        try:
            run.out.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            run.state, run.what = "failed", "failed"
            run.problem = f"The folder {run.out.parent} cannot be made: {(problem.strerror or str(problem)).lower()}."
            self.changed.emit(run)
            self._next()
            return
        process = self._process = python(self)
        self._on = run
        process.setReadChannel(QProcess.ProcessChannel.StandardError)
        process.setStandardOutputFile(QProcess.nullDevice())  # it is in the folder as well
        process.readyReadStandardError.connect(self._read)
        process.started.connect(self._started)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._error)
        process.start(sys.executable, [*self.command, *run.request.arguments(run.out)])
        if run.request.alone:
            self.busy.emit(True)
        self.changed.emit(run)

    def _started(self) -> None:
        assert self._process is not None
        self._pid = self._process.processId()
        if self._on is not None and not self._on.request.alone and hasattr(os, "setpriority"):
            try:
                os.setpriority(os.PRIO_PROCESS, self._pid, NICE)
            except OSError:
                return  # it is over already, or the system does not let us

    def _read(self) -> None:
        if self._process is None or self._on is None:
            return
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data()).decode("utf-8", "replace")
            self._on.take(line, time.monotonic())
        if self._on.state == "stopping" and any(line.startswith(SAID) for line in self._on.said):
            self._process.kill()
        self.changed.emit(self._on)

    def _error(self, kind: QProcess.ProcessError) -> None:
        if kind == QProcess.ProcessError.FailedToStart and self._on is not None:
            self._on.said.append(f"noisescope: {sys.executable} cannot be started.")
            self._finished(-1, QProcess.ExitStatus.NormalExit)

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        process, run = self._process, self._on
        if process is None or run is None:
            return
        self._read()
        rest = bytes(process.readAll().data()).decode("utf-8", "replace")
        for line in rest.splitlines():
            run.take(line, time.monotonic())
        run.end(code, status == QProcess.ExitStatus.CrashExit, time.monotonic())
        if status == QProcess.ExitStatus.CrashExit:  # it had no time to tidy up
            for folder in (run.out.parent, run.out):
                leftovers.clear(folder)
        self._process = self._on = None
        process.deleteLater()
        if run.request.alone:
            self.busy.emit(False)
        self.changed.emit(run)
        self._next()
