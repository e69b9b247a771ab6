"""Lesson 3: a pixel's outline is sent to where it came from; the sub-pixels it owns there are summed and brought to size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch

from app.lessons.compute import draw_statistics, small_frame
from app.lessons.compute.lesson import Lesson, Running, Settings, Step, handle, number, whole
from app.lessons.compute.scene import HUES, Band, Curve, Fact, Handle, Image, Outlines, Panel, Points, Rule, Scene
from app.lessons.compute.small_frame import Carried
from app.lessons.models import LESSONS
from gpu.noise import field, rng
from gpu.noise.polygons import areas
from gpu.parameters import ParameterInfo, choice
from gpu.session import Parameter

SIDE = 8  # pixels of the frames whose outlines are drawn
REGION = 4  # pixels of the field that a quad is dragged over
LEVEL = 3  # of the measurements over many draws
DRAWS = (128, 2048)
WIDE, WIDE_LEVEL, CHANNELS = 40, 2, 4  # of the pictures of whole frames
CORNERS = (("a", 1.0, 0.9), ("b", 2.7, 0.6), ("c", 3.1, 2.4), ("d", 1.3, 2.9))

MOTIONS: dict[str, tuple[str, str, dict[str, Parameter]]] = {
    "rotation": ("Rotation", "rotation", {"degrees": 2.0}),
    "in": ("Zoom in", "zoom", {"factor": 1.04}),
    "out": ("Zoom out", "zoom", {"factor": 0.97}),
    "shear": ("Shear", "shear", {"across": 0.04}),
    "swirl": ("Swirl", "swirl", {"degrees": 6.0, "radius": 0.3}),
    "lens": ("Lens", "lens", {"strength": 0.85, "radius": 0.3, "travel": 0.05, "period": 24}),
    "fold": ("Fold", "fold", {"strength": 2.5, "radius": 0.25, "travel": 0.02, "period": 24}),
}


def moved(settings: Settings, size: int, k: int, name: str = "motion") -> Carried:
    """The frame that the controls ask for."""
    _, deformation, parameters = MOTIONS[str(settings[name])]
    return small_frame.carried(deformation, parameters, whole(settings, "t"), size, k)


def grid(size: int) -> tuple[np.ndarray, ...]:
    """Lines between pixels."""
    return tuple(
        line for at in range(1, size) for line in (np.array([[at, 0.0], [at, size]]), np.array([[0.0, at], [size, at]]))
    )


def unit(x: int, y: int) -> np.ndarray:
    """The corners of a pixel."""
    return np.array([[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]], float)


def back(settings: Settings) -> Iterator[Scene]:
    """Frame t beside frame 0: every pixel's outline, sent to where it was."""
    seed, t = whole(settings, "seed"), whole(settings, "t")
    x, y = (min(int(number(settings, name)), SIDE - 1) for name in ("pixel_x", "pixel_y"))
    frame = moved(settings, SIDE, LEVEL)
    pixels, _ = small_frame.fine_field(seed, 1, SIDE, LEVEL)
    now = small_frame.noise(frame, seed)[0]
    inside = frame.inside
    seen = [(column, row) for row in range(SIDE) for column in range(SIDE) if bool(inside[row, column])]
    here = bool(inside[y, x]) and int(frame.count[y, x]) > 0
    chosen = (frame.outline(x, y),) if here else ()
    left = Panel(
        "now",
        f"Frame {t}: the pixel to fill",
        (
            Image(now.numpy(), (0, 0, SIDE, SIDE), colours="diverging"),
            Outlines(grid(SIDE), "border", width=0.6),
            Outlines((unit(x, y),), "accent", width=1.8),
            Handle(x + 0.5, y + 0.5, "pixel_x", "pixel_y", "Drag to another pixel"),
        ),
        square=True,
        note="Drag the ring to another pixel.",
        tip="Frame t, its noise, and the pixel whose outline is shown in frame 0",
    )
    right = Panel(
        "before",
        "Frame 0: where each pixel was",
        (
            Image(pixels[0].numpy(), (0, 0, SIDE, SIDE), colours="diverging"),
            Outlines(tuple(frame.outline(*pixel) for pixel in seen), "dim", "frame t's pixels", 0.7),
            Outlines(chosen, "accent", "the pixel's own", 2.0, 0.3),
        ),
        square=True, range_x=(0.0, float(SIDE)), range_y=(0.0, float(SIDE)),
        tip="Frame 0, with the outlines of all pixels of frame t",
    )  # fmt: skip
    at = frame.position[y, x]
    count = int(frame.count[y, x])
    facts = (
        Fact("Its centre was at", f"({float(at[0]):.2f}, {float(at[1]):.2f})", f"now ({x + 0.5}, {y + 0.5})"),
        Fact("Area of its outline", f"{abs(float(frame.area[y, x])):.3f}", "pixels of frame 0"),
        Fact("Jacobian", f"{float(frame.jacobian[y, x]):.3f}".replace("-", "−"), "area to first order"),
        Fact("Owned / N", f"{count / 4**LEVEL:.3f}", f"{count} sub-pixels, N = {4**LEVEL}", "integral"),
    )
    yield Scene(
        ((left, right),),
        facts if here else (Fact("This pixel", "is new", "it came from outside frame 0, or from where nothing was seen"),),
        "A pixel is not a point that came from somewhere: it is an area that came from an area, turned and stretched."
        if here else "What comes into view brings fresh noise with it (lesson 6).",
    )  # fmt: skip


