"""Options that several commands share: where frames come from, motion, noise and priors, as a session."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from app.commands import Parser
from app.commands.kit import flow_options
from gpu.errors import ChoiceError, SessionError
from gpu.parameters import ParameterInfo
from gpu.session import (
    NoiseSettings,
    Parameter,
    PriorSettings,
    Session,
    SourceSettings,
    TaskSettings,
    load,
)


def add_source(parser: Parser) -> None:
    """--video, --images, --synthetic, --scene, --flow or --session, and what belongs to them."""
    group = parser.add_argument_group("where frames and motion come from")
    origin = group.add_mutually_exclusive_group()
    origin.add_argument("--video", metavar="F", type=Path, help="a video file")
    origin.add_argument(
        "--images",
        metavar="FOLDER",
        type=Path,
        help="pictures of a folder, from a numbered one on, or of a pattern: shot_%%04d.png, shot_####.exr, *.jpg, "
        "shot_[10-40].png; FOLDER:10-40 takes those numbers",
    )
    origin.add_argument(
        "--synthetic", metavar="NAME[:k=v,…]", help="a still (--still) moved by a deformation, as in rotation:degrees=2"
    )
    origin.add_argument("--scene", metavar="NAME[:k=v,…]", help="a computed world; path=F names a file that it reads")
    origin.add_argument("--session", metavar="F.json", type=Path, help="a saved session; other options change it")
    group.add_argument("--still", metavar="PHOTO", type=Path, help="the picture that --synthetic or --flow moves")
    flow_options.add(group)
    group.add_argument("--frames", metavar="N", type=int, help="how many frames (default: all)")
    group.add_argument("--start", metavar="T", type=int, help="the first frame (default 0)")
    group.add_argument(
        "--exposure", metavar="STOPS", type=float, help="brighter pictures of light, as EXR and HDR hold"
    )
    group.add_argument(
        "--layer", metavar="NAME", help="the layer of EXR pictures to show (default: the finished picture)"
    )
    group.add_argument(
        "--every", metavar="N", type=int, help="every N-th frame of a film, image sequence or flow (default 1)"
    )
    group.add_argument(
        "--fps",
        metavar="R",
        type=float,
        help="of a film or image sequence (one of 25 frames a second) the frames nearest to R frames a second "
        "(default: its own rate)",
    )
    group.add_argument(
        "--deinterlace",
        choices=("auto", "off", "fields"),
        help="interlaced films: make frames whole where they show combs (default), leave them as they are, or make a picture "
        "of each field",
    )
    group.add_argument(
        "--fit",
        choices=("stretch", "crop", "pad"),
        help="pictures of another shape than --size: stretch them (default), crop them to their middle, or pad them with "
        "black bars, in which nothing moves and nothing is measured",
    )
    group.add_argument("--size", metavar="HxW", type=grid_size, help="rows and columns to work at, as in 256x256")
    group.add_argument("--estimator", metavar="NAME", help="flow estimator (default auto: the truth, else DIS)")
    group.add_argument("--preset", metavar="NAME", help="the estimator's preset (default medium)")
    group.add_argument(
        "--flow-scale",
        metavar="X",
        type=float,
        help="size of the pictures that motion is estimated on, relative to the source's own (default 1)",
    )


def add_noise(parser: Parser) -> None:
    """The noise grid and what computes it."""
    group = parser.add_argument_group("noise")
    group.add_argument("--k", type=int, help="level of the fine field, 2^k × 2^k sub-pixels a pixel (default 3)")
    group.add_argument("--s", type=int, help="segments a side of a pixel's contour (default 4)")
    group.add_argument("--channels", metavar="C", type=int, help="channels of noise (default 4)")
    group.add_argument("--seed", type=int, help="seed of all randomness (default 7)")
    group.add_argument("--gamma", metavar="G", type=float, help="degradation with fresh noise, 0 to 1 (default 0)")
    group.add_argument("--mode", choices=("anchored", "chained"), help="transport from an anchor, or frame to frame")
    group.add_argument("--fill", choices=("two-stage", "random"), help="what fills disocclusions (default two-stage)")
    group.add_argument(
        "--renewal",
        choices=("local", "off"),
        help="whether pixels get a new anchor where outlines are lost (default local)",
    )
    group.add_argument("--backend", choices=("auto", "gl", "torch"), help="what rasterises (default auto)")
    group.add_argument("--device", metavar="D", help="torch device: auto, cpu, cuda, mps (default auto)")


def add_field_memory(parser: Parser) -> None:
    """--field-mb, which app.cli heeds while a command runs."""
    parser.add_argument(
        "--field-mb",
        metavar="MB",
        type=megabytes,
        help="memory that fine fields (sub-pixels of anchor frames) are kept in, by each process; what does not fit is made "
        "anew in every frame, the same noise but later (default: NOISESCOPE_FIELD_MB, else what suits the machine, which "
        "`noisescope doctor` says)",
    )


def megabytes(text: str) -> int:
    """A whole number of megabytes, above 0."""
    if not (text.isdecimal() and int(text[:10]) > 0 and len(text) < 10):
        raise argparse.ArgumentTypeError(f"expected a whole number of megabytes above 0, not {text!r}")
    return int(text)


def grid_size(text: str) -> tuple[int, int]:
    """ "256x384" as (256, 384) rows and columns."""
    match = re.fullmatch(r"(\d+)[xX×](\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"expected rows x columns as in 256x384, not {text!r}")
    height, width = int(match[1]), int(match[2])
    if not (1 <= height <= 16384 and 1 <= width <= 16384):
        raise argparse.ArgumentTypeError(f"a grid has 1 to 16384 rows and columns, not {text}")
    return height, width


def session(arguments: argparse.Namespace, priors: Sequence[str] = (), task: TaskSettings | None = None) -> Session:
    """The session that the options describe. NoisescopeError says what is wrong with them.

    `priors` as they were typed, NAME[:k=v,…]; none leaves those of --session. Only options that were given change a
    session that was loaded.
    """
    flow_options.check(arguments)
    base = load(arguments.session) if arguments.session else Session(source=_source(arguments))
    base = replace(base, source=flow_options.applied(arguments, base.source))
    changes = {
        "height": arguments.size and arguments.size[0],
        "width": arguments.size and arguments.size[1],
        "start": arguments.start,
        "frames": arguments.frames,
        "exposure": arguments.exposure,
        "layer": arguments.layer,
        "every": arguments.every,
        "fps": arguments.fps,
        "fit": arguments.fit,
        "deinterlace": arguments.deinterlace,
    }
    source = replace(base.source, **_given(changes))
    _check_rates(arguments, source.kind)
    _check_preset(arguments.preset, arguments.estimator or base.motion.estimator)
    motion = {"estimator": arguments.estimator, "preset": arguments.preset, "scale": arguments.flow_scale}
    noise = {
        name: getattr(arguments, name)
        for name in ("k", "s", "channels", "seed", "fill", "renewal", "backend", "device")
    }
    columns = tuple(_prior(text, arguments.gamma, arguments.mode, len(priors) == 1) for text in priors)
    if not columns:
        columns = tuple(
            _changed(prior, arguments.gamma, arguments.mode, len(base.priors) == 1) for prior in base.priors
        )
    return replace(
        base,
        source=source,
        motion=replace(base.motion, **_given(motion)),
        noise=_noise(replace(base.noise, **_given(noise))),
        priors=columns,
        task=base.task if task is None else task,
    )


def _check_rates(arguments: argparse.Namespace, kind: str) -> None:
    """SessionError for a rate that was asked for of a source that has none to choose from."""
    if arguments.deinterlace is not None and kind != "video":
        raise SessionError(f"--deinterlace is of films, but the source is of kind {kind}.")
    for option, kinds in (("every", ("video", "images", "flow")), ("fps", ("video", "images"))):
        if getattr(arguments, option) is not None and kind not in kinds:
            raise SessionError(
                f"--{option} chooses among the frames of footage, but a source of kind {kind} is computed."
            )
    if arguments.fit is not None and kind in ("synthetic", "scene"):
        raise SessionError(
            f"--fit is for footage and flow files; a source of kind {kind} fills its grid in its own shape."
        )


def _check_preset(preset: str | None, estimator: str) -> None:
    """ChoiceError for a preset that was asked for and that the estimator has not, also where the true motion is taken."""
    if preset is None:
        return
    from gpu.flow.estimators import ESTIMATORS
    from gpu.flow.pairs import pick

    chosen = ESTIMATORS.get("dis" if estimator in ("auto", "truth") else estimator)
    pick(chosen.title, preset, chosen.presets)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _source(arguments: argparse.Namespace) -> SourceSettings:
    filmed = arguments.video is not None or arguments.images is not None
    if arguments.still is not None and filmed:
        footage = "--video" if arguments.video is not None else "--images"
        raise SessionError(
            f"--still cannot stand beside {footage}, whose own pictures are shown; leave one of them out."
        )
    if arguments.still is not None and arguments.synthetic is None and arguments.flow is None:
        raise SessionError("--still needs --synthetic or --flow, which say how the picture moves.")
    still = str(arguments.still) if arguments.still else ""
    if arguments.video is not None:
        from gpu.decoders.process import prepare

        prepare()  # it loads its libraries while torch is loaded here
        return SourceSettings("video", path=str(arguments.video))
    if arguments.images is not None:
        from gpu.decoders.process import prepare

        prepare()
        return SourceSettings("images", path=str(arguments.images))
    if arguments.synthetic is not None:
        from gpu.source.deformations import DEFORMATIONS

        name, typed = named(arguments.synthetic, "--synthetic")
        parameters = {parameter.name: parameter for parameter in DEFORMATIONS.get(name).parameters}
        return SourceSettings("synthetic", path=still, name=name, parameters=_values(name, typed, parameters))
    if arguments.scene is not None:
        from gpu.source.scenes import SCENES

        name, typed = named(arguments.scene, "--scene")
        infos = {parameter.name: parameter for parameter in SCENES.get(name).parameters}
        file = "" if "path" in infos else typed.pop("path", "")
        if file and not SCENES.get(name).files:
            raise ChoiceError(f"The scene {name} reads no file, so there is nothing that path={file} could be.")
        return SourceSettings("scene", path=file, name=name, parameters=_values(name, typed, infos))
    if arguments.flow is None:
        raise SessionError(
            "Where frames come from is not said; give one of --video, --images, --synthetic, --scene, --flow or --session."
        )
    return SourceSettings("flow", path=still, flow_path=str(arguments.flow))


def _noise(settings: NoiseSettings) -> NoiseSettings:
    if settings.device != "auto":
        from gpu.devices import device

        device(settings.device)
    return settings


def prior_column(text: str) -> PriorSettings:
    """A column from NAME[:k=v,…]; ChoiceError and SessionError for what there is not."""
    return _prior(text, None, None, True)


def _prior(text: str, gamma: float | None, mode: Literal["anchored", "chained"] | None, alone: bool) -> PriorSettings:
    """A column from NAME[:k=v,…]; `gamma` and `mode` may stand among the values, and are checked with them."""
    from gpu.priors import PRIORS

    name, typed = named(text, "--prior")
    info = PRIORS.get(name).info
    own_mode = typed.pop("mode", "")
    chosen = own_mode or mode or ""
    if chosen and chosen not in info.modes:
        if own_mode or alone:
            has = " or ".join(info.modes) if info.modes else "no choice of mode"
            raise ChoiceError(f"The prior {name} cannot be {chosen}; it has {has}.")
        chosen = ""
    own_gamma = typed.pop("gamma", "")
    settings = PriorSettings(name, chosen, gamma=0.0, parameters={})  # type: ignore[arg-type]
    infos = {parameter.name: parameter for parameter in info.parameters}
    value = _number(own_gamma, "gamma", name) if own_gamma else gamma or 0.0
    return replace(settings, gamma=value, parameters=_values(name, typed, infos))


def _changed(
    prior: PriorSettings, gamma: float | None, mode: Literal["anchored", "chained"] | None, alone: bool
) -> PriorSettings:
    """A column of a session under the options of all columns; `mode` where the prior has it."""
    from gpu.priors import PRIORS

    modes = PRIORS.get(prior.name).info.modes
    if alone and mode and mode not in modes:
        raise ChoiceError(
            f"The prior {prior.name} cannot be {mode}; it has {' or '.join(modes) or 'no choice of mode'}."
        )
    return replace(
        prior,
        gamma=prior.gamma if gamma is None else gamma,
        mode=mode if mode and mode in modes else prior.mode,
    )


def named(text: str, option: str) -> tuple[str, dict[str, str]]:
    """ "swirl:strength=2,radius=0.4" as its name and its values as typed. Commas within brackets belong to a value."""
    name, colon, rest = text.partition(":")
    values = {}
    for item in re.split(r",(?![^(]*\))", rest) if rest else []:
        key, equals, value = item.partition("=")
        if not (equals and key.strip() and value.strip()):
            raise SessionError(f"{option} {text}: {item!r} is not understood; write values as name=value.")
        values[key.strip()] = value.strip()
    if not name or (colon and not rest):
        raise SessionError(f"{option} {text!r} is not understood; write NAME or NAME:name=value,name=value.")
    return name.strip(), values


def split_priors(text: str) -> list[str]:
    """ "random,bilinear:mode=chained,gamma=0.1,integral" as three priors: what has a `=` belongs to the one before."""
    items: list[str] = []
    for part in text.split(","):
        if "=" in part and ":" not in part and items:
            items[-1] += "," + part
        elif part.strip():
            items.append(part.strip())
    if items == ["all"]:
        from gpu.priors import PRIORS

        return PRIORS.names()
    if not items:
        raise SessionError("--priors names no prior; write names with commas between them.")
    return items


def task(text: str, base: TaskSettings, hub: str | None, changes: dict[str, Any]) -> TaskSettings:
    """The task NAME[:k=v,…] with the sampler's `changes` (None: not given); `hub` is a model's folder or id. An empty
    `text` leaves the task of `base`. NoisescopeError says what no task or sampler can follow."""
    from gpu.diffusion.sampling.samplers import get_sampler
    from gpu.diffusion.tasks import TASKS

    settings = base
    if hub is not None and text.partition(":")[0] not in ("", "hub"):
        raise SessionError(f"--hub brings its own task, so --task {text} cannot stand beside it.")
    if text or hub is not None:
        name, typed = named(text or "hub", "--task")
        infos = {parameter.name: parameter for parameter in TASKS.get(name).parameters}
        settings = TaskSettings(name, parameters=_values(name, typed, infos))
    if hub is not None:
        settings = replace(settings, parameters={**settings.parameters, "path": hub})
    settings = replace(settings, **_given(changes))
    if settings.sampler:
        get_sampler(settings.sampler)
    for option, level in (("--sigma-max", changes.get("sigma_max")), ("--sigma-min", changes.get("sigma_min"))):
        if level is not None and not 0 < level < float("inf"):
            raise SessionError(f"{option} must be a positive number, not {level:g}.")
    if settings.sigma_max and settings.sigma_min > settings.sigma_max:
        raise SessionError(f"--sigma-min {settings.sigma_min:g} is above --sigma-max {settings.sigma_max:g}.")
    return settings


def _values(owner: str, typed: dict[str, str], infos: dict[str, ParameterInfo]) -> dict[str, Parameter]:
    """Typed values as numbers, text or switches, as the parameters they name want them."""
    values: dict[str, Parameter] = {}
    for key, text in typed.items():
        if key not in infos:
            choices = ", ".join(infos) or "none"
            raise ChoiceError(f"{owner} has no parameter {key!r}. Its parameters are: {choices}.")
        if infos[key].is_switch:
            values[key] = _switched(text, key, owner)
        else:
            values[key] = text if infos[key].is_text else _number(text, key, owner)
    return values


def _switched(text: str, key: str, owner: str) -> bool:
    if text.lower() not in ("true", "yes", "on", "1", "false", "no", "off", "0"):
        raise SessionError(f"{key} of {owner} must be true or false, not {text!r}.")
    return text.lower() in ("true", "yes", "on", "1")


def _number(text: str, key: str, owner: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SessionError(f"{key} of {owner} must be a number, not {text!r}.") from None


def choices_text(*kinds: str) -> str:
    """The names in the registries of those kinds, for the end of a help text."""
    from gpu.diffusion.tasks import TASKS
    from gpu.flow.estimators import ESTIMATORS
    from gpu.priors import PRIORS
    from gpu.source.deformations import DEFORMATIONS
    from gpu.source.scenes import SCENES

    lines = []
    if "formats" in kinds:
        from app.export import FORMATS

        endings = [entry.suffix for _, entry in FORMATS.items() if entry.kind == "noise"]
        lines.append("files of noise: " + ", ".join(endings))
    if "priors" in kinds:
        lines.append("priors: " + ", ".join(PRIORS.names()))
    if "deformations" in kinds:
        lines.append("deformations, with their parameters:")
        for name, entry in DEFORMATIONS.items():
            lines.append(f"  {name}: " + (", ".join(parameter.name for parameter in entry.parameters) or "none"))
        lines.append("scenes, with their parameters:")
        for name, scene in SCENES.items():
            lines.append(f"  {name}: " + (", ".join(parameter.name for parameter in scene.parameters) or "none"))
    if "estimators" in kinds:
        lines.append("flow estimators: auto, " + ", ".join(ESTIMATORS.names()))
    if "tasks" in kinds:
        lines.append("tasks: none, " + ", ".join(TASKS.names()))
    return "\n".join(lines)
