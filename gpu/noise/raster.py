"""The rasteriser's protocol, the choice of backend, and the torch backend: who owns which sub-pixel.

Both backends see the same snapped vertices and keep, at each sub-pixel that several polygons cover, the one of smallest
rank (forward-backward error), then the earliest one. Ownership is unique by construction, which is what keeps transported
noise white also where the map folds.
"""

from __future__ import annotations

from typing import Protocol

import torch

SLOT = 256
"""Edge of a slot in sub-pixels: rasterising works on square pieces of anchor frames, so that memory is bounded."""


class Rasteriser(Protocol):
    """Turns polygons into ownership.

    own(vertices (n, m, 2), centre (n, 2), convex (n,), slot (n,), rank (n,), slots): positions are in sub-pixels relative
    to the upper left corner of the polygon's slot, `rank` int32 in 0..255. Polygons are clipped to their slot. Where
    `convex` is set the outline is the 4 corners (every m/4-th vertex), elsewhere the union of the triangles between the
    centre and the sides. Returns (slots, SLOT, SLOT) int32: the index of the owning polygon, or -1.
    """

    name: str

    def own(
        self,
        vertices: torch.Tensor,
        centre: torch.Tensor,
        convex: torch.Tensor,
        slot: torch.Tensor,
        rank: torch.Tensor,
        slots: int,
    ) -> torch.Tensor: ...

    def close(self) -> None: ...


class TorchRasteriser:
    """Rasteriser on any torch device: candidates of each polygon's bounding box, tested and merged by a scattered minimum."""

    candidates = 1 << 21  # sub-pixels tested at once

    def __init__(self) -> None:
        self.name = "torch"

    def close(self) -> None:
        """Nothing to release."""

    def own(
        self,
        vertices: torch.Tensor,
        centre: torch.Tensor,
        convex: torch.Tensor,
        slot: torch.Tensor,
        rank: torch.Tensor,
        slots: int,
    ) -> torch.Tensor:
        """See Rasteriser."""
        device = vertices.device
        nobody = torch.iinfo(torch.int64).max
        best = torch.full((slots * SLOT * SLOT,), nobody, dtype=torch.int64, device=device)
        if len(vertices):
            order = torch.arange(len(vertices), device=device)
            # Polygons that take the convex path come first among equals: GL draws them in a first call.
            keys = (rank.to(torch.int64) << 33) | ((~convex).to(torch.int64) << 32) | order
            corners = vertices[:, :: vertices.shape[1] // 4]
            for chosen, outline in ((convex, corners), (~convex, vertices)):
                index = torch.nonzero(chosen)[:, 0]
                if len(index):
                    self._scatter(
                        best, outline[index], centre[index], bool(outline is corners), slot[index], keys[index]
                    )
        owner = torch.where(best == nobody, -1, best & 0xFFFFFFFF)
        return owner.to(torch.int32).view(slots, SLOT, SLOT)

    def _scatter(
        self,
        best: torch.Tensor,
        outline: torch.Tensor,
        centre: torch.Tensor,
        convex: bool,
        slot: torch.Tensor,
        keys: torch.Tensor,
    ) -> None:
        # A sub-pixel x belongs to the box when its centre x + 1/2 does.
        low = torch.ceil(outline.amin(1) - 0.5).clamp(0, SLOT).to(torch.int64)
        high = (torch.floor(outline.amax(1) - 0.5) + 1).clamp(0, SLOT).to(torch.int64)
        extent = (high - low).clamp(min=0)
        size = torch.where((extent > 0).all(1, keepdim=True), (extent + 3) // 4 * 4, 0)
        kinds = size[:, 0] * (SLOT + 4) + size[:, 1]
        for kind in torch.unique(kinds).tolist():
            width, height = divmod(kind, SLOT + 4)
            if width == 0 or height == 0:
                continue
            members = torch.nonzero(kinds == kind)[:, 0]
            step = max(1, self.candidates // (width * height))
            grid_y = torch.arange(height, device=best.device).repeat_interleave(width)
            grid_x = torch.arange(width, device=best.device).repeat(height)
            for start in range(0, len(members), step):
                some = members[start : start + step]
                x, y = low[some, 0:1] + grid_x, low[some, 1:2] + grid_y
                # Coordinates relative to the box, in units of half the snapping step, are small integers held exactly.
                origin = low[some].to(torch.float32)
                at = torch.stack([grid_x, grid_y], -1).to(torch.float32) + 0.5
                inside = (x < high[some, 0:1]) & (y < high[some, 1:2])
                corners = outline[some] - origin[:, None]
                if convex:
                    inside &= _in_convex(corners, at)
                else:
                    inside &= _in_fan(corners, centre[some] - origin, at)
                flat = (slot[some, None] * SLOT + y) * SLOT + x
                best.scatter_reduce_(
                    0, flat[inside], keys[some, None].expand_as(flat)[inside], reduce="amin", include_self=True
                )


def _side(a: torch.Tensor, b: torch.Tensor, at: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """(n, q) whether points `at` (q, 2) lie on the inner side of edges a -> b (n, 2) of polygons that turn `turn` (n,).

    A point on an edge is inside when the edge is a top or a left edge (y down).
    """
    edge = (b - a) * turn[:, None]
    start = torch.where(turn[:, None] > 0, a, b)
    cross = edge[:, 0:1] * (at[:, 1] - start[:, 1:2]) - edge[:, 1:2] * (at[:, 0] - start[:, 0:1])
    first = (edge[:, 1:2] < 0) | ((edge[:, 1:2] == 0) & (edge[:, 0:1] > 0))  # clockwise on the screen: left goes up
    return torch.where(first, cross >= 0, cross > 0)


def _in_convex(corners: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """(n, q) whether points lie in convex polygons (n, m, 2) of either orientation."""
    first, second, third = corners[:, 0], corners[:, 1], corners[:, 2]
    turn = torch.sign(
        (second[:, 0] - first[:, 0]) * (third[:, 1] - second[:, 1])
        - (second[:, 1] - first[:, 1]) * (third[:, 0] - second[:, 0])
    )
    count = corners.shape[1]
    inside = _side(corners[:, 0], corners[:, 1], at, turn)
    for i in range(1, count):
        inside &= _side(corners[:, i], corners[:, (i + 1) % count], at, turn)
    return inside


def _in_fan(corners: torch.Tensor, centre: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """(n, q) whether points lie in any triangle (centre, vertex i, vertex i+1), of either orientation."""
    count = corners.shape[1]
    inside = torch.zeros((len(corners), len(at)), dtype=torch.bool, device=corners.device)
    for i in range(count):
        triangle = torch.stack([centre, corners[:, i], corners[:, (i + 1) % count]], 1)
        inside |= _in_convex(triangle, at)
    return inside
