"""What one pixel of noise is made of: its outline in the anchor frame, the sub-pixels it owns or the pixels it reads.

Everything is asked of the code that makes the noise (Transport, the rasteriser, the fine field), for one pixel; nothing is
computed a second way, so that the numbers shown are those that were used.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from gpu.noise import field, polygons, rng, sparse
from gpu.noise.ownership import SLOT, covered
from gpu.noise.states import NEW, UNDEFINED
from gpu.noise.tracks import Motion, Track
from gpu.noise.transport import Pieces, Transport

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Neighbour:
    """A pixel (x, y) beside the one inspected, and its outline (m, 2) in the same anchor frame."""

    x: int
    y: int
    polygon: F32


@dataclass(frozen=True)
class Footprint:
    """The outline `polygon` (m, 2) of a pixel in frame `anchor`, in pixels, around `position` (2,), and the sub-pixels of level
    k that it owns: their places (n, 2) in sub-pixels and what they hold, (C, n).

    `area` of the outline in px^2; `jacobian` the determinant of the map's derivative; `covered` sub-pixels have their centre
    in the outline, of which other pixels own n less. The pixel's value (C,) is `total` (C,) times sqrt(N_k / n).
    """

    anchor: int
    position: F32
    polygon: F32
    neighbours: tuple[Neighbour, ...]
    level: int
    subpixels: I64
    values: F32
    area: float
    jacobian: float
    covered: int
    total: F32
    value: F32

    @property
    def count(self) -> int:
        """How many sub-pixels are owned: |Omega|."""
        return len(self.subpixels)


@dataclass(frozen=True)
class Taps:
    """The pixels (n, 2) of frame `source` that interpolation at `position` (2,) reads, their weights (n,) and what they hold,
    (C, n); `value` (C,) is the weighted sum, and `variance` the sum of the squared weights: the variance of the value."""

    source: int
    position: F32
    pixels: I64
    weights: F32
    values: F32
    value: F32
    variance: float


@dataclass(frozen=True)
class Inspection:
    """Pixel (x, y) of frame t of one column: its `state` (gpu.noise.tracks), the prior's `own` value (C,), the `value` (C,)
    that is shown, which differs where `gamma` mixes `mixed` (C,) in, a sentence, and what the own value is made of."""

    t: int
    x: int
    y: int
    state: int
    own: F32
    value: F32
    sentence: str
    footprint: Footprint | None = None
    taps: Taps | None = None
    gamma: float = 0.0
    mixed: F32 | None = None


def integral(transport: Transport, t: int, x: int, y: int, channels: int) -> Inspection:
    """How pixel (x, y) of frame t gets its integral noise."""
    track = transport.prepared(t, channels)
    state = int(transport.transported(t).state[y, x])
    first = transport.is_first(t)
    if not first and state not in (NEW, UNDEFINED):
        found = _gathered(transport, track, t, x, y, channels)
        sentence = (
            f"Carried from frame {found.anchor}: the sum of the sub-pixels it owns there, brought back to variance 1."
        )
        return Inspection(t, x, y, state, found.value, found.value, sentence, footprint=found)
    found = _born(transport, t, x, y, channels)
    if first:
        sentence = (
            f"Frame {t} is the first of its shot: noise is born here, as the integral over the pixel's own square."
        )
    elif int(track.state[y, x]) in (NEW, UNDEFINED):
        sentence = not_followed(transport.motion, t, x, y, state)
    else:
        sentence = _owns_nothing(_gathered(transport, track, t, x, y, 0), state)
    return Inspection(t, x, y, state, found.value, found.value, sentence, footprint=found)


def not_followed(motion: Motion, t: int, x: int, y: int, state: int) -> str:
    """Why pixel (x, y) of frame t took nothing over from frame t - 1."""
    flow = motion.backward(t - 1)
    height, width = flow.shape[:2]
    at_x, at_y = x + 0.5 + float(flow[y, x, 0]), y + 0.5 + float(flow[y, x, 1])
    if not (0 <= at_x <= width and 0 <= at_y <= height):
        why = f"came into view: it was at ({at_x:.1f}, {at_y:.1f}) in frame {t - 1}, outside the picture"
    elif not bool(motion.valid(t - 1)[y, x]):
        why = f"was not seen in frame {t - 1}: its motion fails the forward-backward check, or the truth says so"
    else:
        why = f"stands where frame {t - 1} had no noise to carry on"
    return f"This pixel {why}. {_fresh(state)}"


def _fresh(state: int) -> str:
    if state == UNDEFINED:
        return "Random fill gives it fresh noise, which is thrown away after this frame."
    return "It opens an anchor here: fresh noise, which later frames carry on."


def _owns_nothing(found: Footprint, state: int) -> str:
    if found.covered:
        where = f"covers {found.covered} sub-pixels of frame {found.anchor}, and pixels in front own all of them: the map folds"
    else:
        where = f"has shrunk to {abs(found.area):.2g} px² of frame {found.anchor} and covers no sub-pixel's centre"
    return f"The outline of this pixel {where}. {_fresh(state)}"


def _born(transport: Transport, t: int, x: int, y: int, channels: int) -> Footprint:
    """A pixel whose noise is born in frame t: it owns all sub-pixels of its own square."""
    n = 1 << transport.k
    inner_y, inner_x = np.divmod(np.arange(n * n), n)
    parts = torch.stack(
        [
            transport.rasteriser.refine(
                rng.plane(transport.seed, rng.FIELD, t, channel, 0, y, x, 1, 1, transport.device),
                transport.seed, t, channel, transport.k, y, x,
            ).reshape(-1)
            for channel in range(channels)
        ]
    )  # fmt: skip
    noise = torch.zeros((channels, transport.height, transport.width), device=transport.device)
    place = torch.tensor([y * transport.width + x], device=transport.device)
    field.write_pixels(noise, place, transport.seed, t)
    square = np.array([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)], np.float32)
    beside = [
        Neighbour(x + dx, y + dy, square + np.array([dx, dy], np.float32))
        for dx, dy in _around(transport, x, y)
    ]  # fmt: skip
    return Footprint(
        anchor=t,
        position=np.array([x + 0.5, y + 0.5], np.float32),
        polygon=square,
        neighbours=tuple(beside),
        level=transport.k,
        subpixels=np.stack([x * n + inner_x, y * n + inner_y], 1),
        values=parts.cpu().numpy(),
        area=1.0,
        jacobian=1.0,
        covered=n * n,
        total=parts.double().sum(1).float().cpu().numpy(),
        value=noise[:, y, x].cpu().numpy(),
    )


def _gathered(transport: Transport, track: Track, t: int, x: int, y: int, channels: int) -> Footprint:
    """What a pixel that frame t's track moves owns in its anchor frame."""
    pieces = transport.pieces(track, t)
    polygon = _polygon_of(pieces, y * transport.width + x)
    assert polygon is not None
    scale = float(1 << transport.k)
    outline = pieces.contours.vertices[polygon]
    label = int(track.label[y, x])
    subpixels, values = _owned(transport, pieces, polygon, channels)
    total = values.double().sum(1).float()
    count = torch.tensor(len(subpixels), device=transport.device)
    beside = []
    for dx, dy in _around(transport, x, y):
        other = _polygon_of(pieces, (y + dy) * transport.width + x + dx)
        if other is not None and int(track.label[y + dy, x + dx]) == label:
            shape = (pieces.contours.vertices[other] / scale).cpu().numpy()
            beside.append(Neighbour(x + dx, y + dy, shape))
    return Footprint(
        anchor=label,
        position=track.position[y, x].cpu().numpy(),
        polygon=(outline / scale).cpu().numpy(),
        neighbours=tuple(beside),
        level=transport.k,
        subpixels=subpixels.cpu().numpy(),
        values=values.cpu().numpy(),
        area=float(polygons.areas(outline[None])[0]) / scale**2,
        jacobian=_jacobian(track, x, y),
        covered=_covered(transport, pieces, polygon),
        total=total.cpu().numpy(),
        value=transport.normalised(total, count).cpu().numpy(),
    )


