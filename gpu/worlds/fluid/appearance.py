"""What coloured smoke looks like: densities of the dyes to a picture, by absorption in a thin layer of glowing haze."""

from __future__ import annotations

from typing import NamedTuple

import torch

THICKNESS = 3.0  # optical depth of smoke of density 1


class Palette(NamedTuple):
    """RGB in [0, 1]: one colour a dye, and what is behind the smoke."""

    dyes: tuple[tuple[float, float, float], ...]
    behind: tuple[float, float, float]


PALETTES = {
    "ember": Palette(((1.0, 0.42, 0.16), (0.97, 0.93, 0.86), (0.16, 0.46, 0.95)), (0.03, 0.03, 0.05)),
    "smoke": Palette(((0.95, 0.95, 0.97), (0.62, 0.66, 0.72), (0.82, 0.8, 0.78)), (0.05, 0.06, 0.08)),
    "ink": Palette(((0.10, 0.12, 0.35), (0.55, 0.08, 0.16), (0.04, 0.30, 0.32)), (0.95, 0.93, 0.88)),
}


def picture(smoke: torch.Tensor, palette: Palette) -> torch.Tensor:
    """(3, H, W) in [0, 1] of densities (DYES, H, W) in [0, 1]: Beer-Lambert absorption of what is behind, and the mixed
    colour of the dyes for what is absorbed."""
    total = smoke.sum(dim=0)
    colours = torch.tensor(palette.dyes, dtype=smoke.dtype, device=smoke.device)
    behind = torch.tensor(palette.behind, dtype=smoke.dtype, device=smoke.device)[:, None, None]
    mixed = torch.einsum("khw,kc->chw", smoke, colours) / (total + 1e-6)
    return behind + (mixed - behind) * -torch.expm1(-THICKNESS * total)
