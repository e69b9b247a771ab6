"""What a flow file holds, how it may be read, and how well each reading fits the pictures that are open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.model.frame_pictures import U8

Direction = Literal["backward", "forward"]
Axes = Literal["xy", "yx"]
Sign = Literal[1, -1]
Units = Literal["pixels", "normalised", "fraction"]

UNITS: tuple[tuple[Units, str, str], ...] = (
    ("pixels", "pixels", "A vector of 1 is one pixel of the flow's own grid"),
    ("normalised", "frame from -1 to 1", "A vector of 2 leads across the frame, as PyTorch's grid_sample has it"),
    ("fraction", "frame from 0 to 1", "A vector of 1 leads across the frame"),
)


@dataclass(frozen=True)
class FlowFit:
    """One reading of a flow file: its settings, the mean difference of the moved picture (0..1), and that difference as
    a picture (H, W, 3); `error` is None where there are no pictures to compare with. `both`: the file has both directions,
    which are read alike."""

    direction: Direction
    axes: Axes
    sign: Sign
    error: float | None = None
    picture: U8 | None = None
    units: Units = "pixels"
    both: bool = False

    @property
    def words(self) -> str:
        axes = "dx, dy" if self.axes == "xy" else "dy, dx"
        direction = "both directions" if self.both else f"{self.direction} flow"
        return f"{direction}, stored as {axes}, sign {'as stored' if self.sign > 0 else 'reversed'}"


@dataclass(frozen=True)
class FlowReport:
    """What was found out about a flow file. `about` says in words what it holds; `directions` are those that names in it say,
    none where they leave it open; `units` those that it may have; `fits` every reading, the best first where pictures told;
    `belongs`: whether there are as many fields as the clip that is open has steps.

    Where something must be said before it can be read, `question` is the sentence, `setting` the source setting that answers
    it (flow_key or flow_layout), and `choices` its values. `taken` is the direction that is read where none is chosen.
    """

    about: str = ""
    directions: tuple[Direction, ...] = ()
    units: tuple[Units, ...] = ("pixels",)
    fits: tuple[FlowFit, ...] = ()
    belongs: bool = False
    question: str = ""
    setting: str = ""
    choices: tuple[str, ...] = ()
    taken: Direction = "backward"


DIRECTIONS: tuple[Direction, ...] = ("backward", "forward")
AXES: tuple[Axes, ...] = ("xy", "yx")
SIGNS: tuple[Sign, ...] = (1, -1)


def untried(directions: tuple[Direction, ...] = (), units: tuple[Units, ...] = ("pixels",)) -> tuple[FlowFit, ...]:
    """Every reading, before any is compared with pictures; `directions` are those that are sure."""
    both = len(directions) == 2
    shown = DIRECTIONS[:1] if both else directions or DIRECTIONS
    return tuple(
        FlowFit(direction, axes, sign, units=unit, both=both)
        for unit in units
        for direction in shown
        for axes in AXES
        for sign in SIGNS
    )
