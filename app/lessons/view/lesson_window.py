"""The window of the lessons: text beside live plots, steps as dots, controls below; made for a projector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.lessons.compute import formulas, texts
from app.lessons.compute.lesson import Lesson
from app.lessons.view import type_sizes
from app.lessons.view.export_menu import Exporter
from app.lessons.view.glossary import show_glossary
from app.lessons.view.keys import KeyActions
from app.lessons.view.layout import LessonLayout
from app.lessons.view.scene_worker import LessonWorker, find
from app.lessons.view.state import LessonState
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
        self.worker.belong_to(self)
        self.state = LessonState()
        self.error = ""
        self._waiting: dict[int, Callable[[Any], None]] = {}
        self._wanted_step = ""
        self._number = 0
        self._final = False
        self._with_formulas = False
        self._maths = False
        self._type = 0
        self.parts = LessonLayout(self)
        self.head, self.foot, self.message = self.parts.head, self.parts.foot, self.parts.message
        self.text_view, self.board, self.controls = self.parts.text_view, self.parts.board, self.parts.controls
        self.resize(*SIZE)
        self.exporter = Exporter(self, self.state, self.board, self.controls, self.worker)
        self._keys = self._key_actions()
        self._connect()
        self.restyle()
        if parent is not None:
            parent.installEventFilter(self)
        self.worker.start()

    def _connect(self) -> None:
        self.worker.arrived.connect(self._on_arrived)
        self.worker.answered.connect(self._on_answered)
        self.worker.failed.connect(self.say)
        self.exporter.said.connect(self.say)
        self.exporter.ended.connect(self._on_exported)
        self.head.chooser.activated.connect(lambda: self.open(self.head.chooser.currentData()))
        self.head.maths_button.toggled.connect(self.show_maths)
        self.head.reset_button.clicked.connect(self.reset)
        self.head.glossary_button.clicked.connect(lambda: show_glossary(self))
        self.head.full_button.toggled.connect(lambda on: self.showFullScreen() if on else self.showNormal())
        self.head.png_action.triggered.connect(self.exporter.ask_png)
        self.head.gif_action.triggered.connect(self.exporter.ask_gif)
        self.foot.back_button.clicked.connect(lambda: self.go(self.state.index - 1))
        self.foot.next_button.clicked.connect(lambda: self.go(self.state.index + 1))
        self.foot.dots.chosen.connect(self.go)
        self.board.moved.connect(self.set_value)
        self.controls.changed.connect(self.set_value)
        self.controls.again.connect(self.draw_again)

    def _key_actions(self) -> KeyActions:
        def leave_full_screen() -> bool:
            full = self.isFullScreen()
            if full:
                self.head.full_button.setChecked(False)
            return full

        return KeyActions(
            back=lambda: self.go(self.state.index - 1),
            forward=lambda: self.go(self.state.index + 1),
            first=lambda: self.go(0),
            last=lambda: self.go(len(self.state.headings) - 1),
            play=self.controls.toggle_play,
            draw_again=self.draw_again,
            reset=self.reset,
            mathematics=self.head.maths_button.toggle,
            glossary=lambda: show_glossary(self),
            full_screen=self.head.full_button.toggle,
            leave_full_screen=leave_full_screen,
            export=self.head.export_button.showMenu,
        )

    # -- lessons and steps

    def open(self, name: str, step: str = "") -> None:
        """Show a lesson, by name or number, at a step (number from 1, or its heading). ChoiceError for an unknown name."""
        text = texts.lesson(name)
        self.state.text = text
        self.head.chooser.setCurrentIndex(self.head.chooser.findData(text.name))
        self.setWindowTitle(f"{text.title} · Noisescope")
        self._wanted_step = step
        self.say("")
        self._final = self._with_formulas = False
        lesson = self.state.loaded(text.name)
        if lesson is not None:
            self._opened(text.name, lesson)
            return
        self.state.lesson = None
        self._show_early(text.page)
        self._ask(lambda: find(text.name), lambda lesson: self._opened(text.name, lesson))

    def _show_early(self, page: texts.Page) -> None:
        """The text of the step while the lesson itself is loaded: the first one takes as long as torch does."""
        headings = tuple(heading for heading, _ in page.sections)
        try:
            heading = headings[texts.step_number("" if self._wanted_step == "last" else self._wanted_step, headings)]
        except (NoisescopeError, IndexError):
            heading = ""
        if heading:
            self.text_view.set_text(f"# {heading}\n\n{page.section(heading)}")
        self.foot.say_where("loading …", type_sizes.body(self.size()))

    def _opened(self, name: str, lesson: Lesson | None) -> None:
        if lesson is None or self.state.text is None or name != self.state.text.name:
            return
        self.state.open(name, lesson)
        try:
            index = texts.step_number(self._wanted_step, self.state.headings)
        except NoisescopeError as problem:
            self.say(str(problem))
            index = 0
        self.go(index)

    def go(self, index: int) -> None:
        """Show a step of the lesson; beyond its ends, the last of the lesson before or the first of the next."""
        lesson, chooser = self.state.lesson, self.head.chooser
        if lesson is None:
            return
        self.exporter.stop()
        if not 0 <= index < len(lesson.steps):
            row = chooser.currentIndex() + (1 if index > 0 else -1)
            if 0 <= row < chooser.count():
                self.open(chooser.itemData(row), "" if index > 0 else "last")
            return
        self.controls.stop()
        self.state.index = index
        step, headings = lesson.steps[index], self.state.headings
        self.foot.dots.set_steps(headings, index)
        self.foot.say_where(f"Step {index + 1} of {len(headings)}", type_sizes.body(self.size()))
        self.foot.back_button.setEnabled(index > 0 or chooser.currentIndex() > 0)
        self.foot.next_button.setEnabled(index + 1 < len(headings) or chooser.currentIndex() + 1 < chooser.count())
        self.head.gif_action.setEnabled(bool(step.sweep))
        self.controls.set_controls([lesson.control(name) for name in step.controls], self.state.values, step.draws)
        self._show_text()
        self.request()
        self.setFocus()

    def set_value(self, name: str, value: Value) -> None:
        """A control says something new: compute with it."""
        if self.state.lesson is not None:
            self.exporter.stop()
            self.state.set_value(name, value)
            self.request()

    def draw_again(self) -> None:
        """Other random numbers."""
        if self.state.lesson is not None:
            self.state.draw_again()
            self.request()

    def reset(self) -> None:
        """The lesson as it opens."""
        if self.state.lesson is not None:
            self.exporter.stop()
            self.controls.stop()
            self.state.reset()
            self.go(self.state.index)

    def show_maths(self, on: bool) -> None:
        """The lesson's mathematics in place of the step's text, with more room."""
        self._maths = on
        self.head.maths_button.setChecked(on)
        self.board.set_with_facts(not on)
        self.parts.place_controls(below=on)
        self._share()
        self._show_text()

    def request(self) -> None:
        """Have the step's scenes computed with the values there are."""
        step = self.state.step
        if step is not None:
            self._final = False
            self._number = self.worker.request(step.compute, dict(self.state.values))

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

    def _on_exported(self, path: object) -> None:
        if path is not None:
            self.say(f"Written: {path}")
        elif not self.error or self.error.startswith("Animation:"):
            self.say("The animation was stopped; nothing was written.")
        self.request()

    def say(self, sentence: str) -> None:
        """Show a sentence over the top of the board; an empty one, or a click on it, takes it away."""
        self.error = sentence
        self.parts.say(sentence, type_sizes.body(self.size()))

    # -- the text

    def _show_text(self) -> None:
        step, text = self.state.step, self.state.text
        if step is None or text is None:
            return
        if self._maths:
            headings = self.state.headings
            rest = [(heading, words) for heading, words in text.page.sections if heading not in headings]
            markdown = "\n\n".join(f"## {heading}\n\n{words}" for heading, words in rest)
        else:
            markdown = f"# {step.heading}\n\n{dict(text.page.sections).get(step.heading, '')}"
        in_text = texts.formulas(markdown)
        self._with_formulas = not in_text
        self.text_view.grows = not self._maths
        self.text_view.set_text(markdown)

        def arrived(outlines: tuple[formulas.Outline, ...] | None) -> None:
            if outlines is not None and markdown == self.text_view.markdown:
                self.text_view.set_text(markdown, outlines)
            self._with_formulas = True
            self._tell_settled()

        if in_text:
            self._ask(lambda: formulas.outlines(in_text), arrived)

    # -- keys, size, look, end

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.exporter.stop():
            return
        if not self._keys.pressed(event):
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.restyle()
        QTimer.singleShot(0, self, self.parts.place_message)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._type:
            QTimer.singleShot(0, self, lambda: self.restyle(force=True))

    def restyle(self, force: bool = False) -> None:
        """Give all parts the type size of this window and the application's colours."""
        type_ = type_sizes.body(self.size())
        self._share()
        if type_ == self._type and not force:
            return
        self._type = type_
        self.parts.say(self.error, type_)
        self.parts.restyle(type_sizes.font(self.font(), type_), type_)

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
