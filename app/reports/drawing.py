"""Draws the figures of an Outcome with matplotlib, without a screen: one PNG and one SVG each."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.look.palette import DASHES, style
from gpu.assets import asset
from gpu.experiments.kit.outcome import Axis, Bars, Figure, Histogram, Line, Matrix, Panel, Pictures, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import XAxis, YAxis
    from matplotlib.figure import Figure as Canvas

INK, QUIET, GRID = "#1c2026", "#5f6774", "#dfe3e8"
WIDTH = 9.6  # inches of a whole figure
DPI = 160
CYCLE = ("#0b4f96", "#b83a00", "#00825f", "#bd7e00", "#b3568a", "#2490cf", "#6b6300")  # Okabe-Ito's on white
CELLS = 100  # a matrix of at most so many cells shows their values
MARKS = "osD^v"  # of series of points, which have no dashes to tell them apart
BESIDE = 6  # a legend of more entries stands beside the plot

_RC = {
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "semibold",
    "axes.titlelocation": "left",
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "text.color": INK,
    "grid.color": GRID,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.hashsalt": "noisescope",  # the same figure, the same file
    "hatch.linewidth": 0.6,
}


def draw(figure: Figure, folder: Path) -> dict[str, str]:
    """Write `figure` into `folder` as NAME.png and NAME.svg; the file names by kind."""
    with _style():
        canvas = make(figure)
        names = {kind: f"{figure.name}.{kind}" for kind in ("png", "svg")}
        canvas.savefig(folder / names["png"], dpi=DPI)
        canvas.savefig(folder / names["svg"], metadata={"Date": None})
    return names


def write(figure: Figure, path: Path) -> None:
    """Write `figure` to `path`, whose suffix says as what: .png or .svg."""
    with _style():
        if path.suffix.lower() == ".svg":
            make(figure).savefig(path, metadata={"Date": None})
        else:
            make(figure).savefig(path, dpi=DPI)


@contextmanager
def _style() -> Iterator[None]:
    from matplotlib import font_manager, rc_context, rcdefaults, rcParams

    # The fallback for rare letters has no semibold; that is no news for anyone.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    for name in ("Inter_400Regular", "Inter_600SemiBold"):
        path = str(asset(f"fonts/{name}.ttf"))
        if all(entry.fname != path for entry in font_manager.fontManager.ttflist):
            font_manager.fontManager.addfont(path)
    settings: dict[Any, Any] = {**_RC, "font.family": ["Inter", "DejaVu Sans"]}
    with rc_context():
        rcdefaults()  # a person's own matplotlibrc may ask for TeX, or for anything else
        rcParams.update(settings)
        yield


def make(figure: Figure) -> Canvas:
    """The matplotlib figure, not yet written. Panels stand in rows; sheets of pictures keep their pixels square."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    panels = tuple(_lying(panel) if isinstance(panel, Pictures) else panel for panel in figure.panels)
    columns = figure.columns or _columns(panels)
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    width = WIDTH / columns
    heights = [max(_height(panel, width) for panel in row) for row in rows]
    canvas = Canvas(figsize=(WIDTH, sum(heights) + 0.45), layout="constrained")
    FigureCanvasAgg(canvas)
    canvas.suptitle(figure.title, x=0.008, ha="left", fontsize=12, fontweight="semibold")
    grid = canvas.add_gridspec(len(rows), columns, height_ratios=heights)
    for i, row in enumerate(rows):
        for j, panel in enumerate(row):
            _draw(canvas.add_subplot(grid[i, j]), panel)
    _free_legends(canvas, columns)
    return canvas


