"""What is remembered between runs: whatever stands in the files, the program starts, and nothing of a person's is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from app.model.experiment_runs import choices_of
from app.model.user_folder import SETTINGS, UserFolder, move_aside
from tests.gpu.hostile_json import documents

ROOT = Path(__file__).resolve().parents[3]

RIGHT: dict[str, Any] = {
    "theme": "light",
    "recent": ["/tmp"],
    "panel_source": True,
    "panel_statistics": False,
    "panel_timeline": True,
    "across": "000000ff",
    "down": "000000ff",
    "field_mb": 512,
    "geometry": "01d9d0cb",
    "measures": ["whiteness", "warp"],
    "experiments": {"folder": "/tmp", "seed": 7, "quick": True},
    "weights": "/tmp",
    "real_pictures": "/tmp",
    "of a newer version": {"a": [1]},
}


@pytest.fixture
def folder(tmp_path: Path) -> UserFolder:
    return UserFolder(tmp_path / "state")


def written(folder: UserFolder, text: str | bytes, name: str = "settings.json") -> Path:
    folder.folder.mkdir(exist_ok=True)
    path = folder.folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return path


def test_what_is_set_is_remembered(folder: UserFolder) -> None:
    assert folder.settings() == {}
    folder.set(**RIGHT)
    folder.set(theme="dark")
    assert UserFolder(folder.folder).settings() == {**RIGHT, "theme": "dark"}
    assert set(SETTINGS) < set(RIGHT), "every key stands in the tests"
    assert os.listdir(folder.folder) == ["settings.json"]
    assert folder.untold == []


UNREADABLE = {
    "nested deeply": '{"recent": ' + 100_000 * "[",
    "nested less deeply": '{"recent": ' + 500 * "[" + 500 * "]" + "}",
    "no JSON": "theme = dark",
    "no object": "[1, 2]",
    "empty": "",
    "no text": b"\xff\xfe\x00\x01",
    "a number of thousands of digits": '{"a": ' + 5000 * "9" + "}",
    "a number beyond all others": '{"a": 1e999}',
    "not a number": '{"a": NaN}',
    "half a letter": '{"a": "\\ud800"}',
    "much": '{"a": "' + (1 << 20) * "x" + '"}',
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_settings_that_cannot_be_read_are_moved_aside(kind: str, folder: UserFolder) -> None:
    for number in (1, 2):
        path = written(folder, UNREADABLE[kind])
        before = path.read_bytes()
        assert folder.settings() == {}
        assert folder.recent() == []
        aside = path.with_name(f"settings.json.unreadable-{number}")
        assert aside.read_bytes() == before
        assert str(aside) in folder.untold[-1]
        folder.add_recent(str(folder.folder))
        assert folder.recent() == [str(folder.folder)]
    assert len(folder.untold) == 2, "each is told once"
    assert all(sentence.count(".") >= 3 and len(sentence) < 600 for sentence in folder.untold)


@pytest.mark.parametrize("key", SETTINGS)
def test_a_value_of_another_kind_is_left_out_and_told(key: str, folder: UserFolder) -> None:
    for wrong in (
        None,
        3.5,
        [None],
        {"a": []},
        *(["no digits", "abc"] if SETTINGS[key]("00") and not SETTINGS[key]("?") else []),
    ):
        path = written(folder, json.dumps({**RIGHT, key: wrong}))
        before = path.read_bytes()
        rest = {other: value for other, value in RIGHT.items() if other != key}
        assert folder.settings() == rest
        assert json.loads(path.read_text()) == rest
        aside = max(folder.folder.glob("*unreadable*"), key=lambda other: int(other.name.rpartition("-")[2]))
        assert aside.read_bytes() == before
        assert key in folder.untold[-1]


def test_nothing_used_lately_where_the_list_is_none(folder: UserFolder) -> None:
    """It broke the menus."""
    written(folder, '{"recent": null}')
    assert folder.recent() == []
    folder.add_recent(str(folder.folder))
    assert folder.recent() == [str(folder.folder)]


def test_names_that_no_file_can_have_are_no_files(folder: UserFolder, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    odd.touch()
    written(folder, json.dumps({"recent": ["a\0b", "x" * 5000, "", str(odd), "\udcff", str(tmp_path)]}))
    assert folder.recent() == [str(odd), str(tmp_path)]
    folder.add_recent(str(tmp_path / "other"))
    assert folder.recent() == [str(odd), str(tmp_path)]
    assert folder.untold == []


@pytest.mark.slow
@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents(RIGHT))
def test_whatever_stands_in_the_settings(tmp_path: Path, text: str) -> None:
    folder = UserFolder(tmp_path / "state")
    written(folder, text)
    read = folder.settings()
    assert all(SETTINGS[key](value) for key, value in read.items() if key in SETTINGS)
    assert isinstance(folder.recent(), list)
    folder.kept("settings", "stamp")
    folder.set(theme="dark")
    assert folder.settings() == {**read, "theme": "dark"}
    told = folder.untold
    assert len(told) <= 1
    if told:
        kept = [
            path for path in folder.folder.glob("*.unreadable-*") if path.read_text("utf-8", "surrogatepass") == text
        ]
        assert kept, "the file as it was is kept"
    for path in folder.folder.glob("*.unreadable-*"):
        path.unlink()


def test_what_was_found_out_is_found_out_again_where_it_cannot_be_read(folder: UserFolder) -> None:
    folder.keep("experiments", "stamp", "text")
    assert folder.kept("experiments", "stamp") == "text"
    assert folder.kept("experiments", "other") is None
    for text in (*UNREADABLE.values(), '{"stamp": "stamp", "text": 3}', '{"stamp": "stamp"}'):
        written(folder, text, "experiments.json")
        assert folder.kept("experiments", "stamp") is None


def test_a_folder_that_cannot_be_written_to_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in its place")
    folder = UserFolder(tmp_path / "state")
    told: list[str] = []
    folder.set(theme="dark")
    folder.tell_to(told.append)
    folder.set(theme="dark")
    folder.start_log()
    assert folder.settings() == {}
    assert len(told) == 1
    assert "cannot be kept: " in told[0]


def test_a_folder_in_the_place_of_a_file_is_moved_aside(folder: UserFolder) -> None:
    (folder.folder / "settings.json").mkdir(parents=True)
    assert folder.settings() == {}
    folder.set(theme="dark")
    assert folder.settings() == {"theme": "dark"}
    assert (folder.folder / "settings.json.unreadable-1").is_dir()


WINDOW = """
import sys
from pathlib import Path
from app.model.experiment_runs import choices_of
from app.model.user_folder import UserFolder
folder = UserFolder(Path(sys.argv[1]))
for number in range(40):
    folder.set(**{f"of {sys.argv[2]}, {number}": number})
