"""The engine: random access, cancelling, changing settings, measures that do not depend on the order of frames."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gpu.engine import SERIES, Engine, FrameResult, Update
from gpu.errors import BackendError, ChoiceError, SessionError, SizeError
from gpu.priors import PRIORS
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings, TaskSettings

SOURCE = SourceSettings("synthetic", name="rotation-zoom", height=40, width=56, frames=9)
NOISE = NoiseSettings(channels=3, backend="torch")
PAIR = (PriorSettings("random"), PriorSettings("integral"))
SMALL = Session(SOURCE, noise=NOISE, priors=PAIR)
TASK = TaskSettings("super-resolution", steps=2)


def finish(engine: Engine, t: int) -> FrameResult:
    """Frame t, computed to its end."""
    last: Update | None = None
    for last in engine.compute(t):
        assert 0 <= last.done <= last.total
    assert last is not None
    assert last.result is not None
    assert last.result.complete
    return last.result


@pytest.mark.slow
@pytest.mark.parametrize("name", PRIORS.names())
def test_frame_alone_equals_frame_of_a_full_run(name: str) -> None:
    session = dataclasses.replace(SMALL, priors=(PriorSettings(name),))
    played = Engine(session)
    frames = [finish(played, t).columns[name].noise for t in range(8)]
    alone = Engine(session)
    assert np.array_equal(finish(alone, 7).columns[name].noise, frames[7])
    assert np.array_equal(alone.noise(name, 3)[0], frames[3])
    played.close()
    alone.close()


def test_columns_stream_in_and_the_last_update_is_complete() -> None:
    engine = Engine(dataclasses.replace(SMALL, task=TASK))
    seen = [
        (len(update.result.columns), sum(column.output is not None for column in update.result.columns.values()))
        for update in engine.compute(1)
        if update.result
    ]
    assert seen[0] == (0, 0)
    assert seen[-1] == (2, 2)
    assert (2, 0) in seen or (2, 1) in seen
    assert engine.computed().tolist() == [False, True] + [False] * 7
    assert list(finish(engine, 1).columns) == ["random", "integral"]
    engine.close()


@pytest.mark.slow
def test_measures_do_not_depend_on_the_order_of_frames() -> None:
    session = dataclasses.replace(SMALL, task=TASK)
    forwards, backwards = Engine(session), Engine(session)
    for t in range(7):
        finish(forwards, t)
    for t in reversed(range(7)):
        finish(backwards, t)
    for key in ("random", "integral"):
        a, b = forwards.series(key), backwards.series(key)
        assert set(a) == set(SERIES)
        for name in SERIES:
            assert np.allclose(a[name], b[name], equal_nan=True, rtol=1e-5), name
        assert np.isfinite(a["warp_error"][1:7]).all()
        assert np.isnan(a["warp_error"][[0, 7, 8]]).all()
        assert np.isfinite(a["warp_error_5"][5:7]).all()
        assert np.isnan(a["warp_error_5"][:5]).all()
    forwards.close()
    backwards.close()


def test_warp_error_is_that_of_the_outputs() -> None:
    """Recomputed from the definition for a motion by whole pixels, where no interpolation is needed."""
    source = SourceSettings(
        "synthetic", name="translation", parameters={"dx": 2.0, "dy": -1.0}, height=24, width=32, frames=3
    )
    engine = Engine(Session(source, noise=NOISE, priors=PAIR, task=TASK))
    before, after = finish(engine, 0).columns["random"], finish(engine, 1).columns["random"]
    assert before.output is not None
    assert after.output is not None
    assert after.quality is not None
    # Right by 2, up by 1: (i, j) of the later frame was at (i + 1, j - 2).
    difference = ((after.output[:, :-1, 2:] - before.output[:, 1:, :-2]) ** 2).mean()
    assert after.quality.warp_error == pytest.approx(difference, rel=1e-4)
    assert after.quality.coverage == pytest.approx(23 * 30 / (24 * 32), abs=1e-6)
    assert after.error is not None
    assert np.nanmean(after.error) == pytest.approx(difference, rel=1e-4)
    engine.close()


def test_cancelling_keeps_what_was_done() -> None:
    engine = Engine(dataclasses.replace(SMALL, task=TASK))
    work = engine.compute(2)
    for update in work:
        if update.result and "random" in update.result.columns:
            break
    work.close()
    kept = engine.cached(2)
    assert kept is not None
    assert "random" in kept.columns
    assert not kept.complete
    assert not engine.computed()[2]
    finish(engine, 2)
    engine.close()


def test_new_settings_keep_what_they_do_not_change() -> None:
    engine = Engine(dataclasses.replace(SMALL, task=TASK))
    noise = finish(engine, 1).columns["integral"].noise
    engine.update(dataclasses.replace(engine.session, priors=(*PAIR, PriorSettings("fixed"))))
    kept = engine.cached(1)
    assert kept is not None
    assert kept.columns["integral"].noise is noise
    assert kept.columns["integral"].output is not None
    assert list(finish(engine, 1).columns) == ["random", "integral", "fixed"]
    engine.update(dataclasses.replace(engine.session, task=TaskSettings()))
    kept = engine.cached(1)
    assert kept is not None
    assert kept.columns["integral"].output is None
    assert np.isnan(engine.series("integral")["sharpness"]).all()
    engine.update(dataclasses.replace(engine.session, noise=dataclasses.replace(NOISE, seed=8)))
    assert engine.cached(1) is None
    assert not np.array_equal(finish(engine, 1).columns["integral"].noise, noise)
    engine.close()


def test_a_refused_change_leaves_the_engine_as_it_was() -> None:
    engine = Engine(SMALL)
    noise = finish(engine, 1).columns["integral"].noise
    for wrong in (
        dataclasses.replace(SMALL, priors=(PriorSettings("no such prior"),)),
        dataclasses.replace(SMALL, priors=(*PAIR, PriorSettings("fixed", mode="chained"))),
        dataclasses.replace(SMALL, task=TaskSettings("no such task")),
        dataclasses.replace(SMALL, source=dataclasses.replace(SOURCE, name="no such deformation")),
    ):
        with pytest.raises((ChoiceError, SessionError)):
            engine.update(wrong)
        assert engine.session == SMALL
        assert np.array_equal(finish(engine, 1).columns["integral"].noise, noise)
    engine.close()


@pytest.mark.slow
def test_the_clip_is_not_decoded_again_for_another_seed_or_prior() -> None:
    engine = Engine(SMALL)
    finish(engine, 1)
    source, motion, backend = engine.source, engine.opened.motion, engine.opened.backend
    engine.update(dataclasses.replace(SMALL, noise=dataclasses.replace(NOISE, seed=8)))
    assert engine.source is source
    assert engine.opened.motion is motion
    assert engine.opened.backend is backend
    engine.update(dataclasses.replace(engine.session, motion=dataclasses.replace(SMALL.motion, estimator="dis")))
    assert engine.source is source
    assert engine.opened.motion is not motion
    engine.update(dataclasses.replace(engine.session, source=dataclasses.replace(SOURCE, frames=4)))
    assert engine.source is not source
    assert finish(engine, 3).complete
    engine.close()


def test_removing_a_column_or_moving_the_view_computes_nothing_anew() -> None:
    engine = Engine(dataclasses.replace(SMALL, task=TASK))
    finish(engine, 1)
    engine.update(dataclasses.replace(engine.session, view={"zoom": 3}))
    assert engine.computed()[1]
    engine.update(dataclasses.replace(engine.session, priors=PAIR[:1]))
    assert engine.computed()[1]
    kept = engine.cached(1)
    assert kept is not None
    assert list(kept.columns) == ["random"]
    engine.close()


@pytest.mark.slow
def test_memory_limit_drops_old_frames_and_keeps_curves() -> None:
    engine = Engine(SMALL, memory_limit=1)
    for t in range(9):
        finish(engine, t)
    assert engine.cached(0) is None
    assert not engine.computed()[0]
    assert np.isfinite(engine.series("random")["variance"]).all()
    engine.close()


def test_slices_show_one_row_over_time() -> None:
    engine = Engine(SMALL)
    for t in (0, 2):
        finish(engine, t)
    found = engine.slice("random", "noise", 10)
    assert found.shape == (9, 56, 3)
    assert np.isnan(found[[1, 3, 8]]).all()
    noise = engine.noise("random", 2)[0]
    assert np.allclose(found[2], np.clip(0.5 + noise[:, 10].T / 6, 0, 1))
    image = engine.cached(2)
    assert image is not None
    assert np.allclose(engine.slice("", "image", 10)[2] * 255, image.image[10])
    engine.close()


def test_gamma_degrades_towards_independent_noise() -> None:
    priors = tuple(PriorSettings("fixed", gamma=gamma) for gamma in (0.0, 0.5, 1.0))
    engine = Engine(Session(SOURCE, noise=NOISE, priors=priors))
    first, second = (engine.noise(prior.key, 1)[0] for prior in priors[:2])
    mixed = [np.corrcoef(engine.noise(p.key, 1)[0].ravel(), engine.noise(p.key, 2)[0].ravel())[0, 1] for p in priors]
    # Half and half leaves a correlation of 1/2; 5 standard errors of 1/sqrt(n).
    assert mixed[0] == pytest.approx(1)
    assert mixed[1] == pytest.approx(0.5, abs=5 / first.size**0.5)
    assert mixed[2] == pytest.approx(0, abs=5 / first.size**0.5)
    assert second.var() == pytest.approx(1, abs=0.1)
    engine.close()


def test_stochastic_samplers_get_their_noise_from_the_prior() -> None:
    """With fixed noise two frames of a still scene get the same output also when noise is injected on the way."""
    still = dataclasses.replace(SOURCE, name="translation", parameters={"dx": 0.0, "dy": 0.0})
    task = TaskSettings("super-resolution", sampler="euler-ancestral", steps=3, churn=1.0)
    engine = Engine(Session(still, noise=NOISE, priors=(PriorSettings("fixed"), PriorSettings("random")), task=task))
    one, two = finish(engine, 0), finish(engine, 1)
    fixed = [frame.columns["fixed"].output for frame in (one, two)]
    random = [frame.columns["random"].output for frame in (one, two)]
    assert fixed[0] is not None
    assert fixed[1] is not None
    assert np.allclose(fixed[0], fixed[1], atol=1e-5)
    assert random[0] is not None
    assert random[1] is not None
    assert np.abs(random[0] - random[1]).mean() > 1e-3
    engine.close()


def test_wrong_requests_are_named() -> None:
    engine = Engine(SMALL)
    with pytest.raises(IndexError):
        next(engine.compute(9))
    with pytest.raises(SessionError, match="no column 'fixed'"):
        engine.noise("fixed", 0)
    engine.close()
    with pytest.raises((SessionError, ChoiceError), match="chained"):
        Engine(dataclasses.replace(SMALL, priors=(PriorSettings("integral", mode="chained"),)))
    with pytest.raises(SizeError, match="Choose a smaller size"):
        Engine(dataclasses.replace(SMALL, source=dataclasses.replace(SOURCE, height=16384, width=16384)))
    with pytest.raises(BackendError, match="no-such-device"):
        Engine(dataclasses.replace(SMALL, noise=dataclasses.replace(NOISE, device="no-such-device")))


@pytest.mark.slow
def test_a_graphics_device_that_vanishes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` goes on with torch and says so; `gl` says what happened. Nothing that was computed is lost."""
    from gpu.noise.ownership_gl import GLRasteriser

    auto = Engine(dataclasses.replace(SMALL, noise=dataclasses.replace(NOISE, backend="gl")))
    before = finish(auto, 1).columns["integral"].noise

    def lost(*_: object) -> None:
        raise BackendError("GL_CONTEXT_LOST")

    monkeypatch.setattr(GLRasteriser, "own", lost)
    monkeypatch.setattr(GLRasteriser, "walk", lost)
    with pytest.raises(BackendError, match="stopped working"):
        finish(auto, 4)
    kept = auto.cached(1)
    assert kept is not None
    assert np.array_equal(kept.columns["integral"].noise, before)
    auto.opened.backend._wanted = "auto"
    assert finish(auto, 4).complete
    assert "goes on without it" in auto.opened.backend.note
    auto.close()


