"""Progress bars on stderr for work that is a generator of Updates; quiet where stderr is not a terminal."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from app import stopping

if TYPE_CHECKING:
    from gpu.engine.results import Update

Result = TypeVar("Result")


def finish(steps: Generator[Update, None, Result], what: str) -> Result:
    """Run the work to its end with a progress bar and return what it returns."""
    with _Bar(what) as bar:
        while True:
            try:
                stopping.check()
                bar.show(next(steps))
            except StopIteration as end:
                result: Result = end.value
                return result
            except BaseException:
                steps.close()  # Ctrl-C included: whatever it was writing is removed
                raise


def shown(steps: Iterable[Update], what: str) -> Iterator[Update]:
    """Pass the updates on, with a progress bar."""
    with _Bar(what) as bar:
        for update in steps:
            stopping.check()
            bar.show(update)
            yield update


class _Bar:
    """A tqdm bar that takes its length from the first update."""

    def __init__(self, what: str) -> None:
        from tqdm import tqdm

        self._what = what
        self._bar = tqdm(disable=None, leave=False, bar_format="{desc} {percentage:3.0f}% |{bar}| {remaining} left")

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, update: Update) -> None:
        self._bar.total = update.total
        self._bar.set_description_str(f"{self._what}: {update.what}", refresh=False)
        self._bar.update(update.done - self._bar.n)
