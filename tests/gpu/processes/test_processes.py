"""Workers: requests go in, what they tell comes out, and however one ends, the program hears of it and goes on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gpu.errors import FlowQuestion
from gpu.locks import runs
from gpu.processes import Ended, Failed, Message, Team, Told, Worker

HERE = "tests.gpu.processes.targets"


@pytest.fixture
def team() -> Iterator[Team]:
    with Team(f"{HERE}:double", ("twice",), 2) as workers:
        yield workers


def heard(team: Team, count: int, seconds: float = 20) -> list[tuple[Worker, Message]]:
    """So many messages."""
    end, messages = time.monotonic() + seconds, []
    while len(messages) < count and time.monotonic() < end:
        messages += team.messages(0.05)
    return messages


def test_each_answers_what_it_is_asked(team: Team) -> None:
    noise = np.arange(2_000_000, dtype=np.float32)  # more than a pipe holds
    for number, worker in enumerate(team.workers):
        worker.ask(number + 10)
        worker.ask(noise)
    answers = heard(team, 4)
    for number, worker in enumerate(team.workers):
        told = [message.value for each, message in answers if each is worker and isinstance(message, Told)]
        assert told[0] == ("twice", 2 * number + 20)
        assert np.array_equal(told[1][1], noise * 2)


def test_they_compute_on_one_thread(team: Team) -> None:
    team.workers[0].ask("threads")
    assert [message for _, message in heard(team, 1)] == [Told("1")]


def test_an_error_of_ours_arrives_as_it_was(team: Team) -> None:
    team.workers[1].ask("question")
    (_, message), (_, ended) = heard(team, 2)
    assert isinstance(message, Failed)
    assert isinstance(message.problem, FlowQuestion)
    assert (str(message.problem), message.problem.choices) == ("Which way is it?", ("backward", "forward"))
    assert ended == Ended("status 0")


def test_a_fault_is_told_in_words(team: Team) -> None:
    team.workers[0].ask("fault")
    _, message = heard(team, 1)[0]
    assert isinstance(message, Failed)
    assert str(message.problem) == "KeyError: 'nobody foresaw this'"


def test_one_that_dies_is_told_and_another_can_take_its_place(team: Team) -> None:
    dead, other = team.workers
    dead.ask("die")
    assert heard(team, 1) == [(dead, Ended("signal 9"))]
    dead.ask(1)  # into nowhere
    team.dismiss(dead)
    fresh = team.add()
    fresh.ask(2)
    other.ask(3)
    assert {message for _, message in heard(team, 2)} == {Told(("twice", 4)), Told(("twice", 6))}


def test_no_more_requests_end_it(team: Team) -> None:
    team.workers[0].ask(1)
    team.workers[0].no_more()
    assert [message for _, message in heard(team, 2)] == [Told(("twice", 2)), Ended("status 0")]


def test_ctrl_c_is_not_for_them(team: Team) -> None:
    team.workers[0].ask(1)
    heard(team, 1)
    os.kill(team.workers[0].number, signal.SIGINT)
    team.workers[0].ask(2)
    assert heard(team, 1) == [(team.workers[0], Told(("twice", 4)))]


def test_closing_removes_what_they_had_begun(tmp_path: Path) -> None:
    with Team(f"{HERE}:write", (tmp_path / "a.npz",), 2) as team:
        names = {message.value for _, message in heard(team, 2) if isinstance(message, Told)}
        assert {path.name for path in tmp_path.iterdir()} == names
        numbers = [worker.number for worker in team.workers]
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert list(tmp_path.iterdir()) == []
    assert not any(runs(number) for number in numbers)


def test_nothing_is_imported_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, team: Team) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    worker = team.add()
    worker.ask(1)
    assert heard(team, 1) == [(worker, Told(("twice", 2)))]


def test_a_process_that_cannot_be_started_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from gpu.errors import BackendError

    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    with pytest.raises(BackendError, match="cannot be started"):
        Team(f"{HERE}:double", ("twice",), 1)


def test_a_function_that_is_not_there_is_told() -> None:
    with Team(f"{HERE}:nothing", (), 1) as team:
        _, message = heard(team, 1)[0]
        assert isinstance(message, Failed)
        assert "nothing" in str(message.problem)
