"""Noise with a density that splits where a motion expands and merges where it contracts (Burgert et al. 2025, arXiv
2501.08331, Algorithm 1, written from the paper's description).

Every pixel holds noise q and a density ρ. Each goes along the forward flow to the pixel that it lands in; a pixel that none
lands in takes one along the backward flow, from the pixel that it lands in. A pixel from which d others take is split into d
parts of unit variance, q / √d + Z_i - mean Z, with densities ρ / d: they are independent, and together they still hold q. A
pixel in which several parts meet becomes Σ ρ_i q_i / √(Σ ρ_i²), with density Σ ρ_i. Whole pixels jump, so that frames are
exactly white, and remember more of the frame before than areas could share; but a motion of less than half a pixel a frame
moves nothing.

Unlike in the paper nothing is taken over where the motion is not valid: there a pixel is new, as in every prior of ours.

With `cells` > 1 all this happens on a grid so much finer, along flow that is interpolated, and a pixel of the frame is the sum
of its cells over `cells`.

`step` runs compiled code on the processor (splitting_compiled) and torch anywhere else, with the same values to 1e-5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from gpu import compiled
from gpu.flow import maps
from gpu.noise import rng
from gpu.noise.chain import Chain
from gpu.noise.inspection import Inspection, Shares, not_followed
from gpu.noise.tracks import step_back
from gpu.priors import INHERITED, KEPT, NEW, UNDEFINED, NoiseFrame, PriorContext, Run
from gpu.priors.kit import sequence

PUSHED, PULLED, BORN = 0, 1, 2
"""Levels of rng.SPLIT: what tells parts apart that went forwards, those that were taken backwards, and new cells."""

LEAST = 2.0**-60
"""No density falls below it, so that its square is a number: an endless zoom would halve it for ever."""

FIRST = "Frame {t} is the first of its shot: its noise is drawn afresh, and later frames move it."
CARRIED = "{what} of frame {before} that the motion brings here: {how}."
HOW = {
    False: "one for each place, all of it or a part",
    True: "where several meet, they are added with their densities as weights",
}


@dataclass(frozen=True)
class Mass:
    """The `frame` that is shown, and the noise (C, h, w) and density (h, w) of the cells that it is made of."""

    frame: NoiseFrame
    noise: torch.Tensor
    density: torch.Tensor


@dataclass(frozen=True)
class Edges:
    """Who takes from whom: `state` (H, W) of the frame's pixels and their `position` (H, W, 2) in the frame before; of cells
    (n,), flat indices: where each cell of the frame before is `pushed` to, and from where each cell of the frame is `pulled`,
    -1 where it is not; and from how many, `count`, each cell of the frame before is taken."""

    state: torch.Tensor
    position: torch.Tensor
    pushed: torch.Tensor
    pulled: torch.Tensor
    count: torch.Tensor


def born(context: PriorContext, t: int, cells: int) -> torch.Tensor:
    """(C, h, w) noise of cells that are born in frame t: those of a pixel sum to `cells` times its own new noise."""
    white = context.white(rng.FIELD, t)
    if cells == 1:
        return white
    height, width = context.height * cells, context.width * cells
    detail = rng.white(context.seed, rng.SPLIT, t, context.channels, height, width, context.device, BORN)
    return detail + _over_cells(white / cells - F.avg_pool2d(detail, cells), cells)


def _over_cells(values: torch.Tensor, cells: int) -> torch.Tensor:
    """The same value in all cells of a pixel, on the last two axes."""
    return values.repeat_interleave(cells, -1).repeat_interleave(cells, -2)


def _renew(context: PriorContext, noise: torch.Tensor, fresh: torch.Tensor, t: int, cells: int) -> None:
    """Write what `born` gives into the cells of `noise` (C, h, w) that are `fresh` (h, w), drawing for their pixels alone."""
    y, x = torch.nonzero(F.max_pool2d(fresh[None].float(), cells)[0], as_tuple=True)
    if not len(y):
        return

    def drawn(stream: int, level: int, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        keys = [rng.signed(int(key)) for key in rng.keys(context.seed, stream, t, context.channels, level)]
        planes = torch.tensor(keys, dtype=torch.int32, device=noise.device).view(-1, *[1] * y.ndim)
        return rng.scattered(planes, y.to(torch.int32), x.to(torch.int32))

    values = drawn(rng.FIELD, 0, y, x)[..., None]
    inner = torch.arange(cells**2, device=noise.device)
    y, x = y[:, None] * cells + inner // cells, x[:, None] * cells + inner % cells
    if cells > 1:
        detail = drawn(rng.SPLIT, BORN, y, x)
        values = detail + (values / cells - detail.mean(-1, keepdim=True))
    chosen = fresh[y, x]
    noise[:, y[chosen], x[chosen]] = values[:, chosen]


def start_mass(context: PriorContext, first: int, cells: int) -> Mass:
    """The first frame of a shot."""
    noise = born(context, first, cells)
    return Mass(sequence.born(context, first), noise, torch.ones(noise.shape[1:], device=context.device))


def _finer(flow: torch.Tensor, cells: int) -> torch.Tensor:
    """Flow (H, W, 2) in pixels as (h, w, 2) in cells, bilinear between centres; vectors that are not finite count as 0."""
    if cells == 1:
        return flow
    flow = torch.nan_to_num(flow, 0.0, 0.0, 0.0).permute(2, 0, 1)[None]
    larger = F.interpolate(flow, scale_factor=cells, mode="bilinear", align_corners=False)[0]
    return (larger.permute(1, 2, 0) * cells).contiguous()


def edges(context: PriorContext, previous: NoiseFrame, t: int, cells: int) -> Edges:
    """Who takes from whom between the cells of frame t-1 and frame t."""
    forget = context.transport.fill == "random"
    came_from = step_back(context.motion, t - 1)
    before = previous.state[came_from.row, came_from.column]
    followed = came_from.valid & (before != UNDEFINED) if forget else came_from.valid
    old = torch.where(before == KEPT, KEPT, INHERITED)
    state = torch.where(followed, old, UNDEFINED if forget else NEW).to(torch.uint8)
    backward, forward = (_finer(f(t - 1), cells) for f in (context.motion.backward, context.motion.forward))
    height, width = backward.shape[:2]
    count = torch.zeros(height * width, dtype=torch.int32, device=context.device)
    seen = _over_cells(followed, cells).reshape(-1)
    usable = _over_cells(previous.state != UNDEFINED, cells).reshape(-1) if forget else torch.ones_like(seen)

    lands = maps.pixel_centres(height, width, context.device) + forward
    column, row = lands.floor().reshape(-1, 2).unbind(-1)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & usable
    target = torch.where(inside, row, 0).long() * width + torch.where(inside, column, 0).long()
    moves = inside & seen[target]
    pushed = torch.where(moves, target, -1)
    reached = torch.zeros_like(seen)
    reached[target[moves]] = True

    came = (maps.pixel_centres(height, width, context.device) + backward).reshape(-1, 2)
    within = maps.inside(came, height, width)
    column, row = torch.where(within[:, None], came, 0).floor().long().unbind(-1)
    source = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
    takes = seen & ~reached & within & usable[source]
    pulled = torch.where(takes, source, -1)
    count += moves
    count += torch.bincount(source[takes], minlength=height * width).to(torch.int32)
    return Edges(state, came_from.position, pushed, pulled, count)


def step(context: PriorContext, previous: Mass, t: int, cells: int) -> Mass:
    """Frame t from frame t-1. States are those of gpu.priors.kit.interpolation.chained_step."""
    if context.device.type == "cpu" and compiled.available():
        noise, density, fresh, state = _compiled_step(context, previous, t, cells)
    else:
        links = edges(context, previous.frame, t, cells)
        noise, density, fresh = move(context, previous, links, t)
        state = links.state
    _renew(context, noise, fresh, t, cells)
    shown = noise if cells == 1 else F.avg_pool2d(noise, cells) * cells
    return Mass(NoiseFrame(shown, state), noise, density)


def move(
    context: PriorContext, previous: Mass, links: Edges, t: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noise (C, h, w) and density (h, w) after a step, and (h, w) which cells nothing came to; by torch, on any device."""
    (height, width), channels = previous.density.shape, context.channels
    q, density = previous.noise.reshape(channels, -1), previous.density.reshape(-1)
    moves, takes = torch.nonzero(links.pushed >= 0)[:, 0], torch.nonzero(links.pulled >= 0)[:, 0]
    target, source = links.pushed[moves], links.pulled[takes]
    everywhere = torch.arange(channels, device=q.device)[:, None]
    going, coming = (
        rng.white(context.seed, rng.SPLIT, t, channels, height, width, context.device, level).view(channels, -1)[
            :, chosen
        ]
        for level, chosen in ((PUSHED, moves), (PULLED, takes))
    )
    # With accumulation index_put takes sums in a fixed order on every device.
    drawn = torch.zeros_like(q)
    drawn.index_put_((everywhere, moves[None]), going, accumulate=True)
    drawn.index_put_((everywhere, source[None]), coming, accumulate=True)
    count = links.count.clamp(min=1).to(torch.float32)
    kept, mean = q * count.rsqrt(), drawn / count
    part = density / count

    noise, weight, total = torch.zeros_like(q), torch.zeros_like(density), torch.zeros_like(density)
    mass = part[moves]
    noise.index_put_((everywhere, target[None]), mass * (kept[:, moves] + (going - mean[:, moves])), accumulate=True)
    weight.index_put_((target,), mass * mass, accumulate=True)
    total.index_put_((target,), mass, accumulate=True)
    fresh = weight == 0
    noise = noise * torch.where(fresh, torch.ones_like(weight), weight).rsqrt()
    noise[:, takes] = kept[:, source] + (coming - mean[:, source])
    total[takes] = part[source]
    fresh[takes] = False
    total = torch.where(fresh, torch.ones_like(total), total.clamp(min=LEAST))
    return noise.view(channels, height, width), total.view(height, width), fresh.view(height, width)


