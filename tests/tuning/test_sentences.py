"""The sentences, word by word."""

import numpy as np
import pytest

from steelyard.tuning import honesty
from steelyard.tuning.honesty import Comparison, Gate
from steelyard.tuning.metrics import METRICS
from steelyard.tuning.sentences import Facts, sentence, threshold

OPEN = Gate("AUC", 0.8, 0.75, 0.5, True)
X = "inverse_frequency(beta=1)"
ARMS = ("plain", X, "focal(gamma=2)")


def said(
    gains,
    s,
    *,
    rare=90,
    gate=OPEN,
    at_edge=False,
    value=0.364,
    metric=METRICS["average_precision"],
    c=2.5,
    c1=2.5,
    t=0.231,
):
    D = np.array([0.0, *gains])
    values = value + (D if metric.higher else -D)
    found = Comparison(metric, values, D, s * (D != 0), D - c1 * s, D + c * s, np.arange(3) > 0, np.zeros((3, 1)))
    decision = honesty.decide(found, gate, rare, [(0,), (1,), (2,)], at_edge=at_edge)
    return sentence(decision, found, gate, Facts(ARMS, rare, "positives", 5, 5, t))


def test_a_winner():
    assert said([0.092, 0.0], 0.0244) == (
        "inverse_frequency(beta=1) beats plain training with a moved threshold: average precision 0.456 against 0.364,"
        " difference +0.092 [95 % simultaneous interval 0.031, 0.153], 90 positives, 5 x 5 cross-validation,"
        " 2 strategies compared."
    )


def test_a_winner_whose_baseline_sat_at_the_edge():
    assert said([0.092, 0.0], 0.0244, at_edge=True).endswith(
        "2 strategies compared. The regularisation of plain training ended at the edge of its range; widen it before"
        " trusting this."
    )


def test_no_difference():
    assert said([0.003, 0.0], 0.0028).startswith(
        "No weighting beats plain training with a moved threshold: the best (inverse_frequency(beta=1)) differs by +0.003"
        " [-0.004, 0.010], so a gain above 0.010 is unlikely. Keep plain training and set the threshold at 0.231."
    )


def test_cannot_tell():
    assert said([0.012, 0.0], 0.0132, rare=45).startswith(
        "No weighting was shown to beat plain training with a moved threshold. The best (inverse_frequency(beta=1)) differs"
        " by +0.012 [-0.021, 0.045]; with 45 positives a gain up to 0.045 cannot be excluded. Keep plain training with"
        " threshold 0.231, or bring more positives."
    )


def test_too_little_to_matter():
    assert said([0.002, 0.0], 0.0004).startswith(
        "inverse_frequency(beta=1) is better by +0.002 [0.001, 0.003], too little to matter (margin 0.005). Keep plain"
        " training with threshold 0.231."
    )


def test_no_signal():
    assert said([0.0, 0.0], 0.01, gate=Gate("AUC", 0.52, 0.47, 0.5, False)) == (
        "No verdict: plain training does not rank better than chance (AUC 0.52, lower end 0.47). Weights do not repair"
        " missing signal."
    )


def test_too_few():
    assert said([0.0, 0.0], 0.01, rare=14) == (
        "No verdict: 14 positives. Below 20 only a description is possible; intervals are in the report."
    )


def test_all_worse():
    assert said([-0.0040, -0.02], 0.0009).startswith(
        "Every weighting is worse than plain training with a moved threshold (best: inverse_frequency(beta=1), -0.004"
        " [-0.006, -0.002])."
    )


@pytest.mark.parametrize("gains", [[0.003, 0.0], [0.0, 0.05], [0.002, 0.0]])
def test_every_sentence_without_a_winner_names_metric_counts_and_splits(gains):
    assert said(gains, 0.03).endswith(
        "Judged by average precision: 90 positives, 5 x 5 cross-validation, 2 strategies compared."
    )


def test_a_loss_says_which_way_is_better():
    found = said([2.8, 0.0], 0.5, value=15.1, metric=METRICS["expected_cost"])
    assert "expected cost per 1000 rows 12.300 against 15.100, difference +2.800 (positive is better)" in found


def test_small_thresholds_keep_their_digits():
    assert [threshold(t) for t in (0.5, 0.0123, 0.00042, 0.0)] == ["0.500", "0.012", "0.00042", "0.000"]


def test_nothing_is_minus_zero():
    assert "-0.000" not in said([-0.0001, -0.0002], 0.004)
