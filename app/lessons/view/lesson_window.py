"""The window of the lessons: text beside live plots, steps as dots, controls below; made for a projector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.lessons.compute import formulas, texts
from app.lessons.compute.lesson import Lesson, Step
from app.lessons.view import keys, layout, type_sizes
from app.lessons.view.export_menu import Exporter
from app.lessons.view.glossary import show_glossary
from app.lessons.view.scene_worker import LessonWorker, find
from gpu.errors import NoisescopeError
from gpu.parameters import Value

SIZE = (1280, 800)
TEXT_SHARE, MATHS_SHARE = 0.30, 0.58  # of the width


class LessonWindow(QWidget):
    """One lesson at a time. Settings are kept for as long as the window lives."""

    settled = Signal()  # what was asked for is drawn in its finest form, and the text has its formulas

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("lessons")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.worker = LessonWorker()
        self.lesson: Lesson | None = None
        self.text: texts.LessonText | None = None
        self.page = texts.Page("", "", ())
        self.index = 0
        self.error = ""
        self._known: dict[str, tuple[Lesson, dict[str, Value]]] = {}
        self.values: dict[str, Value] = {}
        self._waiting: dict[int, Callable[[Any], None]] = {}
        self._wanted_step = ""
        self._number = 0
        self._final = False
        self._with_formulas = False
        self._maths = False
        self._type = 0
        layout.build(self)
        self.resize(*SIZE)
        self.exporter = Exporter(self)
        self._connect()
        self.restyle()
        if parent is not None:
            parent.installEventFilter(self)
        self.worker.start()

    def _connect(self) -> None:
        self.worker.arrived.connect(self._on_arrived)
        self.worker.answered.connect(self._on_answered)
        self.worker.failed.connect(self.say)
        self.chooser.activated.connect(lambda: self.open(self.chooser.currentData()))
        self.maths_button.toggled.connect(self.show_maths)
        self.reset_button.clicked.connect(self.reset)
        self.glossary_button.clicked.connect(lambda: show_glossary(self))
        self.full_button.toggled.connect(lambda on: self.showFullScreen() if on else self.showNormal())
        self.png_action.triggered.connect(self.exporter.ask_png)
        self.gif_action.triggered.connect(self.exporter.ask_gif)
        self.back_button.clicked.connect(lambda: self.go(self.index - 1))
        self.next_button.clicked.connect(lambda: self.go(self.index + 1))
        self.dots.chosen.connect(self.go)
        self.board.moved.connect(self.set_value)
        self.controls.changed.connect(self.set_value)
        self.controls.again.connect(self.draw_again)

    # -- lessons and steps

    def open(self, name: str, step: str = "") -> None:
        """Show a lesson, by name or number, at a step (number from 1, or its heading). ChoiceError for an unknown name."""
        self.text = texts.lesson(name)
        self.page = self.text.page
        self.chooser.setCurrentIndex(self.chooser.findData(self.text.name))
        self.setWindowTitle(f"{self.text.title} · Noisescope")
        self._wanted_step = step
        self.say("")
        self._final = self._with_formulas = False
        known = self._known.get(self.text.name)
        if known is not None:
            self._opened(self.text.name, known[0])
            return
        self.lesson = None
        self._show_early()
        wanted = self.text.name
        self._ask(lambda: find(wanted), lambda lesson: self._opened(wanted, lesson))

    def _show_early(self) -> None:
        """The text of the step while the lesson itself is loaded: the first one takes as long as torch does."""
        headings = tuple(heading for heading, _ in self.page.sections)
        try:
            heading = headings[texts.step_number("" if self._wanted_step == "last" else self._wanted_step, headings)]
        except (NoisescopeError, IndexError):
            heading = ""
        if heading:
            self.text_view.set_text(f"# {heading}\n\n{self.page.section(heading)}")
        type_sizes.words(self.where, "loading …", type_sizes.body(self.size()), "dim")

    def _opened(self, name: str, lesson: Lesson | None) -> None:
        if lesson is None or self.text is None or name != self.text.name:
            return
        if name not in self._known:
            self._known[name] = lesson, lesson.settings()
        self.lesson, self.values = self._known[name]
        headings = tuple(step.heading for step in lesson.steps)
        try:
            index = texts.step_number(self._wanted_step, headings)
        except NoisescopeError as problem:
            self.say(str(problem))
            index = 0
        self.go(index)

    @property
    def step(self) -> Step | None:
        """The step that is shown."""
        return self.lesson.steps[self.index] if self.lesson is not None else None

    def go(self, index: int) -> None:
        """Show a step of the lesson; beyond its ends, the last of the lesson before or the first of the next."""
        if self.lesson is None:
            return
        self.exporter.stop()
        if not 0 <= index < len(self.lesson.steps):
            row = self.chooser.currentIndex() + (1 if index > 0 else -1)
            if 0 <= row < self.chooser.count():
                self.open(self.chooser.itemData(row), "" if index > 0 else "last")
            return
        self.controls.stop()
        self.index = index
        step = self.lesson.steps[index]
        headings = tuple(one.heading for one in self.lesson.steps)
        self.dots.set_steps(headings, index)
        type_sizes.words(self.where, f"Step {index + 1} of {len(headings)}", type_sizes.body(self.size()), "dim")
        self.back_button.setEnabled(index > 0 or self.chooser.currentIndex() > 0)
        self.next_button.setEnabled(index + 1 < len(headings) or self.chooser.currentIndex() + 1 < self.chooser.count())
        self.gif_action.setEnabled(bool(step.sweep))
        self.controls.set_controls([self.lesson.control(name) for name in step.controls], self.values, step.draws)
        self._show_text()
        self.request()
        self.setFocus()

    def set_value(self, name: str, value: Value) -> None:
        """A control says something new: compute with it."""
        if self.lesson is None:
            return
        self.exporter.stop()
        control = self.lesson.control(name)
        if control.is_number:
            value = control.clamped(float(value))
        self.values[name] = control.checked(value, f"lesson {self.windowTitle()}")
        self.request()

    def value(self, name: str) -> Value:
        """What a setting is now."""
        return self.values[name]

    def draw_again(self) -> None:
        """Other random numbers."""
        if self.lesson is not None:
            self.values["seed"] = float(self.values["seed"]) + 1
            self.request()

    def reset(self) -> None:
        """The lesson as it opens."""
        if self.lesson is not None and self.text is not None:
            self.exporter.stop()
            self.controls.stop()
            self.values = self.lesson.settings()
            self._known[self.text.name] = self.lesson, self.values
            self.go(self.index)

    def show_maths(self, on: bool) -> None:
        """The lesson's mathematics in place of the step's text, with more room."""
        self._maths = on
        self.maths_button.setChecked(on)
        self.board.set_with_facts(not on)
        layout.place_controls(self, below=on)
        self._share()
        self._show_text()

    def request(self) -> None:
        """Have the step's scenes computed with the values there are."""
        step = self.step
        if step is not None:
            self._final = False
            self._number = self.worker.request(step.compute, dict(self.values))

    # -- what the thread says

    def _ask(self, question: Callable[[], Any], then: Callable[[Any], None]) -> None:
        self._waiting[self.worker.ask(question)] = then

    def _on_answered(self, ticket: int, answer: Any) -> None:
        then = self._waiting.pop(ticket, None)
        if then is not None:
            then(answer)

    def _on_arrived(self) -> None:
        drawn = self.worker.take()
        if drawn is None:
            return
        if drawn.scene is not self.board.scene:
            self.board.show_scene(drawn.scene)
        if not self.exporter.drawn(drawn) and drawn.final and drawn.number == self._number:
            self._final = True
            self._tell_settled()

    def _tell_settled(self) -> None:
        if self._final and self._with_formulas:
            self.settled.emit()

    def say(self, sentence: str) -> None:
        """Show a sentence over the top of the board; an empty one, or a click on it, takes it away."""
        self.error = sentence
        type_sizes.words(self.message, sentence, type_sizes.body(self.size()), "warn", panel=True)
        layout.place_message(self)

    # -- the text

    def _show_text(self) -> None:
        step = self.step
        if step is None:
            return
        if self._maths:
            headings = [one.heading for one in self.lesson.steps] if self.lesson is not None else []
            rest = [(heading, text) for heading, text in self.page.sections if heading not in headings]
            markdown = "\n\n".join(f"## {heading}\n\n{text}" for heading, text in rest)
        else:
            sections = dict(self.page.sections)
            markdown = f"# {step.heading}\n\n{sections.get(step.heading, '')}"
        found = texts.formulas(markdown)
        self._with_formulas = not found
        self.text_view.grows = not self._maths
        self.text_view.set_text(markdown)

        def arrived(outlines: Any) -> None:
            if outlines is not None and markdown == self.text_view.markdown:
                self.text_view.set_text(markdown, outlines)
            self._with_formulas = True
            self._tell_settled()

        if found:
            self._ask(lambda: formulas.outlines(found), arrived)

    # -- keys, size, look, end

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.exporter.stop():
            return
        if not keys.pressed(self, event):
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.restyle()
        QTimer.singleShot(0, lambda: layout.place_message(self))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._type:
            QTimer.singleShot(0, lambda: self.restyle(force=True))

    def restyle(self, force: bool = False) -> None:
        """Give all parts the type size of this window and the application's colours."""
        type_ = type_sizes.body(self.size())
        self._share()
        if type_ == self._type and not force:
            return
        self._type = type_
        type_sizes.words(self.message, self.error, type_, "warn", panel=True)
        layout.restyle(self, type_)
        self.dots.set_type(type_)
        self.text_view.set_type(type_)
        self.text_view.set_theme()
        self.board.set_type(type_)
        self.board.restyle()
        self.controls.restyle(type_)

    def _share(self) -> None:
        share = MATHS_SHARE if self._maths else TEXT_SHARE
        self.text_view.setFixedWidth(round(share * self.width()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.message.isVisible() and self.message.geometry().contains(event.position().toPoint()):
            self.say("")
        super().mousePressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Close and watched is self.parent():
            self.close()
        return super().eventFilter(watched, event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.exporter.stop()
        self.controls.stop()
        self.worker.stop()
        super().closeEvent(event)
