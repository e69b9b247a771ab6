"""Export of a step: the board as a PNG file, or as a GIF for which the step's slider runs through its range."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.lessons.compute import animation
from app.lessons.compute.lesson import Lesson, Settings, Step
from app.lessons.view.board import Board
from app.lessons.view.scene_worker import Drawn, LessonWorker
from gpu.errors import OutputError
from gpu.files import check_file, replacing

PNG_SCALE = 2.0
GIF_WIDTH = 960


def write_png(board: Board, path: Path) -> Path:
    """The board, at twice the screen's resolution; OutputError when it cannot be written."""
    check_file(path, (".png",))
    with replacing(path) as partial:
        if not board.picture(PNG_SCALE).save(str(partial)):
            raise OutputError(f"The picture cannot be written to {path}.")
    return path


def pixels(image: QImage) -> animation.Frame:
    """(H, W, 3) bytes of an image."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    height, width, line = image.height(), image.width(), image.bytesPerLine()
    data = np.frombuffer(image.constBits(), np.uint8, height * line).reshape(height, line)
    return data[:, : width * 3].reshape(height, width, 3).copy()


class Sweep(QObject):
    """One animation in the making: asks for scene after scene, takes the board's picture of each, then writes them."""

    progressed = Signal(int, int)
    ended = Signal(object)  # the path written, or None when stopped

    def __init__(
        self, path: Path, lesson: Lesson, step: Step, settings: Settings, board: Board, worker: LessonWorker,
        show: Callable[[str, float], None],
    ) -> None:  # fmt: skip
        """OutputError when nothing can be written to `path`, or the step has no slider to run. `show` is told every
        position, for the control."""
        super().__init__()
        check_file(path, (".gif",))
        if not step.sweep:
            raise OutputError(f"The step {step.heading!r} has no slider that an animation could run through.")
        slider = lesson.control(step.sweep)
        self._path, self._step, self._board, self._worker, self._show = path, step, board, worker, show
        self._settings = dict(settings)
        self._places = animation.positions(slider.low, slider.high, slider.step)
        self._frames: list[animation.Frame] = []
        self._number = 0
        self._ticket = 0
        self._stopped = False
        worker.answered.connect(self._written)
        self._next()

    def stop(self) -> None:
        """Give it up; nothing is written."""
        if not self._stopped and not self._ticket:
            self._stopped = True
            self.ended.emit(None)

    def drawn(self, drawn: Drawn) -> None:
        """A scene is on the board: when it is the one asked for, take its picture and go on."""
        if self._stopped or drawn.number != self._number or not drawn.final:
            return
        scale = min(1.0, GIF_WIDTH / max(self._board.width(), 1))
        self._frames.append(pixels(self._board.picture(scale)))
        self.progressed.emit(len(self._frames), len(self._places))
        if len(self._frames) < len(self._places):
            self._next()
        else:
            self._ticket = self._worker.ask(lambda: animation.write_gif(self._path, self._frames))

    def _next(self) -> None:
        place = self._places[len(self._frames)]
        self._settings[self._step.sweep] = place
        self._show(self._step.sweep, place)
        self._number = self._worker.request(self._step.compute, dict(self._settings), only_final=True)

    def _written(self, ticket: int, answer: object) -> None:
        if ticket == self._ticket and ticket and not self._stopped:
            self._stopped = True
            self.ended.emit(answer)
