"""What moving the cut alone brings, what a weighting adds, and what is better without any, in numbers and words."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import f1_score

from steelyard.tuning.metric import METRICS
from steelyard.tuning.validation.folds import split
from steelyard.tuning.verdict.decision import NORMAL, Comparison, Decision
from steelyard.tuning.verdict.practice import Beside, Practice, Step, better, practice, said, widths

F1, AP = METRICS["f1"], METRICS["average_precision"]
COST = dataclasses.replace(METRICS["expected_cost"], cost_fn=5.0)
Y = (np.arange(400) % 10 == 0).astype(np.int64)
SPLIT = split(Y, folds=4, repeats=3)


def calls(hit: float, alarm: float, seed: int = 0) -> np.ndarray:
    """Decisions of three repetitions that find such a share of the positives, at such a rate of alarms."""
    draw = np.random.default_rng(seed).random((3, len(Y)))
    return (draw < np.where(Y == 1, hit, alarm)).astype(np.int8)


def comparison(gains, s, metric=AP, plain=0.4, c1=2.0, c=2.5, draws=None) -> Comparison:
    D = np.array([0.0, *gains])
    s = s * (D != 0)
    value = plain + (D if metric.higher else -D)
    drawn = np.zeros((len(D), 2)) if draws is None else draws
    return Comparison(metric, value, D, s, D - c1 * s, D + c * s, np.arange(len(D)) > 0, drawn)


def step(before, gain, half) -> Step:
    return Step(before, before + gain, gain, gain - half, gain + half, half / 1.96)


CUT, OWN = step(0.1, 0.3, 0.05), step(0.2, 0.25, 0.05)
WON, LOST = Decision("A", 1, 1, 0.1), Decision("B", None, 1, 0.01)


def test_the_steps_are_the_metric_of_the_decisions():
    unmoved, moved, other, own = calls(0.2, 0.0), calls(0.8, 0.05, 1), calls(0.5, 0.02, 2), calls(0.9, 0.05, 3)
    found = practice(Y, 2, SPLIT, F1, [(unmoved, moved), (other, own)], 200, 0, widths=(2.5, 3.0))

    def mean(decided):
        return np.mean([f1_score(Y, one) for one in decided])

    assert found.cut.before == pytest.approx(mean(unmoved))
    assert found.cut.after == found.weighting.before == pytest.approx(mean(moved))
    assert found.cut.difference == pytest.approx(mean(moved) - mean(unmoved))
    assert found.weighting.difference == pytest.approx(mean(own) - mean(moved))
    assert found.own.difference == pytest.approx(mean(own) - mean(other))
    s = found.weighting.deviation
    assert found.weighting.low == pytest.approx(found.weighting.difference - 2.5 * s)
    assert found.weighting.high == pytest.approx(found.weighting.difference + 3.0 * s)
    assert found.cut.high - found.cut.difference == pytest.approx(NORMAL * found.cut.deviation)
    assert found.unmoved == "0.5"
    assert found.moves


def test_what_changes_no_decision_is_not_visible():
    same = calls(0.8, 0.05)
    found = practice(Y, 2, SPLIT, COST, [(same, same), (same, same)], 100, 0)
    assert found.cut.difference == found.weighting.difference == 0
    assert found.visible is False
    assert not found.moves
    alone = practice(Y, 2, SPLIT, COST, [(same, same)], 100, 0)
    assert alone.own is alone.weighting is alone.visible is None
    assert "weighting" in alone.to_dict()


def test_a_cost_counts_gains_as_what_is_saved():
    found = practice(Y, 2, SPLIT, COST, [(calls(0.1, 0.0), calls(0.9, 0.02))], 100, 0)
    assert found.cut.difference == pytest.approx(found.cut.before - found.cut.after)
    assert found.cut.difference > 0
    assert "by expected cost per 1000 rows (positive is better), moving" in said(
        found, LOST, comparison([0.0], 0.01), []
    )


def test_a_winner_whose_gain_no_decision_shows_is_named_so():
    hidden = Practice(F1, "0.5", CUT, OWN, step(0.4, 0.002, 0.012))
    assert said(hidden, WON, comparison([0.05], 0.01), []) == (
        " In decisions, by F1, moving the cut alone brings +0.300 [0.250, 0.350] over 0.5, and the weighting at its own cut adds"
        " +0.002 [-0.010, 0.014]: its gain does not show in the decisions that people take."
    )
    shown = Practice(F1, "0.5", CUT, OWN, step(0.4, 0.05, 0.02))
    assert said(shown, WON, comparison([0.05], 0.01), []).endswith("adds +0.050 [0.030, 0.070].")
    small = Practice(F1, "0.5", CUT, OWN, step(0.4, 0.004, 0.002))
    assert small.visible is False  # sure, and below the margin


def test_a_verdict_by_decisions_says_the_gain_once():
    found = Practice(F1, "0.5", CUT, OWN, step(0.4, 0.05, 0.02))
    assert said(found, WON, comparison([0.05], 0.01, F1), []) == (
        " The difference is what the weighting adds to a moved cut: moving the cut alone brings +0.300 [0.250, 0.350] over 0.5."
    )


@pytest.mark.parametrize("case", ["D", "E", "P"])
def test_without_a_verdict_nothing_is_added(case):
    found = Practice(F1, "0.5", CUT)
    assert said(found, Decision(case, None, 1, 0.1), comparison([0.05], 0.01), [Beside("x", 1, 1, 1, 1)]) == ""


def test_more_classes_whose_cut_needs_no_move_keep_the_largest_probability():
    kept = Practice(METRICS["balanced_accuracy"], "the largest probability", step(0.9, 0.0004, 0.001))
    assert said(kept, LOST, comparison([0.0], 0.01), []) == (
        " In decisions, by balanced accuracy, moving the cut alone brings +0.0004 [-0.0006, 0.0014] over the largest probability,"
        " so the largest probability decides as well and is to be kept."
    )
    unsure = Practice(METRICS["balanced_accuracy"], "the largest probability", step(0.9, 0.02, 0.05))
    assert not unsure.moves  # within one standard error


def test_what_is_clearly_better_without_weights_is_said():
    rng = np.random.default_rng(0)
    draws = np.stack([np.full(500, 400.0), *(400 - g + 30 * rng.normal(size=500) for g in (20, 188, 60))])
    found = comparison([20.0, 188.0, 60.0], 30.0, COST, 400.0, draws=draws)
    (one,) = better(found, {2: "plain, prior shift", 3: "SMOTE"})
    assert (one.name, one.difference) == ("plain, prior shift", 188.0)
    assert 100 < one.low < 188 - 1.96 * 30 + 10  # wide enough for both together
    text = said(Practice(COST, "0.5", CUT), LOST, found, [one])
    assert text.endswith(
        f" But without weights plain, prior shift is clearly better than plain training with a moved threshold: +188.000"
        f" [{one.low:.3f}, {one.high:.3f}] in expected cost per 1000 rows (positive is better); try that first."
    )
    won = said(Practice(COST, "0.5", CUT, OWN, OWN), WON, found, [one, one])
    assert won.endswith("], 1 more of them too.")
    assert "is better than plain training with a moved threshold, too: +188.000" in won
    assert better(found, {}) == []
    assert better(found, {3: "SMOTE"})[0].low < better(found, {3: "SMOTE"})[0].difference


def test_an_interval_of_the_verdict_lends_its_width():
    assert widths(comparison([0.05], 0.01), 1) == pytest.approx((2.0, 2.5))
    assert widths(comparison([0.0], 0.01), 1) == (NORMAL, NORMAL)
