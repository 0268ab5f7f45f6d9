"""One arm with its fits, as the contest asks about it."""

import dataclasses

import numpy as np

from ..recipe import Recipe
from .arms import Arm
from .metric import Metric
from .pictures import Predictions, probability
from .search import Search
from .validation.cuts import shifted
from .validation.outcomes import recalibrated


def members(search: Search) -> list["FittedArm"]:
    """All arms of a search, in its order."""
    return [FittedArm(arm, search, j) for j, arm in enumerate(search.arms)]


@dataclasses.dataclass(frozen=True, eq=False)
class FittedArm:
    """An arm with its fits: the one with this number in the search. `metric` is what settings are chosen for."""

    arm: Arm
    search: Search
    index: int

    @property
    def recipe(self) -> Recipe:
        """On all rows."""
        return self.search.recipes[self.index]

    def setting(self, metric: Metric) -> float:
        """Chosen on all rows."""
        return float(self.search.settings[int(self.search.choice(metric).final[self.index])])

    def settings(self, metric: Metric) -> dict[float, int]:
        """{setting: in how many folds it was chosen}"""
        picked, times = np.unique(self.search.choice(metric).picked[self.index], return_counts=True)
        return {float(self.search.settings[int(s)]): int(n) for s, n in zip(picked, times, strict=True)}

    def threshold(self, metric: Metric, rule: Metric) -> float | tuple[float, ...]:
        """On all judged rows, mean over repetitions: a probability; for more than two classes the factor [C] that each one's
        probability is divided by before the largest decides, the geometric mean, 1 for the most common class."""
        cuts, task = self.search.decided(metric, rule)[1][self.index], self.search.task
        if task.classes == 2:
            return float(probability(cuts).mean())
        steps = cuts.mean(axis=0)
        return tuple(np.exp(steps - steps[int(np.argmax(task.masses.per_class))]).tolist())

    def outcomes(self, metric: Metric, by: Metric | None = None) -> np.ndarray:
        """What the metric judges, [repetitions, rows(, C)]; settings chosen for `by`, the metric unless said."""
        return self.search.outcomes(metric, by)[self.index]

    def undone(self, metric: Metric) -> np.ndarray:
        """[repetitions, rows(, C)]: out-of-fold scores on plain scale."""
        choice = self.search.choice(metric)
        return np.stack([choice.pool(self.index, a) for a in range(self.search.split.repetitions)])

    def predictions(self, metric: Metric, rule: Metric) -> Predictions:
        """Of all rows: undone, as trained, recalibrated, decided by the threshold that is moved for `rule`."""
        choice, j = self.search.choice(metric), self.index
        repetitions = range(self.search.split.repetitions)
        return Predictions(
            self.undone(metric),
            self.search.trained(choice, j),
            np.stack([recalibrated(choice, j, a) for a in repetitions]),
            self.search.decided(metric, rule)[0][j],
            None if self.search.task.classes == 2 else np.stack([shifted(choice, rule, j, a) for a in repetitions]),
        )
