"""Smoke in two dimensions: coloured plumes that rise from the floor of a box, by an advection-reflection solver.

It keeps more of the fine whirls than Stable Fluids (Stam 1999): velocities by advection-reflection (Zehnder, Narain,
Thomaszewski 2018) with MacCormack steps, smoke by limited bicubic semi-Lagrangian steps, vorticity confinement (Fedkiw,
Stam, Jensen 2001), an exact projection. Everything is a pure function of the settings and the frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from gpu import interrupt
from gpu.worlds.fluid.staggered_grid import CENTRE, LEFT, Velocity, cubic, maccormack, places, project, trace

FPS = 24.0
DYES = 3
FASTEST = 0.15  # heights per frame: no setting lets the smoke outrun what tracing can follow
STRIP = 0.3  # of a height: what lies below the picture
STIR = 1.5  # heights/s²: accelerations of the random whirls that break the symmetry of a plume, at turbulence 1


@dataclass(frozen=True)
class Fluid:
    """The settings of a simulation. Lengths are in heights of the picture, times in seconds (24 frames each).

    The box is the picture and a strip below it, where the sources are hidden.
    """

    rows: int = 64  # cells a height
    columns: int = 64
    substeps: int = 1  # solver steps a frame
    buoyancy: float = 1.0  # heights/s² that smoke of density 1 is lifted with
    vorticity: float = 0.1  # strength of the confinement, relative
    turbulence: float = 0.4  # strength of random whirls in the lower half, relative
    wind: float = 0.0  # heights/s to the right that the air starts with and returns to
    drag: float = 0.6  # share of its speed that the air loses per second: in two dimensions whirls would grow for ever
    source: float = 0.09  # radius of a source, heights
    fading: float = 0.15  # share of the smoke that vanishes per second
    viscosity: float = 1e-5  # heights²/s
    seed: int = 1

    @property
    def depth(self) -> int:
        """Rows of cells in all: those of the picture and those of the strip below."""
        return self.rows + max(2, round(STRIP * self.rows))


class State(NamedTuple):
    """What the simulation is at a frame, and how it came there. H is the depth, W the columns."""

    velocity: Velocity
    smoke: torch.Tensor  # (DYES, H, W) densities in [0, 1], of cell centres
    steps: tuple[Velocity, ...]  # the divergence-free velocities of the last frame's steps, in their order


def start(fluid: Fluid, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float64) -> State:
    """Still air (but for the wind) and no smoke. In float64 the last bits, in which machines differ, stay unseen."""
    u = torch.full((fluid.depth, fluid.columns), _wind(fluid), dtype=dtype, device=device)
    v = torch.zeros((fluid.depth + 1, fluid.columns), dtype=dtype, device=device)
    return State(Velocity(u, v), torch.zeros((DYES, *u.shape), dtype=dtype, device=device), ())


def advance(fluid: Fluid, state: State, time: float, span: float = 1.0) -> State:
    """The state `span` frames later, in steps of span / substeps. `time` is when they begin, in frames: what the sources
    do depends on it."""
    steps = []
    for sub in range(fluid.substeps):
        interrupt.poll()
        length = span / fluid.substeps
        state, flow = _substep(fluid, state, time + sub * length, length)
        steps.append(flow)
    return State(state.velocity, state.smoke, tuple(steps))


def _substep(fluid: Fluid, state: State, time: float, span: float) -> tuple[State, Velocity]:
    """One step of `span` frames: emission, forces, projection, advection by half, reflection, the other half."""
    smoke = _emit(fluid, state.smoke, time, span)
    velocity = project(_forces(fluid, state.velocity, smoke, time, span))
    moved = maccormack(velocity, velocity, span / 2)
    middle = _bounded(fluid, project(moved))
    reflected = Velocity(2 * middle.u - moved.u, 2 * middle.v - moved.v)
    after = _bounded(fluid, project(maccormack(reflected, middle, span / 2)))
    came_from = trace(middle, places(smoke.shape[1], smoke.shape[2], CENTRE, smoke), -span)
    carried = cubic(smoke, came_from) * math.exp(-fluid.fading * span / FPS)
    # The open top lets air in as well as out; that air is clear.
    carried = carried * (came_from[..., 1] >= 0)
    return State(after, carried, ()), middle


def _wind(fluid: Fluid) -> float:
    return fluid.wind * fluid.rows / FPS


def _bounded(fluid: Fluid, velocity: Velocity) -> Velocity:
    """The velocity scaled down where its fastest place is too fast; it stays free of divergence."""
    most = FASTEST * fluid.rows
    fastest = max(float(velocity.u.abs().max()), float(velocity.v.abs().max()))
    if fastest <= most:
        return velocity
    return Velocity(velocity.u * (most / fastest), velocity.v * (most / fastest))


def _numbers(fluid: Fluid, count: int, salt: int) -> np.ndarray:
    """`count` uniform numbers in [0, 1) that depend on the seed alone."""
    return np.random.default_rng((fluid.seed, salt)).random(count)


def source_count(fluid: Fluid) -> int:
    """How many plumes there are: three across a square box."""
    return max(1, round(3 * fluid.columns / fluid.rows))


def _emit(fluid: Fluid, smoke: torch.Tensor, time: float, span: float) -> torch.Tensor:
    """Smoke after the sources, discs just above the floor that sway and breathe, have added theirs."""
    here = places(smoke.shape[1], smoke.shape[2], CENTRE, smoke) / fluid.rows  # in heights
    aspect, count = fluid.columns / fluid.rows, source_count(fluid)
    chance = _numbers(fluid, 6 * count, 1).reshape(count, 6)
    seconds = time / FPS
    result = smoke.clone()
    for index in range(count):
        place, phase, rate, breath, shift, strength = chance[index]
        sway = math.sin(2 * math.pi * (phase + (0.2 + 0.4 * rate) * seconds))
        x = aspect * (index + 0.5 + 0.5 * (place - 0.5)) / count + 0.8 * fluid.source * sway
        radius = fluid.source * (1 + 0.3 * math.sin(2 * math.pi * (breath + (0.3 + 0.5 * shift) * seconds)))
        dx = torch.remainder(here[..., 0] - x + aspect / 2, aspect) - aspect / 2
        dy = here[..., 1] - (1 + STRIP / 2)
        # A disc with a soft rim, about as wide as a coarse cell: the same at every resolution.
        disc = torch.sigmoid((radius - torch.hypot(dx, dy)) / 0.012)
        share = 1 - torch.exp(-disc * ((4 + 4 * strength) * span / FPS * 2))
        result[index % DYES] += share * (1 - result.sum(dim=0)).clamp(0, 1)
    return result


def _forces(fluid: Fluid, velocity: Velocity, smoke: torch.Tensor, time: float, span: float) -> Velocity:
    """The velocity after `span` frames of lift, confinement, stirring, viscosity and the wind's pull."""
    u, v = velocity.u.clone(), velocity.v.clone()
    height = fluid.rows
    lift = smoke.sum(dim=0) * (fluid.buoyancy * height / FPS**2)
    push_x, push_y = _confinement(velocity, fluid.vorticity)
    push_y = push_y - lift
    u += span * 0.5 * (push_x + torch.roll(push_x, 1, dims=1))
    v[1:-1] += span * 0.5 * (push_y[1:] + push_y[:-1])
    v[0] += span * push_y[0]
    if fluid.turbulence > 0:
        u += span * _stirring(fluid, places(u.shape[0], u.shape[1], LEFT, u), time)
    pace = min(fluid.viscosity * height**2 / FPS * span, 0.2)  # beyond that the explicit step would swing
    if pace > 0:
        u += pace * _laplacian(u)
        v += pace * _laplacian(v)
    kept = math.exp(-fluid.drag * span / FPS)
    u, v = u * kept, v * kept
    # The wind blows on: drag is relative to it.
    u += (1 - kept) * _wind(fluid)
    return Velocity(u, v)


