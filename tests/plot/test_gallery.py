"""Every function of sy.plot draws every kind of its input, with both back ends, and what comes from the data stays text.

Files: plot/altair.py, plot/axes.py, plot/finish.py, plot/regions.py.
"""

import io
import json
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from tests.plot.gallery import GALLERY, MANY, MASK, SIX, TWO

import steelyard as sy
from steelyard import theme
from steelyard.plot.altair import png

FUNCTIONS = {name.partition(",")[0] for name in GALLERY}
ODD = ("counts, odd names", "study, hostile names")
# one of each function, and hostile names, in every run
FIRST = {next(name for name in GALLERY if name.startswith(function)) for function in FUNCTIONS} | set(ODD)
EVERY = [pytest.param(name, marks=() if name in FIRST else pytest.mark.slow) for name in GALLERY]


def test_the_gallery_holds_every_function():
    assert set(sy.plot.__all__) == FUNCTIONS


@pytest.mark.parametrize("name", EVERY)
def test_altair_draws_it(name):
    pytest.importorskip("altair")
    spec = GALLERY[name]().to_dict()
    text = json.dumps(spec)
    assert "\x1b" not in text
    assert "\\u001b" not in text
    assert spec["config"]["background"] == theme.LIGHT.ground
    assert spec["datasets"]
    assert all(spec["datasets"].values())


@pytest.mark.slow
@pytest.mark.parametrize("name", GALLERY)
def test_vega_draws_what_altair_says(name):
    convert = pytest.importorskip("vl_convert")
    svg = convert.vegalite_to_svg(GALLERY[name]().to_json())
    assert svg.count("<path") > 2
    assert "<b>" not in svg
    assert "NaN" not in svg


@pytest.mark.parametrize("name", EVERY)
def test_matplotlib_draws_it_into_the_axes_it_is_given(name):
    figure, ax = _axes()
    assert GALLERY[name](ax=ax) is ax
    assert any(one.has_data() for one in (ax, *ax.child_axes))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # a font's, not ours
        figure.savefig(io.BytesIO(), format="png", dpi=40)


def test_many_classes_are_a_curve_and_not_as_many_bars():
    pytest.importorskip("altair")
    spec = json.dumps(sy.plot.counts(MANY).to_dict())
    assert '"type": "line"' in spec
    assert '"type": "rect"' not in spec
    assert "category 0: 1,447,209" in spec


def test_names_are_text_for_matplotlib_too():
    _, ax = _axes()
    sy.plot.counts(SIX, ax=ax)
    labels = ax.get_yticklabels()
    assert [label.get_text() for label in labels] == [
        "ok",
        "<b>bold</b>",
        r"\x1b[2Jclear",
        "$x^$",
        "_hidden",
        r"\u202eturned",
    ]
    assert not any(label.get_parse_math() for label in labels)
    _, ax = _axes()
    sy.plot.reliability({"_hidden": [0.2, 0.8], "$x^$": [0.3, 0.7]}, [0, 1], ax=ax)
    texts = ax.get_legend().get_texts()
    assert [text.get_text() for text in texts] == ["honest", "_hidden", "$x^$"]
    assert not any(text.get_parse_math() for text in texts)


def test_dark_ground_has_the_colours_for_it():
    alt = pytest.importorskip("altair")
    with alt.theme.enable("dark"):
        assert sy.plot.counts(TWO).to_dict()["config"]["background"] == theme.DARK.ground
    figure, ax = _axes(facecolor="#111111")
    ax.set_facecolor("#111111")
    sy.plot.counts(TWO, ax=ax)
    import matplotlib.colors as colours

    assert colours.to_hex(ax.patches[0].get_facecolor()) == theme.DARK.best
    assert figure.get_facecolor() == ax.get_facecolor()


def test_panels_take_axes_of_their_own():
    plt = pytest.importorskip("matplotlib.figure")
    both = plt.Figure().subplots(1, 2)
    assert sy.plot.recipe(sy.inverse_frequency(TWO), ax=both) is both
    assert [one.get_title(loc="left") for one in both] == ["Loss", "Gradient"]
    with pytest.raises(ValueError, match="there are 2 panels and 3 axes"):
        sy.plot.recipe(sy.inverse_frequency(TWO), ax=plt.Figure().subplots(1, 3))


def test_without_altair_one_sentence_says_what_to_install():
    code = "import sys; sys.modules['altair'] = None\nimport steelyard as sy\nsy.plot.counts(sy.Counts.of(9, 1))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: sy.plot: a chart needs Altair")
    assert 'pip install "steelyard[plot]"' in last


def test_importing_it_loads_no_library_that_draws():
    code = "import sys, steelyard as sy\nsy.plot.counts\nassert not {'altair', 'matplotlib', 'sklearn', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_picture_is_a_png_of_these_pixels():
    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(png(rgb)))
    np.testing.assert_array_equal(np.asarray(image), rgb)
    assert zlib.crc32(b"IEND") == 0xAE426082


def test_a_volume_names_its_slice():
    pytest.importorskip("altair")
    volume = np.stack([0 * MASK, MASK, 0 * MASK])
    assert sy.plot.map(1.0 + volume, volume).to_dict()["title"]["text"] == "slice 1 of 3"
    assert sy.plot.map(1.0 + volume, volume, at=2).to_dict()["title"]["text"] == "slice 2 of 3"


def _axes(**options):
    figure = pytest.importorskip("matplotlib.figure").Figure(**options)
    return figure, figure.add_subplot()
