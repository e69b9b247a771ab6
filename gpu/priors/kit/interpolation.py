"""Noise resampled with a kernel, from anchors or chained: what bilinear, bicubic, nearest and root-bilinear share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from gpu import compiled
from gpu.cache import ByteCache, bytes_of
from gpu.noise import rng
from gpu.noise.field import write_pixels
from gpu.noise.inspection import Inspection, Taps, not_followed
from gpu.noise.tracks import step_back
from gpu.priors import INHERITED, KEPT, NEW, UNDEFINED, NoiseFrame, PriorContext, Run
from gpu.priors.kit.sequence import chain

Weights = Callable[[torch.Tensor], list[torch.Tensor]]
"""From the fraction f in [0, 1) past a pixel's centre to the weights of consecutive pixels on one axis."""

BICUBIC_A = -0.75
"""Keys' parameter as PyTorch and OpenCV set it (Keys 1981 himself argues for -0.5)."""

FIELDS = 96 << 20
"""Bytes of anchor noise that one run keeps at hand."""

WORTH = 4
"""An anchor's noise is kept when what is read of it would be as many values in so many frames as it has altogether."""

FIRST = "Frame {t} is the first of its shot: its noise is drawn afresh, and later frames interpolate it."

CHUNK = 1 << 14  # positions worked on at once on a CPU: temporaries stay in the cache


@dataclass(frozen=True)
class Kernel:
    """A separable interpolation: `weights(f)` belong to pixels `first`, first + 1, ...; 0 is the one at or before. `kind` is
    its number in interpolation_compiled; -1 where compiled code does not have it."""

    first: int
    weights: Weights
    kind: int = -1


def _linear(f: torch.Tensor) -> list[torch.Tensor]:
    return [1 - f, f]


def _root(f: torch.Tensor) -> list[torch.Tensor]:
    # Square roots of the bilinear weights: their squares already sum to 1, on each axis and so for the product.
    return [(1 - f).sqrt(), f.sqrt()]


def _cubic(f: torch.Tensor) -> list[torch.Tensor]:
    a = BICUBIC_A

    def near(d: torch.Tensor) -> torch.Tensor:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: torch.Tensor) -> torch.Tensor:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return [far(1 + f), near(f), near(1 - f), far(2 - f)]


def _nearest(f: torch.Tensor) -> list[torch.Tensor]:
    return [(f < 0.5).to(f.dtype), (f >= 0.5).to(f.dtype)]


BILINEAR, BICUBIC = Kernel(0, _linear, 0), Kernel(-1, _cubic, 1)
NEAREST, ROOT_BILINEAR = Kernel(0, _nearest, 2), Kernel(0, _root, 3)


def _compilable(kernel: Kernel, *tensors: torch.Tensor) -> bool:
    """Whether compiled code can work on these: float32 on the processor."""
    there = kernel.kind >= 0 and compiled.available()
    return there and all(tensor.device.type == "cpu" and tensor.dtype == torch.float32 for tensor in tensors)


def interpolate(values: torch.Tensor, positions: torch.Tensor, kernel: Kernel) -> torch.Tensor:
    """`values` (C, H, W) at absolute `positions` (n, 2) in (x, y), pixel centres at (j + 1/2, i + 1/2): (C, n).

    Positions within half a pixel of the border, or beyond, are moved onto the line of border centres, so that all
    weights stay those of the kernel there; bicubic repeats the border pixel for the taps that it lacks. Exact at
    pixel centres. Positions must be finite.
    """
    if _compilable(kernel, values, positions):
        everywhere = torch.ones(len(positions), dtype=torch.int32)
        return _resampled(values, positions, everywhere, torch.empty((len(values), len(positions))), kernel)
    if values.device.type != "cpu" or len(positions) <= CHUNK:
        return _interpolate(values, positions, kernel)
    parts = [_interpolate(values, positions[at : at + CHUNK], kernel) for at in range(0, len(positions), CHUNK)]
    return torch.cat(parts, dim=1)


def _resampled(
    values: torch.Tensor,
    positions: torch.Tensor,
    label: torch.Tensor,
    out: torch.Tensor,
    kernel: Kernel,
    wanted: int = 1,
) -> torch.Tensor:
    """`interpolate` by compiled code where `label` (n,) int32 is `wanted`, into those columns of `out` (C, n)."""
    from gpu.priors.kit import interpolation_compiled

    parts = (part.contiguous().numpy() for part in (values, positions, label))
    field, places, labels = parts
    interpolation_compiled.resample(kernel.kind, field, places, labels, wanted, out.numpy())
    return out


