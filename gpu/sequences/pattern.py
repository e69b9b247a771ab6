"""Patterns of names: `shot_%04d.png`, `shot_####.png`, `shot_*.png`, `shot_[10-40].png`; see `gpu.sequences`."""

from __future__ import annotations

import re

from gpu.errors import NoisescopeError
from gpu.sequences.order import shown

MOST_STARS = 3  # of a pattern: the time that matching takes grows with their power

FIELD = re.compile(r"%0?(\d{0,2})d|(#+)|(\*+)|(\?)|\[(\d{1,9})-(\d{1,9})\]", re.ASCII)


class Pattern:
    """The last part of a path as a pattern. `numbers` gathers those that its fields stand for in the names that fit."""

    def __init__(self, name: str, what: str, error: type[NoisescopeError]) -> None:
        expression, end, stars = "", 0, 0
        self.fields: list[tuple[int, range | None]] = []  # least digits, and the numbers that are meant
        self.numbers: dict[str, tuple[int, ...]] = {}
        for field in FIELD.finditer(name):
            expression += re.escape(name[end : field.start()])
            end = field.end()
            digits, hashes, star, letter, first, last = field.groups()
            if star or letter:
                expression += ".*" if star else "."
                stars += bool(star)
                continue
            width = len(hashes) if hashes else min(int(digits or 0), 99) if first is None else 0
            self.fields.append((width, None if first is None else range(int(first), int(last) + 1)))
            expression += r"(-?\d+)"
        if stars > MOST_STARS:
            raise error(
                f"The pattern {shown(name)} for {what}s holds {stars} *; at most {MOST_STARS} can be worked with."
            )
        self._expression = re.compile(expression + re.escape(name[end:]), re.DOTALL)

    def fits(self, name: str) -> bool:
        matched = self._expression.fullmatch(name)
        if matched is None:
            return False
        runs = matched.groups()
        for run, (width, meant) in zip(runs, self.fields, strict=True):
            if len(run) < width or (len(run) > width > 1 and run.lstrip("-")[0] == "0"):
                return False
            if meant is not None and int(run) not in meant:
                return False
        self.numbers[name] = tuple(map(int, runs))
        return True
