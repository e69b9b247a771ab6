"""Puts the pieces of flow together: components to vectors, files to sequences, directions to steps that belong together."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gpu import sequences
from gpu.errors import FlowError
from gpu.flow.stored import frame_pairs, layouts, names, places
from gpu.flow.stored.fields import F32, Fields
from gpu.flow.stored.files import Files
from gpu.flow.stored.names import Component, Direction
from gpu.flow.stored.pieces import Piece, pick
from gpu.flow.stored.places import Place

PAST = re.compile(r"into[ _.-]*(past|future)", re.IGNORECASE)
"""FlyingThings3D names files for the frame that a field lies on, also where it leads to the frame before."""


@dataclass(frozen=True)
class Assembled:
    """Fields of a direction as stored, `by_direction` with None where names say none: `likely` is then what their numbers
    speak for, if anything. See gpu.flow.stored.Flows."""

    by_direction: dict[Direction | None, Fields]
    likely: Direction | None
    pixels: bool
    by_frame: bool
    taken: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Item:
    """A piece and the file that it is in."""

    place: Place
    piece: Piece


@dataclass(frozen=True)
class _Run:
    """Pieces of one direction in their order. `read(t)` gives (H, W, C), or (H, W) of a component. `numbers` are those that the
    files' names count with, if they do; `label` is what to call it in a sentence."""

    count: int
    height: int
    width: int
    components: int
    read: Callable[[int], F32]
    numbers: list[int] | None
    label: str
    notes: tuple[str, ...] = ()


def assemble(given: list[Place], files: Files, where: str, direction: str, layout: str, key: str) -> Assembled:
    """The flow in the files `given`.

    `direction` is asked for, where only one can be had. FlowQuestion and FlowError as gpu.flow.stored.open_flows.
    """
    items, pixels, by_frame = _items(given, files, layout, key)
    if {item.piece.component for item in items} in ({"u"}, {"v"}):
        items += _other_component(items, files, where, layout, key)
    items, likely = _of_frame_pairs(items)
    groups: dict[tuple[Direction | None, Component | None], list[_Item]] = {}
    for item in items:
        groups.setdefault((item.piece.direction, item.piece.component), []).append(item)
    runs: dict[Direction | None, _Run] = {}
    for said in dict.fromkeys(said for said, _ in groups):
        runs[said] = _of_direction(said, groups, files, where)
    if None in runs and len(runs) > 1:
        rest = " or ".join(run.label for said, run in runs.items() if said is not None)
        raise FlowError(f"The flow {where} holds {runs[None].label}, whose name says no direction, beside {rest}.")
    runs, split = _split(runs)
    by_frame = by_frame or all(PAST.search(run.label) for run in runs.values())
    if by_frame and all(run.count == 1 for run in runs.values()):  # of one frame: each leads to another
        kept: Direction = "forward" if "backward" not in runs or direction == "forward" else "backward"
        runs = {kept: runs[kept]} if kept in runs else runs
    elif "backward" in runs and "forward" in runs and not split:
        runs = _together(runs, by_frame, where)
    taken = ", ".join(dict.fromkeys(_words(item.piece) for item in items))
    fields = {said: _fields(run) for said, run in runs.items()}
    notes = tuple(dict.fromkeys(note for run in runs.values() for note in run.notes))
    return Assembled(fields, likely, pixels, by_frame, taken, notes)


def _items(given: list[Place], files: Files, layout: str, key: str) -> tuple[list[_Item], bool, bool]:
    """The pieces of every file; whether all are in pixels; whether fields belong to frames."""
    items, pixels, by_frame = [], [], []
    for place in given:
        contents = files.contents(place.path)
        for piece in pick(contents.arrays, f"in {place.path}", place.around, key, layout, contents.others):
            direction = piece.direction or contents.direction
            items.append(_Item(place, replace(piece, direction=direction)))
        pixels.append(contents.pixels)
        by_frame.append(contents.by_frame)
    return items, all(pixels), all(by_frame)


def _other_component(items: list[_Item], files: Files, where: str, layout: str, key: str) -> list[_Item]:
    """The pieces of the file or folder beside the one that was given, which holds only one component."""
    beside = places.partner(Path(where))
    name = names.partner_of(Path(where).stem)
    if beside is None:
        has = items[0].piece.component
        raise FlowError(
            f"The flow {where} holds only the component {has} of vectors"
            f"{f', and there is no {name} beside it' if name else ''}; expected both."
        )
    others, _, _ = _items(places.find(beside)[0], files, layout, key)
    return others


