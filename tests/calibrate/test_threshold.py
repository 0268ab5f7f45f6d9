"""Cuts against brute force and scikit-learn."""

import math

import numpy as np
import pytest
import torch

from steelyard import threshold

metrics = pytest.importorskip("sklearn.metrics")


def draw(seed, n=60):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.3).astype(int)
    y[:2] = 0, 1
    return np.round(np.clip(rng.normal(0.35 + 0.25 * y, 0.2), 0, 1), rng.integers(1, 4)), y  # with ties


PURPOSES = {
    "costs": ({"cost_fn": 20, "cost_fp": 1}, lambda y, d: -20 * (y & ~d).sum() - (~y & d).sum()),
    "f1": ({"metric": "fbeta"}, lambda y, d: metrics.fbeta_score(y, d, beta=1, zero_division=0)),
    "f2": ({"metric": "fbeta", "beta": 2.0}, lambda y, d: metrics.fbeta_score(y, d, beta=2, zero_division=0)),
    "balanced": ({"metric": "balanced_accuracy"}, lambda y, d: metrics.balanced_accuracy_score(y, d)),
    "precision": (
        {"precision": 0.7},
        lambda y, d: metrics.recall_score(y, d) if metrics.precision_score(y, d, zero_division=0) >= 0.7 else -1,
    ),
    "recall": (
        {"recall": 0.8},
        lambda y, d: metrics.precision_score(y, d, zero_division=1) if metrics.recall_score(y, d) >= 0.8 else -1,
    ),
    "exchange": ({"exchange": 3}, lambda y, d: -3 * (y & ~d).sum() - (~y & d).sum()),
    "capacity": ({"capacity": 0.25}, lambda y, d: (y & d).sum() if d.sum() <= 0.25 * len(d) else -1),
}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("purpose", PURPOSES)
def test_no_cut_is_better(purpose, seed):
    options, gain = PURPOSES[purpose]
    p, y = draw(seed)
    got = gain(y == 1, p >= threshold(p, y, **options))
    best = max(gain(y == 1, p >= cut) for cut in {-1.0, 2.0, *p, *np.nextafter(p, 2)})
    assert got == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_row_of_weight_k_is_k_rows(purpose, seed):
    (p, y), options = draw(seed), PURPOSES[purpose][0]
    times = np.random.default_rng(seed).integers(0, 4, len(y))
    times[:2] = 1
    expected = threshold(np.repeat(p, times), np.repeat(y, times), **options)
    assert threshold(p, y, weight=times, **options) == expected
    assert threshold(p, y, weight=times * 0.37, **options) == expected
    for wrong, words in ((times[1:], "one number for each row"), (times - 1.0, "finite and >= 0")):
        with pytest.raises(ValueError, match=words):
            threshold(p, y, weight=wrong, **options)


def test_recall_and_precision_agree_with_the_curve_of_scikit_learn():
    p, y = draw(0, 500)
    precision, recall, _ = metrics.precision_recall_curve(y, p)
    cut = threshold(p, y, precision=0.6)
    assert metrics.recall_score(y, p >= cut) == recall[precision >= 0.6].max()
    cut = threshold(p, y, recall=0.9)
    assert metrics.precision_score(y, p >= cut) == precision[recall >= 0.9].max()


@pytest.mark.parametrize("total", [49, 100])
def test_a_recall_that_is_reached_exactly_counts(total):
    """k of `total` positives above every negative, the others below: k / total is reached with precision 1."""
    for k in range(1, total):
        y = np.r_[np.ones(k), np.zeros(3), np.ones(total - k)]
        p = np.linspace(1, 0, len(y))
        assert (p >= threshold(p, y, recall=k / total)).sum() == k


def test_on_calibrated_scores_the_best_cut_of_the_costs_is_the_theoretical_one():
    rng = np.random.default_rng(0)
    p = rng.random(200_000)
    y = rng.random(200_000) < p
    assert threshold(p, y, cost_fn=4, cost_fp=1) == pytest.approx(1 / 5, abs=0.02)


def test_cuts_lie_midway_and_tied_scores_stay_together():
    assert threshold([0.1, 0.2, 0.6, 0.8], [0, 0, 1, 1], metric="fbeta") == pytest.approx(0.4)
    cut = threshold([0.5, 0.5, 0.5, 0.2], [1, 0, 1, 0], metric="balanced_accuracy")
    assert cut == pytest.approx(0.35)
    low, high = 0.5, float(np.nextafter(0.5, 1))
    assert threshold([low, high], [0, 1], metric="fbeta") == high


def test_everything_and_nothing_are_cuts_too():
    p, y = [0.2, 0.4, 0.6], [1, 0, 0]
    assert threshold(p, y, cost_fn=100, cost_fp=1) == -math.inf
    assert threshold(p, y, cost_fn=1, cost_fp=100) == math.inf
    assert threshold(p, y, recall=1.0) == -math.inf


