"""One comparison: an opened source with its motion, its transports, and the priors at work on it. The window's engine, the
experiments and the lessons all stand on it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from gpu import devices
from gpu.cache import ByteCache, bytes_of
from gpu.engine.sampling import Reach, TaskUse, inverting, reach
from gpu.errors import SessionError
from gpu.metrics import coherence
from gpu.noise.backends import Backend
from gpu.noise.ownership import Rasteriser
from gpu.noise.tiling import NoiseGrid
from gpu.noise.transport import BEND, Transport, TransportSettings
from gpu.parameters import resolve
from gpu.priors import KEPT, PRIORS, Motion, PriorContext, Run
from gpu.priors.kit.degrade import degrade
from gpu.session import MotionSettings, NoiseSettings, PriorSettings, SourceSettings
from gpu.source import Source, trust
from gpu.source.motion import SourceMotion
from gpu.source.opening import open_source

IMAGE_CACHE_BYTES = 32 << 20
"""Of a clip's frames as tensors; the last one is kept in any case."""


class Clip:
    """Frames of a source, noise carried along its motion, or along any other, and what both are measured with.

    `motion` is what everything is measured along: the source's true motion where it is known. `bend` is how far positions may
    bend before pixels are renewed (gpu.noise.transport.BEND); infinity keeps to the first anchors. `before`: a clip that
    this one takes the place of, whose fine fields serve here where they can. Nothing is closed
    here: who opened the source and the rasteriser closes them.
    """

    def __init__(
        self,
        source: Source,
        motion: Motion,
        rasteriser: Rasteriser,
        device: torch.device,
        bend: float = BEND,
        before: Clip | None = None,
    ) -> None:
        self.source, self.motion, self.rasteriser, self.device, self.bend = source, motion, rasteriser, device, bend
        self._cuts = (0, *source.cuts)
        # By the identity of the motion, which is kept beside its transport so that no other takes its place.
        self._transports: dict[tuple[int, int, int, int, str, str], tuple[Motion, Transport]] = {}
        self._before = [] if before is None else [made for _, made in before._transports.values()]
        self._images: ByteCache[int, torch.Tensor] = ByteCache(IMAGE_CACHE_BYTES, bytes_of)
        self._ceilings: dict[tuple[str, int], float] = {}

    def shot_start(self, t: int) -> int:
        """The first frame of the shot that frame t belongs to."""
        return max(cut for cut in self._cuts if cut <= t)

    def image(self, t: int) -> torch.Tensor:
        """Frame t as (3, H, W) float32 in [0, 1]."""
        if t not in self._images:
            frame = torch.from_numpy(self.source.frame(t).copy()).to(self.device)
            self._images[t] = frame.permute(2, 0, 1).to(torch.float32) / 255
        return self._images[t]

    def estimated(self, name: str) -> Motion:
        """What the flow estimator `name` makes of the frames. ChoiceError when there is none of that name."""
        return SourceMotion(self.source, MotionSettings(name), self.device)

    def transport(self, noise: NoiseSettings | None = None, motion: Motion | None = None) -> Transport:
        """The transport along `motion` (None: the clip's own) by the seed, k, s, fill and renewal of `noise` (None: the
        defaults), the same object for the same settings."""
        chosen, along = noise or NoiseSettings(), motion or self.motion
        key = (id(along), chosen.seed, chosen.k, chosen.s, chosen.fill, chosen.renewal)
        if key not in self._transports:
            grid = NoiseGrid(self.source.height, self.source.width, self.device)
            bend = self.bend if chosen.renewal == "local" else math.inf
            settings = TransportSettings(chosen.seed, chosen.k, chosen.s, chosen.fill, bend)
            made = Transport(along, grid, self.shot_start, self.rasteriser, settings, self._like(chosen))
            self._transports[key] = along, made
        return self._transports[key][1]

    def _like(self, noise: NoiseSettings) -> Transport | None:
        """The transport of the clip before with the same seed, if there was one; it is let go of once it has served."""
        like = next((made for made in self._before if made.settings.seed == noise.seed), None)
        self._before = []
        return like

    @property
    def field_bytes(self) -> int:
        """Bytes that all transports keep of fine fields (gpu.noise.field_limit bounds those of each)."""
        return sum(transport.field_bytes for _, transport in self._transports.values())

    def forget_transports(self) -> None:
        """Free the memory of all transports: for whoever is done with a seed or a level and goes on to the next."""
        self._transports.clear()

    def start(
        self,
        prior: PriorSettings,
        noise: NoiseSettings,
        motion: Motion | None = None,
        use: TaskUse | None = None,
    ) -> Run:
        """`prior` at work along `motion` (None: the clip's own), with the channels of `noise`. A prior that inverts frames does
        so with `use`, or with the texture model. ChoiceError for an unknown prior, SessionError for a mode or parameter that
        it does not have."""
        kind = PRIORS.get(prior.name)
        if prior.mode and prior.mode not in kind.info.modes:
            raise SessionError(f"The prior {prior.name} cannot be {prior.mode}.")
        context = PriorContext(
            height=self.source.height,
            width=self.source.width,
            channels=noise.channels,
            frames=self.source.frames,
            seed=noise.seed,
            device=self.device,
            motion=motion or self.motion,
            image=self.image,
            shot_start=self.shot_start,
            transport=self.transport(noise, motion),
            invert=lambda t: inverting(use).invert(self.image(t), self.device),
            mode=prior.mode or (kind.info.modes[0] if kind.info.modes else ""),
            parameters=resolve("prior", prior.name, kind.info.parameters, prior.parameters),
        )
        return degrade(kind.start(context), context, prior.gamma)

    def ceiling(self, frame: str, t: int, seen: Reach) -> float:
        """What ideal transport of areas gives for the coherence of frame t with the `frame` named ("previous", "first"), whose
        pixels are `seen` there. Worked out once for all noises, as it belongs to the motion alone."""
        if (frame, t) not in self._ceilings:
            self._ceilings[frame, t] = coherence.ceiling(*seen)
        return self._ceilings[frame, t]


