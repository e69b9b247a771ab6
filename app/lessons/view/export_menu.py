"""The export menu of the window of the lessons: asks for a file, writes it, and says how that went."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.lessons.view.board import Board
from app.lessons.view.board_files import Sweep, write_png
from app.lessons.view.controls import ControlBar
from app.lessons.view.scene_worker import Drawn, LessonWorker
from app.lessons.view.state import LessonState
from gpu.errors import NoisescopeError


class Exporter(QObject):
    """Writes what the board shows. One animation at a time; it ends with the next thing that one does."""

    said = Signal(str)  # how it goes, in a sentence
    ended = Signal(object)  # the animation: its path, or None when it was stopped

    def __init__(
        self, parent: QWidget, state: LessonState, board: Board, controls: ControlBar, worker: LessonWorker
    ) -> None:
        """`parent` is the window that dialogs belong to."""
        super().__init__(parent)
        self._parent, self._state, self._board, self._controls, self._worker = parent, state, board, controls, worker
        self._sweep: Sweep | None = None

    @property
    def busy(self) -> bool:
        """Whether an animation is in the making."""
        return self._sweep is not None

    def ask_png(self) -> None:
        """Ask where to, and write the board as a picture."""
        path = self._ask_path("Picture of this step", "png", "Pictures (*.png)")
        if path:
            self.png(path)

    def ask_gif(self) -> None:
        """Ask where to, and write the step's animation."""
        path = self._ask_path("Animation of this step", "gif", "Animations (*.gif)")
        if path:
            self.gif(path)

    def png(self, path: Path) -> None:
        """Write the board to a PNG file, or say why not."""
        try:
            self.said.emit(f"Written: {write_png(self._board, path)}")
        except NoisescopeError as problem:
            self.said.emit(str(problem))

    def gif(self, path: Path) -> None:
        """Write the board while the step's slider runs to a GIF file, or say why not."""
        lesson, step = self._state.lesson, self._state.step
        if step is None or lesson is None:
            return
        self.stop()
        self._controls.stop()
        try:
            self._sweep = Sweep(
                path, lesson, step, self._state.values, self._board, self._worker, self._controls.show_number
            )
        except NoisescopeError as problem:
            self.said.emit(str(problem))
            return
        self._sweep.progressed.connect(
            lambda done, total: self.said.emit(f"Animation: {done} of {total}; any key stops it")
        )
        self._sweep.ended.connect(self._on_ended)

    def drawn(self, drawn: Drawn) -> bool:
        """A scene is on the board; whether it belongs to an animation."""
        if self._sweep is None:
            return False
        self._sweep.drawn(drawn)
        return True

    def stop(self) -> bool:
        """Give up the animation in the making; whether there was one."""
        if self._sweep is None:
            return False
        self._sweep.stop()
        return True

    def _ask_path(self, title: str, ending: str, pattern: str) -> Path | None:
        name = f"{self._state.file_name}.{ending}"
        path, _ = QFileDialog.getSaveFileName(self._parent, title, str(Path.home() / name), pattern)
        return Path(path).with_suffix(f".{ending}") if path else None

    def _on_ended(self, path: object) -> None:
        """Put the slider back to where the person left it."""
        self._sweep = None
        step = self._state.step
        if step is not None and step.sweep:
            self._controls.show_number(step.sweep, float(self._state.values[step.sweep]))
        self.ended.emit(path)