def _compiled_step(
    context: PriorContext, previous: Mass, t: int, cells: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    from gpu.priors.kit import splitting_compiled

    back, forth = context.motion.backward(t - 1), context.motion.forward(t - 1)
    made = splitting_compiled.step(
        previous.noise.numpy(),
        previous.density.numpy(),
        previous.frame.state.contiguous().numpy(),
        back.contiguous().numpy(),
        context.motion.valid(t - 1).contiguous().numpy(),
        _finer(back, cells).contiguous().numpy(),
        _finer(forth, cells).contiguous().numpy(),
        context.transport.fill == "random",
        np.stack([rng.keys(context.seed, rng.SPLIT, t, context.channels, level) for level in (PUSHED, PULLED)]),
        LEAST,
    )
    noise, density, fresh, state = (torch.from_numpy(part) for part in made)
    return noise, density, fresh, state


@dataclass(frozen=True)
class SplittingRun:
    """A run that moves whole cells from frame to frame."""

    states: Chain[Mass]
    context: PriorContext
    cells: int

    def frame(self, t: int) -> NoiseFrame:
        return self.states.at(t).frame

    def inspect(self, t: int, x: int, y: int) -> Inspection:
        """See gpu.priors.Inspectable."""
        frame = self.frame(t)
        state, value = int(frame.state[y, x]), frame.noise[:, y, x].cpu().numpy()
        if t == self.context.shot_start(t):
            return Inspection(t, x, y, state, value, value, FIRST.format(t=t))
        if state in (NEW, UNDEFINED):
            return Inspection(t, x, y, state, value, value, not_followed(self.context.motion, t, x, y, state))
        received = self._received(self.states.at(t - 1), t, x, y, value)
        what = "Whole pixels" if self.cells == 1 else f"Cells, {self.cells} × {self.cells} a pixel,"
        sentence = CARRIED.format(what=what, before=t - 1, how=HOW[len(received.pixels) > self.cells**2])
        return Inspection(t, x, y, state, value, value, sentence, shares=received)

    def _received(self, previous: Mass, t: int, x: int, y: int, value: np.ndarray) -> Shares:
        """The parts of a pixel that was followed, drawn once more."""
        cells, channels = self.cells, self.context.channels
        width = self.context.width * cells
        links = edges(self.context, previous.frame, t, cells)
        sources: list[int] = []
        parts: list[torch.Tensor] = []
        weights: list[float] = []
        fresh = torch.zeros(channels, device=self.context.device)
        for cell in [(y * cells + i) * width + x * cells + j for i in range(cells) for j in range(cells)]:
            pushing = torch.nonzero(links.pushed == cell)[:, 0].tolist()
            pulled = int(links.pulled[cell])
            came = [(source, PUSHED, source) for source in pushing] + ([(pulled, PULLED, cell)] if pulled >= 0 else [])
            masses = [float(previous.density.view(-1)[source] / links.count[source]) for source, _, _ in came]
            norm = math.hypot(*masses) * cells
            for (source, level, at), mass in zip(came, masses, strict=True):
                sources.append(source)
                parts.append(self._part(previous, links, t, source, level, at))
                weights.append(mass / norm)
            if not came:
                fresh += born(self.context, t, cells).reshape(channels, -1)[:, cell] / cells
        return Shares(
            source=t - 1,
            position=links.position[y, x].cpu().numpy(),
            pixels=np.array([(source % width, source // width) for source in sources], np.int64).reshape(-1, 2),
            values=previous.noise.reshape(channels, -1)[:, sources].cpu().numpy(),
            shares=(1 / links.count[sources]).to(torch.float32).cpu().numpy(),
            parts=torch.stack(parts, 1).cpu().numpy() if parts else np.zeros((channels, 0), np.float32),
            weights=np.array(weights, np.float32),
            fresh=fresh.cpu().numpy(),
            value=value,
            cells=cells,
        )

    def _part(self, previous: Mass, links: Edges, t: int, source: int, level: int, at: int) -> torch.Tensor:
        """(C,) the part of cell `source` whose detail is drawn at the cell `at` of one level."""
        taken = [(PULLED, cell) for cell in torch.nonzero(links.pulled == source)[:, 0].tolist()]
        if int(links.pushed[source]) >= 0:
            taken.append((PUSHED, source))
        mean = torch.stack([self._detail(t, *place) for place in taken]).mean(0)
        held = previous.noise.reshape(self.context.channels, -1)[:, source]
        return held / math.sqrt(len(taken)) + self._detail(t, level, at) - mean

    def _detail(self, t: int, level: int, cell: int) -> torch.Tensor:
        """(C,) normals at a cell."""
        device, width = self.context.device, self.context.width * self.cells
        keys = [rng.signed(int(key)) for key in rng.keys(self.context.seed, rng.SPLIT, t, self.context.channels, level)]
        at = [torch.tensor([index], dtype=torch.int32, device=device) for index in (cell // width, cell % width)]
        return rng.scattered(torch.tensor(keys, dtype=torch.int32, device=device), *at)


def start(context: PriorContext, cells: int) -> Run:
    """A run that moves whole pixels, or cells of which `cells` lie side by side in a pixel, from frame to frame."""
    pixel = cells**2 * (4 * context.channels + 4) + (4 * context.channels if cells > 1 else 0) + 1
    states: Chain[Mass] = Chain(
        lambda first: start_mass(context, first, cells),
        lambda before, t: step(context, before, t, cells),
        context.shot_start,
        keep=max(1, sequence.BUDGET // (pixel * context.height * context.width)),
    )
    return SplittingRun(states, context, cells)
