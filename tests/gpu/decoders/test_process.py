"""A decoder's process: answers, errors, and what becomes of one that crashes, hangs or hoards."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from gpu import interrupt
from gpu.decoders import process as process_module
from gpu.decoders.process import DecoderProcess
from gpu.errors import ClipError

ECHO = "gpu.decoders.server:echo"


def test_answers_come_in_order_and_whole() -> None:
    with DecoderProcess() as process:
        for size in (1, 70000, 3):
            process.ask(ECHO, {"text": f"ö{size}", "shape": [size, 2]})
        for size in (1, 70000, 3):
            answer = process.take()
            assert answer.value == f"ö{size}"
            assert answer.arrays[0].shape == (size, 2)
        assert not process.asked


def test_an_error_of_the_call_is_raised_here_and_the_next_call_works() -> None:
    with DecoderProcess() as process:
        with pytest.raises(ClipError, match="damaged"):
            process.call(ECHO, {"text": "", "shape": ["x"]})
        with pytest.raises(ClipError):
            process.call("os:listdir", {})
        assert process.call(ECHO, {"text": "after", "shape": [0]}).value == "after"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process this way")
def test_memory_beyond_the_limit_is_refused_and_more_can_be_asked_for() -> None:
    with DecoderProcess(memory=64 << 20) as process:
        with pytest.raises(ClipError, match="memory"):
            process.call(ECHO, {"text": "", "shape": [128 << 20]})
        assert process.call(ECHO, {"text": "", "shape": [128 << 20]}, memory=128 << 20).arrays[0].nbytes == 128 << 20


def test_a_crash_and_a_hang_are_said_and_the_next_call_starts_anew() -> None:
    with DecoderProcess() as process:
        process.call(ECHO, {"text": "", "shape": [1]})
        assert process._process is not None
        os.kill(process._process.pid, signal.SIGSEGV if os.name == "posix" else signal.SIGTERM)
        with pytest.raises(ClipError, match="ended early"):
            process.call(ECHO, {"text": "", "shape": [1]})
        assert process.call(ECHO, {"text": "new", "shape": [1]}).value == "new"
        if os.name == "posix":
            os.kill(process._process.pid, signal.SIGSTOP)
            with pytest.raises(ClipError, match="no answer for 0 s"):
                process.call(ECHO, {"text": "", "shape": [1]}, seconds=0.2)
            assert process.call(ECHO, {"text": "newer", "shape": [1]}).value == "newer"


def test_waiting_ends_when_nobody_waits_any_more_and_the_answer_can_be_taken_later() -> None:
    with DecoderProcess() as process:
        process.call(ECHO, {"text": "", "shape": [1]})
        assert process._process is not None
        os.kill(process._process.pid, signal.SIGSTOP)
        interrupt.watch(lambda: True)
        try:
            process.ask(ECHO, {"text": "late", "shape": [1]})
            with pytest.raises(interrupt.Interrupted):
                process.take()
        finally:
            interrupt.watch(None)
        os.kill(process._process.pid, signal.SIGCONT)
        assert process.take().value == "late"


@pytest.mark.skipif(os.name != "posix", reason="a process is held by a signal")
def test_an_answer_that_nobody_took_is_not_that_of_the_next_call() -> None:
    """As when the settings change while a picture is read: the next picture must not be the one before."""
    with DecoderProcess() as process:
        process.call(ECHO, {"text": "", "shape": [1]})
        assert process._process is not None
        os.kill(process._process.pid, signal.SIGSTOP)
        interrupt.watch(lambda: True)
        try:
            with pytest.raises(interrupt.Interrupted):
                process.call(ECHO, {"text": "first", "shape": [1]})
        finally:
            interrupt.watch(None)
            os.kill(process._process.pid, signal.SIGCONT)
        for text in ("second", "third"):
            assert process.call(ECHO, {"text": text, "shape": [1]}).value == text
        assert not process.asked


def test_what_a_process_says_first_is_no_answer_after_its_start_was_interrupted() -> None:
    with DecoderProcess() as process:
        interrupt.watch(lambda: True)
        try:
            with pytest.raises(interrupt.Interrupted):
                process.call(ECHO, {"text": "first", "shape": [1]})
        finally:
            interrupt.watch(None)
        assert process.call(ECHO, {"text": "second", "shape": [1]}).value == "second"


def test_a_process_that_was_prepared_is_taken_by_the_next_and_a_dead_one_is_not() -> None:
    process_module.prepare()
    (spare,) = process_module._spare
    process_module.prepare()
    assert process_module._spare == [spare]
    with DecoderProcess() as process:
        assert process.call(ECHO, {"text": "", "shape": [1]}).value == ""
        assert process._process is spare
        assert not process_module._spare
    process_module.prepare()
    (spare,) = process_module._spare
    spare.kill()
    spare.wait()
    with DecoderProcess() as process:
        assert process.call(ECHO, {"text": "", "shape": [1]}).value == ""
        assert process._process is not spare


def test_nothing_is_imported_from_the_folder_the_person_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("av", "numpy", "json"):
        (tmp_path / f"{name}.py").write_text(
            f"open({str(tmp_path / 'ran')!r}, 'w').write('{name}')\nraise SystemExit(3)\n"
        )
    monkeypatch.chdir(tmp_path)
    with DecoderProcess() as process:
        assert process.call(ECHO, {"text": "safe", "shape": [1]}).value == "safe"
    assert not (tmp_path / "ran").exists()
