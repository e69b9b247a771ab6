"""The files that a comparison is made of, so that no output takes the place of one of them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from gpu import sequences
from gpu.decoders.formats import SUFFIXES
from gpu.errors import NoisescopeError, OutputError
from gpu.sequences import shown
from gpu.session import Session

MOST = 100_000  # files of a folder that are looked at


def check_outputs(session: Session | None, outputs: Iterable[Path], others: Iterable[Path | None] = ()) -> None:
    """OutputError when one of the files `outputs`, which are about to be written, is one that is read: a file of the session's
    source or model, also by another name (a link), or one of `others`, files or folders that are read besides."""
    there = {}
    for path in outputs:
        with suppress(OSError, ValueError):
            status = os.stat(path)
            there[status.st_dev, status.st_ino] = path
    if not there:
        return
    read = [_of_session(session)] if session is not None else []
    for path in itertools.chain(*read, *(_files(path) for path in others if path is not None)):
        with suppress(OSError, ValueError):
            status = os.stat(path)
            if (status.st_dev, status.st_ino) in there:
                output = shown(there[status.st_dev, status.st_ino])
                same = "is read as input" if output == shown(path) else f"is the same file as the input {shown(path)}"
                raise OutputError(f"The output {output} {same}, and would be lost; name another place.")


def _of_session(session: Session) -> Iterator[Path]:
    source = session.source
    for text in (source.path, source.flow_path, source.forward_path, str(session.task.parameters.get("path", ""))):
        if text:
            yield from _files(Path(text))
    if source.kind == "images" and source.path:
        with suppress(NoisescopeError):
            yield from sequences.find(source.path, SUFFIXES, strict=False).files
    for text in (source.flow_path, source.forward_path):
        if text:
            from gpu.flow.stored.places import find, partner

            with suppress(NoisescopeError, OSError, ValueError):
                other = partner(Path(text))  # the other component
                yield from _files(other) if other is not None else ()
                if sequences.is_pattern(text):
                    yield from (place.path for place in find(Path(text))[0])


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or all files in the folder and in those in it."""
    with suppress(OSError, ValueError):
        if path.is_dir():
            yield from itertools.islice((item for item in path.rglob("*") if not item.is_dir()), MOST)
        else:
            yield path
