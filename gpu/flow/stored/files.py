"""Opens files of flow when they are asked for, keeps the last few open, and notices when one was written over."""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gpu.errors import FlowError
from gpu.flow.formats import Array, Contents, endings, format_of
from gpu.flow.stored import layouts
from gpu.unchanged import Unchanged

KEPT = 4


class Files:
    """Contents of files by path."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, Contents] = OrderedDict()
        self._unchanged = Unchanged((), FlowError)
        self._seen: set[Path] = set()

    def contents(self, path: Path) -> Contents:
        """What the file holds; FlowError says what is wrong with it, or that it has changed since it was first opened."""
        if path in self._open:
            self._open.move_to_end(path)
            return self._open[path]
        kind = format_of(path)
        if kind is None:
            raise FlowError(
                f"{path} is not a flow file that is known; expected one of {endings()}, or a folder of such files."
            )
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            raise FlowError(f"{path} is no regular file; expected a flow file, or a folder of such files.")
        if path in self._seen:
            self._unchanged.check(path)
        else:
            self._unchanged.add(path)
            self._seen.add(path)
        while len(self._open) >= KEPT:
            self._open.popitem(last=False)[1].close()
        self._open[path] = kind.open(path)
        return self._open[path]

    def field(self, path: Path, name: str, layout: str, t: int) -> layouts.F32:
        """Field t of an array of that file, as gpu.flow.stored.layouts.field gives it."""
        with said(path):
            array = self.contents(path).arrays[name]
            self._unchanged.check(path)

            def read(start: int, stop: int, axis: int) -> Array:
                return array.read(start, stop, axis)

            out = layouts.field(layout, array.shape, read, t)
            self._unchanged.check(path)  # half of one flow and half of another would look like a flow
            return out

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()


@contextmanager
def said(path: str | os.PathLike[str]) -> Iterator[None]:
    """Faults of the system as sentences that name `path`."""
    try:
        yield
    except OSError as problem:
        raise FlowError(f"The flow {path} cannot be read: {problem.strerror or problem}.") from None
    except MemoryError:
        raise FlowError(f"The flow {path} does not fit into memory.") from None
