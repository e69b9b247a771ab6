"""LPIPS, FID and Improved Precision in the window: their folder is remembered, the worker measures, new settings forget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog

from gpu.engine.perceptual import Perceived, Perception
from gpu.engine.results import Flickers, Update
from tests.app.window.conftest import MakeWindow, settle, wait_for
from tests.app.window.fake_engine import FakeEngine


@pytest.mark.slow
def test_weights_are_chosen_and_outputs_measured(
    make_window: MakeWindow, engines: type[FakeEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def perceive(self: FakeEngine, weights: Path | None, reference: Path | None) -> Iterator[Any]:
        given.append((weights, reference))
        yield Update(0, 2, "features")
        return Perception({"integral": Perceived(0.2, 50.0, 0.9, 8)}, 8)

    monkeypatch.setattr(engines, "perceive", perceive, raising=False)
    monkeypatch.setattr(engines, "flicker", lambda self: Flickers({}, None, 0), raising=False)
    monkeypatch.setattr("gpu.metrics.perceptual.weights._places", lambda folder: [folder] if folder else [])
    engines.frames = 4
    window = make_window(plots=True)
    settle(window)
    wait_for(lambda: window.statistics.panel is not None)
    page = window.statistics.panel.outputs
    window.statistics.open_page("outputs")
    wait_for(lambda: len(page._missing) == 3)
    assert "alex.pth" in page._missing["LPIPS"]
    assert not page.perceptual.measure.isEnabled()
    for name in ("pt_inception-2015-12-05-6726825d.pth", "vgg16-397923af.pth"):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    page.perceptual.weights.trigger()
    wait_for(lambda: page._missing["FID"] == "")
    assert page._missing["LPIPS"]
    assert window.user_folder.settings()["weights"] == str(tmp_path)
    page.perceptual.measure.trigger()
    wait_for(lambda: page._perception is not None)
    assert given == [(tmp_path, None)]
    assert page._perception.columns["integral"].fid == 50.0
    session = window.state.session
    window.state.change(replace(session, noise=replace(session.noise, seed=99)), "Seed")
    wait_for(lambda: page._perception is None)
