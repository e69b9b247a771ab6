"""JSON that strangers wrote, read within bounds: how deep it is nested, how large its numbers are, what its strings hold."""

from __future__ import annotations

import json
from typing import Any, NoReturn

DEEPEST = 24  # lists and objects inside each other
LARGEST = 1e300  # of a number: beyond lies what arithmetic turns into infinity
SHOWN = 60  # letters of a value that a sentence repeats


def parse(text: str, deepest: int = DEEPEST) -> Any:
    """What `text` says. ValueError in words that go on after "it", as in "it is nested more than 24 deep", where it is no
    JSON, holds NaN, an infinity or a number beyond LARGEST, or a letter that no file can be written with. Half letters
    that stand for bytes of a file name (PEP 383) pass.

    >>> parse('{"seed": [7, 0.5]}')
    {'seed': [7, 0.5]}
    >>> parse('{"seed": NaN}')
    Traceback (most recent call last):
    ValueError: it holds NaN, which is no number
    """
    try:
        data = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as problem:
        raise ValueError(f"it is not valid JSON ({problem})") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as problem:
        if "digits" in str(problem):  # Python's own limit, and its advice to programmers
            raise ValueError("it holds a number of thousands of digits") from None
        raise
    _check(data, deepest)
    return data


def write(data: Any, indent: int | None = None) -> str:
    """`data` as JSON that `parse` reads back, and that can be written to a file: half letters are written as escapes.
    ValueError in the same words for what could not be read back."""
    try:
        text = json.dumps(data, indent=indent, ensure_ascii=False, sort_keys=True, allow_nan=False)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as problem:
        raise ValueError(f"it holds what JSON has no word for ({problem})") from None
    _check(data, DEEPEST)
    return text.encode("utf-8", "backslashreplace").decode()


def shown(value: object) -> str:
    """A value for a sentence: as Python writes it, and short."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits
        return f"a {type(value).__name__} too large to show"
    text = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return text.encode("utf-8", "backslashreplace").decode()


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is no number")


def _check(data: Any, deepest: int) -> None:
    """Level by level, since a call for each would end at Python's own limit."""
    level: list[Any] = [[data]]
    depth = 0
    while level:
        depth += 1
        below: list[Any] = []
        for container in level:
            values = container
            if isinstance(container, dict):
                values = container.values()
                _check_strings(container)
            for value in values:
                kind = type(value)
                if kind is float or kind is int:
                    if not -LARGEST <= value <= LARGEST:
                        raise ValueError(f"it holds the number {shown(value)}, which is too large to work with")
                elif kind is str:
                    if not value.isascii():
                        _check_strings((value,))
                elif kind is list or kind is dict or kind is tuple:
                    below.append(value)
        if below and depth > deepest:
            raise ValueError(f"it is nested more than {deepest} deep")
        level = below


def _check_strings(strings: Any) -> None:
    try:
        for text in strings:
            str(text).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as problem:
        letter = problem.object[problem.start]
        raise ValueError(f"it holds half a letter (U+{ord(letter):04X}), which no file can be written with") from None
