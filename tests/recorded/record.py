"""The numbers of the program at one commit, through its command line alone: `python -m tests.recorded.record OUT.npz`.

`recorded.npz` beside this file was made from commit e851dd8, the last one before modules were moved; test_same_numbers.py
runs the same command lines again and compares. Where a change of the noise is meant, the record is made anew,

    OMP_NUM_THREADS=1 python -m tests.recorded.record tests/recorded/recorded.npz

and .github/CHANGELOG.md gets a word on what changed and why. The file holds its own command lines, so that the test needs
nothing of the program but `app.cli.main`; only making a record asks the registry of priors for their names.

Of each `warp` it holds a strided part of the noise, sums over all of it, every bit of `undefined`, and what `meta` says that
does not hang on the machine; of each `render` the numbers of metrics.json.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read once, when torch is imported
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

Array = npt.NDArray[Any]
Cases = dict[str, list[str]]
"""Name to command line, but for --out. {root} in it is the repository, {made} the folder that `make_inputs` filled."""

ROOT = Path(__file__).resolve().parents[2]
BUNNY = ["--video", "{root}/assets/clips/bunny.mp4"]
CITY = ["--video", "{root}/assets/clips/city.mp4"]
ROTATION = ["--synthetic", "rotation:degrees=4"]
LAYERS = ["--synthetic", "layers"]
SOURCES = {"rotation": ROTATION, "layers": LAYERS, "bunny": BUNNY}
SIZE = ["--size", "48x64", "--frames", "6", "--channels", "4", "--seed", "7"]
SMALL = ["--size", "40x48", "--frames", "4", "--channels", "2", "--seed", "11"]
BACKENDS = ("torch", "gl")

BOTH = {
    "layers, integral, random fill": [*LAYERS, *SIZE, "--prior", "integral", "--fill", "random"],
    "layers, bilinear anchored, random fill": [*LAYERS, *SIZE, "--prior", "bilinear", "--fill", "random"],
    "layers, nearest chained, random fill": [
        *LAYERS, *SIZE, "--prior", "nearest", "--mode", "chained", "--fill", "random",
    ],
    "rotation, integral, gamma": [*ROTATION, *SIZE, "--prior", "integral", "--gamma", "0.3"],
    "bunny, bilinear chained, gamma": [*BUNNY, *SIZE, "--prior", "bilinear:mode=chained,gamma=0.2"],
    "rotation, integral, k=0": [*ROTATION, *SMALL, "--prior", "integral", "--k", "0"],
    "rotation, integral, k=4 s=1": [*ROTATION, *SMALL, "--prior", "integral", "--k", "4", "--s", "1"],
    "fold, integral, s=8": ["--synthetic", "fold", *SMALL, "--prior", "integral", "--s", "8"],
    "turbulence, integral, anchors renewed": [
        "--synthetic", "turbulence:amplitude=0.05,scale=0.2,period=20", *SMALL, "--size", "20x24", "--frames", "14",
        "--prior", "integral",
    ],
    "city, integral, across the cut": [*CITY, *SMALL, "--start", "22", "--frames", "6", "--prior", "integral"],
}  # fmt: skip
"""What depends on the rasteriser, run with both."""

TORCH = {
    "rotation, pyoco-mixed, alpha": [*ROTATION, *SMALL, "--prior", "pyoco-mixed:alpha=2.5"],
    "rotation, pyoco-progressive, alpha": [*ROTATION, *SMALL, "--prior", "pyoco-progressive:alpha=0.7"],
    "bunny, control-a-video, threshold": [*BUNNY, *SMALL, "--prior", "control-a-video:threshold=0.03"],
    "city, integral, farneback": [*CITY, *SMALL, "--estimator", "farneback", "--prior", "integral"],
    "city, integral, dis fast at half size": [
        *CITY, *SMALL, "--estimator", "dis", "--preset", "fast", "--flow-scale", "0.5", "--prior", "integral",
    ],
    "flow file, backward, integral": ["--flow", "{made}/flow.npy", *SMALL, "--prior", "integral"],
    "flow file, forward, yx, turned, integral": [
        "--flow", "{made}/flow.npy", "--flow-direction", "forward", "--flow-axes", "yx", "--flow-sign", "-1", *SMALL,
        "--prior", "integral",
    ],
    "session with a task, ddim-inversion": ["--session", "{made}/session.json", *SMALL],
    **{f"scene {name}, integral": ["--scene", name, *SMALL] for name in ("flat", "smoke", "pose")},
    **{
        f"{name}, integral": ["--synthetic", name, *SMALL]
        for name in ("translation", "zoom", "rotation-zoom", "swirl", "shear", "wave", "lens", "perspective", "formula")
    },
}  # fmt: skip
"""What does not: priors' parameters, and where frames and motion come from."""

