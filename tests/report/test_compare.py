import copy

import pytest

from steelyard import report
from steelyard.report import Report
from steelyard.report.compare import Comparison
from steelyard.report.compare import compare as compared


def compare(left, right) -> Comparison:
    return compared(Report.from_json(left), Report.from_json(right))


def compare_text(left, right) -> str:
    return report.compare_text(Report.from_json(left), Report.from_json(right))


def compare_html(left, right) -> str:
    return report.compare_html(Report.from_json(left), Report.from_json(right))


def test_studies_of_the_same_rows_and_splits_have_differences_without_intervals(kept, won):
    found = compare(kept, won)
    assert found.comparable
    assert found.values is not None
    assert found.values.head == ("weighting", "this study", "the other", "right - left")
    rows = {row[0]: row[1:] for row in found.values.rows}
    assert rows["inverse_frequency(beta=0.5)"] == ("0.367", "0.456", "+0.089")  # 0.456 - 0.3672
    assert rows["plain"] == ("0.364", "0.364", "0")
    assert rows["majority"] == ("0.050", "0.050", "0")
    assert "no interval" in compare_text(kept, won)


def test_models_may_differ(kept):
    other = copy.deepcopy(kept) | {"model": "boosting"}
    found = compare(kept, other)
    assert found.comparable
    assert (found.left.label, found.right.label) == ("linear", "boosting")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["data"].update(rows=999), "The data differ: 1,000 rows against 999."),
        (lambda d: d["data"].update(counts=[949, 51]), "The data differ: the classes"),
        (lambda d: d["data"].update(label="outcome"), 'The label columns differ: "state" against "outcome".'),
        (lambda d: d.update(positive="well"), 'The positive classes differ: "ill" against "well".'),
        (lambda d: d.update(seed=4), "The splits differ: seed 3 against 4."),
        (
            lambda d: d["splits"].update(kind="time", by="day"),
            "The splits differ: kind stratified against time, column none against day.",
        ),
        (
            lambda d: d.update(stopped={"why": "budget", "repeats_done": 3, "repeats_planned": 5}),
            "repetitions 5 against 3",
        ),
    ],
)
def test_what_cannot_be_compared_is_said_and_gets_no_differences(kept, change, said):
    other = copy.deepcopy(kept)
    change(other)
    found = compare(kept, other)
    assert any(said in told for told in found.obstacles)
    assert found.values is not None
    assert "right - left" not in found.values.head
    assert {len(row) for row in found.values.rows} == {3}
    for shown in (compare_text(kept, other), compare_html(kept, other)):
        assert "These numbers cannot be compared:" in shown


def test_digests_tell_other_rows_and_other_features_apart(kept):
    data, same, features, rows = (copy.deepcopy(kept) for _ in range(4))
    for d, labels, everything in ((data, "a", "b"), (same, "a", "b"), (features, "a", "c"), (rows, "d", "e")):
        d["data"]["digest"] = {"labels": labels, "all": everything}
    same["data"]["path"] = "renamed.csv"
    assert (compare(data, same).obstacles, compare(data, same).notes) == ((), ())
    assert "not the same features" in compare(data, features).notes[0]
    assert compare(data, features).comparable
    assert "rows have other labels" in compare(data, rows).obstacles[0]
    assert not compare(data, kept | {"data": kept["data"] | {"path": "x.csv"}}).obstacles
    assert "was not checked" in compare(data, kept | {"data": kept["data"] | {"path": "x.csv"}}).notes[0]


def test_studies_with_different_metrics_are_compared_on_one_that_both_measured(kept):
    other = copy.deepcopy(kept) | {"metric": "roc_auc", "metric_title": "ROC AUC"}
    found = compare(kept, other)
    assert found.metric == "average precision"
    assert found.comparable
    assert any("decided by different metrics" in told for told in found.notes)


def test_studies_without_a_common_metric_show_no_values(kept, three):
    for arm in three["arms"]:
        arm["metrics"] = {"balanced_accuracy": arm["metrics"]["balanced_accuracy"]}
    found = compare(kept, three)
    assert found.values is None
    assert any("The metrics differ: average precision against balanced accuracy" in told for told in found.obstacles)


def test_costs_matter_only_to_metrics_made_of_them(kept):
    other = copy.deepcopy(kept) | {"costs": {"fn": 20.0, "fp": 1.0}}
    assert compare(kept, other).comparable
    for study in (kept, other):
        study["metric"] = "recall_at_capacity"
    assert any("depends on them" in told for told in compare(kept, other).obstacles)


def test_every_study_can_be_laid_beside_another_and_stays_text(any_study, hostile):
    page = compare_html(any_study, hostile)
    assert "<script" not in page
    assert "<img" not in page
    assert "script-src &#39;none&#39;" in page
    assert any_study["verdict"]["sentence"] in compare_text(any_study, hostile)
