"""What a lesson is: its steps, their controls, and the function of a step from settings to scenes. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from app.lessons.compute.scene import Scene
from gpu.errors import ChoiceError

Value = float | str | bool
Settings = Mapping[str, Value]
"""Values of all controls of a lesson by name, and "seed" (a whole number), which "draw again" raises by one."""

Compute = Callable[[Settings], Iterator[Scene]]
"""The scenes of one step: the first within about 30 ms of computing, coarse where it must be (`Scene.rough`), then finer
ones. The work between two scenes is given up when the settings change, so nothing may be left half done. A pure
function: equal settings give equal scenes, however they came about. Runs in the lessons' thread."""


@dataclass(frozen=True)
class Slider:
    """A number. `play` lets it run by itself, `rate` steps a second, back to the start at the end."""

    name: str
    label: str
    default: float
    low: float
    high: float
    step: float = 0.01
    unit: str = ""
    tip: str = ""
    play: bool = False
    rate: float = 24.0


@dataclass(frozen=True)
class Choice:
    """One of several: `options` are (value, what is shown)."""

    name: str
    label: str
    default: str
    options: tuple[tuple[str, str], ...]
    tip: str = ""


@dataclass(frozen=True)
class Switch:
    """On or off."""

    name: str
    label: str
    default: bool
    tip: str = ""


@dataclass(frozen=True)
class Hidden:
    """A setting without a control of its own, such as the place of a handle."""

    name: str
    default: float
    low: float
    high: float


Control = Slider | Choice | Switch | Hidden


@dataclass(frozen=True)
class Step:
    """One page of a lesson. `heading` is that of its section in the lesson's Markdown; `controls` are names, in order.

    `sweep` is the slider that an animation runs through. `draws`: whether "draw again" makes sense.
    """

    heading: str
    compute: Compute
    controls: tuple[str, ...] = ()
    sweep: str = ""
    draws: bool = True


@dataclass(frozen=True)
class Lesson:
    """A lesson: its name is that of its Markdown file, `NN-name.md`."""

    controls: tuple[Control, ...]
    steps: tuple[Step, ...]

    def defaults(self) -> dict[str, Value]:
        """The settings a lesson opens with."""
        return {"seed": 7.0, **{control.name: control.default for control in self.controls}}

    def control(self, name: str) -> Control:
        """The control of that name; ChoiceError names the choices when there is none."""
        for control in self.controls:
            if control.name == name:
                return control
        raise ChoiceError(f"There is no control {name!r}; there are {', '.join(one.name for one in self.controls)}.")


def number(settings: Settings, name: str) -> float:
    """A setting that is a number."""
    return float(settings[name])


def whole(settings: Settings, name: str) -> int:
    """A setting that is a whole number."""
    return round(float(settings[name]))
