"""`python -m app` is the command line `noisescope`: all of it, from the first import on, ends in a sentence after Ctrl-C."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes as long to import as all else that is needed here
    from typing import NoReturn

STOPPED = 130  # as shells count


def _stopped() -> NoReturn:
    """Until app.stopping listens, Python raises KeyboardInterrupt wherever it is; nothing is begun by then."""
    os.write(2, b"noisescope: Stopped. Nothing was left half-written.\n")
    os._exit(STOPPED)


try:
    from app.cli import main
except KeyboardInterrupt:
    _stopped()


def run() -> int:
    """The exit code of the command line of this process."""
    try:
        return main()
    except KeyboardInterrupt:
        _stopped()


if __name__ == "__main__":
    sys.exit(run())
