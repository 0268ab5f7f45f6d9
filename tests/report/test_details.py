import math

from steelyard.report import Report
from steelyard.report.details import details


def said(data, name):
    report = Report.from_json(data)
    return dict(details(report, next(arm for arm in report.arms if arm.name == name)))


def test_a_row_tells_its_recipe_its_settings_its_cut_and_its_neighbours(kept):
    found = said(kept, "inverse_frequency(beta=0.5)")
    w = 1000 / (950 + 50 * math.sqrt(19))
    assert found["weight of a label"] == f'"well" {w:.4g}, "ill" {w * math.sqrt(19):.4g}'
    assert found["recipe"] == "inverse_frequency(beta=0.5)"
    assert found["chosen in the folds"] == "regularisation strength 1 in 20, 3.162 in 5 folds"
    assert found["its own cut"] == "a probability of 0.231, for the best F1"
    assert found["path"] == "beta of inverse_frequency: 0.25 gives 0.365, 0.5 gives 0.367"


def test_what_holds_no_weight_says_so(kept):
    assert said(kept, "focal(gamma=2)")["weight of a label"] == "1 for all"
    assert "recipe" not in said(kept, "plain")


def test_a_recipe_that_cannot_be_read_costs_nothing_else(kept):
    kept["arms"][3]["recipe"] = {"format": "something else"}
    found = said(kept, "inverse_frequency(beta=0.5)")
    assert "recipe" not in found
    assert "its own cut" in found


def test_more_classes_have_a_power_in_place_of_a_probability(three):
    assert said(three, "inverse_frequency(beta=0.5)")["its own cut"].startswith("class shares to the power")