@pytest.mark.slow
def test_both_backends_show_the_same_measures() -> None:
    found = {}
    for backend in ("gl", "torch"):
        engine = Engine(dataclasses.replace(SMALL, noise=dataclasses.replace(NOISE, backend=backend)))
        found[backend] = finish(engine, 3).columns["integral"]
        engine.close()
    assert found["gl"].whiteness.variance == pytest.approx(found["torch"].whiteness.variance, abs=1e-3)
    assert found["gl"].coherence is not None
    assert found["torch"].coherence is not None
    assert found["gl"].coherence.previous == pytest.approx(found["torch"].coherence.previous, abs=1e-3)


@pytest.mark.slow
def test_flicker_of_the_longest_run_of_outputs() -> None:
    session = dataclasses.replace(SMALL, task=TASK)
    engine = Engine(session)
    for t in (0, 2, 3, 4, 8):
        finish(engine, t)
    assert engine.flicker().columns == {}
    assert engine.flicker().frames == 3
    for t in (5, 6):
        finish(engine, t)
    found = engine.flicker()
    assert list(found.columns) == ["random", "integral"]
    assert (found.columns["random"].start, found.columns["random"].frames) == (2, 5)
    assert found.truth is not None
    # Random noise makes another picture in every frame; along the motion, carried noise and the truth change less.
    mean = {key: float(np.mean(one.along)) for key, one in {**found.columns, "truth": found.truth}.items()}
    assert mean["truth"] < mean["integral"] < mean["random"]
    engine.close()
