"""The comparisons of a study: every metric, the same draws of rows for all of them, and the signal gate."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse

from ..evaluator import Evaluator
from ..metric import DECISION, METRICS, Metric
from ..split import Split
from ..weights import Weights, take
from . import decision
from .bootstrap import draws
from .decision import Comparison, Gate

ROOM = 2**29  # bytes of sorted predictions that are kept at a time; the others see the same draws after them
PREDICTION = 8  # bytes of one row of one model in an Evaluator, more or less
GATE = "gate"
LEAST = 100  # draws that are made however late it is


Outcomes = Callable[
    [Metric, Metric | None], Sequence[np.ndarray]
]  # (judged by, settings chosen for; the same unless said)


@dataclasses.dataclass(frozen=True)
class Shown:
    """Something that stands beside the arms and is never tested, like the majority.

    outcomes  by metric what the metric judges, [repetitions, rows(, C)], or None where it has nothing to say
    """

    name: str
    outcomes: Callable[[Metric], np.ndarray | None]


def compare(
    y: np.ndarray,
    classes: int,
    split: Split,
    outcomes: Outcomes,
    chosen: Metric,
    metrics: Sequence[Metric],
    distances: Sequence[tuple],
    count: int,
    seed: int,
    *,
    tested: np.ndarray,
    shown: Sequence[Shown] = (),
    weights: Weights = None,
    hurry: Callable[[], bool] = lambda: False,
) -> tuple[dict[str, Comparison], Gate, int]:
    """{metric: Comparison} of all metrics, the gate for the scores behind the chosen one, of rows with labels y, and how many draws
    of rows both rest on.

    Every metric and every arm sees the same `count` draws of rows, or the first LEAST or more of them when `hurry` says that it is
    late. Only rows that the split judges are looked at.

    outcomes  what a metric judges, of every arm [repetitions, rows(, C)], plain first
    tested    [arms] False for plain and for arms that are shown only
    shown     stand after the arms in the Comparisons and are not tested; NaN where they have nothing to say
    weights   [rows] how much each row counts, or None; a row that is drawn brings its weight
    """
    two = classes == 2
    level = METRICS["roc_auc"] if two else METRICS["balanced_accuracy"]
    arms = len(tested)
    everyone = np.append(tested, np.zeros(len(shown), dtype=bool))
    judge = Judge(y, classes, count, seed, split, weights, hurry)
    for m in metrics:
        beside = {arms + i: o for i, s in enumerate(shown) if (o := s.outcomes(m)) is not None}
        judge.add(m.name, m, [*outcomes(m, None), *beside.values()], [*range(arms), *beside])
    among = [0, *np.flatnonzero(tested).tolist()]
    if chosen.name != level.name:
        scores = outcomes(level, chosen)
        judge.add(GATE, level, [scores[j] for j in among], among)
    compared = {}
    for m in metrics:
        values, drawn, blocks = judge.values(m.name, len(everyone))
        compared[m.name] = decision.compare(m, values, drawn, everyone, blocks, judge.folds(m.name, len(everyone)))
    values, drawn, _ = judge.values(level.name if chosen.name == level.name else GATE, len(everyone))
    would_be = decision.name(compared[chosen.name], distances)[0]
    gate = decision.gate(
        "AUC" if two else level.title,
        values[among].mean(axis=1),
        drawn[among].mean(axis=1),
        0.5 if two else 1 / classes,
        None if would_be is None else among.index(would_be),
    )
    return compared, gate, judge.count


class Judge:
    """Metrics of many predictions on the judged rows, in every block of time, and in every draw.

    Predictions are kept until they fill ROOM; then all draws pass over them and they are forgotten. Where there are more,
    the same draws are made again for the others. `count` is how many draws there are: what was asked for, fewer after `hurry`.
    """

    def __init__(
        self,
        y: np.ndarray,
        classes: int,
        count: int,
        seed: int,
        split: Split | None = None,
        weights: Weights = None,
        hurry: Callable[[], bool] = lambda: False,
    ):
        self.labels, self.classes, self.count, self.seed, self.split = y, classes, count, seed, split
        self.hurry = hurry
        self.rows = np.ones(len(y), dtype=bool) if split is None else split.judged
        self.whole = bool(self.rows.all())
        self.y, self.weights = y[self.rows], take(weights, self.rows)
        self.parts = [] if split is None or split.order is not None else _folds(split, y, classes)
        whole = np.ones(len(self.y), dtype=bool)
        parts = [whole if part is None else part for part in self.parts]
        once = [whole, *(split.blocks if split is not None else []), *parts]
        self.once = np.stack(once, axis=1).astype(np.float32)  # [rows, 1 + blocks]
        self.cells = Cells(self.y, classes)
        self.waiting: list[tuple[str, Evaluator]] = []
        self.used = 0
        self.columns: dict[str, list[np.ndarray]] = {}  # by name: pieces [models, 1 + blocks + draws]
        self.places: dict[str, tuple[list[int], int]] = {}  # by name: which arms they are, and how many repetitions

    def add(self, name: str, metric: Metric, predicted: Sequence[np.ndarray], places: Sequence[int]) -> None:
        """predicted  by arm [repetitions, all rows(, C)]; places  the number of each arm."""
        self.places[name] = list(places), len(predicted[0])
        models = [model if self.whole else model[self.rows] for arm in predicted for model in arm]
        if metric.kind == DECISION and self.cells.add(name, metric, models):
            return
        at_once = max(1, ROOM // (PREDICTION * len(self.y)))
        for start in range(0, len(models), at_once):
            some = models[start : start + at_once]
            if self.used + len(some) > at_once:
                self._flush()
            self.used += len(some)
            self.waiting.append((name, Evaluator(metric, np.stack(some), self.y, self.classes)))

    def values(self, name: str, arms: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """[arms, repetitions], [arms, repetitions, draws] and in time [arms, blocks]; NaN for arms that were not added."""
        self._flush()
        places, repetitions = self.places[name]
        columns = self._columns(name)
        every = np.full((arms, repetitions, columns.shape[1]), np.nan)
        every[places] = columns.reshape(len(places), repetitions, -1)
        first = self.once.shape[1]
        blocks = first - len(self.parts)
        return every[..., 0], every[..., first:], every[:, 0, 1:blocks] if blocks > 1 else None

    def folds(self, name: str, arms: int) -> np.ndarray | None:
        """[arms, repetitions, folds] of few repetitions, or None; NaN for arms that were not added and folds without a class."""
        if not self.parts:
            return None
        places, repetitions = self.places[name]
        first = self.once.shape[1]
        columns = self._columns(name)[:, first - len(self.parts) : first]
        every = columns.reshape(len(places), repetitions, repetitions, -1)
        out = np.full((arms, repetitions, every.shape[3]), np.nan)
        lacking = np.array([part is None for part in self.parts]).reshape(repetitions, -1)
        for a in range(repetitions):
            out[places, a] = np.where(lacking[a], np.nan, every[:, a, a])
        return out

    def _columns(self, name: str) -> np.ndarray:
        """[models, 1 + blocks + draws]"""
        return np.concatenate([piece[:, : self.once.shape[1] + self.count] for piece in self.columns[name]])

    def _flush(self) -> None:
        if not self.waiting and not self.cells.evaluators:
            return
        pieces: list[list[np.ndarray]] = [[] for _ in self.waiting]
        merged: dict[str, list[np.ndarray]] = {name: [] for name in self.cells.evaluators}
        drawn = -self.once.shape[1]
        for times in itertools.chain([self.once], draws(self.labels, self.count, self.seed, self.split)):
            if drawn >= LEAST and self.hurry():
                self.count = drawn
                break
            drawn += times.shape[1]
            weights = times if self.weights is None else times * self.weights[:, None]
            for piece, (_, evaluate) in zip(pieces, self.waiting, strict=True):
                piece.append(evaluate(weights))
            for name, value in self.cells(weights).items():
                merged[name].append(value)
        for piece, (name, _) in zip(pieces, self.waiting, strict=True):
            self.columns.setdefault(name, []).append(np.concatenate(piece, axis=1))
        for name, piece in merged.items():
            self.columns[name] = [np.concatenate(piece, axis=1)]
        self.waiting, self.used, self.cells = [], 0, Cells(self.y, self.classes)


def _folds(split: Split, y: np.ndarray, classes: int) -> list[np.ndarray | None]:
    """Which rows each fold of each repetition holds, repetition by repetition, where there are few of those; None for one without a
    class, on which not every metric has a value."""
    if split.repetitions >= decision.REPETITIONS:
        return []
    every = [held == f for held in split.held for f in range(split.folds)]
    return [part if len(np.unique(y[part])) == classes else None for part in every]


class Cells:
    """Decisions of all models at once: rows with the same label on which every model decides alike are one cell, and what
    a draw gives them is added up once. There are few, as models mostly agree, so that large tables cost little."""

    def __init__(self, y: np.ndarray, classes: int):
        self.y, self.classes = y, classes
        self.cell = y  # [rows] the cell of each row
        self.decided: dict[str, tuple[Metric, np.ndarray]] = {}  # [models, cells]
        self.label = np.arange(classes)  # [cells]
        self.evaluators: dict[str, Evaluator] = {}
        self.sum: sparse.csr_matrix | None = None

    def add(self, name: str, metric: Metric, models: Sequence[np.ndarray]) -> bool:
        """False, and nothing is added, where cells would be nearly as many as rows. models  decisions [rows] each."""
        first, cell = _distinct(self.cell, models, self.classes)
        if 2 * len(first) > len(self.y):
            return False
        old = self.cell[first]
        self.decided = {n: (m, decided[:, old]) for n, (m, decided) in self.decided.items()}
        self.decided[name] = metric, np.stack([model[first] for model in models])
        self.cell, self.label = cell, self.y[first]
        self.evaluators = {n: Evaluator(m, d, self.label, self.classes) for n, (m, d) in self.decided.items()}
        self.sum = None
        return True

    def __call__(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """{name: [models, draws]} for weights [rows, draws]."""
        if not self.evaluators:
            return {}
        if self.sum is None:
            ones = np.ones(len(self.cell), np.float32)
            at = (self.cell, np.arange(len(self.cell)))
            self.sum = sparse.csr_matrix((ones, at), shape=(len(self.label), len(self.cell)))
        inside = self.sum @ weights
        return {name: evaluate(inside) for name, evaluate in self.evaluators.items()}


def _distinct(cell: np.ndarray, models: Sequence[np.ndarray], classes: int) -> tuple[np.ndarray, np.ndarray]:
    """(a row of each cell, the cell [rows] of each row): rows of one old cell with equal decisions are one."""
    key = cell.astype(np.int64)
    span = int(key.max()) + 1
    for model in models:
        if span > 2**62 // classes:
            _, key = np.unique(key, return_inverse=True)
            span = int(key.max()) + 1
        key = key * classes + model
        span *= classes
    _, first, key = np.unique(key, return_index=True, return_inverse=True)
    return first, key
