"""How a flow file may be read, and how well each reading fits the pictures that are open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.model.frame_pictures import U8

Direction = Literal["backward", "forward"]
Axes = Literal["xy", "yx"]
Sign = Literal[1, -1]


@dataclass(frozen=True)
class FlowFit:
    """One reading of a flow file: its settings, the mean difference of the moved picture (0..1), and that difference as
    a picture (H, W, 3); `error` is None where there are no pictures to compare with."""

    direction: Direction
    axes: Axes
    sign: Sign
    error: float | None = None
    picture: U8 | None = None

    @property
    def words(self) -> str:
        axes = "dx, dy" if self.axes == "xy" else "dy, dx"
        return f"{self.direction} flow, stored as {axes}, sign {'as stored' if self.sign > 0 else 'reversed'}"


DIRECTIONS: tuple[Direction, ...] = ("backward", "forward")
AXES: tuple[Axes, ...] = ("xy", "yx")
SIGNS: tuple[Sign, ...] = (1, -1)
UNTRIED = tuple(FlowFit(direction, axes, sign) for direction in DIRECTIONS for axes in AXES for sign in SIGNS)
"""Every reading, before any is compared with pictures."""
