"""Densities of the scores, and what their axis shows."""

import pytest
from tests.report.drawn import by_key

from steelyard.report.pictures.scores import log_odds


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
