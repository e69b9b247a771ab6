"""Flicker of an output video: the temporal power spectrum of its brightness along the true motion and at fixed pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from gpu.flow.maps import bilinear, inside, pixel_centres

F32 = npt.NDArray[np.float32]

SEGMENT = 16
"""Frames of one stretch whose spectrum is taken (Welch's method): frequencies are whole multiples of 1/16 cycles/frame."""

SHORTEST = 4
"""Fewer frames than this have no spectrum worth the name."""

POINTS = 4096
"""Pixels followed in each stretch, about: enough to average over, few enough to keep up with the window."""


@dataclass(frozen=True)
class Stretch:
    """Where n points are in consecutive frames: `positions` (N, n, 2) absolute, `start` the first frame, and `known` (n,) which
    of them are seen in all N frames."""

    start: int
    positions: torch.Tensor
    known: torch.Tensor


@dataclass(frozen=True)
class Flicker:
    """One-sided power spectral densities over `frequency` (F,), in cycles/frame from 1/N to 1/2.

    `along` follows what is seen (motion-compensated), `fixed` stays at a pixel of the screen; both are averages over points,
    in (grey level of 0-255)^2 per cycle/frame: noise that is independent from frame to frame with variance s^2 lies flat at
    2 s^2. `along` is NaN where no point stays in view. Frames `start` ... `start + frames - 1` enter, in `stretches` of N;
    `coverage` is the share of points that could be followed.
    """

    frequency: F32
    along: F32
    fixed: F32
    start: int
    frames: int
    stretches: int
    coverage: float


def longest_run(there: Sequence[bool], starts: Sequence[bool]) -> range:
    """The longest stretch of consecutive frames that are `there` and that no shot cut (a frame that `starts`) parts; the first
    of several, empty where there is none."""
    best, begin = range(0), 0
    for t in range(len(there) + 1):
        if t == len(there) or not there[t] or starts[t]:
            if t - begin > len(best):
                best = range(begin, t)
            begin = t if t < len(there) and there[t] else t + 1
    return best


def stretches(
    run: range,
    backward: Callable[[int], torch.Tensor],
    valid: Callable[[int], torch.Tensor],
    points: int = POINTS,
) -> list[Stretch]:
    """Trajectories through the frames of `run`, in stretches of at most SEGMENT frames that overlap by half.

    `backward(t)` (H, W, 2) and `valid(t)` (H, W) live on the grid of frame t + 1. A point starts at a pixel's
    centre in a stretch's last frame and is followed back; it is known while it stays inside the frame on valid flow.
    """
    length = min(SEGMENT, len(run))
    if length < SHORTEST:
        return []
    hop = max(1, length // 2)
    first = list(range(run.start, run.stop - length + 1, hop))
    if first[-1] != run.stop - length:
        first.append(run.stop - length)  # no computed frame is left out
    return [_follow(start, length, backward, valid, points) for start in first]


def _follow(
    start: int,
    length: int,
    backward: Callable[[int], torch.Tensor],
    valid: Callable[[int], torch.Tensor],
    points: int,
) -> Stretch:
    flow = backward(start + length - 2)
    height, width = flow.shape[:2]
    step = max(1, int((height * width / points) ** 0.5))
    at = pixel_centres(height, width, flow.device)[step // 2 :: step, step // 2 :: step].reshape(-1, 2)
    followed = torch.ones(len(at), dtype=torch.bool, device=flow.device)
    positions = [at]
    for t in range(start + length - 2, start - 1, -1):
        followed = followed & (bilinear(valid(t)[None].to(torch.float32), at)[0] > 0.999)
        at = at + bilinear(backward(t).permute(2, 0, 1), at).T
        followed = followed & inside(at, height, width)
        positions.append(at)
    return Stretch(start, torch.stack(positions[::-1]), followed)


def measure(video: Callable[[int], torch.Tensor], followed: Sequence[Stretch]) -> Flicker | None:
    """The flicker of `video(t)`, (3, H, W) in [0, 1], over stretches from `stretches`; None where there are none.

    Brightness is the Rec. 601 luma, sampled bilinearly, its mean over the stretch taken out, under a Hann window (Welch 1967).
    Every frequency is divided by what this does to white noise, which therefore stays flat down to 1/N. (Bilinear sampling
    between pixels lowers fine detail along the motion for every video alike.)
    """
    if not followed:
        return None
    length = len(followed[0].positions)
    window = torch.hann_window(length, periodic=True, dtype=torch.float64)
    square = float(window.square().sum())
    gain = 1 - torch.fft.rfft(window).abs().square() / (length * square)
    along = torch.zeros(length // 2 + 1, dtype=torch.float64)
    fixed = torch.zeros_like(along)
    seen = points = 0
    luma: dict[int, torch.Tensor] = {}
    for stretch in followed:
        device = stretch.positions.device
        frames = range(stretch.start, stretch.start + length)
        luma = {t: luma[t] if t in luma else _luma(video(t).to(device)) for t in frames}
        there = stretch.positions[-1]
        moving = torch.stack([bilinear(luma[t], place)[0] for t, place in zip(frames, stretch.positions, strict=True)])
        still = torch.stack([bilinear(luma[t], there)[0] for t in frames])
        along += _power(moving[:, stretch.known], window)
        fixed += _power(still, window)
        seen += int(stretch.known.sum())
        points += len(there)
    keep = slice(1, None)  # the mean is no flicker
    scale = 2 / (square * gain[keep])
    return Flicker(
        frequency=(torch.arange(1, length // 2 + 1) / length).numpy().astype(np.float32),
        along=(along[keep] * scale / (seen or float("nan"))).numpy().astype(np.float32),
        fixed=(fixed[keep] * scale / points).numpy().astype(np.float32),
        start=followed[0].start,
        frames=followed[-1].start + length - followed[0].start,
        stretches=len(followed),
        coverage=seen / points,
    )


def _luma(image: torch.Tensor) -> torch.Tensor:
    """(1, H, W) Rec. 601 luma on the 0-255 scale."""
    return (255 * (0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]))[None]


def _power(series: torch.Tensor, window: torch.Tensor) -> torch.Tensor:
    """(F,) sums over the columns of `series` (N, n) of the squared windowed transform."""
    values = series.to("cpu", torch.float64)
    if values.shape[1] == 0:
        return torch.zeros(len(window) // 2 + 1, dtype=torch.float64)
    transform: torch.Tensor = torch.fft.rfft((values - values.mean(0)) * window[:, None], dim=0)
    return transform.abs().square().sum(1)
