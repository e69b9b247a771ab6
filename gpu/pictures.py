"""Pictures decoded in one process that all share: as they are to be seen (`read`), or as values (`read_channels`).

Formats are those of gpu.decoders.formats, told by a file's first bytes. How colours are shown is said in
gpu.decoders.colour: integers as sRGB (an ICC profile is converted), light of OpenEXR, HDR, PFM and float TIFF through a view
transform at an exposure.
"""

from __future__ import annotations

import atexit
import math
import os
import stat
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gpu.assets import is_bundled
from gpu.decoders.formats import SUFFIXES as SUFFIXES
from gpu.decoders.process import Answer, DecoderProcess
from gpu.errors import ClipError
from gpu.sequences import shown
from gpu.unchanged import Unchanged

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
Name = str | os.PathLike[str]

MOST_BYTES = 1 << 30  # of a picture's file
PICTURE_BYTES = 1 << 30  # that a picture's own pixels may take in the decoder
SECONDS = 30.0
NAMED = 8  # layers that a note lists

_MODULE = "gpu.decoders.pictures:"


@dataclass(frozen=True)
class Picture:
    """A picture as it is to be seen.

    `pixels`: (H, W, 3) sRGB uint8, not transparent. `exposure`: the stops that scene-linear light was shown at, None where
    values are shown as they are stored. `layers`: those that may be asked for, `layer` is the one shown. `pages`: of a TIFF
    file how many there are of the first one's size. `notes`: sentences on what a person should know of how it is shown.
    """

    pixels: U8
    exposure: float | None
    layer: str
    layers: tuple[str, ...]
    pages: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Header:
    """What a file holds: `channels` by their full names (`ViewLayer.Vector.X`), `stored` is their type ("half", "uint16")."""

    format: str
    width: int
    height: int
    pages: int
    channels: tuple[str, ...]
    stored: str


@dataclass(frozen=True)
class Channels:
    """`values`: (H, W, C) float32 as stored, integers as such (65535 is white of 16 bits). `names`: of the channels."""

    values: F32
    names: tuple[str, ...]
    stored: str


def read(path: Name, layer: str = "", page: int = 0, exposure: float | None = None) -> Picture:
    """The picture at `path`: turned as Exif says, over black where it is transparent, in its display window.

    `layer` of an OpenEXR file; empty for the one with the finished picture. `exposure` in stops, of scene-linear pictures;
    None for 0, or where that would be far too dark or bright, for whole stops that bring the picture to middle grey.
    ClipError, with a sentence that names the file, when there is none or when it cannot be read.
    """
    if is_bundled(path) and not layer and not page:
        return Picture(_bundled(path), None, "", (), 1, ())
    arguments = {"layer": layer, "page": page, "exposure": exposure}
    told, (pixels,) = _asked(path, "frame", arguments, 1)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ClipError(
            f"The picture {shown(path)} cannot be read: the decoder gave {pixels.dtype} of shape {pixels.shape}."
        )
    layers = tuple(map(str, told["layers"]))
    return Picture(pixels, told["exposure"], told["layer"], layers, told["alike"], _notes(path, told, pixels))


def look(path: Name) -> Header:
    """What the file at `path` holds, without decoding it. ClipError as `read`."""
    told, _ = _asked(path, "look", {}, 0)
    return Header(told["format"], told["width"], told["height"], told["pages"], tuple(told["channels"]), told["type"])


def read_channels(path: Name, names: Sequence[str] | None = None, page: int = 0) -> Channels:
    """Values of a picture as they are stored, without any view transform, orientation or premultiplication.

    `names`: full names of the channels that are wanted (`look` has them), in the order of the answer; None for all. Values
    that are not finite stay as they are. ClipError as `read`, and where a channel is missing.

    >>> import tempfile
    >>> import numpy as np
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.fromarray(np.full((2, 3), 700, np.uint16)).save(folder + "/a.png")
    ...     channels = read_channels(folder + "/a.png")
    >>> channels.values.shape, channels.names, float(channels.values[0, 0, 0]), channels.stored
    ((2, 3, 1), ('Y',), 700.0, 'uint16')
    """
    told, (values,) = _asked(path, "channels", {"names": None if names is None else list(names), "page": page}, 1)
    if values.dtype != np.float32 or values.ndim != 3 or 0 in values.shape or values.shape[2] != len(told["names"]):
        raise ClipError(
            f"The picture {shown(path)} cannot be read: the decoder gave {values.dtype} of shape {values.shape}."
        )
    return Channels(values, tuple(told["names"]), told["type"])


def sizes(paths: Sequence[Name], seconds: float = 2.0) -> list[tuple[int, int] | str]:
    """(width, height) of each picture as `read` shows it, from its header; a text where that cannot be read, which is empty for
    those that were not looked at within `seconds`."""
    names = [os.path.abspath(os.fspath(path)) for path in paths]
    answer = _answer("sizes", {"paths": names, "seconds": seconds})
    return [each if isinstance(each, str) else (int(each[0]), int(each[1])) for each in answer.value]


