"""The weight path: plain, and intervals of differences."""

import pytest
from tests.report.drawn import by_key


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
