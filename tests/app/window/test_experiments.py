"""Experiments from the menu: a run in its own process with progress, claims, cancel, errors as a sentence, and closing."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.cli import main
from app.look import theme
from app.model.experiment_runs import ALL, LIST, ExperimentChoice, Request, Run, choices_of, free_folder, stamp
from app.views.experiments.dialog import ExperimentsDialog
from app.views.experiments.run_list import claims_html
from app.window.main_window import Window
from app.window.menus import menu_of
from app.worker.experiment_processes import Processes
from gpu.parameters import ParameterInfo
from tests.app.window.conftest import wait_for

# A program that speaks as `noisescope experiment` does, without its imports: `count` measures, `slow` never ends, `bad` cannot
# work. That the real one speaks like this is tested below.
SCRIPT = """
import json, os, signal, sys, time
from pathlib import Path

words = sys.argv[1:]
if "--list" in words:
    info = {"name": "steps", "label": "Steps", "default": 6, "low": 1, "high": 99, "step": 1, "unit": "", "tip": "How many.",
            "text": "", "empty": False, "choices": [], "is_text": False}
    print(json.dumps([{"experiment": name, "title": name.title(), "about": "It is a test.", "alone": name == "slow",
                       "quick": {}, "parameters": [info]} for name in ("count", "slow")]))
    sys.exit()
out, quick = Path(words[words.index("--out") + 1]), "--quick" in words
steps = 2 if quick else 6
for word in words:
    key, equals, value = word.partition("=")
    if key == "steps":
        steps = int(float(value))
    elif equals:
        sys.exit(print(f"noisescope: The experiment has no parameter {key!r}.", file=sys.stderr) or 2)

def tell(**what):
    print(json.dumps(what), file=sys.stderr, flush=True)

def stop(*_):
    print("noisescope: Stopped. Nothing was left half-written.", file=sys.stderr)
    os._exit(130)

signal.signal(signal.SIGTERM, stop)

def run(name, folder):
    for step in range(steps if name == "count" else 10**6 if name == "slow" else 0):
        tell(event="progress", experiment=name, done=step, total=steps, what="waiting" if name == "slow" else f"step {step}")
        time.sleep(0.1)
    if name == "bad":
        sys.exit(print("noisescope: The weights of the model 'x' are missing.", file=sys.stderr) or 2)
    claim = {"claim": "enough", "holds": True, "measured": steps, "measured_lo": None, "measured_hi": None, "unit": "",
             "wanted": "some"}
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("")
    result = {"summary": f"{steps} steps were taken.", "notes": [], "claims": [claim], "title": name, "problem": ""}
    (folder / "result.json").write_text(json.dumps(result))
    return result

if words[1] != "all":
    run(words[1], out)
else:
    found = [{"title": name, "state": "waiting", "problem": "", "claims": []} for name in ("count", "slow")]
    for number, name in enumerate(("count", "slow")):
        out.mkdir(exist_ok=True)
        (out / "result.json").write_text(json.dumps({"experiments": found}))
        (out / "index.html").write_text("")
        tell(event="experiment", experiment=name, number=number + 1, of=2)
        found[number] = {**run(name, out / name), "state": "done"}