def corners(settings: Settings) -> np.ndarray:
    """(4, 2) the corners of the dragged quad."""
    return np.array([[number(settings, f"{name}x"), number(settings, f"{name}y")] for name, _, _ in CORNERS])


def dragged(settings: Settings, seed: int, k: int, note: str) -> tuple[Panel, float, np.ndarray, torch.Tensor]:
    """The panel of the field and the quad over it; the quad's area, (4n, 4n) what it owns, and the field."""
    n = 1 << k
    points = corners(settings)
    contours, mask = small_frame.quad(points, k)
    owned = mask[: REGION * n, : REGION * n]
    pixels = field.pixels(seed, 1, 1, REGION, REGION, draw_statistics.CPU)[0]
    fine = field.refine(pixels, seed, 1, 0, k, 0, 0)
    tint = np.zeros((*owned.shape, 4), np.uint8)
    tint[owned.numpy()] = (0, 158, 115, 150)
    shape = (contours.vertices[0] / n).numpy().astype(float)
    panel = Panel(
        "quad",
        f"Frame 0 at level {k}: {n} × {n} sub-pixels a pixel",
        (
            Image(fine.numpy(), (0, 0, REGION, REGION), -3 / n, 3 / n, "diverging"),
            Image(tint, (0, 0, REGION, REGION)),
            Outlines(grid(REGION), "text", width=0.8),
            Outlines((shape,), "accent", "the pixel's outline", 1.8),
            Outlines((), "integral", "sub-pixels that it owns", 1.0, 0.6),
            *(
                Handle(float(x), float(y), f"{name}x", f"{name}y", "Drag this corner")
                for (x, y), (name, _, _) in zip(points, CORNERS, strict=True)
            ),
        ),
        square=True, range_x=(0.0, float(REGION)), range_y=(0.0, float(REGION)), note=note,
        tip="The fine field, the outline, and the sub-pixels that it owns",
    )  # fmt: skip
    return panel, abs(float(areas(contours.vertices)[0])) / (n * n), owned.numpy(), fine


