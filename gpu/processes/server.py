"""The other side of a worker: calls the function that it is told, hands it requests from its input, writes what it tells."""

from __future__ import annotations

import importlib
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import IO, Any

from gpu.errors import NoisescopeError
from gpu.leftovers import discard_begun
from gpu.processes import Failed, Message, Told


def main() -> None:
    """One call, whose requests last until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the program, which then ends its workers
    signal.signal(signal.SIGTERM, _told_to_end)
    requests, pipe = _requests(sys.stdin.buffer), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not come between messages
    try:
        target, arguments = next(requests)
        module, _, name = target.partition(":")
        try:
            function = getattr(importlib.import_module(module), name)
            function(requests, lambda value: _write(pipe, Told(value)), *arguments)
        except NoisescopeError as problem:
            _write(pipe, Failed(problem))
        except BrokenPipeError:
            raise
        except Exception as fault:
            if os.environ.get("NOISESCOPE_DEBUG"):
                traceback.print_exc()
            _write(pipe, Failed(RuntimeError(f"{type(fault).__name__}: {fault}")))
    except (BrokenPipeError, StopIteration):
        pass  # nobody waits any more
    # Without taking libraries apart: nothing is left to be done, and torch takes a second for it.
    os._exit(0)


def _told_to_end(number: int, frame: FrameType | None) -> None:
    discard_begun()
    os._exit(128 + number)


def _requests(pipe: IO[bytes]) -> Iterator[Any]:
    while True:
        try:
            yield pickle.load(pipe)
        except EOFError:
            return


def _write(pipe: IO[bytes], message: Message) -> None:
    pickle.dump(message, pipe, pickle.HIGHEST_PROTOCOL)
    pipe.flush()


if __name__ == "__main__":
    main()
