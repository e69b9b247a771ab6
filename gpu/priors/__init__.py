"""Noise priors, one file each: what a frame's noise is, given the motion. The registry is PRIORS.

Neither this module nor a prior's own file imports torch before a prior is started, so that menus, colours and help texts can
list the priors within milliseconds. A whole prior, in a file of its own in this folder:

    \"""Prior `halves`: the mean of the shot's first noise and of new noise, at unit variance.\"""

    from __future__ import annotations

    from typing import TYPE_CHECKING

    from gpu.priors import PRIORS, Prior, PriorInfo

    if TYPE_CHECKING:
        from gpu.priors import NoiseFrame, PriorContext, Run

    INFO = PriorInfo("Halves", "Half of it stays, half is new.", "An example.", uses_motion=False, born_white=False, hue="sky")


    def start(context: PriorContext) -> Run:
        from gpu.noise import rng
        from gpu.priors.kit.sequence import by_frame, kept

        def noise(t: int) -> NoiseFrame:
            shared = context.white(rng.FIELD, context.shot_start(t))
            return kept(context, (shared + context.white(rng.INDEPENDENT, t)) / 2**0.5)

        return by_frame(noise)


    PRIORS.add("halves", order=200)(Prior(INFO, start))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from gpu.errors import ChoiceError
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED
from gpu.parameters import ParameterInfo
from gpu.registry import Registry
from gpu.session import Parameter

if TYPE_CHECKING:
    import torch

    from gpu.noise.inspection import Inspection
    from gpu.noise.tracks import Track, Tracks

__all__ = [
    "INHERITED",
    "KEPT",
    "NEW",
    "PRIORS",
    "UNDEFINED",
    "Inspectable",
    "Motion",
    "NoiseFrame",
    "Prior",
    "PriorContext",
    "PriorInfo",
    "Run",
    "Stepwise",
    "Transported",
    "inspect",
    "steps_of",
]


@dataclass(frozen=True)
class NoiseFrame:
    """Noise of one frame: `noise` (C, H, W) float32, and `state` (H, W) uint8 of KEPT, INHERITED, NEW, UNDEFINED."""

    noise: torch.Tensor
    state: torch.Tensor


@dataclass(frozen=True)
class PriorInfo:
    """What menus, plots, documentation and tests say of a prior.

    `hue` and `dash` are names of app.look.palette's (a hue of Okabe and Ito, a pattern of a line), so that a prior looks
    the same everywhere; left empty they follow from its name.

    >>> info = PRIORS.get("integral").info
    >>> info.uses_motion, info.white, info.modes[:1]
    (True, True, ('anchored',))
    """

    title: str
    summary: str
    source: str
    modes: tuple[str, ...] = ()  # of "anchored", "chained"; the first is the default; empty where it makes no sense
    parameters: tuple[ParameterInfo, ...] = ()
    uses_motion: bool = True
    uses_task: bool = False  # whether it depends on the session's diffusion task and sampler
    white: bool = True  # whether each of its frames is white Gaussian noise in theory
    unit_variance: bool = True  # whether its values have variance 1, white or not
    remembers: bool = True  # whether a frame depends on the one before
    born_white: bool = True  # whether a shot's first frame is the noise that frame is born with
    hue: str = ""
    dash: str = ""


class Motion(Protocol):
    """Motion on the noise grid, as torch tensors on the device; frame indices as in gpu.source.Truth."""

    def backward(self, t: int) -> torch.Tensor: ...  # (H, W, 2)
    def forward(self, t: int) -> torch.Tensor: ...  # (H, W, 2)
    def valid(self, t: int) -> torch.Tensor: ...  # (H, W) bool on the grid of frame t+1
    def error(self, t: int) -> torch.Tensor: ...  # (H, W) float32 forward-backward error on the grid of t+1, pixels


class Transported(Protocol):
    """All that priors ask of gpu.noise.transport: where noise comes from, and the noise that was carried from there."""

    @property
    def fill(self) -> str:
        """What fills disocclusions: `two-stage` or `random`."""
        ...

    @property
    def s(self) -> int:
        """Segments of a side of an outline."""
        ...

    def track(self, t: int) -> Track:
        """Where each pixel of frame t was when its noise was born, by the motion alone."""
        ...

    def tracks_where(self, owned: Callable[[Track, int], torch.Tensor]) -> Tracks:
        """The tracks along which pixels are renewed that have 0 in `owned(track, t)` (H, W)."""
        ...

    def renewals(self, t: int) -> dict[int, float]:
        """The frames up to t in which pixels of `integral` were renewed, and what share of them was."""
        ...

    def integral(self, t: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(C, H, W) ∫-noise of frame t and its (H, W) state."""
        ...

    def inspect(self, t: int, x: int, y: int, channels: int) -> Inspection:
        """What pixel (x, y) of `integral(t, channels)` is made of."""
        ...


