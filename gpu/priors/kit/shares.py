"""The shares of the limit k → ∞ with bilinear footprints, carried from frame to frame (Deng et al. 2025, arXiv 2411.01212).

A pixel of frame t lies somewhere between four pixels of frame t-1, and asks each of them for a share of its area: the bilinear
weight w. A source pixel that is asked for S = Σ w in all hands out t = w where S ≤ 1, and t = w / S where it is asked for more
(`whole`: t = w / S always, as published). Its value x is cut into all shares at once: with e_r ~ N(0, t_r) and
e_0 ~ N(0, 1 - Σ t) for what nobody asked for,

    share_r = e_r + t_r (x - Σ e - e_0)

are independent, of variance t_r, and have covariance t_r with x. A pixel is the sum of the shares that it received over the
root of their total. So frames are exactly white, without sub-pixels; the part of a footprint that lies outside the frame holds
nothing and asks nothing.

`step` runs compiled code on the processor (shares_compiled) and torch anywhere else, with the same values to 1e-5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from gpu import compiled
from gpu.noise import rng
from gpu.noise.inspection import Inspection, Shares, not_followed
from gpu.noise.tracks import step_back
from gpu.priors import INHERITED, KEPT, NEW, UNDEFINED, NoiseFrame, PriorContext, Run
from gpu.priors.kit.sequence import chain

TAPS, REST = (0, 1, 2, 3), (4, 5)
"""Levels of rng.SHARES: words for the normals of the four taps, and for those of what nobody asked for."""

UNIT = 2.0**24
"""Weights are whole numbers of units, and S is a sum of whole numbers: the same in whatever order, so that the variance of
e_0, which may be next to nothing, is that of every device."""

FIRST = "Frame {t} is the first of its shot: its noise is drawn afresh, and later frames take shares of it."
CARRIED = (
    "Shares of the pixels of frame {before} that it covers: each value is cut into the shares that are asked for, and the "
    "detail that tells these apart is drawn now. So it loses more of what frame 0 was in every frame."
)


def step(context: PriorContext, previous: NoiseFrame, t: int, whole: bool) -> NoiseFrame:
    """Frame t from frame t-1; `whole`: source pixels hand out all they have, also where less is asked for. States are those
    of gpu.priors.kit.interpolation.chained_step; random fill is never read again."""
    if context.device.type == "cpu" and compiled.available():
        return _compiled_step(context, previous, t, whole)
    return torch_step(context, previous, t, whole)


def torch_step(context: PriorContext, previous: NoiseFrame, t: int, whole: bool) -> NoiseFrame:
    """`step` by torch, on any device."""
    asked = ask(context, previous, t, whole)
    channels = context.channels
    noise = previous.noise.reshape(channels, -1)
    drawn, own = torch.zeros_like(noise), torch.zeros_like(noise)
    everywhere = torch.arange(channels, device=noise.device)[:, None]
    for tap, normal in enumerate(_tap_normals(context, t)):
        drawing = normal.view(channels, -1) * asked.share[tap].sqrt()
        own += drawing
        # With accumulation index_put takes sums in a fixed order on every device.
        drawn.index_put_((everywhere, asked.source[tap][None]), drawing, accumulate=True)
    residual = noise - drawn - asked.rest.sqrt() * _rest_normals(context, t).view(channels, -1)
    for tap in TAPS:
        own += asked.share[tap] * residual[:, asked.source[tap]]
    made = (own * asked.total.rsqrt()).view(previous.noise.shape)
    followed = asked.state < NEW
    if not bool(followed.all()):
        made = torch.where(followed, made, context.white(rng.FIELD, t))
    return NoiseFrame(made, asked.state)


@dataclass(frozen=True)
class Asked:
    """What the pixels of a frame ask for: their `state` (H, W) and their `position` (H, W, 2) in the frame before; by tap and
    pixel, (4, H W), the `source` pixel (flat index) and the `share` of it, 0 of what is not followed or holds nothing; their
    `total` (H W,) by pixel, 1 where it would be 0; and the `rest` (H W,) of each source pixel that nobody gets."""

    state: torch.Tensor
    position: torch.Tensor
    source: torch.Tensor
    share: torch.Tensor
    total: torch.Tensor
    rest: torch.Tensor


def ask(context: PriorContext, previous: NoiseFrame, t: int, whole: bool) -> Asked:
    """The shares that frame t asks of frame t-1."""
    height, width = context.height, context.width
    forget = context.transport.fill == "random"
    came_from = step_back(context.motion, t - 1)
    before = previous.state[came_from.row, came_from.column]
    followed = came_from.valid & (before != UNDEFINED) if forget else came_from.valid
    old = torch.where(before == KEPT, KEPT, INHERITED)
    state = torch.where(followed, old, UNDEFINED if forget else NEW).to(torch.uint8)
    x, y = (came_from.position - 0.5).reshape(-1, 2).unbind(-1)
    left, top = x.floor(), y.floor()
    right, below = x - left, y - top
    column, row = left.long(), top.long()
    held = previous.state.reshape(-1) != UNDEFINED if forget else None
    sources, weights = [], []
    for tap in TAPS:
        c, r = column + (tap & 1), row + (tap >> 1)
        weight = (right if tap & 1 else 1 - right) * (below if tap >> 1 else 1 - below)
        has = followed.reshape(-1) & (c >= 0) & (c < width) & (r >= 0) & (r < height)
        source = r.clamp(0, height - 1) * width + c.clamp(0, width - 1)
        if held is not None:
            has &= held[source]
        sources.append(source)
        weights.append(torch.where(has, (weight * UNIT + 0.5).long(), 0))
    source, weight = torch.stack(sources), torch.stack(weights)
    units = torch.zeros(height * width, dtype=torch.int64, device=context.device)
    units.index_put_((source.reshape(-1),), weight.reshape(-1), accumulate=True)
    asked = units.to(torch.float32) * (1 / UNIT)
    divided = units > (0 if whole else int(UNIT))
    divisor = torch.where(divided, asked, torch.ones_like(asked))
    share = weight.to(torch.float32) * (1 / UNIT) / divisor[source]
    total = share.sum(0)
    rest = torch.where(divided, torch.zeros_like(asked), (1 - asked).clamp(min=0))
    return Asked(state, came_from.position, source, share, torch.where(total > 0, total, torch.ones_like(total)), rest)


def _words(context: PriorContext, t: int, channel: int, level: int) -> torch.Tensor:
    plane = rng.key(context.seed, rng.SHARES, t, channel, level)
    return rng.words(plane, 0, 0, context.height, context.width, context.device)


def _tap_normals(context: PriorContext, t: int) -> list[torch.Tensor]:
    """(C, H, W) of each tap, at the pixel that asks."""
    normals: list[torch.Tensor] = []
    for first in (0, 2):
        pairs = [
            rng.pairs(_words(context, t, channel, first), _words(context, t, channel, first + 1))
            for channel in range(context.channels)
        ]
        normals += [torch.stack(part) for part in zip(*pairs)]
    return normals


def _rest_normals(context: PriorContext, t: int) -> torch.Tensor:
    """(C, H, W) at the source pixel: one pair for two channels."""
    planes: list[torch.Tensor] = []
    for channel in range(0, context.channels, 2):
        planes += rng.pairs(*(_words(context, t, channel, level) for level in REST))
    return torch.stack(planes[: context.channels])


def _compiled_step(context: PriorContext, previous: NoiseFrame, t: int, whole: bool) -> NoiseFrame:
    from gpu.priors.kit import shares_compiled

    def keys(stream: int, level: int = 0) -> np.ndarray:
        return rng.keys(context.seed, stream, t, context.channels, level)

    noise, state = shares_compiled.step(
        previous.noise.contiguous().numpy(),
        previous.state.contiguous().numpy(),
        context.motion.backward(t - 1).contiguous().numpy(),
        context.motion.valid(t - 1).contiguous().numpy(),
        context.transport.fill == "random",
        whole,
        keys(rng.FIELD),
        np.stack([keys(rng.SHARES, level) for level in (*TAPS, *REST)]),
    )
    return NoiseFrame(torch.from_numpy(noise), torch.from_numpy(state))


@dataclass(frozen=True)
class SharesRun:
    """A run that hands out shares from frame to frame."""

    run: Run
    context: PriorContext
    whole: bool

    def frame(self, t: int) -> NoiseFrame:
        return self.run.frame(t)

    def inspect(self, t: int, x: int, y: int) -> Inspection:
        """See gpu.priors.Inspectable."""
        frame = self.run.frame(t)
        state, value = int(frame.state[y, x]), frame.noise[:, y, x].cpu().numpy()
        if t == self.context.shot_start(t):
            return Inspection(t, x, y, state, value, value, FIRST.format(t=t))
        if state in (NEW, UNDEFINED):
            return Inspection(t, x, y, state, value, value, not_followed(self.context.motion, t, x, y, state))
        received = self._received(self.run.frame(t - 1), t, x, y, value)
        return Inspection(t, x, y, state, value, value, CARRIED.format(before=t - 1), shares=received)

    def _received(self, previous: NoiseFrame, t: int, x: int, y: int, value: np.ndarray) -> Shares:
        """The shares of a pixel that was followed, drawn once more."""
        width = self.context.width
        asked = ask(self.context, previous, t, self.whole)
        pixel = y * width + x
        taps = [tap for tap in TAPS if float(asked.share[tap, pixel]) > 0]
        sources = [int(asked.source[tap, pixel]) for tap in taps]
        share = asked.share[taps, pixel]
        own = torch.stack([self._drawing(asked, t, tap, pixel) for tap in taps], 1)
        residual = torch.stack([self._residual(previous, asked, t, source) for source in sources], 1)
        held = previous.noise.reshape(self.context.channels, -1)[:, sources]
        return Shares(
            source=t - 1,
            position=asked.position[y, x].cpu().numpy(),
            pixels=np.array([(source % width, source // width) for source in sources], np.int64),
            values=held.cpu().numpy(),
            shares=share.cpu().numpy(),
            parts=(own + share * residual).cpu().numpy(),
            weights=(torch.ones_like(share) * asked.total[pixel].rsqrt()).cpu().numpy(),
            fresh=np.zeros(self.context.channels, np.float32),
            value=value,
        )

    def _drawing(self, asked: Asked, t: int, tap: int, pixel: int) -> torch.Tensor:
        """(C,) e_r of the share that a pixel asks of its tap."""
        first = tap & 2
        levels = range(self.context.channels)
        pairs = [self._pair(t, channel, (first, first + 1), pixel) for channel in levels]
        return asked.share[tap, pixel].sqrt() * torch.stack([pair[tap & 1] for pair in pairs])

    def _residual(self, previous: NoiseFrame, asked: Asked, t: int, source: int) -> torch.Tensor:
        """(C,) of a source pixel: its value less all that is drawn of it."""
        channels = self.context.channels
        left = previous.noise.reshape(channels, -1)[:, source].clone()
        claims = torch.nonzero((asked.source == source) & (asked.share > 0))
        for tap, pixel in claims.tolist():
            left -= self._drawing(asked, t, tap, pixel)
        normals = [
            normal for channel in range(0, channels, 2) for normal in self._pair(t, channel, (REST[0], REST[1]), source)
        ]
        return left - asked.rest[source].sqrt() * torch.stack(normals[:channels])

    def _pair(self, t: int, channel: int, levels: tuple[int, int], pixel: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Two normals at a pixel."""
        device, width = self.context.device, self.context.width
        at = [torch.tensor([index], dtype=torch.int32, device=device) for index in (pixel // width, pixel % width)]
        planes = [rng.signed(rng.key(self.context.seed, rng.SHARES, t, channel, level)) for level in levels]
        words = [rng.words_at(torch.tensor([plane], dtype=torch.int32, device=device), *at) for plane in planes]
        first, second = rng.pairs(words[0], words[1])
        return first[0], second[0]


def start(context: PriorContext, whole: bool) -> Run:
    """A run that hands out shares from frame to frame; `whole` as of `step`."""
    return SharesRun(chain(context, lambda before, t: step(context, before, t, whole)), context, whole)
