"""`noisescope experiment`: from names and parameters to folders, with errors in sentences and nothing lost on Ctrl-C."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli import main
from gpu.errors import ModelError
from gpu.experiments import EXPERIMENTS, Settings, Steps, Update
from tests.app.reports.sample import SAMPLE


@pytest.fixture(autouse=True)
def _samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that holds two samples alone."""
    monkeypatch.setattr(EXPERIMENTS, "_loaded", True)
    monkeypatch.setattr(EXPERIMENTS, "_entries", {"first": (1, SAMPLE), "second": (2, SAMPLE)})
    monkeypatch.delenv("NOISESCOPE_DEBUG", raising=False)


def put(monkeypatch: pytest.MonkeyPatch, name: str, run: Callable[[Settings], Steps]) -> None:
    entries = {**EXPERIMENTS._entries, name: (3, replace(SAMPLE, run=run))}
    monkeypatch.setattr(EXPERIMENTS, "_entries", entries)


@pytest.mark.slow
def test_one_experiment_fills_its_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["experiment", "first", "--out", str(out), "--set", "draws=300", "--seed", "5", "--json"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result == json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["parameters"]["draws"] == 300
    assert result["command"] == "noisescope experiment first --out DIR --seed 5 --set draws=300"
    assert {"report.html", "variance.csv", "curves.png", "curves.svg"} <= {path.name for path in out.iterdir()}


@pytest.mark.slow
def test_the_same_command_gives_the_same_numbers(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tables = []
    for seed in ("5", "5", "6"):
        assert main(["experiment", "first", "--out", str(tmp_path / "o"), "--quick", "--seed", seed, "--json"]) == 0
        tables.append(json.loads(capfd.readouterr().out)["table"])
    assert tables[0] == tables[1] != tables[2]


@pytest.mark.slow
def test_quick_is_the_preset_and_set_goes_before_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for more, draws in ((["--quick"], 200), (["--quick", "--set", "first.draws=50"], 50), ([], 2000)):
        assert main(["experiment", "first", "--out", str(tmp_path / "o"), "--json", *more]) == 0
        assert json.loads(capfd.readouterr().out)["parameters"]["draws"] == draws


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["experiment", "--out", "{o}"], "first, second"),
        (["experiment", "dance", "--out", "{o}"], "first, second"),
        (["experiment", "all", "dance", "--out", "{o}"], "first, second"),
        (["experiment", "first"], "--out"),
        (["experiment", "first", "--out", "{o}", "--set", "drawz=3"], "draws, words"),
        (["experiment", "all", "--out", "{o}", "--set", "drawz=3"], "drawz"),
        (["experiment", "first", "--out", "{o}", "--set", "draws"], "NAME=VALUE"),
        (["experiment", "first", "--out", "{o}", "--set", "draws=many"], "number"),
        (["experiment", "first", "--out", "{o}", "--set", "draws=1"], "between 10 and"),
        (["experiment", "first", "--out", "{o}", "--set", "second.draws=100"], "'second'"),
        (["experiment", "first", "--out", "{o}", "--seed", "-1"], "seed"),
        (["experiment", "first", "--out", "{o}/deep/er"], "no folder"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main([word.format(o=tmp_path / "o") for word in arguments]) == 2
    said = capfd.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_all_links_every_report_and_goes_on_after_a_failure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(settings: Settings) -> Steps:
        yield Update(0, 1, "starting")
        raise ModelError("The weights of the model 'x' are missing.")

    put(monkeypatch, "broken", broken)
    monkeypatch.setattr(EXPERIMENTS, "_entries", dict(reversed(EXPERIMENTS._entries.items())))
    assert main(["experiment", "all", "--out", str(tmp_path / "o"), "--quick"]) == 2
    assert "The weights of the model 'x' are missing." in capfd.readouterr().err
    page = (tmp_path / "o" / "index.html").read_text(encoding="utf-8")
    for name in ("first", "second"):
        assert f'href="{name}/report.html"' in page
        report = (tmp_path / "o" / name / "report.html").read_text(encoding="utf-8")
        assert 'href="../index.html"' in report
    assert "The weights of the model" in page
    assert not (tmp_path / "o" / "broken").exists()


@pytest.mark.slow
def test_all_takes_the_shorter_preset_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shorter = replace(SAMPLE, together={"draws": 150.0, "words": "x"})
    monkeypatch.setattr(EXPERIMENTS, "_entries", {"first": (1, shorter)})
    assert main(["experiment", "all", "--out", str(tmp_path / "o"), "--set", "words=y"]) == 0
    result = json.loads((tmp_path / "o" / "first" / "result.json").read_text(encoding="utf-8"))
    assert result["parameters"] == {"draws": 150.0, "words": "y"}
    assert "draws = 150" in result["preset"]
    assert "words" not in result["preset"]
    for page in ("index.html", "first/report.html"):
        assert "draws = 150" in (tmp_path / "o" / page).read_text(encoding="utf-8")
    assert main(["experiment", "first", "--out", str(tmp_path / "alone"), "--quick"]) == 0
    assert json.loads((tmp_path / "alone" / "result.json").read_text(encoding="utf-8"))["preset"] == ""


@pytest.mark.slow
def test_ctrl_c_leaves_finished_experiments(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []

    def stopped(settings: Settings) -> Steps:
        try:
            yield Update(0, 2, "starting")
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    put(monkeypatch, "third", stopped)
    assert main(["experiment", "all", "--out", str(tmp_path / "o"), "--quick"]) == 130
    assert closed
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["first", "index.html", "result.json", "second"]
    states = [one["state"] for one in json.loads((tmp_path / "o" / "result.json").read_text())["experiments"]]
    assert states == ["done", "done", "waiting"]


@pytest.mark.slow
def test_progress_lines_are_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "first", "--out", str(tmp_path / "o"), "--quick", "--progress", "lines"]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert lines[0] == {"event": "progress", "experiment": "first", "done": 0, "total": 11, "what": "α = 0.0"}
    assert lines[-1]["event"] == "writing"


def test_the_list_names_parameters_and_presets(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "--list"]) == 0
    assert "--set draws=2000, quick 200" in capfd.readouterr().out
    assert main(["experiment", "--list", "--json"]) == 0
    listed = json.loads(capfd.readouterr().out)
    assert [one["experiment"] for one in listed] == ["first", "second"]
    assert listed[0]["parameters"][0]["default"] == 2000