def _around(transport: Transport, x: int, y: int) -> list[tuple[int, int]]:
    """Offsets (dx, dy) to the up to eight neighbours inside the frame."""
    return [
        (dx, dy)
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        if (dx or dy) and 0 <= x + dx < transport.width and 0 <= y + dy < transport.height
    ]


def _polygon_of(pieces: Pieces, pixel: int) -> int | None:
    """The number of the polygon that belongs to a pixel (flat index); None where the pixel is not moved."""
    at = int(torch.searchsorted(pieces.pixel, torch.tensor(pixel, device=pieces.pixel.device)))
    return at if at < len(pieces.pixel) and int(pieces.pixel[at]) == pixel else None


def _owned(transport: Transport, pieces: Pieces, polygon: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Places (n, 2) and values (C, n) of the sub-pixels that a polygon owns, against all that it meets."""
    touched = pieces.piece[pieces.polygon == polygon]
    near = torch.isin(pieces.piece, touched)
    some = dataclasses.replace(pieces, polygon=pieces.polygon[near], piece=pieces.piece[near])
    places, values = [], []
    if len(some.polygon):
        given = transport.sorted(some)
        parts = torch.split(given.many, given.sizes.tolist())
        for number, pairs in enumerate(parts):
            name = given.names[number : number + 1]
            owner = transport.owners(some, pairs, name, given.sizes[number : number + 1])[0]
            mine = torch.nonzero(some.polygon[pairs] == polygon)[:, 0]
            row, column = torch.nonzero(torch.isin(owner, mine.to(owner.dtype)), as_tuple=True)
            places.append(torch.stack([column, row], 1) + transport.corners(name))
            fine = [transport.fine_piece(int(name), channel)[row, column] for channel in range(channels)]
            values.append(torch.stack(fine) if fine else torch.zeros((0, len(row)), device=transport.device))
        if len(given.few):
            owned = transport.claims(some, given)
            mine = some.polygon[given.few][owned.owner] == polygon
            owned = sparse.Claims(owned.owner[mine], owned.label[mine], owned.x[mine], owned.y[mine])
            places.append(torch.stack([owned.x, owned.y], 1))
            fine = list(sparse.values(owned, transport.blocks, channels)) if channels else []
            values.append(torch.stack(fine) if fine else torch.zeros((0, len(owned.x)), device=transport.device))
    if not places:
        none = torch.zeros((0, 2), dtype=torch.int64, device=transport.device)
        return none, torch.zeros((channels, 0), device=transport.device)
    return torch.cat(places), torch.cat(values, 1)


def _covered(transport: Transport, pieces: Pieces, polygon: int) -> int:
    """How many sub-pixels' centres inside the frame lie in the outline, whoever owns them."""
    names = pieces.piece[pieces.polygon == polygon]
    if not len(names):
        return 0
    corners = transport.corners(names)
    chosen = torch.full((len(names),), polygon, device=names.device)
    slot = torch.arange(len(names), device=names.device)
    outlines = pieces.contours.relative(chosen, corners.to(torch.float32))
    places = [place for place, _ in covered(outlines, slot, torch.zeros_like(slot, dtype=torch.int32))]
    if not places:
        return 0
    place = torch.unique(torch.cat(places))
    at = place // (SLOT * SLOT)
    x, y = corners[at, 0] + place % SLOT, corners[at, 1] + place // SLOT % SLOT
    return int(((x < transport.width << transport.k) & (y < transport.height << transport.k)).sum())


def _jacobian(track: Track, x: int, y: int) -> float:
    """Determinant of the map's derivative at a pixel, from the same neighbourhood that its outline is made of."""
    rows, columns = slice(max(0, y - 1), y + 2), slice(max(0, x - 1), x + 2)
    around = polygons.neighbourhoods(track.position[rows, columns], track.label[rows, columns])
    return float(polygons.jacobian(around[:, :, y - rows.start, x - columns.start, None])[0])