def own(settings: Settings) -> Iterator[Scene]:
    """A quad over the fine field: what it owns, its sum, its value."""
    seed, k = whole(settings, "seed"), whole(settings, "k")
    panel, area, owned, fine = dragged(
        settings, seed, k, "Drag the corners. A sub-pixel is owned when its centre lies inside."
    )
    count, parts = int(owned.sum()), 4**k
    values = fine.numpy()[owned].astype(np.float64)
    total = float(values.sum())
    running = np.concatenate([[0.0], np.cumsum(values)])
    share = np.arange(count + 1) / parts
    spread = 1.96 * np.sqrt(share)
    top = max(2.0, 1.15 * area, share[-1])
    sums = Panel(
        "sum",
        "Their sum, one after another",
        (
            Band(share, -spread, spread, "integral", "95 % of such sums: ±1.96 √share"),
            Curve(share, running, "integral", "the sum so far", 1.3, ()),
            Points(share[-1:], running[-1:], "accent", "the whole sum", 1.0),
            Rule(x=1.0, ink="dim"),
        ),
        "share of a pixel, m/N", "sum", (0.0, top), (-2.4 * math.sqrt(top), 2.4 * math.sqrt(top)),
        note="Dashed: one whole pixel.",
        tip="The sum of the owned sub-pixels, in the order of reading",
    )  # fmt: skip
    value = total * math.sqrt(parts / count) if count else math.nan
    yield Scene(
        ((panel, sums),),
        (
            Fact("Area of the outline", f"{area:.3f}", "pixels"),
            Fact("Owned, m", f"{count:,}", f"m/N = {count / parts:.3f}"),
            Fact("Sum", draw_statistics.signed(total), f"variance m/N = {count / parts:.3f}"),
            Fact("G = Sum · √(N/m)", draw_statistics.signed(value) if count else "–",
                 "variance 1" if count else "owns nothing: new noise", "integral"),
        ),
        "The count stands for the area, better with every level. The sum over the outline, brought to size, is the new pixel."
        if count else "No centre of a sub-pixel lies inside: such a pixel is given new noise. Raise k.",
    )  # fmt: skip


@lru_cache(maxsize=4)
def many_fields(seed: int, draws: int) -> torch.Tensor:
    """(draws, sub-pixels of the region) independent fine fields."""
    n = 1 << LEVEL
    values = rng.plane(seed, rng.FIELD, 2, 0, 0, 0, 0, REGION * draws, REGION, draw_statistics.CPU)
    return field.refine(values, seed, 2, 0, LEVEL, 0, 0).view(draws, REGION * n * REGION * n)


def divide(settings: Settings) -> Iterator[Scene]:
    """The same quad over many fields: the sum, the mean, and the sum over the root."""
    seed = whole(settings, "seed")
    panel, area, owned, _ = dragged(settings, seed, LEVEL, "Drag the corners, large and small.")
    count, parts = int(owned.sum()), 4**LEVEL
    share = count / parts
    for draws in DRAWS:
        sums = many_fields(seed, draws) @ torch.from_numpy(owned.reshape(-1).astype(np.float32))
        rules: list[tuple[str, str, torch.Tensor, float]] = []
        if count:
            rules = [
                ("sum · √(N/m): ∫-noise", "integral", sums / math.sqrt(share), 1.0),
                ("the sum alone", "warn", sums, share),
                ("their mean, times N", "bilinear", sums / share, 1 / share),
            ]
        bars = [draw_statistics.histogram(values, ink, label, 3) for label, ink, values, _ in rules]
        bell = Panel(
            "histogram",
            "The new pixel's value, over many fields",
            (draw_statistics.NORMAL, *bars),
            "value", "density", (-4.0, 4.0), (0.0, max(0.62, 0.46 / math.sqrt(min(share, 1 / share))) if count else 0.62),
            note=f"n = {draws:,} fields, k = {LEVEL}",
            tip="Histograms of three ways to make a value of the owned sub-pixels",
        )  # fmt: skip
        yield Scene(
            ((panel, bell),),
            (
                *(
                    Fact(f"Variance, {name}", f"{float(values.var()):.3f}", f"theory {expected:.3f}", ink,
                         draw_statistics.within(float(values.var()), 1.0, draws))
                    for name, (_, ink, values, expected) in zip(("∫-noise", "sum", "mean"), rules)
                ),
                Fact("Share m/N", f"{share:.3f}", f"area {area:.3f}"),
            ),
            "Only the square root keeps variance 1 at every size. Summing alone makes noise grow with the area; averaging, as "
            "resizing does, makes it shrink." if count else "Nothing is owned: there is nothing to divide.",
            rough=draws == DRAWS[0],
        )  # fmt: skip


