"""Sessions: the JSON round trip, defaults for what is missing, a sentence for what is wrong."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path

import pytest

from gpu import session as sessions
from gpu.errors import OutputError, SessionError
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings, TaskSettings


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
        ('{"priors": [{"name": "fixed", "gamma": NaN}]}', "holds NaN"),
        ('{"view": {"zoom": Infinity}}', "holds Infinity"),
        ('{"source": {"parameters": {"dx": 1e999}}}', "number inf"),
        ('{"source": {"parameters": {"dx": 1' + 400 * "0" + "}}}", "number 10+…, which is too large"),
        ('{"noise": {"seed": 1' + 400 * "0" + "}}", "number 10+…, which is too large"),
        ('{"noise": {"seed": 1' + 4000 * "0" + "}}", "number 10+…, which is too large"),
        ('{"noise": {"seed": 1' + 5000 * "0" + "}}", "a number of thousands of digits"),
        ('{"noise": {"seed": 10000000000000}}', "seed is 10000000000000, but"),
        ('{"source": {"flow_sign": true}}', "flow_sign is True"),
        ('{"source": {"flow_sign": 1.0}}', "flow_sign is 1.0"),
        ('{"version": true}', "session version True"),
        ('{"view": ' + 300 * "[" + 300 * "]" + "}", "nested more than 24 deep"),
        ('{"view": ' + 100_000 * "[", "nested too deeply"),
        ('{"source": {"name": "\\ud800"}}', r"half a letter \(U\+D800\)"),
        ('{"\\udbff": 1}', r"half a letter \(U\+DBFF\)"),
        ('{"source": {"\\udcff": 0}}', r"not known: \\udcff"),
        ('{"source": {"path": "' + 30_000 * "x" + '"}}', "The path has 30000 letters"),
        ('{"source": {"name": "' + 300 * "x" + '"}}', "source's name has 300 letters"),
        ('{"task": {"parameters": {"prompt": "' + 30_000 * "x" + '"}}}', "task's parameter prompt has 30000 letters"),
        ('{"task": {"parameters": {"' + 300 * "x" + '": 1}}}', "parameter of the task has 300 letters"),
        ('{"source": {"name": "a\\u0000"}}', "holds a null character"),
        ('{"priors": [' + ",".join(65 * ["{}"]) + "]}", "has 65 entries; at most 64"),
        ('{"source": {"parameters": {' + ",".join(f'"p{n}": 1' for n in range(101)) + "}}}", "has 101 entries"),
        ('{"view": {"rows": "' + 70_000 * "x" + '"}}', "more than 64 kB of view"),
        (" " * (1 << 20) + "{}", "larger than 1 MB"),
        ('{"source": {"parameters": {"dx": [1]}}}', "parameters: dx"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str) -> None:
    with pytest.raises(SessionError, match=says):
        sessions.from_json(text)


def test_what_is_wrong_is_said_in_few_words() -> None:
    for text in (
        '{"version": "' + 10**6 * "x" + '"}',
        '{"noise": {"k": [' + 10**5 * "1," + "1]}}",
        '{"' + 10**6 * "x" + '": 1}',
    ):
        with pytest.raises(SessionError) as caught:
            sessions.from_json(text)
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize("kind", ["priors", "view"])
def test_a_session_of_many_megabytes_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    """600,000 priors took the program for minutes, and a view of 60 MB went into the description of everything written."""
    entries = ",".join(f'{{"name": "p{number}"}}' for number in range(600_000))
    (tmp_path / "a.json").write_text(
        f'{{"{kind}": [{entries}]}}' if kind == "priors" else f'{{"view": {{"a": [{entries}]}}}}'
    )
    before = time.process_time()
    with pytest.raises(SessionError, match="larger than 1 MB"):
        sessions.load(tmp_path / "a.json")
    assert time.process_time() - before < 0.5


def test_names_of_files_that_are_no_text_are_kept(tmp_path: Path) -> None:
    """A name of other bytes than UTF-8 is half letters to Python, which no file can be written with as they are."""
    name = os.fsdecode(b"/clips/caf\xe9.mp4")
    session = Session(SourceSettings(path=name), task=TaskSettings("hub", parameters={"path": name}))
    sessions.save(session, tmp_path / "a.json")
    assert sessions.load(tmp_path / "a.json") == session
    assert sessions.load(tmp_path / "a.json").source.path == name


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "x" * 30_000])
def test_settings_that_no_file_could_hold_are_refused_when_made(text: str) -> None:
    for made in (
        lambda: Session(SourceSettings(path=text)),
        lambda: Session(SourceSettings(flow_key=text)),
        lambda: Session(task=TaskSettings(parameters={"prompt": text})),
        lambda: Session(priors=(PriorSettings(text),)),
    ):
        with pytest.raises(SessionError):
            made()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400])
def test_numbers_that_are_none_are_refused_when_made(value: float) -> None:
    with pytest.raises(SessionError, match="a finite number was expected"):
        Session(SourceSettings(parameters={"dx": value}))
    with pytest.raises(SessionError, match="γ of fixed"):
        Session(priors=(PriorSettings("fixed", gamma=value),))


def test_a_view_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    deep: list[object] = []
    for _ in range(2000):
        deep = [deep]
    for view in ({"a": math.nan}, {"a": deep}, {"a": "\ud800"}, {"a": b"bytes"}, {"a": 10**400}, {"a": "x" * 70_000}):
        with pytest.raises(SessionError):
            sessions.save(Session(view=view), tmp_path / "a.json")
    assert not any(tmp_path.iterdir())


def test_unreadable_and_unwritable_files(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="cannot be read"):
        sessions.load(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SessionError, match="cannot be read"):
        sessions.load(tmp_path / "bytes.json")
    for name in ("\ud800", "a\0b", "x" * 300):
        with pytest.raises(SessionError, match="cannot be read"):
            sessions.load(tmp_path / name)
    for name in ("no folder/a.json", "\ud800.json", "a\0b.json", "x" * 300 + ".json"):
        with pytest.raises(OutputError, match="cannot be written"):
            sessions.save(Session(), tmp_path / name)


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


def test_a_session_from_before_units_has_its_flow_in_pixels() -> None:
    """Flow of a slow motion is asked about today; a session that was saved before that is not."""
    source = {"kind": "flow", "flow_path": "flow.npy", "flow_direction": "backward"}
    old = sessions.from_json(json.dumps({"source": source}))
    assert (old.source.flow_units, old.source.flow_direction) == ("pixels", "backward")
    assert sessions.from_json(sessions.to_json(old)) == old
    new = Session(source=SourceSettings("flow", flow_path="flow.npy"))
    assert sessions.from_json(sessions.to_json(new)).source.flow_units == "auto"
    assert sessions.from_json(json.dumps({"source": {"kind": "video"}})).source.flow_units == "auto"
