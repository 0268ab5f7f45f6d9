from hypothesis import given
from hypothesis import strategies as st

from steelyard.report import forest

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
