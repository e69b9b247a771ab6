"""The GL backend: ownership drawn by the graphics pipeline into an integer texture, and the fine field by shaders."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from gpu import gl
from gpu.noise import field, rng
from gpu.noise.polygons import Contours
from gpu.noise.tiling import SLOT

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
        self._program = context.program("own", "own")
        self._program["atlas"] = (float(width), float(height))
        self._program["slot_edge"] = SLOT

    def close(self) -> None:
        self.context.rest()
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
        # Equal depths keep the first one drawn: the convex ones, in order, as in the torch backend.
        self._draw(vertices[convex][:, :: vertices.shape[1] // 4], owner[convex], fan=False)
        round_ = ~convex
        self._draw(torch.cat([outlines.centre[round_][:, None], vertices[round_]], 1), owner[round_], fan=True)
        ids = torch.empty((slots, SLOT, SLOT), dtype=torch.int32)
        self._target.read_into(ids.numpy(), viewport=(0, 0, SLOT, slots * SLOT), components=1, dtype="i4")
        self.context.check()
        return ids.to(device)

    def refine(
        self, values: torch.Tensor, seed: int, anchor: int, channel: int, k: int, y0: int, x0: int
    ) -> torch.Tensor:
        """See gpu.noise.field.refine. A device tensor is refined where it is: the way over GL would cost two transfers."""
        if values.device.type == "cpu":
            return refine(self.context, values, seed, anchor, channel, k, y0, x0)
        return field.refine(values, seed, anchor, channel, k, y0, x0)

    def _clear_ids(self) -> None:
        # glClear on an integer target is undefined; a triangle over everything writes -1 behind all polygons.
        program = self.context.program("full", "nobody")
        array = self.context.gl.vertex_array(program, [])
        with gl.released(array):
            self.context.gl.disable(self.context.gl.DEPTH_TEST)
            array.render(vertices=3)
            self.context.gl.enable(self.context.gl.DEPTH_TEST)

    def _draw(self, points: torch.Tensor, owner: torch.Tensor, fan: bool) -> None:
        if len(points) == 0:
            return
        count = points.shape[1]
        if fan:
            sides = count - 1
            triangles = np.array([(0, 1 + i, 1 + (i + 1) % sides) for i in range(sides)], dtype=np.int32)
        else:
            triangles = np.array([(0, 1, 2), (0, 2, 3)], dtype=np.int32)
        data = torch.empty((len(points), count, 5), dtype=torch.int32)
        data[..., :2] = points.cpu().contiguous().view(torch.int32)
        data[..., 2:] = owner.cpu()[:, None]
        index = (np.arange(len(points), dtype=np.int32)[:, None] * count + triangles.reshape(1, -1)).reshape(-1)
        make = self.context.gl
        buffer, indices = make.buffer(data.numpy().tobytes()), make.buffer(index.tobytes())
        array = make.vertex_array(self._program, [(buffer, "2f 3i", "position", "owner")], index_buffer=indices)
        with gl.released(array, buffer, indices):
            self.context.draw(array, len(index))


def words(context: gl.Context, plane: int, y0: int, x0: int, height: int, width: int) -> torch.Tensor:
    """(height, width) int32: `gpu.noise.rng.words` computed by the shader."""
    raw = _render(context, "words", (width, height), "u4", plane=plane, origin=(x0, y0))
    return torch.frombuffer(bytearray(raw), dtype=torch.int32).view(height, width)


def refine(
    context: gl.Context, values: torch.Tensor, seed: int, anchor: int, channel: int, k: int, y0: int, x0: int
) -> torch.Tensor:
    """`gpu.noise.field.refine` computed by shaders: (h, w) pixel values to (h n, w n) sub-pixels, n = 2^k."""
    height, width = values.shape
    n = 1 << k
    plane = rng.key(seed, rng.FINE, anchor, channel, k)
    context.use()
    make = context.gl
    pixels = make.texture((width, height), 1, values.cpu().contiguous().numpy().tobytes(), dtype="f4")
    means = make.texture((width, height), 1, dtype="f4")
    with gl.released(pixels, means):
        _render(context, "mean", (width, height), "f4", into=means, plane=plane, origin=(x0, y0), n=n)
        pixels.use(0)
        means.use(1)
        raw = _render(
            context,
            "field",
            (width * n, height * n),
            "f4",
            plane=plane,
            origin=(x0 * n, y0 * n),
            n=n,
            values=0,
            means=1,
        )
    return torch.frombuffer(bytearray(raw), dtype=torch.float32).view(height * n, width * n).to(values.device)


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
