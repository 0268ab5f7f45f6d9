"""Draws have the means and variances of theory, and resample what was kept together."""

import numpy as np
import pytest

from steelyard.tuning.events import stretch, units
from steelyard.tuning.split import Split
from steelyard.tuning.validation.folds import split
from steelyard.tuning.verdict import bootstrap
from steelyard.tuning.verdict.bootstrap import draws


def all_draws(y: np.ndarray, count: int, seed: int = 0, kind: Split | None = None) -> np.ndarray:
    return np.concatenate(list(draws(y, count, seed, kind)), axis=1)


def grouped(groups: int = 30, rows: int = 6, seed: int = 0) -> tuple[np.ndarray, Split]:
    codes = np.repeat(np.arange(groups), rows)
    y = (np.random.default_rng(seed).random(len(codes)) < 0.3).astype(int)
    return y, split(y, groups=codes)


def timed(rows: int = 720, gap: int = 0, seed: int = 0) -> tuple[np.ndarray, Split]:
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < 0.3).astype(int)
    return y, split(y, time=rng.permutation(rows), gap=gap)


KINDS = {
    "rows": lambda: (np.repeat([0, 1], [150, 50]), None),
    "stratified": lambda: (y := np.repeat([0, 1], [150, 50]), split(y)),
    "groups": grouped,
    "time": timed,
}


@pytest.mark.parametrize("name", KINDS)
def test_every_draw_has_every_class_and_as_many_rows_or_groups(name):
    y, kind = KINDS[name]()
    W = all_draws(y, 400, 1, kind)
    assert W.dtype == np.float32
    judged = np.ones(len(y), bool) if kind is None else kind.judged
    assert W.shape == (judged.sum(), 400)
    for c in (0, 1):
        assert W[y[judged] == c].sum(axis=0).min() > 0
    if name == "groups":
        np.testing.assert_array_equal(W[::6].sum(axis=0), 30)
    elif name == "time":
        stretches = units(y[judged], kind.order[judged])
        np.testing.assert_array_equal(W[np.unique(stretches, return_index=True)[1]].sum(axis=0), stretches.max() + 1)
    else:
        np.testing.assert_array_equal(W.sum(axis=0), judged.sum())


@pytest.mark.parametrize("name", KINDS)
def test_a_row_is_drawn_once_on_average(name):
    y, kind = KINDS[name]()
    mean = all_draws(y, 4000, 2, kind).mean(axis=1)
    np.testing.assert_allclose(mean, 1, atol=5 / np.sqrt(4000))
    assert mean.mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("name", KINDS)
def test_how_draws_are_cut_changes_nothing(name, monkeypatch):
    y, kind = KINDS[name]()
    whole = all_draws(y, 50, 3, kind)
    monkeypatch.setattr(bootstrap, "CHUNK", 7 * len(y))
    monkeypatch.setattr(bootstrap, "WIDE", 1)
    np.testing.assert_array_equal(all_draws(y, 50, 3, kind), whole)
    assert not np.array_equal(all_draws(y, 50, 4, kind), whole)


@pytest.mark.parametrize("page", [bootstrap.PAGE, 32])
def test_rows_are_multinomial_within_their_class(page, monkeypatch):
    """Variance 1 - 1/n and covariance -1/n, whether or not a class is drawn page by page."""
    monkeypatch.setattr(bootstrap, "PAGE", page)
    y = np.repeat([0, 1], [90, 40])
    W = all_draws(y, 8000, 5)
    np.testing.assert_array_equal(W[y == 1].sum(axis=0), 40)
    for c, n in ((0, 90), (1, 40)):
        covariance = np.cov(W[y == c])
        off = covariance[~np.eye(n, dtype=bool)]
        assert np.diag(covariance).mean() == pytest.approx(1 - 1 / n, rel=0.03)
        assert off.mean() == pytest.approx(-1 / n, rel=0.08)
        assert np.abs(off + 1 / n).max() < 0.07
    between = np.corrcoef(W[y == 0][:5], W[y == 1][:5])[:5, 5:]
    assert np.abs(between).max() < 0.06


