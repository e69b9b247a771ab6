"""JSON that no program writes, for readers of every kind: alone, or put somewhere into a document that is right."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

LETTERS = st.characters(exclude_categories=())  # half letters too
TEXTS = st.text(LETTERS, max_size=12) | st.sampled_from(
    ["", "\0", "\ud800", "\udcff", "x" * 3000, "../" * 500, "null", "１"]
)
NUMBERS = (
    st.integers()
    | st.floats()
    | st.sampled_from(
        [0, -1, 2**31, 2**63, 2**64, 10**30, 10**400, -(10**400), 1e308, -0.0, float("nan"), float("inf"), 1e-320]
    )
)


SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
) | st.sampled_from(["DEEP20", "DEEP60", "DEEP900", "LONG"])


@st.composite
def documents(draw: st.DrawFn, right: Any) -> str:
    """`right` as JSON, with one to three of its values, at any depth, replaced, taken away or joined by others; or anything."""
    if draw(st.integers(0, 9)) == 0:
        return _text(draw(VALUES))
    data = copy.deepcopy(right)
    for _ in range(draw(st.integers(1, 3))):
        places = _places(data)
        if not places:
            break
        container, key = draw(st.sampled_from(places))
        change = draw(st.sampled_from(["replace", "replace", "replace", "remove", "add"]))
        if change == "remove":
            del container[key]
        elif change == "replace":
            container[key] = draw(VALUES)
        elif isinstance(container, dict):
            container[draw(TEXTS)] = draw(VALUES)
        else:
            container.insert(key, draw(VALUES))
    text = _text(data)
    if draw(st.integers(0, 9)) == 0:  # cut short, or with a letter too many
        at = draw(st.integers(0, len(text)))
        return text[:at] + draw(st.sampled_from(["", "}", ",", "\\"])) + (text[at:] if draw(st.booleans()) else "")
    return text


def _text(data: Any) -> str:
    text = json.dumps(data)  # half letters as escapes, NaN as NaN
    for depth in (20, 60, 900):
        text = text.replace(f'"DEEP{depth}"', depth * "[" + depth * "]")
    return text.replace('"LONG"', "[" + 5000 * "0," + "0]")


def _places(data: Any) -> list[tuple[Any, Any]]:
    places: list[tuple[Any, Any]] = []
    level = [data]
    while level:
        container = level.pop()
        keys = (
            list(container)
            if isinstance(container, dict)
            else range(len(container))
            if isinstance(container, list)
            else ()
        )
        for key in keys:
            places.append((container, key))
            if isinstance(container[key], (dict, list)) and len(places) < 500:
                level.append(container[key])
    return places
