"""Names of files in the order of a sequence, and the notes and refusals of `gpu.sequences`: pure functions of names."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from gpu.errors import ClipError, NoisescopeError

SHOWN = 3  # names or gaps that a note lists

_COPY = re.compile(
    r"(.*[0-9].*?)(?: \([0-9]{1,3}\)| - (?:copy|kopie|copie|copia)(?: \([0-9]{1,3}\))?|[ _-]copy(?: [0-9]{1,3})?)", re.I
)
"""Names that browsers and file managers give a second copy of a numbered file."""

_COMPANION = re.compile(r"[._ -](alpha|depth|flow|gt|labels?|masks?|matte|normals?|seg)$")


class Wanted(NamedTuple):
    """Numbers from `first` to `last`, both included, every `step`-th."""

    first: int
    last: int
    step: int = 1


class Arranged(NamedTuple):
    """Names in order, the number of each (or None), and notes."""

    names: tuple[str, ...]
    numbers: tuple[int | None, ...]
    notes: tuple[str, ...]


def arrange(
    names: Iterable[str],
    what: str = "picture",
    where: str = "the sequence",
    error: type[NoisescopeError] = ClipError,
    strict: bool = True,
    numbers: Mapping[str, tuple[int, ...]] | None = None,
    wanted: Wanted | None = None,
) -> Arranged:
    """`names` of files in order; see `find`. `numbers`: those of each name that count, where a pattern says which.

    >>> arrange(["f_1.png", "f_10.png", "f_2.png", "f_4.png", "cover.png"], where="shots")[:2]
    (('f_1.png', 'f_2.png', 'f_4.png', 'f_10.png'), (1, 2, 4, 10))
    >>> arrange(["f_1.png", "f_2.png", "f_4.png"], where="shots").notes
    ('Frame 3 is missing in shots.',)
    """
    parts = {name: ((), numbers[name]) if numbers else parts_of(name) for name in names}
    order = sorted(parts, key=lambda name: (parts[name][1], name) if numbers else natural_key(name))
    strays: list[str] = []
    if strict:
        copies = _copies(order) if not numbers else []
        order = [name for name in order if name not in copies]
        parts = {name: parts[name] for name in order}
        _refuse_doubles(order, parts, what, where, error)
        strays = [*copies, *_strays(order, parts)]
        apart = set(strays)
        order = [name for name in order if name not in apart]
    number_of, kinds = _numbered(order, parts)
    notes = left_out_note(strays, where)
    if strict and len(kinds) > 1:
        notes.append(
            f"The names in {where} are of {len(kinds)} kinds ({listed(kinds)}); they are read in the order of names."
        )
    if wanted is not None:
        order = _within(wanted, order, number_of, what, where, error)
    told = [number_of[name] for name in order]
    if strict:
        notes += _gap_notes(told, where, wanted)
    return Arranged(tuple(order), tuple(told), tuple(notes))


def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """A key that sorts names with their numbers by value: "2" before "10", and "frame_-1" before "frame_0".

    >>> sorted(["f10.png", "f9.png", "F1.png", "①.png"], key=natural_key)
    ['F1.png', 'f9.png', 'f10.png', '①.png']
    """
    texts, values = parts_of(name)
    mixed: list[str | int] = [texts[0]]
    for text, value in zip(texts[1:], values, strict=True):
        mixed += [value, text]
    return tuple(mixed), name


def shown(path: str | os.PathLike[str]) -> str:
    """`path` as text that any output can take: bytes of a name that are no UTF-8 as \\xNN."""
    return os.fspath(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def left_out_note(names: Sequence[str], where: str) -> list[str]:
    """A sentence that says which files of `where` were left out, in a list; empty where none was."""
    if not names:
        return []
    subject = "1 file was" if len(names) == 1 else f"{len(names)} files were"
    return [f"{subject} left out of {where}: {listed(names)}."]


def parts_of(name: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """What stands between the numbers of a name without its ending, in lower case, and the numbers: one text more."""
    pieces = re.split(r"(\d{1,999})", os.path.splitext(name)[0].lower())
    texts, digits = pieces[::2], pieces[1::2]
    values = []
    for index, run in enumerate(digits):
        before = texts[index]
        negative = before.endswith("-") and (before[:-1].endswith((".", "_")) or (index == 0 and before == "-"))
        if negative:
            texts[index] = before[:-1]
        values.append(-int(run) if negative else int(run))
    return tuple(texts), tuple(values)


_Parts = Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]]


def _series(order: Sequence[str], parts: _Parts) -> dict[tuple[str, ...], list[str]]:
    """Names by what stands between their numbers."""
    series: dict[tuple[str, ...], list[str]] = {}
    for name in order:
        series.setdefault(parts[name][0], []).append(name)
    return series


def _varying(names: Sequence[str], parts: _Parts) -> list[int]:
    """Which numbers of names of one series differ."""
    values = [parts[name][1] for name in names]
    return [place for place in range(len(values[0])) if len({value[place] for value in values}) > 1]


def _counting(names: Sequence[str], parts: _Parts) -> int | None:
    """Which number of names of one series counts: the last that is another in each of them; None where none is."""
    if len(names) == 1:
        return len(parts[names[0]][1]) - 1 if parts[names[0]][1] else None
    for place in reversed(_varying(names, parts)):
        if len({parts[name][1][place] for name in names}) == len(names):
            return place
    return None


def _refuse_doubles(order: Sequence[str], parts: _Parts, what: str, where: str, error: type[NoisescopeError]) -> None:
    """Raise where two files have one number, or one name but for the ending."""
    pairs: list[tuple[str, str]] = []
    same: dict[object, str] = {}
    for name in order:
        key = parts[name][1] or parts[name][0]
        if key in same:
            pairs.append((same[key], name))
        same.setdefault(key, name)
        if not parts[name][1]:
            companion = _COMPANION.sub("", parts[name][0][0])
            if companion != parts[name][0][0] and (companion,) in same:
                pairs.append((same[companion,], name))
    by_number: dict[int, str] = {}
    for names in _series(order, parts).values():
        place = _counting(names, parts)
        if len(names) > 1 and place is not None:
            for name in names:
                pairs += [(by_number[n], name) for n in [parts[name][1][place]] if n in by_number]
            by_number |= {parts[name][1][place]: name for name in names}
        elif len(names) > 3:
            pairs += _side_by_side(names, parts)
    if pairs:
        first, second = (shown(name) for name in pairs[0])
        numbers = parts[pairs[0][1]][1]
        raise error(
            f"{where} holds two {what}s of one {'number' if numbers else 'name'}, {first} and {second}; "
            f"name those that are meant by a pattern, such as {_pattern_for(*pairs[0])}, or move the others away."
        )


def _side_by_side(names: Sequence[str], parts: _Parts) -> list[tuple[str, str]]:
    """Two names of one number where a series is several that run side by side, such as cam1_0001 and cam2_0001.

    That is: two numbers vary, and for each value of one the other counts up without a gap. Dates and times do not.
    """
    varying = _varying(names, parts)
    if len(varying) != 2:
        return []
    for fixed, running in (varying, varying[::-1]):
        groups: dict[int, dict[int, str]] = {}
        for name in names:
            groups.setdefault(parts[name][1][fixed], {})[parts[name][1][running]] = name
        if all(len(group) > 1 and max(group) - min(group) + 1 == len(group) for group in groups.values()):
            first, second = list(groups.values())[:2]
            shared = sorted(first.keys() & second.keys())
            if shared:
                return [(first[shared[0]], second[shared[0]])]
    return []


def _copies(order: Sequence[str]) -> list[str]:
    """Second copies of numbered files that are there as well, `f_2 (1).png` beside `f_2.png`, where two or more others stay."""
    copies = []
    for name in order:
        stem, suffix = os.path.splitext(name)
        match = _COPY.fullmatch(stem)
        if match and match[1] + suffix in order:
            copies.append(name)
    return copies if len(order) - len(copies) > 1 else []


def _strays(order: Sequence[str], parts: _Parts) -> list[str]:
    """Names that do not belong to the others: those without a number among numbered ones, and single ones beside a series."""
    numbered = [name for name in order if parts[name][1]]
    if not numbered:
        return []
    series = _series(numbered, parts)
    longest = max(map(len, series.values()))
    if longest < 2:
        return []
    single = {names[0] for names in series.values() if len(names) == 1} if longest > 2 else set()
    return [name for name in order if not parts[name][1] or name in single]


def _numbered(order: Sequence[str], parts: _Parts) -> tuple[dict[str, int | None], list[str]]:
    """The number of each name, and where several series follow each other one name of each."""
    series = _series(order, parts)
    numbers: dict[str, int | None] = dict.fromkeys(order)
    for names in series.values():
        place = _counting(names, parts)
        if place is not None:
            numbers |= {name: parts[name][1][place] for name in names}
    if len(order) > 1 and all(len(names) == 1 for names in series.values()):
        firsts = [parts[name][1][0] for name in order if parts[name][1]]  # 1-intro, 2-walk, 3-end
        alike = len({parts[name][0][0] for name in order}) == 1 and len(set(firsts)) == len(order)
        return {name: parts[name][1][0] if alike else None for name in order}, []
    return numbers, [names[0] for names in series.values()]


def _within(
    wanted: Wanted,
    order: Sequence[str],
    numbers: Mapping[str, int | None],
    what: str,
    where: str,
    error: type[NoisescopeError],
) -> list[str]:
    there = [number for number in numbers.values() if number is not None]
    if len(there) < len(numbers):
        raise error(f"The {what}s of {where} have no numbers, of which a range could be taken.")
    kept = [name for name in order if (number := numbers[name]) is not None and number in _range(wanted)]
    if not kept:
        raise error(f"No {what} of {where} has such a number; there are numbers from {min(there)} to {max(there)}.")
    return kept


def _range(wanted: Wanted) -> range:
    return range(wanted.first, wanted.last + 1, wanted.step)


def _gap_notes(numbers: Sequence[int | None], where: str, wanted: Wanted | None) -> list[str]:
    """A sentence that says which numbers are missing, in a list.

    Numbers may go in steps. Where no step is common to them, or most numbers are missing, they are times or the like.
    """
    there = [number for number in numbers if number is not None]
    steps = [after - before for before, after in itertools.pairwise(there)]
    if len(there) < len(numbers) or any(step <= 0 for step in steps):
        return []
    step = wanted.step if wanted else 1
    if steps and not wanted:
        step, times = min(Counter(steps).items(), key=lambda entry: (-entry[1], entry[0]))
        counting = 2 * times >= len(steps) or 2 * step * len(there) >= there[-1] - there[0]
        if not counting or (times == 1 and step > 1) or any(other % step for other in steps):
            return []
    gaps = [(a + step, b - step) for a, b in itertools.pairwise(there) if b - a > step]
    if wanted and there[0] > wanted.first:
        gaps.insert(0, (wanted.first, there[0] - step))
    if wanted and there[-1] + step <= wanted.last:
        gaps.append((there[-1] + step, _range(wanted)[-1]))
    if not gaps:
        return []
    several = len(gaps) > 1 or gaps[0][0] < gaps[0][1]
    texts = [str(first) if first >= last else f"{first} to {last}" for first, last in gaps]
    return [f"Frame{'s' if several else ''} {listed(texts)} {'are' if several else 'is'} missing in {where}."]


def listed(items: Sequence[str]) -> str:
    """a, b and c; of many the first few."""
    texts = [shown(item) for item in items]
    if len(texts) > SHOWN + 1:
        texts = [*texts[:SHOWN], f"{len(texts) - SHOWN} more"]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def either(suffixes: Sequence[str]) -> str:
    return suffixes[0] if len(suffixes) == 1 else f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"


def _pattern_for(first: str, second: str) -> str:
    """A pattern that the first of two names fits and the second does not."""
    stem, suffix = os.path.splitext(first)
    if os.path.splitext(second)[1].lower() != suffix.lower():
        return f"*{shown(suffix)}"
    masked = re.sub(r"\d+(?=\D*$)", "%d", stem) + suffix
    other = re.sub(r"\d+(?=\D*$)", "%d", os.path.splitext(second)[0]) + suffix
    return shown(masked if masked != other else first)
