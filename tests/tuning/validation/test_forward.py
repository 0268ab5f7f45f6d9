"""Forward in time with groups: nothing of the future and nothing of a group that is held out is learned from.

Files: tuning/validation/deal.py.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples_of import examples

from steelyard.tuning.split import Split
from steelyard.tuning.validation.folds import split


def panel(groups: int, times: int, seed: int = 0, prevalence: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every group at every time, rows in no order: machines."""
    rng = np.random.default_rng(seed)
    who, when = np.divmod(rng.permutation(groups * times), times)
    return (rng.random(groups * times) < prevalence).astype(int), when, who


def visits(groups: int, each: int, span: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups that begin one after another and last for `span` times: patients."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(groups), each)
    when = 10 * who + rng.integers(0, span, len(who))
    return (rng.random(len(who)) < 0.3).astype(int), when, who


@settings(max_examples=examples(25), deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(8, 40),
    st.integers(20, 60),
    st.integers(0, 30),
    st.sampled_from(["panel", "visits"]),
)
def test_neither_later_rows_nor_rows_of_the_same_group_are_learned_or_tuned_from(seed, groups, times, gap, kind):
    y, when, who = panel(groups, times, seed) if kind == "panel" else visits(groups, times, 30, seed)
    found = split(y, time=when, groups=who, gap=gap)
    check(found, y, when, who, gap)


def check(found: Split, y: np.ndarray, when: np.ndarray, who: np.ndarray, gap: int) -> None:
    assert found.order is not None
    assert found.repetitions == 1
    out = [found.out(0, f) for f in range(found.folds)]
    assert sorted(np.concatenate(out)) == np.flatnonzero(found.held[0] >= 0).tolist()
    assert np.sum(found.blocks, axis=0).tolist() == [1] * int(found.judged.sum())
    for f, rows in enumerate(out):
        train, tunes = found.train(0, f), np.flatnonzero(found.tunes(0, f))
        for learned in (train, tunes):
            assert not set(who[learned]) & set(who[rows])
            if len(learned):
                assert when[learned].max() < when[rows].min()
                assert found.order[rows].min() - found.order[learned].max() > gap
        assert np.bincount(y[train], minlength=2).min() >= 2
        if found.judged[rows].any():
            assert found.judged[rows].all()
            assert set(y[tunes]) == {0, 1}
        else:
            assert not len(tunes)


def test_machines_that_are_always_there_are_parted_and_patients_are_not():
    y, when, who = panel(30, 40)
    found = split(y, time=when, groups=who)
    assert len(found.blocks) == 4
    assert found.folds == 25
    assert "parted by groups into 5" in found.notes[-1]
    y, when, who = visits(120, 10, 20)
    found = split(y, time=when, groups=who)
    assert (found.folds, found.block, found.notes) == (5, (), ())


def test_the_seed_deals_the_groups_and_nothing_else():
    y, when, who = panel(30, 40)
    a, b, again = (split(y, time=when, groups=who, seed=s) for s in (0, 1, 0))
    np.testing.assert_array_equal(a.held, again.held)
    assert not np.array_equal(a.held, b.held)
    np.testing.assert_array_equal(a.block_of, b.block_of)


def test_groups_that_are_too_few_are_refused_with_the_class():
    y, when, who = panel(12, 50)
    y[who > 0] = 0
    with pytest.raises(ValueError, match=r"of other groups \(600 rows, 12 groups; class 'yes' comes from fewest\)"):
        split(y, time=when, groups=who, classes=["no", "yes"])


def test_an_event_stays_on_one_side_of_every_boundary():
    y = np.zeros(3000, int)
    for start in range(40, 3000, 200):
        y[start : start + 80] = 1
    found = split(y, time=np.arange(3000))
    boundaries = np.flatnonzero(np.diff(found.held[0])) + 1
    assert len(boundaries) == 5
    assert not np.any((y[boundaries - 1] == 1) & (y[boundaries] == 1))


def test_a_history_of_two_events_is_cut_all_the_same():
    y = np.zeros(1000, int)
    y[200:400] = y[700:900] = 1
    found = split(y, time=np.arange(1000))
    assert {int(y[found.out(0, f)].max()) for f in range(found.folds)} == {1}
