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


def test_other_metrics_stand_in_two_blocks(kept):
    study = Report.from_json(kept)
    ranking, decisions = others(study, (*compared(study)[0], *baselines(study)))
    assert {"log loss after recalibration", "Brier score after recalibration", "ROC AUC"} <= set(ranking.grid.head)
    assert decisions.grid.head == ("weighting", "F1", "MCC", "recall at capacity")
    by_name = {row[0]: row for row in ranking.grid.rows}
    assert by_name["plain"][ranking.grid.head.index("log loss after recalibration")] == "0.1429"
    assert not any(any(row) for row in ranking.best)


def test_decisions_are_those_of_one_cut_and_the_best_reachable_stands_beside(kept):
    study = Report.from_json(kept)
    block = others(study, (*compared(study)[0], *baselines(study)))[1]
    column = block.grid.head.index("MCC")
    values = {row[0]: (row[column], best[column - 1]) for row, best in zip(block.grid.rows, block.best, strict=True)}
    assert values["plain"] == ("0.301", "0.352")
    assert values["focal(gamma=2)"] == ("0.352", "")  # the same cut is best for both
    assert "best F1" in block.says
    assert {row[0]: row[1] for row in block.grid.rows}["plain at 0.5"] == "0.287"


def test_an_older_report_says_that_each_metric_has_a_cut_of_its_own(kept):
    for arm in kept["arms"]:
        del arm["at_cut"]
    study = Report.from_json(kept)
    block = others(study, compared(study)[0])[1]
    assert block.title == "Decisions, each metric at a cut of its own"
    assert not any(any(row) for row in block.best)


def test_differences_have_the_digits_they_need(kept):
    kept["arms"][2]["metrics"]["average_precision"] |= {"difference": 0.00012, "low": 0.00003, "high": 0.00021}
    rows = {row.name: row for row in compared(Report.from_json(kept))[0]}
    assert (rows["focal(gamma=2)"].difference, rows["focal(gamma=2)"].interval) == ("+0.00012", "[0.00003, 0.00021]")


def test_classes_come_rarest_first_with_both_arms(three):
    found = class_wise(Report.from_json(three))
    assert found is not None
    assert found.arms == ("plain", "inverse_frequency(beta=0.5)")
    assert [row[0] for row in found.grid.rows] == ["c", "b", "a"]
    assert found.grid.rows[0] == ("c", "100", "0.611", "0.722", "0.655", "0.661", "0.672", "0.655")
