"""Functions that the tests of workers call in them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gpu.errors import FlowQuestion
from gpu.files import replacing

Tell = Callable[[Any], None]


def double(requests: Iterator[Any], tell: Tell, word: str) -> None:
    """Tells twice every number or array; prints, which must not come between; of words it does what they say."""
    for request in requests:
        print("a library speaks", flush=True)
        if not isinstance(request, str):
            tell((word, request * 2))
            continue
        if request == "question":
            raise FlowQuestion("Which way is it?", "flow_direction", ("backward", "forward"))
        if request == "fault":
            raise KeyError("nobody foresaw this")
        if request == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        tell(os.environ["OMP_NUM_THREADS"] if request == "threads" else request)


def write(requests: Iterator[Any], tell: Tell, path: Path) -> None:
    """Begins a file and never ends it."""
    with replacing(path) as partial:
        partial.write_bytes(b"half")
        tell(partial.name)
        time.sleep(60)
