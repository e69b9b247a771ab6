"""Makes the clips of a batch on a Dask cluster, whose workers have this program and see the folder of results."""

from __future__ import annotations

import logging
import os
import queue
import re
import threading
import time
import uuid
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.commands.kit.batch import clip
from app.commands.kit.batch.clip import Event, Failed, Made, Progress
from app.commands.kit.batch.manifest import Row
from gpu import leftovers
from gpu.errors import BackendError

INSTALL = "pip install 'noisescope[cluster]'"
CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 1.0
WAIT_SECONDS = 0.1
LEAVE_SECONDS = 1.5
"""So long tasks that were cancelled may take to remove what they had begun."""

LOGGERS = ("distributed", "distributed.client", "distributed.utils", "tornado.application")

_alone = threading.Lock()
"""One clip at a time in each process: a worker with several threads would want their memory all at once."""


class Unwanted(Exception):
    """Nobody waits for this clip any more."""


def connect(address: str) -> Any:
    """A client of the scheduler at `address`. BackendError when there is none, or Dask is not installed."""
    try:
        from distributed import Client
    except ModuleNotFoundError as problem:
        if (problem.name or "").partition(".")[0] not in ("distributed", "dask"):
            raise
        raise BackendError(f"--scheduler needs Dask, which is not installed here; `{INSTALL}` installs it.") from None
    if not os.environ.get("NOISESCOPE_DEBUG"):
        for name in LOGGERS:  # they would tell of a scheduler that is gone at length, with tracebacks
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    client: Any = Client.__new__(Client)
    try:
        client.__init__(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as problem:
        client.status = "closed"  # else it would wait for its scheduler once more when it is forgotten
        told = str(problem).partition("\n")[0] or type(problem).__name__
        raise BackendError(f"No Dask scheduler answers at {address}: {told.rstrip('.')}.") from None
    return client


def run(rows: Sequence[Row], out: Path, address: str) -> Generator[Event | None]:
    """Make the clips of `rows` in the folder `out`, which the workers must see under the same name: yields what happens, None
    now and then. Closing it cancels; nothing half-written stays. BackendError when the scheduler cannot be reached any more."""
    client = connect(address)
    topic = f"noisescope-{uuid.uuid4().hex}"
    happened: queue.SimpleQueue[tuple[Row | None, Any]] = queue.SimpleQueue()
    futures: list[Any] = []
    try:
        client.subscribe_topic(topic, lambda event: happened.put((None, event[1])))
        for row in rows:
            future = client.submit(task, row, str(out.absolute()), topic, key=f"{topic}-{row.name}", pure=False)
            futures.append(future)
            future.add_done_callback(lambda done, row=row: happened.put((row, done)))
        left = len(rows)
        while left:
            yield None
            if client.status not in ("running", "connecting"):
                raise BackendError(f"The Dask scheduler at {address} is there no more.")
            with suppress(queue.Empty):
                whose, told = happened.get(timeout=WAIT_SECONDS)
                if whose is not None:
                    left -= 1
                    yield _ended(whose, told, address)
                else:
                    yield Progress(*told)
    except OSError:  # Dask's own errors of a connection that was reset are among these
        raise BackendError(f"The Dask scheduler at {address} is there no more.") from None
    finally:
        with suppress(Exception):  # the scheduler may be gone, and its sentence has been said
            if client.status == "running":
                client.cancel(futures)
        _wait_until_left(rows, out)
        with suppress(Exception):
            client.close(timeout=CLOSE_SECONDS)


def _ended(row: Row, future: Any, address: str) -> Made | Failed:
    if future.status == "finished":
        event: Made | Failed = future.result()
        return event
    if future.status != "error":
        raise BackendError(f"The Dask scheduler at {address} has dropped {row.name}, or is there no more.")
    problem = future.exception()
    if type(problem).__name__ == "KilledWorker":
        return Failed(row.name, "Too many workers of the cluster died over it, as happens when memory runs out.")
    if isinstance(problem, ModuleNotFoundError):
        return Failed(row.name, f"The cluster's workers lack {problem.name}; they need noisescope of this version.")
    return Failed(row.name, f"This is a fault of the program ({type(problem).__name__}: {problem}).")


def task(row: Row, out: str, topic: str) -> Made | Failed:
    """On a worker of the cluster: make a clip, telling how far it is, unless nobody wants it any more."""
    from distributed import get_worker

    worker: Any = get_worker()
    key = worker.get_current_task()

    def told(share: float, what: str) -> None:
        at = worker.state.tasks.get(key)
        if at is None or at.state == "cancelled":  # by whoever asked, or because that program is gone
            raise Unwanted
        worker.log_event(topic, (row.name, share, what))

    while not _alone.acquire(timeout=1.0):
        told(0, "waiting")
    try:
        return clip.make(row, Path(out), told)
    finally:
        _alone.release()


def _wait_until_left(rows: Sequence[Row], out: Path) -> None:
    """Wait until no clip is being written any more, and remove what workers of other machines left that were killed."""
    end = time.monotonic() + LEAVE_SECONDS
    while (begun := _begun(rows, out)) and time.monotonic() < end:
        leftovers.clear(out)
        time.sleep(0.05)
    for path in begun:
        with suppress(OSError):
            leftovers.remove(path)


def _begun(rows: Sequence[Row], out: Path) -> list[Path]:
    """Temporary files of the rows' results. Nobody else writes those: the folder is held."""
    mine = re.compile("|".join(re.escape(_beginning(out / row.name)) for row in rows))
    with suppress(OSError):
        return [path for path in out.iterdir() if mine.match(path.name) and leftovers.FILE.fullmatch(path.name)]
    return []


def _beginning(path: Path) -> str:
    return leftovers.temporary(path).name.partition(".partial-")[0] + ".partial-"
