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
    from gpu.engine import Engine, Update
    from gpu.metrics.whiteness import Whiteness

AXES = ("TCHW", "CTHW", "THWC", "CHW", "HWC")
"""Orders of axes to offer: T frames, C channels, H rows, W columns. Without T only one frame can be written. TCHW is
diffusers' and ComfyUI's order for a batch of frames, CTHW that of video latents (add the batch axis in front)."""


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

    def frames(self, count: int) -> range:
        """The chosen frames of `count`."""
        return range(self.start, count if self.stop is None else min(self.stop, count))


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
    """A kind of file. `suffix` is empty where a folder of files is written."""

    title: str
    suffix: str
    kind: Literal["noise", "flow", "pictures"]
    summary: str
    plan: Callable[[Engine, str, Path, ExportOptions], Plan]
    write: Callable[[Engine, str, Path, ExportOptions], Steps]


FORMATS: Registry[Format] = Registry("export format", "app.export")


def plan(engine: Engine, form: str, key: str, path: Path, options: ExportOptions = ExportOptions()) -> Plan:
    """What `write` would write: nothing is computed. `key` is a column's (flow ignores it).

    OutputError when the place cannot be written or the options make no sense for this format; ChoiceError for an
    unknown format.
    """
    return FORMATS.get(form).plan(engine, key, path, options)


def write(engine: Engine, form: str, key: str, path: Path, options: ExportOptions = ExportOptions()) -> Steps:
    """Compute and write; yields an Update per frame and returns the Report of reading back.

    OutputError when it cannot be written or reads back differently; then, and when the generator is closed, nothing is
    left and an earlier file of that name is as it was.
    """
    return FORMATS.get(form).write(engine, key, path, options)


def format_for(path: Path, kind: str) -> str:
    """The name of the format of that kind whose files end as `path` does; NoiseFileError lists the endings."""
    known = {entry.suffix: name for name, entry in FORMATS.items() if entry.kind == kind and entry.suffix}
    if path.suffix.lower() not in known:
        raise NoiseFileError(f"The file {path} has no ending that is known for {kind}; use one of {', '.join(known)}.")
    return known[path.suffix.lower()]