def seen_first(clip: Clip, t: int, noise: NoiseSettings | None = None, states: tuple[int, ...] = (KEPT,)) -> Reach:
    """Where frame t's pixels were in the first frame of their shot, and which of them, in one of `states`, were there."""
    track = clip.transport(noise).track(t)
    kept = torch.zeros_like(track.state, dtype=torch.bool)
    for state in states:
        kept |= track.state == state
    return Reach(track.position, (track.label == clip.shot_start(t)) & kept)


def with_previous(clip: Clip, run: Run, t: int, channels: int) -> tuple[float, float]:
    """Correlation of frame t's noise with frame t-1's along the clip's motion, and its ceiling (gpu.metrics.coherence)."""
    seen = reach(clip.motion, t, 1)
    before, here = run.frame(t - 1).noise[:channels], run.frame(t).noise[:channels]
    return coherence.correlation(before, here, *seen)[0], clip.ceiling("previous", t, seen)


def with_first(clip: Clip, run: Run, t: int, channels: int) -> tuple[float, float]:
    """Correlation of frame t's noise with that of its shot's first frame, over the pixels that were seen there; its ceiling."""
    seen = seen_first(clip, t)
    first, here = run.frame(clip.shot_start(t)).noise[:channels], run.frame(t).noise[:channels]
    return coherence.correlation(first, here, *seen)[0], clip.ceiling("first", t, seen)


@dataclass(frozen=True)
class Opened:
    """An opened source, what computes its noise, and the motion that everything is measured along."""

    source: Source
    backend: Backend
    motion: SourceMotion

    def clip(self, device: torch.device, before: Clip | None = None) -> Clip:
        """The comparison that stands on these parts; `before` is the one whose place it takes."""
        return Clip(self.source, self.motion, self.backend, device, before=before)

    def close(self, but: Opened | None = None) -> None:
        """Release the source and the graphics context, on the thread that opened them; not those that `but` holds as well."""
        if but is None or but.backend is not self.backend:
            self.backend.close()
        if but is None or but.source is not self.source:
            self.source.close()


@contextmanager
def opened(settings: SourceSettings, backend: str = "auto", on: str = "auto") -> Iterator[Clip]:
    """The clip of `settings` on the torch device `on`, closed when the block is left, also by cancelling. What is wrong with
    them is raised as the NoisescopeError that says so."""
    device = devices.device(on)
    source = open_source(settings)
    try:
        rasteriser = Backend(backend, device)
        try:
            motion = SourceMotion(source, MotionSettings(), device)
            yield Clip(source, motion, rasteriser, device)
            trust.tell(source, motion)  # at the end, so that no measured time has it
        finally:
            rasteriser.close()
    finally:
        source.close()
