"""Prior colours: legible on both backgrounds, apart for colour-blind eyes, and each prior drawn like no other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from app.lessons.compute.scene import HUES
from app.lessons.models.when_things_appear import HUE
from app.lessons.view.type_sizes import diverging
from app.look import palette
from app.look.theme import DARK as DARK_THEME
from app.look.theme import LIGHT as LIGHT_THEME
from app.look.theme import Theme
from app.model.frame_pictures import STATE_COLOURS
from gpu.experiments.kit.disocclusion_report import COLOURS
from gpu.priors import PRIORS

DARK, LIGHT = "#1c1f26", "#f6f7f9"

# Simulation of colour vision deficiencies at full severity: Machado, Oliveira, Fernandes (2009), linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def lab(colour: str, vision: str) -> np.ndarray:
    rgb = np.array([int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(VISION[vision] @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def shade(style: palette.Style, dark: bool) -> str:
    """The colour of a style on the dark or the light theme."""
    return (DARK_THEME if dark else LIGHT_THEME).ink(style)


def apart(first: str, second: str) -> float:
    """The least distance of two colours in Lab, over all kinds of vision."""
    return min(float(np.linalg.norm(lab(first, vision) - lab(second, vision))) for vision in VISION)


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("name", PRIORS.names())
def test_contrast_of_lines(name: str, dark: bool) -> None:
    assert palette.contrast(shade(palette.style(name), dark), DARK if dark else LIGHT) >= 3.0


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("ok", [True, False, None])
def test_verdicts_are_legible_as_text(ok: bool | None, dark: bool) -> None:
    assert palette.contrast(shade(palette.verdict_style(ok), dark), DARK if dark else LIGHT) >= 4.5
    assert palette.contrast(shade(palette.WARN, dark), DARK if dark else LIGHT) >= 4.5
    assert len(set(palette.SYMBOLS.values())) == 3


def test_contrast_is_wcag() -> None:
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert palette.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the well-known example
    assert palette.contrast("#ffffff", "#777777") == palette.contrast("#777777", "#ffffff")


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("vision", VISION)
def test_every_two_priors_differ(vision: str, dark: bool) -> None:
    for name, other in itertools.combinations(PRIORS.names(), 2):
        first, second = palette.style(name), palette.style(other)
        distance = np.linalg.norm(lab(shade(first, dark), vision) - lab(shade(second, dark), vision))
        assert first.dash != second.dash or distance > 12, (name, other, distance)


@pytest.mark.parametrize("name", PRIORS.names())
def test_a_prior_asks_for_a_hue_and_a_dash_there_are(name: str) -> None:
    info = PRIORS.get(name).info
    assert info.hue in {"", *palette.HUES}
    assert info.dash in {"", *palette.DASH_NAMES}


def test_states_of_pixels_differ_wherever_they_are_coloured() -> None:
    """They have no dash: in the overlay, in the lesson and in the report colour alone tells them apart."""
    overlay = [f"#{colour & 0xFFFFFF:06x}" for colour in STATE_COLOURS[1:]]
    report = ["#{:02x}{:02x}{:02x}".format(*colour) for colour in COLOURS.values()]
    for colours in (overlay, list(HUE.values()), report):
        for first, second in itertools.combinations(colours, 2):
            assert apart(first, second) > 30, (first, second)


def test_areas_of_lessons_differ() -> None:
    for first, second in itertools.combinations(HUES, 2):
        assert apart(first, second) > 12, (first, second)


@pytest.mark.parametrize("theme", [DARK_THEME, LIGHT_THEME])
def test_negative_positive_and_nought_differ(theme: Theme) -> None:
    table = ["#{:02x}{:02x}{:02x}".format(*colour) for colour in diverging(theme)]
    assert min(apart(table[0], table[255]), apart(table[0], table[128]), apart(table[255], table[128])) > 40


def test_the_four_default_priors_differ_in_hue_and_in_dash() -> None:
    styles = [palette.style(name) for name in ("random", "fixed", "bilinear", "integral")]
    assert len({style.colour for style in styles}) == len({style.dash for style in styles}) == 4


@pytest.mark.parametrize("name", PRIORS.names())
def test_a_variant_keeps_the_colour_and_takes_another_dash(name: str) -> None:
    base = palette.style(name)
    for extras in ("chained", "γ=0.3", "alpha=2, chained"):
        variant = palette.style(f"{name} ({extras})")
        assert (variant.colour, variant.colour_light) == (base.colour, base.colour_light)
        assert variant.dash != base.dash
        assert variant == palette.style(f"{name} ({extras})")


def test_chained_interpolation_differs_from_its_neighbours() -> None:
    names = ("bilinear", "bilinear (chained)", "bicubic", "bicubic (chained)")
    assert len({(palette.style(name).colour, palette.style(name).dash) for name in names}) == 4


def test_unknown_names_get_a_lasting_style() -> None:
    style = palette.style("a-prior-of-tomorrow")
    assert style == palette.style("a-prior-of-tomorrow")
    assert palette.contrast(shade(style, True), DARK) >= 3
    assert palette.contrast(shade(style, False), LIGHT) >= 3


def test_dashes_are_pairs() -> None:
    assert len(set(palette.DASHES)) == len(palette.DASHES)
    assert all(len(dash) % 2 == 0 and all(length > 0 for length in dash) for dash in palette.DASHES)