print(len(folder.untold))
"""


@pytest.mark.slow
def test_two_windows_that_remember_at_once_lose_nothing(folder: UserFolder) -> None:
    """Each reads, adds and writes: without a lock one would write over what the other had just added."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WINDOW, str(folder.folder), name], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for name in "ab"
    ]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["0\n", "0\n"]
    assert set(folder.settings()) == {f"of {name}, {number}" for name in "ab" for number in range(40)}
    assert os.listdir(folder.folder) == ["settings.json"]


def test_every_name_aside_is_new(tmp_path: Path) -> None:
    (tmp_path / "a.unreadable-1").touch()
    (tmp_path / "a").write_text("a")
    assert move_aside(tmp_path / "a") == tmp_path / "a.unreadable-2"
    assert move_aside(tmp_path / "none") is None


def test_a_list_of_experiments_that_is_none_is_told_from_one() -> None:
    good = {"experiment": "a", "title": "A", "about": "B", "parameters": [], "quick": {}, "alone": False}
    assert len(choices_of(json.dumps([good]))) == 1
    wrong = [
        3,
        [3],
        [[]],
        {"a": 1},
        [{**good, "title": 3}],
        [{**good, "parameters": 3}],
        [{**good, "parameters": [[]]}],
    ]
    for text in (*map(json.dumps, wrong), 5000 * "[", "[NaN]"):
        with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
            choices_of(text)