def colours(number_of: np.ndarray) -> np.ndarray:
    """(H, W, 4) bytes: a hue for every pixel, unlike those around it; clear where there is none (-1)."""
    hues = np.array([[int(hue[at : at + 2], 16) for at in (1, 3, 5)] for hue in HUES], np.uint8)
    x, y = number_of % SIDE, number_of // SIDE
    out = np.zeros((*number_of.shape, 4), np.uint8)
    out[..., :3] = hues[(x + 3 * y) % len(HUES)]
    out[..., 3] = np.where(number_of >= 0, 230, 0)
    return out


def one_owner(settings: Settings) -> Iterator[Scene]:
    """Who owns which sub-pixel of frame 0, in the colours of frame t's pixels."""
    k, t = whole(settings, "level"), whole(settings, "t")
    frame = moved(settings, SIDE, k)
    owner = frame.owner.numpy()
    names = np.where(frame.count.numpy() > 0, np.arange(SIDE * SIDE).reshape(SIDE, SIDE), -1)
    seen = [(column, row) for row in range(SIDE) for column in range(SIDE) if bool(frame.inside[row, column])]
    pictures = (
        Panel(
            "names",
            f"Frame {t}: a colour for every pixel",
            (Image(colours(names), (0, 0, SIDE, SIDE)), Outlines(grid(SIDE), "border", width=0.6)),
            square=True, range_x=(0.0, float(SIDE)), range_y=(0.0, float(SIDE)),
            note="Pixels without a colour own nothing: new noise.",
        ),
        Panel(
            "owners",
            "Frame 0: sub-pixels in their owner's colour",
            (
                Image(colours(owner), (0, 0, SIDE, SIDE)),
                Outlines(tuple(frame.outline(*pixel) for pixel in seen), "text", width=0.8),
            ),
            square=True, range_x=(0.0, float(SIDE)), range_y=(0.0, float(SIDE)),
            note="Lines: outlines of frame t's pixels. No colour: owned by nobody.",
        ),
    )  # fmt: skip
    whole_field = owner.size
    held = int((owner >= 0).sum())
    twice = int((frame.claims() > 1).sum())
    yield Scene(
        (pictures,),
        (
            Fact("Sub-pixels of frame 0", f"{whole_field:,}", f"{SIDE} × {SIDE} pixels, N = {4**k}"),
            Fact("Owned", f"{held:,}", f"{held / whole_field:.0%}; each by one pixel", "integral"),
            Fact("In several outlines", f"{twice:,}", "the map folds" if twice else "outlines only touch"),
            Fact("Pixels of frame t owning none", f"{int((names < 0).sum())}", f"of {SIDE * SIDE}: new noise"),
        ),
        "No sub-pixel is counted twice. That alone makes the new pixels independent: white noise, exactly."
        if not twice else "Where the map folds, outlines overlap. A sub-pixel still goes to one of them only.",
    )  # fmt: skip


