"""Reading noise: of our own formats and of other programs' files, whatever their arrays are called and their axes' order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.export import FORMATS, NoiseFileError, Stored
from app.export.kit import axes, axis_order
from app.export.kit.frames import Frames
from gpu.arrays import Array, Arrays, open_arrays
from gpu.arrays.series import Series, series_in
from gpu.files import byte_text, reason

NAME = "noise"
MOTION = ("backward", "forward", "flow", "undefined", "mask")
"""Words in the names of arrays that stand beside noise and are none."""

LATENT, VERSION, SCALE = "latent_tensor", "latent_format_version_0", 0.18215
"""ComfyUI's .latent: without the array VERSION its values are those of Stable Diffusion 1 multiplied by SCALE."""

BESIDE = 16 << 20
"""Bytes of a description beside a file that are read."""

FRAMES = 100_000


def read_noise(path: Path, order: str = "", key: str = "") -> Stored:
    """Noise of a file, ours or another program's: .npz, .npy, .pt, .safetensors, .latent, or a format of FORMATS.

    `key` names the array where the file holds several that can be noise, `order` its axes, as in "TCHW"; empty takes what
    the file says, else what lengths and values tell. NoiseFileError says what is wrong with the file, or asks for either.
    Frames are read when they are looked at, and the file stays open until `noise` is let go.
    """
    try:
        there = path.exists()
    except (OSError, ValueError) as problem:  # the name is too long; a null character
        told = reason(problem) if isinstance(problem, OSError) else str(problem)
        raise NoiseFileError(f"The file {path} cannot be read: {told}.") from None
    if not there:
        raise NoiseFileError(f"There is no file {path} to read noise from.")
    for _, entry in FORMATS.items():
        if entry.kind == "noise" and entry.suffix == path.suffix.lower() and entry.read not in (None, read_arrays):
            assert entry.read is not None
            return entry.read(path, order)
    return read_arrays(path, order, key)


def read_arrays(path: Path, order: str = "", key: str = "") -> Stored:
    """As `read_noise`, of a file of named arrays, whatever its ending."""
    arrays = open_arrays(path, NoiseFileError)
    array = _chosen(arrays, key)
    meta, named, notes = _description(arrays, array.name)
    if isinstance(array, Series):
        notes.append(f"The arrays {array.words} are read as {len(array.parts)} frames.")
    scale = 1.0
    if array.name == LATENT and VERSION not in arrays and path.suffix.lower() == ".latent":
        scale = 1 / SCALE
        notes.append(f"The latent is of ComfyUI's oldest format and was divided by {SCALE}, as ComfyUI does.")
    letters = _letters(arrays, array, order, named, notes)
    frames = Frames(array, letters, scale)
    if len(frames) > FRAMES:
        raise NoiseFileError(f"The file {path} holds {len(frames)} frames; at most {FRAMES} were expected.")
    return Stored(frames, letters, meta, array.name, (*notes, *_warnings(meta)))


