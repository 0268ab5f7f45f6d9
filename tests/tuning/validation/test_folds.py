"""What trains never sees what is held out, and every row that is judged is held out once.

Files: tuning/split.py, tuning/validation/blocks.py.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples_of import examples

from steelyard.tuning.rarity import rare, rare_by_block, rarest
from steelyard.tuning.split import Split
from steelyard.tuning.validation.folds import count_folds, split


def grouped_table(seed: int, groups: int = 60, classes: int = 2, largest: int = 12):
    """Groups of different sizes; in about a third of them the labels vary, the others hold class 0 only."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(rng.permutation(groups) + 100, rng.integers(1, largest + 1, groups))
    mixed = rng.random(groups + 100) < 0.4
    y = np.where(mixed[codes], rng.integers(0, classes, len(codes)), 0)
    return y, codes


SPLITS = {
    "stratified": lambda: (y := np.repeat([0, 1], [95, 25]), split(y, seed=3, repeats=3)),
    "three classes": lambda: (y := np.arange(150) % 3, split(y, seed=3, repeats=3)),
    "grouped": lambda: ((t := grouped_table(1))[0], split(t[0], groups=t[1], seed=3, repeats=3)),
    "grouped, three classes": lambda: (
        (t := grouped_table(2, 90, 3))[0],
        split(t[0], groups=t[1], seed=3, repeats=3),
    ),
}


def in_time(rows: int = 600, gap: int = 0, seed: int = 0, ties: int = 1, share: float = 0.2, k: int = 5):
    rng = np.random.default_rng(seed)
    time = rng.permutation(rows) // ties
    y = (rng.random(rows) < share).astype(np.int64)
    return y, time, split(y, time=time, gap=gap, folds=k)


def check_shape(found: Split, rows: int):
    assert found.held.shape == (found.repetitions, rows)
    assert found.held.dtype == np.int64
    assert found.parts() == [(a, f) for a in range(found.repetitions) for f in range(found.folds)]


@pytest.mark.parametrize("name", SPLITS)
def test_every_row_is_held_out_once_per_repetition(name):
    y, found = SPLITS[name]()
    check_shape(found, len(y))
    assert found.judged.all()
    for a in range(found.repetitions):
        out = np.concatenate([found.out(a, f) for f in range(found.folds)])
        np.testing.assert_array_equal(np.sort(out), np.arange(len(y)))


@pytest.mark.parametrize("name", SPLITS)
def test_training_and_held_out_rows_are_the_whole_table_and_share_nothing(name):
    y, found = SPLITS[name]()
    for a, f in found.parts():
        both = np.concatenate([found.train(a, f), found.out(a, f)])
        np.testing.assert_array_equal(np.sort(both), np.arange(len(y)))
        np.testing.assert_array_equal(np.flatnonzero(found.tunes(a, f)), found.train(a, f))


@pytest.mark.parametrize("name", SPLITS)
def test_every_training_part_has_two_rows_of_every_class(name):
    y, found = SPLITS[name]()
    for a, f in found.parts():
        assert np.bincount(y[found.train(a, f)], minlength=int(y.max()) + 1).min() >= 2


@pytest.mark.parametrize("name", SPLITS)
def test_repetitions_differ_and_the_same_seed_gives_the_same(name):
    _, first = SPLITS[name]()
    _, second = SPLITS[name]()
    np.testing.assert_array_equal(first.held, second.held)
    assert len({h.tobytes() for h in first.held}) == len(first.held)


# Stratified ---------------------------------------------------------------------------------------------------------


def test_stratified_folds_are_those_of_before():
    y = np.repeat([0, 1], [95, 25])
    found = split(y, seed=3, repeats=4)
    for repetition in found.held:
        np.testing.assert_array_equal(np.bincount(repetition[y == 1]), 5)
    assert found.notes == ()


def test_lowered_folds_are_said():
    y = np.repeat([0, 1], [95, 13])
    found = split(y)
    assert found.folds == count_folds(y, 5) == 3
    assert found.notes == (
        "folds lowered from 5 to 3: there are 13 rows of the rarest class, and a fold should hold 4",
    )
    assert rare(y, found) == 13
    assert rarest(y, found) == 1
    assert rarest(1 - y, split(1 - y)) == 0
    assert rarest(np.arange(40) % 2, split(np.arange(40) % 2)) == 1


