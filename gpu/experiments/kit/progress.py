"""Progress of a job that is part of a longer one."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from gpu.engine.results import Update

T = TypeVar("T")


def within(
    steps: Generator[Update, None, T], number: float, total: float, prefix: str = "", weight: float = 1
) -> Generator[Update, None, T]:
    """Pass the updates on of a job of `weight` that begins after `number` of `total`; returns what the job returns. Closing it
    closes the job."""
    try:
        while True:
            try:
                update = next(steps)
            except StopIteration as end:
                result: T = end.value
                return result
            share = weight * update.done / max(update.total, 1)
            yield Update(round(1000 * (number + share)), round(1000 * total), prefix + update.what)
    finally:
        steps.close()
