"""From paired predictions to one verdict: differences, simultaneous intervals, signal gate, margins, the name.

Differences are gains: positive is better than plain, whichever way the metric points. Arrays are [arms, repetitions, ...]
with plain at index 0. How often this declares a winner where there is none was measured before it was chosen.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from .metrics import Metric

LEVEL = 0.95
FEW, SOME, ENOUGH = 20, 40, 80  # rows of the rarer class: no verdict below FEW, remarks below ENOUGH
IDENTICAL = 1e-7  # a standard error below this means the same predictions


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Every arm against plain on one metric.

    value       [arms] mean over repetitions
    gain        [arms] D, mean over repetitions of the paired difference
    deviation   [arms] s, from the bootstrap of rows and the variance between splits
    low, high   [arms] ends of the simultaneous interval; low = D - c1 s is also the winner test
    tested      [arms] False for plain and for arms that equal it
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
        return self.metric.margin * (abs(self.plain) if self.metric.relative else 1.0)

    @property
    def tie(self) -> float:
        return self.metric.tie * (abs(self.plain) if self.metric.relative else 1.0)

    @property
    def best(self) -> int | None:
        """The tested arm with the largest gain."""
        return int(np.argmax(np.where(self.tested, self.gain, -np.inf))) if self.tested.any() else None


def compare(metric: Metric, values: np.ndarray, draws: np.ndarray, tested: np.ndarray) -> Comparison:
    """Simultaneous intervals by max-T.

    values  [arms, repetitions]; draws [arms, repetitions, B] of the same rows drawn for all; tested [arms]

        s^2 = var_b(D*) + var_a(d) / r        c = 95 % quantile of max |z|, c1 = 97.5 % quantile of max z

    The second term is not optional: without it up to 36 % of null tables had a winner.
    """
    gains = metric.gain(values, values[:1])
    drawn = metric.gain(draws, draws[:1]).mean(axis=1)
    repetitions = values.shape[1]
    between = gains.var(axis=1, ddof=1) / repetitions if repetitions > 1 else np.zeros(len(values))
    spread = drawn.std(axis=1, ddof=1)
    s = np.sqrt(spread**2 + between)
    D = gains.mean(axis=1)
    varied = tested & (spread > 0)
    c = c1 = 0.0
    if varied.any():
        z = (drawn[varied] - drawn[varied].mean(axis=1, keepdims=True)) / spread[varied, None]
        c = float(np.quantile(np.abs(z).max(axis=0), LEVEL))
        c1 = float(np.quantile(z.max(axis=0), 1 - (1 - LEVEL) / 2))
    return Comparison(metric, values.mean(axis=1), D, s, D - c1 * s, D + c * s, tested, draws.mean(axis=1))


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

    values [arms] and draws [arms, B], means over repetitions.
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
    comparison: Comparison, gate: Gate, rare: int, distances: Sequence[tuple], *, at_edge: bool = False
) -> Decision:
    """The case that holds. Only the metric of this comparison decides.

    rare       rows of the rarer class
    distances  by arm, smaller = nearer to plain (see space.distance)
    at_edge    plain's regularisation ended at the edge of its range
    """
    best = comparison.best
    upper = 0.0 if best is None else float(comparison.high[comparison.tested].max())
    if rare < FEW:
        return Decision("E", None, best, upper)
    if not gate.open:
        return Decision("D", None, best, upper)
    if best is None:
        return Decision("B", None, None, 0.0)
    winner, ties = name(comparison, distances)
    if winner is not None:
        return Decision("A'" if at_edge else "A", winner, winner, upper, ties)
    small = np.flatnonzero(comparison.tested & (comparison.low > 0) & (comparison.deviation >= IDENTICAL))
    if len(small):
        return Decision("C'", None, int(small[np.argmax(comparison.gain[small])]), upper)
    if upper < 0:
        return Decision("F", None, best, upper)
    return Decision("B" if upper <= comparison.tie else "C", None, best, upper)


def remark(rare: int, positives: str) -> str:
    """What few rows of the rarer class mean for the verdict, or ""."""
    if rare < FEW or rare >= ENOUGH:
        return ""
    if rare < SOME:
        return f"With {positives} only very large effects can show."
    return f"With {positives} medium effects can be missed."
