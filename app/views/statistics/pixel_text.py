"""The numbers of an inspected pixel as lines of text, Qt-free."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from app.views.statistics.measures import signed

if TYPE_CHECKING:
    from gpu.noise.inspection import Footprint, Inspection, Shares, Taps

STATES = (
    "kept: carried from the shot's first frame itself",
    "inherited: born in a later frame",
    "new: fresh noise, an anchor",
    "undefined: fresh noise of the random fill",
    "renewed: of the shot's first frame, by way of a later anchor",
)


def numbers(key: str, inspection: Inspection, channel: int, full: bool = False) -> list[str]:
    """Lines about one channel of an inspected pixel of column `key`; `full` adds every sub-pixel and neighbour."""
    channel = min(channel, len(inspection.value) - 1)
    where = f"frame {inspection.t}, x {inspection.x}, y {inspection.y}, channel {channel}"
    lines = [f"{key}, {where}: {inspection.sentence}"] if full else []
    lines.append(f"value {signed(float(inspection.value[channel]), 4)} σ")
    lines.append(STATES[inspection.state])
    if inspection.gamma and inspection.mixed is not None:
        g = inspection.gamma
        lines.append(
            f"γ = {g:g} mixes: ({1 - g:g} · {signed(float(inspection.own[channel]), 4)} + {g:g} · "
            f"{signed(float(inspection.mixed[channel]), 4)}) / {math.hypot(1 - g, g):.4f}"
        )
    if inspection.footprint is not None:
        lines += _footprint(inspection.footprint, channel, full)
    if inspection.taps is not None:
        lines += _taps(inspection.taps, channel)
    if inspection.shares is not None:
        lines += _shares(inspection.shares, channel, full)
    return lines


def _footprint(foot: Footprint, channel: int, full: bool) -> list[str]:
    whole = 4**foot.level
    lines = [
        f"anchor frame {foot.anchor}, position ({foot.position[0]:.3f}, {foot.position[1]:.3f}) px",
        f"area {foot.area:.4f} px², Jacobian {signed(foot.jacobian, 4)}",
        f"owns {foot.count} sub-pixels of 1/{1 << foot.level} px"
        + (f"; {foot.covered - foot.count} more in the outline belong to others" if foot.covered > foot.count else ""),
        f"|Ω| / N = {foot.count} / {whole} = {foot.count / whole:.4f} px²",
    ]
    if foot.count:
        lines.append(
            f"sum {signed(float(foot.total[channel]), 4)} · √({whole} / {foot.count}) = "
            f"{signed(float(foot.value[channel]), 4)}"
        )
    if full:
        lines.append("outline (x, y) px: " + "  ".join(f"({x:.4f}, {y:.4f})" for x, y in foot.polygon))
        lines += [
            f"neighbour ({neighbour.x}, {neighbour.y}): "
            + "  ".join(f"({x:.4f}, {y:.4f})" for x, y in neighbour.polygon)
            for neighbour in foot.neighbours
        ]
        lines.append("sub-pixel x\ty\tvalue")
        lines += [
            f"{x}\t{y}\t{value:.6f}"
            for (x, y), value in zip(foot.subpixels.tolist(), foot.values[channel].tolist(), strict=True)
        ]
    return lines


def _taps(taps: Taps, channel: int) -> list[str]:
    lines = [f"reads frame {taps.source} at ({taps.position[0]:.3f}, {taps.position[1]:.3f}) px"]
    for (x, y), weight, value in zip(
        taps.pixels.tolist(), taps.weights.tolist(), taps.values[channel].tolist(), strict=True
    ):
        lines.append(f"({x}, {y}): {signed(weight, 4)} · {signed(value, 4)}")
    lines.append(f"sum {signed(float(taps.value[channel]), 4)} σ")
    lines.append(f"variance Σw² = {taps.variance:.4f}, where white noise has 1")
    return lines


SHOWN = 8
"""Shares that are listed on the page; the copied text has all."""


def _shares(shares: Shares, channel: int, full: bool) -> list[str]:
    lines = [f"was at ({shares.position[0]:.3f}, {shares.position[1]:.3f}) px in frame {shares.source}"]
    if shares.cells > 1:
        lines.append(f"places of cells, {shares.cells} × {shares.cells} a pixel")
    count = len(shares.pixels) if full else min(len(shares.pixels), SHOWN)
    for (x, y), value, share, part, weight in zip(
        shares.pixels[:count].tolist(),
        shares.values[channel].tolist(),
        shares.shares.tolist(),
        shares.parts[channel].tolist(),
        shares.weights.tolist(),
    ):
        lines.append(f"({x}, {y}): {share:.1%} of {signed(value, 4)} gave {signed(part, 4)} · {signed(weight, 4)}")
    if count < len(shares.pixels):
        lines.append(f"and {len(shares.pixels) - count} more")
    if float(shares.fresh[channel]):
        lines.append(f"drawn anew {signed(float(shares.fresh[channel]), 4)}")
    lines.append(f"sum {signed(float(shares.value[channel]), 4)} σ, of independent parts: variance 1")
    return lines
