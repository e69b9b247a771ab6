"""How a setting of a prior, deformation, task, experiment or lesson describes itself: enough to build a control, an option
and a row of a table, and to check a value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gpu.errors import SessionError
from gpu.plain_json import shown

Value = float | int | str | bool


@dataclass(frozen=True)
class ParameterInfo:
    """One thing a person can set: its range, step, unit, and a sentence for its tooltip.

    A number lies between `low` and `high`. A setting that is text (a formula, a path) has `text` as its default instead and
    no range; `empty` says that it is text although its default is empty. `choices`, where there are any, are all the texts
    it may be, and `labels` what is shown for each of them (none: the choices themselves). A `default` of True or False
    makes it a switch. Without a label it has no control of its own.
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
    labels: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        return bool(self.text) or self.empty

    @property
    def is_switch(self) -> bool:
        return isinstance(self.default, bool)

    @property
    def is_number(self) -> bool:
        return not self.is_text and not self.is_switch

    @property
    def usual(self) -> Value:
        """The default, whatever kind it is of."""
        return self.text if self.is_text else self.default

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """The choices, each with what is shown for it."""
        return tuple(zip(self.choices, self.labels or self.choices, strict=True))

    @property
    def decimals(self) -> int:
        """Digits after the point that tell any two steps apart; at most 4, and 2 of a number without steps."""
        if self.step <= 0:
            return 2
        return next(digits for digits in range(5) if digits == 4 or abs(round(self.step, digits) - self.step) < 1e-9)

    def clamped(self, value: float) -> float:
        """The nearest number that is allowed."""
        return min(max(value, self.low), self.high)

    def checked(self, value: Value, owner: str) -> Value:
        """`value` in the type that it is kept in; SessionError where it is not allowed. `owner` names what it belongs to, as
        in "deformation zoom"."""
        if self.is_text:
            if isinstance(value, bool):
                raise SessionError(f"{self.name} of the {owner} is {shown(value)}, but it must be a text.")
            if self.choices and str(value) not in self.choices:
                choices = ", ".join(self.choices)
                raise SessionError(f"{self.name} of the {owner} is {shown(value)}. Choose one of: {choices}.")
            return str(value)
        if self.is_switch:
            if not isinstance(value, bool):
                raise SessionError(f"{self.name} of the {owner} is {shown(value)}, but it must be true or false.")
            return value
        if isinstance(value, (bool, str)) or not _is_finite(value):
            raise SessionError(f"{self.name} of the {owner} is {shown(value)}, but it must be a finite number.")
        if not self.low <= value <= self.high:
            raise SessionError(
                f"{self.name} of the {owner} is {value:g}, but it must lie between {self.low:g} and {self.high:g}."
            )
        return float(value)


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except (OverflowError, TypeError):  # a whole number beyond all fractions; something else altogether
        return False


def choice(
    name: str, label: str, default: str, options: Iterable[tuple[str, str]], tip: str = ""
) -> ParameterInfo:  # fmt: skip
    """A parameter that is one of several texts; `options` are (text, what is shown)."""
    texts, labels = zip(*options, strict=True)
    return ParameterInfo(name, label, tip=tip, text=default, choices=texts, labels=labels)


def switch(name: str, label: str, default: bool, tip: str = "") -> ParameterInfo:
    """A parameter that is on or off."""
    return ParameterInfo(name, label, default, tip=tip)


def resolve(
    kind: str, name: str, parameters: tuple[ParameterInfo, ...], given: Mapping[str, Value]
) -> dict[str, Value]:  # fmt: skip
    """`given` with the defaults filled in, for the `kind` of thing (deformation, scene, task, lesson) called `name`.

    SessionError for a parameter that there is not or a value that is not allowed.
    """
    infos = {info.name: info for info in parameters}
    for key in given:
        if key not in infos:
            choices = f"Its parameters are: {', '.join(infos)}." if infos else "It has none."
            raise SessionError(f"The {kind} {name} has no parameter {key!r}. {choices}")
    return {key: info.checked(given.get(key, info.usual), f"{kind} {name}") for key, info in infos.items()}
