"""The decision: intervals, gate, margins, the name, the case."""

import numpy as np
import pytest
from scipy import stats

from steelyard.tuning.metric import METRICS
from steelyard.tuning.validation.folds import split
from steelyard.tuning.verdict import decision
from steelyard.tuning.verdict.comparisons import Judge
from steelyard.tuning.verdict.decision import Comparison, Gate

AP = METRICS["average_precision"]
OPEN = Gate("AUC", 0.8, 0.75, 0.5, True)


def comparison(gain, s, *, c=2.5, value=0.5, metric=AP, c1=2.4) -> Comparison:
    """Arms with these gains over plain, which is put first."""
    D, s = np.array([0.0, *gain]), np.array([0.0, *np.broadcast_to(s, len(gain))])
    sign = 1 if metric.higher else -1
    return Comparison(
        metric, value + sign * D, D, s, D - c1 * s, D + c * s, np.arange(len(D)) > 0, np.zeros((len(D), 1))
    )


def decide(found: Comparison, *, rare=100, gate=OPEN, distances=None, **more):
    return decision.decide(found, gate, rare, distances or [(j,) for j in range(len(found.gain))], **more)


def simulated(gains, *, arms=4, B=4000, noise=0.01, split=0.0, seed=0, rho=0.8):
    """Values and draws of arms whose paired differences share a part `rho` of their noise."""
    rng = np.random.default_rng(seed)
    D = np.concatenate([[0.0], np.broadcast_to(gains, arms)])
    values = 0.5 + D[:, None] + split * rng.normal(size=(arms + 1, 5)) * (np.arange(arms + 1) > 0)[:, None]
    common, own = rng.normal(size=B), rng.normal(size=(arms + 1, B))
    error = noise * (np.sqrt(rho) * common + np.sqrt(1 - rho) * own) * (np.arange(arms + 1) > 0)[:, None]
    return values, np.repeat((0.5 + D[:, None] + error)[:, None], 5, axis=1)


def compare(*args, metric=AP, **kwargs):
    values, draws = simulated(*args, **kwargs)
    return decision.compare(metric, values, draws, np.arange(len(values)) > 0)


def test_one_arm_has_the_normal_quantiles():
    found = compare(0.0, arms=1)
    assert found.deviation[1] == pytest.approx(0.01, rel=0.05)
    assert (found.high[1] - found.gain[1]) / found.deviation[1] == pytest.approx(stats.norm.ppf(0.975), rel=0.05)
    assert (found.gain[1] - found.low[1]) / found.deviation[1] == pytest.approx(stats.norm.ppf(0.975), rel=0.05)


def test_independent_arms_pay_what_sidak_asks_and_correlated_ones_less():
    """c is the quantile of the largest |z|."""
    sidak = stats.norm.ppf((1 + 0.95 ** (1 / 6)) / 2)
    independent, correlated = compare(0.0, arms=6, rho=0.0, B=20_000), compare(0.0, arms=6, rho=0.95, B=20_000)
    c = (independent.high - independent.gain)[1:] / independent.deviation[1:]
    np.testing.assert_allclose(c, sidak, rtol=0.02)
    assert np.all((correlated.high - correlated.gain)[1:] / correlated.deviation[1:] < 0.93 * sidak)


def test_the_variance_between_splits_is_added():
    found = compare(0.0, split=0.02)
    values, draws = simulated(0.0, split=0.02)
    gains = values - values[:1]
    expected = draws.mean(axis=1)[1:].std(axis=1, ddof=1) ** 2 + gains[1:].var(axis=1, ddof=1) / 5
    np.testing.assert_allclose(found.deviation[1:] ** 2, expected)
    assert np.all(found.deviation[1:] > 1.1 * compare(0.0).deviation[1:])


@pytest.mark.parametrize("repetitions", [1, 2])
def test_few_repetitions_borrow_the_variance_between_folds(repetitions):
    tested = np.arange(5) > 0
    values, draws = simulated([0.1, 0.1, 0.0, 0.0], split=0.02)
    values, draws = values[:, :repetitions], draws[:, :repetitions]
    rng = np.random.default_rng(1)
    folds = 0.5 + rng.normal(size=(5, repetitions, 5)) * 0.1
    found, narrow = (
        decision.compare(AP, values, draws, tested, folds=folds),
        decision.compare(AP, values, draws, tested),
    )
    spread = draws.mean(axis=1)
    spread = (spread - spread[:1]).std(axis=1, ddof=1)
    between = (folds - folds[:1]).var(axis=2, ddof=1).mean(axis=1) / 5
    np.testing.assert_allclose(found.deviation[1:] ** 2, (spread**2 + between)[1:])
    assert np.all(found.deviation >= narrow.deviation)
    folds[:, :, 1:] = np.nan  # one fold is nothing to compare
    lone = decision.compare(AP, values, draws, tested, folds=folds)
    assert np.all(lone.deviation[1:] ** 2 >= 2 * spread[1:] ** 2 - 1e-15)