"""

CHOICE = ExperimentChoice(
    "count",
    "Counting",
    "Counts to a number.",
    (ParameterInfo("steps", "Steps", 6, 1, 99, 1, "", "How many."), ParameterInfo("names", "Names", empty=True)),
    {"steps": 2},
    False,
)
STOP_SECONDS = 0.3


@pytest.fixture
def processes(qapp: object) -> Any:
    made = Processes(command=("-c", SCRIPT))
    yield made
    made.stop()


def request(folder: Path, name: str = "count", **changes: Any) -> Request:
    return replace(Request(name, name, folder), **changes)


def test_runs_follow_each_other_and_say_how_far_they_are(processes: Processes, tmp_path: Path) -> None:
    seen: dict[int, list[tuple[str, float]]] = {1: [], 2: []}
    processes.changed.connect(lambda run: seen[run.number].append((run.state, run.share)))
    first = processes.start(request(tmp_path / "new", values={"steps": 4}, seed=5))
    second = processes.start(request(tmp_path / "new"))
    assert (first.state, second.state) == ("running", "waiting")
    wait_for(lambda: second.ended, 30)
    assert [run.state for run in processes.runs] == ["done", "done"]
    assert any(0.2 < share < 0.8 for _, share in seen[1]), "progress arrives while it runs"
    assert all(share <= 1 for _, share in seen[1])
    assert first.summary == "4 steps were taken."
    assert second.summary == "2 steps were taken.", "the quick preset"
    assert (first.out.name, second.out.name) == ("count", "count-2"), "nothing is overwritten"
    assert first.counts() == {True: 1, False: 0, None: 0}
    assert first.report.exists()
    assert free_folder(tmp_path / "new", "count").name == "count-3"


def test_a_run_stops_at_once_and_leaves_nothing(processes: Processes, tmp_path: Path) -> None:
    run = processes.start(request(tmp_path, "slow"))
    waits = processes.start(request(tmp_path))
    wait_for(lambda: run.what == "waiting", 30)
    processes.cancel(waits)
    began = time.monotonic()
    processes.cancel(run)
    assert run.state == "stopping"
    wait_for(lambda: run.ended, 30)
    assert time.monotonic() - began < STOP_SECONDS + 1.0, f"{STOP_SECONDS} s on an idle machine"
    assert [run.state, waits.state] == ["stopped", "stopped"]
    assert not list(tmp_path.iterdir())


def test_what_goes_wrong_is_a_sentence(processes: Processes, tmp_path: Path) -> None:
    bad = processes.start(request(tmp_path, "bad"))
    unknown = processes.start(request(tmp_path, values={"stepz": 3.0}))
    (tmp_path / "file").write_text("")
    nowhere = processes.start(request(tmp_path / "file" / "below"))
    wait_for(lambda: nowhere.ended, 30)
    assert bad.problem == "The weights of the model 'x' are missing."
    assert "stepz" in unknown.problem
    assert "cannot be made" in nowhere.problem
    assert {run.state for run in processes.runs} == {"failed"}


def test_all_shows_what_is_done_so_far(processes: Processes, tmp_path: Path) -> None:
    run = processes.start(request(tmp_path, ALL))
    wait_for(lambda: "slow" in run.what, 30)
    assert [title for title, _, _ in run.claims] == ["count"], "claims appear as experiments end"
    assert run.share == pytest.approx(0.5)
    processes.cancel(run)
    wait_for(lambda: run.ended, 30)
    assert run.report.exists()
    assert (run.out / "count" / "report.html").exists()


def test_a_process_that_dies_is_told(qapp: object, tmp_path: Path) -> None:
    processes = Processes(command=("-c", "import os; os.write(2, b'last words\\n'); os.abort()"))
    run = processes.start(request(tmp_path))
    wait_for(lambda: run.ended, 30)
    assert run.state == "failed"
    assert "ended by the system" in run.problem
    assert "last words" in run.problem


@pytest.mark.slow
def test_a_real_experiment_runs(qapp: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("gpu.experiments.toy1d")
    processes = Processes()
    assert main(LIST) == 0
    choices = choices_of(capsys.readouterr().out)
    assert {"toy1d", "table1"} <= {choice.name for choice in choices}
    assert all(choice.title and choice.about for choice in choices)
    run = processes.start(Request("toy1d", "Toy", tmp_path, values={"draws": 2000.0}))
    wait_for(lambda: run.ended, 120)
    assert run.state == "done", run.problem
    assert run.report.exists()
    assert run.summary
    assert sum(run.counts().values()) > 0
    assert run.share == 1.0


def test_the_time_left_is_guessed_from_what_is_done(tmp_path: Path) -> None:
    run = Run(1, request(tmp_path), tmp_path / "count")
    run.begin(100.0)
    run.take('{"event": "progress", "experiment": "count", "done": 1, "total": 4, "what": "one"}', 101.0)
    assert run.left is None, "too early to say"
    run.take('{"event": "progress", "experiment": "count", "done": 2, "total": 4, "what": "two"}', 110.0)
    assert run.left == pytest.approx(10.0)
    run.take("some warning of a library", 111.0)
    assert run.said == ["some warning of a library"]


def test_the_dialog_asks_for_what_was_changed(qapp: object, tmp_path: Path) -> None:
    dialog = ExperimentsDialog([CHOICE], {"folder": str(tmp_path), "seed": 3, "quick": True})
    kept: list[Any] = []
    asked: list[Request] = []
    dialog.settings_changed.connect(kept.append)
    dialog.start_wanted.connect(asked.append)
    assert dialog.parameters.sliders["steps"].value == 2, "the quick preset"
    dialog.start.click()
    dialog.preset.setCurrentIndex(1)
    dialog.preset.activated.emit(1)
    assert dialog.parameters.sliders["steps"].value == 6
    dialog.parameters.sliders["steps"].number.setValue(9)
    dialog.parameters.texts["names"].setText("a,b")
    dialog.parameters.texts["names"].editingFinished.emit()
    dialog.start.click()
    dialog.show_experiment(ALL)
    dialog.start.click()
    first, second, third = asked
    assert first == Request("count", "Counting", tmp_path, 3, True, {})
    assert second == Request("count", "Counting", tmp_path, 3, False, {"steps": 9.0, "names": "a,b"})
    assert third.name == ALL
    assert not third.values
    assert kept[-1] == {"folder": str(tmp_path), "seed": 3, "quick": False}


def test_claims_stand_there_with_their_signs(tmp_path: Path) -> None:
    claim = {
        "claim": "ratio < 4",
        "holds": False,
        "measured": 3.9,
        "measured_lo": 3.5,
        "measured_hi": 4.3,
        "unit": "px",
    }
    run = Run(1, request(tmp_path), tmp_path)
    run.claims = [("", "", [{**claim, "wanted": "at least 4"}])]
    text = claims_html(run, theme.DARK)
    assert "ratio &lt; 4" in text
    assert "✗" in text
    assert "3.9 [3.5, 4.3] px · wanted: at least 4" in text


@pytest.mark.slow
def test_the_menu_runs_and_closing_asks(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    experimenting, menu = window.experiments, menu_of(window, "E&xperiments")
    experimenting.processes.command = ("-c", SCRIPT)
    assert not experimenting.choices, "they are read when they are first wanted"
    menu.aboutToShow.emit()
    wait_for(lambda: bool(experimenting.choices), 60)
    assert window.user_folder.kept("experiments", stamp())
    entries = [action for action in menu.actions() if action.isVisible() and not action.isSeparator()]
    assert [entry.text() for entry in entries[2:]] == ["Count …", "Slow …"]
    assert all(action.toolTip() for action in entries)
    entries[2].trigger()
    dialog = experimenting.dialog
    assert dialog.isVisible()
    assert dialog.experiment == "count"
    assert dialog.parameters.sliders["steps"].value == 6
    dialog.folder.setText(str(tmp_path))
    dialog.start_wanted.emit(request(tmp_path, "slow"))
    run = experimenting.processes.runs[0]
    wait_for(lambda: run.what == "waiting", 30)
    answers = iter([False, True])
    monkeypatch.setattr(type(experimenting), "may_close", lambda self: next(answers))
    window.close()
    assert window.isVisible(), "the person wanted it to go on"
    QTest.mouseClick(dialog.runs.cancel, Qt.MouseButton.LeftButton)
    wait_for(lambda: run.ended, 30)
    assert "Stopped" in dialog.runs.what.text()
    window.close()
    assert not window.isVisible()
    assert not dialog.isVisible()


@pytest.mark.slow
def test_a_list_that_cannot_be_read_is_a_sentence(window: Window) -> None:
    window.experiments.processes.command = (
        "-c",
        "import sys; sys.exit(print('noisescope: No.', file=sys.stderr) or 2)",
    )
    window.experiments.open()
    wait_for(lambda: bool(window.banner.text), 30)
    assert window.banner.text == "The experiments cannot be read. No."


def test_a_window_that_goes_while_the_list_is_read_leaves_nothing_behind(
    qapp: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Deleted with the process that was asked, which tells of its end while it goes; or closed, which kills that."""
    from types import SimpleNamespace

    import shiboken6
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QMenu, QWidget

    from app.window.experiments import ExperimentsMenu

    banner = SimpleNamespace(show_error=lambda *said: shown.append(said))
    folder = SimpleNamespace(kept=lambda *_: None)
    for closed in (False, True):
        shown: list[object] = []
        parent = QWidget()
        made = ExperimentsMenu(QMenu(parent), QAction(parent), None, folder, banner, None, parent)  # type: ignore[arg-type]
        made.processes.command = ("-c", "import time; time.sleep(60)")
        made.read()
        process = made._reading
        assert process is not None
        assert process.waitForStarted(10000)
        if closed:
            made.end()
            assert process.state() == process.ProcessState.NotRunning
        shiboken6.delete(parent)
        assert not shiboken6.isValid(process)
        assert shown == []
        assert "deleted" not in capsys.readouterr().err
