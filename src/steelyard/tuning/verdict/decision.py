"""From paired predictions to one verdict: differences, simultaneous intervals, signal gate, margins, the name.

Differences are gains: positive is better than plain, whichever way the metric points. Arrays are [arms, repetitions, ...]
with plain at index 0. How often this declares a winner where there is none was measured before it was chosen.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..metric import Metric

LEVEL = 0.95
NORMAL = 1.959963984540054  # its two-sided quantile of the normal distribution
FEW, SOME, ENOUGH = 20, 40, 80  # rows of the rarer class: no verdict below FEW, notes below ENOUGH
FEW_EVENTS = 20  # in order of time: judged events (or groups that have one); fewer were measured to make false winners
UNEVEN = 0.8  # of its rows: below this share the effective number of the rarer class is explained
IDENTICAL = 1e-7  # a standard error below this means the same predictions
REPETITIONS = 3  # finished ones that a study which was stopped needs for a verdict
BLOCKS, PER_BLOCK = (
    4,
    5,
)  # one history says something by itself if so many blocks hold so many events of the rarer class


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Every arm against plain on one metric.

    value       [arms] mean over repetitions
    gain        [arms] D, mean over repetitions of the paired difference
    deviation   [arms] s, from the bootstrap of rows and the variance between splits
    low, high   [arms] ends of the simultaneous interval; low = D - c1 s is also the winner test. Of an arm that is shown
                and not tested: D -+ 1.96 s, for itself alone
    tested      [arms] False for plain, for arms that equal it, and for baselines, which never win
    draws       [arms, draws] the metric in each bootstrap draw, mean over repetitions
    """

    metric: Metric
    value: np.ndarray
    gain: np.ndarray
    deviation: np.ndarray
    low: np.ndarray
    high: np.ndarray
    tested: np.ndarray
    draws: np.ndarray

    @property
    def plain(self) -> float:
        return float(self.value[0])

    @property
    def margin(self) -> float:
        return self.metric.margin * self.metric.unit(self.plain)

    @property
    def tie(self) -> float:
        return self.metric.tie * self.metric.unit(self.plain)

    @property
    def best(self) -> int | None:
        """The tested arm with the largest gain."""
        return int(np.argmax(np.where(self.tested, self.gain, -np.inf))) if self.tested.any() else None


def compare(
    metric: Metric,
    values: np.ndarray,
    draws: np.ndarray,
    tested: np.ndarray,
    blocks: np.ndarray | None = None,
    folds: np.ndarray | None = None,
) -> Comparison:
    """Simultaneous intervals by max-T.

    values  [arms, repetitions]; draws [arms, repetitions, B] of the same rows drawn for all; tested [arms]
    blocks  [arms, judged blocks] the metric within each test block, for rows in order of time
    folds   [arms, repetitions, folds] the metric within each fold, where there are fewer than three repetitions; NaN where it has none

        s^2 = var_b(D*) + var_a(d) / r        c = 95 % quantile of max |z|, c1 = 97.5 % quantile of max z

    The second term is not optional: without it up to 36 % of null tables had a winner. Rows in order of time have one
    history and no repetitions. There

        s^2 = max(var_b(D*), var_k(d) / k)    d the differences within the k blocks

    the larger of the two and not their sum: the blocks differ by chance of rows too, which the bootstrap already counts.

    One or two repetitions do not show how much splits vary. The variance between the k folds stands in for it if it is larger; it
    holds chance of rows as well, so that these intervals are too wide rather than too narrow:

        s^2 = var_b(D*) + max(var_a(d) / r, mean_a var_f(d) / k)
    """
    gains = metric.gain(values, values[:1])
    drawn = metric.gain(draws, draws[:1]).mean(axis=1)
    spread = drawn.std(axis=1, ddof=1)
    if blocks is not None:
        s = np.maximum(spread, np.sqrt(_of_mean(metric.gain(blocks, blocks[:1]))))
    else:
        s = np.sqrt(spread**2 + np.maximum(_of_mean(gains), _between_folds(metric, folds, spread**2)))
    D = gains.mean(axis=1)
    varied = tested & (spread > 0)
    c = c1 = 0.0
    if varied.any():
        z = (drawn[varied] - drawn[varied].mean(axis=1, keepdims=True)) / spread[varied, None]
        c = float(np.quantile(np.abs(z).max(axis=0), LEVEL))
        c1 = float(np.quantile(z.max(axis=0), 1 - (1 - LEVEL) / 2))
    below, above = np.where(tested, c1, NORMAL), np.where(tested, c, NORMAL)
    return Comparison(metric, values.mean(axis=1), D, s, D - below * s, D + above * s, tested, draws.mean(axis=1))


def _of_mean(differences: np.ndarray) -> np.ndarray:
    """[arms]: the variance of the mean over the last axis; 0 for a single number, which shows no variance."""
    count = differences.shape[1]
    return differences.var(axis=1, ddof=1) / count if count > 1 else np.zeros(len(differences))


