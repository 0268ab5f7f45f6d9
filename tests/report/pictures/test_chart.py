"""What all charts share."""

import json
import re

import pytest
from tests.report.drawn import by_key

from steelyard.report import Report, page
from steelyard.report.pictures.chart import LINES
from steelyard.shown import width
from steelyard.theme import LABEL, LEGEND, relabelled


def test_every_picture_can_be_drawn_in_the_colours_of_the_page(any_study):
    drawing = page.draw(Report.from_json(any_study))
    assert list(drawing.still) == list(by_key(any_study))
    assert drawing.missing == ""
    for svg in drawing.still.values():
        assert re.match(r'<svg class="chart" aria-hidden="true" data-of="[0-9a-f]{64}" viewBox="0 0 ', svg)
        assert "var(--" in svg
        assert "NaN" not in svg
        assert "<script" not in svg


def test_colours_and_dashes_both_tell_lines_apart():
    assert len({colour for colour, _ in LINES.values()}) == len({tuple(d) for _, d in LINES.values()}) == len(LINES)


def test_names_that_fit_are_left_alone_and_others_are_cut_and_stay_different():
    assert str(relabelled(["no", "yes"], LABEL)) == "Undefined"
    long = ["x" * 100 + end for end in ("a", "b", "c")]
    expression = relabelled(["no", *long], LABEL)
    table = json.loads(expression.removesuffix("[datum.label] || datum.label"))
    assert sorted(table) == long
    assert len(set(table.values())) == 3
    assert all(width(short) <= LABEL + 5 for short in table.values())


@pytest.mark.parametrize("name", ["\U0001f468\u200d\U0001f469\u200d\U0001f467" * 60, "x" * 20_000, "e\u0301" * 500])
def test_no_text_in_a_picture_is_left_for_vega_to_cut(three, name):
    """It cuts between the halves of an emoji."""
    for one in three["per_class"].values():
        one[0]["class"] = name
    three["data"]["classes"][0] = name
    for picture in by_key(three).values():
        assert picture.spec["config"]["axis"]["labelLimit"] == picture.spec["config"]["legend"]["labelLimit"] == 0
    axis = by_key(three)["classes"].spec["spec"]["encoding"]["y"]["axis"]
    (short,) = json.loads(axis["labelExpr"].removesuffix("[datum.label] || datum.label")).values()
    assert width(short) <= LABEL < LEGEND
