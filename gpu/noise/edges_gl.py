"""Gathering by edges in OpenGL: fragment shaders walk the sides of outlines over a texture of prefix sums.

The same cells as gpu.noise.edges, and the same bits: shaders add and divide whole numbers, and what they read has been made by
the code that all backends share. Where several outlines cover a cell their owners are drawn into a texture of ids, which stays
on the device; what is read back are sums and counts, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from gpu import compiled, gl
from gpu.noise import contested, gathering, outlines, walking
from gpu.noise.crossings import first_row
from gpu.noise.outlines import KEEPS, NONE, SNAP_BITS, TANGLED
from gpu.noise.prefix_sums import LANES, PrefixSums
from gpu.noise.states import NEW, UNDEFINED
from gpu.noise.tracks import Track

PIECE_BITS = 6
"""Pieces in which owners are drawn have edges of so many bits: 64 cells."""

PIECES, ACROSS = 1024, 16
"""Pieces drawn at once, 16 MB of ids, and how many lie side by side."""

PART_BYTES = 512 << 20
"""Of prefix sums in a texture."""

LONGEST = 1 << 19
"""Steps that an outline may reach across, so that 32 bits hold what shaders multiply."""

SHARED, BY_CELLS = 4, 64  # bits of `about` in shaders/include/edges.glsl
ABOUT = {KEEPS: 1, outlines.TURNS: 2, TANGLED: 3, NONE: 0}

I32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Shapes:
    """Outlines of a frame of pixels, by flat index: `vertices` (n, m + 1, 2) int32, the last the centre; `kind` (n,) int8,
    `linked` (n,) uint8 the sides that are shared, bit 0 the top and so on clockwise; and their boxes `low` and `high` (n, 2).
    `contested` tells (H, W) where several of some pixels (flat indices) of one anchor cover a cell, or None."""

    vertices: torch.Tensor
    kind: torch.Tensor
    linked: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    contested: Callable[[torch.Tensor], torch.Tensor | None]


class Walker:
    """Walks edges on a graphics device, and keeps there what has been added up of fields, `limit` bytes at the most."""

    def __init__(self, context: gl.Context, limit: int) -> None:
        self.context, self.limit = context, limit
        self._kept: dict[tuple[int, ...], Any] = {}  # textures of sums, the last used last
        self._bits = min(12, context.max_texture.bit_length() - 1)

    def close(self) -> None:
        """Release what is kept."""
        for texture in self._kept.values():
            texture.release()
        self._kept.clear()

    def gather(
        self, track: Track, error: torch.Tensor, sums: PrefixSums, k: int, s: int, channels: int, anchors: list[int]
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Noise (C, H, W) and counts (H, W) of the pixels carried from `anchors`, see gpu.noise.walking.gather; None where the
        device has no room for such a frame, or outlines are larger than shaders reckon with."""
        height, width = track.label.shape
        shapes = _shapes(track, anchors, k, s)
        if max(2 * height, width) > self.context.max_texture or int((shapes.high - shapes.low).max()) > LONGEST:
            return None
        if shapes.vertices.numel() // 2 > self.context.max_texture << self._bits:
            return None
        self.context.use()
        with ExitStack() as stack:
            frame = _Frame(self, stack, shapes, track, walking.ranks(error), k, height, width)
            noise = torch.zeros((channels, height, width), dtype=torch.float32)
            count = torch.zeros((height, width), dtype=torch.int32)
            for first in range(0, max(1, channels), LANES):
                lanes = min(LANES, channels - first)
                total, owned = frame.gathered(anchors, sums, first, lanes)
                if lanes:
                    noise[first : first + lanes] = gathering.normalised(total, owned, k)
                count = owned
        self.context.rest()
        self.context.check()
        return noise.to(track.label.device), count.to(track.label.device)

    def parts(self, sums: PrefixSums, label: int, k: int, first: int, lanes: int) -> Iterator[tuple[Any, int, int]]:
        """Textures of the prefix sums of an anchor, and the rows of pixels that they hold: the first and the one after."""
        height, row = sums.grid.height, ((sums.grid.width << k) + 1) << k
        if lanes == 0:
            yield None, 0, height
            return
        room = min(PART_BYTES, self.limit, 4 * lanes * self.context.max_texture << self._bits)
        step = max(1, min(height, room // (4 * (lanes if lanes < 3 else 4) * row)))
        for y in range(0, height, step):
            h = min(step, height - y)
            name = (sums.number, label, k, first, y, h, lanes)
            texture = self._kept.pop(name, None)
            if texture is None:
                places = self.texture(sums.strip(label, k, first, lanes, y, h))
                self._kept[name] = texture = places
            else:
                self._kept[name] = texture
            yield texture, y, y + h
            self._make_room()

    def _make_room(self) -> None:
        """Release what was used the longest ago."""
        sizes = {name: texture.width * texture.height * texture.components * 4 for name, texture in self._kept.items()}
        for name in list(self._kept):
            if sum(sizes[kept] for kept in self._kept) <= self.limit:
                return
            self._kept.pop(name).release()

    def texture(self, values: torch.Tensor) -> Any:
        """An integer texture of `values` (n, lanes) int32, row by row."""
        n, lanes = values.shape
        wide = 1 << self._bits
        given = np.zeros((-(-n // wide) * wide, lanes if lanes < 3 else 4), np.int32)
        given[:n, :lanes] = values.cpu().numpy()
        return self.context.gl.texture((wide, len(given) // wide), given.shape[1], given, dtype="i4")


class _Frame:
    """A frame on the device: its outlines, targets, and where cells are looked at one by one."""

    def __init__(
        self, walker: Walker, stack: ExitStack, shapes: Shapes, track: Track, rank: torch.Tensor, k: int, height: int,
        width: int,
    ) -> None:  # fmt: skip
        self.walker, self.context, self.stack = walker, walker.context, stack
        self.shapes, self.rank, self.k, self.height, self.width = shapes, rank.cpu(), k, height, width
        self.label = track.label.cpu().reshape(-1)
        self.vertices = self._made(walker.texture(shapes.vertices.reshape(-1, 2)))
        self.nothing = self._made(self.context.gl.texture((1, 1), 4, np.zeros(4, np.int32), dtype="i4"))

    def _made(self, part: Any) -> Any:
        self.stack.callback(part.release)
        return part

    def _target(self, lanes: int, height: int) -> tuple[Any, Any, Any]:
        """A framebuffer of sums and counts, and these two."""
        make = self.context.gl
        total = self._made(make.texture((self.width, height), lanes if lanes < 3 else 4, dtype="i4"))
        count = self._made(make.texture((self.width, height), 1, dtype="i4"))
        return self._made(make.framebuffer([total, count])), total, count

    def gathered(
        self, anchors: list[int], sums: PrefixSums, first: int, lanes: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(lanes, H, W) and (H, W) int32 what pixels own of `anchors`."""
        sides, now, then = (
            self._target(max(1, lanes), 2 * self.height),
            *(self._target(max(1, lanes), self.height) for _ in range(2)),
        )
        self.context.use()
        self._clear(now)
        for anchor in anchors:
            about, own = self._about(anchor)
            for texture, low, high in self.walker.parts(sums, anchor, self.k, first, lanes):
                common = {
                    "about": about, "shapes": self.vertices, "sums": texture or self.nothing, "size": (self.width, self.height),
                    "wide": (self.walker._bits, self.walker._bits), "vertices": self.shapes.vertices.shape[1] - 1,
                    "level": self.k, "columns": self.width << self.k, "rows": (low << self.k, high << self.k), "lanes": lanes,
                }  # fmt: skip
                self._pass("sides", sides, common)
                self._pass(
                    "pixels",
                    then,
                    {**common, "totals": now[1], "counts": now[2], "sides": sides[1], "crossings": sides[2]},
                )
                now, then = then, now
                for owners in own.drawn(common):
                    self._pass("owned", then, {**common, **owners, "totals": now[1], "counts": now[2]})
                    now, then = then, now
        self.context.finish()
        total = torch.empty((self.height, self.width, now[1].components), dtype=torch.int32)
        count = torch.empty((self.height, self.width), dtype=torch.int32)
        now[0].read_into(count.numpy(), components=1, attachment=1, dtype="i4")
        if lanes:
            now[0].read_into(total.numpy(), components=now[1].components, attachment=0, dtype="i4")
        return total[..., :lanes].permute(2, 0, 1), count

    def _clear(self, target: tuple[Any, Any, Any]) -> None:
        for texture in target[1:]:
            texture.write(np.zeros((texture.height, texture.width, texture.components), np.int32))

    def _pass(self, fragment: str, target: tuple[Any, Any, Any], given: dict[str, Any]) -> None:
        """Run a shader for every texel of a target."""
        program = self.context.program("full", fragment)
        bind(program, given)
        array = self.context.gl.vertex_array(program, [])
        with gl.released(array):
            target[0].use()
            self.context.gl.enable_only(0)
            array.render(vertices=3)

    def _about(self, anchor: int) -> tuple[Any, _Claims]:
        """The texture of what pixels of one anchor are like, and those whose cells are looked at one by one."""
        kind = torch.where(self.label == anchor, self.shapes.kind, NONE)
        told = torch.zeros(len(kind), dtype=torch.uint8)
        for its, number in ABOUT.items():
            told[kind == its] = number
        told += (self.shapes.linked * SHARED).to(torch.uint8)
        claims = _Claims(self, kind)
        told[claims.by_cells] |= BY_CELLS
        size = (self.width, self.height)
        return self._made(self.context.gl.texture(size, 1, told.numpy(), dtype="u1", alignment=1)), claims


class _Claims:
    """Who claims cells of one anchor that several outlines cover: `by_cells` (n,) are the pixels that do."""

    def __init__(self, frame: _Frame, kind: torch.Tensor) -> None:
        self.frame, k, shapes = frame, frame.k, frame.shapes
        first = first_row(shapes.low[:, 1]).clamp(min=0)
        after = first_row(shapes.high[:, 1]).clamp(max=frame.height << k)
        left = (shapes.low[:, 0] >> SNAP_BITS).clamp(0, frame.width << k)
        right = ((shapes.high[:, 0] >> SNAP_BITS) + 1).clamp(0, frame.width << k)
        self.box = torch.stack([left, first, right, after], 1)
        there = (kind != NONE) & (first < after) & (left < right)
        self.pixels = torch.nonzero(there)[:, 0]
        near = there & (kind == TANGLED)
        contest = shapes.contested(self.pixels)
        if contest is not None:
            near[self.pixels] |= _any_in(contest, self.box[self.pixels] >> k, (self.box[self.pixels] - 1 >> k) + 1)
        self.by_cells = torch.nonzero(near)[:, 0]

    def drawn(self, common: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Textures of who owns cells of pieces, and what shaders are told of them, PIECES at a time."""
        if not len(self.by_cells):
            return
        frame = self.frame
        high, wide = (-(-(size << frame.k) >> PIECE_BITS) for size in (frame.height, frame.width))
        names = torch.unique(self._pieces(self.by_cells, wide)[1])
        pixel, piece = self._pieces(self.pixels, wide)
        for start in range(0, len(names), PIECES):
            some = names[start : start + PIECES]
            slots = torch.full((high * wide,), -1, dtype=torch.int32)
            slots[some] = torch.arange(len(some), dtype=torch.int32)
            inside = slots[piece] >= 0
            with ExitStack() as stack:
                yield self._owners(stack, common, pixel[inside], piece[inside], slots.view(high, wide), len(some))

    def _pieces(self, pixel: torch.Tensor, wide: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Pairs of pixels, in order, and of pieces that their outlines touch, `wide` of them in a row."""
        box = self.box[pixel].to(torch.int64)
        low, size = box[:, :2] >> PIECE_BITS, (box[:, 2:] - 1 >> PIECE_BITS) - (box[:, :2] >> PIECE_BITS) + 1
        which, number = contested.numbered(size[:, 0] * size[:, 1])
        across = size[which, 0]
        return pixel[which], (low[which, 1] + number // across) * wide + low[which, 0] + number % across

    def _owners(
        self, stack: ExitStack, common: dict[str, Any], pixel: torch.Tensor, piece: torch.Tensor, slots: torch.Tensor,
        number: int,
    ) -> dict[str, Any]:  # fmt: skip
        """Draw what pixels claim of pieces that have a slot."""
        context, edge = self.frame.context, 1 << PIECE_BITS
        make, wide = context.gl, slots.shape[1]
        atlas = (ACROSS * edge, -(-number // ACROSS) * edge)

        def held(part: Any) -> Any:
            stack.callback(part.release)
            return part

        owners, depth = held(make.texture(atlas, 1, dtype="i4")), held(make.depth_renderbuffer(atlas))
        target = held(make.framebuffer([owners], depth))
        where = held(make.texture((wide, len(slots)), 1, slots.numpy(), dtype="i4"))
        slot = slots.view(-1)[piece]
        corner = torch.stack([piece % wide, piece // wide], 1) * edge
        instances = torch.empty((len(pixel), 8), dtype=torch.int32)
        instances[:, :2] = torch.maximum(self.box[pixel, :2], corner)
        instances[:, 2:4] = torch.minimum(self.box[pixel, 2:], corner + edge)
        instances[:, 4:6] = torch.stack([slot % ACROSS, slot // ACROSS], 1) * edge - corner
        instances[:, 6], instances[:, 7] = pixel, self.frame.rank[pixel]
        target.use()
        target.depth_mask = True
        target.clear(depth=1.0)
        # glClear on an integer target is undefined; a triangle over everything writes -1 behind all that is claimed.
        make.enable_only(0)
        for program, values in (
            (context.program("full", "nobody"), None),
            (context.program("claims", "claims"), instances),
        ):
            bind(program, {**common, "atlas": atlas})
            buffer = None if values is None else held(make.buffer(values.numpy()))
            content = [] if buffer is None else [(buffer, "4i 2i 2i/i", "box", "shift", "claimant")]
            array = held(make.vertex_array(program, content))
            if values is None:
                array.render(vertices=3)
            else:
                # Equal depths keep what was drawn first: the first pixel.
                make.enable_only(make.DEPTH_TEST)
                array.render(make.TRIANGLE_STRIP, vertices=4, instances=len(values))
        return {"owners": owners, "slots": where, "piece": PIECE_BITS, "across": ACROSS}


def _any_in(mask: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """(n,) whether `mask` (H, W) is set anywhere in boxes from the (x, y) of `low` (n, 4) to before those of `high`."""
    sums = torch.nn.functional.pad(mask.to(torch.int32).cumsum(0).cumsum(1), (1, 0, 1, 0)).view(-1)
    wide = mask.shape[1] + 1
    x0, y0, x1, y1 = low[:, 0], low[:, 1] * wide, high[:, 2], high[:, 3] * wide
    return sums[y1 + x1] - sums[y0 + x1] - sums[y1 + x0] + sums[y0 + x0] > 0


def bind(program: Any, given: dict[str, Any]) -> None:
    """Set the uniforms of a program that it has; textures are bound to units of their own."""
    unit = 0
    for name, value in given.items():
        uniform = program.get(name, None)
        if uniform is None:
            continue
        if hasattr(value, "use"):
            value.use(unit)
            value, unit = unit, unit + 1
        uniform.value = value


def _shapes(track: Track, anchors: list[int], k: int, s: int) -> Shapes:
    """Outlines of the pixels that are carried from `anchors`, on the processor: by compiled code where it is there."""
    label, state = track.label.cpu(), track.state.cpu()
    chosen = torch.isin(label, torch.tensor(anchors, dtype=label.dtype))
    some = Track(label, track.position.cpu(), torch.where(chosen, state, NEW).to(torch.uint8))
    height, width = label.shape
    if compiled.available():
        from gpu.noise import edges

        shapes = edges.shapes(some, k, s)

        def contested_pixels(pixels: torch.Tensor) -> torch.Tensor | None:
            contest = edges.contest(pixels.numpy(), shapes, k, height)
            return None if contest is None else torch.from_numpy(contest.mask)

        vertices, kind = torch.from_numpy(shapes.vertices), torch.from_numpy(shapes.kind)
        linked = torch.from_numpy(shapes.linked)
    else:
        made = outlines.outlines(some.position, label, (some.state != NEW) & (some.state != UNDEFINED), k, s)
        vertices, kind = made.vertices.reshape(height * width, -1, 2), made.kind.view(-1)
        linked = torch.stack([side.view(-1) << bit for bit, side in enumerate(made.linked())]).sum(0).to(torch.uint8)

        def contested_pixels(pixels: torch.Tensor) -> torch.Tensor | None:
            some_kind = torch.full_like(kind, NONE)
            some_kind[pixels] = kind[pixels]
            frame = contested.frame(made, label, some_kind.view(height, width), k)
            names = contested.source_pixels(frame, *contested.stretches(frame))
            mask = torch.zeros((height, width), dtype=torch.bool)
            mask.view(-1)[names % (height * width)] = True  # all of one anchor
            return mask if len(names) else None

    centre = torch.round(some.position * float(1 << (k + SNAP_BITS))).to(torch.int32).view(-1, 2)
    low, high = vertices.amin(1), vertices.amax(1)
    bent = (kind == TANGLED)[:, None]  # triangles to the centre, which may lie outside of its sides
    low, high = (
        torch.where(bent, torch.minimum(low, centre), low),
        torch.where(bent, torch.maximum(high, centre), high),
    )
    return Shapes(torch.cat([vertices, centre[:, None]], 1), kind, linked, low, high, contested_pixels)
