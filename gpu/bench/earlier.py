"""Compares what was measured with what an earlier run gave."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpu.bench.row import Row
from gpu.errors import SessionError
from gpu.files import check_regular, reason
from gpu.plain_json import parse

Key = tuple[str, int, int, int, str, int]

MOST_BYTES = 16 << 20


@dataclass(frozen=True)
class Change:
    """A row that both runs have, with its ratio then and now."""

    row: Row
    before: float

    @property
    def factor(self) -> float:
        """How many times the ratio of before."""
        return self.row["ratio"] / self.before

    @property
    def sentence(self) -> str:
        """What happened, in words."""
        row = self.row
        change = "grew" if self.factor > 1 else "fell" if self.factor < 1 else "stayed"
        place = f"{row['prior']} at {row['height']} × {row['width']} ({row['backend']})"
        return f"{place} {change} from {self.before:.1f} to {row['ratio']:.1f} times torch.randn, {self.factor:.2f} times it."


def key(row: Any) -> Key:
    """What tells rows apart."""
    return row["prior"], row["height"], row["width"], row["channels"], row["backend"], row.get("k", 3)


def ratios(path: Path) -> dict[Key, float]:
    """The ratios in a file of `noisescope bench --json`. SessionError when it cannot be read or is none."""
    check_regular(path, "what `noisescope bench --json` prints", SessionError)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SessionError(f"{path} is too large to be what `noisescope bench --json` prints.")
        data = parse(path.read_text(encoding="utf-8"))
        rows = {key(row): float(row["ratio"]) for row in data["results"]}
        wrong = [ratio for ratio in rows.values() if not (0 < ratio < math.inf)]
    except OSError as problem:
        raise SessionError(f"{path} cannot be read: {reason(problem)}.") from None
    except UnicodeDecodeError:
        raise SessionError(f"{path} is no text, but it must be what `noisescope bench --json` prints.") from None
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        what = (
            f"{problem}" if isinstance(problem, ValueError) else "it has no results with prior, size, backend and ratio"
        )
        raise SessionError(f"{path} is not what `noisescope bench --json` prints: {what}.") from None
    if wrong or not rows:
        what = "a ratio in it is not positive" if wrong else "it has no results"
        raise SessionError(f"{path} is not what `noisescope bench --json` prints: {what}.")
    return rows


def changes(rows: Iterable[Row], before: dict[Key, float]) -> list[Change]:
    """The rows that were measured before as well, in the order of `rows`.

    A backend that has nothing to draw may stand under another name then: it counts as the same.
    """
    compared = []
    for row in rows:
        at = key(row)
        if at not in before and not row["drawn"]:
            at = next((other for other in before if other[:4] == at[:4] and other[5] == at[5]), at)
        if at in before:
            compared.append(Change(row, before[at]))
    return compared
