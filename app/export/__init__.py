"""Files out: noise, flow and pictures, one file a format. The registry is FORMATS.

Writing is a generator, so that the window and the command line can show progress and stop it; closing it leaves nothing
behind. What was written is read back before it takes its final name.

    plan(engine, "npy", "integral", path, options).text     what will be written, before anything is
    report = yield from write(engine, "npy", "integral", path, options)
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gpu.errors import NoisescopeError
from gpu.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from app.export.kit.frames import Frames
    from gpu.engine import Engine, Update
    from gpu.metrics.whiteness import Whiteness

AXES = {
    "TCHW": "TCHW: a batch of frames (diffusers, ComfyUI)",
    "CTHW": "CTHW: channels first (video latents)",
    "THWC": "THWC: channels last (arrays of pictures)",
    "CHW": "CHW: one frame",
    "HWC": "HWC: one frame, channels last",
}
"""Orders of axes to offer, and what each is used for: T frames, C channels, H rows, W columns. The first is the default.
Without T only one frame can be written. Video latents have a batch axis in front, which readers add themselves."""

Option = Literal["axes", "direction", "content", "colours", "fps"]
"""A field of ExportOptions that only some formats heed."""


class NoiseFileError(NoisescopeError):
    """A file of noise that cannot be read, or that does not hold what it should."""


@dataclass(frozen=True)
class ExportOptions:
    """What of a comparison is written, and how. Formats ignore what does not concern them."""

    axes: str = "TCHW"  # noise
    start: int = 0
    stop: int | None = None  # one past the last frame; None: to the end
    direction: Literal["backward", "forward"] = "backward"  # flow
    content: Literal["output", "noise", "image"] = "output"  # pictures
    colours: Literal["rgb", "grey"] = "rgb"  # pictures of noise
    fps: float = 0.0  # video; 0: the source's
    workers: int = 0  # processes that make noise; 0: as many as are of use. The file is the same.

    def frames(self, count: int) -> range:
        """The chosen frames of `count`."""
        return range(self.start, count if self.stop is None else min(self.stop, count))


@dataclass(frozen=True)
class Stored:
    """Noise in a file, and what the file says: `noise` is (T, C, H, W), its frames read when they are looked at.

    `axes` is their order in the file, `name` the array's, `notes` are sentences on how the file was taken.
    """

    noise: npt.NDArray[np.generic] | Frames
    axes: str
    meta: str = ""
    name: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What will be written: `shape` in the order of `axes`, `size` in bytes (0 where it is not known before)."""

    path: Path
    shape: tuple[int, ...]
    axes: str
    size: int
    text: str


@dataclass(frozen=True)
class Report:
    """What was written, read back: `text` says it in words; `whiteness` is that of noise as it stands in the file."""

    path: Path
    size: int
    text: str
    whiteness: Whiteness | None = None


Steps = Generator["Update", None, Report]


@dataclass(frozen=True)
class Format:
    """A kind of file, and all that the command line, the export dialog and README's table say of it.

    `suffix` is the ending of its files, empty where a folder of files is written. `kind` is what it holds. `options` are
    the fields of ExportOptions that it heeds (all heed `start` and `stop`); `axes` is the only order that its arrays can
    have where "axes" is none of these. `read(path, axes)` reads a file of noise, with the axes that the file itself
    names where `axes` is empty: every format of noise has it. `names` are those of the files in a folder, for
    the frames that are written.
    """

    title: str
    suffix: str
    kind: Literal["noise", "flow", "pictures"]
    summary: str
    plan: Callable[[Engine, str, Path, ExportOptions], Plan]
    write: Callable[[Engine, str, Path, ExportOptions], Steps]
    options: tuple[Option, ...] = ()
    axes: str = next(iter(AXES))
    read: Callable[[Path, str], Stored] | None = None
    names: Callable[[range, ExportOptions], list[str]] = lambda frames, options: []

    @property
    def is_folder(self) -> bool:
        """Whether it writes a folder of files rather than one file."""
        return not self.suffix


FORMATS: Registry[Format] = Registry("export format", "app.export")


def plan(engine: Engine, form: str, key: str, path: Path, options: ExportOptions = ExportOptions()) -> Plan:
    """What `write` would write: nothing is computed. `key` is a column's (flow ignores it).

    OutputError when the place cannot be written, is a file that the engine reads, or the options make no sense for this
    format; ChoiceError for an unknown format.
    """
    _check_outputs(engine, form, path, options)
    return FORMATS.get(form).plan(engine, key, path, options)


def write(engine: Engine, form: str, key: str, path: Path, options: ExportOptions = ExportOptions()) -> Steps:
    """Compute and write; yields an Update per frame and returns the Report of reading back.

    OutputError when it cannot be written or reads back differently; then, and when the generator is closed, nothing is
    left and an earlier file of that name is as it was.
    """
    _check_outputs(engine, form, path, options)
    return (yield from FORMATS.get(form).write(engine, key, path, options))


def _check_outputs(engine: Engine, form: str, path: Path, options: ExportOptions) -> None:
    from gpu.source.inputs import check_outputs

    frames = options.frames(engine.info.frames)
    check_outputs(engine.session, [path / name for name in FORMATS.get(form).names(frames, options)] or _beside(path))


def _beside(path: Path) -> list[Path]:
    """A file, and where its description may lie."""
    return [path, path.with_name(path.name + ".json")]


def format_for(path: Path, kind: str) -> str:
    """The name of the format of that kind whose files end as `path` does; NoiseFileError lists the endings."""
    names = {entry.suffix: name for name, entry in FORMATS.items() if entry.kind == kind and not entry.is_folder}
    if path.suffix.lower() not in names:
        raise NoiseFileError(f"The file {path} has no ending that is known for {kind}; use one of {', '.join(names)}.")
    return names[path.suffix.lower()]
