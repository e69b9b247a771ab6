"""Ctrl-C while a picture of the window is drawn: the worker's thread ends before the process does."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.window import start
from app.worker.worker import Worker
from tests.app.window.fake_engine import FakeEngine, catalogue


@pytest.mark.slow
def test_stopping_a_screenshot_ends_its_worker(
    qapp: object, engines: type[FakeEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(window: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "_worth_a_picture", stop)
    worker = Worker(engines, catalogue)
    with pytest.raises(KeyboardInterrupt):
        start.take_screenshot(tmp_path / "a.png", None, (1280, 800), worker)
    assert not worker.isRunning()
    assert list(tmp_path.iterdir()) == []
