"""What a verdict counts: rows, groups, events, and less of them where weights are uneven."""

import numpy as np
import pytest

from steelyard.tuning.rarity import events_in, in_table, rare, rare_by_block, rarest
from steelyard.tuning.split import Split
from steelyard.tuning.validation.folds import split


def failures(events: int, length: int = 50, apart: int = 250, classes: int = 2) -> tuple[np.ndarray, Split]:
    """Runs of `length` rows, class after class."""
    y = np.zeros(events * apart, int)
    for i in range(events):
        y[i * apart + 100 : i * apart + 100 + length] = 1 + i % (classes - 1)
    return y, split(y, time=np.arange(len(y)))


@pytest.mark.parametrize("events", [4, 12, 30])
def test_rows_of_one_event_count_once(events):
    y, found = failures(events)
    seen = events_in(y, found)
    assert seen is not None
    assert rare(y, found) == seen.judged == sum(seen.by_block) == sum(rare_by_block(y, found))
    assert (seen.label, seen.everywhere, seen.groups) == (1, events, None)
    assert seen.rows == 50 * seen.judged  # none is torn
    assert seen.judged < events
    assert rarest(y, found) == 1
    assert in_table(y, np.arange(len(y))) == {1: events}


def test_each_class_has_its_events_and_the_fewest_count():
    y, found = failures(30, classes=4)
    assert in_table(y, np.arange(len(y))) == {1: 10, 2: 10, 3: 10}
    late = np.where((y == 3) & (np.arange(len(y)) % 250 > 102), 0, y)
    assert in_table(late, np.arange(len(y)))[3] == 10
    assert rare(y, found) <= 8


def test_weights_that_leave_one_event_leave_one():
    y, found = failures(12)
    weights = np.ones(len(y))
    assert rare(y, found, weights) == rare(y, found)
    weights[np.flatnonzero(y)[-50:]] = 1e6
    assert rare(y, found, weights) == 1
    assert rare_by_block(y, found, weights)[-1] == 1


def test_groups_in_time_count_where_they_have_an_event():
    who, when = np.divmod(np.arange(20 * 300), 300)
    y = ((who < 12) & (when % 100 < 10)).astype(int)
    found = split(y, time=when, groups=who)
    seen = events_in(y, found)
    assert seen is not None
    assert rare(y, found) == seen.groups == 12
    assert seen.everywhere == 36
    assert seen.judged < 36
    assert in_table(y, when, who) == {1: 36}


def test_rows_without_an_order_have_no_events():
    y = np.arange(60) % 2
    assert events_in(y, split(y)) is None
    assert rare_by_block(y, split(y)) == ()
    assert rare(y, split(y)) == 30
