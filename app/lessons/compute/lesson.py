"""What a lesson is: its steps, their controls, and the function of a step from settings to scenes. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from app.lessons.compute.scene import Scene
from gpu.errors import ChoiceError
from gpu.parameters import ParameterInfo, Value, resolve

Settings = Mapping[str, Value]
"""Values of all controls of a lesson by name, and "seed" (a whole number), which "draw again" raises by one."""

FIRST_SEED = 7.0

Compute = Callable[[Settings], Iterator[Scene]]
"""The scenes of one step: the first within about 30 ms of computing, coarse where it must be (`Scene.rough`), then finer
ones. The work between two scenes is given up when the settings change, so nothing may be left half done. A pure
function: equal settings give equal scenes, however they came about. Runs in the lessons' thread."""


@dataclass(frozen=True)
class Running(ParameterInfo):
    """A number that can run by itself, `rate` steps a second, back to its start at the end."""

    rate: float = 24.0


def handle(name: str, default: float, low: float, high: float) -> ParameterInfo:
    """A setting without a control of its own: one coordinate of a point that is dragged on the board."""
    return ParameterInfo(name, "", default, low, high)


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
    """A lesson: its name is that of its Markdown file, `NN-name.md`. `controls` are all that its steps share, and `handles`
    the places of what is dragged."""

    controls: tuple[ParameterInfo, ...]
    steps: tuple[Step, ...]

    def settings(self, given: Settings | None = None) -> dict[str, Value]:
        """The settings a lesson opens with, but for those `given`. SessionError for a value that is not allowed."""
        given = dict(given or {})
        seed = given.pop("seed", FIRST_SEED)
        return {"seed": seed, **resolve("lesson", self.steps[0].heading, self.controls, given)}

    def control(self, name: str) -> ParameterInfo:
        """The control of that name; ChoiceError names the choices when there is none."""
        for control in self.controls:
            if control.name == name:
                return control
        choices = ", ".join(control.name for control in self.controls)
        raise ChoiceError(f"There is no control {name!r}; there are {choices}.")


def number(settings: Settings, name: str) -> float:
    """A setting that is a number."""
    return float(settings[name])


def whole(settings: Settings, name: str) -> int:
    """A setting that is a whole number."""
    return round(float(settings[name]))
