"""Frames on several processors: the same values in the same order, whoever makes them, and a sentence when one dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gpu.engine import Engine, many_frames, memory
from gpu.engine.frame_worker import Made
from gpu.errors import BackendError, SessionError, SizeError
from gpu.metrics.whiteness import measure
from gpu.priors import PRIORS
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings

TURN = SourceSettings("synthetic", name="rotation", height=24, width=32, frames=9, parameters={"degrees": 3.0})
FILM = SourceSettings("video", height=48, width=80, frames=9)


@pytest.fixture
def engine() -> Iterator[Engine]:
    columns = (PriorSettings("integral"), PriorSettings("bilinear"), PriorSettings("bilinear", "chained"))
    opened = Engine(Session(TURN, noise=NoiseSettings(k=2, backend="torch"), priors=columns))
    yield opened
    opened.close()


def children() -> set[int]:
    """The workers of this process."""
    numbers = set()
    for task in os.listdir("/proc/self/task"):
        for text in Path(f"/proc/self/task/{task}/children").read_text().split():
            if b"gpu.processes.server" in Path(f"/proc/{text}/cmdline").read_bytes():
                numbers.add(int(text))
    return numbers


def test_which_priors_have_frames_that_do_not_need_each_other() -> None:
    columns = {
        ("integral", ""): True,
        ("bilinear", ""): True,
        ("bilinear", "anchored"): True,
        ("bilinear", "chained"): False,
        ("random", ""): True,
        ("pyoco-progressive", ""): False,
        ("control-a-video", ""): False,
    }
    priors = tuple(PriorSettings(name, mode) for name, mode in columns)  # type: ignore[arg-type]
    session = Session(TURN, noise=NoiseSettings(backend="torch"), priors=priors)
    opened = Engine(session)
    told = {(prior.name, prior.mode): many_frames.independent(opened, prior.key) for prior in priors}
    opened.close()
    assert told == columns


def test_every_chained_mode_stays_in_one_process() -> None:
    for name, prior in PRIORS.items():
        if "chained" not in prior.info.modes:
            continue
        chained = PriorSettings(name, "chained")
        opened = Engine(Session(TURN, noise=NoiseSettings(backend="torch"), priors=(chained,)))
        assert many_frames.workers(opened, chained.key, 9, 8) == 1
        opened.close()


def test_how_many_workers(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 6)
    assert many_frames.workers(engine, "integral", 9) == 6
    assert many_frames.workers(engine, "integral", 4) == 4
    assert many_frames.workers(engine, "integral", 9, 1) == 1
    assert many_frames.workers(engine, "integral", 9, 3) == 3
    assert many_frames.workers(engine, "integral", 2, 3) == 2
    for number in (-1, 65):
        with pytest.raises(SessionError, match="1 to 64"):
            many_frames.workers(engine, "integral", 9, number)


def test_memory_is_reckoned_for_all_of_them(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 6)
    each = memory.needed(24, 32, engine.session.noise, 1, 9)
    monkeypatch.setattr(memory, "there", lambda: int(4.5 * each))
    assert memory.processes(24, 32, engine.session.noise, 9) == 4
    assert many_frames.workers(engine, "integral", 9) == 3  # and this process
    with pytest.raises(SizeError, match=r"with 5 workers.*Choose fewer workers"):
        many_frames.workers(engine, "integral", 9, 5)
    monkeypatch.setattr(memory, "there", lambda: each)
    assert many_frames.workers(engine, "integral", 9) == 1
    monkeypatch.setattr(memory, "there", lambda: 0)  # a system that does not tell
    assert many_frames.workers(engine, "integral", 9) == 6


def test_one_worker_is_this_process(engine: Engine) -> None:
    with many_frames.making(engine, "integral", range(2, 5), 1) as frames:
        made = list(frames)
    assert [each.t for each in made if each] == [2, 3, 4]
    assert not children()


def all_of(engine: Engine, key: str, chosen: range, path: Path | None = None) -> list[Made]:
    """Frames by two workers, this process making none of them."""
    with many_frames.making(engine, key, chosen, 2, path) as frames:
        return [made for made in frames if made is not None]


@pytest.mark.slow
@pytest.mark.parametrize("key", ["integral", "bilinear"])
def test_workers_make_what_one_process_makes(
    key: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = {t: engine.noise(key, t) for t in range(9)}
    _wait_for_workers(monkeypatch)
    made = all_of(engine, key, range(1, 9), tmp_path / "a.npz")
    assert [each.t for each in made] == list(range(1, 9))
    for each in made:
        assert np.array_equal(each.noise, alone[each.t][0])
        assert np.array_equal(each.state, alone[each.t][1])
        assert each.whiteness is not None
        assert each.whiteness.p == measure(each.noise).p
    assert not children()


@pytest.mark.slow
def test_estimated_motion_is_shared_and_values_stay_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(FILM, noise=NoiseSettings(k=2, channels=2, backend="torch"), priors=(PriorSettings("integral"),))
    engine = Engine(session)
    alone = [engine.noise("integral", t) for t in range(9)]
    engine.close()
    again = Engine(session)
    _wait_for_workers(monkeypatch)
    with many_frames.making(again, "integral", range(9), 2, tmp_path / "a.npz") as frames:
        made = [each for each in frames if each is not None]
        (pairs,) = tmp_path.iterdir()
        again.opened.motion._estimation = None  # type: ignore[assignment]  # all is in the file
        flows = [again.motion(t)[0] for t in range(8)]
    assert len(flows) == 8
    for each, (noise, state) in zip(made, alone, strict=True):
        assert np.array_equal(each.noise, noise)
        assert np.array_equal(each.state, state)
    assert pairs.name.startswith(".a.partial-")
    assert not pairs.exists()
    again.close()


@pytest.mark.slow
def test_one_that_dies_gives_a_sentence_and_leaves_nothing(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wait_for_workers(monkeypatch)
    with pytest.raises(BackendError, match=r"ended early.*signal 9.*--workers"):
        _kill_in_the_middle(engine, tmp_path / "a.npz")
    assert not children()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_giving_up_ends_the_workers(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    _wait_for_workers(monkeypatch)
    with many_frames.making(engine, "integral", range(9), 2) as frames:
        next(frames)
        assert len(children()) == 2
    assert not children()


@pytest.mark.slow
def test_workers_are_started_where_they_are_worth_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    with many_frames.making(engine, "integral", range(9)) as frames:
        for _ in frames:
            assert not children()  # nine small frames are not
    monkeypatch.setattr(many_frames, "WORTH_SECONDS", 0.0)
    with many_frames.making(engine, "integral", range(9)) as frames:
        counts = [len(children()) for made in frames if made is not None]
    assert len(counts) == 9
    assert counts[:3] == [0, 0, 0]
    assert counts[3] == 2


def _wait_for_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames are not made here while the workers open the clip."""
    ready = many_frames._Crew.is_ready

    def wait(crew: many_frames._Crew) -> bool:
        while not ready(crew):
            pass
        return True

    monkeypatch.setattr(many_frames._Crew, "is_ready", wait)


def _kill_in_the_middle(engine: Engine, path: Path) -> None:
    with many_frames.making(engine, "integral", range(9), 2, path) as frames:
        for made in frames:
            if made is not None:
                os.kill(min(children()), signal.SIGKILL)
