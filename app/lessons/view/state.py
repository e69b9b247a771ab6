"""What the window of the lessons shows: which lesson, at which step, with which values. No widgets here."""

from __future__ import annotations

from app.lessons.compute.lesson import Lesson, Step
from app.lessons.compute.texts import LessonText
from gpu.parameters import Value


class LessonState:
    """One lesson at a time; the values of all that were opened are kept.

    `lesson` is None while it is loaded: its text is there before. `values` are those of its controls, and the seed.
    """

    def __init__(self) -> None:
        self.text: LessonText | None = None
        self.lesson: Lesson | None = None
        self.index = 0
        self.values: dict[str, Value] = {}
        self._opened: dict[str, tuple[Lesson, dict[str, Value]]] = {}

    @property
    def step(self) -> Step | None:
        """The step that is shown."""
        return self.lesson.steps[self.index] if self.lesson is not None else None

    @property
    def headings(self) -> tuple[str, ...]:
        """Those of all steps."""
        return tuple(step.heading for step in self.lesson.steps) if self.lesson is not None else ()

    @property
    def file_name(self) -> str:
        """What a file of this step is called, without an ending."""
        return f"{self.text.stem if self.text else 'lesson'}-{self.index + 1}"

    def loaded(self, name: str) -> Lesson | None:
        """A lesson that was opened before."""
        return self._opened[name][0] if name in self._opened else None

    def open(self, name: str, lesson: Lesson) -> None:
        """Show this lesson, with the values it had when it was left."""
        self.lesson, self.values = self._opened.setdefault(name, (lesson, lesson.settings()))

    def set_value(self, name: str, value: Value) -> None:
        """Another value of a control; what a handle asks for beyond its range is its end."""
        if self.lesson is None:
            return
        control = self.lesson.control(name)
        self.values[name] = control.clamped(float(value)) if control.is_number else control.checked(value, "lesson")

    def draw_again(self) -> None:
        """Other random numbers."""
        self.values["seed"] = float(self.values["seed"]) + 1

    def reset(self) -> None:
        """All values as the lesson opens with."""
        if self.lesson is not None and self.text is not None:
            self.values = self.lesson.settings()
            self._opened[self.text.name] = self.lesson, self.values