def _between_folds(metric: Metric, folds: np.ndarray | None, spread: np.ndarray) -> np.ndarray:
    """[arms]: the variance of the mean over folds, mean over repetitions; `spread` where there are not two folds to compare."""
    if folds is None:
        return np.zeros(len(spread))
    gains = metric.gain(folds, folds[:1])
    sound = np.asarray(np.isfinite(gains).all(axis=0))
    each = [_of_mean(gains[:, a, sound[a]]) if sound[a].sum() > 1 else spread for a in range(gains.shape[1])]
    return np.mean(each, axis=0)


@dataclasses.dataclass(frozen=True)
class Gate:
    """Whether plain ranks better than chance: `value` with its lower end, and the level that counts as chance."""

    name: str
    value: float
    low: float
    chance: float
    open: bool


def gate(name: str, values: np.ndarray, draws: np.ndarray, chance: float, would_be: int | None) -> Gate:
    """The 5 % bootstrap quantile of plain must exceed chance; failing that, that of the would-be winner at 5 % / (arms).

    values [arms] and draws [arms, B], means over repetitions, of plain and the tested arms.
    """
    low = float(np.quantile(draws[0], 0.05))
    passed = low > chance
    if not passed and would_be is not None:
        passed = float(np.quantile(draws[would_be], 0.05 / len(draws))) > chance
    return Gate(name, float(values[0]), low, chance, passed)


@dataclasses.dataclass(frozen=True)
class Decision:
    """case as in the table of sentences; winner and best are arm indices; ties are arms as good as the winner."""

    case: str
    winner: int | None
    best: int | None
    upper: float
    ties: tuple[int, ...] = ()


def would_win(comparison: Comparison) -> np.ndarray:
    """[arms] the lower end is above 0 and the gain matters."""
    passes = comparison.tested & (comparison.deviation >= IDENTICAL) & (comparison.low > 0)
    return passes & (comparison.gain >= comparison.margin)


def name(comparison: Comparison, distances: Sequence[tuple]) -> tuple[int | None, tuple[int, ...]]:
    """Among the arms that win, the largest gain; within one s of it, the one nearest to plain. And those it ties with."""
    wins = np.flatnonzero(would_win(comparison))
    if not len(wins):
        return None, ()
    top = wins[np.argmax(comparison.gain[wins])]
    near = [int(j) for j in wins if comparison.gain[top] - comparison.gain[j] <= comparison.deviation[top]]
    winner = min(near, key=lambda j: distances[j])
    return winner, tuple(j for j in near if j != winner)


def decide(
    comparison: Comparison,
    gate: Gate,
    rare: int,
    distances: Sequence[tuple],
    *,
    at_edge: bool = False,
    blocks: Sequence[int] | None = None,
    repetitions: tuple[int, int] | None = None,
) -> Decision:
    """The case that holds. Only the metric of this comparison decides.

    rare         rows of the rarer class, groups that contain it, or in order of time its events
    distances    by arm, smaller = nearer to plain (see space.distance)
    at_edge      plain's regularisation ended at the edge of its range
    blocks       events of the rarer class in each judged block, for rows in order of time
    repetitions  (finished, planned) of a study that was stopped
    """
    best = comparison.best
    upper = 0.0 if best is None else float(comparison.high[comparison.tested].max())
    if rare < (FEW if blocks is None else FEW_EVENTS):
        return Decision("E", None, best, upper)
    if repetitions is not None and repetitions[0] < min(REPETITIONS, repetitions[1]):
        return Decision("P", None, best, upper)
    if not gate.open:
        return Decision("D", None, best, upper)
    if best is None:
        return Decision("B", None, None, 0.0)
    thin = too_few_blocks(blocks)
    winner, ties = name(comparison, distances)
    if winner is not None and not thin:
        return Decision("A'" if at_edge else "A", winner, winner, upper, ties)
    small = np.flatnonzero(comparison.tested & (comparison.low > 0) & (comparison.deviation >= IDENTICAL))
    if len(small) and not thin:
        return Decision("C'", None, int(small[np.argmax(comparison.gain[small])]), upper)
    if upper < 0:
        return Decision("F", None, best, upper)
    return Decision("B" if upper <= comparison.tie and not thin else "C", None, best, upper)


def too_few_blocks(blocks: Sequence[int] | None) -> bool:
    """One history in which fewer than 4 blocks hold 5 events of the rarer class: neither a winner nor "no difference"."""
    return blocks is not None and sum(n >= PER_BLOCK for n in blocks) < BLOCKS


def note_on_effective(rows: int, name: str, effective: int) -> str:
    """That uneven row weights leave less of the rarer class than its number of rows (or groups) says, or ""."""
    if effective > UNEVEN * rows:
        return ""
    return f"The weights of the {rows} {name} differ so much that they tell as little as {effective} of equal weight."


def note_on_few(rare: int, positives: str) -> str:
    """What few rows (groups, events) of the rarer class mean for the verdict, or ""."""
    if rare < FEW or rare >= ENOUGH:
        return ""
    if rare < SOME:
        return f"With {positives} only very large effects can show."
    return f"With {positives} medium effects can be missed."
