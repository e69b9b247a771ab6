"""A crash takes nothing: each window has its own file, and what a killed one left stays until it is answered."""

from __future__ import annotations

import dataclasses
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from app.model.autosaves import Autosaves
from gpu import session as sessions
from gpu.session import NoiseSettings, Session, SourceSettings
from tests.gpu.hostile_json import documents
from tests.gpu.test_session_fuzzed import RIGHT

ROOT = Path(__file__).resolve().parents[3]


def seeded(seed: int) -> str:
    return sessions.to_json(Session(noise=NoiseSettings(seed=seed)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "autosaves"


WINDOW = """
import sys
from pathlib import Path
from app.model.autosaves import Autosaves
from gpu import session as sessions
from gpu.session import NoiseSettings, Session
autosaves = Autosaves(Path(sys.argv[1]))
autosaves.write(sessions.to_json(Session(noise=NoiseSettings(seed=int(sys.argv[2])))))
print("kept", flush=True)
if sys.stdin.read():
    autosaves.end()
"""

Start = Callable[[int], "subprocess.Popen[str]"]


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts the autosave of another process, with this seed."""
    processes: list[subprocess.Popen[str]] = []

    def make(seed: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", WINDOW, str(folder), str(seed)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "kept\n"
        return process

    yield make
    for process in processes:
        process.kill()
        process.communicate()


def seeds(autosaves: Autosaves) -> list[int]:
    """What is offered; and it is left for later."""
    crashed = autosaves.crashed()
    for other in crashed:
        other.leave()
    return [other.session.noise.seed for other in crashed]


@pytest.mark.slow
def test_what_killed_windows_left_is_offered_the_latest_first(folder: Path, start: Start) -> None:
    first, second, closing, living = (start(seed) for seed in (1, 2, 3, 4))
    mine = Autosaves(folder)
    mine.write(seeded(5))
    assert seeds(mine) == [], "all are running"
    first.kill()
    second.send_signal(signal.SIGKILL)
    closing.communicate("close")
    for process in (first, second):
        process.wait()
    assert seeds(mine) == [2, 1], "not the one that was closed, nor those that run"
    mine.end()
    assert seeds(Autosaves(folder)) == [2, 1], "closing one window takes nothing of another"
    assert living.poll() is None
    for crashed in Autosaves(folder).crashed():
        crashed.throw_away()
    assert seeds(mine) == []
    assert {path.suffix for path in folder.iterdir()} == {".json", ".lock"}, "of the one that runs"
    assert len(list(folder.iterdir())) == 2


def test_two_windows_of_a_process_keep_their_own(folder: Path) -> None:
    one, other = Autosaves(folder), Autosaves(folder)
    one.write(seeded(1))
    other.write(seeded(2))
    assert seeds(one) == seeds(other) == []
    other.end()
    assert [path.suffix for path in folder.iterdir() if path.suffix != ".lock"] == [".json"]
    one.write(seeded(3))
    one.set_aside()
    assert seeds(other) == [3]
    one.write(seeded(4))
    assert sorted([*seeds(other), 4]) == [3, 4]
    one.end()
    assert seeds(other) == [3]


def test_what_one_window_offers_no_other_does(folder: Path) -> None:
    lost = Autosaves(folder)
    lost.write(seeded(1))
    lost.set_aside()
    one, other = Autosaves(folder), Autosaves(folder)
    offered = one.crashed()
    assert [crashed.session.noise.seed for crashed in offered] == [1]
    assert other.crashed() == []
    assert one.crashed() == []
    offered[0].leave()
    offered[0].leave()
    assert seeds(other) == [1]


def test_what_cannot_be_read_is_moved_aside(folder: Path) -> None:
    told: list[str] = []
    folder.mkdir()
    for name, text in (
        ("a", "{"),
        ("b", 500 * "["),
        ("c", '{"noise": {"seed": 1' + 400 * "0" + "}}"),
        ("d", seeded(3)),
    ):
        (folder / f"{name}.json").write_text(text)
    assert seeds(Autosaves(folder, told.append)) == [3]
    assert len(told) == 3
    assert all("cannot be restored" in sentence and "It is kept as" in sentence for sentence in told)
    assert sorted(path.name for path in folder.iterdir()) == [
        "a.json.unreadable-1", "b.json.unreadable-1", "c.json.unreadable-1", "d.json",
    ]  # fmt: skip
    assert seeds(Autosaves(folder, told.append)) == [3]
    assert len(told) == 3


@pytest.mark.parametrize("running", [None, "999999999", 30 * "9", "1" + 400 * "0", "", "one", "-1", "own"])
def test_what_an_earlier_version_left_is_offered(running: str | None, folder: Path) -> None:
    """It had one file for all windows, and a process's number beside it that no window started with when it was absurd."""
    (folder.parent / "autosave.json").write_text(seeded(7))
    if running is not None:
        (folder.parent / "running").write_text(str(os.getpid()) if running == "own" else running)
    assert seeds(Autosaves(folder)) == [7]
    assert os.listdir(folder.parent) == ["autosaves"]
    assert seeds(Autosaves(folder)) == [7]


def test_what_an_earlier_version_still_writes_is_left_alone(folder: Path) -> None:
    (folder.parent / "autosave.json").write_text(seeded(7))
    (folder.parent / "running").write_text(str(os.getppid()))
    assert seeds(Autosaves(folder)) == []
    assert (folder.parent / "autosave.json").exists()


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents(RIGHT))
def test_whatever_stands_in_an_autosave(tmp_path: Path, text: str) -> None:
    folder, told = tmp_path / "autosaves", list[str]()
    folder.mkdir(exist_ok=True)
    (folder / "a.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    crashed = Autosaves(folder, told.append).crashed()
    assert len(crashed) + len(told) == 1
    for other in crashed:
        assert len(other.text) < 5000
        other.throw_away()
    for path in folder.iterdir():
        path.unlink()


def test_an_offer_says_when_and_what(folder: Path) -> None:
    lost = Autosaves(folder)
    session = Session(SourceSettings("synthetic", path="/clips/still.png", name="rotation"))
    lost.write(sessions.to_json(session))
    lost.set_aside()
    (crashed,) = Autosaves(folder).crashed()
    assert crashed.text == f"{time.strftime('%H:%M')}, still.png with random, fixed, bilinear, integral"
    clip = dataclasses.replace(crashed, session=Session(), when=crashed.when.replace(year=2020, month=3, day=5))
    assert clip.text.startswith("05 March, ")
    assert "the bundled clip" in clip.text
    crashed.leave()


def test_a_disk_that_is_full_keeps_the_earlier_state(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Autosaves(folder)
    mine.write(seeded(1))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Exception, match="the disk is full"):
            mine.write(seeded(2))
    mine.set_aside()
    assert seeds(mine) == [1]


def test_what_lies_where_nothing_can_be_written_is_offered_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = Autosaves(folder)
    lost.write(seeded(1))
    lost.set_aside()

    def take(path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("app.model.autosaves.take", take)
    assert seeds(Autosaves(folder)) == [1]
