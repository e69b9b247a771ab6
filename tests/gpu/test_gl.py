"""Several OpenGL contexts on one thread: every call reaches the one that it is meant for."""

from __future__ import annotations

import threading

import pytest
import torch

from gpu import gl
from gpu.noise import ownership_gl, rng
from gpu.noise.ownership_gl import GLRasteriser


def right(context: gl.Context) -> bool:
    """Whether the context computes what the processor does."""
    drawn = ownership_gl.words(context, 5, -2, 3, 8, 16)
    return torch.equal(drawn, rng.words(5, -2, 3, 8, 16, torch.device("cpu")))


def test_a_context_works_on_after_another_was_made_used_and_closed() -> None:
    """As when the backend is changed from automatic to OpenGL: the new one is opened before the old one is released."""
    first = gl.Context()
    rasteriser = GLRasteriser(first)
    assert right(first)
    with gl.Context() as second:
        kept = GLRasteriser(second)
        assert right(second)
        assert right(first)
        rasteriser.close()
        first.close()
        assert right(second)
        second.check()
        kept.close()


def test_a_context_belongs_to_its_thread() -> None:
    problems: list[BaseException] = []

    def use(context: gl.Context) -> None:
        try:
            context.use()
        except RuntimeError as problem:
            problems.append(problem)

    with gl.Context() as context:
        other = threading.Thread(target=use, args=(context,))
        other.start()
        other.join()
        context.use()
    assert [str(problem) for problem in problems] == ["an OpenGL context was used outside the thread that made it"]


@pytest.mark.slow
def test_an_engine_goes_from_the_automatic_backend_to_opengl_and_back() -> None:
    from dataclasses import replace

    from gpu.engine import Engine
    from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings

    source = SourceSettings("synthetic", name="translation", height=24, frames=2, parameters={"dx": 2.0})
    session = Session(source, noise=NoiseSettings(k=2, backend="torch"), priors=(PriorSettings("integral"),))
    engine = Engine(session)
    expected, _ = engine.noise("integral", 1)
    for backend in ("auto", "gl", "auto", "gl", "torch"):
        engine.update(replace(session, noise=replace(session.noise, backend=backend)))
        noise, _ = engine.noise("integral", 1)
        assert abs(noise - expected).max() < 1e-3, backend
    engine.close()
