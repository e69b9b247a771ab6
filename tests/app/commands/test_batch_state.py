"""What of a batch is kept: what the same settings have made of the same files, and is whole."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.commands.kit.batch import state as states
from app.commands.kit.batch.manifest import Row
from app.commands.kit.batch.state import STATE, Result, State, fingerprint, written
from gpu.session import PriorSettings, Session, SourceSettings

RESULT = Result(frames=3, height=4, width=5, seconds=1.5, white=True, verdict="white", warnings=("It jumps.",))


SWIRL = SourceSettings("synthetic", name="swirl")


def row(source: SourceSettings = SWIRL, name: str = "a.npz", seed: int = 7) -> Row:
    session = Session(source, priors=(PriorSettings("random"),))
    session = replace(session, noise=replace(session.noise, seed=seed))
    return Row(2, name, "npz", "TCHW", session)


def put(folder: Path, about: Row, data: bytes = b"noise") -> Result:
    (folder / about.name).write_bytes(data)
    result = replace(RESULT, files=written(folder / about.name))
    state = State(folder)
    state.put(about, fingerprint(about), result)
    state.save()
    return result


def test_a_whole_result_of_the_same_settings_is_kept(tmp_path: Path) -> None:
    result = put(tmp_path, row())
    assert State(tmp_path).kept(row(), fingerprint(row())) == result
    assert result.size == 5
    changed = row(seed=8)
    assert State(tmp_path).kept(changed, fingerprint(changed)) is None
    assert State(tmp_path).kept(row(name="b.npz"), fingerprint(row())) is None


@pytest.mark.parametrize("harm", ["gone", "shorter", "other values", "a folder"])
def test_a_result_that_is_not_whole_is_made_again(harm: str, tmp_path: Path) -> None:
    put(tmp_path, row())
    path = tmp_path / "a.npz"
    if harm in ("gone", "a folder"):
        path.unlink()
        if harm == "a folder":
            path.mkdir()
    else:
        path.write_bytes(b"nois" if harm == "shorter" else b"no-is")
        os.utime(path, ns=(1, 1))
    assert State(tmp_path).kept(row(), fingerprint(row())) is None


def test_a_copy_of_the_folder_is_as_good(tmp_path: Path) -> None:
    put(tmp_path, row())
    other = tmp_path / "copy"
    other.mkdir()
    for name in ("a.npz", STATE):
        shutil.copyfile(tmp_path / name, other / name)  # with the time of now
    assert State(other).kept(row(), fingerprint(row())) is not None


def test_an_array_and_its_description_belong_together(tmp_path: Path) -> None:
    array = row(name="a.npy")
    (tmp_path / "a.npy.json").write_text("{}")
    put(tmp_path, array)
    assert State(tmp_path).kept(array, fingerprint(array)) is not None
    (tmp_path / "a.npy.json").unlink()
    assert State(tmp_path).kept(array, fingerprint(array)) is None


def test_what_a_result_follows_from_changes_its_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = {fingerprint(each) for each in (row(), row(seed=8), replace(row(), axes="CTHW"), replace(row(), form="pt"))}
    marks.add(fingerprint(replace(row(), session=replace(row().session, priors=(PriorSettings("fixed"),)))))
    assert len(marks) == 5
    assert fingerprint(row()) == fingerprint(replace(row(), number=9, session=replace(row().session, view={"zoom": 2})))
    monkeypatch.setattr("gpu.__version__", "0.0.0")
    assert fingerprint(row()) not in marks


@pytest.mark.parametrize("kind", ["video", "images", "pattern", "range", "flow"])
def test_a_source_that_was_written_anew_is_another(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "shots"
    folder.mkdir()
    files = [folder / f"shot_{number:03d}.png" for number in (1, 2)]
    other = folder / "other.png"
    for path in (*files, other):
        path.write_bytes(b"picture")
    source = {
        "video": SourceSettings("video", path=str(files[1])),
        "images": SourceSettings("images", path=str(folder)),
        "pattern": SourceSettings("images", path=f"{folder}/shot_%03d.png"),
        "range": SourceSettings("images", path=f"{folder}:1-2"),
        "flow": SourceSettings("flow", flow_path=str(files[1])),
    }[kind]
    before = fingerprint(row(source))
    assert fingerprint(row(source)) == before
    if kind in ("video", "pattern", "flow"):
        other.write_bytes(b"something else")
        assert fingerprint(row(source)) == before
    os.utime(files[1], ns=(1, 1))
    later = fingerprint(row(source))
    assert later != before
    files[1].unlink()
    assert fingerprint(row(source)) not in (before, later)


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", '{"version": 2, "results": {}}', '{"version": 1, "results": []}']
)
def test_a_state_that_cannot_be_read_makes_all_again(text: str, tmp_path: Path) -> None:
    put(tmp_path, row())
    (tmp_path / STATE).write_text(text)
    assert State(tmp_path).kept(row(), fingerprint(row())) is None


@pytest.mark.parametrize("spoil", ["files", "made_by", "warnings", "frames"])
def test_an_entry_that_lacks_something_is_no_result(spoil: str, tmp_path: Path) -> None:
    put(tmp_path, row())
    data = json.loads((tmp_path / STATE).read_text())
    del data["results"]["a.npz"][spoil]
    (tmp_path / STATE).write_text(json.dumps(data))
    assert State(tmp_path).kept(row(), fingerprint(row())) is None


def test_many_small_clips_do_not_write_it_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = []
    monkeypatch.setattr(states, "SAVED_SECONDS", 1000.0)
    save = State.save
    monkeypatch.setattr(State, "save", lambda self: (saved.append(1), save(self)))
    state = State(tmp_path)
    for number in range(50):
        state.put(row(name=f"{number}.npz"), "mark", RESULT)
    assert len(saved) == 1
    state.save()
    assert len(json.loads((tmp_path / STATE).read_text())["results"]) == 50
