"""Inverse of a map that has none in closed form: Newton's method, guarded, for all points at once."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from gpu import interrupt
from gpu.source.deformations import Points, derivative

STEPS = 60
TOLERANCE = 1e-7  # pixels, of the last step and of the residual
RENEW = 3  # steps between two derivatives, which cost four times what a value does
WEAKEST = 1e-4  # a step that had to be damped more than this goes nowhere


def invert(forth: Callable[[Points], Points], target: Points, near: Points) -> Points:
    """Points q (..., 2) with forth(q) = `target`, found from `near`; NaN where the search does not converge.

    A step that does not bring the value closer is shortened until it does.
    """
    goal, out = target.reshape(-1, 2), torch.full_like(target, math.nan).reshape(-1, 2)
    at = near.reshape(-1, 2).clone()
    index = torch.nonzero(goal.isfinite().all(-1) & at.isfinite().all(-1))[:, 0]
    at, goal = at[index], goal[index]
    damping = torch.ones(len(index), dtype=target.dtype, device=target.device)
    value, along_x, along_y = derivative(forth, at)
    error = value - goal
    for count in range(1, STEPS + 1):
        interrupt.poll()  # a long formula takes seconds a step
        step = _solve(along_x, along_y, error)
        last, far = step.norm(dim=-1), error.norm(dim=-1)
        done = (last <= TOLERANCE) & (far <= TOLERANCE)
        out[index[done]] = at[done]
        going = ~done & last.isfinite() & (damping >= WEAKEST)
        if not bool(going.any()):
            break
        if not bool(going.all()):
            index, at, goal, damping, step, far = (x[going] for x in (index, at, goal, damping, step, far))
            error, along_x, along_y = error[going], along_x[going], along_y[going]
        trial = at - damping[:, None] * step
        missed = forth(trial) - goal
        better = (missed.norm(dim=-1) < far) | (missed.abs().amax(-1) <= TOLERANCE)
        keep = better[:, None]
        at, error = trial.where(keep, at), missed.where(keep, error)
        damping = torch.where(better, (2 * damping).clamp(max=1), damping / 4)
        if count % RENEW == 0:
            _, along_x, along_y = derivative(forth, at)
    return out.reshape(target.shape)


def _solve(along_x: Points, along_y: Points, error: Points) -> Points:
    """The step s with J s = error, J having the columns `along_x` and `along_y`."""
    determinant = along_x[:, 0] * along_y[:, 1] - along_x[:, 1] * along_y[:, 0]
    x = (error[:, 0] * along_y[:, 1] - error[:, 1] * along_y[:, 0]) / determinant
    y = (along_x[:, 0] * error[:, 1] - along_x[:, 1] * error[:, 0]) / determinant
    return torch.stack([x, y], dim=-1)
