from steelyard.report import Report
from steelyard.report.tables import baselines, class_wise, compared, others


def test_plain_comes_first_then_the_largest_gain_then_those_equal_to_plain(kept):
    rows, _ = compared(Report.from_json(kept))
    assert [r.name for r in rows] == [
        "plain",
        "inverse_frequency(beta=0.5)",
        "focal(gamma=2)",
        "logit_adjustment(tau=1)",
    ]
    assert [r.role for r in rows] == ["plain", "", "", "same"]
    assert (rows[1].value, rows[1].difference, rows[1].interval) == ("0.367", "+0.003", "[-0.004, 0.010]")
    assert rows[0].mark is None
    assert rows[3].note == "the intercept takes it up"


def test_baselines_stand_apart_and_their_intervals_may_be_missing(kept):
    study = Report.from_json(kept)
    rows, beside = compared(study)[0], baselines(study)
    assert [r.name for r in beside] == [
        "majority",
        "plain at 0.5",
        "plain, prior shift",
        "random oversampling",
    ]
    assert all(r.mark is None and r.role == "baseline" for r in beside)
    assert (beside[0].difference, beside[0].interval) == ("-0.314", "")
    assert beside[3].interval == "[-0.030, 0.004]"
    assert not {r.name for r in beside} & {r.name for r in rows}


def test_other_metrics_name_those_after_recalibration_and_at_capacity(kept):
    study = Report.from_json(kept)
    grid = others(study, (*compared(study)[0], *baselines(study)))
    assert grid is not None
    assert {"log loss after recalibration", "Brier score after recalibration", "recall at capacity"} <= set(grid.head)
    by_name = {row[0]: row for row in grid.rows}
    assert by_name["plain at 0.5"][grid.head.index("F1")] == "0.287"
    assert by_name["plain"][grid.head.index("log loss after recalibration")] == "0.1429"


def test_classes_come_rarest_first_with_both_arms(three):
    found = class_wise(Report.from_json(three))
    assert found is not None
    assert found.arms == ("plain", "inverse_frequency(beta=0.5)")
    assert [row[0] for row in found.grid.rows] == ["c", "b", "a"]
    assert found.grid.rows[0] == ("c", "100", "0.611", "0.722", "0.655", "0.661", "0.672", "0.655")
