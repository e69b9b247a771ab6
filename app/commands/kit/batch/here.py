"""Makes the clips of a batch on this machine: workers take one after the other, and one that dies is replaced."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator, Sequence
from pathlib import Path

from app.commands.kit.batch import clip
from app.commands.kit.batch.clip import Event, Failed, Made
from app.commands.kit.batch.manifest import Row
from gpu import leftovers, processes
from gpu.errors import SessionError, SizeError

MOST = 256
WAIT_SECONDS = 0.1
TARGET = f"{clip.__name__}:work"
"""What the workers do."""

TRIES = 2
"""So many workers may die over a clip before it is given up."""

USUAL = (288, 512)
"""Rows and columns to reckon with where a manifest does not say them (gpu.session.MOST_ROWS)."""


def workers(rows: Sequence[Row], asked: int | None) -> int:
    """How many workers make these clips: as many as `asked` for, else one a processor, as far as there are clips and there is
    memory for the largest of them. SessionError, or SizeError for more than there is memory for."""
    from gpu.engine import memory

    if asked is not None and not 1 <= asked <= MOST:
        raise SessionError(f"{asked} workers are asked for, but there can be 1 to {MOST}.")
    room = min(
        memory.processes(*_size(row), row.session.noise, row.session.source.frames or memory.MANY) for row in rows
    )
    if asked is not None and min(asked, len(rows)) > room:
        raise SizeError(f"There is memory for {room} workers on clips of this size, but {asked} are asked for.")
    return min(asked or processes.cores(), len(rows), room)


def _size(row: Row) -> tuple[int, int]:
    source = row.session.source
    return source.height or USUAL[0], source.width or USUAL[1]


def settle(rows: Sequence[Row]) -> None:
    """Have the backend `auto` measured and remembered before workers that measure at once could come to differ."""
    devices = {row.session.noise.device for row in rows if row.session.noise.backend == "auto"}
    if devices:
        from gpu.devices import device
        from gpu.noise.backends import Backend

        for name in devices:
            Backend("auto", device(name)).close()


def run(rows: Sequence[Row], out: Path, count: int) -> Generator[Event | None]:
    """Make the clips of `rows` in the folder `out` by `count` workers: yields what happens, None now and then. Closing it ends
    the workers, and nothing half-written stays. BackendError when no worker can be started."""
    waiting, deaths = deque(rows), Counter[str]()
    at: dict[processes.Worker, Row] = {}
    left = len(rows)
    try:
        with processes.Team(TARGET, (out.absolute(),), count) as team:
            for worker in [*team.workers]:
                _ask(worker, waiting, at)
            while left:
                yield None
                for worker, message in team.messages(WAIT_SECONDS):
                    if isinstance(message, processes.Told):
                        event: Event = message.value
                        if isinstance(event, Made | Failed):
                            left -= 1
                            del at[worker]
                            _ask(worker, waiting, at)
                        yield event
                    elif isinstance(message, processes.Ended):
                        row = at.pop(worker, None)
                        team.dismiss(worker)
                        if row is not None:
                            deaths[row.name] += 1
                            if deaths[row.name] < TRIES:
                                waiting.appendleft(row)
                            else:
                                left -= 1
                                yield Failed(row.name, _died(message.how))
                        if waiting:
                            _ask(team.add(), waiting, at)
    finally:
        leftovers.clear(out)  # of workers that were killed


def _ask(worker: processes.Worker, waiting: deque[Row], at: dict[processes.Worker, Row]) -> None:
    """Give a worker the next clip, or let it end."""
    if waiting:
        at[worker] = waiting.popleft()
        worker.ask(at[worker])
    else:
        worker.no_more()


def _died(how: str) -> str:
    return (
        f"{TRIES} processes that made it ended early (the last one: {how}), as happens when memory runs out; try fewer workers "
        "or a smaller size."
    )