def test_a_capacity_is_never_exceeded_and_is_filled_where_no_score_ties():
    p, y = np.linspace(1, 0, 100), np.tile([1, 0], 50)
    for share in (0.01, 0.07, 0.29, 0.57, 1.0):  # 0.29 * 100 is 28.999999999999996
        assert (p >= threshold(p, y, capacity=share)).sum() == round(share * 100)
    assert threshold([0.5] * 4, [0, 1, 0, 1], capacity=0.5) == math.inf
    assert threshold([0.9, 0.5, 0.5, 0.5], [0, 1, 0, 1], capacity=0.5) == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("p", "says"),
    [([-2.5, 0.5, 3.0], "got -2.5 to 3"), ([0.1, 0.5, 1.5], "to 1.5"), ([-math.inf, 0.5, 0.9], "got -inf")],
)
def test_logits_and_other_scores_are_refused(p, says):
    with pytest.raises(ValueError, match=f"{says}.*posterior.*sigmoid"):
        threshold(p, [0, 0, 1], metric="fbeta")


TEXT = ["no", "no", "yes", "no", "yes", "yes"]
SCORES = [0.1, 0.2, 0.35, 0.4, 0.8, 0.9]


@pytest.mark.parametrize("y", [TEXT, np.array(TEXT), np.array(TEXT, object)], ids=["list", "text", "object"])
def test_labels_of_text_are_taken(y):
    expected = threshold(SCORES, [int(v == "yes") for v in TEXT], cost_fn=20, cost_fp=1)
    assert threshold(SCORES, y, cost_fn=20, cost_fp=1) == expected
    assert threshold(SCORES, y, cost_fn=20, cost_fp=1, positive="yes") == expected


def test_a_series_of_text_is_taken():
    pd = pytest.importorskip("pandas")
    for dtype in (object, "string", "category"):
        y = pd.Series(TEXT, dtype=dtype)
        assert threshold(SCORES, y, metric="fbeta") == threshold(
            SCORES, [int(v == "yes") for v in TEXT], metric="fbeta"
        )


def test_whose_probability_it_is_is_asked_where_the_data_do_not_say():
    """p is that of "ill", the first in order."""
    y = ["ill" if v == "yes" else "well" for v in TEXT]
    with pytest.raises(ValueError, match="say positive='ill' or positive='well'"):
        threshold(SCORES, y, metric="fbeta")
    expected = threshold(SCORES, [int(v == "yes") for v in TEXT], metric="fbeta")
    assert threshold(SCORES, y, metric="fbeta", positive="ill") == expected
    assert threshold(SCORES, [2 if v == "yes" else 1 for v in TEXT], metric="fbeta", positive=2) == expected
    for wrong, labels in (("sick", y), (3, [0, 1, 0, 0, 1, 1])):
        with pytest.raises(ValueError, match="must be one of the two labels"):
            threshold(SCORES, labels, metric="fbeta", positive=wrong)


def test_tensors_and_booleans_are_taken():
    p, y = torch.tensor([0.1, 0.9]), torch.tensor([False, True])
    assert threshold(p, y, metric="fbeta") == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("p", "y", "options", "why"),
    [
        ([0.1, 0.9], [0, 1], {}, "name one purpose.*got none"),
        ([0.1, 0.9], [0, 1], {"recall": 0.5, "metric": "fbeta"}, "got metric, recall"),
        ([0.1, 0.9], [0, 1], {"cost_fn": 1}, "in pairs"),
        ([0.1, 0.9], [0, 1], {"cost_fn": 0, "cost_fp": 0}, "not both 0"),
        ([0.1, 0.9], [0, 1], {"metric": "accuracy"}, "one of fbeta"),
        ([0.1, 0.9], [0, 1], {"metric": "fbeta", "beta": 0}, "beta must be > 0"),
        ([0.1, 0.9], [0, 1], {"exchange": 0}, "exchange must be"),
        ([0.1, 0.9], [0, 1], {"capacity": 20}, "capacity must be in \\(0, 1\\]"),
        ([0.1, 0.9], [0, 1], {"recall": 1.5}, "in \\(0, 1\\]"),
        ([0.9, 0.1], [0, 1], {"precision": 0.9}, "highest here is 0.5"),
        ([0.1, 0.9], [1, 1], {"recall": 0.5}, "only one class"),
        ([0.1, 0.9], [0, 2], {"recall": 0.5}, "0 or 1"),
        ([0.1, math.nan], [0, 1], {"recall": 0.5}, "NaN"),
        ([[0.1, 0.9]], [1], {"recall": 0.5}, "two vectors"),
    ],
)
def test_bad_calls_are_named(p, y, options, why):
    with pytest.raises(ValueError, match=why):
        threshold(p, y, **options)
