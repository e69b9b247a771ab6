"""Gathering by edges in OpenGL: fragment shaders walk the sides of outlines over a texture of prefix sums.

The same cells as gpu.noise.edges, and the same bits: shaders add and divide whole numbers, and what they read has been made by
the code that all backends share. Where several outlines cover a cell their owners are drawn into a texture of ids, which stays
on the device; what is read back are sums and counts, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch

from gpu import compiled, gl
from gpu.noise import contested, gathering, outlines, walking
from gpu.noise.claims_gl import Claims, Shapes, bind
from gpu.noise.outlines import KEEPS, NONE, SNAP_BITS, TANGLED, TURNS
from gpu.noise.ownership import NONE_SPENT
from gpu.noise.prefix_sums import LANES, PrefixSums
from gpu.noise.states import NEW, UNDEFINED
from gpu.noise.tracks import Track

PART_BYTES = 512 << 20
"""Of prefix sums in a texture."""

STRIP_BYTES = 64 << 20
"""Of prefix sums made at once."""

LONGEST = 1 << 22
"""Steps that edges may reach across, so that 32 bits hold what shaders multiply."""

SHARED, BY_CELLS = 4, 64  # bits of `about` in shaders/include/edges.glsl
ABOUT = torch.zeros(256, dtype=torch.uint8)  # by kind, as a byte
ABOUT[[KEEPS, TURNS & 255, TANGLED]] = torch.tensor([1, 2, 3], dtype=torch.uint8)


Target = tuple[Any, Any, Any]
"""A framebuffer of sums and counts, and these two textures."""


class Walker:
    """Walks edges on a graphics device, and keeps there what has been added up of fields, `limit` bytes at the most."""

    def __init__(self, context: gl.Context, limit: int) -> None:
        self.context, self.limit = context, limit
        self._kept: dict[tuple[int, ...], Any] = {}  # textures of sums, the last used last
        self._targets: dict[tuple[int, int, int], tuple[Target, Target, Target]] = {}  # of the last frame's size
        self._room: Any = None
        self.bits = min(14, context.max_texture.bit_length() - 1)
        self.nothing = context.gl.texture((1, 1), 4, np.zeros(4, np.int32), dtype="i4")

    def close(self) -> None:
        """Release what is kept."""
        self._forget_targets()
        for texture in (*self._kept.values(), self.nothing):
            texture.release()
        self._kept.clear()

    def _forget_targets(self) -> None:
        self.context.rest()
        for targets in self._targets.values():
            for part in (part for target in targets for part in target):
                part.release()
        self._targets.clear()

    def gather(
        self,
        track: Track,
        error: torch.Tensor,
        sums: PrefixSums,
        k: int,
        s: int,
        channels: int,
        anchors: list[int],
        spent: Mapping[int, torch.Tensor] = NONE_SPENT,
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Noise (C, H, W) and counts (H, W) of the pixels carried from `anchors`, see gpu.noise.walking.gather; None where the
        device has no room for such a frame, or outlines are larger than shaders reckon with. What is `spent` of an anchor
        nobody owns: (n, 3) stretches of cells, the row, the first column and the one after the last."""
        height, width = track.label.shape
        shapes = self._shapes(track, anchors, k, s)
        if max(2 * height, width) > self.context.max_texture or _longest(shapes.planes) >= LONGEST:
            return None
        if shapes.numbers.numel() > self.context.max_texture << self.bits:
            return None
        self.context.use()
        noise = torch.zeros((channels, height, width), dtype=torch.float32)
        count = torch.zeros((height, width), dtype=torch.int32)
        with ExitStack() as stack:
            frame = _Frame(self, stack, shapes, track, error, k, spent)
            for first in range(0, max(1, channels), LANES):
                lanes = min(LANES, channels - first)
                total, owned = frame.gathered(anchors, sums, first, lanes)
                if lanes:
                    noise[first : first + lanes] = gathering.normalised(total, owned, k)
                count = owned
        self.context.rest()
        self.context.check()
        return noise.to(track.label.device), count.to(track.label.device)

    def targets(self, height: int, width: int, lanes: int) -> tuple[Target, Target, Target]:
        """What sides give, and two that take turns in holding what pixels own."""
        size, make = (height, width, lanes), self.context.gl
        if size not in self._targets:
            if any(other[:2] != size[:2] for other in self._targets):
                self._forget_targets()
            made = []
            for rows in (2 * height, height, height):
                total, count = (make.texture((width, rows), components, dtype="i4") for components in (lanes, 1))
                made.append((make.framebuffer([total, count]), total, count))
            self._targets[size] = made[0], made[1], made[2]
        return self._targets[size]

    def parts(self, sums: PrefixSums, label: int, k: int, first: int, lanes: int) -> Iterator[tuple[Any, int, int]]:
        """Textures of the prefix sums of an anchor, and the rows of pixels that they hold: the first and the one after."""
        height, row = sums.grid.height, ((sums.grid.width << k) + 1) << k
        if lanes == 0:
            yield self.nothing, 0, height
            return
        components = _components(lanes)
        room = min(PART_BYTES, self.limit, 4 * components * self.context.max_texture << self.bits)
        step = max(1, min(height, room // (4 * components * row)))
        for y in range(0, height, step):
            h = min(step, height - y)
            name = (sums.number, label, k, first, y, h, lanes)
            texture = self._kept.pop(name, None)
            if texture is None:
                self._make_room(4 * components * row * h)
                at_once = max(1, STRIP_BYTES // (4 * components * row))
                strips = (
                    sums.strip(label, k, first, lanes, start, min(at_once, y + h - start))
                    for start in range(y, y + h, at_once)
                )
                texture = self.texture(strips, row * h, lanes)
            self._kept[name] = texture
            yield texture, y, y + h

    def _make_room(self, size: int) -> None:
        """Release what was used the longest ago."""
        sizes = {name: 4 * kept.width * kept.height * kept.components for name, kept in self._kept.items()}
        for name in list(self._kept):
            if sum(sizes[kept] for kept in self._kept) + size <= self.limit:
                return
            self._kept.pop(name).release()

    def texture(self, given: Iterable[torch.Tensor], number: int, lanes: int) -> Any:
        """An integer texture of `number` texels, row by row, of values `given` (n, lanes) int32, one after the other."""
        wide, components = 1 << self.bits, _components(lanes)
        texture = self.context.gl.texture((wide, -(-number // wide)), components, dtype="i4")
        waiting, y = torch.zeros((0, components), dtype=torch.int32), 0
        for values in given:
            values = values.cpu().contiguous()
            if components > lanes:
                values = torch.nn.functional.pad(values, (0, components - lanes))
            start = (wide - len(waiting)) % wide if len(waiting) else 0
            if len(waiting):  # a row that the last values have begun
                row = torch.cat([waiting, values[:start]])
                if len(row) == wide:
                    texture.write(row.numpy(), viewport=(0, y, wide, 1))
                    y += 1
                else:
                    waiting = row
                    continue
            rows = (len(values) - start) // wide
            if rows:
                whole = values[start : start + rows * wide].contiguous()
                texture.write(whole.numpy(), viewport=(0, y, wide, rows))
                y += rows
            waiting = values[start + rows * wide :].clone()
        if len(waiting):
            texture.write(waiting.contiguous().numpy(), viewport=(0, y, len(waiting), 1))
        return texture

    def _shapes(self, track: Track, anchors: list[int], k: int, s: int) -> Shapes:
        """Outlines of the pixels that are carried from `anchors`, on the processor: by compiled code where it is there. They
        hold until they are asked for again."""
        label, state = track.label.cpu(), track.state.cpu()
        chosen = torch.isin(label, torch.tensor(anchors, dtype=label.dtype))
        some = Track(label, track.position.cpu(), torch.where(chosen, state, NEW).to(torch.uint8))
        height, width = label.shape
        if compiled.available():
            from gpu.noise import edges

            self._room = self._room or edges.Room()
            shapes = edges.shapes(some, k, s, self._room)
            vertices = torch.from_numpy(shapes.vertices)

            def compiled_contest(pixels: torch.Tensor) -> torch.Tensor | None:
                contest = edges.contest(pixels.numpy(), shapes, k, height)
                return None if contest is None else torch.from_numpy(contest.mask)

            return Shapes(
                vertices.permute(1, 2, 0, 3), vertices, torch.from_numpy(shapes.kind), torch.from_numpy(shapes.linked),
                compiled_contest,
            )  # fmt: skip
        made = outlines.outlines(some.position, label, (some.state != NEW) & (some.state != UNDEFINED), k, s)
        kind = made.kind.view(-1)
        linked = torch.stack([side.reshape(-1).to(torch.uint8) << bit for bit, side in enumerate(made.linked())])

        def contest(pixels: torch.Tensor) -> torch.Tensor | None:
            some_kind = torch.full_like(kind, NONE)
            some_kind[pixels] = kind[pixels]
            frame = contested.frame(made, label, some_kind.view(height, width), k)
            names = contested.source_pixels(frame, *contested.stretches(frame))
            mask = torch.zeros((height, width), dtype=torch.bool)
            mask.view(-1)[names % (height * width)] = True  # all of one anchor
            return mask if len(names) else None

        return Shapes(made.planes, made.planes, kind, linked.sum(0, dtype=torch.uint8), contest)


class _Frame:
    """A frame on the device: its outlines, and where cells are looked at one by one."""

    def __init__(
        self,
        walker: Walker,
        stack: ExitStack,
        shapes: Shapes,
        track: Track,
        error: torch.Tensor,
        k: int,
        spent: Mapping[int, torch.Tensor],
    ) -> None:
        self.spent = spent
        self.walker, self.context, self.stack, self.shapes, self.k = walker, walker.context, stack, shapes, k
        self.height, self.width = track.label.shape
        self.label, self.rank = track.label.cpu().reshape(-1), walking.ranks(error).cpu()
        self.vertices = self._made(walker.texture([shapes.numbers.view(-1, 1)], shapes.numbers.numel(), 1))
        self.centre = torch.round(track.position.cpu() * float(1 << (k + SNAP_BITS))).to(torch.int32)
        self.centre = self.centre.contiguous().view(-1, 2)  # positions may lie plane by plane
        self.centres = walker.nothing
        if bool((shapes.kind == TANGLED).any()):
            make = self.context.gl
            self.centres = self._made(make.texture((self.width, self.height), 2, self.centre.numpy(), dtype="i4"))
        self._claims: dict[int, tuple[Any, Claims]] = {}

    def _made(self, part: Any) -> Any:
        self.stack.callback(part.release)
        return part

    def gathered(
        self, anchors: list[int], sums: PrefixSums, first: int, lanes: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(lanes, H, W) and (H, W) int32 what pixels own of `anchors`."""
        size = (self.height, self.width)
        sides, now, then = self.walker.targets(*size, _components(max(1, lanes)))
        for texture in now[1:]:
            texture.write(np.zeros((*size, texture.components), np.int32))
        for anchor in anchors:
            about, own = self._about(anchor)
            for texture, low, high in self.walker.parts(sums, anchor, self.k, first, lanes):
                common = {
                    "about": about, "shapes": self.vertices, "centres": self.centres, "sums": texture,
                    "size": (self.width, self.height), "wide": self.walker.bits, "strides": self.shapes.planes.stride(),
                    "vertices": len(self.shapes.planes), "level": self.k, "columns": self.width << self.k,
                    "rows": (low << self.k, high << self.k), "lanes": lanes,
                }  # fmt: skip
                self._pass("sides", sides, common)
                so_far = {"totals": now[1], "counts": now[2]}
                self._pass("pixels", then, {**common, **so_far, "sides": sides[1], "crossings": sides[2]})
                now, then = then, now
                for owners in own.drawn(common):
                    self._pass("owned", then, {**common, **owners, "totals": now[1], "counts": now[2]})
                    now, then = then, now
        self.context.finish()
        total = torch.empty((*size, now[1].components), dtype=torch.int32)
        count = torch.empty(size, dtype=torch.int32)
        now[0].read_into(count.numpy(), components=1, attachment=1, dtype="i4")
        if lanes:
            now[0].read_into(total.numpy(), components=now[1].components, attachment=0, dtype="i4")
        return total[..., :lanes].permute(2, 0, 1), count

    def _pass(self, fragment: str, target: Target, given: dict[str, Any]) -> None:
        """Run a shader for every texel of a target."""
        program = self.context.program("full", fragment)
        bind(program, given)
        array = self.context.gl.vertex_array(program, [])
        with gl.released(array):
            target[0].use()
            self.context.gl.enable_only(0)
            array.render(vertices=3)

    def _about(self, anchor: int) -> tuple[Any, Claims]:
        """The texture of what pixels of one anchor are like, and those whose cells are looked at one by one."""
        if anchor not in self._claims:
            kind = torch.where(self.label == anchor, self.shapes.kind, NONE).to(torch.int8)
            claims = Claims(self.context, self.shapes, kind, self.k, self.centre, self.rank, self.spent.get(anchor))
            told = ABOUT[kind.view(torch.uint8).to(torch.int32)] + self.shapes.linked * SHARED
            told[claims.by_cells] |= BY_CELLS
            texture = self.context.gl.texture((self.width, self.height), 1, told.numpy(), dtype="u1", alignment=1)
            self._claims[anchor] = self._made(texture), claims
        return self._claims[anchor]


def _components(lanes: int) -> int:
    """Of a texture that can be drawn to."""
    return lanes if lanes < 3 else 4


def _longest(planes: torch.Tensor) -> int:
    """A bound on how far edges reach across."""
    low, high = planes.aminmax()
    if int(high) - int(low) < LONGEST:
        return int(high) - int(low)
    return max(int((planes[v] - planes[v - 1]).abs().max()) for v in range(len(planes)))