TASKS = {
    "none": ROTATION,
    "super-resolution-x8": ROTATION,
    "jpeg-restoration": ROTATION,
    "super-resolution-latent": ROTATION,
    "unconditional-texture": ROTATION,
    "appearance-transfer": ["--scene", "flat"],
    "surrogate-rendering": ["--scene", "smoke"],
    "pose-to-person": ["--scene", "pose"],
}
"""Tasks beside super-resolution, on a source that they are for."""


def cases() -> Cases:
    """What is recorded: every prior in every mode on every source by both backends, and more of each option."""
    from gpu.priors import PRIORS

    made: Cases = {}
    for backend in BACKENDS:
        for source, words in SOURCES.items():
            for name, prior in PRIORS.items():
                for mode in prior.info.modes or ("",):
                    column = ["--prior", name, *(["--mode", mode] if mode else [])]
                    title = f"{source}, {name} {mode}".rstrip()
                    made[f"{title}, {backend}"] = ["warp", *words, *SIZE, *column, "--backend", backend]
        for title, words in BOTH.items():
            made[f"{title}, {backend}"] = ["warp", *words, "--backend", backend]
    for title, words in TORCH.items():
        made[f"{title}, torch"] = ["warp", *words, "--backend", "torch"]
    clip = ["--size", "48x64", "--frames", "4", "--seed", "7"]
    four = ["--task", "super-resolution", "--priors", "random,fixed,bilinear,integral"]
    few = [*four, "--steps", "4"]
    made["render, bunny, torch"] = ["render", *BUNNY, *clip, *four, "--backend", "torch"]  # as many steps as usual
    made["render, rotation, torch"] = ["render", *ROTATION, *clip, *few, "--backend", "torch"]
    made["render, rotation, gl"] = ["render", *ROTATION, *clip, *few, "--backend", "gl"]
    for task, words in TASKS.items():
        made[f"render, {task}, torch"] = [
            "render", *words, *clip, "--frames", "2", "--task", task, "--steps", "2", "--priors", "fixed,integral",
            "--backend", "torch",
        ]  # fmt: skip
    return made


@dataclass(frozen=True)
class Numbers:
    """What one command line came to: `arrays` to compare by value, and `facts`, a tree of JSON without what is volatile."""

    arrays: dict[str, Array]
    facts: dict[str, Any]


def run(words: list[str]) -> Numbers:
    """Run one case in this process. RuntimeError with what the program said when it fails."""
    from app.cli import main

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_inputs(folder)
        argv = [word.format(root=ROOT, made=folder) for word in words]
        out = folder / ("noise.npz" if words[0] == "warp" else "out")
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main([*argv, "--out", str(out)])
        if code != 0:
            raise RuntimeError(f"noisescope {' '.join(argv)} ended with {code}: {said.getvalue()}")
        return _warped(out) if words[0] == "warp" else _rendered(out)


