"""From scores to decisions: for every fold the cut, or prior shift, that was best on the rows that tune it."""

import numpy as np

from .. import ranked
from ..costs import cheapest
from ..metric import Metric
from ..weights import Weights, take
from .crossfit import Choice
from .sweep import Room, Sweep

UNJUDGED = -1  # decision about a row that is not judged: never held out, or with nothing to be tuned on
SHIFTS = np.linspace(0.0, 1.5, 31)  # more than two classes: decide by log p_c - tau log pi_c, tau from here


def decide(choice: Choice, metric: Metric, only: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Decisions [arms, repetitions, rows], each by a threshold from the other folds, and the thresholds on all judged
    rows [arms, repetitions]: log-odds, or tau for more than two classes. Rows that are not judged and have
    nothing to be tuned on get UNJUDGED. `only` this arm: [1, ...]."""
    source = choice.source
    arms, repetitions, _ = source.shape
    first, arms = (0, arms) if only is None else (only, 1)
    decided = np.empty((arms, repetitions, len(source.y)), np.int8 if source.classes < 128 else np.int32)
    final = np.empty((arms, repetitions))
    two = _by_cut if metric.capacity is None else _by_room
    one = two if source.classes == 2 else _by_shift

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
            choice.hulls[arm, a] = [sweep.hull() for sweep in _sweeps(choice, arm, a)]
        sweeps = choice.hulls[arm, a]
    *at, last = [
        sweep.best(metric) if ready else fallback(metric, y, choice.source.weights)
        for sweep, ready in zip(sweeps, tuner.ready, strict=True)
    ]
    return choice.pool(arm, a) >= np.array(at)[tuner.held], last


def _sweeps(choice: Choice, arm: int, a: int) -> list[Sweep]:
    """By fold over the rows that choose for it, and last over all judged rows. Every score vector is sorted once."""
    tuner, y = choice.source.tuners[a], choice.source.y
    sources = choice.sources(arm, a)
    out: dict[int, Sweep] = {}
    for score in {id(s): s for s in sources}.values():
        order = ranked.descending(score)
        falling, positive, code = score[order], y[order] == 1, tuner.code[order]
        weights = take(tuner.weights, order)
        for f in (f for f, source in enumerate(sources) if source is score):
            rows = tuner.member[f][code]
            out[f] = Sweep.descending(falling[rows], positive[rows], take(weights, rows))
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


def _by_shift(choice: Choice, metric: Metric, arm: int, a: int) -> tuple[np.ndarray, float]:
    source, tuner = choice.source, choice.source.tuners[a]
    k, C = source.shape[2], source.classes
    mass = source.masses(np.arange(len(source.y)))
    log_prior = np.log(mass / mass.sum())
    sources = choice.sources(arm, a)
    value = np.empty((len(SHIFTS), k + 1))
    for score in {id(s): s for s in sources}.values():
        folds = [f for f, s in enumerate(sources) if s is score]
        for i, tau in enumerate(SHIFTS):
            cells = source.y * C + decisions(metric, score, log_prior, tau)
            value[i, folds] = metric.of_tables(tuner.sums(cells, C * C).reshape(-1, C, C)[folds])
    taus = SHIFTS[np.argmax(value if metric.higher else -value, axis=0)].tolist()
    decided = np.empty(len(source.y), dtype=np.int64)
    for f in range(-1, k):
        rows = tuner.held == f
        decided[rows] = decisions(metric, sources[f][rows], log_prior, taus[f])
    return decided, taus[k]


def decisions(metric: Metric, logp: np.ndarray, log_prior: np.ndarray, tau: float) -> np.ndarray:
    """[rows]: the class with the largest log p_c - tau log pi_c; with a cost matrix the cheapest under these
    probabilities."""
    shifted = logp - (tau * log_prior).astype(logp.dtype)
    if metric.cost_matrix is None:
        return np.argmax(shifted, axis=1)
    return cheapest(np.exp(shifted - shifted.max(axis=1, keepdims=True)), metric.cost_matrix)


def fallback(metric: Metric, y: np.ndarray, weights: Weights = None) -> float:
    """Log-odds to cut at where the tuning rows lack a class: the theoretical cut of the costs, else the share of positives."""
    if metric.name == "expected_cost":
        return float(np.log(metric.cost_fp / metric.cost_fn))
    share = float(np.average(y == 1, weights=weights))
    return float(np.log(share) - np.log1p(-share))
