"""The other side of a decoder's process: reads calls from standard input, makes them, writes what they give."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from gpu.errors import NoisescopeError

Result = tuple[Any, Sequence[npt.NDArray[Any]]]
"""What a function gives that is called here: something that JSON can hold, and arrays."""


def main() -> None:
    """Answers until standard input ends, which it does when the program that asks is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the program; it closes our input
    calls, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print must not come between answers
    for module in sys.argv[1:]:
        with suppress(ImportError):  # said by the call that needs it
            importlib.import_module(module)
    _write(answers, {"value": None, "arrays": []}, ())
    for line in calls:
        call = json.loads(line)
        try:
            with _limited(call["memory"]):
                value, arrays = _function(call["function"])(**call["arguments"])
            # Written outside the limit: bytes that are here already are sent.
            blocks = [np.ascontiguousarray(array) for array in arrays]
            header = {"value": value, "arrays": [[list(block.shape), block.dtype.str] for block in blocks]}
            _write(answers, header, blocks)
        except NoisescopeError as problem:
            _write(answers, {"error": type(problem).__name__, "text": str(problem)}, ())
        except BrokenPipeError:
            return
        except MemoryError:
            _write(answers, {"error": "ClipError", "text": "more memory would be needed than a decoder may have"}, ())
        except Exception as problem:  # whatever a library raises over a broken file
            said = f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__
            _write(answers, {"error": "ClipError", "text": f"it is damaged ({said[:300]})"}, ())


def echo(text: str, shape: list[int]) -> Result:
    """`text` and an array of that shape: whether the process works."""
    return text, [np.zeros(shape, np.uint8)]


def _function(name: str) -> Any:
    module, _, attribute = name.partition(":")
    if not module.startswith("gpu.decoders."):
        raise ValueError(f"{name} is no decoder")
    return getattr(importlib.import_module(module), attribute)


def _write(pipe: IO[bytes], header: dict[str, Any], blocks: Sequence[npt.NDArray[Any]]) -> None:
    _send(pipe, json.dumps(header).encode("ascii") + b"\n")
    for block in blocks:
        if block.size:
            _send(pipe, block.reshape(-1).view(np.uint8).data)


def _send(pipe: IO[bytes], data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[pipe.write(view) :]


class _limited:
    """Within the block the process may have `memory` bytes more than it has now, where the system can see to it (Linux)."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._before: tuple[int, int] | None = None

    def __enter__(self) -> None:
        with suppress(ImportError, OSError, ValueError):
            import resource

            with open("/proc/self/statm", encoding="ascii") as file:
                pages = int(file.read().split()[0])
            self._before = resource.getrlimit(resource.RLIMIT_AS)
            most = pages * resource.getpagesize() + self._memory
            hard = self._before[1]
            if hard != resource.RLIM_INFINITY:
                most = min(most, hard)
            resource.setrlimit(resource.RLIMIT_AS, (most, hard))

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            import resource

            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_AS, self._before)


if __name__ == "__main__":
    main()