def test_the_numbers_of_small_classes_are_those_of_numpy():
    """What a seed gives does not change from version to version."""
    y = np.repeat([0, 1], [30, 12])
    rng = np.random.default_rng([9, 2])
    expected = [np.concatenate([np.bincount(rng.integers(0, n, n), minlength=n) for n in (30, 12)]) for _ in range(20)]
    np.testing.assert_array_equal(all_draws(y, 20, 9).T, expected)


def test_groups_are_drawn_whole():
    y, kind = grouped()
    assert kind.groups is not None
    W = all_draws(y, 500, 1, kind)
    for g in range(30):
        assert np.ptp(W[kind.groups == g], axis=0).max() == 0
    covariance = np.cov(W[::6])  # one row of each group
    assert np.diag(covariance).mean() == pytest.approx(1 - 1 / 30, rel=0.05)


def test_the_variance_of_a_mean_is_that_of_its_groups():
    """For values that are the same within a group rows would give a sixth of the variance."""
    y, kind = grouped(groups=80)
    assert kind.groups is not None
    value = np.random.default_rng(3).normal(size=80)
    mean = value[kind.groups] @ all_draws(y, 5000, 1, kind) / len(y)
    assert mean.var() == pytest.approx(value.var() / 80, rel=0.1)


def test_a_class_of_few_groups_is_never_missing():
    codes = np.repeat(np.arange(20), 5)
    y = np.isin(codes, (4, 11)).astype(int)
    W = all_draws(y, 300, 0, split(y, groups=codes))
    assert (W[y == 1].sum(axis=0) > 0).all()


def test_stretches_follow_time_and_not_the_order_of_the_rows():
    y, kind = timed()
    assert kind.order is not None
    W = all_draws(y, 300, 1, kind)
    in_time = W[np.argsort(kind.order[kind.judged])]
    length = stretch(len(in_time), 0)
    changes = (np.abs(np.diff(in_time, axis=0)) > 0).sum(axis=0)
    assert changes.max() <= -(-len(in_time) // length)
    assert (np.abs(np.diff(W, axis=0)) > 0).sum(axis=0).min() > changes.max()


def test_the_variance_of_a_mean_of_a_series_counts_its_memory():
    """AR(1) with coefficient 0.5: the long-run variance is (1 + 0.5) / (1 - 0.5) = 3 times that of the rows; rows drawn
    one by one would not see it, blocks of n^(1/3) see most of it."""
    rng = np.random.default_rng(0)
    n = 3000
    noise, series = rng.normal(size=n), np.zeros(n)
    for i in range(1, n):
        series[i] = 0.5 * series[i - 1] + noise[i]
    y = (rng.random(n) < 0.3).astype(int)
    kind = split(y, time=np.arange(n))
    seen = series[kind.judged]
    mean = seen @ all_draws(y, 3000, 1, kind) / len(seen)
    assert 2.2 < mean.var() / (seen.var() / len(seen)) < 3.4


def test_the_first_rows_in_time_are_not_judged_and_not_drawn():
    y, kind = timed(600)
    assert all_draws(y, 10, 0, kind).shape == (kind.judged.sum(), 10)
    assert kind.judged.sum() == pytest.approx(400, abs=5)


def test_events_are_drawn_whole():
    """Twelve events of 40 rows: the variance of the share of positives is that of events, forty times that of rows."""
    y = np.zeros(4000, int)
    for start in range(100, 4000, 330):
        y[start : start + 40] = 1
    kind = split(y, time=np.arange(len(y)))
    W = all_draws(y, 2000, 0, kind)
    positive = y[kind.judged] == 1
    events = W[positive].reshape(-1, 40, 2000)
    assert np.ptp(events, axis=1).max() == 0
    count = events[:, 0].sum(axis=0)
    assert count.var() == pytest.approx(len(events), rel=0.35)


def test_groups_are_drawn_whole_in_time_too():
    rng = np.random.default_rng(0)
    who, when = np.divmod(rng.permutation(1200), 40)
    y = (rng.random(1200) < 0.3).astype(int)
    kind = split(y, time=when, groups=who)
    W = all_draws(y, 200, 0, kind)
    for g in range(30):
        assert np.ptp(W[who[kind.judged] == g], axis=0).max() == 0
