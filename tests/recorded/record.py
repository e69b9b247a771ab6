"""The numbers of the program at one commit, by its command line alone: `python -m tests.recorded.record OUT.npz` writes them.

The record beside this file was made from commit e851dd8, before the modules were moved, so that no move could change a number.
A change of the noise that is meant is recorded anew, with a word in .github/CHANGELOG.md on what changed.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[2]
SIZE = ["--size", "32x40", "--frames", "5", "--channels", "2", "--seed", "11"]
SOURCES = {
    "rotation": ["--synthetic", "rotation:degrees=5"],
    "layers": ["--synthetic", "layers"],
    "bunny": ["--video", str(ROOT / "assets" / "clips" / "bunny.mp4"), "--start", "10"],
}
BACKENDS = ("torch", "gl")
TASK_PRIORS = "random,fixed,bilinear,integral"
EXTRA = {
    "rotation integral k=5 s=1": ["--k", "5", "--s", "1", "--prior", "integral"],
    "layers integral random fill": ["--fill", "random", "--prior", "integral"],
    "layers bilinear random fill": ["--fill", "random", "--prior", "bilinear"],
    "rotation integral gamma": ["--gamma", "0.25", "--prior", "integral"],
    "turbulence integral renewed": [
        "--synthetic",
        "turbulence:amplitude=0.05,scale=0.2,period=20",
        "--frames",
        "14",
        "--prior",
        "integral",
    ],
}


def cases() -> dict[str, list[str]]:
    """Name to the words after `noisescope warp`, but for --out: every prior, mode and backend on every source."""
    from gpu.priors import PRIORS

    listed = {}
    for backend in BACKENDS:
        for source, words in SOURCES.items():
            for name, prior in PRIORS.items():
                if prior.info.uses_task:
                    continue
                for mode in prior.info.modes or ("",):
                    extra = ["--mode", mode] if mode else []
                    listed[" ".join(filter(None, (source, name, mode, backend)))] = [
                        *words, *SIZE, "--prior", name, *extra, "--backend", backend,
                    ]  # fmt: skip
        for title, words in EXTRA.items():
            source = SOURCES.get(title.split()[0], [])
            listed[f"{title} {backend}"] = [*source, *SIZE, *words, "--backend", backend]
    return listed


def renders() -> dict[str, list[str]]:
    """Name to the words after `noisescope render`, but for --out."""
    words = [
        "--task",
        "super-resolution",
        "--priors",
        TASK_PRIORS,
        "--backend",
        "torch",
        *SIZE[:1],
        "32x48",
        "--frames",
        "3",
    ]
    return {f"{source} render": [*SOURCES[source], *words, "--seed", "11"] for source in ("rotation", "bunny")}


def run(words: list[str]) -> None:
    """One command line in this process; RuntimeError with what it said when it fails."""
    from app.cli import main

    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(words)
    if code != 0:
        raise RuntimeError(f"noisescope {' '.join(words)}: {said.getvalue()}")


def warped(words: list[str]) -> dict[str, npt.NDArray[Any]]:
    """`noise` (T, C, H, W) and `undefined` (T, H, W) as bits, as `noisescope warp` writes them."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "noise.npz"
        run(["warp", *words, "--out", str(out)])
        with np.load(out) as arrays:
            return {"noise": arrays["noise"], "undefined": np.packbits(arrays["undefined"])}


def rendered(words: list[str]) -> dict[str, float]:
    """The numbers of metrics.json, flat."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        run(["render", *words, "--out", str(out)])
        return dict(flat(json.loads((out / "metrics.json").read_text(encoding="utf-8"))["priors"]))


def flat(tree: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """The numbers in nested dictionaries by the names on the way to them."""
    if isinstance(tree, dict):
        for name, branch in tree.items():
            yield from flat(branch, f"{path}/{name}" if path else name)
    elif isinstance(tree, (int, float)) and not isinstance(tree, bool):
        yield path, float(tree)


def seen(noise: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The part of the noise that is kept value by value: the last frame and the second one, every second row."""
    return np.ascontiguousarray(noise[[1, -1], :, ::2])


def sums(noise: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Sums of values and of squares, a frame each: (T, 2)."""
    values = noise.astype(np.float64).reshape(len(noise), -1)
    return np.stack([values.sum(1), (values**2).sum(1)], 1)


def main(out: str) -> None:
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, words in cases().items():
        made = warped(words)
        arrays[f"{name}|noise"] = seen(made["noise"])
        arrays[f"{name}|sums"] = sums(made["noise"])
        arrays[f"{name}|undefined"] = made["undefined"]
        print(name, file=sys.stderr)
    for name, words in renders().items():
        numbers = rendered(words)
        arrays[f"{name}|names"] = np.array(list(numbers))
        arrays[f"{name}|values"] = np.array(list(numbers.values()))
    np.savez_compressed(out, **arrays)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1])