def jacobian(settings: Settings) -> Iterator[Scene]:
    """A whole frame with the division and without it, and variance against area."""
    seed, t = whole(settings, "seed"), whole(settings, "t")
    frame = moved(settings, WIDE, WIDE_LEVEL, "picture")
    divided = small_frame.noise(frame, seed, CHANNELS)
    alone = small_frame.noise(frame, seed, CHANNELS, divide=False)
    share = frame.count.to(torch.float64) / 4**WIDE_LEVEL
    held = frame.count > 0
    with_it, without = _by_area(divided, share, held), _by_area(alone, share, held)
    n = int(held.sum()) * CHANNELS
    most = max(1.5, 1.1 * float(share.max()))
    line = np.linspace(0, most, 30)
    pictures = tuple(
        Panel(name, title, (Image(values.numpy(), (0, 0, WIDE, WIDE)),), square=True)
        for name, title, values in (("with", "Divided by √(m/N)", divided[0]), ("without", "The sum alone", alone[0]))
    )
    chart = Panel(
        "areas",
        "Variance by area",
        (
            Curve(line, np.ones_like(line), "integral", "divided: 1", 1.2),
            Curve(line, line, "warn", "the sum alone: m/N", 1.2, (6.0, 3.0)),
            Points(with_it[0], with_it[1], "integral", "measured, divided", 0.7),
            Points(without[0], without[1], "warn", "measured, the sum alone", 0.7, "s"),
        ),
        "area, m/N (pixels)", "variance", (0.0, most), (0.0, max(1.6, most)),
        note=f"n = {n:,} values in all",
        tip="Variance of the values of pixels with about the same area",
    )  # fmt: skip
    middle = frame.jacobian[WIDE // 2, WIDE // 2]
    of_divided, of_alone = float(divided[:, held].var()), float(alone[:, held].var())
    yield Scene(
        ((*pictures, chart),),
        (
            Fact("Variance, divided", f"{of_divided:.3f}", "theory 1", "integral", draw_statistics.within(of_divided, 1.0, n)),
            Fact("Variance, the sum alone", f"{of_alone:.3f}", f"mean area {float(share[held].mean()):.3f}", "warn"),
            Fact("Jacobian, middle", f"{float(middle):.3f}".replace("-", "−"), f"frame {t}"),
            Fact("m/N, least to most", f"{float(share[held].min()):.2f} – {float(share.max()):.2f}", "pixels of frame 0"),
        ),
        "Where the picture is magnified a pixel holds little of the old noise: without the division it goes grey there. Where "
        "the picture shrinks, noise would get louder.",
    )  # fmt: skip


def _by_area(values: torch.Tensor, share: torch.Tensor, held: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Mean area and variance of the pixels, in classes of area that hold at least 40 of them."""
    sizes = share[held].numpy()
    held_values = values[:, held].numpy()
    edges = np.unique(np.quantile(sizes, np.linspace(0, 1, 11)))
    places, variances = [], []
    for low, high in zip(edges, [*edges[1:], np.inf], strict=True):
        here = (sizes >= low) & (sizes < high)
        if here.sum() >= 40:
            places.append(float(sizes[here].mean()))
            variances.append(float(held_values[:, here].var()))
    return np.array(places), np.array(variances)


_CHOICES = {name: (name, title) for name, (title, _, _) in MOTIONS.items()}

LESSONS.add("transport", order=3)(
    Lesson(
        (
            choice("motion", "Deformation", "swirl", tuple(_CHOICES[name] for name in MOTIONS)),
            choice("picture", "Deformation", "lens", tuple(_CHOICES[name] for name in ("lens", "in", "out", "swirl"))),
            Running("t", "Frame", 8, 0, small_frame.FRAMES, 1, "", "Frames since frame 0", rate=8),
            Running("k", "Level k", 3, 0, 5, 1, "", "Each pixel is cut into 2ᵏ × 2ᵏ sub-pixels", rate=1.5),
            ParameterInfo("level", "Level k", 3, 0, 4, 1, "", "Each pixel is cut into 2ᵏ × 2ᵏ sub-pixels"),
            handle("pixel_x", 5.5, 0, SIDE),
            handle("pixel_y", 3.5, 0, SIDE),
            *(
                handle(f"{name}{axis}", value, 0, REGION)
                for name, x, y in CORNERS
                for axis, value in (("x", x), ("y", y))
            ),
        ),
        (
            Step("Back to where it was", back, ("motion", "t"), "t"),
            Step("Sub-pixels it owns", own, ("k",), "k"),
            Step("Divide by the square root", divide),
            Step("One owner each", one_owner, ("motion", "t", "level"), "t", draws=False),
            Step("What the Jacobian does", jacobian, ("picture", "t"), "t"),
        ),
    )
)