def _laplacian(field: torch.Tensor) -> torch.Tensor:
    above, below = torch.cat((field[:1], field[:-1])), torch.cat((field[1:], field[-1:]))
    return above + below + torch.roll(field, 1, dims=1) + torch.roll(field, -1, dims=1) - 4 * field


def _stirring(fluid: Fluid, here: torch.Tensor, time: float) -> torch.Tensor:
    """(H, W) horizontal accelerations, cells per frame²: a few travelling waves with random phases, strongest low down."""
    height = fluid.rows
    aspect = fluid.columns / fluid.rows
    x, y = here[..., 0] / height, here[..., 1] / height
    chance = _numbers(fluid, 24, 2).reshape(6, 4)
    total = torch.zeros_like(x)
    for number, (phase, pace, wave, tilt) in enumerate(chance):
        cycles = max(1, round((1 + number) * aspect))
        angle = cycles / aspect * x + (2 + 4 * wave) * y + phase + (0.4 + 0.8 * pace) * (tilt - 0.5) * 4 * time / FPS
        total += torch.sin(2 * math.pi * angle)
    return total * (fluid.turbulence * STIR / 6 * height / FPS**2) * torch.sigmoid((y - 0.5) / 0.1)


def curl(velocity: Velocity) -> torch.Tensor:
    """(H, W) vorticity ∂v/∂x − ∂u/∂y at cell centres, per frame; by central differences of the centred velocity."""
    u = 0.5 * (velocity.u + torch.roll(velocity.u, -1, dims=1))
    v = 0.5 * (velocity.v[1:] + velocity.v[:-1])
    dv = 0.5 * (torch.roll(v, -1, dims=1) - torch.roll(v, 1, dims=1))
    du = 0.5 * (torch.cat((u[1:], u[-1:])) - torch.cat((u[:1], u[:-1])))
    return dv - du


def _confinement(velocity: Velocity, strength: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Accelerations (x, y) at cell centres that spin whirls up again (Fedkiw, Stam, Jensen 2001, Equation 11)."""
    spin = curl(velocity)
    size = spin.abs()
    gx = 0.5 * (torch.roll(size, -1, dims=1) - torch.roll(size, 1, dims=1))
    gy = 0.5 * (torch.cat((size[1:], size[-1:])) - torch.cat((size[:1], size[:-1])))
    norm = torch.hypot(gx, gy) + 1e-6
    return strength * gy / norm * spin, -strength * gx / norm * spin


def kinetic_energy(velocity: Velocity) -> float:
    """Mean of |velocity|² / 2, cells² per frame²."""
    return float(0.5 * (velocity.u.square().mean() + velocity.v.square().mean()))


def smoke_at(state: State, points: torch.Tensor) -> torch.Tensor:
    """(DYES, ...) densities at `points` (..., 2) in cells, smoothly (bicubic) interpolated, in [0, 1]."""
    return cubic(state.smoke, points, limit=False).clamp(0, 1)


__all__ = ["DYES", "FPS", "Fluid", "State", "advance", "curl", "kinetic_energy", "smoke_at", "start"]
