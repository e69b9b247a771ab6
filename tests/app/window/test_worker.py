"""The worker: one thread owns the engine, the newest wants win, cancelling and failing leave it alive."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest

from app.worker.dispatch import Dispatch
from app.worker.messages import Arrival, Failure, Progress
from app.worker.worker import Worker
from gpu import interrupt
from gpu.engine.results import Update
from gpu.errors import OutputError
from gpu.session import Session, SourceSettings
from tests.app.window.conftest import wait_for
from tests.app.window.fake_engine import FakeEngine, catalogue


class Ears:
    """Everything a worker said."""

    def __init__(self, worker: Worker) -> None:
        self.arrivals: list[Arrival] = []
        self.failures: list[Failure] = []
        self.ended: list[tuple[int, Any]] = []
        self.opened: list[int] = []
        self.slices: list[dict[Any, Any]] = []
        worker.arrived.connect(self.arrivals.append)
        worker.failed.connect(self.failures.append)
        worker.ended.connect(lambda job, result: self.ended.append((job, result)))
        worker.opened.connect(lambda number, info: self.opened.append(number))
        worker.sliced.connect(lambda number, slices: self.slices.append(slices))


@pytest.fixture
def worker(qapp: object, engines: type[FakeEngine]) -> Iterator[Worker]:
    worker = Worker(engines, catalogue)
    yield worker
    worker.stop()


def seeded(seed: int) -> Session:
    session = Session()
    return replace(session, noise=replace(session.noise, seed=seed))


def test_the_engine_lives_on_one_thread_that_is_not_the_guis(worker: Worker, engines: type[FakeEngine]) -> None:
    import threading

    ears = Ears(worker)
    worker.apply(Session())
    worker.request(3, range(12))
    worker.start()
    wait_for(lambda: len(ears.arrivals) > 0)
    worker.apply(seeded(8))
    wait_for(lambda: ears.opened == [1, 2])
    worker.stop()
    assert len(engines.threads) == 1
    assert threading.current_thread().name not in engines.threads
    assert [engine.closed for engine in engines.instances] == [1]


def test_the_asked_frame_comes_first_and_the_rest_follow_in_order(worker: Worker, engines: type[FakeEngine]) -> None:
    ears = Ears(worker)
    worker.apply(Session())
    worker.request(5, [5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4])
    worker.start()
    wait_for(lambda: len({one.result.t for one in ears.arrivals if one.result.complete}) == 12)
    done = [one.result.t for one in ears.arrivals if one.result.complete]
    assert done == [5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4]
    partial = [len(one.result.columns) for one in ears.arrivals if one.result.t == 5]
    assert partial == [1, 2, 3, 4]


def test_a_new_request_stops_the_one_under_way(worker: Worker, engines: type[FakeEngine]) -> None:
    engines.delay = 0.05
    ears = Ears(worker)
    worker.set_background(False)
    worker.apply(Session())
    worker.set_background(False)
    worker.request(2, ())
    worker.start()
    wait_for(lambda: any(one.result.t == 2 for one in ears.arrivals))
    worker.request(9, ())
    wait_for(lambda: any(one.result.t == 9 and one.result.complete for one in ears.arrivals))
    assert not any(one.result.t == 2 and one.result.complete for one in ears.arrivals)


def test_only_the_newest_settings_are_opened(worker: Worker, engines: type[FakeEngine]) -> None:
    ears = Ears(worker)
    for seed in range(1, 30):
        worker.apply(seeded(seed))
    worker.request(0, range(12))
    worker.start()
    wait_for(lambda: any(one.result.complete for one in ears.arrivals))
    assert ears.opened == [29]
    assert {one.number for one in ears.arrivals} == {29}


def test_an_error_is_a_sentence_and_the_last_good_settings_go_on(worker: Worker, engines: type[FakeEngine]) -> None:
    ears = Ears(worker)
    worker.apply(Session())
    worker.request(0, range(12))
    worker.start()
    wait_for(lambda: any(one.result.complete for one in ears.arrivals))
    worker.apply(Session(source=SourceSettings(path="/somewhere/bad.mp4")))
    worker.request(4, range(12))
    wait_for(lambda: bool(ears.failures))
    assert ears.failures[0].sentence == "/somewhere/bad.mp4 is not a video that can be read."
    assert ears.failures[0].kind == "ClipError"
    wait_for(lambda: any(one.result.t == 4 and one.number == 2 for one in ears.arrivals))


def test_a_slider_that_moves_faster_than_noise_shows_some_on_the_way(worker: Worker, engines: type[FakeEngine]) -> None:
    """Settings every 10 ms, where the noise of a frame takes at least 80."""
    engines.delay = 0.02
    ears = Ears(worker)
    worker.apply(seeded(1))
    worker.request(3, range(12))
    worker.start()
    wait_for(lambda: bool(ears.opened))
    for seed in range(2, 102):
        worker.apply(seeded(seed))
        worker.request(3, range(12))
        QTest.qWait(10)
    noised = {one.number for one in ears.arrivals if len(one.result.columns) == 4}
    assert len(noised) >= 3
    assert max(noised) < 101
    wait_for(lambda: any(one.number == 101 and one.result.complete for one in ears.arrivals))


def test_the_time_left_is_not_guessed_from_noise_alone(worker: Worker) -> None:
    said: list[Progress] = []
    worker.progressed.connect(said.append, Qt.ConnectionType.DirectConnection)
    worker._engine = FakeEngine(Session())  # type: ignore[assignment]
    worker._pace, worker._paced = [0.01], True
    worker._report(0, Update(1, 4, "random: step 1 of 10"), noise_only=False)
    worker._reported = 0.0
    worker._report(0, Update(1, 4, "noise: random"), noise_only=True)
    assert [one.seconds is None for one in said] == [True, False]
    worker._engine = None


def test_curves_of_older_settings_go_before_the_frame_is_done(worker: Worker, engines: type[FakeEngine]) -> None:
    engines.delay = 0.2
    events: list[tuple[str, int]] = []
    worker.told.connect(lambda number, mask, series, cache: events.append(("told", number)))
    worker.arrived.connect(lambda one: events.append(("done", one.number)) if one.result.complete else None)
    worker.apply(Session())
    worker.request(0, range(12))
    worker.start()
    wait_for(lambda: ("done", 1) in events)
    assert events.index(("told", 1)) < events.index(("done", 1))


def test_a_bug_becomes_a_calm_sentence_with_details(worker: Worker, engines: type[FakeEngine]) -> None:
    ears = Ears(worker)
    worker.apply(seeded(666))
    worker.request(7, range(12))
    worker.start()
    wait_for(lambda: bool(ears.failures))
    worker.request(3, range(12))
    wait_for(lambda: any(one.result.t == 3 and one.result.complete for one in ears.arrivals))
    assert "Traceback" not in ears.failures[0].sentence
    assert "a bug on purpose" in ears.failures[0].details
    assert len(ears.failures) == 1


def test_slices_come_when_asked_for(worker: Worker) -> None:
    ears = Ears(worker)
    worker.apply(Session())
    worker.set_slices(["noise"], 0.5)
    worker.request(0, range(12))
    worker.start()
    wait_for(lambda: bool(ears.slices) and all((one[..., 3] == 255).all() for one in ears.slices[-1].values()))
    assert set(ears.slices[-1]) == {(key, "noise") for key in ("random", "fixed", "bilinear", "integral")}


def steps(count: int, seen: list[Any], engine: Any = None) -> Iterator[Update]:
    try:
        for done in range(count):
            seen.append(done)
            yield Update(done, count, f"step {done}")
            time.sleep(0.01)
    finally:
        seen.append("closed")


def test_an_export_runs_beside_the_frames_and_can_be_cancelled(worker: Worker, engines: type[FakeEngine]) -> None:
    ears, seen = Ears(worker), []  # type: ignore[var-annotated]
    worker.apply(Session())
    worker.request(0, range(12))
    job = worker.run_job("Export", lambda engine: steps(1000, seen))
    worker.start()
    wait_for(lambda: len(seen) > 3)
    worker.request(6, range(12))
    wait_for(lambda: any(one.result.t == 6 and one.result.complete for one in ears.arrivals))
    assert not ears.ended
    worker.cancel(job)
    wait_for(lambda: bool(ears.ended))
    assert ears.ended == [(job, None)]
    assert seen[-1] == "closed"
    assert len(seen) < 1000


def test_an_export_keeps_the_settings_it_began_with(worker: Worker, engines: type[FakeEngine]) -> None:
    ears, seeds = Ears(worker), []  # type: ignore[var-annotated]

    def export(engine: FakeEngine) -> Iterator[Update]:
        for done in range(40):
            seeds.append(engine.session.noise.seed)
            yield Update(done, 40, "")
            time.sleep(0.005)

    worker.apply(seeded(1))
    worker.request(0, range(12))
    job = worker.run_job("Export", export)  # type: ignore[arg-type]
    worker.start()
    wait_for(lambda: len(seeds) > 3)
    worker.apply(seeded(2))
    worker.request(0, range(12))
    wait_for(lambda: bool(ears.ended))
    assert ears.ended == [(job, "Export")]
    assert set(seeds) == {1}
    assert [engine.closed for engine in engines.instances] == [1, 0]


def test_an_export_that_fails_says_why(worker: Worker, tmp_path: Path) -> None:
    ears = Ears(worker)

    def export(engine: Any) -> Iterator[Update]:
        yield Update(0, 2, "")
        raise OutputError("The disk is full.")

    worker.apply(Session())
    worker.run_job("Export", export)
    worker.start()
    wait_for(lambda: bool(ears.failures) and bool(ears.ended))
    assert ears.failures[0].sentence == "The disk is full."
    assert ears.ended[0][1] is None


class Network:
    """An engine whose frames take long inside, as a network does: it polls, and never comes to an end by itself."""

    def __init__(self, session: Session) -> None:
        self.inner = FakeEngine(session)
        self.given_up: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def compute(self, t: int) -> Iterator[Update]:
        yield Update(0, 2, "motion")
        try:
            while True:
                interrupt.poll()
                time.sleep(0.002)
        except interrupt.Interrupted:
            self.given_up.append(t)
            raise


def test_a_step_under_way_is_given_up_at_once_and_is_no_failure(qapp: object) -> None:
    made: list[Network] = []
    worker = Worker(lambda session: made.append(Network(session)) or made[-1], catalogue)  # type: ignore[func-returns-value, return-value]
    ears = Ears(worker)
    try:
        worker.apply(Session())
        worker.request(2, range(12))
        worker.start()
        wait_for(lambda: worker._doing == "frame")
        for action, frame in ((lambda: worker.request(9, range(12)), 2), (worker.halt, 9)):
            begin = time.monotonic()
            action()
            wait_for(lambda frame=frame: frame in made[0].given_up)  # type: ignore[misc]
            assert time.monotonic() - begin < 2.0, "0.01 s on an idle machine"
        wait_for(lambda: not worker._doing)
        assert ears.failures == []
        worker.request(4, range(12))
        wait_for(lambda: worker._doing == "frame")
    finally:
        begin = time.monotonic()
        worker.stop()
    assert time.monotonic() - begin < 2.0
    assert made[0].given_up == [2, 9, 4]


def all_complete(ears: Ears, number: int, frames: set[int]) -> bool:
    return {one.result.t for one in ears.arrivals if one.result.complete and one.number == number} >= frames


def test_a_frame_that_a_shorter_clip_lacks_is_forgotten(worker: Worker, engines: type[FakeEngine]) -> None:
    """The window asks for the frame it shows before it knows how long the clip has become."""
    ears = Ears(worker)
    worker.apply(Session(source=SourceSettings(frames=12)))
    worker.request(11, range(12))
    worker.start()
    wait_for(lambda: all_complete(ears, 1, set(range(12))))
    worker.apply(Session(source=SourceSettings(frames=6)))
    worker.request(11, range(12))
    wait_for(lambda: all_complete(ears, 2, set(range(6))))
    assert ears.failures == []


def test_a_frame_that_fails_does_not_keep_the_others_from_being_computed(
    worker: Worker, engines: type[FakeEngine]
) -> None:
    engines.bad_frames = frozenset({3, 8})
    ears, halted = Ears(worker), []
    worker.halted.connect(halted.append)
    worker.apply(Session())
    worker.request(0, range(12))
    worker.start()
    wait_for(lambda: all_complete(ears, 1, set(range(12)) - {3, 8}))
    assert [failure.sentence for failure in ears.failures] == ["The clip is damaged here."], "it is said once"
    assert halted == []


def test_frames_that_all_fail_end_computing_ahead_aloud(worker: Worker, engines: type[FakeEngine]) -> None:
    engines.bad_frames = frozenset(range(1, 12))
    ears, halted, rested = Ears(worker), [], []
    worker.halted.connect(halted.append)
    worker.apply(Session())
    worker.request(0, range(12))
    worker.start()
    wait_for(lambda: bool(halted))
    assert halted == [1]
    assert len(ears.failures) == 1
    engines.bad_frames = frozenset()
    worker.progressed.connect(lambda progress: rested.append(progress is None))
    worker.set_background(True)  # as the menu does: those that failed are tried again
    wait_for(lambda: all_complete(ears, 1, set(range(12))))


@pytest.mark.parametrize("part", ["computed", "series", "slice"])
def test_whatever_goes_wrong_between_frames_the_next_settings_are_computed(
    worker: Worker, engines: type[FakeEngine], monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    ears = Ears(worker)
    worker.set_slices(["noise"], 0.5)
    with monkeypatch.context() as patched:

        def fail(self: FakeEngine, *_: Any) -> Any:
            raise RuntimeError("a bug on purpose")

        patched.setattr(engines, part, fail)
        worker.apply(Session())
        worker.request(0, range(12))
        worker.start()
        wait_for(lambda: bool(ears.failures))
    worker.apply(seeded(5))
    worker.request(0, range(12))
    wait_for(lambda: all_complete(ears, 2, set(range(12))))
    assert worker.isRunning()


def test_a_question_that_fails_is_told_to_who_asked(worker: Worker) -> None:
    dispatch, said = Dispatch(worker), []
    worker.apply(Session())
    worker.start()
    dispatch.ask(lambda _: 1 // 0, said.append, otherwise=lambda: said.append("no answer"))
    dispatch.ask(lambda _: 42, said.append)
    wait_for(lambda: len(said) == 2)
    assert said == ["no answer", 42]


def test_a_dialog_that_is_gone_is_not_answered(worker: Worker) -> None:
    dispatch, said, dialog = Dispatch(worker), [], QObject()
    worker.apply(Session())
    dispatch.ask(lambda _: 1, said.append, shown_in=dialog)
    dispatch.ask(lambda _: 2, said.append, shown_in=worker)
    shiboken6.delete(dialog)
    worker.start()
    wait_for(lambda: bool(said))
    assert said == [2]