def _free_legends(canvas: Canvas, columns: int) -> None:
    """Put legends that cover what is drawn below their axes, and all large ones of narrow panels, which have no room beside;
    a legend that panels share stands once."""
    from matplotlib.transforms import ScaledTranslation

    canvas.draw_without_rendering()
    labelled = [axes for axes in canvas.axes if axes.get_legend() is not None]
    entries = [axes.get_legend_handles_labels() for axes in labelled]
    shared = len(labelled) > 1 and all(texts == entries[0][1] for _, texts in entries)
    for number, (axes, (handles, texts)) in enumerate(zip(labelled, entries)):
        legend = axes.get_legend()
        assert legend is not None
        if any(texts == earlier for _, earlier in entries[:number]):
            legend.remove()
            continue
        large = len(texts) > BESIDE
        if large and columns == 1:
            continue
        box = legend.get_window_extent()
        drawn = [(line.get_transform().transform_path(line.get_path()), False) for line in axes.lines]
        drawn += [(patch.get_transform().transform_path(patch.get_path()), True) for patch in axes.patches]
        if not large and not any(path.intersects_bbox(box, filled) for path, filled in drawn):
            continue
        fitting = max(1, int(120 / (1 if shared else columns) // (max(map(len, texts)) + 9)))
        if shared:
            legend.remove()
            canvas.legend(handles, texts, loc="outside lower left", handlelength=3.2, ncols=min(fitting, len(texts)))
            continue
        labels = axes.xaxis.get_tightbbox()
        below = (axes.bbox.y0 - labels.y0) / canvas.dpi + 0.04 if labels is not None else 0.3
        axes.legend(
            handles, texts, loc="upper left", bbox_to_anchor=(0, 0), borderaxespad=0, handlelength=3.2,
            bbox_transform=axes.transAxes + ScaledTranslation(0, -below, canvas.dpi_scale_trans),
            ncols=min(fitting, len(texts)),
        )  # fmt: skip


def _lying(sheet: Pictures) -> Pictures:
    """A sheet that would stand upright, taller than wide, with rows and columns exchanged."""
    height, width = _cell(sheet)
    tall, wide = height * len(sheet.rows), width * len(sheet.columns)
    if tall <= 1.3 * wide or width * len(sheet.rows) > 6 * height * len(
        sheet.columns
    ):  # lying, it would be a mere strip
        return sheet
    exchanged = tuple(tuple(row[j] for row in sheet.pictures) for j in range(len(sheet.columns)))
    return Pictures(sheet.title, sheet.columns, sheet.rows, exchanged, sheet.zoom)


def _columns(panels: Sequence[Panel]) -> int:
    if any(isinstance(panel, (Pictures, Bars)) for panel in panels):
        return 1
    return min(len(panels), 3 if all(isinstance(panel, Matrix) for panel in panels) else 2)


def _height(panel: Panel, width: float) -> float:
    if isinstance(panel, Pictures):
        height, wide = _cell(panel)
        room = width - _label_room(panel.rows)
        return 0.75 + room * height * len(panel.rows) / max(wide * len(panel.columns), 1)
    if isinstance(panel, Matrix):
        rows, columns = panel.values.shape
        return float(0.9 + (width - 1.6) * min(max(rows / columns, 0.25), 1.6))
    if isinstance(panel, Bars):
        return 3.6
    return 3.4 if width < 6 else 3.9


def _draw(axes: Axes, panel: Panel) -> None:
    if panel.title:
        axes.set_title(panel.title)
    if isinstance(panel, Plot):
        _plot(axes, panel)
    elif isinstance(panel, Bars):
        _bars(axes, panel)
    elif isinstance(panel, Matrix):
        _matrix(axes, panel)
    else:
        _pictures(axes, panel)


def _text(axis: Axis) -> str:
    return f"{axis.label} ({axis.unit})" if axis.unit else axis.label


def _axis(axes: Axes, which: str, axis: Axis) -> None:
    if which == "x":
        axes.set_xlabel(_text(axis))
        if axis.log:
            axes.set_xscale("log")
            _plain(axes.xaxis)
        if axis.low is not None or axis.high is not None:
            axes.set_xlim(axis.low, axis.high)
        return
    axes.set_ylabel(_text(axis))
    if axis.log:
        axes.set_yscale("log")
        _plain(axes.yaxis)
    if axis.low is not None or axis.high is not None:
        axes.set_ylim(axis.low, axis.high)


def _plain(axis: XAxis | YAxis) -> None:
    """Ticks of a logarithmic axis as plain numbers: 2, not 2 × 10⁰; between powers of ten only where there are few of those."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        def _num_to_string(self, x: float, vmin: float, vmax: float) -> str:
            return f"{x:g}"

    axis.set_major_formatter(Plain())
    axis.set_minor_formatter(Plain(labelOnlyBase=False, minor_thresholds=(2, 0.5)))


def _look(prior: str, index: int) -> tuple[str, str | tuple[float, tuple[float, ...]]]:
    """Colour and line style of a series: the prior's own, or the next of the cycle."""
    if prior:
        its = style(prior)
        return its.colour_light, (0, its.dash) if its.dash else "-"
    dash = DASHES[index // len(CYCLE) % len(DASHES)]
    return CYCLE[index % len(CYCLE)], (0, dash) if dash else "-"


def _plot(axes: Axes, plot: Plot) -> None:
    axes.grid(True, linewidth=0.6)
    for index, series in enumerate(plot.series):
        if isinstance(series, Histogram):
            _histogram(axes, series, index)
        else:
            _line(axes, series, index)
    for number, (label, level) in enumerate(plot.levels.items()):
        axes.axhline(level, color=QUIET, linewidth=1, linestyle=(0, DASHES[1 + number % 3]), label=label, zorder=1)
    _axis(axes, "x", plot.x)  # at last: one end set before anything is drawn would keep the other from adapting
    _axis(axes, "y", plot.y)
    lines = [np.asarray(series.x, np.float64) for series in plot.series if isinstance(series, Line)]
    if lines and not plot.x.log and all((x == x.round()).all() for x in lines):
        axes.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]  # a MaxNLocator takes it
    _legend(axes)


def _legend(axes: Axes, beside: bool = False) -> None:
    """A legend of what has a label, inside; `beside` the axes where that is asked for or it is long."""
    handles, _ = axes.get_legend_handles_labels()
    if not handles:
        return
    if beside or len(handles) > BESIDE:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.3, handlelength=3.2)
    else:
        axes.legend(handlelength=3.2)


def _line(axes: Axes, line: Line, index: int) -> None:
    x, y = np.asarray(line.x, np.float64), np.asarray(line.y, np.float64)
    colour, dash = _look(line.prior, index)
    low = None if line.low is None else np.asarray(line.low, np.float64)
    high = None if line.high is None else np.asarray(line.high, np.float64)
    if line.kind == "theory":
        axes.plot(x, y, color=INK, linewidth=1.0, label=line.label, zorder=4)
        return
    if line.kind == "published":
        axes.plot(x, y, color=QUIET, linewidth=1.2, marker="D", markersize=5, markerfacecolor="none", label=line.label)
        return
    if line.kind == "points":
        bars = None if low is None or high is None else np.stack([y - low, high - y])
        axes.errorbar(
            x,
            y,
            bars,
            fmt=MARKS[index % len(MARKS)],
            color=colour,
            markersize=4,
            capsize=2.5,
            linewidth=1.2,
            label=line.label,
        )
        return
    if low is not None and high is not None:
        axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    mark = "o" if len(x) <= 16 else None
    axes.plot(x, y, color=colour, linestyle=dash, linewidth=1.7, marker=mark, markersize=3.5, label=line.label)


def _histogram(axes: Axes, series: Histogram, index: int) -> None:
    colour, dash = _look(series.prior, index)
    edges, density = np.asarray(series.edges, np.float64), np.asarray(series.density, np.float64)
    axes.stairs(density, edges, fill=True, color=colour, alpha=0.16)
    axes.stairs(density, edges, color=colour, linewidth=1.5, linestyle=dash, label=series.label)


def _bars(axes: Axes, bars: Bars) -> None:
    axes.grid(True, axis="y", linewidth=0.6)
    count = len(bars.series)
    width = 0.82 / max(count, 1)
    places = np.arange(len(bars.groups), dtype=np.float64)
    for index, series in enumerate(bars.series):
        colour = QUIET if series.published and not series.prior else _look(series.prior, index)[0]
        values = np.asarray(series.values, np.float64)
        x = places + (index - (count - 1) / 2) * width
        errors = None
        if series.low is not None and series.high is not None:
            low, high = np.asarray(series.low, np.float64), np.asarray(series.high, np.float64)
            errors = np.clip(np.stack([values - low, high - values]), 0, None)  # NaN draws none
        axes.bar(
            x, values, width * 0.92, yerr=errors, label=series.label, edgecolor=colour,
            color="none" if series.published else colour, hatch="////" if series.published else None,
            linewidth=0.8, error_kw={"elinewidth": 1, "capsize": 2, "ecolor": INK},
        )  # fmt: skip
    for number, (label, level) in enumerate(bars.levels.items()):
        axes.axhline(level, color=QUIET, linewidth=1, linestyle=(0, DASHES[1 + number % 3]), label=label)
    _axis(axes, "y", bars.y)
    axes.set_xticks(places, list(bars.groups))
    if sum(max(map(len, group.split("\n"))) for group in bars.groups) > 90:
        for tick in axes.get_xticklabels():
            tick.set(rotation=30, ha="right", rotation_mode="anchor")
    axes.tick_params(axis="x", length=0, labelcolor=INK)
    if count + len(bars.levels) > 1:
        _legend(axes, beside=count > 3)


def _matrix(axes: Axes, matrix: Matrix) -> None:
    values = np.asarray(matrix.values, np.float64)
    low, high = matrix.low, matrix.high
    if matrix.diverging:
        most = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
        high = most if high is None else high
        low = -high if low is None else low
    shown = axes.imshow(values, cmap="RdBu_r" if matrix.diverging else "cividis", vmin=low, vmax=high)
    axes.set_xlabel(_text(matrix.x))
    axes.set_ylabel(_text(matrix.y))
    for spine in axes.spines.values():
        spine.set_visible(False)
    rows, columns = values.shape
    for which in (axes.xaxis, axes.yaxis):
        which.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]  # a MaxNLocator takes it
    if matrix.x_ticks:
        slant: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
        slant = slant if max(map(len, matrix.x_ticks)) > 3 else {}
        axes.set_xticks(range(columns), list(matrix.x_ticks), **slant)
    if matrix.y_ticks:
        axes.set_yticks(range(rows), list(matrix.y_ticks))
    if values.size <= CELLS:
        for (i, j), value in np.ndenumerate(values):
            if math.isfinite(value):
                red, green, blue, _ = shown.cmap(float(np.asarray(shown.norm(np.asarray([value])))[0]))
                dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
                axes.text(j, i, format(value, matrix.form), ha="center", va="center", fontsize=7.5,
                          color="white" if dark else INK)  # fmt: skip
    assert axes.figure is not None
    axes.figure.colorbar(shown, ax=axes, label=matrix.label, fraction=0.046, pad=0.03)


