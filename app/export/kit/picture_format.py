"""What the picture formats share: which picture of a frame is meant, as bytes, and the plan."""

from __future__ import annotations

from collections.abc import Generator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from app.export import ExportOptions, Plan
from app.export.kit.noise_format import BESIDE, chosen_frames
from app.look.noise_colours import image_bytes, noise_bytes
from gpu.engine.results import Column, Update
from gpu.errors import OutputError
from gpu.files import check_space

if TYPE_CHECKING:
    from gpu.engine import Engine

U8 = npt.NDArray[np.uint8]

HUNDRED = 100
"""Steps of progress a frame."""

VIDEO_BYTES, PNG_BYTES = {"noise": 0.5, "": 0.02}, {"noise": 1.4, "": 0.2}
"""Bytes a pixel to have room for, of noise and of other pictures. Measured: noise 0.54 (grey) and 0.67 (colours) in a video,
1.45 and 2.95 as PNG; the bundled clip 0.06 and 1.57. How well pictures compress is not known before, so they get a small part
of that: what would fit must not be refused."""


def plan_pictures(engine: Engine, key: str, path: Path, options: ExportOptions, title: str) -> Plan:
    """What will be written. OutputError when the column, or the picture asked for, is not there."""
    if options.content != "image" and key not in [prior.key for prior in engine.session.priors]:
        keys = ", ".join(prior.key for prior in engine.session.priors)
        raise OutputError(f"There is no column {key!r} to export; the columns are {keys}.")
    if options.content == "output" and not engine.session.task.name:
        raise OutputError("There is no output to export: the session has no task. Choose noise or image, or a task.")
    info = engine.info
    shape = (len(chosen_frames(options, info.frames)), info.height, info.width, 3)
    what = "the source's frames" if options.content == "image" else f"{options.content} of {key}"
    rate = f", {rate_of(engine, options):g} frames a second" if title.startswith("Video") else ""
    shares = VIDEO_BYTES if title.startswith("Video") else PNG_BYTES
    check_space(path, BESIDE + int(np.prod(shape[:3]) * shares.get(options.content, shares[""])))
    text = f"{title}: {what}, {shape[0]} frames of {info.width} × {info.height} pixels{rate}"
    return Plan(path, shape, "THWC", 0, text)


def rate_of(engine: Engine, options: ExportOptions) -> float:
    """Frames a second: as asked for, else the source's."""
    return options.fps or engine.info.fps or 24.0


def times_of(engine: Engine, options: ExportOptions) -> tuple[float, ...]:
    """(frames + 1,) seconds at which each chosen frame is shown and the last one's time is over, where the source's frames last
    differently long and no rate is asked for; else nothing."""
    own = engine.info.times
    if options.fps or not own:
        return ()
    lengths = [after - before for before, after in pairwise(own)]
    shown = [lengths[t] for t in chosen_frames(options, engine.info.frames)]
    return (0.0, *accumulate(shown))


def pictures(engine: Engine, key: str, options: ExportOptions) -> Generator[Update | tuple[int, U8], None, None]:
    """The chosen frames as (t, (H, W, 3) bytes), with the Updates of computing them in between."""
    chosen = chosen_frames(options, engine.info.frames)
    for number, t in enumerate(chosen):
        if options.content == "noise":
            yield t, picture_of_noise(engine.noise(key, t)[0], options.colours)
        elif options.content == "image":
            yield t, engine.source.frame(t)
        else:
            for update in engine.compute(t):
                if update.result is not None and update.result.complete:
                    yield t, picture_of(update.result.columns[key], options)
                else:
                    part = HUNDRED * update.done // max(update.total, 1)
                    yield Update(number * HUNDRED + part, len(chosen) * HUNDRED, f"frame {t}: {update.what}")
        yield Update((number + 1) * HUNDRED, len(chosen) * HUNDRED, f"frame {t}")


def picture_of(column: Column, options: ExportOptions) -> U8:
    """(H, W, 3) bytes of a column's output, or of its noise where there is no output."""
    if column.output is not None and options.content == "output":
        return image_bytes(column.output)
    return picture_of_noise(column.noise, options.colours)


def picture_of_noise(noise: npt.NDArray[np.float32], colours: str) -> U8:
    """(C, H, W) as (H, W, 3) bytes, black at -3 and white at +3, as the window draws it."""
    drawn = noise_bytes(noise, colours)
    return drawn if drawn.ndim == 3 else np.repeat(drawn[..., None], 3, axis=2).astype(np.uint8)