def test_in_one_history_the_larger_of_two_variances_counts():
    """That of the differences within blocks, divided by the number of blocks, or the bootstrap's: never their sum."""
    values, draws = simulated(0.0, arms=2)
    values, draws = values[:, :1], draws[:, :1]
    spread = (draws - draws[:1]).mean(axis=1).var(axis=1, ddof=1)
    blocks = np.array([[0.5, 0.6, 0.4, 0.5], [0.501, 0.602, 0.401, 0.503], [0.3, 0.9, 0.2, 0.6]])
    found = decision.compare(AP, values, draws, np.arange(3) > 0, blocks)
    between = (blocks - blocks[0]).var(axis=1, ddof=1) / 4
    assert between[1] < spread[1]
    assert between[2] > spread[2]
    np.testing.assert_allclose(found.deviation**2, [0, spread[1], between[2]])


def test_what_is_shown_and_not_tested_has_its_own_interval_and_costs_nothing():
    values, draws = simulated([0.02, 0.0, 0.01], arms=3)
    tested = np.array([False, True, True, False])
    found, alone = decision.compare(AP, values, draws, tested), decision.compare(AP, values[:3], draws[:3], tested[:3])
    np.testing.assert_array_equal(found.low[:3], alone.low)
    np.testing.assert_array_equal(found.high[:3], alone.high)
    half = stats.norm.ppf(0.975) * found.deviation[3]
    np.testing.assert_allclose([found.low[3], found.high[3]], found.gain[3] + half * np.array([-1, 1]))
    assert not decision.would_win(decision.compare(AP, values + 0.3 * np.eye(4)[:, [3]], draws, tested))[3]


def test_losses_count_as_gains_where_they_fall():
    up, down = compare(0.03, metric=AP), compare(0.03, metric=METRICS["log_loss"])
    np.testing.assert_allclose(down.gain, -up.gain)


def test_an_identical_arm_never_wins_and_does_not_break_the_others():
    values, draws = simulated([0.05, 0.0, 0.0], arms=3)
    values[3], draws[3] = values[0], draws[0]
    found = decision.compare(AP, values, draws, np.arange(4) > 0)
    assert found.deviation[3] == 0
    np.testing.assert_array_equal(decision.would_win(found), [False, True, False, False])


CASES = [
    # gains, s, decide's arguments, case, winner
    ([0.092, 0.01], 0.02, {}, "A", 1),
    ([0.092, 0.01], 0.02, {"at_edge": True}, "A'", 1),
    ([0.003, -0.001], 0.003, {}, "B", None),
    ([0.012, 0.0], 0.015, {}, "C", None),
    ([0.002, 0.001], 0.0005, {}, "C'", None),
    ([0.092, 0.01], 0.02, {"gate": Gate("AUC", 0.52, 0.47, 0.5, False)}, "D", None),
    ([0.092, 0.01], 0.02, {"rare": 19}, "E", None),
    ([-0.004, -0.02], 0.001, {}, "F", None),
    # stopped after so many repetitions of so many
    ([0.092, 0.01], 0.02, {"repetitions": (2, 5)}, "P", None),
    ([0.092, 0.01], 0.02, {"repetitions": (3, 5)}, "A", 1),
    ([0.092, 0.01], 0.02, {"repetitions": (2, 2)}, "A", 1),
    ([0.092, 0.01], 0.02, {"repetitions": (1, 5), "rare": 19}, "E", None),
    ([0.092, 0.01], 0.02, {"repetitions": (1, 5), "gate": Gate("AUC", 0.52, 0.47, 0.5, False)}, "P", None),
    # rows of the rarer class in the judged blocks of one history
    ([0.092, 0.01], 0.02, {"blocks": [5, 5, 5, 5]}, "A", 1),
    ([0.092, 0.01], 0.02, {"blocks": [5, 5, 5, 4, 5]}, "A", 1),
    ([0.092, 0.01], 0.02, {"blocks": [5, 5, 5, 4]}, "C", None),
    ([0.092, 0.01], 0.02, {"blocks": [50, 50, 50]}, "C", None),
    ([0.003, -0.001], 0.003, {"blocks": [5, 5, 5, 5]}, "B", None),
    ([0.003, -0.001], 0.003, {"blocks": [5, 5, 4]}, "C", None),
    ([0.002, 0.001], 0.0005, {"blocks": [5, 5, 4]}, "C", None),
    ([-0.004, -0.02], 0.001, {"blocks": [5, 5, 4]}, "F", None),
    ([0.092, 0.01], 0.02, {"blocks": [5, 5, 4], "gate": Gate("AUC", 0.52, 0.47, 0.5, False)}, "D", None),
]


