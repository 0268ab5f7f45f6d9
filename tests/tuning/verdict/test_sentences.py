"""The sentences, word by word."""

import dataclasses

import numpy as np
import pytest

from steelyard.tuning.metric import METRICS
from steelyard.tuning.rarity import Events
from steelyard.tuning.validation.folds import split
from steelyard.tuning.verdict.decision import FEW_EVENTS, Comparison, Gate, decide
from steelyard.tuning.verdict.sentences import Facts, among, cut_short, rare_name, sentence, threshold

SPLITS = {
    "stratified": split(np.arange(80) % 2),
    "grouped": split(np.arange(80) % 2, groups=np.arange(80) // 2),
    "time": split(np.arange(80) % 2, time=np.arange(80)),
    "both": split(np.arange(80) % 2, time=np.arange(80), groups=np.arange(80) // 2),
}
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
    blocks=None,
    repetitions=None,
    **facts,
):
    D = np.array([0.0, *gains])
    values = value + (D if metric.higher else -D)
    found = Comparison(metric, values, D, s * (D != 0), D - c1 * s, D + c * s, np.arange(3) > 0, np.zeros((3, 1)))
    decision = decide(found, gate, rare, [(0,), (1,), (2,)], at_edge=at_edge, blocks=blocks, repetitions=repetitions)
    usual = {"rare_name": "positives", "repetitions": 5, "folds": 5, "threshold": t, "blocks": tuple(blocks or ())}
    return sentence(decision, found, gate, Facts(ARMS, rare, **(usual | facts)))


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


def test_no_difference_that_three_decimals_could_show():
    assert "so a gain above 0.0002 is unlikely." in said([0.0, 0.0], 0.0002 / 2.5)


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


# One history, groups, and studies that were stopped -----------------------------------------------------------------


def test_a_winner_in_one_history():
    assert said([0.092, 0.0], 0.0244, kind="time", blocks=[20, 25, 22, 23], repetitions=None) == (
        "inverse_frequency(beta=1) beats plain training with a moved threshold: average precision 0.456 against 0.364,"
        " difference +0.092 [95 % simultaneous interval 0.031, 0.153], 90 positives, one history of 4 test blocks,"
        " 2 strategies compared."
    )


@pytest.mark.parametrize("gains", [[0.092, 0.0], [0.003, 0.0]])
def test_a_history_too_short_says_neither_winner_nor_no_difference(gains):
    found = said(gains, 0.0028, kind="time", blocks=[20, 4, 22, 23])
    assert found.startswith(
        "No weighting was shown to beat plain training with a moved threshold. The best (inverse_frequency(beta=1)) differs by"
    )
    assert found.endswith(
        "Judged by average precision: 90 positives, one history of 4 test blocks, 2 strategies compared. One history: 3 of"
        " its test blocks hold 5 positives or more; a verdict needs 4."
    )
    assert "unlikely" not in found


def test_a_history_of_one_block():
    found = said([0.012, 0.0], 0.0132, kind="time", blocks=[90])
    assert "one history of 1 test block, 2 strategies" in found
    assert "1 of its test blocks holds 5 positives or more" in found


def test_a_history_that_cannot_tell_says_no_more_than_others():
    found = said([0.012, 0.0], 0.0132, kind="time", blocks=[20, 25, 22, 23])
    assert found.endswith("90 positives, one history of 4 test blocks, 2 strategies compared.")


def test_groups_are_counted():
    found = said([0.012, 0.0], 0.0132, rare=45, kind="grouped", rare_name=rare_name(True, SPLITS["grouped"]))
    assert found == (
        "No weighting was shown to beat plain training with a moved threshold. The best (inverse_frequency(beta=1)) differs"
        " by +0.012 [-0.021, 0.045]; with 45 positive groups a gain up to 0.045 cannot be excluded. Keep plain training with"
        " threshold 0.231, or bring more positive groups. Judged by average precision: 45 positive groups, 5 x 5"
        " cross-validation of whole groups, 2 strategies compared."
    )
    assert said([0.0, 0.0], 0.01, rare=14, kind="grouped", rare_name="positive groups") == (
        "No verdict: 14 positive groups. Below 20 only a description is possible; intervals are in the report."
    )


@pytest.mark.parametrize(
    ("positive", "kind", "name", "more"),
    [
        (True, "stratified", "positives", "bring more positives."),
        (True, "time", "events", "bring more events."),
        (False, "time", "events of the rarest class", "bring more events of that class."),
        (False, "both", "groups with the rarest class", "bring more groups with that class."),
        (True, "grouped", "positive groups", "bring more positive groups."),
        (False, "grouped", "groups with the rarest class", "bring more groups with that class."),
    ],
)
def test_what_is_rare_has_a_name(positive, kind, name, more):
    assert rare_name(positive, SPLITS[kind]) == name
    kind = SPLITS[kind].kind
    assert more in said([0.012, 0.0], 0.0132, kind=kind, rare_name=name, blocks=[20] * 4 if kind == "time" else None)


@pytest.mark.parametrize("weighted", [False, True])
def test_events_are_counted_and_what_is_missing_is_said(weighted):
    name = rare_name(True, SPLITS["time"], weighted=weighted)
    seen = Events(1, 4, 2, (1, 0, 1, 0), 1134, None)
    few = said(
        [0.045, 0.0], 0.009, rare=2, blocks=seen.by_block, kind="time", rare_name=name, among=among(seen, positive=True)
    )
    assert few.startswith(f"No verdict: 2 {name} (1,134 positives) in the test blocks that judge.")
    assert f"at least {FEW_EVENTS} events are needed there: bring a longer history" in few
    one = dataclasses.replace(seen, judged=1, groups=1)
    assert among(one, positive=False) == " (1 event, 1,134 rows)"
    assert said([0.0, 0.0], 0.01, rare=1, blocks=(1,), kind="time", rare_name=name).startswith(
        f"No verdict: 1 {name[:-1]} in the test"
    )
    assert among(None, positive=True) == ""


def test_the_verdict_names_events_and_rows():
    found = said([0.092, 0.0], 0.0244, kind="time", rare_name="events", blocks=[20] * 4, among=" (400 positives)")
    assert found.endswith("90 events (400 positives), one history of 4 test blocks, 2 strategies compared.")


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (0, "0 of 5 repetitions were finished"),
        (1, "1 of 5 repetitions was finished"),
        (2, "2 of 5 repetitions were finished"),
    ],
)
def test_stopped_too_early(done, words):
    assert stopped(done, 5) == (
        f"No verdict yet: {words} when the study stopped; a verdict needs 3. The same command goes on."
    )


def test_stopped_late_enough():
    assert "3 x 5 cross-validation" in stopped(3, 5)
    assert cut_short(3, 5) == "The study stopped after 3 of 5 repetitions; the same command goes on with the others."
    assert cut_short(5, 5) == ""


def test_a_stopped_study_needs_no_more_repetitions_than_were_planned():
    assert "a verdict needs 2" in stopped(1, 2)
    assert "beats" in stopped(2, 2)


def test_a_stopped_history():
    assert said([0.092, 0.0], 0.0244, kind="time", blocks=[20], repetitions=(0, 1)) == (
        "No verdict yet: the study stopped before all test blocks were done. The same command goes on."
    )


def stopped(done: int, planned: int) -> str:
    D = np.array([0.0, 0.092, 0.0])
    found = Comparison(
        METRICS["average_precision"],
        0.364 + D,
        D,
        0.02 * (D > 0),
        D - 0.05,
        D + 0.05,
        np.arange(3) > 0,
        np.zeros((3, 1)),
    )
    decision = decide(found, OPEN, 90, [(0,), (1,), (2,)], repetitions=(done, planned))
    return sentence(decision, found, OPEN, Facts(ARMS, 90, "positives", done, 5, 0.231, planned=planned))
