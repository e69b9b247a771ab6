"""A batch of clips: what fails is named and the rest is made, workers may die, and what was stopped goes on where it was."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.commands.kit.batch import cluster, here, manifest
from app.commands.kit.batch.clip import Failed, Made, Progress
from app.commands.kit.batch.manifest import Row
from app.commands.kit.batch.state import STATE, SUMMARY, Result
from gpu.engine import memory
from gpu.errors import BackendError, SessionError, SizeError
from gpu.files import holding_folder
from tests.app.commands import batch_targets

ROOT = Path(__file__).resolve().parents[3]
BROKEN = "clip-07.npz"


def clips(folder: Path, count: int = 20, frames: int = 6) -> Path:
    """A manifest of small clips of several priors, sources and formats, the seventh of which is broken."""
    (folder / "broken.mp4").write_bytes(b"no film at all")
    lines = ["name,video,synthetic,prior,size,frames,seed,channels,k,format,backend"]
    for number in range(1, count + 1):
        video, synthetic = "", ("rotation:degrees=3", "zoom:factor=1.05", "swirl")[number % 3]
        if f"clip-{number:02d}.npz" == BROKEN:
            video, synthetic = "broken.mp4", ""
        prior = ("integral", "bilinear:mode=chained", "integral:gamma=0.2", "random")[number % 4]
        form = "npz" if number < 16 else ("npy", "safetensors", "pt")[number % 3]
        lines.append(f"clip-{number:02d},{video},{synthetic},{prior},48x64,{frames},{number},3,2,{form},torch")
    path = folder / "clips.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def results(folder: Path) -> dict[str, bytes]:
    """The files of a batch, but for those that tell of times."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in (STATE, SUMMARY)}


def begin(*words: object) -> subprocess.Popen[str]:
    """The program in a process of its own, whose SIGINT is not ignored, as it is for what shells put into the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "app", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(what: Callable[[], Any], process: subprocess.Popen[str], seconds: float = 120) -> Any:
    """What `what` gives once it is true, while the process runs."""
    end = time.monotonic() + seconds
    while not (there := what()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
    return there


def whole(folder: Path) -> list[str]:
    """Results that are there."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return [name for name in names if not name.startswith(".") and name not in (STATE, SUMMARY)]


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """The workers of a program."""
    numbers = []
    for task in os.listdir(f"/proc/{process.pid}/task"):
        for text in Path(f"/proc/{process.pid}/task/{task}/children").read_text().split():
            with contextlib.suppress(OSError):
                if b"gpu.processes.server" in Path(f"/proc/{text}/cmdline").read_bytes():
                    numbers.append(int(text))
    return numbers


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty clips, one of them broken, made by one worker in one go."""
    folder = tmp_path_factory.mktemp("straight")
    assert main(["batch", str(clips(folder)), "--out", str(folder / "out"), "--workers", "1"]) == 1
    return folder


@pytest.mark.slow
def test_what_fails_is_named_and_the_rest_is_made(straight: Path) -> None:
    made = results(straight / "out")
    npy = {f"clip-{number}.npy" for number in (18,)}
    assert len(made) == 19 + len(npy)  # with a description beside it
    assert BROKEN not in made
    with (straight / "out" / SUMMARY).open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [int(row["row"]) for row in table] == list(range(2, 22))
    states = {row["name"]: row["state"] for row in table}
    assert states.pop(BROKEN) == "failed"
    assert set(states.values()) == {"made"}
    (problem,) = [row["problem"] for row in table if row["problem"]]
    assert "broken.mp4" in problem


@pytest.mark.slow
def test_a_clip_is_what_warp_makes(straight: Path, tmp_path: Path) -> None:
    words = ["--synthetic", "zoom:factor=1.05", "--prior", "bilinear:mode=chained", "--size", "48x64", "--frames", "6"]
    words += ["--seed", "1", "--channels", "3", "--k", "2", "--backend", "torch", "--out", str(tmp_path / "a.npz")]
    assert main(["warp", *words]) == 0
    assert (tmp_path / "a.npz").read_bytes() == (straight / "out" / "clip-01.npz").read_bytes()


@pytest.mark.slow
def test_killed_stopped_and_resumed_it_is_what_a_straight_run_makes(
    straight: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, words = tmp_path / "out", ["batch", str(straight / "clips.csv"), "--out", str(tmp_path / "out")]
    with begin(*words, "--workers", "2") as process:
        wait_for(lambda: len(whole(out)) >= 3, process)
        killed = workers_of(process)[0]
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: len(whole(out)) >= 8 and killed not in workers_of(process), process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.count("noisescope: Stopped.") == 1
    before, noted = results(out), len(json.loads((out / STATE).read_text())["results"])
    assert not [name for name in before if name.startswith(".")]
    assert noted >= 8 - 3  # a worker was killed, and two may have been about to say that they are done
    assert len(before) < 20
    capsys.readouterr()
    assert main([*words, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["kept"] == noted
    assert told["kept"] + told["made"] == 19
    assert told["failed"] == 1
    assert results(out) == results(straight / "out")
    times = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert main(words) == 1  # nothing is left to do but the broken one
    assert {name: time for name, time in times.items() if name not in (STATE, SUMMARY)} == {
        path.name: path.stat().st_mtime_ns for path in out.iterdir() if path.name not in (STATE, SUMMARY)
    }


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[tuple[str, list[int], subprocess.Popen[str]]]:
    """The address of a cluster, the processes of its workers, and its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.app.commands.local_cluster"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DASK_TEMPORARY_DIRECTORY": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    address, *numbers = process.stdout.readline().split()
    yield address, [int(number) for number in numbers], process
    assert process.stdin is not None
    process.stdin.close()
    process.wait(timeout=30)
    process.stdout.close()