def _interpolate(values: torch.Tensor, positions: torch.Tensor, kernel: Kernel) -> torch.Tensor:
    channels, height, width = values.shape
    columns, across, rows, down = _taps(positions, kernel, height, width)
    flat = values.reshape(channels, height * width)
    total = torch.zeros((channels, len(positions)), dtype=values.dtype, device=values.device)
    for row, weight_y in zip(rows, down, strict=True):
        line = torch.zeros_like(total)
        for column, weight_x in zip(columns, across, strict=True):
            line += flat.index_select(1, row * width + column) * weight_x
        total += line * weight_y
    return total


def _taps(
    positions: torch.Tensor, kernel: Kernel, height: int, width: int
) -> tuple[list[torch.Tensor], list[torch.Tensor], list[torch.Tensor], list[torch.Tensor]]:
    """Columns and their weights, rows and their weights, (n,) each, that `positions` (n, 2) read."""
    x = (positions[:, 0] - 0.5).clamp(0, width - 1)
    y = (positions[:, 1] - 0.5).clamp(0, height - 1)
    left, top = x.floor(), y.floor()
    across, down = kernel.weights(x - left), kernel.weights(y - top)
    j, i = left.long() + kernel.first, top.long() + kernel.first
    columns = [(j + tap).clamp(0, width - 1) for tap in range(len(across))]
    rows = [(i + tap).clamp(0, height - 1) for tap in range(len(down))]
    return columns, across, rows, down


def read_taps(values: torch.Tensor, position: torch.Tensor, kernel: Kernel, source: int) -> Taps:
    """How `interpolate` makes the value at one `position` (2,) of `values` (C, H, W), the noise of frame `source`."""
    _, height, width = values.shape
    columns, across, rows, down = _taps(position[None], kernel, height, width)
    pixels = torch.tensor([[int(column), int(row)] for row in rows for column in columns])
    weights = torch.tensor([float(wx) * float(wy) for wy in down for wx in across], dtype=torch.float64)
    together: dict[tuple[int, int], float] = {}  # at the border taps fall on one pixel
    for (x, y), weight in zip(pixels.tolist(), weights.tolist(), strict=True):
        together[x, y] = together.get((x, y), 0.0) + weight
    held = values[:, [y for _, y in together], [x for x, _ in together]]
    return Taps(
        source=source,
        position=position.cpu().numpy(),
        pixels=np.array(list(together), np.int64),
        weights=np.array(list(together.values()), np.float32),
        values=held.cpu().numpy(),
        value=interpolate(values, position[None], kernel)[:, 0].cpu().numpy(),
        variance=sum(weight * weight for weight in together.values()),
    )


def chained_step(context: PriorContext, previous: NoiseFrame, t: int, kernel: Kernel) -> NoiseFrame:
    """Frame t from frame t-1: n_{t-1} at p + backward(t-1)(p) where that is valid and inside, else fresh white noise.

    A pixel is NEW where it is fresh, else KEPT or INHERITED as the pixel it came from; with the `random` filling it is
    UNDEFINED where fresh, and stays so where it came from an UNDEFINED pixel.
    """
    came_from = step_back(context.motion, t - 1)
    before = previous.state[came_from.row, came_from.column]
    valid = came_from.valid
    if context.transport.fill == "random":
        valid = valid & (before != UNDEFINED)
    position = came_from.position.reshape(-1, 2)
    if _compilable(kernel, previous.noise, position):
        noise = torch.empty_like(previous.noise, memory_format=torch.contiguous_format)
        seen = valid.reshape(-1)
        _resampled(previous.noise, position, seen.to(torch.int32), noise.view(len(noise), -1), kernel)
        write_pixels(noise, torch.nonzero(~seen)[:, 0], context.seed, t)
    else:
        noise = interpolate(previous.noise, position, kernel).reshape(previous.noise.shape)
        if not bool(valid.all()):
            noise = torch.where(valid, noise, context.white(rng.FIELD, t))
    old = torch.where(before == KEPT, KEPT, INHERITED)
    state = torch.where(valid, old, UNDEFINED if context.transport.fill == "random" else NEW)
    return NoiseFrame(noise, state.to(torch.uint8))


