"""Covariances of warped noise on a small grid: by theory, from who owns which sub-pixel, and over many draws. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from app.lessons.compute import motions
from app.lessons.compute.draw_statistics import CPU
from gpu.metrics import covariance
from gpu.noise import field, polygons, rng, tracks
from gpu.noise.known_motion import KnownMotion
from gpu.noise.ownership import TorchRasteriser, covered
from gpu.noise.states import NEW
from gpu.noise.tiling import SLOT
from gpu.priors.kit.interpolation import BILINEAR, interpolate

F32 = npt.NDArray[np.float32]

LEVEL, SEGMENTS = 3, 4
N = 4**LEVEL  # sub-pixels of a pixel
CHUNK = 500  # draws made at once

BILINEAR_RULE, OWNED, OVERLAPPING = "bilinear", "integral", "overlapping"
"""How a warped pixel gets its value: interpolation; the sum over the sub-pixels it owns; the sum over all sub-pixels that
its outline covers, whoever else covers them, as no prior should do."""

Places = Callable[[torch.Tensor], torch.Tensor]
"""From positions (H, W, 2) in frame 1 to where the same was seen in frame 0, in pixels."""


@dataclass(frozen=True)
class Warped:
    """A small frame 0 of P = height * width pixels and S = N P sub-pixels, and the frame 1 that takes its noise from it.

    `owned` and `covered` (S, P) are 1 where a sub-pixel is owned, or covered, by a warped pixel, sub-pixels row by row over
    the whole grid. `weights` (P, P): of an anchor pixel (row) in a warped one (column) by bilinear interpolation. `fresh`
    (P,): warped pixels that came into view and are drawn anew. `outlines` (P', m, 2) of the others, pixels of frame 0.
    """

    height: int
    width: int
    owned: torch.Tensor
    covered: torch.Tensor
    weights: torch.Tensor
    positions: torch.Tensor
    fresh: torch.Tensor
    outlines: torch.Tensor

    @property
    def pixels(self) -> int:
        """P."""
        return self.height * self.width

    def own_of(self, rule: str) -> torch.Tensor:
        """The (S, P) incidence that a rule sums over."""
        return self.owned if rule == OWNED else self.covered


@dataclass(frozen=True)
class Covariance:
    """`cross` (P, P): of anchor pixels (rows) with warped ones (columns); `own` (P, P): of warped pixels with each other."""

    cross: torch.Tensor
    own: torch.Tensor


def warp(height: int, width: int, places: Places) -> Warped:
    """Who owns what in frame 0 when frame 1 takes its noise from `places`: by the outlines and the rasteriser of
    gpu.noise. The frame must fit one slot of it: at most SLOT / 2^LEVEL pixels on a side."""
    n = 1 << LEVEL
    assert max(height, width) * n <= SLOT
    start = tracks.fresh(0, height, width, CPU)
    flow = places(start.position) - start.position
    track = tracks.advance(start, 0, KnownMotion(flow), "two-stage")
    fresh = (track.state == NEW).view(-1)
    moving = torch.nonzero(~fresh)[:, 0]
    around = polygons.neighbourhoods(track.position, track.label).view(9, 2, -1)[:, :, moving]
    outlines = polygons.contours(around, LEVEL, SEGMENTS)
    slot = torch.zeros(len(moving), dtype=torch.int64)
    rank = torch.zeros(len(moving), dtype=torch.int32)
    owner = TorchRasteriser().own(outlines, slot, rank, 1)[0, : height * n, : width * n].reshape(-1)
    owned = _incidence(height, width)
    held = torch.nonzero(owner >= 0)[:, 0]
    owned[held, moving[owner[held].long()]] = 1
    claimed = _incidence(height, width)
    for place, key in covered(outlines, slot, rank):
        y, x = place // SLOT, place % SLOT
        inside = (y < height * n) & (x < width * n)
        claimed[(y * width * n + x)[inside], moving[(key & 0xFFFFFFFF)[inside]]] = 1
    fresh = fresh | (owned.sum(0) == 0)  # such as those that others hide
    positions = track.position.view(-1, 2)
    basis = torch.eye(height * width).view(-1, height, width)
    weights = interpolate(basis, positions, BILINEAR)
    weights[:, fresh] = 0
    return Warped(
        height, width, owned, claimed * ~fresh, weights, positions, fresh, outlines.vertices / n
    )  # fmt: skip


def _incidence(height: int, width: int) -> torch.Tensor:
    return torch.zeros((height * width * N, height * width))


def _anchor_incidence(height: int, width: int) -> torch.Tensor:
    """(S, P) 1 where a sub-pixel lies in an anchor pixel."""
    n = 1 << LEVEL
    pixel = torch.arange(height * width).view(height, width)
    pixel = pixel.repeat_interleave(n, 0).repeat_interleave(n, 1).reshape(-1)
    return torch.nn.functional.one_hot(pixel, height * width).to(torch.float32)


def shares(warped: Warped, rule: str = OWNED) -> torch.Tensor:
    """(P, P) whole numbers: how many sub-pixels of an anchor pixel (row) a warped one (column) owns, or covers."""
    return _anchor_incidence(warped.height, warped.width).T @ warped.own_of(rule)


def theory(warped: Warped, rule: str) -> Covariance:
    """The covariances that follow from weights, or from counts.

    Interpolation: the weights w_qp themselves, and sum_q w_qp w_qr. Sums: |Omega_p n q| / sqrt(N |Omega_p|), and
    |Omega_p n Omega_r| / sqrt(|Omega_p| |Omega_r|), because sub-pixels are independent with variance 1/N. Fresh pixels
    have variance 1 and nothing in common with any.
    """
    new = torch.diag(warped.fresh.to(torch.float32))
    if rule == BILINEAR_RULE:
        return Covariance(warped.weights, warped.weights.T @ warped.weights + new)
    incidence = warped.own_of(rule)
    root = incidence.sum(0).clamp(min=1).sqrt()
    common = (incidence.T @ incidence) / (root[:, None] * root)
    return Covariance(shares(warped, rule) / (math.sqrt(N) * root), common + new)


@lru_cache(maxsize=40)
def draws(seed: int, index: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """CHUNK independent draws of frame 0: its pixels (CHUNK, P), its fine field (CHUNK, S), and fresh normals (CHUNK, P).

    The draws lie below each other in one tall plane of noise: another place is another draw.
    """
    top = index * CHUNK * height
    tall = rng.plane(seed, rng.FIELD, 0, 0, 0, top, 0, CHUNK * height, width, CPU)
    fine = field.refine(tall, seed, 0, 0, LEVEL, top, 0)
    fresh = rng.plane(seed, rng.FIELD, 1, 0, 0, top, 0, CHUNK * height, width, CPU)
    return tall.view(CHUNK, -1), fine.view(CHUNK, -1), fresh.view(CHUNK, -1)


def sample(warped: Warped, rule: str, seed: int, index: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(CHUNK, P) anchor pixels of the draws of chunk `index`, and (CHUNK, P) the warped ones."""
    first, fine, fresh = draws(seed, index, warped.height, warped.width)
    if rule == BILINEAR_RULE:
        frames = first.view(CHUNK, warped.height, warped.width)  # draws take the place of channels
        moved = interpolate(frames, warped.positions, BILINEAR)
    else:
        incidence = warped.own_of(rule)
        moved = (fine @ incidence) * torch.sqrt(N / incidence.sum(0).clamp(min=1))
    return first, torch.where(warped.fresh, fresh, moved)


def measure(warped: Warped, rules: tuple[str, ...], seed: int, chunks: int) -> Iterator[dict[str, Covariance]]:
    """Covariances over 1, 2, ... `chunks` chunks of draws. Means are known to be 0, so nothing is subtracted."""
    zero = torch.zeros((warped.pixels, warped.pixels))
    sums = dict.fromkeys(rules, (zero, zero))
    for index in range(chunks):
        n = (index + 1) * CHUNK
        for rule in rules:
            first, moved = sample(warped, rule, seed, index)
            cross, own = sums[rule]
            sums[rule] = cross + first.T @ moved, own + moved.T @ moved
        yield {rule: Covariance(cross / n, own / n) for rule, (cross, own) in sums.items()}


def measure_priors(
    names: tuple[str, ...], width: int, shift: float, seed: int, chunks: int
) -> Iterator[dict[str, Covariance]]:
    """The same of the program's own priors, of a row of `width` pixels that is moved to the right by `shift` pixels: each
    chunk is one run with a channel for each draw."""
    moved = torch.tensor([shift, 0.0]).expand(1, width, 2)
    motion = KnownMotion(-moved, ahead=moved)
    zero = torch.zeros((width, width))
    sums = dict.fromkeys(names, (zero, zero))
    for index in range(chunks):
        for name in names:
            run = motions.run(name, motion, (1, width), 2, CHUNK, seed * 1000 + index)
            first, last = (run.frame(t).noise[:, 0] for t in (0, 1))
            cross, own = sums[name]
            sums[name] = cross + first.T @ last, own + last.T @ last
        n = (index + 1) * CHUNK
        yield {name: Covariance(cross / n, own / n) for name, (cross, own) in sums.items()}


def _compared(measured: Covariance, expected: Covariance, own: bool) -> tuple[F32, F32, F32, F32]:
    """What gpu.metrics.covariance asks for: measured and expected covariances, and the variances of rows and columns."""
    variance = expected.own.diagonal().numpy()
    if own:
        return measured.own.numpy(), expected.own.numpy(), variance, variance
    return measured.cross.numpy(), expected.cross.numpy(), np.ones_like(variance), variance


def scores(measured: Covariance, expected: Covariance, n: int, own: bool) -> torch.Tensor:
    """(m,) deviations from theory in standard errors: of all cross-covariances, or of the own ones, each once."""
    return torch.from_numpy(covariance.counted(covariance.scores(*_compared(measured, expected, own), n), own))


def agreement(measured: Covariance, expected: Covariance, n: int, own: bool) -> covariance.Deviation:
    """How well the cross-covariances, or the own ones, agree with theory, counting that the largest of many is looked at."""
    return covariance.deviation(*_compared(measured, expected, own), n, own)


def largest_deviation(expected: Covariance, n: int, own: bool, p: float) -> float:
    """What the largest deviation of covariances measured on n draws exceeds with probability p, where theory holds."""
    _, theory, rows, columns = _compared(expected, expected, own)
    return covariance.largest_deviation(
        covariance.counted(covariance.standard_errors(theory, rows, columns, 1), own), n, p
    )
