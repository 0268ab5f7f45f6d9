"""Every class with its three measures, for plain and the best weighting; the rarest of many."""

import pytest
from tests.report.drawn import by_key


def test_every_class_has_its_measures_of_both_weightings(three):
    points = by_key(three)["classes"].spec["datasets"]["points"]
    kept = three["per_class"]
    assert len(points) == 3 * sum(map(len, kept.values())) == 18
    drawn = {(p["series"], p["class"], p["measure"]): p["value"] for p in points}
    for series, classes in kept.items():
        for one in classes:
            for measure, shown in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
                assert drawn[series, one["class"], shown] == pytest.approx(one[measure])


def test_of_many_classes_the_first_forty_are_drawn_and_it_is_said(three):
    for series, classes in three["per_class"].items():
        three["per_class"][series] = [{**classes[0], "class": f"class {i}"} for i in range(50)]
    picture = by_key(three)["classes"]
    assert {p["class"] for p in picture.spec["datasets"]["points"]} == {f"class {i}" for i in range(40)}
    assert "The 40 rarest of 50 are drawn." in picture.caption


def test_a_measure_that_says_nothing_is_left_out(three):
    three["per_class"]["plain"][0]["precision"] = None
    assert len(by_key(three)["classes"].spec["datasets"]["points"]) == 17
