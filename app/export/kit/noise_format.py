"""What all noise formats share in writing: the plan, the loop over frames, the description inside, and reading back."""

from __future__ import annotations

import json
import mmap
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import numpy.typing as npt

import gpu
from app.export import AXES, ExportOptions, Format, Plan, Report, Steps, Stored
from app.export.kit import axes
from app.export.kit.noise_reading import described_in
from gpu import session as sessions
from gpu.engine.results import Update
from gpu.errors import OutputError
from gpu.files import byte_text, check_file, check_space, replacing
from gpu.noise.states import NEW, UNDEFINED

if TYPE_CHECKING:
    from gpu.engine import Engine
    from gpu.metrics.whiteness import Whiteness

F32 = npt.NDArray[np.float32]

BESIDE = 64 * 1024
"""Bytes to leave for headers and metadata."""


@dataclass(frozen=True)
class Sink:
    """An open file. `put(index, frame)` takes the frames (C, H, W) in ascending order; `finish` what is known only at
    the end: `undefined` (T, H, W), and the backward flow, (H, W, 2) each."""

    put: Callable[[int, F32], None]
    finish: Callable[[npt.NDArray[np.bool_], Iterable[F32]], None]


Create = Callable[[Path, str, tuple[int, ...], str], AbstractContextManager[Sink]]
Read = Callable[[Path, str], Stored]


@dataclass(frozen=True)
class NoiseFile:
    """How one format stores noise. `create(path, axes, shape, meta)` opens a new file; `read(path, axes)` one that is
    there, with the axes the file itself names where `axes` is empty."""

    title: str
    suffix: str
    summary: str
    create: Create
    read: Read
    fixed_axes: str = ""  # the only order the format knows
    with_motion: bool = False  # whether the file also holds `undefined` and `backward`
    copies: bool = False  # whether it needs its room twice while it is written
    described_beside: bool = False  # whether the metadata goes into a second file, PATH.json


def noise_format(kind: NoiseFile) -> Format:
    """The entry of FORMATS for a kind of noise file."""

    def plan(engine: Engine, key: str, path: Path, options: ExportOptions) -> Plan:
        return _plan(kind, engine, key, path, options)

    def write(engine: Engine, key: str, path: Path, options: ExportOptions) -> Steps:
        return _write(kind, engine, key, path, options)

    return Format(
        kind.title,
        kind.suffix,
        "noise",
        kind.summary,
        plan,
        write,
        options=() if kind.fixed_axes else ("axes",),
        axes=kind.fixed_axes or next(iter(AXES)),
        read=kind.read,
    )


def _plan(kind: NoiseFile, engine: Engine, key: str, path: Path, options: ExportOptions) -> Plan:
    check_file(path, (kind.suffix,))
    _check_key(engine, key)
    info = engine.info
    chosen = chosen_frames(options, info.frames)
    if kind.fixed_axes and options.axes != kind.fixed_axes:
        raise OutputError(f"A {kind.suffix} file has the axis order {kind.fixed_axes}, not {options.axes}.")
    axes.check(options.axes, len(chosen))
    channels = engine.session.noise.channels
    shape = axes.shape(options.axes, len(chosen), channels, info.height, info.width)
    pixels = info.height * info.width
    size = len(chosen) * channels * pixels * 4
    if kind.with_motion:
        size += len(chosen) * pixels + (len(chosen) - 1) * pixels * 8
    check_space(path, (2 if kind.copies else 1) * size + BESIDE)
    text = f"{kind.title}: noise of {key}, {axes.text(options.axes, shape)}, float32, about {byte_text(size)}"
    return Plan(path, shape, options.axes, size, text)


def _write(kind: NoiseFile, engine: Engine, key: str, path: Path, options: ExportOptions) -> Steps:
    from gpu.engine import many_frames

    planned = _plan(kind, engine, key, path, options)
    chosen = chosen_frames(options, engine.info.frames)
    total = 2 * len(chosen)
    if engine.renews(key):  # what is told of it must be known before the first frame is written
        for t in chosen:
            engine.renewals(key, t)
            yield Update(0, total, f"where noise is renewed, frame {t}")
    meta = describe(engine, key, options)
    with ExitStack() as files:
        if kind.described_beside:
            beside = files.enter_context(replacing(described_in(path)))
            beside.write_text(meta + "\n", encoding="utf-8", errors="backslashreplace")
        partial = files.enter_context(replacing(path))
        sums: list[int] = []
        measured: dict[int, Whiteness] = {}
        undefined = np.zeros((len(chosen), engine.info.height, engine.info.width), bool)
        with (
            kind.create(partial, options.axes, planned.shape, meta) as sink,
            many_frames.making(engine, key, chosen, options.workers, partial) as frames,
        ):
            for made in frames:
                if made is not None:
                    index = made.t - chosen.start
                    sink.put(index, made.noise)
                    undefined[index] = (made.state == NEW) | (made.state == UNDEFINED)  # no history
                    sums.append(crc32(made.noise.tobytes()))
                    if made.whiteness is not None:
                        measured[index] = made.whiteness
                yield Update(len(sums), total, f"noise of frame {chosen[max(len(sums) - 1, 0)]}")
            sink.finish(undefined, (engine.motion(t)[0] for t in chosen[:-1]))
        report = yield from _read_back(kind, partial, path, options.axes, sums, measured)
    return Report(path, report.size, f"{planned.text}; {report.text}", report.whiteness)


