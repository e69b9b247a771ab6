"""The two rasterisers, each under test. A missing graphics context is a failure, never a skip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gpu import gl
from gpu.noise.ownership import Rasteriser, TorchRasteriser
from gpu.noise.ownership_gl import GLRasteriser


@pytest.fixture(scope="module")
def context() -> Iterator[gl.Context]:
    with gl.Context() as made:
        yield made


@pytest.fixture(scope="module", params=["gl", "torch"])
def rasteriser(request: pytest.FixtureRequest, context: gl.Context) -> Iterator[Rasteriser]:
    made: Rasteriser = GLRasteriser(context) if request.param == "gl" else TorchRasteriser()
    yield made
    made.close()
