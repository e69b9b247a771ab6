"""Synthetic deformations, one file each: exact maps between any frame and frame 0. The registry is DEFORMATIONS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from gpu import parameters
from gpu.parameters import ParameterInfo
from gpu.registry import Registry
from gpu.session import Parameter

__all__ = ["DEFORMATIONS", "Deformation", "Grid", "Values", "Warp", "one_surface", "pointwise_determinant", "resolve"]

Points = torch.Tensor
"""(..., 2) float64 absolute positions (x, y) in pixels; not finite where there is none."""

Map = Callable[[int, Points], Points]
"""(t, points) -> points."""

BEYOND = -1
"""The label of what no motion is followed for: the other sheets of a fold, and points with no reference position."""


@dataclass(frozen=True)
class Grid:
    """The frames a deformation is made for: pixels, and their number."""

    height: int
    width: int
    frames: int

    @property
    def centre(self) -> tuple[float, float]:
        return self.width / 2, self.height / 2


def _single(t: int, points: Points) -> torch.Tensor:
    return torch.zeros(points.shape[:-1], dtype=torch.int64, device=points.device)


def _as_it_is(reference: Points, surface: torch.Tensor) -> Points:
    return reference


@dataclass(frozen=True)
class Warp:
    """A deformation at work on one grid. Everything takes and gives float64 tensors of any leading shape.

    `surface(t, points)` labels what is visible there. `to_reference(t, points, surface)` is Phi_t: where what is seen at
    `points` of frame t, on those surfaces, lies in frame 0 (Phi_0 is the identity). A point is the same in two frames
    when its label and its reference position are; BEYOND is never the same.
    `from_reference(t, positions, surface, near)` is the inverse Psi_t on the surface with that label. `near` is a first
    guess and, where there are several solutions, says which; not finite where there is none.
    `determinant(t, points)` is that of the derivative of Phi_t. `picture(positions, surface)` says where on the picture's
    plane the colour of a surface comes from, in pixels of frame 0.
    `smooth`: Phi_t does not ask for the label and varies little over a pixel, so that a renderer may interpolate it.
    `verify`: the inverse can land on another surface with the same label, so that a round trip must tell.
    """

    to_reference: Callable[[int, Points, torch.Tensor], Points]
    from_reference: Callable[[int, Points, torch.Tensor, Points], Points]
    determinant: Callable[[int, Points], torch.Tensor]
    surface: Callable[[int, Points], torch.Tensor] = _single
    picture: Callable[[Points, torch.Tensor], Points] = _as_it_is
    smooth: bool = True
    verify: bool = False


class Values:
    """Parameters of a deformation, complete and checked."""

    def __init__(self, values: Mapping[str, Parameter]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> float:
        return float(self._values[name])

    def text(self, name: str) -> str:
        return str(self._values[name])


@dataclass(frozen=True)
class Deformation:
    """What menus, documentation and tests say of a deformation, and how it is made for a grid.

    >>> swirl = DEFORMATIONS.get("swirl")
    >>> swirl.title, [info.name for info in swirl.parameters]
    ('Swirl', ['degrees', 'radius'])
    >>> warp = swirl.make(Grid(height=64, width=96, frames=10), resolve("swirl", swirl, {}))
    >>> points = torch.tensor([[48.0, 32.0], [60.0, 32.0]], dtype=torch.float64)  # (x, y)
    >>> warp.to_reference(5, points, warp.surface(5, points)).round(decimals=2)  # the centre stays
    tensor([[48.0000, 32.0000],
            [59.5900, 28.8700]], dtype=torch.float64)
    """

    title: str
    about: str
    parameters: tuple[ParameterInfo, ...]
    make: Callable[[Grid, Values], Warp]


DEFORMATIONS: Registry[Deformation] = Registry("deformation", "gpu.source.deformations")


def resolve(name: str, deformation: Deformation, given: Mapping[str, Parameter]) -> Values:
    """`given` with the defaults filled in; SessionError for a name that is not known or a value that is not allowed."""
    return Values(parameters.resolve("deformation", name, deformation.parameters, given))


def one_surface(forth: Map, back: Map, determinant: Callable[[int, Points], torch.Tensor] | None = None) -> Warp:
    """A deformation of one surface that hides nothing: `forth` is Phi and `back` its inverse in closed form.

    Without `determinant` it is found by automatic differentiation of `forth`.
    """

    def to_reference(t: int, points: Points, surface: torch.Tensor) -> Points:
        return forth(t, points)

    def from_reference(t: int, positions: Points, surface: torch.Tensor, near: Points) -> Points:
        return back(t, positions)

    return Warp(to_reference, from_reference, determinant or pointwise_determinant(forth))


AT_ONCE = 1 << 18
"""Points whose derivative is taken at once: every operation of a formula keeps its values for them, up to 2 kB a point."""


def pointwise_determinant(forth: Map) -> Callable[[int, Points], torch.Tensor]:
    """(t, points) -> determinant of the derivative of `forth(t, points)` by automatic differentiation, exact."""

    def determinant(t: int, points: Points) -> torch.Tensor:
        _, along_x, along_y = derivative(lambda at: forth(t, at), points)
        return along_x[..., 0] * along_y[..., 1] - along_x[..., 1] * along_y[..., 0]

    return determinant


def derivative(function: Callable[[Points], Points], points: Points) -> tuple[Points, Points, Points]:
    """The value of a map that works point by point, and its derivatives along x and along y."""
    flat = points.reshape(-1, 2)
    if len(flat) > AT_ONCE:
        parts = [derivative(function, part) for part in torch.split(flat, AT_ONCE)]
        value, along_x, along_y = (torch.cat(values).reshape(points.shape) for values in zip(*parts, strict=True))
        return value, along_x, along_y
    # Reverse mode, as the points do not know of each other: the gradient of the sum over points holds every point's own.
    with torch.inference_mode(False), torch.enable_grad():
        at = points.clone().requires_grad_()
        value = function(at)
        (of_x,) = torch.autograd.grad(value[..., 0].sum(), at, retain_graph=True)
        (of_y,) = torch.autograd.grad(value[..., 1].sum(), at)
    along_x = torch.stack([of_x[..., 0], of_y[..., 0]], dim=-1)
    along_y = torch.stack([of_x[..., 1], of_y[..., 1]], dim=-1)
    return value.detach(), along_x, along_y


def ones(t: int, points: Points) -> torch.Tensor:
    """The determinant of a map that keeps areas."""
    return torch.ones(points.shape[:-1], dtype=points.dtype, device=points.device)
