"""A window on a fake engine, off screen, with its memory in a temporary folder."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from app.model.samples import start_session
from app.model.user_folder import UserFolder
from app.window import start
from app.window.main_window import Window
from app.worker.worker import Worker
from gpu.session import Session
from tests.app.window.fake_engine import FakeEngine, catalogue

MakeWindow = Callable[..., Window]


@pytest.fixture
def engines() -> type[FakeEngine]:
    """A fresh class of engine, so that tests can slow it down and count without touching each other."""

    class Engine(FakeEngine):
        made = 0
        threads: set[str] = set()  # noqa: RUF012
        instances: list[FakeEngine] = []  # noqa: RUF012

        def __init__(self, session: Session) -> None:
            super().__init__(session)
            self.instances.append(self)

    return Engine


@pytest.fixture
def make_window(qapp: object, engines: type[FakeEngine], tmp_path: Path) -> Iterator[MakeWindow]:
    start.application()
    made: list[weakref.ref[Window]] = []  # what a test has let go of is not kept for it

    def make(session: Session | None = None, run: bool = True, plots: bool = False) -> Window:
        store = UserFolder(tmp_path / "state")
        if not plots:  # drawing them for every frame would take most of the time of these tests
            store.set(panel_statistics=False, panel_timeline=False)
        window = Window(session or start_session(), Worker(engines, catalogue), store)
        made.append(weakref.ref(window))
        window.resize(1280, 800)
        window.show()
        if run:
            window.worker.start()
        return window

    yield make
    for reference in made:
        window = reference()
        if window is not None and shiboken6.isValid(window):
            window.close()
    QApplication.processEvents()
    delete_closed()  # else every later change of the theme would polish them again


@pytest.fixture
def window(make_window: MakeWindow, engines: type[FakeEngine]) -> Window:
    """A window whose frames are all computed."""
    engines.frames = 8
    window = make_window()
    settle(window)
    return window


def delete_closed() -> None:
    """Delete what was closed, as the program's event loop does."""
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def settle(window: Window, seconds: float = 90.0) -> None:
    """Wait until every frame of the newest settings is computed and nothing is left to do."""
    wait_for(lambda: window.info is not None and idle(window), seconds)


def idle(window: Window) -> bool:
    engine = window.worker._engine
    return (
        not window._apply.isActive()
        and window.frames.opened == window.worker.number
        and engine is not None
        and bool(engine.computed().all())
        and window.result is not None
        and window.result.t == window.state.view.frame
        and window.result.complete
        and not window.frames.numbers.isActive()
    )


def wait_for(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    """Run the event loop until `condition` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        QApplication.processEvents()
        time.sleep(0.005)
    QApplication.processEvents()
