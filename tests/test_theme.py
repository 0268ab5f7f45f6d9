"""The look of pictures: contrast and difference of colours, by the formulas of WCAG and of Machado et al."""

import dataclasses
import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from steelyard import report, theme

PALETTES = {"light": theme.LIGHT, "dark": theme.DARK}
TOLD = ("best", "before", "again", "kept", "open", "ink")


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    """WCAG 2.2, relative luminance."""
    high, low = sorted((float(linear(c) @ (0.2126, 0.7152, 0.0722)) for c in (a, b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_letters_and_marks_stand_out_from_their_ground(palette):
    for name in ("ink", "soft"):
        assert contrast(getattr(palette, name), palette.ground) >= 4.5, name
    for name in (*TOLD, "guide"):
        assert contrast(getattr(palette, name), palette.ground) >= 3, name
    for name in ("ink", "best"):
        assert contrast(getattr(palette, name), palette.band) >= 3, name


def test_no_two_styles_differ_by_colour_alone():
    assert len(set(theme.DASHES.values())) == len(theme.DASHES)
    assert len({theme.SHAPES[style] for style in theme.SERIES}) == len(theme.SERIES)
    assert set(theme.DASHES) == set(theme.SHAPES)


def test_the_page_has_the_same_colours():
    css = (Path(report.__file__).parent / "templates" / "style.css").read_text("utf-8")
    light, dark = css.split("@media screen and (prefers-color-scheme: dark)")[:2]
    for palette, text in ((theme.LIGHT, light), (theme.DARK, dark.split("}")[0])):
        said = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", text))
        assert {name: said[name] for name in dataclasses.asdict(palette)} == dataclasses.asdict(palette)


def test_what_is_cut_to_the_same_is_numbered():
    assert theme.distinct(["short", "a" * 40 + "1", "a" * 40 + "2"], 10) == ["short", "aaaaaaaaa…", "aaaaaaaaa… (2)"]


def test_a_mixture_lies_between():
    assert theme.mixed("#000000", "#ffffff", 0.0) == "#ffffff"
    assert theme.mixed("#000000", "#ffffff", 1.0) == "#000000"
    assert theme.mixed("#ff0000", "#0000ff", 0.5) == "#800080"


# Machado, Oliveira and Fernandes 2009, "A Physiologically-based Model for Simulation of Color Vision Deficiency", severity 1
BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
@pytest.mark.parametrize("seen", BLIND.values(), ids=BLIND)
def test_the_first_colours_differ_for_the_colour_blind(palette, seen):
    colours = [theme.colour(style, palette) for style in theme.SERIES[:4]]
    for a, b in itertools.combinations(colours, 2):
        apart = float(np.linalg.norm(_lab(np.array(seen) @ linear(a)) - _lab(np.array(seen) @ linear(b))))
        assert apart >= 20, (a, b, apart)


def _lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear sRGB, white D65."""
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    t = np.array(matrix) @ rgb.clip(0, 1) / (0.9505, 1.0, 1.089)
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])
