"""gpu.priors.kit.splitting in compiled code: parts are cut from where they were and added up where they go, in one order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpu.compiled import kernel
from gpu.noise.rng_compiled import gaussian, mixed, of_column, of_row
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED

F32, U32 = np.float32, np.uint32
Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int32]
States = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint32]
ZERO, HALF, ONE = F32(0), F32(0.5), F32(1)


@kernel
def follow(flow: Floats, valid: Mask, before: States, forget: bool, state: States) -> None:
    """The `state` of each pixel (H, W) of a frame, by where it was."""
    height, width = state.shape
    for y in range(height):
        for x in range(width):
            at_x, at_y = F32(F32(x) + HALF) + flow[y, x, 0], F32(F32(y) + HALF) + flow[y, x, 1]
            state[y, x] = UNDEFINED if forget else NEW
            if valid[y, x] and ZERO <= at_x <= F32(width) and ZERO <= at_y <= F32(height):
                was = before[min(int(at_y), height - 1), min(int(at_x), width - 1)]
                if not (forget and was == UNDEFINED):
                    state[y, x] = KEPT if was == KEPT else INHERITED


@kernel
def link(
    backward: Floats,
    forward: Floats,
    state: States,
    before: States,
    forget: bool,
    pushed: Places,
    pulled: Places,
    count: Places,
) -> None:
    """`pushed`, `pulled` and `count` of gpu.priors.kit.splitting.Edges, along flow (h, w, 2) of cells. Counts begin at 0."""
    height, width = backward.shape[:2]
    cells = height // state.shape[0]
    reached = np.zeros(height * width, np.bool_)
    for y in range(height):
        for pixel in range(state.shape[1]):
            lost = forget and before[y // cells, pixel] == UNDEFINED
            for x in range(pixel * cells, (pixel + 1) * cells):
                cell = y * width + x
                pushed[cell] = -1
                to_x, to_y = F32(F32(x) + HALF) + forward[y, x, 0], F32(F32(y) + HALF) + forward[y, x, 1]
                if lost or not (ZERO <= to_x < F32(width) and ZERO <= to_y < F32(height)):
                    continue
                column, row = int(to_x), int(to_y)
                if state[row // cells, column // cells] < NEW:
                    target = row * width + column
                    pushed[cell] = target
                    reached[target] = True
                    count[cell] += 1
    for y in range(height):
        for pixel in range(state.shape[1]):
            seen = state[y // cells, pixel] < NEW
            for x in range(pixel * cells, (pixel + 1) * cells):
                cell = y * width + x
                pulled[cell] = -1
                if not seen or reached[cell]:
                    continue
                at_x, at_y = F32(F32(x) + HALF) + backward[y, x, 0], F32(F32(y) + HALF) + backward[y, x, 1]
                if ZERO <= at_x <= F32(width) and ZERO <= at_y <= F32(height):
                    column, row = min(int(at_x), width - 1), min(int(at_y), height - 1)
                    if not (forget and before[row // cells, column // cells] == UNDEFINED):
                        pulled[cell] = row * width + column
                        count[row * width + column] += 1


@kernel
def detail(plane: np.uint32, cell: int, width: int) -> np.float32:
    """The normal of a plane at a cell."""
    return F32(gaussian(mixed(U32(of_row(plane, cell // width) ^ of_column(cell % width)))))


@kernel
def draw(keys: Words, pushed: Places, pulled: Places, count: Places, width: int, drawn: Floats) -> None:
    """Of one channel: adds to `drawn` (n,), of each cell that is split, the normals of its parts. `keys` (2,): of what is
    pushed, and of what is pulled."""
    for cell in range(len(pushed)):
        if pushed[cell] >= 0 and count[cell] > 1:
            drawn[cell] += detail(keys[0], cell, width)
    for cell in range(len(pulled)):
        source = pulled[cell]
        if source >= 0 and count[source] > 1:
            drawn[source] += detail(keys[1], cell, width)


@kernel
def part(held: np.float32, count: int, drawn: np.float32, plane: np.uint32, cell: int, width: int) -> np.float32:
    """One of `count` parts of unit variance of a cell that holds `held`, whose normals sum to `drawn`."""
    if count == 1:
        return held
    parts = F32(count)
    return F32(F32(held * F32(ONE / np.sqrt(parts))) + F32(detail(plane, cell, width) - F32(drawn / parts)))


@kernel
def weigh(
    density: Floats,
    pushed: Places,
    pulled: Places,
    count: Places,
    least: float,
    total: Floats,
    weight: Floats,
    fresh: Mask,
) -> None:
    """The density of the cells, `total`, and the sum of its parts' squares, `weight`, both (n,) and 0 before; and which cells
    are `fresh` (n,)."""
    for cell in range(len(pushed)):
        target = pushed[cell]
        if target >= 0:
            mass = F32(density[cell] / F32(count[cell]))
            weight[target] += F32(mass * mass)
            total[target] += mass
    for cell in range(len(pulled)):
        source = pulled[cell]
        fresh[cell] = source < 0 and weight[cell] == ZERO
        if source >= 0:
            total[cell] = F32(density[source] / F32(count[source]))
        elif fresh[cell]:
            total[cell] = ONE
        total[cell] = max(total[cell], F32(least))


@kernel
def gather(
    noise: Floats, density: Floats, keys: Words, pushed: Places, pulled: Places, count: Places, width: int, drawn: Floats,
    weight: Floats, out: Floats,
) -> None:  # fmt: skip
    """Of one channel (n,): what its cells become, into `out`, which is 0 before."""
    for cell in range(len(pushed)):
        target = pushed[cell]
        if target >= 0:
            mass = F32(density[cell] / F32(count[cell]))
            out[target] += F32(mass * part(noise[cell], count[cell], drawn[cell], keys[0], cell, width))
    for cell in range(len(pulled)):
        source = pulled[cell]
        if source >= 0:
            out[cell] = part(noise[source], count[source], drawn[source], keys[1], cell, width)
        elif weight[cell] > ZERO:
            out[cell] /= np.sqrt(weight[cell])


def step(
    noise: Floats, density: Floats, before: States, flow: Floats, valid: Mask, backward: Floats, forward: Floats, forget: bool,
    keys: Words, least: float,
) -> tuple[Floats, Floats, Mask, States]:  # fmt: skip
    """Noise (C, h, w), density (h, w), which cells are fresh (h, w), and the state (H, W) of the pixels, after a step: see
    gpu.priors.kit.splitting.step. `flow` (H, W, 2) is of pixels, `backward` and `forward` (h, w, 2) are of cells."""
    channels, height, width = noise.shape
    state = np.empty(before.shape, np.uint8)
    follow(flow, valid, before, forget, state)
    pushed, pulled = np.empty(height * width, np.int32), np.empty(height * width, np.int32)
    count = np.zeros(height * width, np.int32)
    link(backward, forward, state, before, forget, pushed, pulled, count)
    held, flat = noise.reshape(channels, -1), density.reshape(-1)
    out, drawn = np.zeros_like(held), np.empty_like(flat)
    total, weight, fresh = np.zeros_like(flat), np.zeros_like(flat), np.empty(flat.shape, np.bool_)
    weigh(flat, pushed, pulled, count, least, total, weight, fresh)
    for channel in range(channels):
        own = np.ascontiguousarray(keys[:, channel])
        drawn.fill(0)
        draw(own, pushed, pulled, count, width, drawn)
        gather(held[channel], flat, own, pushed, pulled, count, width, drawn, weight, out[channel])
    return out.reshape(noise.shape), total.reshape(density.shape), fresh.reshape(density.shape), state
