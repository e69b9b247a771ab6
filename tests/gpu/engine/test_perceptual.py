"""Perceptual measures of an engine's outputs: what is there is measured, what is missing is said, and it can be cancelled."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gpu.cv import cv2
from gpu.engine import Engine
from gpu.engine.perceptual import Perception
from gpu.metrics.perceptual import inception, weights
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings, TaskSettings

SESSION = Session(
    SourceSettings("synthetic", name="rotation-zoom", height=64, width=72, frames=5),
    noise=NoiseSettings(channels=3, backend="torch"),
    priors=(PriorSettings("random"), PriorSettings("fixed")),
    task=TaskSettings("super-resolution", steps=2),
)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Engine]:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "nothing"))
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    made = Engine(SESSION)
    for _ in made.fill(range(3)):
        pass
    yield made
    made.close()


def finish(engine: Engine, folder: Path | None, reference: Path | None = None) -> tuple[Perception, int]:
    """The result and the number of updates."""
    steps, count = engine.perceive(folder, reference), 0
    while True:
        try:
            update = next(steps)
            assert update.done < update.total
            count += 1
        except StopIteration as end:
            return end.value, count


def fake_inception(state: object, pictures: torch.Tensor) -> torch.Tensor:
    """Features that are cheap and know one picture from another: means of rows and columns of a small copy."""
    small = torch.nn.functional.interpolate(pictures, size=(6, 6), mode="area").mean(dim=1)
    return torch.cat([small.mean(dim=1), small.mean(dim=2)], dim=1)


def test_without_weights_everything_is_said_and_nothing_measured(engine: Engine, tmp_path: Path) -> None:
    found, _ = finish(engine, tmp_path)
    assert all(
        math.isnan(one.lpips) and math.isnan(one.fid) and math.isnan(one.precision) for one in found.columns.values()
    )
    assert [note.split(" needs")[0] for note in found.notes] == ["LPIPS", "FID", "Improved Precision"]
    assert all(".pth" in note for note in found.notes)


def test_frames_at_hand_are_measured_against_true_frames_or_a_folder(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inception, "features", fake_inception)
    torch.save({"any": torch.ones(1)}, tmp_path / weights.INCEPTION.name)
    published = weights.INCEPTION.digest
    object.__setattr__(weights.INCEPTION, "digest", "")
    try:
        against_truth, updates = finish(engine, tmp_path)
        assert updates == 3 + 2 * 3  # 3 real pictures, 3 frames of 2 columns
        assert against_truth.real == 3
        assert {one.n for one in against_truth.columns.values()} == {3}
        assert all(one.fid > 0 for one in against_truth.columns.values())
        assert any("biased" in note for note in against_truth.notes)
        assert all(math.isnan(one.lpips) for one in against_truth.columns.values())

        folder = tmp_path / "real"
        folder.mkdir()
        for number in range(4):  # flat grey: further from any output than its true frame
            cv2.imwrite(str(folder / f"{number}.png"), np.full((20, 30, 3), 250 - number, np.uint8))
        against_grey, _ = finish(engine, tmp_path, folder)
        assert against_grey.real == 4
        for key, one in against_grey.columns.items():
            assert one.fid > against_truth.columns[key].fid
    finally:
        object.__setattr__(weights.INCEPTION, "digest", published)
        weights._load.cache_clear()


def test_a_task_without_truth_says_that_real_pictures_are_needed(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inception, "features", fake_inception)
    torch.save({"any": torch.ones(1)}, tmp_path / weights.INCEPTION.name)
    published = weights.INCEPTION.digest
    object.__setattr__(weights.INCEPTION, "digest", "")
    try:
        engine.update(dataclasses.replace(SESSION, task=TaskSettings("unconditional-texture", steps=2)))
        for _ in engine.compute(0):
            pass
        found, _ = finish(engine, tmp_path)
        assert found.real == 0
        assert any("need real pictures" in note for note in found.notes)
    finally:
        object.__setattr__(weights.INCEPTION, "digest", published)
        weights._load.cache_clear()


def test_closing_cancels(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(
        inception, "features", lambda state, pictures: seen.append(1) or fake_inception(state, pictures)
    )
    monkeypatch.setattr(weights, "missing", lambda needed, folder=None: "" if weights.INCEPTION in needed else "absent")
    monkeypatch.setattr(weights, "load", lambda *_: {})
    steps = engine.perceive(tmp_path)
    next(steps)
    next(steps)
    steps.close()
    assert len(seen) == 1