def close() -> None:
    """End the process that decodes pictures; the next picture starts another."""
    with _LOCK:
        if _PROCESSES:
            _PROCESSES.pop().close()


_LOCK = threading.Lock()
_PROCESSES: list[DecoderProcess] = []
"""None or one: it starts with the first picture."""


def _process() -> DecoderProcess:
    if not _PROCESSES:
        _PROCESSES.append(DecoderProcess())
        atexit.register(close)
    return _PROCESSES[0]


def _bundled(path: Name) -> U8:
    """A photo of the program itself, which needs no process to be started for it: the same bytes, from Pillow."""
    from PIL import Image

    try:
        with Image.open(path, formats=["JPEG", "PNG"]) as image:
            return np.asarray(image.convert("RGB"), np.uint8)
    except OSError as problem:
        raise ClipError(f"The bundled picture {shown(path)} cannot be read: {problem.strerror or problem}.") from None


def _asked(path: Name, function: str, arguments: dict[str, Any], arrays: int) -> Any:
    """What the decoder says of the picture, and its arrays."""
    file = _regular(path)
    before = Unchanged(file)
    try:
        answer = _answer(function, {"path": os.path.abspath(file), **arguments})
    except ClipError as problem:
        before.check()  # that it was written to meanwhile says more
        said = str(problem)
        if said.startswith("it "):
            raise ClipError(f"{shown(path)} {said[3:]}.") from None
        raise ClipError(f"The picture {shown(path)} cannot be read: {said}.") from None
    before.check()  # a program that writes it at this moment would leave its lower half grey
    if len(answer.arrays) != arrays:
        raise ClipError(f"The picture {shown(path)} cannot be read: the decoder gave {len(answer.arrays)} arrays.")
    return answer.value, answer.arrays


def _answer(function: str, arguments: dict[str, Any]) -> Answer:
    with _LOCK:
        return _process().call(_MODULE + function, arguments, SECONDS, PICTURE_BYTES)


def _regular(path: Name) -> str:
    """The name of a file that can be read from any place on; ClipError for what is none."""
    name = os.fspath(path)
    try:
        status = os.stat(name)
        if stat.S_ISDIR(status.st_mode):
            raise ClipError(f"{shown(path)} is a folder; expected a picture file.")
        if not stat.S_ISREG(status.st_mode):
            raise ClipError(f"{shown(path)} is no regular file; expected a picture file.")
        with open(name, "rb"):  # whether it may be read
            pass
    except FileNotFoundError:
        raise ClipError(f"There is no picture {shown(path)}.") from None
    except (OSError, ValueError) as problem:
        said = problem.strerror if isinstance(problem, OSError) else ""
        raise ClipError(f"The picture {shown(path)} cannot be read: {said or problem}.") from None
    if not status.st_size:
        raise ClipError(f"The picture {shown(path)} is empty (0 bytes).")
    if status.st_size > MOST_BYTES:
        raise ClipError(f"The picture {shown(path)} is larger than {MOST_BYTES >> 30} GB; expected a picture file.")
    return name


def _notes(path: Name, told: dict[str, Any], pixels: U8) -> tuple[str, ...]:
    """Sentences on how a picture is shown, of what the decoder tells."""
    name, notes = os.path.basename(shown(path)), []
    transfer, exposure = told.get("transfer"), told["exposure"]
    if transfer == "linear":
        stops = exposure_text(exposure)
        notes.append(f"{name} holds scene-linear light; it is shown as sRGB at {stops}, highlights rolled off.")
    elif transfer:
        kind = {"pq": "HDR (PQ)", "hlg": "HDR (HLG)", "density": "printing density"}[transfer]
        notes.append(f"{name} is of {kind}; it is brought to sRGB, highlights rolled off.")
    if told["layers"]:
        others = [layer for layer in told["layers"] if layer != told["layer"]]
        listed = ", ".join(others[:NAMED]) + (f" and {len(others) - NAMED} more" if len(others) > NAMED else "")
        which = f"Layer {told['layer']} of {name} is shown" if told["layer"] else f"The main layer of {name} is shown"
        notes.append(f"{which}; there {'is' if len(others) == 1 else 'are'} also {listed}." if others else f"{which}.")
    if told["pages"] > 1 and told["format"] in ("TIFF", "GIF", "WebP"):
        held = f"{told['pages']} pages" if told["format"] == "TIFF" else "several pictures"
        notes.append(f"{name} holds {held}; the first is shown.")
    if told.get("transparent"):
        notes.append(f"Where {name} is transparent it is shown over black.")
    if told.get("odd"):
        share = told["odd"] / math.prod(pixels.shape[:2])
        notes.append(f"{share:.2g} of the pixels of {name} hold values that are no numbers, shown black or white.")
    if told.get("converted"):
        notes.append(f"The colours of {name} are converted from {told['profile']} to sRGB.")
    return tuple(notes)


def exposure_text(stops: float) -> str:
    """Stops of exposure in words: "exposure 0", "+2 stops"."""
    return f"{stops:+g} stop{'' if abs(stops) == 1 else 's'}" if stops else "exposure 0"