def _of_frame_pairs(items: list[_Item]) -> tuple[list[_Item], Direction | None]:
    """The items with the direction that names of pairs of frames say; and the one that they only speak for."""
    series: dict[tuple[Path, Component | None], list[_Item]] = {}
    for item in items:
        if item.piece.direction is None:
            series.setdefault((item.place.path.parent, item.piece.component), []).append(item)
    said: dict[Path, Direction] = {}
    likely: set[Direction | None] = set()
    for (folder, _), inside in series.items():
        told = frame_pairs.told([item.place.path.stem for item in inside], sequences.shown(folder))
        if told is not None and told.sure:
            said |= {item.place.path: way for item, way in zip(inside, told.directions)}
        else:
            likely.add(told.directions[0] if told is not None else None)
    named = [
        replace(item, piece=replace(item.piece, direction=item.piece.direction or said.get(item.place.path)))
        for item in items
    ]
    return named, likely.pop() if len(likely) == 1 else None


def _of_direction(
    direction: Direction | None,
    groups: dict[tuple[Direction | None, Component | None], list[_Item]],
    files: Files,
    where: str,
) -> _Run:
    """The whole vectors of a direction, or those put together from its components."""
    whole = groups.get((direction, None))
    across, down = groups.get((direction, "u")), groups.get((direction, "v"))
    if whole:
        if across or down:
            raise FlowError(
                f"The flow {where} holds vectors in {whole[0].place.path.name} and a component in "
                f"{(across or down or whole)[0].place.path.name}; expected one of both."
            )
        return _run(whole, files)
    if not across or not down:
        has = (across or down or [])[0]
        raise FlowError(
            f"The flow {where} holds only one component of vectors, in {has.place.path.name}; expected u and v."
        )
    u, v = _run(across, files), _run(down, files)
    if (u.count, u.height, u.width, u.numbers) != (v.count, v.height, v.width, v.numbers):
        raise FlowError(
            f"The components {u.label} and {v.label} of the flow {where} do not belong together: {u.count} of "
            f"{u.width}x{u.height} and {v.count} of {v.width}x{v.height}."
        )
    return replace(u, components=2, read=lambda t: np.stack([u.read(t), v.read(t)], axis=-1))


def _run(items: list[_Item], files: Files) -> _Run:
    """Pieces of one direction and component as a sequence, in natural order."""
    items, notes = _in_order(items)
    first = items[0]
    for item in items[1:]:
        if (item.piece.size, item.piece.components) != (first.piece.size, first.piece.components):
            raise FlowError(
                f"The flow {item.place.path} is {_size(item.piece)}, but {first.place.path.name} is {_size(first.piece)}; "
                "all fields of a sequence must be of one size."
            )
    several = [item for item in items if item.piece.steps != 1]
    if several and len(items) > 1:
        raise FlowError(
            f"The flow {several[0].place.path} holds {several[0].piece.steps} fields; where there are several files, "
            f"each must hold one ({', '.join(item.place.path.name for item in items[:4])})."
        )
    numbers = count_of([item.place.path.stem for item in items]) if len(items) > 1 else None
    if first.piece.members:
        where = sequences.shown(first.place.path)
        notes = [*notes, f"The arrays {first.piece.members} of {where} are read as {first.piece.steps} steps."]

    def read(t: int) -> F32:
        item, at = (items[t], 0) if len(items) > 1 else (first, t)
        return _read(item, at, files)

    count = len(items) if len(items) > 1 else first.piece.steps
    label = first.piece.name or first.place.path.name
    return _Run(count, *first.piece.size, first.piece.components, read, numbers, label, tuple(notes))


def _in_order(items: list[_Item]) -> tuple[list[_Item], list[str]]:
    """The items of one direction and component by the rule for sequences (gpu.sequences), and its notes."""
    order: list[_Item] = []
    notes: list[str] = []
    folders: dict[Path, list[_Item]] = {}
    for item in items:
        folders.setdefault(item.place.path.parent, []).append(item)
    for folder, inside in folders.items():
        by_name = {item.place.path.name: item for item in inside}
        listing = inside[0].place.listing
        fixed = listing.numbers if listing is not None else {}
        wanted = listing.wanted if listing is not None else None
        numbers = {name: fixed[name] for name in by_name} if fixed else None
        arranged = sequences.arrange(
            by_name, places.WHAT, sequences.shown(folder), FlowError, numbers=numbers, wanted=wanted
        )
        order += [by_name[name] for name in arranged.names]
        notes += arranged.notes
    return order, notes


def _read(item: _Item, t: int, files: Files) -> F32:
    """Field t of a piece; NaN where an array beside it says that it does not hold."""
    piece, path = item.piece, item.place.path
    flow = files.field(path, piece.name, piece.layout, t)
    if piece.validity is not None:
        name, layout = piece.validity
        single = layouts.steps(layout, files.contents(path).arrays[name].shape) == 1
        holds = files.field(path, name, layout, 0 if single else t)
        flow[~(holds > 0)] = np.nan
    return flow


