"""The bundled samples open, move, say whose they are, and show every task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gpu.assets import asset
from gpu.diffusion.tasks import TASKS
from gpu.source.deformations import DEFORMATIONS
from gpu.source.gallery import SAMPLES, Sample, installed, needs_model, samples
from gpu.source.opening import open_source
from gpu.source.scenes import SCENES


def test_all_samples_are_installed() -> None:
    assert installed() == list(samples())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.title)
def test_a_sample_opens_and_its_pictures_change(sample: Sample) -> None:
    source = open_source(replace(sample.settings(), height=48, frames=3))
    assert source.frames == 3
    assert (source.frame(0) != source.frame(2)).any()
    assert (sample.kind == "synthetic") == (sample.name in DEFORMATIONS)
    source.close()


def test_every_scene_is_a_sample_by_itself() -> None:
    assert [sample.name for sample in samples() if sample.kind == "scene"] == SCENES.names()


def test_every_task_that_has_its_model_bundled_has_an_example() -> None:
    shown = {sample.task_settings().name for sample in samples()} - {""}
    assert shown == {name for name, task in TASKS.items() if not needs_model(task)}
    assert needs_model(TASKS.get("hub"))


def test_every_asset_is_attributed_and_small(root: Path) -> None:
    text = (root / "assets" / "ATTRIBUTION.md").read_text(encoding="utf-8")
    for sample in SAMPLES:
        assert Path(sample.path).name in text
        assert sample.attribution
    for folder in ("clips", "stills"):
        for file in (root / "assets" / folder).iterdir():
            assert file.name in text
            assert asset(f"{folder}/{file.name}").stat().st_size < 1_000_000
