"""Memory: what is kept from frame to frame has a bound, whatever the number of frames, and the guard reckons right."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gpu.engine import Engine, FrameResult, memory
from gpu.engine.frame_cache import frame_bytes
from gpu.errors import SizeError
from gpu.noise import blocks, fine_field, tracks
from gpu.noise.blocks import Blocks
from gpu.noise.tiling import NoiseGrid, Tiling
from gpu.priors.kit import interpolation, sequence
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings
from gpu.source import motion
from tests.gpu.engine.measure_memory import peak
from tests.gpu.noise.motions import CPU

LITTLE = 200_000


def held() -> int:
    """Bytes of all tensors and arrays that are alive, what two of them share counted once."""
    gc.collect()
    storages = {}
    for thing in gc.get_objects():
        if issubclass(type(thing), torch.Tensor):  # asking the thing itself runs code of whatever it is
            storages[thing.untyped_storage().data_ptr()] = thing.untyped_storage().nbytes()
    return sum(storages.values())


@pytest.mark.slow
@pytest.mark.parametrize("prior", [PriorSettings("integral"), PriorSettings("bilinear", "chained")])
def test_memory_is_flat_in_the_number_of_frames(prior: PriorSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """With bounds that are full after some twenty frames, 240 frames hold no more than 60, but for a hundredth."""
    monkeypatch.setattr(memory, "NOISE_CACHE_BYTES", LITTLE)
    monkeypatch.setattr(tracks, "TRACK_CACHE_BYTES", LITTLE)
    monkeypatch.setattr(blocks, "BLOCK_CACHE_BYTES", LITTLE)
    monkeypatch.setattr(motion, "CACHE_BYTES", LITTLE)
    monkeypatch.setattr(fine_field, "ANCHOR_CACHE_BYTES", LITTLE)
    monkeypatch.setenv("NOISESCOPE_FIELD_MB", "4")
    monkeypatch.setattr(sequence, "BUDGET", LITTLE)
    monkeypatch.setattr(interpolation, "FIELDS", LITTLE)
    source = SourceSettings("synthetic", name="rotation", height=24, width=30, frames=250)
    engine = Engine(Session(source, noise=NoiseSettings(k=2, backend="torch"), priors=(prior,)))
    before = held()
    taken = {}
    for t in range(241):
        engine.noise(prior.key, t)
        if t in (60, 150, 240):
            taken[t] = held() - before
    engine.close()
    assert taken[60] > LITTLE  # something is kept
    # Chains drop every second state when they are full, and so hold between half and all of their bound.
    assert max(taken[150], taken[240]) < 1.5 * taken[60], taken
    assert taken[240] < 8 * LITTLE + (4 << 20), taken


@pytest.mark.slow
def test_the_guard_reckons_with_what_is_taken() -> None:
    """Never with less, and with a fifth more at most, of a process of its own."""
    taken = peak(512, 512, 3, "torch", "npy")
    assert taken <= memory.needed(512, 512, NoiseSettings(backend="torch"), frames=3) <= 1.2 * taken


def test_what_does_not_fit_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOISESCOPE_FIELD_MB", "1000")  # else the field is kept by how much memory there is
    noise = NoiseSettings()
    wanted = memory.needed(1024, 2048, noise)
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": -(-wanted // 4096)}
    monkeypatch.setattr(os, "sysconf", lambda name: pages[name])
    memory.check(1024, 2048, noise)
    pages["SC_PHYS_PAGES"] -= 1
    sentence = f"Frames of 1024 × 2048 pixels need about {wanted / 1e9:.0f} GB of memory; this machine has"
    with pytest.raises(SizeError, match=sentence):
        memory.check(1024, 2048, noise)
    memory.check(1000, 2000, noise)
    with pytest.raises(SizeError):
        Engine(Session(SourceSettings("synthetic", name="rotation", height=1024, width=2048, frames=1000)))
    monkeypatch.delattr(os, "sysconf")
    memory.check(10**6, 10**6, noise)  # a system that does not tell


@pytest.mark.parametrize(("change", "more"), [
    (lambda: memory.needed(2048, 2048, NoiseSettings(), columns=3), 3 * 2 * 17 * 2048 * 2048),
    (lambda: memory.needed(2048, 2048, NoiseSettings(channels=8)), 3 * 16 * 2048 * 2048),
    (lambda: memory.needed(2048, 2048, NoiseSettings(), frames=2), -2048 * 2048 * (17 + 13 + 9 + 2 * 30)),
    (lambda: memory.needed(2048, 2049, NoiseSettings()), 2048 * (217 - 2 + memory.WORK_BYTES)),
    (lambda: memory.needed(2048, 2048, NoiseSettings(backend="torch")), -memory.GL_BYTES),
])  # fmt: skip
def test_more_is_reckoned_with_more(change: Callable[[], int], more: int) -> None:
    assert change() - memory.needed(2048, 2048, NoiseSettings()) == more


def test_a_frame_counts_with_all_of_its_arrays() -> None:
    picture, mask = np.zeros((5, 6, 3), np.uint8), np.zeros((5, 6), bool)
    planes, flow = np.zeros((3, 5, 6), np.float32), np.zeros((5, 6, 2), np.float32)
    assert frame_bytes(FrameResult(0, picture, None, None, None, {}, False)) == 90
    assert frame_bytes(FrameResult(0, picture, planes, flow, mask, {}, False)) == 90 + 360 + 240 + 30


@pytest.mark.parametrize("k", [0, 2])
def test_refined_pixels_are_the_same_whatever_was_kept(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels of three frames asked for in four turns, of which one asks for more than is kept and one for more channels."""
    tiling = Tiling(NoiseGrid(6, 8, CPU), k)
    turns = [torch.tensor(names) for names in ([5, 6, 50], [6, 7, 8, 100, 5], list(range(40, 90)), [5, 6, 143])]

    def values(blocks: Blocks, names: torch.Tensor, channels: int) -> torch.Tensor:
        row, table = blocks.rows(names, channels)
        return table[row, :channels]

    ample = Blocks(7, tiling)
    expected = [values(Blocks(7, tiling), names, 2) for names in turns]
    for names, alone in zip(turns, expected, strict=True):
        assert torch.equal(values(ample, names, 2), alone)
    monkeypatch.setattr(blocks, "BLOCK_CACHE_BYTES", 6 * 4 * 2 * 4**k)
    narrow = Blocks(7, tiling)
    for names, alone in zip(turns, expected, strict=True):
        assert torch.equal(values(narrow, names, 2), alone)
        assert len(narrow._values) <= max(6, len(names))
    assert torch.equal(values(narrow, turns[0], 3)[:, :2], expected[0])
