"""What people do without weights: the majority, plain training as it comes, its prior divided out, resampled rows."""

import numpy as np

from . import rules
from .metric import DECISION, Metric
from .search import Search
from .validation import recalibrate
from .verdict.comparisons import Shown

NOTES = {
    "majority": "no model: every row gets the class shares of the training part",
    "plain at 0.5": "plain training, decided by the largest probability",
    "plain, prior shift": "plain training with the class shares divided out, as if all classes were equally frequent",
    "random oversampling": "rows of the rarer classes repeated until the classes are even, then trained as plain",
    "random undersampling": "rows of the larger classes left out until the classes are even, then trained as plain",
    "SMOTE": "rows of the rarer classes made up between neighbours until the classes are even, then trained as plain",
}


def shown(search: Search) -> list[Shown]:
    """Those that need no fits beyond plain's, which is the search's first arm."""

    def scores(metric: Metric) -> np.ndarray:
        choice = search.choice(metric)
        pool = recalibrate.pool if metric.recalibrated else type(choice).pool
        return np.stack([pool(choice, 0, a) for a in range(search.split.repetitions)])

    def half(metric: Metric) -> np.ndarray | None:
        # as a ranking and as probabilities it is plain itself
        return rules.at_half(search.out, scores(metric), metric) if metric.kind == DECISION else None

    def shifted(metric: Metric) -> np.ndarray | None:
        return None if metric.recalibrated else rules.prior_shift(search.out, scores(metric), metric)

    return [
        Shown("majority", lambda metric: rules.majority(search.out, metric)),
        Shown("plain at 0.5", half),
        Shown("plain, prior shift", shifted),
    ]
