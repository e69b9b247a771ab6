"""For all tests: no screen, one thread, a fixed seed, folders of their own, and a virtual display on request.

`pytest` leaves out what is marked `slow`, `pytest --all` runs everything; a slow test that is named (`FILE::TEST`), or asked
for with -m, runs as well. Under pytest-xdist every process has its own folders and, where it needs one, its own display.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Before torch, OpenCV or Qt is imported: they read these once.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
_home = tempfile.mkdtemp(prefix="noisescope-tests-")
for _name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
    os.environ[_name] = f"{_home}/{_name.lower()}"
os.environ.setdefault("XDG_RUNTIME_DIR", _home)  # Qt complains without one

import numpy as np  # noqa: E402
import pytest  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run the tests marked slow as well, as .ci/run does")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the slow tests, unless they were asked for."""
    named = any("::" in argument for argument in config.args)
    if config.getoption("--all") or "slow" in config.getoption("markexpr") or named:
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep hypothesis' plugin from importing all of hypothesis, for half a second, where no test has used it."""
    plugin = session.config.pluginmanager.get_plugin("hypothesispytest")
    if plugin is not None and "hypothesis" not in sys.modules:
        session.config.pluginmanager.unregister(plugin)


def pytest_unconfigure() -> None:
    shutil.rmtree(_home, ignore_errors=True)


@pytest.fixture(autouse=True)
def _fixed_seed() -> None:
    """The same random numbers in every run, whichever tests run before."""
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        torch.manual_seed(0)
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """An X display of its own, as in ":99", for tests that drive the real window in another process.

    A machine without Xvfb fails these tests rather than skipping them: `.ci/setup dev` installs it.
    """
    if shutil.which("Xvfb") is None:
        pytest.fail("Xvfb is not installed; run: bash .ci/setup dev")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as file:
            number = file.readline().strip()
        if not number:
            pytest.fail("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(timeout=10)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).resolve().parents[1]
