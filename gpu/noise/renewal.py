"""Where noise is renewed: pixels whose own outline no longer follows the motion start from a new anchor, with the noise they
have.

Positions are known at the centres of pixels. Where a turbulent motion has folded and stretched what lies between them, or where
neighbours have come from so many anchors that a pixel stands nearly alone, an outline drawn through the centres is a guess.
There the noise of the frame becomes an anchor for these pixels only. What they have used of their old anchor is spent
(gpu.noise.spent), so that frames stay exactly white across the seam.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch

from gpu import compiled
from gpu.noise.states import NEW, UNDEFINED
from gpu.noise.tracing import shifted
from gpu.noise.tracks import Track

EVERY = 4
"""Frames from one renewal to the next: each costs a part of the memory, and an anchor more to look at."""

ALONE = 4
"""A pixel is renewed that no more than so many of its eight neighbours have the anchor in common with."""

WHOLE = 0.15
"""Of the limit: where half a frame is bent by so much, the whole is given up by priors that know no other way."""

NEAR, CROWD = 4, 0.25
"""Renewed is only where a quarter of the pixels within four along x and y ask for it: turbulence, and not the edge of an object
or of the frame, where strips that came into view one by one lie side by side."""

GROWN = 1
"""Pixels around renewed ones that are renewed with them, so that these do not stand alone again."""


def _out_of_line(track: Track) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Along x and along y: (H, W) how far a position is from lying in a line with those on either side, and where these have
    the same anchor."""
    label, here = track.label, track.position.permute(2, 0, 1)
    for axis in (0, 1):
        size = label.shape[1 - axis]
        after, before = shifted(here, axis, 1), shifted(here, axis, -1)
        number = torch.arange(size, device=label.device)
        number = number if axis == 0 else number[:, None]
        same = (shifted(label, axis, 1) == label) & (shifted(label, axis, -1) == label)
        x, y = after - here * 2 + before
        yield torch.sqrt(x * x + y * y), same & (number > 0) & (number < size - 1)


def bends(track: Track) -> torch.Tensor:
    """(H, W) float32 how far the position of a pixel is from lying in a line with those on either side,
    |p(i+1) - 2 p(i) + p(i-1)| in pixels, along x or y, whichever is more; 0 where these have other anchors, and of any affine
    motion, however large. Bilinear positions are off by about an eighth of it."""
    most = torch.zeros(track.label.shape, device=track.label.device)
    for off, same in _out_of_line(track):
        most = torch.maximum(most, torch.where(same, off, 0.0))
    return most


def company(label: torch.Tensor) -> torch.Tensor:
    """(H, W) int32 how many of the eight neighbours have a pixel's own anchor; beyond the border it goes on."""
    number = torch.zeros_like(label)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            if dx or dy:
                number = number + (shifted(shifted(label, 0, dx), 1, dy) == label)
    return number


def renewing(track: Track, limit: float) -> torch.Tensor | None:
    """(H, W) bool which carried pixels of a track are to be renewed: those more bent than `limit` pixels or nearly alone, and
    those around them. None for nobody; a limit of infinity renews nobody."""
    if limit == math.inf:
        return None
    if track.label.device.type == "cpu" and compiled.available():
        from gpu.noise import renewal_compiled

        chosen = torch.empty(track.label.shape, dtype=torch.bool)
        position, label = track.position.contiguous().numpy(), track.label.contiguous().numpy()
        renewal_compiled.choose(position, label, np.float32(limit), ALONE, chosen.numpy())
    else:
        chosen = (bends(track) > limit) | (company(track.label) <= ALONE)
    carried = (track.state != NEW) & (track.state != UNDEFINED)
    chosen = chosen & carried
    if bool(chosen.any()):
        chosen = chosen & crowded(chosen)
    if not bool(chosen.any()):
        return None
    for _ in range(GROWN):
        for axis in (0, 1):
            chosen = chosen | shifted(chosen, axis, 1) | shifted(chosen, axis, -1)
    return chosen & carried


def crowded(chosen: torch.Tensor) -> torch.Tensor:
    """(H, W) bool where CROWD of the pixels within NEAR of a pixel along x and y are `chosen` (H, W), beyond the border like at
    the border."""
    if chosen.device.type == "cpu" and compiled.available():
        from gpu.noise import renewal_compiled

        out = torch.empty_like(chosen)
        renewal_compiled.crowd(chosen.contiguous().numpy(), NEAR, CROWD * (2 * NEAR + 1) ** 2, out.numpy())
        return out
    number = chosen.to(torch.int32)
    for axis in (0, 1):
        number = sum((shifted(number, axis, by) for by in range(-NEAR, NEAR + 1)), torch.zeros_like(number))
    return number >= CROWD * (2 * NEAR + 1) ** 2


def whole(track: Track, limit: float) -> torch.Tensor | None:
    """(H, W) bool all pixels of a track, where half of all threes in a row or column that have one anchor are bent by more than
    WHOLE of `limit` pixels; None else. For priors whose anchors are given up as a whole."""
    if limit == math.inf:
        return None
    number, beyond = 0, 0
    for off, same in _out_of_line(track):
        number += int(same.sum())
        beyond += int((same & (off > limit * WHOLE)).sum())
    return torch.ones_like(track.label, dtype=torch.bool) if beyond > number // 2 else None
