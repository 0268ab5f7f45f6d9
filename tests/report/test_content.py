import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.report import forest, formatting
from steelyard.report.content import page
from steelyard.report.operating import whole
from steelyard.tuning.judging import sentences

small = st.floats(-2, 2, allow_nan=False).map(lambda v: round(v, 6))
interval = st.tuples(small, small, small).map(lambda t: tuple(sorted(t)))


@given(st.lists(interval, max_size=8), st.one_of(st.none(), st.floats(1e-4, 1)))
def test_forest_marks_keep_their_order_and_stay_inside(intervals, margin):
    axis, marks = forest.forest(intervals, margin)
    for mark in marks:
        assert 0 <= mark.low <= mark.at <= mark.high <= 100
    for (_, a, _), m in zip(intervals, marks, strict=True):
        if abs(a) > 0.01:
            assert (m.at >= axis.zero) if a > 0 else (m.at <= axis.zero)
    assert forest.INSET <= axis.zero <= 100 - forest.INSET
    assert all(0 <= t.at <= 100 for t in axis.ticks)
    if margin and not intervals:
        assert axis.band is not None
        assert axis.band.low < axis.zero < axis.band.high


def test_forest_places_by_hand():
    axis, (mark,) = forest.forest([(-1.0, 0.0, 1.0)], None)
    assert (mark.low, mark.at, mark.high, axis.zero) == (3.0, 50.0, 97.0, 50.0)
    assert [(t.at, t.label) for t in axis.ticks] == [
        (3.0, "-1"),
        (26.5, "-0.5"),
        (50.0, "0"),
        (73.5, "+0.5"),
        (97.0, "+1"),
    ]


def test_better_and_worse_are_both_in_sight():
    axis, _ = forest.forest([(-0.1, -0.08, -0.05)], 0.005)
    assert axis.zero < 80


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(3, 8))
def test_steps_are_round_and_inside(low, width, about):
    found = forest.steps(low, low + width, about)
    assert 1 <= len(found) <= about + 2
    assert all(low - 1e-6 <= v <= low + width + 1e-6 for v in found)


@given(st.floats(-3, 3))
def test_numbers_are_rounded_as_the_sentence_rounds_them(value):
    assert formatting.number(value) == sentences.number(value)
    assert formatting.signed(value) == sentences.signed(value)
    assert formatting.threshold(abs(value)) == sentences.threshold(abs(value))


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=6))
def test_whole_counts_keep_the_sum_of_their_row(quarters):
    row = [q / 4 for q in quarters]
    assert sum(whole(row)) == round(sum(row))
    assert all(abs(w - r) < 1 for w, r in zip(whole(row), row, strict=True))


def test_decisions_by_hand(kept):
    found = page(kept).confusion
    assert found is not None
    assert found.classes == ("ill", "well")
    assert found.counts == (("30", "20"), ("29", "921"))  # of 30.5, 19.5, 29.5, 920.5
    assert found.per_1000 == (("30.0", "20.0"), ("29.0", "921.0"))
    assert "at threshold 0.231, which was chosen on these rows, mean of 5 repetitions" in found.caption
    assert found.shares[0].says == 'Of 50 rows that are "ill", 60.0 % are found.'


def test_a_threshold_that_was_not_kept_is_said(kept):
    kept["verdict"]["threshold"] = 0.25
    found = page(kept).confusion
    assert found is not None
    assert "at threshold 0.231, the nearest to 0.250 that was kept" in found.caption


def test_candidates_are_plain_then_the_largest_gain_then_those_equal_to_plain(kept):
    rows = page(kept).rows
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


def test_what_to_do_names_the_threshold_and_the_undo(kept, won):
    assert page(kept).next == (
        "Train without weights.",
        'Call a row "ill" when its probability is at least 0.231, not 0.5.',
    )
    assert any("sy.posterior" in step for step in page(won).next)
    assert 'Call a row "ill" when its undone probability is at least 0.231, not 0.5.' in page(won).next


@pytest.mark.parametrize(
    ("case", "headline"),
    [
        ("A", "A weighting wins"),
        ("B", "Keep plain training"),
        ("C'", "Keep plain training"),
        ("D", "No verdict"),
        ("E", "No verdict"),
        ("F", "Keep plain training"),
        ("P", "Not finished"),
    ],
)
def test_the_headline_follows_the_case(kept, won, case, headline):
    data = won if case == "A" else kept
    data["verdict"]["case"] = case
    assert page(data).headline == headline


def test_a_lower_metric_says_so(kept):
    kept |= {"metric": "log_loss", "metric_title": "log loss", "metric_higher": False}
    assert "Lower values are better" in page(kept).compared


def test_three_classes_have_no_threshold_of_probability(three):
    found = page(three)
    assert found.threshold == ""
    assert found.confusion is not None
    assert found.confusion.classes == ("a", "b", "c")
    assert "3 classes" in found.data
    assert any("to the power 0.350" in step for step in found.next)


