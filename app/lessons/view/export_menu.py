"""The export menu of the window of the lessons: asks for a file, writes it, and says how that went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from app.lessons.view.board_files import Sweep, write_png
from app.lessons.view.controls import SliderRow
from app.lessons.view.scene_worker import Drawn
from gpu.errors import NoisescopeError

if TYPE_CHECKING:
    from app.lessons.view.lesson_window import LessonWindow


class Exporter(QObject):
    """Writes what the window shows. One animation at a time; it ends with the next thing that one does."""

    def __init__(self, window: LessonWindow) -> None:
        super().__init__(window)
        self._window = window
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
            self._window.say(f"Written: {write_png(self._window.board, path)}")
        except NoisescopeError as problem:
            self._window.say(str(problem))

    def gif(self, path: Path) -> None:
        """Write the board while the step's slider runs to a GIF file, or say why not."""
        window = self._window
        step = window.step
        if step is None or window.lesson is None:
            return
        self.stop()
        window.controls.stop()
        try:
            self._sweep = Sweep(
                path, window.lesson, step, window.values, window.board, window.worker, self._show_position
            )
        except NoisescopeError as problem:
            window.say(str(problem))
            return
        self._sweep.progressed.connect(
            lambda done, total: window.say(f"Animation: {done} of {total}; any key stops it")
        )
        self._sweep.ended.connect(self._ended)

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
        window = self._window
        name = f"{window.text.stem if window.text else 'lesson'}-{window.index + 1}.{ending}"
        path, _ = QFileDialog.getSaveFileName(window, title, str(Path.home() / name), pattern)
        return Path(path).with_suffix(f".{ending}") if path else None

    def _show_position(self, name: str, value: float) -> None:
        row = self._window.controls.rows.get(name)
        if isinstance(row, SliderRow):
            row.set_value(value)

    def _ended(self, path: object) -> None:
        window = self._window
        self._sweep = None
        if path is not None:
            window.say(f"Written: {path}")
        elif not window.error or window.error.startswith("Animation:"):
            window.say("The animation was stopped; nothing was written.")
        step = window.step
        if step is not None and step.sweep:
            self._show_position(step.sweep, float(window.values[step.sweep]))
        window.request()
