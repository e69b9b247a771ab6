"""The rasteriser's protocol, the choice of backend, and the torch backend: who owns which sub-pixel.

Both backends see the same snapped vertices and keep, at each sub-pixel that several polygons cover, the one of smallest
rank (forward-backward error), then the earliest one. Ownership is unique by construction, which is what keeps transported
noise white also where the map folds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Protocol

import torch

from gpu.noise import field
from gpu.noise.polygons import SNAP, Contours
from gpu.noise.prefix_sums import PrefixSums
from gpu.noise.tiling import SLOT
from gpu.noise.tracks import Track

NONE_SPENT: Mapping[int, torch.Tensor] = MappingProxyType({})

OWNER = 0xFFFFFFFF
TESTS = 1 << 19  # sub-pixels tested against edges at once: temporaries of two megabytes


class Rasteriser(Protocol):
    """Turns polygons into ownership.

    own(outlines, slot (n,), rank (n,), slots): positions of the n outlines are in sub-pixels relative to the upper left
    corner of their slot, `rank` int32 in 0..255. Polygons are clipped to their slot. Where `convex` is set the outline is
    the 4 corners (every m/4-th vertex), elsewhere the union of the triangles between the centre and the sides. Returns
    (slots, SLOT, SLOT) int32: the index of the owning polygon, or -1.
    """

    @property
    def name(self) -> str:
        """What the window shows."""
        ...

    @property
    def capacity(self) -> int:
        """The most slots of one call."""
        ...

    def own(self, outlines: Contours, slot: torch.Tensor, rank: torch.Tensor, slots: int) -> torch.Tensor: ...

    @property
    def by_edges(self) -> bool:
        """Whether what pixels own is found by walking edges (gpu.noise.edges, gpu.noise.walking), not by drawing."""
        ...

    @property
    def on_a_device(self) -> bool:
        """Whether it has a device of its own for that: whether `walk` is to be asked."""
        ...

    def walk(
        self, track: Track, error: torch.Tensor, sums: PrefixSums, k: int, s: int, channels: int, anchors: list[int],
        spent: Mapping[int, torch.Tensor] = NONE_SPENT,
    ) -> tuple[torch.Tensor, torch.Tensor] | None:  # fmt: skip
        """Noise (C, H, W) and counts (H, W) of the pixels that are carried from `anchors`, by edges on a device of its own;
        None where torch or compiled code does it. See gpu.noise.walking.gather. What is `spent` of an anchor nobody owns:
        (n, 3) stretches of cells, the row, the first column and the one after the last."""
        ...

    def cells(
        self, values: torch.Tensor, seed: int, anchor: int, channel: int, k: int, y0: int, x0: int
    ) -> torch.Tensor:
        """See gpu.noise.field.cells."""
        ...

    def close(self) -> None: ...


class TorchRasteriser:
    """Rasteriser on any torch device: candidates of each polygon's bounding box, tested and merged by a scattered minimum."""

    capacity = 64

    def __init__(self) -> None:
        self.name = "torch"

    def close(self) -> None:
        """Nothing to release."""

    @property
    def by_edges(self) -> bool:
        """See Rasteriser."""
        return True

    @property
    def on_a_device(self) -> bool:
        """See Rasteriser: torch and compiled code work where the track is."""
        return False

    def walk(self, *_: object) -> None:
        """See Rasteriser."""

    def cells(
        self, values: torch.Tensor, seed: int, anchor: int, channel: int, k: int, y0: int, x0: int
    ) -> torch.Tensor:
        """See gpu.noise.field.cells."""
        return field.cells(values, seed, anchor, channel, k, y0, x0)

    def own(self, outlines: Contours, slot: torch.Tensor, rank: torch.Tensor, slots: int) -> torch.Tensor:
        """See Rasteriser."""
        nobody = torch.iinfo(torch.int64).max
        best = torch.full((slots * SLOT * SLOT,), nobody, dtype=torch.int64, device=slot.device)
        for place, key in covered(outlines, slot, rank):
            best.scatter_reduce_(0, place, key, reduce="amin", include_self=True)
        owner = torch.where(best == nobody, -1, best & OWNER)
        return owner.to(torch.int32).view(slots, SLOT, SLOT)


