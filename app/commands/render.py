"""`noisescope render`: what a diffusion model makes of each prior, as videos, x-t slices and numbers."""

from __future__ import annotations

import argparse
import json
import math
import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands import COMMANDS, Command, Parser
from app.commands.kit import options as shared
from gpu.errors import ClipError, SessionError
from gpu.noise.states import STATES

if TYPE_CHECKING:
    import numpy.typing as npt

    from gpu.engine import Engine
    from gpu.engine.results import Column
    from gpu.session import TaskSettings

MEASURES = (
    "coverage",
    "coverage_5",
    "sharpness",
    "psnr",
    "laplacian",
    "variance",
    "white_frames",
    "kept",
    "inherited",
    "new",
    "undefined",
    "renewed",
    "coherence_previous",
    "coherence_first",
    "coherence_ceiling",
)
"""What metrics.json holds of a prior beside the warp errors."""

TABLE = (
    ("warp_error", "warp ×10⁻³"),
    ("warp_error_5", "gap 5"),
    ("coverage", "coverage"),
    ("sharpness", "sharpness"),
    ("psnr", "PSNR dB"),
    ("variance", "variance"),
    ("coherence_previous", "coherence"),
)
"""What the printed table shows, and its headings."""

FILES = ("side-by-side.mp4", "slices.png", "session.json", "metrics.json")
"""What is written beside the prior's videos."""

PERCEPTUAL = ("lpips", "fid", "improved_precision")
"""What --weights adds."""


def configure(parser: Parser) -> None:
    shared.add_source(parser)
    shared.add_noise(parser)
    shared.add_field_memory(parser)
    group = parser.add_argument_group("what is made")
    group.add_argument(
        "--task",
        metavar="NAME[:k=v,…]",
        help="the model's task, or none to draw the noise (default super-resolution)",
    )
    group.add_argument(
        "--priors",
        metavar="A,B,…",
        help="priors to compare, NAME[:k=v,…] each, or all (default random,fixed,bilinear,integral)",
    )
    group.add_argument("--sampler", metavar="NAME", help="sampler of the model (default: the task's)")
    group.add_argument("--steps", metavar="N", type=int, help="its steps (default: the task's)")
    group.add_argument("--sigma-max", metavar="S", type=float, help="noise level it starts from (default: the task's)")
    group.add_argument("--sigma-min", metavar="S", type=float, help="least noise level (default: the task's)")
    group.add_argument("--churn", metavar="X", type=float, help="stochasticity of stochastic samplers, 0 to 1")
    group.add_argument("--hub", metavar="PATH_OR_ID", help="a diffusers pipeline of your own: the task hub on it")
    group.add_argument("--row", metavar="Y", type=int, help="row of the x-t slices (default: the middle)")
    group.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder for videos, slices and metrics.json"
    )
    group.add_argument(
        "--weights",
        metavar="DIR",
        type=Path,
        help="folder with the published weights of LPIPS, FID and Improved Precision: measures them too",
    )
    group.add_argument(
        "--reference",
        metavar="DIR",
        type=Path,
        help="folder of real pictures for FID and Improved Precision (default: the task's true frames)",
    )
    group.add_argument("--json", action="store_true", help="print metrics.json on stdout")
    parser.names = lambda: shared.choices_text("priors", "deformations", "estimators", "tasks")


