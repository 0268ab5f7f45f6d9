import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.calibrate.exchange import exchange
from steelyard.report import Report, pictures
from steelyard.report.evidence import Cut
from steelyard.report.pictures.chart import LINES
from steelyard.report.pictures.reliability import end
from steelyard.report.pictures.scores import log_odds
from steelyard.report.pictures.thresholds import bought

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


def by_key(data):
    return {picture.key: picture for picture in pictures.pictures(Report.from_json(data))}


def points(picture, series):
    return [p for p in picture.spec["datasets"]["points"] if p["series"] == series]


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


def test_precision_recall_and_roc_follow_the_kept_counts(kept):
    drawn = by_key(kept)
    third = next(p for p in points(drawn["precision-recall"], "plain") if p["i"] == 2)
    assert (third["x"], third["y"]) == pytest.approx((30.5 / 50, 30.5 / 60))
    third = next(p for p in points(drawn["roc"], "plain") if p["i"] == 2)
    assert (third["x"], third["y"]) == pytest.approx((29.5 / 950, 30.5 / 50), rel=1e-5)


def test_scores_of_each_class_have_area_one(kept):
    bars = by_key(kept)["scores"].spec["datasets"]["bars"]
    for name in ("well", "ill"):
        area = sum(b["y"] * (b["x2"] - b["x"]) for b in bars if b["class"] == name and b["series"] == "plain")
        assert area == pytest.approx(1.0, abs=1e-5)
    cuts = by_key(kept)["scores"].spec["datasets"]["cuts"]
    assert next(c["x"] for c in cuts if c["i"] == 2) == pytest.approx(log_odds(0.231), rel=1e-5)
    assert next(c["x"] for c in cuts if c["i"] == 0) == -6.0  # threshold 0 stands at the edge


def test_empty_tails_of_the_scores_take_no_width(kept):
    for found in kept["curves"].values():
        found["scores"] = {
            "edges": [-20.0, -12.0, -6.0, 0.0, 4.0, 9.0],
            "positive": [0.0, 0.0, 20.0, 30.0, 0.0],
            "negative": [0.2, 0.0, 900.0, 49.8, 0.0],
        }
    shown = by_key(kept)["scores"].spec["datasets"]
    assert (min(b["x"] for b in shown["bars"]), max(b["x2"] for b in shown["bars"])) == (-6.0, 4.0)
    assert all(-6.0 <= c["x"] <= 4.0 for c in shown["cuts"])


@given(st.integers(0, 10_000))
def test_the_exchange_curve_is_that_of_calibrate(seed):
    rng = np.random.default_rng(seed)
    y = np.append(rng.integers(0, 2, 28), [0, 1])
    p = np.round(np.clip(rng.normal(0.3 + 0.3 * y, 0.2), 0.01, 0.99), 2)
    t = np.unique(np.append(p, 1.0))
    table = [Cut(*map(float, (c, (p >= c) @ y, (p >= c) @ (1 - y), (p < c) @ y, (p < c) @ (1 - y)))) for c in t]
    curve = exchange(p, y)
    keep = np.isfinite(curve.marginal) & (curve.hits > 0)
    found = bought(table)[1:]
    np.testing.assert_allclose([x for x, _ in found], curve.hits[keep] / y.sum())
    np.testing.assert_allclose([v for _, v in found], curve.marginal[keep])


def test_a_weight_path_has_plain_and_the_interval_of_the_difference(kept):
    path = by_key(kept)["path-0"].spec["datasets"]
    assert path["plain"][0]["y"] == 0.3642
    last = path["points"][-1]
    assert (last["x"], last["y"]) == (0.5, 0.3672)
    assert (last["low"], last["high"]) == pytest.approx((0.3642 - 0.0041, 0.3642 + 0.0099))


def test_where_lower_is_better_an_improvement_goes_down(kept):
    kept["metric_higher"] = False
    last = by_key(kept)["path-0"].spec["datasets"]["points"][-1]
    assert (last["low"], last["high"]) == pytest.approx((0.3642 + 0.0041, 0.3642 - 0.0099))


def test_marks_that_follow_the_sliders_start_at_the_verdict(kept):
    for picture in pictures.pictures(Report.from_json(kept)):
        params = {p["name"]: p["value"] for p in picture.spec.get("params", ())}
        if picture.follows:
            assert (params["arm"], params["at"]) == ("plain", 2)
        else:
            assert params == {}


def test_every_picture_can_be_drawn_in_the_colours_of_the_page(any_study):
    for picture in pictures.pictures(Report.from_json(any_study)):
        svg = pictures.as_svg(picture.spec)
        assert svg.startswith('<svg class="chart" aria-hidden="true" viewBox="0 0 ')
        assert "var(--" in svg
        assert "NaN" not in svg
        assert "<script" not in svg


def test_colours_and_dashes_both_tell_lines_apart():
    assert len({colour for colour, _ in LINES.values()}) == len({tuple(d) for _, d in LINES.values()}) == len(LINES)


def test_specifications_are_valid_vega_lite(kept, three):
    import altair as alt

    for picture in {**by_key(kept), **by_key(three)}.values():
        alt.Chart.from_dict(dict(picture.spec), validate=True)


@given(st.lists(st.floats(0, 1), min_size=1))
def test_the_end_of_an_axis_lies_beyond_every_value(values):
    assert max(values) <= end(values) <= 1.0 or math.isclose(end(values), max(values))
