"""From scores to decisions: for every fold the cut, or the steps of the classes, that were best on the rows that tune it."""

import numpy as np

from .. import ranked
from ..metric import Metric
from ..weights import Weights, take
from .crossfit import Choice, Tuner
from .steps import SHIFTS, clear, decisions, refined, tables
from .sweep import Room, Sweep

TABLES = (
    2**18
)  # cells of confusion tables that are measured together: a call for each small one takes longer than its numbers
UNJUDGED = -1  # decision about a row that is not judged: never held out, or with nothing to be tuned on


def decide(choice: Choice, metric: Metric, only: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Decisions [arms, repetitions, rows], each by a threshold from the other folds, and the thresholds on all judged
    rows [arms, repetitions]: log-odds, or for more than two classes steps [arms, repetitions, C]. Rows that are not judged and
    have nothing to be tuned on get UNJUDGED. `only` this arm: [1, ...]."""
    source = choice.source
    arms, repetitions, _ = source.shape
    first, arms = (0, arms) if only is None else (only, 1)
    decided = np.empty((arms, repetitions, len(source.y)), np.int8 if source.classes < 128 else np.int32)
    final = np.empty((arms, repetitions, *(() if source.classes == 2 else (source.classes,))))
    two = _by_cut if metric.capacity is None else _by_room
    one = two if source.classes == 2 else _by_steps

    def fill(at: tuple[int, ...]) -> None:
        tuner = source.tuners[at[1]]
        decided[at], final[at] = one(choice, metric, first + at[0], *at[1:])
        tuned = np.logical_or.reduce(tuner.member[:-1], axis=1)
        decided[at][(~tuned[tuner.held] | (tuner.held < 0)) & ~tuner.rows(len(tuned))] = UNJUDGED

    source.each(fill, arms, repetitions)
    return decided, final


def _by_cut(choice: Choice, metric: Metric, arm: int, a: int) -> tuple[np.ndarray, float]:
    tuner, y = choice.source.tuners[a], choice.source.y
    if not metric.hull:
        sweeps = _sweeps(choice, arm, a)
    else:  # hulls are small
        if (arm, a) not in choice.hulls:
            choice.hulls[arm, a] = _sweeps(choice, arm, a, hull=True)
        sweeps = choice.hulls[arm, a]
    *at, last = [
        sweep.best(metric) if ready else fallback(metric, y, choice.source.weights)
        for sweep, ready in zip(sweeps, tuner.ready, strict=True)
    ]
    return choice.pool(arm, a) >= np.array(at)[tuner.held], last


def _sweeps(choice: Choice, arm: int, a: int, *, hull: bool = False) -> list[Sweep]:
    """By fold over the rows that choose for it, and last over all judged rows; of their `hull` alone. Every score vector is sorted
    once."""
    tuner, y = choice.source.tuners[a], choice.source.y
    sources = choice.sources(arm, a)
    out: dict[int, Sweep] = {}
    for score in {id(s): s for s in sources}.values():
        order, positive = ranked.descending(score), y == 1
        for f in (f for f, source in enumerate(sources) if source is score):
            rows = tuner.rows(f)
            if hull and tuner.weights is None and (found := ranked.corners(score, order, positive, rows)) is not None:
                out[f] = Sweep.made(*found)
                continue
            at = order[rows[order]]
            sweep = Sweep.descending(score[at], positive[at], take(tuner.weights, at))
            out[f] = sweep.hull() if hull else sweep
    return [out[f] for f in range(len(sources))]


def _by_room(choice: Choice, metric: Metric, arm: int, a: int) -> tuple[np.ndarray, float]:
    """Of rows that tie for the last places a random part is taken: scores of few levels neither lose nor win by it."""
    tuner, pooled = choice.source.tuners[a], choice.pool(arm, a)
    drawn = lots(len(pooled))

    def room(f: int, score: np.ndarray) -> Room:
        rows = tuner.rows(f)
        rows = rows if rows.any() else tuner.held == f  # this takes no labels
        return Room.of(score[rows], metric.capacity or 0.0, take(tuner.weights, rows))

    *rooms, last = [room(f, s) for f, s in enumerate(choice.sources(arm, a))]
    decided = np.zeros(len(pooled), dtype=bool)
    for f, one in enumerate(rooms):
        rows = tuner.held == f
        decided[rows] = one.says(pooled[rows], drawn[rows])
    return decided, float(last.sure)


def lots(rows: int) -> np.ndarray:
    """[rows] in [0, 1): the order in which tied rows are taken, alike for all arms, repetitions and studies."""
    return np.random.default_rng(0).random(rows, np.float32)


def shifted(choice: Choice, metric: Metric, arm: int, a: int) -> np.ndarray:
    """[rows, C] of more than two classes: log-probabilities less the steps of each row's fold, by which `decide` decides."""
    pooled = choice.pool(arm, a)
    return pooled - _steps(choice, metric, arm, a)[choice.source.tuners[a].held].astype(pooled.dtype)


def _by_steps(choice: Choice, metric: Metric, arm: int, a: int) -> tuple[np.ndarray, np.ndarray]:
    source, held = choice.source, choice.source.tuners[a].held
    sources, steps = choice.sources(arm, a), _steps(choice, metric, arm, a)
    decided = np.empty(len(source.y), dtype=np.int64)
    for f in range(-1, source.shape[2]):
        rows = held == f
        decided[rows] = decisions(metric, sources[f][rows], steps[f])
    return decided, steps[-1]


def _steps(choice: Choice, metric: Metric, arm: int, a: int) -> np.ndarray:
    """[folds + 1, C]: from the rows that choose for each fold, and last from all judged ones. Found once."""
    if (metric, arm, a) not in choice.steps:
        choice.steps[metric, arm, a] = _found(choice, metric, arm, a)
    return choice.steps[metric, arm, a]


def _found(choice: Choice, metric: Metric, arm: int, a: int) -> np.ndarray:
    source, tuner = choice.source, choice.source.tuners[a]
    k, C = source.shape[2], source.classes
    mass = source.masses(np.arange(len(source.y)))
    log_prior = np.log(mass / mass.sum())
    sources = choice.sources(arm, a)
    steps = np.empty((k + 1, C))
    for score in {id(s): s for s in sources}.values():
        folds = [f for f, s in enumerate(sources) if s is score]
        together, apart = _by_tau(metric, tuner, score, source.y, log_prior)
        for f in folds:
            at = int(np.argmax(together[:, f]))
            gains = (apart[at] - apart[0])[tuner.member[f]]
            steps[f] = SHIFTS[at] * log_prior if at and clear(gains) else 0.0
            if tuner.ready[f] and (rows := np.flatnonzero(tuner.rows(f))).size:
                part = np.unique(tuner.code[rows], return_inverse=True)[1]
                steps[f] = refined(metric, score[rows], source.y[rows], part, take(tuner.weights, rows), steps[f])
    return steps


def _by_tau(
    metric: Metric, tuner: Tuner, score: np.ndarray, y: np.ndarray, log_prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The metric, larger is better, of steps tau log pi_c: [taus, folds + 1] on the rows that choose for each fold, and
    [taus, patterns] on the rows of each pattern of membership."""
    C, patterns = len(log_prior), tuner.member.shape[1]
    together, apart = np.empty((len(SHIFTS), len(tuner.member))), np.empty((len(SHIFTS), patterns))
    width = max(1, TABLES // (patterns * C * C))
    cell = tuner.code.astype(np.int64) * C + y
    for some in (slice(at, at + width) for at in range(0, len(SHIFTS), width)):
        tried = SHIFTS[some, None] * log_prior
        counts = tables(metric, score, tried, cell, patterns * C, tuner.weights).reshape(-1, patterns, C * C)
        apart[some] = metric.of_tables(counts.reshape(-1, C, C)).reshape(-1, patterns)
        sums = tuner.member.astype(np.float64) @ counts
        together[some] = metric.of_tables(sums.reshape(-1, C, C)).reshape(-1, len(tuner.member))
    sign = 1.0 if metric.higher else -1.0
    return sign * together, sign * apart


def fallback(metric: Metric, y: np.ndarray, weights: Weights = None) -> float:
    """Log-odds to cut at where the tuning rows lack a class: the theoretical cut of the costs, else the share of positives."""
    if metric.name == "expected_cost":
        return float(np.log(metric.cost_fp / metric.cost_fn))
    share = float(np.average(y == 1, weights=weights))
    return float(np.log(share) - np.log1p(-share))
