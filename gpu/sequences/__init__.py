"""The one rule for files that form a sequence: pictures, fields of flow, frames of noise.

A sequence is named in one of four ways, here for pictures:

- a folder: all of its pictures, in natural order (2 before 10);
- a numbered file: it, and those of the same name with higher numbers;
- a pattern in the last part of the path: `shot_%04d.png` (four digits, filled up with zeros; `%d`: any digits),
  `shot_####.png` (the same), `shot_*.png` (`*` is any text, `?` any letter) or `shot_[10-40].png` (a number from 10 to 40);
- any of these with a range of numbers after it, `shot_%04d.png:10-40`, `folder:10-40`, `:10-40x2` for every second.

A file or folder of that very name goes before a pattern. Digits are what `int` reads: `①` is a letter. A minus is a sign at the
start of a name, or after a dot or an underscore.

Numbers that are missing are said in a note, and the sequence goes on: they were left out on purpose, or the person wants to
know. What is hidden or of another kind is left out and said. Two files of one number (a PNG beside its JPEG, a mask beside its
frame) are refused with both names, because nothing says which is meant.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gpu.errors import ClipError, NoisescopeError
from gpu.files import check_regular
from gpu.sequences.order import Arranged as Arranged
from gpu.sequences.order import Wanted, either, left_out_note, listed, parts_of
from gpu.sequences.order import arrange as arrange
from gpu.sequences.order import natural_key as natural_key
from gpu.sequences.order import shown as shown
from gpu.sequences.pattern import FIELD, Pattern

SYSTEM_FILES = ("thumbs.db", "ehthumbs.db", "desktop.ini")

_RANGE = re.compile(r"(.*):(-?\d{1,9})-(-?\d{1,9})(?:x(\d{1,9}))?", re.DOTALL | re.ASCII)


@dataclass(frozen=True)
class Found:
    """Files in order; the number of each, None where its name has none; and notes, each a sentence."""

    files: tuple[Path, ...]
    numbers: tuple[int | None, ...]
    notes: tuple[str, ...]


class Listing(NamedTuple):
    """What a path names before it is put in order: names of files in `folder`, and of what was left out there.

    `numbers` are those that the number fields of a pattern stand for; empty where the names have to tell.
    """

    folder: Path
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    numbers: Mapping[str, tuple[int, ...]]
    wanted: Wanted | None


def find(
    path: str | os.PathLike[str],
    suffixes: Sequence[str],
    what: str = "picture",
    error: type[NoisescopeError] = ClipError,
    strict: bool = True,
) -> Found:
    """The files that `path` names, by the rule above, in order.

    `suffixes` (lower case) are the endings of a `what`. Not `strict`: files are a heap rather than a sequence, so that none is
    left out for its name and several may have one number. `error` is raised when there are none, and when two have one number.
    """
    listing = list_files(path, suffixes, what, error)
    arranged = arrange(listing.names, what, shown(path), error, strict, listing.numbers, listing.wanted)
    return Found(
        tuple(listing.folder / name for name in arranged.names),
        arranged.numbers,
        (*left_out_note(listing.left_out, shown(path)), *arranged.notes),
    )


def is_pattern(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is no file or folder, but names files by a pattern or a range of numbers.

    >>> is_pattern("shots/frame_%04d.png"), is_pattern("shots:10-40"), is_pattern("frame.png")
    (True, True, False)
    """
    text = os.fspath(path)
    if _exists(text):
        return False
    return bool(_RANGE.fullmatch(text) or FIELD.search(os.path.basename(text)))


def list_files(
    path: str | os.PathLike[str],
    suffixes: Sequence[str],
    what: str = "picture",
    error: type[NoisescopeError] = ClipError,
) -> Listing:
    """The files that `path` names, not in order yet. For a caller that parts them first, as flow of two directions."""
    text, wanted = os.fspath(path), None
    ranged = _RANGE.fullmatch(text)
    if ranged and not _exists(text):
        text, wanted = ranged[1], Wanted(int(ranged[2]), int(ranged[3]), int(ranged[4] or 1))
        if wanted.last < wanted.first or wanted.step < 1:
            raise error(f"The range of numbers of {shown(path)} is empty; FIRST-LAST or FIRST-LASTxSTEP was expected.")
    try:
        if os.path.isdir(text):
            names, left_out = _sorted_out(text, suffixes, None)
            if not names:
                raise error(f"The folder {shown(text)} holds no {what}s; expected files ending in {either(suffixes)}.")
            return Listing(Path(text), names, left_out, {}, wanted)
        folder, name = os.path.split(text)
        if os.path.isfile(text):
            names, _ = _sorted_out(folder or ".", (os.path.splitext(name)[1].lower(),), None)
            names, numbers = _from(name, {*names, name})
            return Listing(Path(folder), names, (), numbers, wanted)
        check_regular(text, f"a {what}, or a folder of them", error)
        if not FIELD.search(name):
            raise error(f"There is no folder or {what} {shown(text)}.")
        if not os.path.isdir(folder or "."):
            raise error(f"There is no folder {shown(folder)} for the {what}s {shown(name)}.")
        pattern = Pattern(name, what, error)
        names, left_out = _sorted_out(folder or ".", suffixes, pattern)
    except (OSError, ValueError) as problem:
        said = problem.strerror if isinstance(problem, OSError) else ""
        raise error(f"{shown(path)} cannot be read: {said or problem}.") from None
    if not names:
        raise error(
            f"No {what} in {shown(folder or '.')} has a name like {shown(name)}{_other(folder or '.', suffixes)}."
        )
    if wanted is None and len(pattern.fields) == 1 and (meant := pattern.fields[0][1]):
        wanted = Wanted(meant[0], meant[-1])
    return Listing(Path(folder), names, left_out, pattern.numbers if pattern.fields else {}, wanted)


def _from(name: str, names: set[str]) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]]]:
    """Of `names` those that continue the numbered file `name`, itself included, and the number of each."""
    texts, values = parts_of(name)
    alike = {other: there for other in names for kind, there in [parts_of(other)] if kind == texts}
    best: dict[str, tuple[int, ...]] = {name: ()}
    for place in range(len(values)):
        others: dict[str, tuple[int, ...]] = {
            other: (there[place],)
            for other, there in alike.items()
            if there[:place] + there[place + 1 :] == values[:place] + values[place + 1 :]
        }
        if len(others) >= len(best):
            best = others
    if len(best) == 1 and len(alike) > 1:  # forward_1_2, forward_2_3: all numbers go up
        best = alike
    start = best[name]
    kept = {other: there for other, there in best.items() if there >= start}
    return tuple(kept), kept if start else {}


def _sorted_out(
    folder: str, suffixes: Sequence[str], pattern: Pattern | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the files in `folder` that end in one of `suffixes` and fit `pattern`; and of what else lies there (fits it)."""
    names: list[str] = []
    left_out: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if pattern is not None and not pattern.fits(name):
                continue
            usable = os.path.splitext(name)[1].lower() in suffixes and name.lower() not in SYSTEM_FILES
            (names if usable and not name.startswith(".") and entry.is_file() else left_out).append(name)
    return tuple(sorted(names, key=natural_key)), tuple(sorted(left_out, key=natural_key))


def _other(folder: str, suffixes: Sequence[str]) -> str:
    """What lies there instead, to be added to a sentence."""
    names, _ = _sorted_out(folder, suffixes, None)
    return f"; there is {listed(names)}" if names else ""


def _exists(text: str) -> bool:
    try:
        return os.path.lexists(text)
    except ValueError:  # a null character
        return False
