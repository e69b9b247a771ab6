"""The GL backend: ownership drawn by the graphics pipeline into an integer texture, and the fine field by shaders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from gpu import gl
from gpu.noise import field, field_limit, rng
from gpu.noise.edges_gl import Walker
from gpu.noise.ownership import NONE_SPENT
from gpu.noise.polygons import Contours
from gpu.noise.prefix_sums import PrefixSums
from gpu.noise.tiling import SLOT
from gpu.noise.tracks import Track

MOST = 64  # slots at once: 16 MB of ids


class GLRasteriser:
    """Rasteriser on OpenGL 3.3. Lives and dies on the thread that made its context."""

    def __init__(self, context: gl.Context) -> None:
        self.context = context
        self.name = f"GL: {context.renderer}"
        self.capacity = min(MOST, context.max_texture // SLOT)
        # Slots lie below each other, so that what is read back is theirs in order.
        width, height = SLOT, SLOT * self.capacity
        context.use()
        make = context.gl
        self._ids = make.texture((width, height), 1, dtype="i4")
        self._depth = make.depth_renderbuffer((width, height))
        self._target = make.framebuffer([self._ids], self._depth)
        self._walker = Walker(context, field_limit.limit())
        self._program = context.program("own", "own")
        self._program["atlas"] = (float(width), float(height))
        self._program["slot_edge"] = SLOT

    def close(self) -> None:
        self.context.rest()
        self._walker.close()
        for part in (self._target, self._ids, self._depth):
            part.release()

    def own(self, outlines: Contours, slot: torch.Tensor, rank: torch.Tensor, slots: int) -> torch.Tensor:
        """See Rasteriser."""
        if slots > self.capacity:
            raise ValueError(f"at most {self.capacity} slots at once, not {slots}")
        self.context.use()
        make = self.context.gl
        vertices, convex, device = outlines.vertices, outlines.convex, outlines.vertices.device
        self._target.use()
        make.enable_only(make.DEPTH_TEST)
        self._target.depth_mask = True
        self._target.clear(depth=1.0)
        self._clear_ids()
        order = torch.arange(len(vertices), dtype=torch.int32, device=device)
        owner = torch.stack([order, slot.to(torch.int32), rank.to(torch.int32)], 1)
        # Equal depths keep the first one drawn, as in the torch backend.
        self._draw(torch.cat([outlines.centre[:, None], vertices], 1), owner, convex)
        ids = torch.empty((slots, SLOT, SLOT), dtype=torch.int32)
        self._target.read_into(ids.numpy(), viewport=(0, 0, SLOT, slots * SLOT), components=1, dtype="i4")
        self.context.check()
        return ids.to(device)

    @property
    def by_edges(self) -> bool:
        """See gpu.noise.ownership.Rasteriser."""
        return True

    @property
    def on_a_device(self) -> bool:
        """See gpu.noise.ownership.Rasteriser."""
        return True

    def walk(
        self, track: Track, error: torch.Tensor, sums: PrefixSums, k: int, s: int, channels: int, anchors: list[int],
        spent: Mapping[int, torch.Tensor] = NONE_SPENT,
    ) -> tuple[torch.Tensor, torch.Tensor] | None:  # fmt: skip
        """See gpu.noise.ownership.Rasteriser."""
        self._walker.limit = field_limit.limit()
        return self._walker.gather(track, error, sums, k, s, channels, anchors, spent)

    def cells(
        self, values: torch.Tensor, seed: int, anchor: int, channel: int, k: int, y0: int, x0: int
    ) -> torch.Tensor:
        """See gpu.noise.field.cells. A device tensor is refined where it is: the way over GL would cost two transfers."""
        if values.device.type == "cpu":
            return cells(self.context, values, seed, anchor, channel, k, y0, x0)
        return field.cells(values, seed, anchor, channel, k, y0, x0)

    def _clear_ids(self) -> None:
        # glClear on an integer target is undefined; a triangle over everything writes -1 behind all polygons.
        program = self.context.program("full", "nobody")
        array = self.context.gl.vertex_array(program, [])
        with gl.released(array):
            self.context.gl.disable(self.context.gl.DEPTH_TEST)
            array.render(vertices=3)
            self.context.gl.enable(self.context.gl.DEPTH_TEST)

    def _draw(self, points: torch.Tensor, owner: torch.Tensor, convex: torch.Tensor) -> None:
        """Draw polygons, one after the other: as fans around their first point, or by their corners where these are all."""
        if len(points) == 0:
            return
        count, sides = points.shape[1], points.shape[1] - 1
        corner = [1 + i * (sides // 4) for i in range(4)]
        triangles = np.array([(0, 1 + i, 1 + (i + 1) % sides) for i in range(sides)], dtype=np.int32)
        few = np.array([corner[:3], [corner[0], *corner[2:]]], dtype=np.int32)
        data = torch.empty((len(points), count, 5), dtype=torch.int32)
        data[..., :2] = points.cpu().contiguous().view(torch.int32)
        data[..., 2:] = owner.cpu()[:, None]
        plain = convex.cpu().numpy()
        index = np.broadcast_to(triangles, (len(points), sides, 3)).copy()
        index[plain, :2] = few
        index += np.arange(len(points), dtype=np.int32)[:, None, None] * count
        drawn = (np.arange(sides) < 2) | ~plain[:, None]
        listed = np.ascontiguousarray(index[drawn])
        make = self.context.gl
        buffer, indices = make.buffer(data.numpy().tobytes()), make.buffer(listed.tobytes())
        array = make.vertex_array(self._program, [(buffer, "2f 3i", "position", "owner")], index_buffer=indices)
        with gl.released(array, buffer, indices):
            self.context.draw(array, listed.size)


def words(context: gl.Context, plane: int, y0: int, x0: int, height: int, width: int) -> torch.Tensor:
    """(height, width) int32: `gpu.noise.rng.words` computed by the shader."""
    raw = _render(context, "words", (width, height), "u4", plane=plane, origin=(x0, y0))
    return torch.frombuffer(bytearray(raw), dtype=torch.int32).view(height, width)


def cells(
    context: gl.Context, values: torch.Tensor, seed: int, anchor: int, channel: int, k: int, y0: int, x0: int
) -> torch.Tensor:
    """`gpu.noise.field.cells` computed by a shader: (h, w) int32 pixels to (h n, w n) int32 cells, n = 2^k. Equal but for the
    last bits of Gaussians, 1e-4 at the most; they sum to their pixels exactly."""
    height, width = values.shape
    n = 1 << k
    halvings = [(level, across) for level in range(k) for across in (True, False)]
    planes = np.zeros(2 * field.MOST_LEVEL, np.uint32)
    spreads = np.zeros(2 * field.MOST_LEVEL, np.float32)
    for number, each in enumerate(halvings):
        planes[number] = rng.key(seed, rng.FINE, anchor, channel, field.plane_of(*each))
        spreads[number] = field.spread(*each)
    context.use()
    pixels = context.gl.texture((width, height), 1, values.cpu().contiguous().numpy().tobytes(), dtype="i4")
    with gl.released(pixels):
        pixels.use(0)
        raw = _render(
            context,
            "field",
            (width * n, height * n),
            "i4",
            planes=planes.tolist(),
            spreads=spreads.tolist(),
            origin=(x0 * n, y0 * n),
            levels=k,
            values=0,
        )
    return torch.frombuffer(bytearray(raw), dtype=torch.int32).view(height * n, width * n).to(values.device)


def _render(
    context: gl.Context, fragment: str, size: tuple[int, int], dtype: str, into: Any = None, **uniforms: Any
) -> bytes:
    """Run one full-target pass; the texture's bytes, or nothing where the target `into` is the caller's."""
    context.use()
    make = context.gl
    program = context.program("full", fragment)
    for name, value in uniforms.items():
        program[name] = value
    texture = into if into is not None else make.texture(size, 1, dtype=dtype)
    target = make.framebuffer([texture])
    array = make.vertex_array(program, [])
    with gl.released(array, target, *([] if into is not None else [texture])):
        target.use()
        make.enable_only(0)
        array.render(vertices=3)
        context.finish()
        raw: bytes = b"" if into is not None else target.read(components=1, dtype=dtype)
        context.rest()
    context.check()
    return raw