def _cell(panel: Pictures) -> tuple[int, int]:
    """Height and width of the largest picture, and of every cell, with its gap."""
    shapes = [picture.shape for row in panel.pictures for picture in row if picture is not None]
    if not shapes:
        return 8, 8
    return max(s[0] for s in shapes) * panel.zoom + 2, max(s[1] for s in shapes) * panel.zoom + 2


def _label_room(rows: Sequence[str]) -> float:
    return 0.25 + 0.075 * max((len(row) for row in rows), default=0)


def _pictures(axes: Axes, panel: Pictures) -> None:
    height, width = _cell(panel)
    sheet = np.full((height * len(panel.rows), width * len(panel.columns), 3), 255, np.uint8)
    for i, row in enumerate(panel.pictures):
        for j, picture in enumerate(row):
            if picture is not None:
                large = picture.repeat(panel.zoom, axis=0).repeat(panel.zoom, axis=1)
                sheet[i * height : i * height + large.shape[0], j * width : j * width + large.shape[1]] = large
    axes.imshow(sheet, interpolation="none" if panel.zoom > 1 else "antialiased")
    rotated = max(map(len, panel.columns), default=0) * len(panel.columns) > 110
    axes.set_xticks([(j + 0.5) * width - 1 for j in range(len(panel.columns))], list(panel.columns))
    axes.set_yticks([(i + 0.5) * height - 1 for i in range(len(panel.rows))], list(panel.rows))
    axes.tick_params(length=0, labelcolor=INK, labeltop=True, labelbottom=False)
    if rotated:
        for tick in axes.get_xticklabels():
            tick.set(rotation=30, ha="left", rotation_mode="anchor")
    for spine in axes.spines.values():
        spine.set_visible(False)