@dataclass
class Anchored:
    """A run that interpolates, for each pixel, the noise of its anchor frame at its position there."""

    context: PriorContext
    kernel: Kernel
    _fields: ByteCache[int, torch.Tensor] = field(default_factory=lambda: ByteCache(FIELDS, bytes_of))

    def frame(self, t: int) -> NoiseFrame:
        context = self.context
        track = context.transport.track(t)
        positions, label = track.position.reshape(-1, 2), track.label.reshape(-1)
        noise = (
            self._drawn(positions, label) if _compilable(self.kernel, positions) else self._by_anchor(positions, label)
        )
        return NoiseFrame(noise.reshape(context.channels, context.height, context.width), track.state)

    def _by_anchor(self, positions: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """(C, n) noise of pixels at `positions` in the frames `label`: one anchor after the other."""
        context = self.context
        labels, sizes = torch.unique(label, return_counts=True)
        anchors = [int(anchor) for anchor in labels.tolist()]
        if len(anchors) == 1:
            return interpolate(self._field(anchors[0]), positions, self.kernel)
        noise = torch.empty((context.channels, len(label)), dtype=torch.float32, device=context.device)
        order = torch.argsort(label, stable=True)
        for anchor, pixels in zip(anchors, torch.split(order, sizes.tolist()), strict=True):
            noise[:, pixels] = interpolate(self._field(anchor), positions[pixels], self.kernel)
        return noise

    def _drawn(self, positions: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """The same by compiled code. The noise of anchors that many pixels come from is kept; of the others, whose number grows
        with every frame, what is read is drawn as it is read."""
        from gpu.priors.kit import interpolation_compiled

        context, labels = self.context, label.contiguous()
        low, high = (int(end) for end in torch.aminmax(labels))
        counts = np.zeros(high - low + 1, np.int64)
        interpolation_compiled.count(labels.numpy(), counts, low)
        order = np.argsort(-counts, kind="stable")
        reads = len(self.kernel.weights(torch.zeros(1))) ** 2
        worth = [int(at) for at in order[counts[order] * reads * WORTH > len(label)]] or [int(order[0])]
        held = [at for at in worth if low + at in self._fields]
        further = [at for at in worth if at not in held][:1]  # no frame pays for more than one, however many there are
        room = max(1, FIELDS // (4 * context.channels * len(label)))
        kept = sorted(held + further, key=worth.index)[:room]
        noise = torch.empty((context.channels, len(label)))
        for anchor in (low + int(at) for at in kept):
            _resampled(self._field(anchor), positions, labels, noise, self.kernel, anchor)
        slots = np.full(len(counts), -1, np.int32)
        rest = np.setdiff1d(np.flatnonzero(counts), kept)
        if len(rest):
            slots[rest] = np.arange(len(rest))
            born, channels = (low + rest).tolist(), range(context.channels)
            keys = np.array([[rng.key(context.seed, rng.FIELD, t, c, 0) for c in channels] for t in born], np.uint32)
            interpolation_compiled.draw(
                self.kernel.kind,
                keys,
                slots,
                low,
                positions.contiguous().numpy(),
                labels.numpy(),
                context.height,
                context.width,
                noise.numpy(),
            )
        return noise

    def inspect(self, t: int, x: int, y: int) -> Inspection:
        """See gpu.priors.Inspectable."""
        track = self.context.transport.track(t)
        anchor = int(track.label[y, x])
        taps = read_taps(self._field(anchor), track.position[y, x], self.kernel, anchor)
        state = int(track.state[y, x])
        if t == self.context.shot_start(t):
            sentence = FIRST.format(t=t)
        elif state in (NEW, UNDEFINED):
            sentence = not_followed(self.context.motion, t, x, y, state)
        else:
            sentence = f"Interpolated from the noise that frame {anchor} was born with."
        return Inspection(t, x, y, state, taps.value, taps.value, sentence, taps=taps)

    def _field(self, anchor: int) -> torch.Tensor:
        """The noise anchor frame `anchor` is born with, kept at hand within FIELDS bytes."""
        born = self._fields.get(anchor)
        if born is None:
            born = self._fields[anchor] = self.context.white(rng.FIELD, anchor)
        return born


@dataclass
class ChainedRun:
    """A run that interpolates the previous frame's noise."""

    run: Run
    context: PriorContext
    kernel: Kernel

    def frame(self, t: int) -> NoiseFrame:
        return self.run.frame(t)

    def inspect(self, t: int, x: int, y: int) -> Inspection:
        """See gpu.priors.Inspectable."""
        frame = self.run.frame(t)
        state, value = int(frame.state[y, x]), frame.noise[:, y, x].cpu().numpy()
        if t == self.context.shot_start(t):
            return Inspection(t, x, y, state, value, value, FIRST.format(t=t))
        previous = self.run.frame(t - 1)
        if state in (NEW, UNDEFINED):
            sentence = not_followed(self.context.motion, t, x, y, state)
            return Inspection(t, x, y, state, value, value, sentence)
        position = step_back(self.context.motion, t - 1).position[y, x]
        taps = read_taps(previous.noise, position, self.kernel, t - 1)
        sentence = (
            f"Interpolated from the noise of frame {t - 1}, which is interpolated itself: it loses more in every frame."
        )
        return Inspection(t, x, y, state, taps.value, taps.value, sentence, taps=taps)


def start(context: PriorContext, kernel: Kernel) -> Run:
    """A run that resamples noise with one kernel, in the context's mode; empty is anchored."""
    if context.mode == "chained":
        return ChainedRun(chain(context, lambda before, t: chained_step(context, before, t, kernel)), context, kernel)
    return Anchored(context, kernel)