@pytest.mark.parametrize(("gains", "s", "more", "case", "winner"), CASES)
def test_the_cases(gains, s, more, case, winner):
    found = decide(comparison(gains, s), **more)
    assert (found.case, found.winner) == (case, winner)


def test_margins_of_losses_are_shares_of_plain():
    loss = METRICS["log_loss"]
    assert decide(comparison([0.0006], 0.0001, value=0.1, metric=loss)).case == "C'"  # 0.6 % of plain
    assert decide(comparison([0.0012], 0.0001, value=0.1, metric=loss)).case == "A"


def test_the_upper_end_of_any_arm_keeps_the_question_open():
    found = comparison([0.003, 0.0], [0.002, 0.03])
    assert decide(found).case == "C"
    assert decide(found).upper == pytest.approx(2.5 * 0.03)


def test_among_ties_the_nearest_to_plain_is_named():
    found = comparison([0.090, 0.095, 0.060], 0.01)
    named = decide(found, distances=[(0,), (2,), (5,), (1,)])
    assert (
        named.winner == 1
    )  # arm 2 gains most, arm 1 is within one s of it and nearer; arm 3 is nearer still but worse
    assert named.ties == (2,)


def test_the_gate_asks_plain_first_and_then_the_winner_at_a_smaller_level():
    rng = np.random.default_rng(0)
    noise, clear = 0.51 + 0.02 * rng.normal(size=1000), 0.60 + 0.02 * rng.normal(size=1000)
    values = np.array([0.51, 0.60])
    assert not decision.gate("AUC", values, np.stack([noise, noise]), 0.5, 1).open
    assert decision.gate("AUC", values, np.stack([noise, clear]), 0.5, 1).open
    assert not decision.gate("AUC", values, np.stack([noise, clear]), 0.5, None).open
    assert decision.gate("AUC", values, np.stack([clear, noise]), 0.5, None).open


def test_no_arm_to_compare_means_plain():
    alone = comparison([], 0.0)
    assert decide(alone).case == "B"
    assert decide(alone).best is None


def test_few_rows_are_said():
    assert decision.note_on_few(19, "19 positives") == ""
    assert "very large effects" in decision.note_on_few(20, "20 positives")
    assert "medium effects" in decision.note_on_few(79, "79 positives")
    assert decision.note_on_few(80, "80 positives") == ""


def test_false_winners_of_the_family_stay_at_the_level():
    """No gain, six correlated arms, errors as wide as the bootstrap says: winners in about 2.5 % of 2,000 tables."""
    rng = np.random.default_rng(5)
    base = compare(0.0, arms=6, rho=0.7)
    c1 = (base.gain - base.low)[1:] / base.deviation[1:]
    z = np.sqrt(0.7) * rng.normal(size=(2000, 1)) + np.sqrt(0.3) * rng.normal(size=(2000, 6))
    rate = np.mean(np.any(z > c1, axis=1))
    assert 0.01 < rate < 0.045


# False winners where rows belong together ---------------------------------------------------------------------------


def winners(kind: str, bootstrapped_as: str, studies: int = 60) -> float:
    """How often one of two strategies, equally good, is said to rank better than plain.

    What rows share (a group's label, the same days) moves scores and labels of many rows at once.
    """
    found = 0
    rows, together = (900, 15) if kind == "grouped" else (1200, 8)
    shared = np.arange(rows) // together
    units = shared[-1] + 1
    for seed in range(studies):
        rng = np.random.default_rng([seed, 17])
        y = np.where(rng.random(rows) < 0.9, (rng.random(units) < 0.3)[shared], rng.random(rows) < 0.3).astype(int)
        if kind == "grouped":
            truth = split(y, groups=shared, repeats=3)
        else:
            truth = split(y, time=np.arange(rows), gap=together)
        common = y + rng.normal(size=rows)
        own = rng.normal(size=(3, 1, units))[:, :, shared] + 0.5 * rng.normal(size=(3, truth.repetitions, rows))
        scores = common + own
        drawn = truth if bootstrapped_as == kind else None
        if drawn is None and kind == "time":
            y, scores = y[truth.judged], scores[:, :, truth.judged]
        judge = Judge(y, 2, 100, seed, drawn)
        judge.add("auc", METRICS["roc_auc"], list(scores), range(3))
        compared = decision.compare(
            METRICS["roc_auc"], *judge.values("auc", 3)[:2], np.arange(3) > 0, judge.values("auc", 3)[2]
        )
        found += bool(decision.would_win(compared).any())
    return found / studies


@pytest.mark.parametrize("kind", ["grouped", "time"])
def test_rows_that_belong_together_are_drawn_together_or_false_winners_abound(kind):
    """One-sided 2.5 % for the family; the upper 99.9 % binomial limit of 60 studies is 11.7 %."""
    assert winners(kind, kind) <= 7 / 60
    assert winners(kind, "rows", 30) >= 0.1
