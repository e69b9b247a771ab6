"""A film whose motion is read from a flow file: its frames, and the flow's steps between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from gpu.errors import FlowError
from gpu.flow.stored.units import Units
from gpu.session import SourceSettings
from gpu.source import U8, Area, Detailed, Glance, Source, Surveyed, Timed, area, original_size
from gpu.source import notes as notes_of
from gpu.source.flow_file.placing import placed
from gpu.source.flow_file.reading import Pair, in_pixels, open_stored, told_units, units_question
from gpu.source.flow_file.readings import Fit, Reading, clearly_better, fit_clip, unmoved
from gpu.source.flow_file.truth import FlowFileTruth
from gpu.source.stills import Fitting, fitting, resize

SHAPE = 0.03
"""Logarithms of widths to heights may differ by this and be of one shape: grids are of whole pixels."""

OPTIONS = {"direction": "--flow-direction", "axes": "--flow-axes", "sign": "--flow-sign", "units": "--flow-units"}


class FilmedSource:
    """gpu.source.Source: the frames of `film`, and as its true motion what the flow file says.

    The flow may be of another resolution than the film. It has a field for each step between two frames, or one to spare.
    How well it fits the pictures stands in `notes`, with a warning when another reading fits clearly better.
    """

    def __init__(self, film: Source, settings: SourceSettings) -> None:
        """FlowError for flow that is missing, damaged, or of another number of steps; FlowQuestion where its units are open
        and the pictures do not tell. The film is closed with this, and when this cannot be made."""
        self._film = film
        try:
            pair = open_stored(settings)
        except BaseException:
            film.close()
            raise
        self._pair = pair
        try:
            self._notes = list(pair.notes)
            pair, steps = self._steps(pair, settings)
            pair = self._read(pair, settings, steps)
            pair = _placed(pair.every(steps), film, settings)
            pair = pair.part(0, max(film.frames - 1, 0))
            self.truth = FlowFileTruth(pair.backward, pair.forward, film.height, film.width, _label(settings))
        except BaseException:
            self.close()
            raise

    @property
    def title(self) -> str:
        return self._film.title

    @property
    def height(self) -> int:
        return self._film.height

    @property
    def width(self) -> int:
        return self._film.width

    @property
    def frames(self) -> int:
        return self._film.frames

    @property
    def fps(self) -> float:
        return self._film.fps

    @property
    def cuts(self) -> tuple[int, ...]:
        return self._film.cuts

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about the film and about how the flow fits it."""
        return (*notes_of(self._film), *self._notes)

    @property
    def times(self) -> tuple[float, ...]:
        """As gpu.source.Timed."""
        film = self._film
        return film.times if isinstance(film, Timed) else tuple(t / film.fps for t in range(film.frames + 1))

    @property
    def area(self) -> Area:
        """As gpu.source.Detailed."""
        return area(self._film)

    @property
    def original_size(self) -> tuple[int, int]:
        """As gpu.source.Detailed."""
        return original_size(self._film)

    def original(self, t: int, rows: int, columns: int) -> U8:
        """As gpu.source.Detailed."""
        if isinstance(self._film, Detailed):
            return self._film.original(t, rows, columns)
        return resize(self._film.frame(t), rows, columns)

    @property
    def survey(self) -> Sequence[Glance]:
        """As gpu.source.Surveyed."""
        return self._film.survey if isinstance(self._film, Surveyed) else ()

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB, as the film gives it."""
        return self._film.frame(t)

    def close(self) -> None:
        self._pair.close()
        self._film.close()

    def _steps(self, pair: Pair, settings: SourceSettings) -> tuple[Pair, int]:
        """The fields from the first frame on, and how many lie between two frames that are taken.

        As many fields as these need, or one more, are the flow between them. Else the flow is of the whole film. FlowError
        where it is not.
        """
        frames, count = self._film.frames, len(pair.fields)
        name, needed = Path(settings.flow_path).name, max(frames - 1, 0)
        if count == needed:
            return pair, 1
        if count == needed + 1:
            return self._without_spare(pair, settings), 1
        partly = settings.start > 0 or settings.frames > 0 or settings.every > 1
        if partly and not settings.fps:
            there = (count - settings.start) // settings.every
            if there == needed or (there > needed and settings.frames):
                return pair.part(settings.start), settings.every
        wanted = f"{needed} steps lead through {frames} frames of {self._film.title}"
        more = "; it must be the flow between the frames that are taken" if settings.fps else ""
        raise FlowError(f"{wanted}, but {name} has {count} {'field' if count == 1 else 'fields'}{more}.")

    def _without_spare(self, pair: Pair, settings: SourceSettings) -> Pair:
        """As many fields as frames: of forward flow the last leads to no frame, of backward flow the first comes from none
        where fields belong to frames. Where only pictures can tell, they do, and the last is left out where they do not."""
        count = len(pair.fields)
        first, last = pair.part(1), pair.part(0, count - 1)
        if pair.forward is not None:
            chosen, why = last, "the last leads to no frame"
        elif pair.by_frame:
            chosen, why = first, "the first comes from no frame"
        else:
            reading = Reading(
                "backward", settings.flow_axes, settings.flow_sign, told_units(pair, settings) or "pixels"
            )
            left = [self._error(part, reading) for part in (first, last)]
            if count > 2 and clearly_better(left[0], left[1]):
                chosen, why = first, "without the first it fits the pictures"
            else:
                chosen, why = last, "the last is left out"
        name = Path(settings.flow_path).name
        self._notes.append(f"{name} has {count} fields for {self._film.frames} frames, one to spare: {why}.")
        return chosen

    def _error(self, pair: Pair, reading: Reading) -> Fit:
        fits = fit_clip(self._film.frame, self._film.frames, pair.backward, pair.forward, (reading.units,), named=True)
        return next((fit for fit in fits if fit.reading == reading), fits[0])

    def _read(self, pair: Pair, settings: SourceSettings, steps: int) -> Pair:
        """The fields in pixels; says how they fit, where there is one for each step."""
        unit = told_units(pair, settings)
        if self._film.frames < 2 or (steps > 1 and unit is not None):
            return in_pixels(pair, settings, unit or "pixels")
        if steps > 1 and unit is None:
            raise units_question(pair, settings)
        named = all(flows.named for flows in pair.flows)
        choices: tuple[Units, ...] = (unit,) if unit is not None else ("pixels", "normalised", "fraction")
        fits = fit_clip(self._film.frame, self._film.frames, pair.backward, pair.forward, choices, named)
        direction = "backward" if pair.backward is not None else "forward"
        mine = [fit for fit in fits if fit.reading[:3] == (direction, settings.flow_axes, settings.flow_sign)]
        if unit is None:
            if len(mine) > 1 and not clearly_better(mine[0], mine[1]):
                raise units_question(pair, settings)
            unit = mine[0].units
            self._notes.append(
                f"The vectors of {Path(settings.flow_path).name} are read as {_unit_words(unit)}: that fits the pictures."
            )
        chosen = next(fit for fit in mine if fit.units == unit)
        self._say_fit(chosen, fits, settings)
        return in_pixels(pair, settings, unit)

    def _say_fit(self, chosen: Fit, fits: list[Fit], settings: SourceSettings) -> None:
        name = Path(settings.flow_path).name
        if not math.isfinite(chosen.error):
            self._notes.append(f"Warning: nothing of the frames is where {name} says that it was.")
            return
        still = unmoved(self._film.frame, self._film.frames, self.height, self.width)
        self._notes.append(
            f"Moved along {name} a frame differs from the next by {255 * chosen.error:.2f} of 255, "
            f"unmoved by {255 * still:.2f}."
        )
        best = fits[0]
        if best.reading != chosen.reading and clearly_better(best, chosen):
            changed = [field for field in Reading._fields if getattr(best, field) != getattr(chosen, field)]
            how = ", ".join(f"{OPTIONS[field]} {getattr(best, field)}" for field in changed)
            self._notes.append(
                f"Warning: {name} is read as {chosen.words}, but fits clearly better as {best.words}, which leaves "
                f"{255 * best.error:.2f} of 255: {how}."
            )
        elif still < chosen.error:
            self._notes.append(
                f"Warning: {name} does not fit the pictures: frames that are not moved at all agree better."
            )


def _placed(pair: Pair, film: Source, settings: SourceSettings) -> Pair:
    """The fields where the film's picture is on its grid: cut as its pictures are, with no motion in its bars.

    Flow of the shape that the picture has on the grid is of just that; of another shape, and where pictures are cropped, it is
    of the whole picture.
    """
    height, width = pair.fields.shape[1:3]
    place = area(film)
    if settings.fit == "crop" and abs(math.log(width * place.height / (height * place.width))) > SHAPE:
        part = fitting(height, width, settings).part
        pair = pair.changed(lambda flow: flow[part.top : part.bottom, part.left : part.right], part.height, part.width)
    rows, columns = pair.fields.shape[1:3]
    return placed(pair, Fitting(film.height, film.width, Area(0, 0, rows, columns), place))


def _label(settings: SourceSettings) -> str:
    return f"flow of {Path(settings.flow_path).name}"


def _unit_words(unit: str) -> str:
    return {"pixels": "pixels", "normalised": "the frame from -1 to 1", "fraction": "the frame from 0 to 1"}[unit]
