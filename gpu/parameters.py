"""How a setting of a prior, deformation or task describes itself: enough to build a slider, an option and a table row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ParameterInfo:
    """One number a person can set: range, step, unit, and a sentence for its tooltip.

    A setting that is text (a formula) has `text` as its default instead and no range.
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
