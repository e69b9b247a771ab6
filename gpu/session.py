"""The settings of one comparison as plain dataclasses, and their versioned JSON form."""

from __future__ import annotations

import dataclasses
import math
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from gpu.errors import SessionError
from gpu.files import check_regular, replacing
from gpu.plain_json import parse, shown, write

VERSION = 1

MOST_BYTES = 1 << 20  # of a session's file
MOST_VIEW = 64 << 10  # of what only the window reads of it
MOST_COLUMNS = 64
MOST_PARAMETERS = 100  # of a prior, a source or a task
LONGEST_NAME, LONGEST_TEXT = 200, 20_000  # letters

MOST_ROWS = 288  # of a grid whose size is not asked for

LEAST_SIGMA, MOST_SIGMA = 1e-6, 10**6
"""Noise levels beyond these are lost in float32, and mean nothing to a model."""

Number = float | int
Parameter = float | int | str | bool


@dataclass(frozen=True)
class SourceSettings:
    """Where frames come from.

    kind `video` and `images` read `path`, and their motion from `flow_path` where it is given; `synthetic` deforms the
    still at `path` (empty: a bundled one) by the deformation `name` with `parameters`; `flow` carries noise, and the still at
    `path` if there is one, along the flow file `flow_path`; `scene` is computed by the scene `name` with `parameters` (and
    `path`, where it reads a file). `height` and `width` of 0 keep the shape of the picture, at most 288 rows; `fit` says what
    becomes of one of another shape. `frames` of 0 takes all; of a film every `every`-th frame is taken, or those nearest to
    `fps` frames a second (0: the film's own rate). `deinterlace` makes whole pictures of interlaced footage, leaves it as it is
    (`off`), or makes a picture of each field (`fields`).

    Of pictures of scene-linear light, `exposure` is in stops and is added to the one that suits them (gpu.pictures.read);
    `layer` is the one of an OpenEXR file to show, empty for that with the finished picture.

    Of a flow file, `flow_direction`, `flow_units` and `flow_layout` say what its names and values leave open; `flow_key` is the
    array to take where several would do.
    """

    kind: Literal["video", "images", "synthetic", "flow", "scene"] = "video"
    path: str = ""
    name: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    height: int = 0
    width: int = 0
    start: int = 0
    frames: int = 0
    every: int = 1
    fps: float = 0.0
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    deinterlace: Literal["auto", "off", "fields"] = "auto"
    exposure: float = 0.0
    layer: str = ""
    flow_path: str = ""
    forward_path: str = ""
    flow_direction: Literal["auto", "backward", "forward"] = "auto"
    flow_axes: Literal["xy", "yx"] = "xy"
    flow_sign: Literal[1, -1] = 1
    flow_units: Literal["auto", "pixels", "normalised", "fraction"] = "auto"
    flow_layout: str = ""
    flow_key: str = ""


@dataclass(frozen=True)
class MotionSettings:
    """How motion is found: `auto` takes the truth where the source has it and DIS where it has none."""

    estimator: str = "auto"
    preset: str = "medium"
    scale: float = (
        1.0  # of the pictures that motion is estimated on, relative to the source's own (gpu.source.estimation)
    )


@dataclass(frozen=True)
class NoiseSettings:
    """The noise grid: level k, contour segments a side s, channels, seed, and what computes it."""

    k: int = 3
    s: int = 4
    channels: int = 4
    seed: int = 7
    backend: Literal["auto", "gl", "torch"] = "auto"
    device: str = "auto"
    fill: Literal["two-stage", "random"] = "two-stage"
    renewal: Literal["local", "off"] = "local"  # whether pixels are renewed that outlines can no longer follow