def make_inputs(folder: Path) -> None:
    """A flow (3, 40, 48, 2) that turns and spreads, by exact arithmetic, and a session with a task in it."""
    y, x = np.mgrid[0:40, 0:48] / 32.0 - 0.75
    flow = np.stack([[(t + 1) * (x / 2 - y), (t + 1) * (x + y * y)] for t in range(3)])
    np.save(folder / "flow.npy", np.ascontiguousarray(flow.transpose(0, 2, 3, 1), np.float32))
    session = {
        "version": 1,
        "source": {"kind": "synthetic", "name": "rotation", "parameters": {"degrees": 4.0}},
        "priors": [{"name": "ddim-inversion"}],
        "task": {"name": "super-resolution", "steps": 4},
    }
    (folder / "session.json").write_text(json.dumps(session), encoding="utf-8")


def machine() -> str:
    """What bits hang on: on another processor, or with another build of a library, sums are taken in another order."""
    import cv2
    import torch

    processor = torch.backends.cpu.get_cpu_capability()
    return f"torch {torch.__version__} {processor}, OpenCV {cv2.__version__} {cv2.getCPUFeaturesLine()}"


def sample(noise: Array) -> npt.NDArray[np.float32]:
    """Noise (T, C, H, W) as (T, C, n): every 17th pixel of every frame and channel, in all rows and columns."""
    return np.ascontiguousarray(noise.reshape(*noise.shape[:2], -1)[..., 3::17], np.float32)


def sums(values: Array) -> npt.NDArray[np.float64]:
    """Of each frame (T, …): the sum, the sum of squares, and a sum whose weights tell where in the frame a value lies."""
    flat = values.astype(np.float64).reshape(len(values), -1)
    weights = np.arange(flat.shape[1]) * 37 % 101 / 101 - 0.5
    return np.stack([flat.sum(1), (flat**2).sum(1), flat @ weights], 1)


def _warped(out: Path) -> Numbers:
    with np.load(out) as made:
        noise, undefined, backward = made["noise"], made["undefined"], made["backward"]
        meta = json.loads(str(made["meta"]))
    arrays = {"noise": sample(noise), "sums": sums(noise), "flow": sums(backward), "undefined": np.packbits(undefined)}
    for volatile in ("program", "versions", "device", "backend"):
        meta.pop(volatile, None)
    source = meta["session"]["source"]
    meta["session"]["source"] = {key: value for key, value in source.items() if not key.endswith("path")}
    return Numbers(arrays, meta | {"shape": list(noise.shape)})


def _rendered(out: Path) -> Numbers:
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    numbers = dict(_numbers(metrics["priors"]))
    arrays = {"names": np.array(list(numbers)), "metrics": np.array(list(numbers.values()))}
    return Numbers(arrays, {key: metrics[key] for key in ("task", "source", "motion", "seed")})


def _numbers(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of nested dictionaries by the names on the way to them; NaN for null."""
    for name, branch in sorted(tree.items()):
        if isinstance(branch, dict):
            yield from _numbers(branch, f"{path}{name}/")
        else:
            yield f"{path}{name}", float("nan") if branch is None else float(branch)


@dataclass(frozen=True)
class Record:
    """A file of numbers; arrays are read when they are asked for."""

    path: Path

    def cases(self) -> Cases:
        with np.load(self.path) as stored:
            return dict(json.loads(str(stored["cases"])))

    def machine(self) -> str:
        with np.load(self.path) as stored:
            return str(stored["machine"])

    def numbers(self, name: str) -> Numbers:
        with np.load(self.path) as stored:
            keys = [key for key in stored.files if key.startswith(f"{name}|")]
            arrays = {key.partition("|")[2]: stored[key] for key in keys}
            return Numbers(arrays, json.loads(str(stored["facts"]))[name])


def main(out: Path) -> None:
    """Run every case and write the record. A record that is there is replaced only at the end."""
    arrays: dict[str, Array] = {}
    facts = {}
    made = cases()
    for name, words in made.items():
        print(name, file=sys.stderr)
        numbers = run(words)
        facts[name] = numbers.facts
        arrays |= {f"{name}|{key}": array for key, array in numbers.arrays.items()}
    texts = {"machine": machine(), "cases": json.dumps(made), "facts": json.dumps(facts, sort_keys=True)}
    np.savez_compressed(out, **{key: np.array(text) for key, text in texts.items()}, **arrays)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
