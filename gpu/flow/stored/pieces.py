"""Which arrays of a file are its flow: by their names where these say something, else by their shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from gpu.arrays.series import Series
from gpu.errors import FlowError, FlowQuestion
from gpu.flow.formats import Stored
from gpu.flow.stored import layouts, names
from gpu.flow.stored.names import Component, Direction

EXPECTED = (
    "expected (T, H, W, 2), (T, 2, H, W), (H, W, 2) or (2, H, W), T steps of H rows and W columns, with or without an axis of "
    "length 1 more, or three or four components behind; --flow-layout names another order of the axes, as in CHW"
)
SHOWN = 12  # arrays that a sentence lists


@dataclass(frozen=True)
class Piece:
    """An array of a file as flow, or as one `component` of it; `validity` is the array and layout that say where it holds.

    `members`: of a series the arrays that are its steps, in words."""

    name: str
    shape: tuple[int, ...]
    layout: str
    direction: Direction | None = None
    component: Component | None = None
    validity: tuple[str, str] | None = None
    members: str = ""

    @property
    def steps(self) -> int:
        return layouts.steps(self.layout, self.shape)

    @property
    def size(self) -> tuple[int, int]:
        return layouts.size(self.layout, self.shape)

    @property
    def components(self) -> int:
        return layouts.components(self.layout, self.shape)


def pick(
    arrays: Mapping[str, Stored],
    where: str,
    around: tuple[str, ...] = (),
    key: str = "",
    layout: str = "",
    others: Mapping[str, str] | None = None,
) -> list[Piece]:
    """The pieces of flow in the arrays of one file: one, one a direction, or two components of either.

    `around` are the names of the file and of folders around it, nearest first: they say what an array's own name leaves open.
    `key` names the array to take, or two with a comma between them as u and v; `layout` the order of axes of every one.
    `others` is what the file holds that cannot be read, in words.
    FlowQuestion when several would do, or the axes of one have two orders; FlowError when none does, which says what there is.
    """
    layout = layouts.checked(layout) if layout else ""
    if key:
        return _keyed(arrays, where, around, key, layout, others or {})
    pieces = [piece for name in arrays if (piece := _piece(name, arrays[name], around, layout)) is not None]
    pieces = _with_partners(_with_series(pieces, arrays))
    named = [piece for piece in pieces if piece.direction is not None]
    chosen = named or _of_best_name(pieces)
    for direction in (None, "backward", "forward"):
        for component in (None, "u", "v"):
            same = [piece for piece in chosen if (piece.direction, piece.component) == (direction, component)]
            if len(same) > 1:
                exact = [piece for piece in same if piece.name in ("backward", "forward", "flow")]
                if len(exact) != 1:
                    raise _question(where, same)
                chosen = [piece for piece in chosen if piece not in same or piece in exact]
    if not chosen:
        raise _nothing(_plain(arrays), where, layout, others or {})
    _check_order(chosen, where, layout)
    return [_with_validity(piece, arrays) for piece in chosen]


def _keyed(
    arrays: Mapping[str, Stored],
    where: str,
    around: tuple[str, ...],
    key: str,
    layout: str,
    others: Mapping[str, str],
) -> list[Piece]:
    wanted = [key] if key in arrays else [part.strip() for part in key.split(",")]
    wanted = [f"{name}.*" if name not in arrays and f"{name}.*" in arrays else name for name in wanted]
    pieces: list[Piece] = []
    for name in wanted:
        if name in others:
            raise FlowError(f"The flow {where} holds under {name!r} {others[name]}, which cannot be read.")
        if name not in arrays:
            held = ", ".join(name for name in arrays if name) or "one array without a name"
            raise FlowError(f"The flow {where} has no array {name!r} that --key could name; it holds {held}.")
        shape = arrays[name].shape
        _check_type(arrays[name], f"{name!r} of {where}")
        single = len(wanted) == 2
        order = _order(arrays[name], layout, single)
        if not order:
            raise FlowError(f"The array {name!r} of {where} has shape {shape}; {_asked(layout)}.")
        component = cast(Component, "uv"[len(pieces)]) if single else None
        direction = names.direction_of(name, *around)
        pieces.append(Piece(name, shape, order, direction, component, members=_members(arrays[name])))
    if len(wanted) > 2:
        raise FlowError(
            f"--key {key} names {len(wanted)} arrays; one holds the flow, or two hold its components u and v."
        )
    _check_order(pieces, where, layout)
    return [_with_validity(piece, arrays) for piece in pieces]


def _piece(name: str, array: Stored, around: tuple[str, ...], layout: str) -> Piece | None:
    """The array as flow, or as a component of it; None where it can be neither."""
    if names.is_other(name) or names.is_validity(name) or array.dtype.kind not in "fi":
        return None
    direction = names.direction_of(name, *around)
    said = [names.component_of(label) for label in ([name] if name else around)]
    component = next((component for component in said if component is not None), None)
    vectors = _order(array, layout, single=False)
    alone = _order(array, layout, single=True) if component is not None else ""
    sides = len(array.each if isinstance(array, Series) else array.shape)
    if alone and (not vectors or (sides == 3 and array.shape[-1] != 2)):
        return Piece(name, array.shape, alone, direction, component, members=_members(array))
    return Piece(name, array.shape, vectors, direction, members=_members(array)) if vectors else None


def _members(array: Stored) -> str:
    return array.words if isinstance(array, Series) else ""


def _plain(arrays: Mapping[str, Stored]) -> dict[str, Stored]:
    """The arrays as they stand in the file, without series."""
    return {name: array for name, array in arrays.items() if not isinstance(array, Series)}


def _with_series(pieces: list[Piece], arrays: Mapping[str, Stored]) -> list[Piece]:
    """Series in place of their members; of two without a direction, which may be one of each, both readings stay."""
    sure: set[str] = set()
    for piece in pieces:
        array = arrays[piece.name]
        if isinstance(array, Series) and (len(array.parts) > 2 or piece.direction or piece.component):
            sure |= {part.name for part in array.parts}
    return [piece for piece in pieces if piece.name not in sure]


def _check_order(pieces: list[Piece], where: str, layout: str) -> None:
    """FlowQuestion where axes were guessed, the frames are too narrow to be any, and another order makes some."""
    for piece in pieces if not layout else ():
        choices = layouts.doubtful(piece.layout, piece.shape)
        if choices:
            told = [(order, layouts.steps(order, piece.shape), *layouts.size(order, piece.shape)) for order in choices]
            listed = ", or ".join(f"{order} ({steps} of {width}x{height})" for order, steps, height, width in told)
            (height, width), order = piece.size, piece.layout
            raise FlowQuestion(
                f"The flow {f'{piece.name!r} ' if piece.name else ''}{where} has shape {piece.shape}: {piece.steps} steps of "
                f"{width}x{height} in the usual order of axes, {order}, but perhaps {listed}; --flow-layout says which.",
                "flow_layout",
                (order, *choices),
            )


def _order(array: Stored, layout: str, single: bool) -> str:
    """The layout of an array: as asked for, if it fits, or guessed; "" where there is none. Of a series each array is a step,
    and what is asked for may be the order of one of them."""
    if isinstance(array, Series) and "T" not in layout:
        order = _order_of(array.each, layout.replace("B", ""), single)
        return "" if not order or "T" in order else f"T{order}"
    return _order_of(array.shape, layout, single)


def _order_of(shape: tuple[int, ...], layout: str, single: bool) -> str:
    if not layout:
        return layouts.guess(shape, single)
    order = layout.replace("C", "") if single else layout
    if not single and "C" not in order:
        return ""
    return order if layouts.fits(order, shape) else ""


def _with_partners(pieces: list[Piece]) -> list[Piece]:
    """Without components whose other one is not there, as a piece or under the name that it should have."""
    sides = {(piece.direction, piece.component, piece.shape): piece for piece in pieces}
    other = {"u": "v", "v": "u"}
    kept = []
    for piece in pieces:
        partner = sides.get((piece.direction, cast(Component, other.get(piece.component or "")), piece.shape))
        lone = piece.name == "" or len(pieces) == 1  # the file of a component: its partner is another file
        if piece.component is None or partner is not None or lone:
            kept.append(piece)
    return kept


def _of_best_name(pieces: list[Piece]) -> list[Piece]:
    """Of pieces without a direction those whose name speaks of flow, if there are such; whole vectors before components."""
    whole = [piece for piece in pieces if piece.component is None]
    spoken = [piece for piece in whole if set(names.words(piece.name)) & names.FLOWS]
    return spoken or whole or pieces


def _with_validity(piece: Piece, arrays: Mapping[str, Stored]) -> Piece:
    """The piece with the array that says where it holds, if there is one of its size and direction."""
    for name, array in arrays.items():
        layout = (
            layouts.guess(array.shape, single=True) if names.is_validity(name) and array.dtype.kind in "fiub" else ""
        )
        if (
            layout
            and names.direction_of(name) in (None, piece.direction)
            and layouts.size(layout, array.shape) == piece.size
            and layouts.steps(layout, array.shape) in (1, piece.steps)
        ):
            return replace(piece, validity=(name, layout))
    return piece


def _check_type(array: Stored, where: str) -> None:
    if array.dtype.kind not in "fi":
        unsigned = ", which has no negative numbers" if array.dtype.kind == "u" else ""
        raise FlowError(
            f"The flow {where} holds values of type {array.dtype}{unsigned}; numbers with a sign were expected."
        )


def _asked(layout: str) -> str:
    return f"the layout {layout} does not fit it" if layout else EXPECTED


def _question(where: str, pieces: list[Piece]) -> FlowQuestion:
    listed = ", ".join(f"{piece.name} {piece.shape}" for piece in pieces[:SHOWN])
    return FlowQuestion(
        f"The flow {where} holds {', '.join(piece.name for piece in pieces[:SHOWN])}, and each could be the flow ({listed}); "
        "--key NAME says which.",
        "flow_key",
        tuple(piece.name for piece in pieces),
    )


def _nothing(arrays: Mapping[str, Stored], where: str, layout: str, others: Mapping[str, str]) -> FlowError:
    if not arrays and others:
        held = "; ".join(f"{f'{name!r}, ' if name else ''}{what}" for name, what in list(others.items())[:SHOWN])
        return FlowError(
            f"The flow {where} holds {held}, which cannot be read; plain floating point or integers were expected."
        )
    if len(arrays) == 1:
        name, array = next(iter(arrays.items()))
        called = f"{name!r} in {where}" if name else where
        _check_type(array, called)
        if names.component_of(name) is None and name and names.is_other(name):
            return FlowError(
                f"The file {where} holds {name}, which is no flow by its name; --key {name} takes it as flow."
            )
        return FlowError(f"The flow {called} has shape {array.shape}; {_asked(layout)}.")
    held = ", ".join(f"{name} {array.shape}" for name, array in list(arrays.items())[:SHOWN]) or "nothing"
    return FlowError(f"The flow {where} holds {held}, and none of these is flow: {_asked(layout)}.")