def stored(path: Path, array: npt.NDArray[np.generic], named: str, order: str, meta: str = "") -> Stored:
    """`array` of a file as (T, C, H, W), its axes in `order`, else as the file has `named` them, else TCHW or CHW."""
    if array.ndim not in (3, 4) or array.size == 0:
        raise NoiseFileError(
            f"The file {path} holds an array of shape {array.shape}; noise has the axes T, C, H, W or C, H, W."
        )
    if not np.issubdtype(array.dtype, np.floating):
        raise NoiseFileError(f"The file {path} holds values of type {array.dtype}; noise is floating point.")
    letters = (order or named or "TCHW"[-array.ndim :]).upper()
    if len(letters) != array.ndim or sorted(letters) != sorted("TCHW"[-array.ndim :]):
        raise _unfit(path, array.shape, letters)
    return Stored(axes.standard(array, letters), letters, meta, notes=_warnings(meta))


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a library raises about a damaged file into NoiseFileError."""
    try:
        yield
    except NoiseFileError:
        raise
    except Exception as problem:  # the libraries' own types
        why = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise NoiseFileError(f"The file {path} cannot be read as {kind}: {why.rstrip('.')}.") from None


def _chosen(file: Arrays, key: str) -> Array | Series:
    """The array that `key` names, else `noise`, else the only one that can be; NoiseFileError asks where there are more.

    Arrays of one frame each that only a number sets apart are one, unless `key` names one of them.
    """
    where = f"The file {file.path}"
    series = {name: run for name, run in series_in(file).items() if _can_be_noise(run) and len(run.each) < 4}
    if key:
        key = f"{key}.*" if key not in file and f"{key}.*" in series else key
        if key in series:
            return series[key]
        if key not in file:
            raise NoiseFileError(f"{where} holds no array {key!r}; it holds {_listed(file)}.")
        if not _can_be_noise(file[key]):
            raise NoiseFileError(
                f"{where} holds under {key!r} {_described(file[key])}; noise is floating point and has 2 to 5 axes."
            )
        return file[key]
    members = {part.name for run in series.values() for part in run.parts}
    arrays: dict[str, Array | Series] = {**{name: file[name] for name in file if name not in members}, **series}
    able = [name for name in arrays if _can_be_noise(arrays[name])]
    for name in (NAME, f"{NAME}.*"):
        if name in able:
            return arrays[name]
    motion = [name for name in able if any(word in name.lower() for word in MOTION)]
    if able and len(motion) == len(able):
        raise NoiseFileError(
            f"{where} holds motion rather than noise, going by the names: {_listed(file, able, arrays)}. "
            "If one is noise, name it with --key."
        )
    able = [name for name in able if name not in motion]
    if len(able) > 1:
        able = [name for name in able if len(arrays[name].shape) > 2] or able
    if len(able) == 1:
        return arrays[able[0]]
    if able:
        raise NoiseFileError(
            f"{where} holds {len(able)} arrays that can be noise: {_listed(file, able, arrays)}. Name one with --key."
        )
    raise NoiseFileError(
        f"{where} holds no array that can be noise, which is floating point and has 2 to 5 axes; "
        f"it holds {_listed(file)}."
    )


def _can_be_noise(array: Array | Series) -> bool:
    return array.dtype.kind == "f" and 2 <= len(array.shape) <= 5 and 0 not in array.shape


def _listed(file: Arrays, names: list[str] | None = None, arrays: Mapping[str, Array | Series] | None = None) -> str:
    """What a file holds, in words: ten of it at most; `names`: those of `arrays`."""
    held = arrays or file
    told = [f"{name!r}, {_described(held[name])}" if name else _described(held[name]) for name in names or held]
    told += [] if names else [f"{name!r}, {what}" if name else what for name, what in file.others.items()]
    more = [f"{len(told) - 10} more"] if len(told) > 10 else []
    return "; ".join(told[:10] + more) or "nothing"


def _described(array: Array | Series) -> str:
    return f"an array of shape {array.shape} and type {array.stored}"


def _description(arrays: Arrays, name: str) -> tuple[str, str, list[str]]:
    """What the file, or the .json beside a lone array, says of it: our description, the order of its axes, and notes."""
    meta = arrays.text("meta") or arrays.text("noisescope")
    beside = described_in(arrays.path)
    notes: list[str] = []
    if not meta and not name:
        try:
            if beside.is_file():
                if beside.stat().st_size > BESIDE:
                    raise ValueError(f"it has {byte_text(beside.stat().st_size)}")
                meta = beside.read_text(encoding="utf-8")
                if _ours(meta) is None:
                    raise ValueError("it is another program's")
        except (OSError, ValueError) as problem:
            why = reason(problem) if isinstance(problem, OSError) else problem
            notes.append(f"The file {beside.name} beside it was ignored: {why}.")
            meta = ""
    folder, dot, _ = name.rpartition(".")
    named = arrays.text(f"{folder}{dot}axes")
    return meta, named or str((_ours(meta) or {}).get("axes", "")), notes


def _ours(meta: str) -> dict[str, Any] | None:
    """A description that we wrote, or None for what another program did."""
    try:
        told = json.loads(meta)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and str(told.get("program", "")).startswith("noisescope") else None


def _warnings(meta: str) -> tuple[str, ...]:
    """What spoke against the source when the noise was made, as the file tells."""
    told = (_ours(meta) or {}).get("warnings", [])
    return (
        tuple(f"Warning: its source: {line}" for line in told if isinstance(line, str))
        if isinstance(told, list)
        else ()
    )


def described_in(path: Path) -> Path:
    """Where the description of a file lies that cannot hold one: PATH.json."""
    return path.with_name(path.name + ".json")


def _letters(arrays: Arrays, array: Array | Series, asked: str, named: str, notes: list[str]) -> str:
    """The order of the axes: as asked, as the file has named it, or as lengths and values tell, which adds a note."""
    asked, named = asked.upper(), named.upper()
    if asked:
        if not axis_order.fits(asked, array.shape):
            raise _unfit(arrays.path, array.shape, asked)
        return asked
    if axis_order.fits(named, array.shape):
        return named
    if named and sorted(named.replace("B", "")) in (sorted("TCHW"), sorted("CHW")):
        raise _unfit(arrays.path, array.shape, named)
    called = f"The array {array.name!r} of the file {arrays.path}" if array.name else f"The file {arrays.path}"
    told, note = axis_order.guessed(array, called)
    notes += [note] if note else []
    return told


def _unfit(path: Path, shape: tuple[int, ...], letters: str) -> NoiseFileError:
    return NoiseFileError(
        f"The file {path} holds an array of shape {shape}, which the axis order {letters} does not fit; "
        "give one of the letters T, C, H, W (and B, of length 1) for each axis, as in TCHW."
    )