def covered(outlines: Contours, slot: torch.Tensor, rank: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Pairs of a covered sub-pixel, (slot * SLOT + y) * SLOT + x, and a key, in blocks; arguments as in Rasteriser.own.

    Of the keys that claim a sub-pixel the smallest owns it; `key & OWNER` is the polygon, of which the first comes first among
    equal ranks.
    """
    vertices, convex = outlines.vertices, outlines.convex
    order = torch.arange(len(vertices), device=vertices.device)
    keys = (rank.to(torch.int64) << 32) | order
    corners = vertices[:, :: vertices.shape[1] // 4]
    for chosen, outline in ((convex, corners), (~convex, vertices)):
        index = torch.nonzero(chosen)[:, 0]
        if len(index):
            middle = None if outline is corners else outlines.centre[index]
            yield from _candidates(outline[index], middle, slot[index], keys[index])


def _candidates(
    outline: torch.Tensor, centre: torch.Tensor | None, slot: torch.Tensor, keys: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    # A sub-pixel x belongs to the box when its centre x + 1/2 does.
    least, most = outline.amin(1), outline.amax(1)
    if centre is not None:  # which may lie outside of its sides
        least, most = torch.minimum(least, centre), torch.maximum(most, centre)
    low = torch.ceil(least - 0.5).clamp(0, SLOT).to(torch.int64)
    high = (torch.floor(most - 0.5) + 1).clamp(0, SLOT).to(torch.int64)
    extent = (high - low).clamp(min=0)
    # Boxes of like size are worked on together, in steps of 2 sub-pixels for small ones and 16 for large ones.
    step = torch.where(extent <= 16, 2, 16)
    size = torch.where((extent > 0).all(1, keepdim=True), (extent + step - 1) // step * step, 0)
    kinds = size[:, 0] * (2 * SLOT) + size[:, 1]
    for kind in torch.unique(kinds).tolist():
        width, height = divmod(kind, 2 * SLOT)
        if width == 0 or height == 0:
            continue
        members = torch.nonzero(kinds == kind)[:, 0]
        at_once = max(1, TESTS // (width * height * outline.shape[1]))
        grid_y = torch.arange(height, device=outline.device).repeat_interleave(width)
        grid_x = torch.arange(width, device=outline.device).repeat(height)
        at = torch.stack([grid_x, grid_y]).to(torch.float32) + 0.5
        for start in range(0, len(members), at_once):
            some = members[start : start + at_once]
            # Relative to the box, coordinates are small multiples of the snapping step and products of them exact.
            origin = low[some].to(torch.float32)
            shape = outline[some] - origin[:, None]
            if centre is None:
                inside = _in_convex(shape, at)
            else:
                inside = _in_fan(shape, centre[some] - origin, at)
            room = (high - low)[some].to(torch.float32)
            inside &= (at[0] < room[:, 0:1]) & (at[1] < room[:, 1:2])
            which, place = torch.nonzero(inside, as_tuple=True)
            which = some[which]
            yield (
                (slot[which] * SLOT + low[which, 1] + grid_y[place]) * SLOT + low[which, 0] + grid_x[place],
                keys[which],
            )


def _in_convex(corners: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """(n, q) whether points (2, q) lie in convex polygons (n, m, 2) of either orientation."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    turn = torch.sign(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    return (_sides(corners, corners.roll(-1, 1), turn[:, None].expand(corners.shape[:2]), at) > 0).all(1)


def _in_fan(corners: torch.Tensor, centre: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """(n, q) whether points lie in any triangle (centre, vertex i, vertex i+1), of either orientation."""
    following = corners.roll(-1, 1)
    spoke = corners - centre[:, None]
    turn = torch.sign(spoke[..., 0] * spoke.roll(-1, 1)[..., 1] - spoke[..., 1] * spoke.roll(-1, 1)[..., 0])
    outer = _sides(corners, following, turn, at) > 0
    rays = _cross(centre[:, None].expand_as(corners), corners, at)
    # A point on a spoke counts for both triangles, one of which would have it by the top-left rule.
    outer &= (rays * turn[..., None] >= 0) & (rays.roll(-1, 1) * turn[..., None] <= 0)
    return outer.any(1)


def _cross(start: torch.Tensor, end: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """(n, m, q) cross products (end - start) x (at - start) of lines (n, m, 2) with points `at` (2, q)."""
    edge = end - start
    offset = edge[..., 1] * start[..., 0] - edge[..., 0] * start[..., 1]
    coefficients = torch.stack([-edge[..., 1], edge[..., 0], offset], -1)
    homogeneous = torch.cat([at, torch.ones_like(at[:1])])
    return (coefficients.reshape(-1, 3) @ homogeneous).view(*edge.shape[:2], -1)


def _sides(start: torch.Tensor, end: torch.Tensor, turn: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """(n, m, q) positive where points lie on the inner side of edges of outlines that turn `turn` (n, m), -1, 0 or 1.

    A point on an edge is inside when the edge is a top or a left edge (y down).
    """
    edge = (end - start) * turn[..., None]
    first = (edge[..., 1] < 0) | ((edge[..., 1] == 0) & (edge[..., 0] > 0))  # clockwise on the screen: left edges go up
    # Crosses are whole multiples of 1 / (2 SNAP^2), so a quarter of that turns >= into >.
    tie = torch.where(first, 0.25, -0.25) / (SNAP * SNAP)
    return _cross(start, end, at) * turn[..., None] + tie[..., None]
