"""Flow files as the source settings read them: both directions, axes, sign and units, as fields in pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gpu.errors import FlowError, FlowQuestion
from gpu.flow.formats import endings
from gpu.flow.stored import Flows, open_flows, units
from gpu.flow.stored.fields import Fields
from gpu.flow.stored.units import Units
from gpu.session import SourceSettings
from gpu.source import F32
from gpu.source.flow_file.composing import composed
from gpu.source.flow_file.readings import read_as


@dataclass(frozen=True)
class Pair:
    """Flow of one direction or both in (dx, dy) pixels of its own grid; to be closed. `by_frame` as gpu.flow.stored.Flows.

    `notes` are sentences that a person should see.
    """

    backward: Fields | None
    forward: Fields | None
    by_frame: bool
    notes: tuple[str, ...]
    flows: tuple[Flows, ...]

    @property
    def fields(self) -> Fields:
        """Those of the backward flow, or of the forward flow where only that is there."""
        fields = self.backward if self.backward is not None else self.forward
        assert fields is not None
        return fields

    def part(self, start: int, stop: int | None = None) -> Pair:
        """The steps from `start` to before `stop`."""
        backward, forward = (
            fields.part(start, stop) if fields is not None else None for fields in (self.backward, self.forward)
        )
        return replace(self, backward=backward, forward=forward)

    def changed(self, change: Callable[[F32], F32], height: int = 0, width: int = 0) -> Pair:
        """With `change` made to every field, which gives it that size, or leaves it its own where these are 0."""
        backward, forward = (
            fields.resized(height or fields.height, width or fields.width, change) if fields is not None else None
            for fields in (self.backward, self.forward)
        )
        return replace(self, backward=backward, forward=forward)

    def every(self, steps: int) -> Pair:
        """Of (dx, dy) in pixels: the motion over `steps` steps at a time (gpu.source.flow_file.composing)."""
        if steps == 1:
            return self
        backward = composed(self.backward, steps, backward=True) if self.backward is not None else None
        forward = composed(self.forward, steps, backward=False) if self.forward is not None else None
        return replace(self, backward=backward, forward=forward)

    def close(self) -> None:
        for flows in self.flows:
            flows.close()


def open_stored(settings: SourceSettings) -> Pair:
    """The flow of `settings.flow_path`, and of `forward_path` where there is one, as stored: no axes, sign or units applied.

    FlowError says what is wrong with a file, or why two do not belong together; FlowQuestion what would have to be said.
    """
    if not settings.flow_path:
        raise FlowError(
            f"No flow file is chosen; expected a file ending in one of {endings()}, or a folder of such files."
        )
    direction = settings.flow_direction
    if direction == "auto" and settings.forward_path:
        direction = "backward"  # beside forward flow it can be nothing else
    opened = [open_flows(settings.flow_path, direction, settings.flow_layout, settings.flow_key)]
    try:
        if settings.forward_path:
            opened.append(open_flows(settings.forward_path, "forward", settings.flow_layout, settings.flow_key))
            _check_both(*opened)
        sides = {direction: flows for flows in opened for direction in flows.directions}
        backward = sides["backward"].backward if "backward" in sides else None
        forward = sides["forward"].forward if "forward" in sides else None
        notes = tuple(note for flows in opened for note in flows.notes)
        return Pair(backward, forward, opened[0].by_frame, notes, tuple(opened))
    except BaseException:
        for flows in opened:
            flows.close()
        raise


def open_pair(settings: SourceSettings) -> Pair:
    """`open_stored` in (dx, dy) pixels, read with the settings' axes, sign and units. FlowQuestion where these are open."""
    pair = open_stored(settings)
    try:
        unit = told_units(pair, settings)
        if unit is None:
            raise units_question(pair, settings)
        return in_pixels(pair, settings, unit)
    except BaseException:
        pair.close()
        raise


def told_units(pair: Pair, settings: SourceSettings) -> Units | None:
    """The units that are asked for, or that the format or the values tell; None where either may be meant."""
    if settings.flow_units != "auto":
        return settings.flow_units
    if all(flows.pixels for flows in pair.flows):
        return "pixels"
    return units.told(pair.fields)


def units_question(pair: Pair, settings: SourceSettings) -> FlowQuestion:
    """That the units must be said."""
    fields = pair.fields
    longest = units.length(fields)
    x = longest * fields.width / 2
    return FlowQuestion(
        f"The vectors of {settings.flow_path} are short, nearly all up to {longest:.3g}: they may be pixels, or measure the "
        f"frame from -1 to 1 ({longest:.3g} are {x:.3g} pixels then); --flow-units pixels, normalised (-1 to 1) or fraction "
        "(0 to 1) says which.",
        "flow_units",
        ("pixels", "normalised", "fraction"),
    )


def in_pixels(pair: Pair, settings: SourceSettings, unit: Units) -> Pair:
    """As (dx, dy) in pixels, read with the settings' axes and sign and the `unit` units."""
    return pair.changed(lambda flow: read_as(flow, settings.flow_axes, settings.flow_sign, unit))


def _check_both(first: Flows, second: Flows) -> None:
    """FlowError when two files are not one direction each of the same clip."""
    for flows, other in ((first, second), (second, first)):
        if len(flows.directions) == 2:
            raise FlowError(
                f"{flows.path} holds flow of both directions already, so {other.path} cannot be read beside it."
            )
    if first.directions == second.directions:
        direction = first.directions[0]
        raise FlowError(
            f"{first.path} is read as {direction} flow, and {second.path} is {direction} flow too; "
            "read the first as the other, or leave the second out."
        )
    if first.fields.shape != second.fields.shape:
        raise FlowError(
            f"The {first.directions[0]} flow {first.path} has shape {first.fields.shape}, but the {second.directions[0]} flow "
            f"{second.path} has {second.fields.shape}; they must be the same."
        )
