"""How a setting of a prior, deformation or task describes itself: enough to build a slider, an option and a table row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gpu.errors import SessionError

Value = float | int | str | bool


@dataclass(frozen=True)
class ParameterInfo:
    """One number a person can set: range, step, unit, and a sentence for its tooltip.

    A setting that is text (a formula, a path) has `text` as its default instead and no range; `empty` says that it is
    text although its default is empty. `choices`, where there are any, are all the texts it may be.
    """

    name: str
    label: str
    default: float = 0.0
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    unit: str = ""
    tip: str = ""
    text: str = ""
    empty: bool = False
    choices: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        return bool(self.text) or self.empty


def resolve(kind: str, name: str, known: tuple[ParameterInfo, ...], given: Mapping[str, Value]) -> dict[str, Value]:
    """`given` with the defaults filled in, for the `kind` of thing (deformation, scene, task) called `name`.

    SessionError for a parameter that is not known or a value that is not allowed.
    """
    infos = {info.name: info for info in known}
    for key in given:
        if key not in infos:
            choices = f"Its parameters are: {', '.join(infos)}." if infos else "It has none."
            raise SessionError(f"The {kind} {name} has no parameter {key!r}. {choices}")
    values: dict[str, Value] = {}
    for key, info in infos.items():
        value = given.get(key, info.text if info.is_text else info.default)
        if info.is_text:
            if isinstance(value, bool):
                raise SessionError(f"{key} of the {kind} {name} is {value!r}, but it must be a text.")
            if info.choices and str(value) not in info.choices:
                choices = ", ".join(info.choices)
                raise SessionError(f"{key} of the {kind} {name} is {value!r}. Choose one of: {choices}.")
            values[key] = str(value)
            continue
        if isinstance(value, (bool, str)) or not math.isfinite(value):
            raise SessionError(f"{key} of the {kind} {name} is {value!r}, but it must be a finite number.")
        if not info.low <= value <= info.high:
            raise SessionError(
                f"{key} of the {kind} {name} is {value:g}, but it must lie between {info.low:g} and {info.high:g}."
            )
        values[key] = float(value)
    return values
