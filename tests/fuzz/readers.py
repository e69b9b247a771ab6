"""The readers that are tried: each reads a file, looks at what it was given, and says how many bytes that is."""

from __future__ import annotations

import atexit
import functools
import importlib
import math
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.fuzz import corpus

FRAMES = 3
"""Of a clip, flow or noise that are looked at."""


class WrongResult(Exception):
    """What was read is not what it says it is."""


@dataclass(frozen=True)
class Reader:
    """`read(path)` gives the bytes of what it read, NoisescopeError being a refusal; `files` are good files to change, or to be
    tried one after the other `as_they_are`."""

    read: Callable[[Path], int]
    files: Callable[[], corpus.Files]
    share: int = 1  # of all inputs, in parts
    as_they_are: bool = False


def _expect(true: bool, what: str) -> None:
    if not true:
        raise WrongResult(what)


def _picture(rgb: np.ndarray, height: int, width: int) -> int:
    _expect(rgb.dtype == np.uint8 and rgb.shape == (height, width, 3), f"a picture of {rgb.shape} and {rgb.dtype}")
    return rgb.nbytes


def _source(kind: str, path: Path, name: str = "", height: int = 0) -> int:
    from gpu.session import SourceSettings
    from gpu.source.opening import open_source

    flow = {"flow_path": str(path)} if kind == "flow" else {"path": str(path)}
    source = open_source(SourceSettings(kind, name=name, frames=FRAMES, height=height, **flow))  # type: ignore[arg-type]
    try:
        size = 0
        _expect(source.frames >= 1 and math.isfinite(source.fps) and source.fps > 0, f"{source.frames} at {source.fps}")
        for t in range(min(source.frames, FRAMES)):
            size += _picture(source.frame(t), source.height, source.width)
        if source.truth is not None and source.frames > 1:
            backward = source.truth.backward(0)
            _expect(backward.shape == (source.height, source.width, 2), f"motion of {backward.shape}")
        return size
    finally:
        source.close()


def video(path: Path) -> int:
    """A film, as `--video` opens it."""
    return _source("video", path)


def pictures(path: Path) -> int:
    """A still."""
    from gpu.source.stills import read_picture

    rgb = read_picture(path)
    return _picture(rgb, *rgb.shape[:2])


def flow(path: Path) -> int:
    """A flow file: its first fields, and what it is as a source."""
    from gpu.flow.stored import open_flows

    with open_flows(path) as flows:
        fields, size = flows.fields, 0
        _expect(len(fields) >= 1, "no fields")
        for t in range(min(len(fields), FRAMES)):
            field = fields[t]
            _expect(field.shape == (fields.height, fields.width, 2) and field.dtype == np.float32, f"{field.shape}")
            size += field.nbytes
        if fields.height * fields.width > 1 << 16:  # its maps take long to be worked out
            return size
    return size + _source("flow", path)


def noise(path: Path) -> int:
    """A file of noise, as `stats` reads it."""
    from app.export.kit.noise_reading import read_noise

    stored = read_noise(path)
    count, *shape = stored.noise.shape
    size = 0
    for t, frame in enumerate(stored.noise):
        _expect(frame.shape == tuple(shape) and frame.dtype == np.float32, f"a frame of {frame.shape}, {frame.dtype}")
        size = max(size, frame.nbytes)
        if t == FRAMES:
            return size
    _expect(t == count - 1, f"{t + 1} frames of {count}")
    return size


def session(path: Path) -> int:
    """A session, which has to be written as it was read."""
    from gpu import session as sessions

    read = sessions.load(path)
    _expect(sessions.from_json(sessions.to_json(read)) == read, "another session when it is written and read again")
    return path.stat().st_size


def manifest(path: Path) -> int:
    """The table of a batch: rows with names of their own, in the order of the file."""
    from app.commands.kit.batch.manifest import read

    rows = read(path)
    _expect(len({row.name.casefold() for row in rows}) == len(rows), "two results of one name")
    _expect([row.number for row in rows] == sorted({row.number for row in rows}), "rows in another order")
    _expect(all(Path(row.name).name == row.name for row in rows), "a result in another folder")
    return path.stat().st_size


def poses(path: Path) -> int:
    """A file of poses."""
    from gpu.worlds.figure.pose_files import read_sequence

    sequence = read_sequence(path)
    _expect(bool(np.isfinite(sequence.joints).all()) and bool(np.isfinite(sequence.times).all()), "joints at no place")
    _expect(math.isfinite(sequence.length) and sequence.length > 0, f"a length of {sequence.length}")
    return sequence.joints.nbytes + _source("scene", path, name="pose", height=48)


def formulas(path: Path) -> int:
    """The text of a formula, worked out over a small grid."""
    import torch

    from gpu.source.deformations.formula import NAMES
    from gpu.source.deformations.kit.formulas import parse

    formula = parse(path.read_text(encoding="utf-8", errors="surrogateescape"), NAMES)
    values = {name: torch.linspace(-3, 9, 20, dtype=torch.float64) for name in formula.names}
    result = formula.evaluate(values)
    _expect(result.dtype == torch.float64 and result.shape in ((), (20,)), f"{result.shape} of {result.dtype}")
    return int(result.nbytes)


@functools.cache
def _pipeline() -> Path:
    """A folder with a sound pipeline."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, data in corpus.hub():
        path = folder / name.replace("@", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def hub(path: Path) -> int:
    """A pipeline's folder, one file of which is `path`."""
    import torch

    from gpu.diffusion.hub import loading

    inside = _pipeline() / path.name.replace("@", "/")
    sound = inside.read_bytes()
    inside.write_bytes(path.read_bytes())
    loading.release()
    try:
        pipeline = loading.load(str(_pipeline()), torch.device("cpu"))
        _expect(bool(np.isfinite(pipeline.levels.sigmas).all()), "noise levels that are not finite")
        return 0
    finally:
        inside.write_bytes(sound)
        loading.release()


READERS: dict[str, Reader] = {
    "video": Reader(video, corpus.video, 1),
    "pictures": Reader(pictures, corpus.pictures, 2),
    "flow": Reader(flow, corpus.flow, 2),
    "noise": Reader(noise, corpus.noise, 2),
    "session": Reader(session, corpus.session, 1),
    "manifest": Reader(manifest, corpus.manifest, 1),
    "poses": Reader(poses, corpus.poses, 1),
    "formulas": Reader(formulas, corpus.formulas, 1),
    "hub": Reader(hub, corpus.hub, 1),
}


def reader(name: str) -> Reader:
    """One of READERS, or "module:NAME" for one that stands elsewhere."""
    if ":" not in name:
        return READERS[name]
    module, _, attribute = name.partition(":")
    made: Reader = getattr(importlib.import_module(module), attribute)
    return made
