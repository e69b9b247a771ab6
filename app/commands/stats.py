"""`noisescope stats`: the whiteness of a file of noise, frame by frame and over all."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands import COMMANDS, Command, Parser

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from app.export.kit.frames import Frames
    from gpu.engine.results import Update
    from gpu.metrics.whiteness import Whiteness

COLUMNS = (
    ("mean", "{:+.4f}", "mean"),
    ("variance", "{:.4f}", "variance"),
    ("skewness", "{:+.4f}", "skewness"),
    ("kurtosis", "{:+.4f}", "ex.kurt."),
    ("ks", "{:.5f}", "KS"),
    ("ks_p", "{:.3f}", "KS p"),
    ("moran", "{:+.5f}", "Moran's I"),
    ("moran_p", "{:.3f}", "Moran p"),
    ("autocorrelation", "{:.4f}", "max|ac|"),
    ("channel_correlation", "{:.4f}", "channels"),
)
"""Measures of the table: attribute of Whiteness, how it is printed, heading."""

NUMBERS = (
    "n",
    *(name for name, _, _ in COLUMNS),
    "variance_low",
    "variance_high",
    "moran_z",
    "autocorrelation_expected",
    "autocorrelation_limit",
    "channel_limit",
)

COPIES = 12
"""How much memory measuring a frame takes, in frames of float32."""


def configure(parser: Parser) -> None:
    parser.add_argument(
        "file",
        metavar="F",
        type=Path,
        help="a file of noise, of `noisescope warp` or another program: .npz, .npy, .pt, .safetensors, .latent",
    )
    parser.add_argument(
        "--axes",
        metavar="TCHW",
        default="",
        help="order of its axes, as in CTHW, BCTHW or HW (default: what the file says, else what their lengths say)",
    )
    parser.add_argument(
        "--key", metavar="NAME", default="", help="name of the array in it, where it holds several that can be noise"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    from app.commands.kit.progress import finish
    from app.export.kit.noise_reading import read_noise

    stored = read_noise(arguments.file, arguments.axes, arguments.key)
    _check_memory(arguments.file, stored.noise.shape)
    for note in stored.notes:
        print(f"noisescope: {note}", file=sys.stderr)
    frames: list[Whiteness] = []
    total = finish(_measured(stored.noise, frames), "stats")
    count, channels, height, width = stored.noise.shape
    if arguments.json:
        result = {
            "file": str(arguments.file),
            "array": stored.name,
            "axes": stored.axes,
            "notes": list(stored.notes),
            "frames": count,
            "channels": channels,
            "height": height,
            "width": width,
            "per_frame": [_numbers(white) for white in frames],
            "all": _numbers(total),
        }
        print(json.dumps(result, indent=2, ensure_ascii=False))
        return 0
    print(f"{arguments.file}: {count} frames × {channels} channels × {height} × {width}, axes {stored.axes}")
    print(" ".join(["frame", *(f"{heading:>9}" for _, _, heading in COLUMNS), " verdict"]))
    for t, white in enumerate(frames):
        print(_row(str(t), white))
    print(_row("all", total))
    interval = f"{total.variance_low:.4f}–{total.variance_high:.4f}"
    expected, limit = total.autocorrelation_expected, total.autocorrelation_limit
    shifts = "" if math.isnan(expected) else f" and max|ac| near {expected:.4f}, below {limit:.4f}"
    print(f"White noise of one frame's n = {frames[0].n} has a variance in {interval} (99.9 %){shifts}.")
    return 0


def _check_memory(path: Path, shape: tuple[int, ...]) -> None:
    """NoiseFileError when measuring one frame needs more memory than there is."""
    from app.export import NoiseFileError
    from gpu.arrays.source import available
    from gpu.files import byte_text

    needed, free = COPIES * 4 * math.prod(shape[1:]), available()
    if free is not None and needed > free:
        raise NoiseFileError(
            f"Measuring one frame of {path} ({shape[1]} × {shape[2]} × {shape[3]}) needs {byte_text(needed)} of memory, "
            f"and {byte_text(free)} are free."
        )


def _measured(noise: Frames | npt.NDArray[np.generic], frames: list[Whiteness]) -> Generator[Update, None, Whiteness]:
    """Measure frame by frame into `frames`, as Updates; returns the measures of all together."""
    import numpy as np

    from gpu.engine.results import Update
    from gpu.metrics.whiteness import pooling

    steps = pooling(np.array(frame, np.float32, order="C") for frame in noise)
    while True:
        try:
            frames.append(next(steps))
        except StopIteration as end:
            pooled: Whiteness = end.value
            return pooled
        yield Update(len(frames), len(noise), f"frame {len(frames) - 1}")


def _row(name: str, white: Whiteness) -> str:
    cells = [f"{_printed(getattr(white, attribute), form):>9}" for attribute, form, _ in COLUMNS]
    return " ".join([f"{name:>5}", *cells, f" {white.verdict.text}"])


def _printed(value: float, form: str) -> str:
    return "–" if math.isnan(value) else form.format(value)


def _numbers(white: Whiteness) -> dict[str, Any]:
    """The measures as JSON can hold them: null where there is none."""
    numbers = {name: _finite(float(getattr(white, name))) for name in NUMBERS}
    return {
        **numbers,
        "n": white.n,
        "autocorrelation_shift": list(white.autocorrelation_shift),
        "white": white.verdict.ok,
        "verdict": white.verdict.text,
        "verdicts": {name: {"ok": verdict.ok, "text": verdict.text} for name, verdict in white.verdicts.items()},
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


COMMANDS.add("stats", order=20)(
    Command(
        "Measure the whiteness of a file of noise.",
        configure,
        run,
        "a table, or JSON with `--json`",
    )
)