def chosen_frames(options: ExportOptions, count: int) -> range:
    """The frames to write of `count`; OutputError when there are none."""
    chosen = options.frames(count)
    if not chosen or chosen.start < 0:
        raise OutputError(
            f"There are no frames {options.start} to {options.stop} to write; the clip has {count} frames."
        )
    return chosen


def _check_key(engine: Engine, key: str) -> None:
    keys = [prior.key for prior in engine.session.priors]
    if key not in keys:
        raise OutputError(f"There is no column {key!r} to export; the columns are {', '.join(keys)}.")


def _read_back(
    kind: NoiseFile, partial: Path, path: Path, order: str, sums: list[int], measured: Mapping[int, Whiteness]
) -> Steps:
    """Read the file as its format's library does, compare with what was computed, and measure its whiteness, where whoever
    made a frame has not `measured` it."""
    from gpu.metrics.whiteness import pooling

    total = 2 * len(sums)
    stored = kind.read(partial, order).noise
    if len(stored) != len(sums):
        raise OutputError(f"The output {path} reads back with {len(stored)} frames instead of {len(sums)}.")

    def frames() -> Iterator[F32]:
        for t, frame in enumerate(stored):
            values = np.array(frame, np.float32, order="C")  # a frame may be a view of another type
            if crc32(values.tobytes()) != sums[t]:
                raise OutputError(f"The output {path} reads back with other values in frame {t} than were written.")
            yield values

    steps, done = pooling(frames(), measured), len(sums)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            whiteness: Whiteness = end.value
            break
        done += 1
        yield Update(done, total, f"reading back frame {done - len(sums) - 1}")
    return Report(path, partial.stat().st_size, f"read back, {whiteness.verdict.text}", whiteness)


def _renewed(engine: Engine, key: str, chosen: range) -> dict[str, float]:
    """The frames before the last of those chosen in which pixels became a new anchor, and what share of them."""
    if not len(chosen):
        return {}
    cuts = [cut for cut in engine.info.cuts if chosen.start < cut <= chosen[-1]]
    ends = [*(cut - 1 for cut in cuts), chosen[-1]]
    return {str(t): round(share, 6) for end in ends for t, share in engine.renewals(key, end).items() if t < chosen[-1]}


def describe(engine: Engine, key: str, options: ExportOptions) -> str:
    """JSON with everything needed to make the file again: session, column, versions, and the conventions of the arrays.

    Holds no time and no place of writing, so that the same settings give the same bytes.
    """
    info, findings = engine.info, engine.judged()
    return json.dumps(
        {
            "warnings": list(findings.warnings),
            "notes": list(findings.notes),
            "program": f"noisescope {gpu.__version__}",
            "axes": options.axes,
            "column": key,
            "seed": engine.session.noise.seed,
            "frames": [options.start, options.frames(info.frames).stop],
            "source": {
                "title": info.title,
                "height": info.height,
                "width": info.width,
                "frames": info.frames,
                "fps": info.fps,
                "cuts": list(info.cuts),
                "motion": info.motion,
            },
            "renewed": _renewed(engine, key, options.frames(info.frames)),
            "backend": info.backend,
            "device": info.device,
            "versions": {name: metadata.version(name) for name in ("torch", "numpy", "opencv-python", "moderngl")}
            | {"python": platform.python_version()},
            "conventions": {
                "noise": "float32, mean 0, variance 1 per value; T frames, C channels, H rows down, W columns right",
                "renewed": "by frame, the share of its pixels that became an anchor there: what follows is carried from "
                "them, and no longer from the frame their noise was born in",
                "undefined": "(T,H,W) bool: pixels whose noise has no history in an earlier frame",
                "backward": "(T-1,H,W,2) float32 (dx,dy) in pixels: what is seen at p of frame t+1 was at "
                "p + backward[t](p) in frame t",
            },
            "session": json.loads(sessions.to_json(replace(engine.session, view={}))),  # no number depends on the view
        },
        sort_keys=True,
        ensure_ascii=False,
    )


def mapped(path: Path, header: bytes, shape: tuple[int, ...]) -> np.memmap[tuple[int, ...], np.dtype[np.float32]]:
    """A new file of `header` and room for float32 of `shape`, mapped for writing.

    The room is taken from the disk at once: a mapped file that outgrows the disk would kill the process.
    """
    size = int(np.prod(shape)) * 4
    with path.open("wb") as file:
        file.write(header)
        file.flush()
        if sys.platform == "linux":
            os.posix_fallocate(file.fileno(), 0, len(header) + size)
        else:
            file.truncate(len(header) + size)
    return np.memmap(path, np.dtype("<f4"), "r+", len(header), shape)


def into(array: npt.NDArray[np.float32], order: str) -> Callable[[int, F32], None]:
    """A `put` that writes frame `index` to its place in `array`, whose axes stand in `order`."""
    view = axes.standard(array, order)

    def put(index: int, frame: F32) -> None:
        view[index] = frame
        let_go(array)

    return put


def let_go(array: npt.NDArray[np.generic]) -> None:
    """Give back the memory of what was read or written of an array that is mapped from a file: the system keeps it in the file,
    and long clips need not fit into memory. Nothing happens to other arrays."""
    base: object = array
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