def run(arguments: argparse.Namespace) -> int:
    from app.commands.kit import doubts
    from gpu.files import check_folder, check_space, replacing_folder
    from gpu.source.inputs import check_outputs

    check_folder(arguments.out)
    for folder in (arguments.weights, arguments.reference):
        if folder is not None and not folder.is_dir():
            raise ClipError(f"There is no folder {folder}.")
    session = shared.session(
        arguments, () if arguments.priors is None else shared.split_priors(arguments.priors), _task(arguments)
    )

    if not session.priors:
        raise SessionError("The session compares no priors; name some with --priors.")

    names = [f"{_slug(prior.key)}.mp4" for prior in session.priors]
    outputs = [arguments.out / name for name in (*names, *FILES)]
    check_outputs(session, outputs, (arguments.session, arguments.weights, arguments.reference))

    from gpu.engine import Engine

    engine = Engine(session)
    try:
        with replacing_folder(arguments.out) as partial:
            check_space(arguments.out, _room(engine))
            told = doubts.tell(engine)
            metrics = _render(engine, partial, arguments.row) | told
            if arguments.weights is not None or arguments.reference is not None:
                _perceive(engine, metrics, arguments.weights, arguments.reference)
            text = json.dumps(metrics, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
            (partial / "metrics.json").write_text(text, encoding="utf-8", errors="backslashreplace")
    finally:
        engine.close()
    if arguments.json:
        print(text, end="")
    else:
        _print(metrics, arguments.out)
    return 0


def _task(arguments: argparse.Namespace) -> TaskSettings | None:
    """The task settings that the options ask for; None leaves those of --session."""
    from gpu.session import TaskSettings

    changes = {name: getattr(arguments, name) for name in ("sampler", "steps", "sigma_max", "sigma_min", "churn")}
    if arguments.task == "":
        raise SessionError("--task is empty; name a task, or none to draw the noise.")
    if arguments.task == "none":
        return TaskSettings()
    if arguments.task is None and arguments.hub is None and arguments.session is not None:
        from gpu import session as sessions

        return shared.task("", sessions.load(arguments.session).task, None, changes)
    usual = "" if arguments.hub is not None else "super-resolution"
    return shared.task(arguments.task or usual, TaskSettings(), arguments.hub, changes)


def _render(engine: Engine, folder: Path, row: int | None) -> dict[str, Any]:
    """Compute frame by frame and write as they come; memory holds the engine's cache and one row a frame."""
    import numpy as np

    from app.commands.kit.progress import shown
    from app.export import ExportOptions
    from app.export.kit.picture_format import picture_of, times_of
    from app.export.kit.sheet import Sheet, slices_sheet
    from app.export.kit.video_writer import video
    from app.look.noise_colours import image_bytes
    from gpu import session as sessions

    info, session = engine.info, engine.session
    keys = [prior.key for prior in session.priors]
    fps, times = info.fps or 24.0, times_of(engine, ExportOptions())
    at = info.height // 2 if row is None else min(max(row, 0), info.height - 1)
    extra = ["source", "input"] if session.task.name else ["source"]
    sheet = Sheet([*extra, *keys], info.height, info.width)
    slices: dict[str, list[npt.NDArray[np.uint8]]] = {name: [] for name in [*extra, *keys]}
    averages = {key: _Averages() for key in keys}
    with ExitStack() as files:
        videos = {key: files.enter_context(video(folder / f"{_slug(key)}.mp4", fps, times)) for key in keys}
        side = files.enter_context(video(folder / "side-by-side.mp4", fps, times))
        for update in shown(engine.fill(), "render"):
            result = update.result
            if result is None or not result.complete:
                continue
            pictures = {"source": result.image}
            if "input" in extra and result.input is not None:
                pictures["input"] = image_bytes(result.input)
            for key, column in result.columns.items():
                pictures[key] = picture_of(column, ExportOptions())
                videos[key](pictures[key])
                averages[key].add(column)
            side(sheet.draw(pictures))
            for name, picture in pictures.items():
                slices[name].append(picture[at].copy())
    slices_sheet(folder / "slices.png", {name: np.stack(rows) for name, rows in slices.items() if rows}, at, fps)
    (folder / "session.json").write_text(sessions.to_json(session), encoding="utf-8", errors="backslashreplace")
    return {
        "task": session.task.name or "none",
        "source": {
            "title": info.title,
            "height": info.height,
            "width": info.width,
            "frames": info.frames,
            "fps": info.fps,
        },
        "motion": info.motion,
        "backend": info.backend,
        "seed": session.noise.seed,
        "units": {
            "warp_error": "1e-3, mean squared difference of images in [0, 1] between frames t and t+1",
            "warp_error_5": "the same between frames t and t+5",
            "warp_error_255": "warp_error on the 0-255² scale",
            "coverage": "share of pixels that the warp error rests on",
            "sharpness": "variance of the Laplacian relative to the source's frame",
            "psnr": "dB to the source's frame",
            "coherence_previous": "correlation of the noise with the previous frame's along the motion",
        },
        "priors": {key: averages[key].metrics() for key in keys},
    }


def _room(engine: Engine) -> int:
    """Bytes that the videos take at least: each column alone, and beside the others."""
    from app.export.kit.picture_format import VIDEO_BYTES

    info, task = engine.info, engine.session.task.name
    pixels = 2 * len(engine.session.priors) * info.frames * info.height * info.width
    return int(pixels * VIDEO_BYTES["" if task else "noise"])


def _perceive(engine: Engine, metrics: dict[str, Any], weights: Path | None, reference: Path | None) -> None:
    """Add LPIPS, FID and Improved Precision to `metrics`, as far as their weights and real pictures are there."""
    from app.commands.kit.progress import finish

    measured = finish(engine.perceive(weights, reference), "perceptual measures")
    for key, column in measured.columns.items():
        for name, value in (("lpips", column.lpips), ("fid", column.fid), ("improved_precision", column.precision)):
            metrics["priors"][key][name] = value if math.isfinite(value) else None
        metrics["priors"][key]["perceived_frames"] = column.n
    metrics["units"] |= {
        "lpips": "distance to the source's frame, 0 for the same (AlexNet, v0.1)",
        "fid": "Fréchet distance of Inception features to the real pictures; biased upwards with few frames",
        "improved_precision": "share of frames within the real pictures' manifold, k = 3, VGG-16 of torchvision",
    }
    metrics["perceptual"] = {"real_pictures": measured.real, "notes": list(measured.notes)}


class _Averages:
    """Means over frames of one prior's measures, where there are any."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(self, column: Column) -> None:
        """Take in one frame."""
        import numpy as np

        taken = {"variance": column.whiteness.variance}
        if column.whiteness.verdict.ok is not None:
            taken["white_frames"] = float(column.whiteness.verdict.ok)
        for number, name in enumerate(STATES):
            taken[name] = float(np.mean(column.state == number))
        if column.coherence is not None:
            taken["coherence_previous"] = column.coherence.previous
            taken["coherence_first"] = column.coherence.first
            taken["coherence_ceiling"] = column.coherence.ceiling
        if column.quality is not None:
            taken |= vars(column.quality)
        for name, value in taken.items():
            if math.isfinite(value):
                self._values.setdefault(name, []).append(value)

    def metrics(self) -> dict[str, float | None]:
        """What metrics.json holds of it; null where there is nothing to measure."""
        mean = {name: sum(values) / len(values) for name, values in self._values.items()}
        metrics = {name: mean.get(name) for name in MEASURES}
        for gap in ("", "_5"):
            error = mean.get(f"warp_error{gap}")
            metrics[f"warp_error{gap}"] = None if error is None else error * 1e3
            metrics[f"warp_error_255{gap}"] = None if error is None else error * 255**2
        return metrics


def _slug(key: str) -> str:
    """A column's key as a file name: "bilinear (chained)" as bilinear-chained."""
    return re.sub(r"[^\w.=]+", "-", key).strip("-")


def _print(metrics: dict[str, Any], out: Path) -> None:
    rows = metrics["priors"].values()
    width = max(len(key) for key in metrics["priors"])
    print(" ".join([f"{'prior':<{width}}", *(f"{heading:>10}" for _, heading in TABLE)]))
    for key, row in metrics["priors"].items():
        cells = [f"{'–' if row[name] is None else format(row[name], '.3f'):>10}" for name, _ in TABLE]
        print(" ".join([f"{key:<{width}}", *cells]))
    perceived = [
        (name, name.replace("_", " ")) for name in PERCEPTUAL if any(row.get(name) is not None for row in rows)
    ]
    for name, heading in perceived:
        print(
            f"{heading}: "
            + ", ".join(f"{key} {row[name]:.3f}" for key, row in metrics["priors"].items() if row[name] is not None)
        )
    for note in metrics.get("perceptual", {}).get("notes", ()):
        print(f"Note: {note}")
    source = metrics["source"]
    print(f"{source['title']}: {source['frames']} frames, {metrics['motion']}, {metrics['backend']}. Written to {out}.")


COMMANDS.add("render", order=30)(
    Command(
        "Denoise a clip with several priors and compare the results.",
        configure,
        run,
        "one mp4 a prior, `side-by-side.mp4`, `slices.png`, `metrics.json`, `session.json`",
    )
)
