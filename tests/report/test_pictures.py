"""Which pictures a study has, and that all of them can be drawn."""

import pytest
from tests.report.drawn import by_key

from steelyard.report import Report, pictures

BINARY = [
    "scores",
    "cost",
    "precision-recall",
    "roc",
    "exchange",
    "reliability-plain",
    "reliability-best",
    "path-0",
    "search",
]


def test_a_study_of_two_classes_has_all_its_pictures(kept, older):
    assert list(by_key(kept)) == BINARY
    assert list(by_key(older)) == [k for k in BINARY if k not in ("scores", "path-0", "search")]


def test_more_classes_have_reliability_and_the_classes(three):
    assert list(by_key(three)) == ["reliability-plain", "reliability-best", "path-0", "search", "classes"]


@pytest.mark.parametrize("missing", ["curves", "paths", "search", "margin", "positive", "capacity", "costs"])
def test_a_part_that_is_missing_leaves_the_other_pictures(kept, missing):
    of_parts = {
        "curves": lambda key: key in ("path-0", "search"),
        "positive": lambda key: key not in ("scores", "cost", "exchange"),
        "paths": lambda key: key != "path-0",
        "search": lambda key: key != "search",
    }
    del kept[missing]
    assert list(by_key(kept)) == [key for key in BINARY if of_parts.get(missing, lambda key: True)(key)]


def test_marks_that_follow_the_sliders_start_at_the_verdict(kept):
    for picture in pictures.pictures(Report.from_json(kept)):
        params = {p["name"]: p["value"] for p in picture.spec.get("params", ())}
        if picture.follows:
            assert (params["arm"], params["at"]) == ("plain", 2)
        else:
            assert params == {}


def test_specifications_are_valid_vega_lite(kept, three):
    import altair as alt

    for picture in {**by_key(kept), **by_key(three)}.values():
        alt.Chart.from_dict(dict(picture.spec), validate=True)
