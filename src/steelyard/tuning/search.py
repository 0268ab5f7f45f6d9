"""All fits of a study: every arm at every strength on every training part, on a grid that grows where it is too narrow."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from ..counts import Counts
from ..recipe import Recipe
from .crossfit import Choice, OutOfFold, criterion
from .engines import Linear
from .metrics import Metric
from .problem import Problem
from .space import Arm
from .threads import spread

GRID = np.arange(-3, 4) / 2  # powers of ten: half decades from 0.03 to 30 times the default strength
LIMITS = (-4.0, 4.0)  # as far as it may be widened

Engine = Callable[..., Linear]
Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class Fitted:
    """Powers of ten, the models on all rows (theta, with the names of its columns), and out-of-fold scores
    [arms, strengths, repetitions, rows(, C)] as trained (float32, for pictures) and undone."""

    powers: np.ndarray
    names: list[str]
    theta: np.ndarray
    trained: np.ndarray
    undone: np.ndarray

    def join(self, other: "Fitted") -> "Fitted":
        powers = np.concatenate([self.powers, other.powers])
        order = np.argsort(powers)
        both = (
            np.concatenate([getattr(self, f), getattr(other, f)], axis=1)[:, order]
            for f in ("theta", "trained", "undone")
        )
        return Fitted(powers[order], self.names, *both)


class Search:
    """Fits on the grid when made; then `choice(metric)` says which strengths to use.

    recipes  of the arms on all rows; in a fold they are made anew from the counts of its training part
    held     [repetitions, rows], the fold that holds each row out
    metric   of the verdict: where an arm still gains by it at an edge, the grid is widened for all arms
    """

    def __init__(
        self,
        task: Problem,
        arms: Sequence[Arm],
        recipes: Sequence[Recipe],
        held: np.ndarray,
        engine: Engine,
        metric: Metric,
        progress: Progress,
    ):
        self.task, self.arms, self.recipes, self.held, self.engine = task, arms, recipes, held, engine
        self.metric, self.progress = metric, progress
        self.done = self.planned = self.unsettled = 0
        self._use(self._fit(GRID))
        while wider := self._wider():
            self._use(self.fitted.join(self._fit(np.array(wider))))

    @property
    def folds(self) -> int:
        return int(self.held.max()) + 1

    @property
    def strengths(self) -> np.ndarray:
        return 10.0**self.fitted.powers

    def choice(self, metric: Metric) -> Choice:
        """The strengths for a metric, chosen by what `criterion` says."""
        by = criterion(metric)
        if by.name not in self._choices:
            self._choices[by.name] = self.out.choose(by)
        return self._choices[by.name]

    @property
    def tolerance(self) -> float:
        """A tenth of the margin of what chooses the strength: a gain below it says that the edge has levelled off."""
        by = criterion(self.metric)
        return by.margin / 10 * (float(np.abs(self.choice(self.metric).overall).max()) if by.relative else 1.0)

    def trained(self, choice: Choice, j: int) -> np.ndarray:
        """Scores of one arm as trained, not undone, at the strengths it was given: [repetitions, rows(, C)]."""
        rows = np.arange(len(self.task.y))
        scores = [self.fitted.trained[j, choice.picked[j, a][held], a, rows] for a, held in enumerate(self.held)]
        return np.stack(scores).astype(np.float64)

    def _use(self, fitted: Fitted) -> None:
        self.fitted = fitted
        self.out = OutOfFold(fitted.undone, self.task.y, self.held, 10.0**fitted.powers, self.task.classes)
        self._choices: dict[str, Choice] = {}

    def _wider(self) -> list[float]:
        low, high = self.choice(self.metric).edges(self.tolerance)
        weakest, strongest = self.fitted.powers[[0, -1]]
        below = [weakest - step for step in (1.0, 0.5) if low and weakest - step >= LIMITS[0]]
        return below + [strongest + step for step in (0.5, 1.0) if high and strongest + step <= LIMITS[1]]

    def _fit(self, powers: np.ndarray) -> Fitted:
        """Every arm at these strengths on all rows and, starting from there, on the training part of every fold."""
        task = self.task
        models = len(self.arms) * len(powers)
        self.planned += models * (len(self.held) * self.folds + 1)
        self.progress(self.done, self.planned)
        rows, strengths = np.arange(len(task.y)), 10.0**powers
        encode = task.features.encode(rows)
        names = encode.names
        everything = self.engine(encode(rows), task.y, self.recipes, strengths, classes=task.classes)
        self._count(models, everything.converged)
        shape = (len(self.arms), len(powers), *self.held.shape, *(() if task.classes == 2 else (task.classes,)))
        trained, undone = np.empty(shape, np.float32), np.empty(shape)

        def one(part: tuple[int, int]) -> np.ndarray:
            a, f = part
            train, out = np.flatnonzero(self.held[a] != f), np.flatnonzero(self.held[a] == f)
            encode, y = task.features.encode(train), task.y[train]
            counts = Counts(np.bincount(y, minlength=task.classes), task.counts.classes)
            recipes = [arm.recipe(counts) for arm in self.arms]
            start = carry(everything.theta, names, encode.names)
            fitted = self.engine(encode(train), y, recipes, strengths, classes=task.classes, start=start)
            logits = fitted.logits(encode(out))
            trained[:, :, a, out], undone[:, :, a, out] = logits, fitted.undone(logits)
            return fitted.converged

        for converged in spread(one, np.ndindex(len(self.held), self.folds)):
            self._count(models, converged)
        return Fitted(powers, names, everything.theta, trained, undone)

    def _count(self, models: int, converged: np.ndarray) -> None:
        self.done += models
        self.unsettled += int(np.sum(~converged))
        self.progress(self.done, self.planned)


def carry(theta: np.ndarray, names: list[str], wanted: list[str]) -> np.ndarray:
    """Coefficients for the columns of another training part: those of the same name, else 0; the intercept is last."""
    at = {name: i for i, name in enumerate(names)}
    out = np.zeros((*theta.shape[:-1], len(wanted) + 1))
    known = [(i, at[name]) for i, name in enumerate(wanted) if name in at]
    if known:
        to, source = np.array(known).T
        out[..., to] = theta[..., source]
    out[..., -1] = theta[..., -1]
    return out