@dataclass(frozen=True)
class PriorContext:
    """What a prior may read. `shot_start(t)` is the first frame of the shot that frame t belongs to."""

    height: int
    width: int
    channels: int
    frames: int
    seed: int
    device: torch.device
    motion: Motion
    image: Callable[[int], torch.Tensor]  # frame t as (3, H, W) float32 in [0, 1]
    shot_start: Callable[[int], int]
    transport: Transported
    # frame t run backwards through the task's model: yields after every step; the last is (noise channels, H, W)
    invert: Callable[[int], Iterator[torch.Tensor]]
    mode: str = ""
    parameters: dict[str, Parameter] = field(default_factory=dict)

    def white(self, stream: int, frame: int) -> torch.Tensor:
        """(C, H, W) independent standard normals, a pure function of (seed, stream, frame); see gpu.noise.rng."""
        from gpu.noise import rng

        return rng.white(self.seed, stream, frame, self.channels, self.height, self.width, self.device)


class Run(Protocol):
    """A prior at work on one session: any frame at any time, always the same values."""

    def frame(self, t: int) -> NoiseFrame: ...


@runtime_checkable
class Stepwise(Protocol):
    """A run whose frames take long: the work on one can be done in steps, between which progress is shown."""

    def steps(self, t: int) -> Iterator[None]:
        """Work on frame t, yielding after each step; when it ends, `frame(t)` has it at hand. Closing it cancels."""
        ...


@runtime_checkable
class Renewing(Protocol):
    """A run whose pixels may be taken over by later anchors (gpu.noise.renewal)."""

    def renewals(self, t: int) -> dict[int, float]:
        """The frames up to t, of its shot, in which they were, and what share of the frame."""
        ...


@runtime_checkable
class Inspectable(Protocol):
    """A run that can say what one pixel of its noise is made of."""

    def inspect(self, t: int, x: int, y: int) -> Inspection:
        """Pixel (x, y) of frame t, by the same code that makes its noise."""
        ...


def inspect(run: Run, info: PriorInfo, t: int, x: int, y: int) -> Inspection:
    """What pixel (x, y) of frame t of a run is made of; of a prior that cannot say, its value and what the prior does."""
    if isinstance(run, Inspectable):
        return run.inspect(t, x, y)
    from gpu.noise.inspection import Inspection

    frame = run.frame(t)
    value = frame.noise[:, y, x].cpu().numpy()
    return Inspection(t, x, y, int(frame.state[y, x]), value, value, f"{info.title}. {info.summary}")


def steps_of(run: Run, t: int) -> Iterator[None]:
    """The steps of a stepwise run; none of any other."""
    if isinstance(run, Stepwise):
        yield from run.steps(t)


@dataclass(frozen=True)
class Prior:
    """An entry of the registry: what it is, and the function that puts it to work on a session."""

    info: PriorInfo
    make: Callable[[PriorContext], Run]

    def start(self, context: PriorContext) -> Run:
        """The prior at work; ChoiceError for a mode that it has not."""
        if self.info.modes and context.mode and context.mode not in self.info.modes:
            choices = " or ".join(self.info.modes)
            raise ChoiceError(f"The prior {self.info.title} cannot be {context.mode}; choose {choices}.")
        return self.make(context)


PRIORS: Registry[Prior] = Registry("prior", "gpu.priors")
