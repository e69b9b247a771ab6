"""Sessions: the JSON round trip, defaults for what is missing, a sentence for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpu import session as sessions
from gpu.errors import OutputError, SessionError
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings


def test_round_trip(tmp_path: Path) -> None:
    session = Session(
        SourceSettings("synthetic", name="swirl", parameters={"angle": 3.5, "dx": "sin(y)"}),
        noise=NoiseSettings(seed=2**32 - 1, k=0),
        priors=(PriorSettings("bilinear", "chained", 0.25), PriorSettings("integral")),
        view={"rows": ["noise"], "zoom": 2},
    )
    sessions.save(session, tmp_path / "a.json")
    assert sessions.load(tmp_path / "a.json") == session
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_what_is_missing_takes_its_default() -> None:
    assert sessions.from_json("{}") == Session()
    assert sessions.from_json('{"noise": {"seed": 3}}').noise == NoiseSettings(seed=3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not valid JSON"),
        ("[1]", "expected a JSON object"),
        ('{"version": 99}', "session version 99"),
        ('{"version": "new"}', "session version 'new'"),
        ('{"colour": 1}', "not known: colour"),
        ('{"noise": 3}', "noise must be an object"),
        ('{"noise": {"k": "three"}}', "'three', but int"),
        ('{"noise": {"k": true}}', "True, but int"),
        ('{"noise": {"k": 7}}', "between 0 and 6"),
        ('{"noise": {"backend": "vulkan"}}', "choose one of 'auto'"),
        ('{"noise": {"seed": -1}}', "between 0 and"),
        ('{"priors": {"name": "fixed"}}', "must be a list"),
        ('{"priors": [{"name": "fixed"}, {"name": "fixed"}]}', "same prior"),
        ('{"priors": [{"name": "fixed", "gamma": NaN}]}', "γ of fixed"),
        ('{"source": {"parameters": {"dx": [1]}}}', "parameters: dx"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str) -> None:
    with pytest.raises(SessionError, match=says):
        sessions.from_json(text)


def test_unreadable_and_unwritable_files(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="cannot be read"):
        sessions.load(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SessionError, match="cannot be read"):
        sessions.load(tmp_path / "bytes.json")
    with pytest.raises(OutputError, match="cannot be written"):
        sessions.save(Session(), tmp_path / "no folder" / "a.json")


def test_a_failed_save_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    sessions.save(Session(), path)
    before = path.read_text()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OutputError, match="the disk is full"):
        sessions.save(Session(noise=NoiseSettings(seed=9)), path)
    assert json.loads(path.read_text()) == json.loads(before)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]