@dataclass(frozen=True)
class PriorSettings:
    """One column of the comparison. `mode` empty means the prior's own default (anchored where it can be)."""

    name: str = "integral"
    mode: Literal["", "anchored", "chained"] = ""
    gamma: float = 0.0
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What tells this column from the others: the name, and what differs from the defaults."""
        extras: list[str] = [self.mode] if self.mode else []
        if self.gamma:
            extras.append(f"γ={self.gamma:g}")
        extras += [f"{name}={value}" for name, value in sorted(self.parameters.items())]
        return self.name + (f" ({', '.join(extras)})" if extras else "")


@dataclass(frozen=True)
class TaskSettings:
    """What the diffusion model does with each noise; an empty name switches it off."""

    name: str = ""
    sampler: str = ""  # empty: the task's default
    steps: int = 0  # 0: the task's default
    sigma_max: float = 0.0
    sigma_min: float = 0.0
    churn: float = 0.5  # read by stochastic samplers only
    parameters: Mapping[str, Parameter] = field(default_factory=dict)  # the task's own settings


@dataclass(frozen=True)
class Session:
    """Everything that decides the numbers of one comparison. `view` holds what only the window reads (zoom, loop).

    >>> session = Session(source=SourceSettings("synthetic", name="rotation", frames=8), priors=(PriorSettings("integral"),))
    >>> [prior.key for prior in session.priors]
    ['integral']
    >>> from_json(to_json(session)) == session
    True
    """

    source: SourceSettings = field(default_factory=SourceSettings)
    motion: MotionSettings = field(default_factory=MotionSettings)
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    priors: tuple[PriorSettings, ...] = (
        PriorSettings("random"),
        PriorSettings("fixed"),
        PriorSettings("bilinear"),
        PriorSettings("integral"),
    )
    task: TaskSettings = field(default_factory=TaskSettings)
    view: Mapping[str, Any] = field(default_factory=dict)
    version: int = VERSION

    def __post_init__(self) -> None:
        check(self)


def check(session: Session) -> None:
    """SessionError when settings are out of range or two columns are the same."""
    noise, source = session.noise, session.source
    _in_range("k", noise.k, 0, 6)
    _in_range("s", noise.s, 1, 32)
    _in_range("channels", noise.channels, 1, 256)
    _in_range("seed", noise.seed, 0, 2**32 - 1)
    _in_range("height", source.height, 0, 16384)
    _in_range("width", source.width, 0, 16384)
    _in_range("start", source.start, 0, 10**9)
    _in_range("frames", source.frames, 0, 10**9)
    _in_range("every", source.every, 1, 10**6)
    _in_range("the frames a second", source.fps, 0, 1000)
    _in_range("the exposure", source.exposure, -64, 64)
    _in_range("flow scale", session.motion.scale, 0.05, 4)
    _in_range("the number of sampler steps", session.task.steps, 0, 1000)
    _in_range("churn", session.task.churn, 0, 1)
    for name, sigma in (("σ max", session.task.sigma_max), ("σ min", session.task.sigma_min)):
        if sigma != 0:  # that is the task's own
            _in_range(name, sigma, LEAST_SIGMA, MOST_SIGMA)
    if len(session.priors) > MOST_COLUMNS:
        raise SessionError(
            f"The session compares {len(session.priors)} priors; at most {MOST_COLUMNS} can be compared."
        )
    for part, what in ((source, "source"), (session.task, "task"), (session.motion, "motion"), (noise, "noise")):
        _check_texts(part, what)
    for prior in session.priors:
        _check_texts(prior, "prior")
        _in_range(f"γ of {_short(prior.name)}", prior.gamma, 0, 1)
    keys = [prior.key for prior in session.priors]
    if len(set(keys)) != len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise SessionError(f"Two columns of the session are the same prior with the same settings: {_short(twice)}.")


def _in_range(name: str, value: Number, low: Number, high: Number) -> None:
    if not low <= value <= high:
        raise SessionError(f"{name} is {shown(value)}, but it must lie between {low} and {high}.")


def _check_texts(part: Any, what: str) -> None:
    """SessionError for a text in the dataclass `part` that is too long, or that no file can be named or written with, and for
    parameters that are too many, or no numbers."""
    for name, value in vars(part).items():
        if isinstance(value, Mapping):
            if len(value) > MOST_PARAMETERS:
                raise SessionError(f"The {what} has {len(value)} parameters; at most {MOST_PARAMETERS} are read.")
            for key, item in value.items():
                _check_text(key, f"The name of a parameter of the {what}", LONGEST_NAME)
                if isinstance(item, str):
                    _check_text(item, f"The {what}'s parameter {_short(key)}", LONGEST_TEXT)
                elif not _is_finite(item):
                    raise SessionError(
                        f"The {what}'s parameter {_short(key)} is {shown(item)}; a finite number was expected."
                    )
        elif isinstance(value, str):
            is_path = name.endswith("path")
            _check_text(
                value, "The path" if is_path else f"The {what}'s {name}", LONGEST_TEXT if is_path else LONGEST_NAME
            )


def _check_text(text: str, what: str, longest: int) -> None:
    if len(text) > longest:
        raise SessionError(f"{what} has {len(text)} letters ({shown(text)}); at most {longest} are read.")
    if "\0" in text:
        raise SessionError(f"{what} {shown(text)} holds a null character, which no file name can.")
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise SessionError(f"{what} {shown(text)} holds half a letter, which no file name can.") from None


def _is_finite(value: Number) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _short(text: str) -> str:
    """A text for a sentence, with half letters as their numbers."""
    text = text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "…"
    return text.encode("utf-8", "backslashreplace").decode()


def to_json(session: Session) -> str:
    """The session as indented JSON, which `from_json` reads back and which can be written to any file. SessionError where the
    view holds what JSON cannot, or too much."""
    try:
        data = dataclasses.asdict(session)
        text = write(data, indent=2) + "\n"
    except (ValueError, TypeError, RecursionError) as problem:
        told = "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem)
        raise SessionError(f"The session cannot be written as JSON: {told}.") from None
    _check_size(text, data["view"], "The session")
    return text


def from_json(text: str, name: str = "the session") -> Session:
    """The session in `text`; SessionError names what is wrong with it. Keys that are missing take their defaults."""
    _check_size(text, {}, name)
    try:
        data = parse(text)
    except ValueError as problem:
        raise SessionError(f"{name} is not a Noisescope session: {problem}.") from None
    if not isinstance(data, dict):
        raise SessionError(f"{name} is not a Noisescope session: expected a JSON object.")
    version = data.get("version", VERSION)
    if type(version) is not int or version > VERSION or version < 1:
        raise SessionError(f"{name} has session version {shown(version)}; this program reads versions 1 to {VERSION}.")
    session: Session = _build(Session, _as_meant(data), name)
    _check_size("", session.view, name)
    return session


def _check_size(text: str, view: Any, name: str) -> None:
    if len(text) > MOST_BYTES:
        raise SessionError(f"{name} is larger than {MOST_BYTES >> 20} MB; expected a file of settings.")
    if view and len(write(view)) > MOST_VIEW:
        raise SessionError(
            f"{name} holds more than {MOST_VIEW >> 10} kB of view; expected what the window remembers of it."
        )


def _as_meant(data: dict[str, Any]) -> dict[str, Any]:
    """`data` with what was a matter of course before it became a setting: flow files were in pixels."""
    source = data.get("source")
    if isinstance(source, dict) and source.get("kind") == "flow" and "flow_units" not in source:
        return {**data, "source": {**source, "flow_units": "pixels"}}
    return data


def _build(kind: Any, value: Any, where: str) -> Any:
    """`value` from JSON as the annotated type `kind`."""
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise SessionError(f"{where} must be an object, not {type(value).__name__}.")
        hints = typing.get_type_hints(kind)
        unknown = sorted(set(value) - set(hints))
        if unknown:
            raise SessionError(f"{where} has an entry that is not known: {_short(', '.join(map(str, unknown)))}.")
        return kind(**{key: _build(hints[key], item, f"{where}: {key}") for key, item in value.items()})  # type: ignore[operator]
    origin = typing.get_origin(kind)
    if origin is Literal:
        if not any(type(value) is type(choice) and value == choice for choice in typing.get_args(kind)):
            choices = ", ".join(repr(choice) for choice in typing.get_args(kind))
            raise SessionError(f"{where} is {shown(value)}; choose one of {choices}.")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise SessionError(f"{where} must be a list.")
        if len(value) > MOST_COLUMNS:
            raise SessionError(f"{where} has {len(value)} entries; at most {MOST_COLUMNS} can be compared.")
        item_kind = typing.get_args(kind)[0]
        return tuple(_build(item_kind, item, f"{where}[{index}]") for index, item in enumerate(value))
    if origin in (dict, Mapping) or (origin is not None and issubclass(origin, Mapping)):
        if not isinstance(value, dict):
            raise SessionError(f"{where} must be an object.")
        if len(value) > MOST_PARAMETERS:
            raise SessionError(f"{where} has {len(value)} entries; at most {MOST_PARAMETERS} are read.")
        item_kind = typing.get_args(kind)[1]
        return {key: _build(item_kind, item, f"{where}: {_short(key)}") for key, item in value.items()}
    if origin is typing.Union or origin is types.UnionType:
        if isinstance(value, typing.get_args(kind)):
            return value
    elif kind is Any:
        return value
    elif kind is float:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    elif isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    expected = getattr(kind, "__name__", str(kind))
    raise SessionError(f"{where} is {shown(value)}, but {expected} was expected.")


def load(path: str | os.PathLike[str]) -> Session:
    """Read a session file; SessionError says what is wrong with it."""
    check_regular(path, "a session's file", SessionError)
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise SessionError(f"The session {path} is larger than {MOST_BYTES >> 20} MB; expected a file of settings.")
        text = data.decode("utf-8-sig")
    except (OSError, ValueError) as problem:  # a name that no file can have; bytes that are no text
        told = problem.strerror if isinstance(problem, OSError) else None
        raise SessionError(f"The session {path} cannot be read: {told or problem}.") from None
    return from_json(text, name=f"The session {path}")


def save(session: Session, path: str | os.PathLike[str]) -> None:
    """Write a session file whole or not at all, so that a full disk never eats the earlier one. SessionError as of `to_json`,
    OutputError when the file cannot be written."""
    text = to_json(session)
    with replacing(Path(path)) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")
