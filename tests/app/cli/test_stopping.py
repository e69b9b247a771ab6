"""Signals end every command where it is safe: soon, with the shells' exit code, a sentence, and no file left half-written."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app import stopping
from tests.app.cli.stops import COMMANDS, SECONDS, noise_file, stop

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_signals_at_random_moments_end_every_command(tmp_path: Path) -> None:
    """Each command twice, from the first import to the middle of the work; 72 by `python -m tests.app.cli.stops 72`."""
    chance = random.Random(5)
    noise = noise_file(tmp_path)
    # Each twice, first early and then later, with one signal and then the other.
    cases = [
        (name, (signal.SIGINT, signal.SIGTERM)[(index + later) % 2], chance.uniform(0, 1.5) + 1.5 * later)
        for later in range(2)
        for index, name in enumerate(COMMANDS)
    ]
    assert len(cases) == 2 * len(COMMANDS)
    with ThreadPoolExecutor(3) as several:
        ended = list(several.map(lambda case: stop(*case, noise), cases))
    wrong = [(each, each.wrong) for each in ended if each.wrong or each.seconds > SECONDS]
    assert not wrong


def _unignored() -> None:
    """Signals as a shell leaves them in the foreground; what runs in the background, or under nohup, ignores some."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _python(code: str) -> subprocess.Popen[str]:
    """A process that listens for signals, says that it is ready and runs `code`."""
    text = f"import os, sys, time\nfrom app import stopping\nwith stopping.listening():\n    print('ready', flush=True)\n{code}"
    process = subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_unignored,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_signal_sets_a_flag_and_nothing_is_raised_until_somebody_looks() -> None:
    looks = "    while not stopping.told(): time.sleep(0.01)\n    print('told', flush=True)\n    stopping.check()\n"
    with _python(looks) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert out == "told\n"
    assert err.strip().endswith("KeyboardInterrupt")
    assert ", in check\n" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_does_not_look_is_ended_all_the_same(number: signal.Signals) -> None:
    """Not even Python's own handlers get their turn here: the main thread sits in a call of the system."""
    began = time.monotonic()
    with _python("    import ctypes; ctypes.CDLL(None).usleep(900000); ctypes.CDLL(None).sleep(60)\n") as process:
        process.send_signal(number)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 128 + number
    assert err == f"noisescope: {stopping.SAID}\n"
    assert time.monotonic() - began < 5


def test_a_second_signal_ends_it_at_once_and_takes_away_what_is_not_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.npz"
    writing = (
        "    from pathlib import Path\n    from gpu.files import replacing\n"
        f"    with replacing(Path({str(target)!r})) as partial:\n"
        "        partial.write_bytes(b'half')\n        print(partial.name, flush=True)\n        time.sleep(60)\n"
    )
    with _python(writing) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert [path.name for path in tmp_path.iterdir()] == [name]
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert process.poll() is None  # it may still come to a safe place
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    assert time.monotonic() - began < 1.5
    assert process.returncode == 143
    assert list(tmp_path.iterdir()) == []


def test_ignored_signals_stay_ignored() -> None:
    """As under nohup, and for jobs that a shell puts into the background."""
    code = "import signal; from app import stopping\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    code += "with stopping.listening(): print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "True\n"


def test_handlers_and_threads_are_as_before_afterwards() -> None:
    handlers = {number: signal.getsignal(number) for number in stopping.SIGNALS}
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with stopping.listening():
        assert not stopping.told()
        assert signal.getsignal(signal.SIGTERM) is not handlers[signal.SIGTERM]
        with stopping.listening():
            assert stopping.check() is False
        assert signal.getsignal(signal.SIGTERM) is not handlers[signal.SIGTERM]
    assert {number: signal.getsignal(number) for number in stopping.SIGNALS} == handlers
    assert descriptors == (len(os.listdir("/proc/self/fd")) if descriptors else 0)
    assert stopping.wake() is None


def test_what_goes_wrong_after_a_signal_is_its_consequence(
    cli: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C reaches the programs that we have started too, and what they leave undone is no error of its own."""

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it

    def fail(arguments: object) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        end = time.monotonic() + 5
        while not stopping.told() and time.monotonic() < end:
            time.sleep(0.01)
        raise RuntimeError("the encoder has gone")

    monkeypatch.setattr("app.commands.kit.window.run", fail)
    try:
        result = cli()
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.code == 130  # type: ignore[attr-defined]
    assert result.err == f"noisescope: {stopping.SAID}\n"  # type: ignore[attr-defined]
