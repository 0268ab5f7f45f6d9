"""Events are runs in order of time; a label that flickers while one thing lasts does not make it many."""

import numpy as np
import pytest

from steelyard.tuning.events import events, number, stretch, units, untorn


def strewn(rng: np.random.Generator, rows: int, windows: int, length: int, share: float) -> np.ndarray:
    """`windows` of `length` rows in which a `share` of the rows are positive, at random places far apart."""
    y = np.zeros(rows, int)
    for start in np.sort(rng.choice(rows // (3 * length), windows, replace=False)) * 3 * length:
        y[start : start + length] = rng.random(length) < share
        y[[start, start + length - 1]] = 1
    return y


def count(y: np.ndarray, groups: np.ndarray | None = None) -> int:
    return number(events(y, np.arange(len(y)), 1, groups))


def test_a_run_is_one_event_in_the_order_of_time():
    y, order = np.array([0, 1, 1, 0, 1, 0]), np.array([5, 0, 3, 1, 4, 2])
    np.testing.assert_array_equal(events(y, order, 1), [-1, 0, 1, -1, 1, -1])
    np.testing.assert_array_equal(events(y, order, 0), [1, -1, -1, 0, -1, 0])


def test_a_run_ends_where_its_group_does():
    y, groups = np.array([0, 1, 1, 0, 1, 1]), np.array([0, 0, 1, 1, 1, 0])
    assert count(y) == 2
    np.testing.assert_array_equal(events(y, np.arange(6), 1, groups), [-1, 0, 1, -1, 2, 0])


@pytest.mark.parametrize("share", [1.0, 0.8, 0.5, 0.3])
@pytest.mark.parametrize("windows", [2, 12])
@pytest.mark.parametrize("seed", range(5))
def test_a_label_that_flickers_makes_no_more_events(share, windows, seed):
    y = strewn(np.random.default_rng(seed), 40_000, windows, 300, share)
    assert windows <= count(y) <= 1.25 * windows


@pytest.mark.parametrize("prevalence", [0.01, 0.08, 0.3, 0.5])
@pytest.mark.parametrize("rows", [500, 20_000])
@pytest.mark.parametrize("seed", range(5))
def test_independent_labels_are_as_many_events_as_runs(prevalence, rows, seed):
    y = (np.random.default_rng(seed).random(rows) < prevalence).astype(int)
    assert count(y) == int((np.diff(y, prepend=0) == 1).sum())


@pytest.mark.parametrize("every", [2, 7, 50])
def test_labels_at_regular_times_are_events_of_their_own(every):
    y = (np.arange(2100) % every == 0).astype(int)
    assert count(y) == int(y.sum())
    assert count(np.append(y, np.zeros_like(y))) == int(y.sum())  # and if they cease


def test_a_share_that_rises_joins_nothing():
    rng = np.random.default_rng(1)
    y = (rng.random(6000) < np.linspace(0.005, 0.15, 6000)).astype(int)
    assert count(y) == int((np.diff(y, prepend=0) == 1).sum())


def test_uneven_weights_leave_fewer_events_and_lengths_do_not_matter():
    event = np.array([0, 0, 0, 1, -1, 2, 2])
    assert number(event) == number(event, np.ones(7)) == number(event, np.array([2.0, 2, 2, 2, 9, 2, 2])) == 3
    assert number(event, np.array([1, 1, 1, 1, 1, 100.0, 100])) == 1


def test_no_cut_and_no_unit_tears_an_event():
    rng = np.random.default_rng(0)
    y = strewn(rng, 6000, 8, 80, 0.6)
    order = rng.permutation(6000)
    labels = np.empty_like(y)
    labels[np.argsort(order)] = y
    event, unit = events(labels, order, 1), units(labels, order)
    for e in range(number(event)):
        assert len(set(unit[event == e])) == 1
    in_time = unit[np.argsort(order)]
    assert set(np.diff(in_time)) == {0, 1}
    cuts, lengths = untorn(labels, order)
    assert set(np.flatnonzero(np.diff(in_time)) + 1) <= set(cuts)
    assert lengths == [80] * 8
    assert np.bincount(unit).min() >= stretch(6000, 80) / 2


@pytest.mark.parametrize(("rows", "least", "length"), [(1000, 0, 10), (1001, 0, 11), (1000, 50, 50), (1000, 900, 200)])
def test_a_stretch_is_the_cube_root_of_the_rows_or_the_gap_or_the_event(rows, least, length):
    assert stretch(rows, least) == length