@pytest.mark.slow
def test_on_a_cluster_whose_worker_is_killed_it_is_what_a_straight_run_makes(
    straight: Path, tmp_path: Path, dask: tuple[str, list[int], subprocess.Popen[str]]
) -> None:
    address, numbers, _ = dask
    out, words = tmp_path / "out", ["batch", str(straight / "clips.csv"), "--out", str(tmp_path / "out")]
    words += ["--scheduler", address]
    with begin(*words) as process:
        wait_for(lambda: len(whole(out)) >= 3, process)
        os.kill(numbers[0], signal.SIGKILL)
        wait_for(lambda: len(whole(out)) >= 8, process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 143
    left = time.monotonic() + 20  # a worker of the cluster gives up its clip when it next looks
    while any(".partial-" in path.name for path in out.iterdir()) and time.monotonic() < left:
        time.sleep(0.1)
    assert not [path.name for path in out.iterdir() if ".partial-" in path.name]
    with begin(*words, "--json") as process:
        text, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    told = json.loads(text)
    assert (told["kept"] >= 8 - 3, told["failed"]) == (True, 1)
    assert results(out) == results(straight / "out")


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_said(
    tmp_path: Path, dask: tuple[str, list[int], subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, _, cluster_process = dask
    monkeypatch.setenv(
        "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "2s"
    )  # so long it tries to reach it again; else 30 s
    out = tmp_path / "out"
    with begin("batch", clips(tmp_path, frames=40), "--out", out, "--scheduler", address) as process:
        wait_for(lambda: whole(out), process)
        cluster_process.kill()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"The Dask scheduler at {address}" in err
    assert "Traceback" not in err


def test_without_dask_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    words = ["batch", str(clips(tmp_path, 2)), "--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:1"]
    assert main(words) == 2
    assert "`pip install 'noisescope[cluster]'` installs it." in capfd.readouterr().err


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:1"])
def test_a_scheduler_that_does_not_answer_is_said(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.2)
    with pytest.raises(BackendError, match=f"No Dask scheduler answers at {address}"):
        cluster.connect(address)


def rows(*names: str) -> list[Row]:
    """Rows of these names."""
    from gpu.session import PriorSettings, Session, SourceSettings

    session = Session(SourceSettings("synthetic", name="swirl", height=24, width=32), priors=(PriorSettings("random"),))
    return [Row(number, name, "npz", "TCHW", session) for number, name in enumerate(names, start=2)]


def made_by(count: int, names: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Made | Failed]:
    """What becomes of rows when workers of tests.app.commands.batch_targets are at them."""
    monkeypatch.setattr(here, "TARGET", f"{batch_targets.__name__}:sudden")
    events = [event for event in here.run(rows(*names), folder, count) if event is not None]
    assert {event.name for event in events if isinstance(event, Progress)} == set(names)
    ended = [event for event in events if isinstance(event, Made | Failed)]
    assert len(ended) == len(names)
    return {event.name: event for event in ended}


def test_a_worker_that_dies_is_replaced_and_its_clip_made_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a", "shaky", "bad", "b", "shaky2", "c"]
    ended = made_by(2, names, tmp_path, monkeypatch)
    assert {name for name, event in ended.items() if isinstance(event, Made)} == {"a", "shaky", "b", "shaky2", "c"}
    assert ended["bad"] == Failed("bad", "No.")


@pytest.mark.parametrize("count", [1, 3])
def test_a_clip_over_which_every_worker_dies_is_named_and_the_rest_made(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = made_by(count, ["dead", "a", "dead too", "b"], tmp_path, monkeypatch)
    assert {name for name, event in ended.items() if isinstance(event, Made)} == {"a", "b"}
    failed = ended["dead"]
    assert isinstance(failed, Failed)
    assert failed.problem.startswith("2 processes that made it ended early (the last one: signal 9)")


def test_how_many_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpu.processes.cores", lambda: 6)
    many = rows(*"abcdefgh")
    assert here.workers(many, None) == 6
    assert here.workers(many, 3) == 3
    assert here.workers(many[:2], 7) == 2
    for number in (0, -1, 257):
        with pytest.raises(SessionError, match="1 to 256"):
            here.workers(many, number)
    each = memory.needed(24, 32, many[0].session.noise, 1)
    monkeypatch.setattr(memory, "there", lambda: int(2.5 * each))
    assert here.workers(many, None) == 2
    with pytest.raises(SizeError, match="memory for 2 workers"):
        here.workers(many, 3)


def test_two_batches_never_write_into_one_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with holding_folder(out):
        assert main(["batch", str(clips(tmp_path, 2)), "--out", str(out)]) == 2
    assert f"(process {os.getpid()}) is writing into the folder {out}" in capfd.readouterr().err


def test_a_wrong_row_is_found_before_anything_is_made(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = clips(tmp_path, 2)
    path.write_text(path.read_text() + "x,,whirl\n")
    assert main(["batch", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "row 4: " in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def test_workers_and_scheduler_exclude_each_other(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["batch", "a.csv", "--out", str(tmp_path), "--workers", "2", "--scheduler", "tcp://a:1"]
    assert main(words) == 2
    assert "not allowed with" in capfd.readouterr().err


def test_the_table_says_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def run(rows: list[Row], out: Path, count: int) -> Iterator[Any]:
        for row in rows:
            yield Progress(row.name, 0.5, "half of it")
            yield Failed(row.name, "No.") if "2" in row.name else Made(row.name, Result((), 6, 48, 64, 1.25, True))

    monkeypatch.setattr(here, "run", run)
    words = ["batch", str(clips(tmp_path, 3)), "--out", str(tmp_path / "out"), "--workers", "1"]
    assert main(words) == 1
    out, err = capfd.readouterr()
    assert "1 of 3  clip-01.npz  1.2 s" in out
    assert "    3  clip-02.npz  failed" in out
    assert "2 made, 0 kept, 1 failed" in out
    assert err == "noisescope: row 3, clip-02.npz: No.\n"
    assert main([*words, "--json"]) == 1
    told = json.loads(capfd.readouterr().out)
    assert [row["state"] for row in told["results"]] == ["made", "failed", "made"]
    assert told["results"][1]["problem"] == "No."
    assert manifest.read(tmp_path / "clips.csv")[1].name == "clip-02.npz"
