"""What both worker threads are made of: it sleeps, wakes, lets the newest win, and stops."""

from __future__ import annotations

import threading
from collections import deque

import pytest

from app.worker.thread import Newest, WorkerThread, explain
from gpu.errors import SessionError


class Doubler(WorkerThread):
    """Doubles the newest number, and answers questions in their order."""

    def __init__(self, begins: bool = True) -> None:
        super().__init__("doubler")
        self.begins = begins
        self.numbers: Newest[int] = Newest()
        self.questions: deque[tuple[int, str]] = deque()
        self.done: list[int] = []
        self.answered: list[tuple[int, str]] = []
        self.worked, self.gate = threading.Event(), threading.Event()
        self.gate.set()
        self.ended = False

    def double(self, value: int) -> int:
        with self._asking():
            return self.numbers.put(value)

    def ask(self, question: str) -> int:
        return self._ticket(self.questions, question)

    def _begin(self) -> bool:
        return self.begins

    def _pending(self) -> bool:
        return self.numbers.waiting or bool(self.questions)

    def _step(self) -> bool:
        self.gate.wait(5)
        with self._lock:
            question = self.questions.popleft() if self.questions else None
            value = self.numbers.take() if question is None else None
        if question is not None:
            self.answered.append(question)
        elif value is not None:
            self.done.append(2 * value)
            if value == 13:
                raise RuntimeError("a bug on purpose")
        else:
            return False
        return True

    def _recover(self, problem: Exception) -> None:
        self.answered.append((0, str(problem)))

    def _rest(self) -> None:
        self.worked.set()

    def _end(self) -> None:
        self.ended = True


def test_the_newest_request_replaces_one_that_was_not_taken() -> None:
    newest: Newest[str] = Newest()
    assert newest.take() is None
    assert (newest.put("old"), newest.put("new")) == (1, 2)
    assert newest.waiting
    assert newest.take() == "new"
    assert newest.take() is None
    assert not newest.waiting
    assert newest.number == 2


def test_a_thread_wakes_for_what_is_asked_while_it_sleeps() -> None:
    thread = Doubler()
    thread.start()
    assert thread.worked.wait(5)
    for value in (1, 2, 3):
        thread.worked.clear()
        thread.double(value)
        assert thread.worked.wait(5)
    thread.stop()
    assert thread.done == [2, 4, 6]
    assert thread.ended


def test_only_the_newest_is_done_and_every_question_is_answered_with_its_ticket() -> None:
    thread = Doubler()
    thread.gate.clear()
    thread.start()
    numbers = [thread.double(value) for value in (1, 2, 3)]
    tickets = [thread.ask(question) for question in "abc"]
    thread.gate.set()
    assert thread.worked.wait(5)
    thread.stop()
    assert numbers == [1, 2, 3]
    assert thread.done == [6]
    assert thread.answered == list(zip(tickets, "abc", strict=True))
    assert len(set(tickets)) == 3


def test_a_thread_that_cannot_begin_does_nothing_but_end() -> None:
    thread = Doubler(begins=False)
    thread.double(1)
    thread.start()
    thread.stop()
    assert thread.done == []
    assert thread.ended


def test_what_was_foreseen_is_said_and_what_was_not_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert explain(SessionError("No such prior."), "settings") == ("No such prior.", "")
    assert not caplog.records
    sentence, details = explain(ZeroDivisionError("nought"), "frame")
    assert "ZeroDivisionError" in sentence
    assert "nought" in details


def test_it_lives_on_after_an_error_that_nobody_foresaw() -> None:
    thread = Doubler()
    thread.start()
    assert thread.worked.wait(5)
    for value in (13, 4):
        thread.worked.clear()
        thread.double(value)
        assert thread.worked.wait(5)
    thread.stop()
    assert thread.done == [26, 8]
    assert thread.answered == [(0, "a bug on purpose")]