def _split(runs: dict[Direction | None, _Run]) -> tuple[dict[Direction | None, _Run], bool]:
    """Runs of two vectors a pixel as two runs: in the order in which the name speaks of directions, else backward first."""
    double = [run for run in runs.values() if run.components == 4]
    if not double:
        return runs, False
    if len(runs) > 1:
        raise FlowError(
            f"{double[0].label} holds two vectors a pixel, which are both directions, but there is more flow beside it."
        )
    run = double[0]
    order = names.directions_in(run.label)
    order = order if len(order) == 2 else ["backward", "forward"]

    def half(start: int) -> _Run:
        return replace(run, components=2, read=lambda t: np.ascontiguousarray(run.read(t)[..., start : start + 2]))

    return {order[0]: half(0), order[1]: half(2)}, True


def _together(runs: dict[Direction | None, _Run], by_frame: bool, where: str) -> dict[Direction | None, _Run]:
    """Both directions, cut to the steps that both have, in the same order.

    Numbers of files tell which belong together: pairs (forward_1_2, backward_2_1) by the frames, the same numbers by
    themselves, and numbers one higher in the backward files, as in the Spring dataset, by the frame that a field lies on.
    """
    back, forth = runs["backward"], runs["forward"]
    if (back.height, back.width) != (forth.height, forth.width):
        raise FlowError(
            f"The backward flow {back.label} of {where} is {back.width}x{back.height}, but the forward flow {forth.label} is "
            f"{forth.width}x{forth.height}; they must be the same."
        )
    behind, ahead = back.numbers or list(range(back.count)), forth.numbers or list(range(forth.count))
    if by_frame or (back.numbers and forth.numbers and [number - 1 for number in behind] == ahead):
        behind = [number - 1 for number in behind]
    common = sorted(set(behind) & set(ahead))
    spare = len(behind) + len(ahead) - 2 * len(common)
    whole = common and common == [number for number in ahead if common[0] <= number <= common[-1]]
    if not whole or spare > (2 if by_frame else 0):
        raise FlowError(
            f"The flow {where} holds {back.count} backward and {forth.count} forward fields that do not belong together "
            f"({back.label}, {forth.label} …); expected one of both for each step."
        )
    at_back, at_forth = [behind.index(number) for number in common], [ahead.index(number) for number in common]
    return {
        "backward": replace(back, count=len(common), read=lambda t: back.read(at_back[t])),
        "forward": replace(forth, count=len(common), read=lambda t: forth.read(at_forth[t])),
    }


def _fields(run: _Run) -> Fields:
    """The run's fields with two components; of three the last says where the vector is known."""
    if run.components != 3:
        return Fields(run.count, run.height, run.width, run.read)
    silent = all(not run.read(t)[..., 2].any() for t in sorted({0, run.count // 2, run.count - 1}))

    def read(t: int) -> F32:
        field = run.read(t)
        flow, holds = np.ascontiguousarray(field[..., :2]), field[..., 2]
        if not silent:  # where it is 0 throughout it says nothing, as in the Scene Flow datasets
            values = np.unique(holds)
            if len(values) > 2 or values[-1] < 0 or (len(values) == 2 and values[0] != 0):
                raise FlowError(
                    f"The flow {run.label} has three components, and the third is no validity: it has values such as "
                    f"{values[0]:g} and {values[-1]:g}; expected 1 where a vector is known and 0 elsewhere."
                )
            flow[holds == 0] = np.nan
        return flow

    return Fields(run.count, run.height, run.width, read)


def count_of(stems: list[str]) -> list[int] | None:
    """What the names of a sequence count: the number that differs from file to file, or of pairs of frames (1_2, 2_3; 2_1, 3_2)
    the smaller; None where names do not count.

    >>> count_of(["flow_1", "flow_2", "flow_10"]), count_of(["backward_2_1", "backward_3_2"]), count_of(["a", "b"])
    ([1, 2, 10], [1, 2], None)
    """
    pairs = frame_pairs.steps_between(stems)
    if pairs is not None:
        return [min(pair) for pair in pairs]
    table = [names.numbers_in(stem) for stem in stems]
    if len({len(row) for row in table}) != 1 or not table[0]:
        return None
    columns = [list(column) for column in zip(*table)]
    differing = [column for column in columns if len(set(column)) > 1] or [columns[-1]]
    return differing[-1]


def _size(piece: Piece) -> str:
    extra = f" with {piece.components} components" if piece.components not in (0, 2) else ""
    return f"{piece.size[1]}x{piece.size[0]}{extra}"


def _words(piece: Piece) -> str:
    name = f"{piece.name} " if piece.name else ""
    component = f", component {piece.component}" if piece.component else ""
    return f"{name}{piece.layout}{component}"
