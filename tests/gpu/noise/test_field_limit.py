"""How much memory fine fields are kept in: who says it, and that it decides nothing but that."""

from __future__ import annotations

import os

import pytest
import torch

from gpu import compiled
from gpu.noise import field_limit, prefix_sums, summed_field
from gpu.noise.ownership import TorchRasteriser
from tests.gpu.noise import motions
from tests.gpu.noise.motions import carrier

SIZE = (40, 52)


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(field_limit.VARIABLE, "7")  # so that what a test tells is undone
    field_limit.tell(None)


def test_it_is_an_eighth_of_the_memory_unless_somebody_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1 << 20}  # 4 GiB
    monkeypatch.setattr(os, "sysconf", lambda name: pages[name])
    assert (field_limit.limit(), field_limit.told()) == (512 << 20, None)
    pages["SC_PHYS_PAGES"] <<= 4
    assert field_limit.limit() == field_limit.usual() == 1200 << 20
    field_limit.tell(3)
    assert (field_limit.limit(), field_limit.told()) == (3 << 20, 3)
    assert field_limit.usual() == 1200 << 20
    with field_limit.limited(5):
        assert field_limit.limit() == 5 << 20
        with field_limit.limited(None):
            assert field_limit.limit() == 5 << 20
    assert field_limit.limit() == 3 << 20
    monkeypatch.delattr(os, "sysconf")
    field_limit.tell(None)
    assert field_limit.limit() == 1200 << 20


@pytest.mark.parametrize("text", ["", "much", "-5", "1.5", "1e3", "9" * 5000])
def test_what_is_no_number_of_megabytes_says_nothing(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(field_limit.VARIABLE, text)
    assert field_limit.told() is None
    assert field_limit.limit() == field_limit.usual()


@pytest.mark.slow
@pytest.mark.parametrize("numba", [True, False])
def test_a_limit_that_changes_on_the_way_changes_no_value(numba: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roomy, then too small for the field of any anchor, then roomy again; what is kept follows at once."""
    monkeypatch.setattr(compiled, "available", lambda: numba)
    for module in (prefix_sums, summed_field):
        monkeypatch.setattr(module, "PART_BYTES", 1 << 17)
    expected = carrier(motions.translation(SIZE, 1.3, -0.7), TorchRasteriser())
    changing = carrier(motions.translation(SIZE, 1.3, -0.7), TorchRasteriser())
    kept = []
    for t, megabytes in ((1, 1000), (2, 1), (3, 1), (4, 1000)):
        wanted = expected.integral(t, 6)
        field_limit.tell(megabytes)
        noise, state = changing.integral(t, 6)
        field_limit.tell(None)
        assert torch.equal(noise, wanted[0])
        assert torch.equal(state, wanted[1])
        kept.append(changing.field_bytes)
        assert kept[-1] <= megabytes << 20
    assert kept[0] > 1 << 20
    assert kept[3] > 1 << 20
    assert kept[2] > 0  # as many parts as there is room for
