"""The small reliability chart in a weighting's row."""

from steelyard.report import Report
from steelyard.report.honesty import honesty

GROUPS = [{"predicted": 0.02, "observed": 0.01, "rows": 900.0}, {"predicted": 0.5, "observed": 0.6, "rows": 100.0}]


def of(data, name):
    report = Report.from_json(data)
    return honesty(report, next(arm for arm in report.arms if arm.name == name))


def test_dots_stand_where_the_groups_are(kept):
    kept["arms"][2]["reliability"] = GROUPS
    found = of(kept, "focal(gamma=2)")
    assert found.top == "0.6"
    assert [(dot.x, dot.y) for dot in found.dots] == [(3.33, 98.33), (83.33, 0.0)]
    assert found.points == "3.33,98.33 83.33,0.0"
    assert found.dots[0].says == "given 0.02, came true 0.01, 900 rows"
    assert "the largest distance from the diagonal is 0.100" in found.desc
    assert "weights undone" in found.desc
    assert 'rows that are "ill"' in found.desc


def test_an_older_report_has_what_was_kept_to_draw_and_nothing_of_the_others(kept):
    assert of(kept, "plain") is not None
    assert "undone" not in of(kept, "plain").desc
    assert of(kept, "focal(gamma=2)") is None


def test_more_classes_are_right_or_wrong(three):
    three["arms"][2]["reliability"] = GROUPS
    assert "rows that are right" in of(three, "focal(gamma=2)").desc
