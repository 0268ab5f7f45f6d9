import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.report import charts, words
from steelyard.report.confusion import _whole
from steelyard.report.model import page
from steelyard.tuning import sentences

small = st.floats(-2, 2, allow_nan=False).map(lambda v: round(v, 6))
interval = st.tuples(small, small, small).map(lambda t: tuple(sorted(t)))


@given(st.lists(interval, max_size=8), st.one_of(st.none(), st.floats(1e-4, 1)))
def test_forest_marks_keep_their_order_and_stay_inside(intervals, margin):
    axis, marks = charts.forest(intervals, margin)
    for mark in marks:
        assert 0 <= mark.low <= mark.at <= mark.high <= 100
    for (_, a, _), m in zip(intervals, marks, strict=True):
        if abs(a) > 0.01:
            assert (m.at >= axis.zero) if a > 0 else (m.at <= axis.zero)
    assert charts.INSET <= axis.zero <= 100 - charts.INSET
    assert all(0 <= t.at <= 100 for t in axis.ticks)
    if margin and not intervals:
        assert axis.band is not None
        assert axis.band.low < axis.zero < axis.band.high


def test_forest_places_by_hand():
    axis, (mark,) = charts.forest([(-1.0, 0.0, 1.0)], None)
    assert (mark.low, mark.at, mark.high, axis.zero) == (3.0, 50.0, 97.0, 50.0)
    assert [(t.at, t.label) for t in axis.ticks] == [
        (3.0, "-1"),
        (26.5, "-0.5"),
        (50.0, "0"),
        (73.5, "+0.5"),
        (97.0, "+1"),
    ]


def test_better_and_worse_are_both_in_sight():
    axis, _ = charts.forest([(-0.1, -0.08, -0.05)], 0.005)
    assert axis.zero < 80


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(3, 8))
def test_steps_are_round_and_inside(low, width, about):
    found = charts.steps(low, low + width, about)
    assert 1 <= len(found) <= about + 2
    assert all(low - 1e-6 <= v <= low + width + 1e-6 for v in found)


def test_paths_start_at_the_origin_of_the_chart():
    assert charts.path([(0, 0), (1, 1)]) == f"M{charts.LEFT},{charts.BOTTOM}L{charts.RIGHT},{charts.TOP}"
    assert charts.path([]) == ""
    assert len(charts.thin([(i, 0.0) for i in range(10_000)])) == charts.MOST_POINTS


@given(st.floats(-3, 3))
def test_numbers_are_rounded_as_the_sentence_rounds_them(value):
    assert words.number(value) == sentences.number(value)
    assert words.signed(value) == sentences.signed(value)
    assert words.threshold(abs(value)) == sentences.threshold(abs(value))


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=6))
def test_whole_counts_keep_the_sum_of_their_row(quarters):
    row = [q / 4 for q in quarters]
    assert sum(_whole(row)) == round(sum(row))
    assert all(abs(w - r) < 1 for w, r in zip(_whole(row), row, strict=True))


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