# Groups -------------------------------------------------------------------------------------------------------------


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 10_000), st.integers(12, 80), st.integers(2, 3), st.integers(2, 40))
def test_no_group_is_on_both_sides_and_rare_groups_are_spread_evenly(seed, groups, classes, largest):
    y, codes = grouped_table(seed, groups, classes, largest)
    table = np.stack([np.bincount(codes[y == c], minlength=codes.max() + 1) for c in range(classes)])
    containing = (table > 0).sum(axis=1)
    if containing.min() < 4 or len(np.unique(y)) < classes:
        return
    found = split(y, groups=codes, seed=seed, repeats=2)
    assert found.folds == max(2, min(5, containing.min() // 4))
    assert rare(y, found) == containing.min()
    rarest = int(containing.argmin())
    for a in range(2):
        for f in range(found.folds):
            assert not np.intersect1d(codes[found.train(a, f)], codes[found.out(a, f)]).size
            assert np.bincount(y[found.train(a, f)], minlength=classes).min() >= 2
        per_fold = [len(np.unique(codes[found.out(a, f)][y[found.out(a, f)] == rarest])) for f in range(found.folds)]
        assert max(per_fold) - min(per_fold) <= 1


def test_groups_of_like_size_give_folds_of_like_size():
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(200), rng.integers(8, 16, 200))
    y = (rng.random(len(codes)) < 0.1).astype(int)
    for repetition in split(y, groups=codes).held:
        assert np.ptp(np.bincount(repetition)) <= 0.05 * len(y)
        assert np.ptp(np.bincount(repetition[y == 1])) <= 0.1 * y.sum()


def test_repetitions_differ_even_where_every_group_has_a_size_of_its_own():
    """scikit-learn's StratifiedGroupKFold makes one and the same partition here, whatever its seed."""
    sizes = 10 * np.arange(1, 41)
    codes = np.repeat(np.arange(40), sizes)
    y = np.concatenate([(np.arange(s) < s // 7) * (i % 2) for i, s in enumerate(sizes)])
    found = split(y, groups=codes)
    partitions = {frozenset(frozenset(np.unique(codes[h == f]).tolist()) for f in range(5)) for h in found.held}
    assert len(partitions) == 5


def test_texts_and_numbers_name_the_same_groups():
    y, codes = grouped_table(4)
    for other in (codes.astype(str), codes.astype(float), np.array([f"p{c}" for c in codes], dtype=object)):
        partition = split(y, groups=other, repeats=1)
        assert len(np.unique(partition.groups)) == len(np.unique(codes))
        assert partition.groups.dtype == np.int64


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (np.arange(40), "every row is a group of its own \\(40 rows, 40 groups\\), so --group changes nothing"),
        (np.where(np.arange(40) < 3, -1, np.arange(40) // 4), "missing in 3 of 40 rows"),
        (np.where(np.arange(40) < 3, np.nan, np.arange(40) // 4), "missing in 3 of 40 rows"),
        (np.array([None, *"ab" * 19, "a"], dtype=object), "missing in 1 of 40 rows"),
        (np.repeat([0, 1], [30, 10]), "come from one group"),
        (np.arange(39) // 3, "one per row"),
    ],
)
def test_groups_that_cannot_work_are_refused_with_the_reason(groups, words):
    y = (np.arange(40) >= 32).astype(int)
    with pytest.raises(ValueError, match=words):
        split(y, groups=groups)


def test_a_class_from_two_groups_is_learned_from_one_and_checked_on_the_other():
    codes = np.repeat(np.arange(10), 10)
    y = np.isin(codes, (3, 7)).astype(int)
    found = split(y, groups=codes, repeats=3)
    assert found.folds == 2
    assert (rare(y, found), rarest(y, found)) == (2, 1)
    assert rare_by_block(y, found) == ()
    assert "groups with the rarest class" in found.notes[0]
    for a, f in found.parts():
        assert set(y[found.out(a, f)]) == {0, 1}


def test_a_class_with_one_row_in_each_of_two_groups_cannot_be_learned_twice():
    codes = np.repeat(np.arange(10), 10)
    y = np.zeros(100, int)
    y[[5, 95]] = 1
    with pytest.raises(ValueError, match="cannot be dealt into 2 folds"):
        split(y, groups=codes)


# Time ---------------------------------------------------------------------------------------------------------------


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 10_000), st.integers(150, 900), st.integers(0, 20), st.integers(1, 12), st.integers(3, 6))
def test_nothing_is_learned_or_tuned_from_the_future(seed, rows, gap, ties, k):
    y, time, found = in_time(rows, gap, seed, ties, k=k)
    check_shape(found, rows)
    assert found.repetitions == 1
    assert found.order is not None
    np.testing.assert_array_equal(np.sort(found.order), np.arange(rows))
    assert np.all(np.diff(time[np.argsort(found.order)]) >= 0)
    for _, f in found.parts():
        train, out, tunes = found.train(0, f), found.out(0, f), np.flatnonzero(found.tunes(0, f))
        assert time[train].max() < time[out].min()  # ties included
        assert found.order[out].min() - found.order[train].max() == gap + 1
        assert np.bincount(y[train], minlength=2).min() >= 2
        assert set(y[out]) == {0, 1}
        if f == 0:
            assert not len(tunes)
        else:
            assert set(found.held[0][tunes]) <= set(range(f))
            assert found.order[tunes].max() < found.order[out].min() - gap
            assert set(y[tunes]) == {0, 1}


def test_six_equal_stretches_of_which_four_are_judged():
    y, _, found = in_time(600)
    np.testing.assert_allclose(np.bincount(found.held[0] + 1), 100, atol=8)  # no run of positives is torn
    np.testing.assert_array_equal(found.judged, found.held[0] >= 1)
    assert found.notes == ()
    assert np.sum(found.blocks, axis=0).tolist() == [1] * int(found.judged.sum())
    in_time_order = y[np.argsort(found.order)]
    runs = (np.diff(in_time_order, prepend=0) == 1)[found.held[0][np.argsort(found.order)] > 0].sum()
    assert rare(y, found) == runs
    assert sum(rare_by_block(y, found)) == runs


def test_equal_times_stay_together():
    rng = np.random.default_rng(2)
    time = np.sort(rng.integers(0, 25, 600))
    y = (rng.random(600) < 0.3).astype(int)
    found = split(y, time=time)
    for t in range(25):
        assert len(set(found.held[0][time == t])) <= 1


def test_the_order_of_the_rows_changes_nothing():
    y, time, found = in_time()
    p = np.random.default_rng(1).permutation(len(y))
    np.testing.assert_array_equal(split(y[p], time=time[p]).held[0], found.held[0][p])


def test_dates_and_numbers_say_the_same():
    y, time, found = in_time()
    dates = np.datetime64("1969-06-01") + time.astype("timedelta64[D]")
    for other in (dates, time - 300, time / 7):
        np.testing.assert_array_equal(split(y, time=other).held, found.held)


def test_boundaries_move_where_a_block_would_lack_a_class():
    """All positives but a handful are late."""
    y = np.zeros(600, int)
    y[np.r_[10, 20, 30, 40, 50, 60, 70, 300:600:6]] = 1
    found = split(y, time=np.arange(600))
    assert found.folds == 5
    for f in range(5):
        assert y[found.out(0, f)].sum() >= 5
    assert "differ in size" in found.notes[0]


def test_fewer_blocks_where_more_would_lack_a_class():
    y = np.zeros(600, int)
    y[[10, 20, 200, 300, 500]] = 1
    found = split(y, time=np.arange(600))
    assert found.folds == 3
    assert "test blocks lowered from 5 to 3" in found.notes[0]


@pytest.mark.parametrize(
    ("y", "more", "words"),
    [
        (np.repeat([0, 1], 50), {"time": np.arange(100)}, "stretches of one class"),
        (np.arange(100) % 2, {"time": np.arange(100), "gap": 90}, "gap of 90 rows"),
        (np.arange(100) % 2, {"time": np.zeros(100)}, "1 different times"),
        (np.arange(100) % 2, {"time": np.where(np.arange(100) < 7, np.nan, 1.0)}, "missing in 7 of 100 rows"),
        (np.arange(100) % 2, {"time": np.arange(100), "gap": -1}, "at least 0, got -1"),
        (np.arange(100) % 2, {"time": np.arange(99)}, "one per row"),
        (np.arange(100) % 2, {"time": np.array(["May"] * 100)}, "YYYY-MM-DD"),
        (np.arange(100) % 2, {"gap": 5}, "--time"),
        (np.repeat([0, 1], [99, 1]), {"time": np.arange(100)}, "needs 2"),
    ],
)
def test_times_that_cannot_work_are_refused_with_the_reason(y, more, words):
    with pytest.raises(ValueError, match=words):
        split(y, **more)


@pytest.mark.parametrize("shares", [[0.9, 0.1], [0.1, 0.6, 0.3], [0.02, 0.9, 0.05, 0.03]])
def test_stratified_folds_are_those_of_scikit_learn(shares):
    from sklearn.model_selection import StratifiedKFold

    y = np.random.default_rng(1).choice(len(shares), 501, p=shares)
    for seed in (0, 5):
        ours = split(y, folds=5, repeats=2, seed=seed)
        for a in range(2):
            state = int(np.random.default_rng([seed, 1, a]).integers(2**31))
            theirs = StratifiedKFold(ours.folds, shuffle=True, random_state=state).split(y, y)
            for f, (_, out) in enumerate(theirs):
                np.testing.assert_array_equal(np.flatnonzero(ours.held[a] == f), out)
