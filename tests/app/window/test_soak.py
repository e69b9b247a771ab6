"""A few dozen of the random actions that `python -m tests.app.window.soak` does by the thousand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_window_bears_sixty_random_actions(root: Path) -> None:
    command = [sys.executable, "-m", "tests.app.window.soak", "--actions", "60", "--samples", "1", "--no-experiments"]
    done = subprocess.run([*command, "--seed", "5"], cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