def test_baselines_stand_apart_and_their_intervals_may_be_missing(kept):
    found = page(kept)
    assert [r.name for r in found.baselines] == [
        "majority",
        "plain at 0.5",
        "plain, prior shift",
        "random oversampling",
    ]
    assert all(r.mark is None and r.role == "baseline" for r in found.baselines)
    assert (found.baselines[0].difference, found.baselines[0].interval) == ("-0.314", "")
    assert found.baselines[3].interval == "[-0.030, 0.004]"
    assert not {r.name for r in found.baselines} & {r.name for r in found.rows}


def test_other_metrics_name_those_after_recalibration_and_at_capacity(kept):
    others = page(kept).others
    assert others is not None
    assert {"log loss, recalibrated", "Brier score, recalibrated", "recall at capacity"} <= set(others.head)
    by_name = {row[0]: row for row in others.rows}
    assert by_name["plain at 0.5"][others.head.index("F1")] == "0.287"
    assert by_name["plain"][others.head.index("log loss, recalibrated")] == "0.1429"


def test_a_stopped_study_says_how_far_it_came(partial):
    found = page(partial)
    assert found.outcome == "unfinished"
    assert "The study stopped early: it was interrupted; 2 of 5 repetitions were finished." in found.warnings
    assert "--resume" in found.next[0]
    assert found.confusion is not None
    assert "mean of 2 repetitions" in found.confusion.caption


def test_what_was_not_compared_is_said_with_the_reason(kept):
    assert "Not compared: generalized(q=0.7), this model cannot train with it." in page(kept).notes


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        ({"kind": "grouped", "by": "patient"}, '5 x 5 cross-validation that keeps groups in column "patient" whole'),
        ({"kind": "time", "by": "day", "judged": 800}, '5 test blocks in the order of time in column "day"'),
        ({"kind": "time", "by": "day", "judged": 800}, "800 rows judged"),
        ({"kind": "stratified"}, "5 x 5 stratified cross-validation"),
    ],
)
def test_the_kind_of_splits_is_said(kept, splits, said):
    kept["splits"] |= splits
    assert said in dict(page(kept).computed)["splits"]


def test_costs_are_said_as_a_pair_or_a_matrix(kept, three):
    kept["costs"] = {"fn": 20.0, "fp": 1.0}
    assert dict(page(kept).computed)["costs"] == "missed positive 20, false alarm 1"
    assert '"c" called "a" 7' in dict(page(three).computed)["costs"]
    assert page(three).operating is None


def test_classes_come_rarest_first_with_both_strategies(three):
    found = page(three).class_wise
    assert found is not None
    assert found.arms == ("plain", "inverse_frequency(beta=0.5)")
    assert [row[0] for row in found.grid.rows] == ["c", "b", "a"]
    assert found.grid.rows[0] == ("c", "100", "0.611", "0.722", "0.655", "0.661", "0.672", "0.655")


def test_the_commonest_mistake_comes_first(three):
    assert page(three).mistaken[0] == '60 rows of "b" called "a", 30.0 % of that class'


def test_the_sliders_get_whole_rows_at_every_threshold_that_was_kept(kept):
    kept["costs"] = {"fn": 20.0, "fp": 2.0}
    moved = page(kept).operating
    assert moved is not None
    assert (moved.arm, moved.at, moved.label, moved.ratio, moved.capacity, moved.per) == (
        "plain",
        2,
        "0.231",
        10.0,
        200,
        10000,
    )
    table = moved.tables["plain"]
    assert (table["tp"], table["fn"]) == ([50, 40, 30, 10], [0, 10, 20, 40])
    assert [sum(cells) for cells in zip(*(table[k] for k in ("tp", "fn", "fp", "tn")), strict=True)] == [1000] * 4


def test_figures_at_the_threshold_by_hand(kept):
    kept["costs"] = {"fn": 20.0, "fp": 1.0}
    table = page(kept).confusion
    assert table is not None
    assert {key: value for key, _, value in table.figures} == {
        "precision-value": "0.508",  # 30 / 59
        "recall-value": "0.600",
        "f1-value": "0.550",  # 60 / 109
        "called-value": "59.0",
        "cost-value": "429.0",  # 20 * 20 + 29
    }


def test_a_threshold_that_calls_nobody_divides_by_nothing(kept):
    kept["verdict"]["threshold"] = 0.9
    for found in kept["curves"].values():
        t = found["thresholds"]
        for key, value in zip(("threshold", "tp", "fp", "fn", "tn"), (0.9, 0.0, 0.0, 50.0, 950.0), strict=True):
            t[key].append(value)
    table = page(kept).confusion
    assert table is not None
    assert table.figures[0][2] == "–"
    assert table.shares[1].says == 'Of 0 rows called "ill", none are right.'
