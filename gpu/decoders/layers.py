"""Layers of a picture: which of its channels are shown. OpenEXR names channels `layer.component`; others have one layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

BEAUTY = ("combined", "beauty", "rgba", "rgb", "final", "image", "color", "colour", "main", "master", "composite", "c")
"""Last parts of the names that programs give to the layer with the finished picture, most usual first."""

_COMPONENTS = {"red": "r", "green": "g", "blue": "b", "alpha": "a", "luminance": "y"}


class Part(NamedTuple):
    """A sub-image with its own channels: a part of an OpenEXR file, or the one page that is read of another."""

    place: int
    name: str
    channels: tuple[str, ...]


class Layer(NamedTuple):
    """Channels of one sub-image: `colours` are 1 or 3 of their places there, `alpha` is that of the transparency, or -1."""

    name: str
    part: int
    colours: tuple[int, ...]
    alpha: int


def full_names(part: Part, several: bool) -> tuple[str, ...]:
    """Channels' names with the part's before them, where a file has several parts."""
    if not several or not part.name:
        return part.channels
    prefix = part.name + "."
    return tuple(name if name.startswith(prefix) else prefix + name for name in part.channels)


def layers_of(parts: Sequence[Part]) -> list[Layer]:
    """What can be shown, in the order of the file: layers of R, G, B, of Y, and single channels; of two and of others the first
    three channels, as colours."""
    layers: list[Layer] = []
    for part in parts:
        groups: dict[str, dict[str, int]] = {}
        for place, full in enumerate(full_names(part, len(parts) > 1)):
            name, _, component = full.rpartition(".")
            groups.setdefault(name, {})[_COMPONENTS.get(component.lower(), component.lower())] = place
        for name, places in groups.items():
            alpha = places.get("a", -1)
            others = [place for component, place in places.items() if component != "a"]
            colours: tuple[int, ...]
            if {"r", "g", "b"} <= places.keys():
                colours = (places["r"], places["g"], places["b"])
            elif "y" in places and "x" not in places:
                colours = (places["y"],)
            elif len(others) == 1 or not others:
                colours = tuple(others or [alpha])
            else:
                colours = tuple((others * 2)[:3] if len(others) > 2 else (others[0], others[1], others[1]))
            layers.append(Layer(name, part.place, colours, alpha))
    return layers


def beauty(parts: Sequence[Part], layers: Sequence[Layer]) -> Layer | None:
    """The layer that is shown when none is asked for; None where a file holds no colours.

    That is: the colours without a name of a layer; else the layer with the most usual name of BEAUTY; else the first with red,
    green and blue; else the first with luminance.
    """
    names = {part.place: tuple(name.rpartition(".")[2].lower() for name in part.channels) for part in parts}

    def has(layer: Layer, *wanted: str) -> bool:
        held = [_COMPONENTS.get(names[layer.part][place], names[layer.part][place]) for place in layer.colours]
        return held == list(wanted)

    coloured = [layer for layer in layers if has(layer, "r", "g", "b")]

    def rank(layer: Layer) -> int:
        last = layer.name.rpartition(".")[2].lower()
        return -1 if not layer.name else BEAUTY.index(last) if last in BEAUTY else len(BEAUTY)

    if coloured:
        return min(coloured, key=rank)
    return next((layer for layer in layers if has(layer, "y")), None)
