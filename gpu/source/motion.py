"""The motion of a source on the noise grid: its true motion, or what an estimator makes of its frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from gpu.cache import ByteCache
from gpu.errors import FlowError
from gpu.flow import maps
from gpu.session import MotionSettings
from gpu.source import Source, Truth, area
from gpu.source.estimation import Estimation, Pair
from gpu.source.pair_file import PairFile

CACHE_BYTES = 128 << 20
"""Motion of one source that is kept, half of it backward and half forward; more where that is not two of each."""

STEP_PIXEL_BYTES, FORWARD_PIXEL_BYTES = 13, 9
"""Of one pair of frames."""


@dataclass(frozen=True)
class _Step:
    """What is known between frames t and t+1, on the grid of t+1."""

    backward: torch.Tensor
    valid: torch.Tensor
    error: torch.Tensor
    invalid: int


def _step_bytes(step: _Step) -> int:
    return step.backward.nbytes + step.valid.nbytes + step.error.nbytes


def _flow_bytes(cleaned: maps.Cleaned) -> int:
    return cleaned.flow.nbytes + cleaned.bad.nbytes


class SourceMotion:
    """Motion between the frames of `source`, as gpu.priors.Motion asks for it. Any t, in any order: the same values.

    Vectors that are not finite become 0 at invalid pixels. Across a shot cut all vectors are 0 and nothing is valid; so it
    is in bars around the picture.

    >>> from gpu.session import MotionSettings, SourceSettings
    >>> from gpu.source.opening import open_source
    >>> source = open_source(SourceSettings("synthetic", name="translation", height=48, frames=3, parameters={"dx": 2.0}))
    >>> motion = SourceMotion(source, MotionSettings(), torch.device("cpu"))
    >>> motion.label, tuple(motion.backward(0).shape)
    ('true motion', (48, 64, 2))
    >>> motion.valid(0)[24, :4]  # the two columns at the left have just come into sight
    tensor([False, False,  True,  True])
    """

    def __init__(self, source: Source, settings: MotionSettings, device: torch.device) -> None:
        """FlowError when the truth is asked for and the source has none; ChoiceError for a name or preset unknown."""
        self._source, self._device = source, device
        self._shared: PairFile | None = None
        self._cuts = frozenset(source.cuts)
        self._truth: Truth | None = source.truth if settings.estimator in ("auto", "truth") else None
        pixels = source.height * source.width
        steps, forwards = (max(CACHE_BYTES // 2, 2 * each * pixels) for each in (STEP_PIXEL_BYTES, FORWARD_PIXEL_BYTES))
        self._steps: ByteCache[int, _Step] = ByteCache(steps, _step_bytes)
        self._forwards: ByteCache[int, maps.Cleaned] = ByteCache(forwards, _flow_bytes)
        if settings.estimator == "truth" and source.truth is None:
            raise FlowError(f"{source.title} has no true motion to take; choose a flow estimator, or auto.")
        self.estimated = self._truth is None
        if self._truth is not None:
            self.label = str(getattr(self._truth, "label", "true motion"))
            return
        self._estimation = Estimation(source, settings, device)
        self.label = self._estimation.label

    def backward(self, t: int) -> torch.Tensor:
        """(H, W, 2) float32 pixels: what is seen at p of frame t+1 was at p + backward(t)(p) in frame t."""
        return self._step(t).backward

    def forward(self, t: int) -> torch.Tensor:
        """(H, W, 2) float32 pixels, on the grid of frame t: where what is seen in frame t is in frame t+1."""
        return self._forward(t).flow

    def valid(self, t: int) -> torch.Tensor:
        """(H, W) bool on the grid of t+1: the truth's validity, or the forward-backward check inside the frame."""
        return self._step(t).valid

    def error(self, t: int) -> torch.Tensor:
        """(H, W) float32 on the grid of t+1: |b + f(p + b)| in pixels; of a true motion 0 where it is valid.
        maps.UNSEEN where there is nothing to compare with."""
        return self._step(t).error

    def share(self, pairs: PairFile | None) -> None:
        """From now on, steps that are in the file are taken from there, and what is worked out here or is at hand is put there
        for others; None ends that. Of a known motion the forward flow is not among it."""
        self._shared = pairs
        if pairs is None:
            return
        for t in [t for t in self._steps if t + 1 not in self._cuts and (t in self._forwards or not self.estimated)]:
            pairs.put(t, self._stepping(self._steps[t], self._forwards[t] if self.estimated else None))

    def invalid(self, t: int) -> int:
        """How many vectors of backward(t) were not finite, or so long that they could not be meant."""
        return self._step(t).invalid

    def _check(self, t: int) -> None:
        if not 0 <= t < self._source.frames - 1:
            raise IndexError(f"motion from frame {t} of {self._source.frames}")

    def _step(self, t: int) -> _Step:
        self._check(t)
        if t not in self._steps:
            self._find(t, "step")
        return self._steps[t]

    def _forward(self, t: int) -> maps.Cleaned:
        self._check(t)
        if t not in self._forwards:
            self._find(t, "forward")
        return self._forwards[t]

    def _find(self, t: int, what: str) -> None:
        if t + 1 in self._cuts or (what == "forward" and not self.estimated):
            if what == "step":
                self._steps[t] = self._make_step(t)
            else:
                self._forwards[t] = self._make_forward(t)
            return
        pair = self._shared.get(t, self._device) if self._shared else None
        if pair is None:
            pair = self._estimation.pair(t) if self.estimated else self._stepping(self._make_step(t))
            if self._shared is not None:
                self._shared.put(t, pair)
        self._steps[t] = _Step(pair.backward, pair.valid, pair.error, pair.invalid)
        if self.estimated:
            self._forwards[t] = pair.forward

    def _stepping(self, step: _Step, forward: maps.Cleaned | None = None) -> Pair:
        """A step as a pair, whose forward flow nobody asks for where there is none."""
        nothing = maps.Cleaned(torch.zeros_like(step.backward), torch.ones_like(step.valid))
        return Pair(step.backward, step.valid, step.error, step.invalid, forward or nothing)

    def _make_step(self, t: int) -> _Step:
        """The true step, or that across a cut."""
        shape = (self._source.height, self._source.width)
        if t + 1 in self._cuts:
            nothing = torch.zeros(shape, dtype=torch.bool, device=self._device)
            return _Step(
                torch.zeros((*shape, 2), device=self._device),
                nothing,
                torch.full(shape, maps.UNSEEN, device=self._device),
                0,
            )
        assert self._truth is not None
        flow = self._flow(self._truth.backward(t), "backward", t)
        seen = torch.from_numpy(np.ascontiguousarray(self._truth.valid(t))).to(self._device)
        here = maps.pixel_centres(*shape, self._device) + flow.flow
        valid = seen & ~flow.bad & maps.inside(here, *shape) & self._shown()
        error = torch.where(valid, 0.0, torch.full(shape, maps.UNSEEN, device=self._device))
        return _Step(flow.flow, valid, error, int(flow.bad.sum()))

    def _shown(self) -> torch.Tensor:
        """(H, W) bool: where the picture is. Nothing is known of bars around it."""
        place = area(self._source)
        shown = torch.zeros((self._source.height, self._source.width), dtype=torch.bool, device=self._device)
        shown[place.top : place.bottom, place.left : place.right] = True
        return shown

    def _make_forward(self, t: int) -> maps.Cleaned:
        if t + 1 in self._cuts:
            shape = (self._source.height, self._source.width)
            return maps.Cleaned(
                torch.zeros((*shape, 2), device=self._device), torch.ones(shape, dtype=torch.bool, device=self._device)
            )
        assert self._truth is not None
        return self._flow(self._truth.forward(t), "forward", t)

    def _flow(self, vectors: npt.NDArray[np.float32], kind: str, t: int) -> maps.Cleaned:
        expected = (self._source.height, self._source.width, 2)
        if vectors.shape != expected:
            raise FlowError(f"The {kind} flow of frame {t} has shape {vectors.shape}; {expected} was expected.")
        given = torch.from_numpy(np.array(vectors, np.float32, copy=True)).to(self._device)
        return maps.clean(given)
