"""Prior `go-with-the-flow`: whole pixels move, split where the motion expands and merge where it contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu.parameters import switch
from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import PriorContext, Run

FINER = 4
"""Cells side by side in a pixel, where noise is carried on a finer grid."""

INFO = PriorInfo(
    title="Go-with-the-Flow",
    summary="Whole pixels move along the flow, split where it expands and merge where it contracts, weighted by a density: "
    "white, quick, and close to the frame before. For comparison only: a patent application, US 2026/0134518, covers this "
    "algorithm as its authors use it.",
    source="Burgert et al. 2025, Go-with-the-Flow, arXiv 2501.08331, Algorithm 1, written from the paper",
    modes=("chained",),
    parameters=(
        switch(
            "pooled",
            "On a grid 4 times finer",
            False,
            tip="Carry noise on a grid 4 times finer each way, and sum blocks of 4 × 4 over 4: 16 times the work and memory.",
        ),
    ),
    hue="purple",
    dash="solid",
)


def start(context: PriorContext) -> Run:
    """Cells that move, split and merge, chained."""
    from gpu.priors.kit import splitting

    return splitting.start(context, FINER if context.parameters.get("pooled", False) else 1)


PRIORS.add("go-with-the-flow", order=106)(Prior(INFO, start))
