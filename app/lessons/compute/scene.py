"""What a lesson draws, as plain data: panels of curves, pictures and outlines, and numbers in large type. No Qt here.

An `ink` names a colour: a prior's key ("integral", see app.look.palette), or one of INKS, which follow the theme.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Bytes = npt.NDArray[np.uint8]

INKS = ("text", "dim", "border", "accent", "good", "bad", "warn")
"""Colours of the theme; what only explains is drawn in them, so that priors keep their colours for themselves."""

HUES = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#2b7fc4", "#e05f10", "#cc79a7", "#8a3ffc")
"""Okabe and Ito's hues for areas that must only be told apart."""

SOLID, DASHED, DOTTED = (), (6.0, 3.0), (2.0, 2.0)
"""Dashes in multiples of the line's width; None takes the prior's own."""


@dataclass(frozen=True)
class Curve:
    """A line through (x, y), both (n,); NaN leaves a gap. `fill` tints the area down to 0. A label puts it in the legend."""

    x: Floats
    y: Floats
    ink: str = "text"
    label: str = ""
    width: float = 1.0
    dash: tuple[float, ...] | None = None
    fill: bool = False


@dataclass(frozen=True)
class Bars:
    """A histogram: `edges` (n + 1,), `heights` (n,). `fill` tints its area."""

    edges: Floats
    heights: Floats
    ink: str = "text"
    label: str = ""
    fill: bool = True


@dataclass(frozen=True)
class Band:
    """The area between two curves, such as an interval of confidence."""

    x: Floats
    low: Floats
    high: Floats
    ink: str = "dim"
    label: str = ""


@dataclass(frozen=True)
class Points:
    """Marks at (x, y). `size` is relative to the type; `symbol` one of o, s, t, d, +, x."""

    x: Floats
    y: Floats
    ink: str = "text"
    label: str = ""
    size: float = 0.6
    symbol: str = "o"


@dataclass(frozen=True)
class Rule:
    """A straight line across the panel, at x or at y."""

    x: float | None = None
    y: float | None = None
    ink: str = "dim"
    label: str = ""
    dash: tuple[float, ...] = DASHED


@dataclass(frozen=True)
class Image:
    """A picture over the rectangle (x, y, width, height). `values` is (H, W) floats shown from `low` to `high` as grey or as
    "diverging" (blue, neutral, orange), or (H, W, 3 or 4) bytes."""

    values: Floats | Bytes
    area: tuple[float, float, float, float]
    low: float = -3.0
    high: float = 3.0
    colours: str = "grey"


@dataclass(frozen=True)
class Outlines:
    """Closed outlines, each (n, 2), drawn as lines and, with `fill` (0 to 1), tinted inside."""

    shapes: tuple[Floats, ...]
    ink: str = "text"
    label: str = ""
    width: float = 1.0
    fill: float = 0.0
    dash: tuple[float, ...] = SOLID


@dataclass(frozen=True)
class Arrows:
    """Arrows from `start` to `end`, both (n, 2)."""

    start: Floats
    end: Floats
    ink: str = "dim"
    width: float = 1.0


@dataclass(frozen=True)
class Text:
    """Words at (x, y); `anchor` says which point of them lies there: (0, 0) upper left, (0.5, 0.5) the middle. `size` is
    relative to the type. On a picture, `backed` puts the panel's colour behind them."""

    x: float
    y: float
    text: str
    ink: str = "text"
    size: float = 1.0
    anchor: tuple[float, float] = (0.5, 0.5)
    backed: bool = False


@dataclass(frozen=True)
class Handle:
    """A point that can be dragged: its place is the settings `name_x` and `name_y` (either may be empty: not moved)."""

    x: float
    y: float
    name_x: str
    name_y: str
    tip: str = ""
    ink: str = "accent"


Item = Curve | Bars | Band | Points | Rule | Image | Outlines | Arrows | Text | Handle


@dataclass(frozen=True)
class Panel:
    """One plot or picture. Labels name the quantity and, in brackets, its unit; without labels there are no axes.

    `square` keeps the scales of x and y alike, with y pointing down as in pictures. `range_x` and `range_y` are the ends
    of the axes; None follows the data. `weight` is its share of the row's width. `note` stands below, in one line.
    """

    name: str
    title: str
    items: tuple[Item, ...]
    label_x: str = ""
    label_y: str = ""
    range_x: tuple[float, float] | None = None
    range_y: tuple[float, float] | None = None
    square: bool = False
    log_x: bool = False
    log_y: bool = False
    weight: float = 1.0
    note: str = ""
    tip: str = ""


@dataclass(frozen=True)
class Fact:
    """A number in large type: what it is, its value as text, what to compare it with, and whether that holds (None: no
    judgement, so no sign)."""

    label: str
    value: str
    note: str = ""
    ink: str = "text"
    ok: bool | None = None


@dataclass(frozen=True)
class Scene:
    """All that a step shows for one choice of its settings: rows of panels, numbers, and a sentence on what is seen.

    `heights` are the rows' shares of the height (empty: alike). `rough` says that a finer one follows.
    """

    rows: tuple[tuple[Panel, ...], ...]
    facts: tuple[Fact, ...] = ()
    caption: str = ""
    heights: tuple[float, ...] = field(default=())
    rough: bool = False

    def panel(self, name: str) -> Panel:
        """The panel of that name; KeyError when there is none."""
        for row in self.rows:
            for panel in row:
                if panel.name == name:
                    return panel
        raise KeyError(name)

    def fact(self, label: str) -> Fact:
        """The fact of that label; KeyError when there is none."""
        for fact in self.facts:
            if fact.label == label:
                return fact
        raise KeyError(label)
