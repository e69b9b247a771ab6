"""What workers of a batch do in tests, in place of making clips."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.commands.kit.batch.clip import Failed, Made, Progress
from app.commands.kit.batch.manifest import Row
from app.commands.kit.batch.state import Result


def sudden(requests: Iterator[Row], tell: Callable[[Any], None], out: Path) -> None:
    """Rows whose names begin with "dead" kill the worker, those with "shaky" the first one that they meet."""
    for row in requests:
        tell(Progress(row.name, 0.5, "half of it"))
        met = out / f"{row.name}.met"
        if row.name.startswith("dead") or (row.name.startswith("shaky") and not met.exists()):
            met.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        tell(Failed(row.name, "No.") if row.name.startswith("bad") else Made(row.name, Result(frames=os.getpid())))
