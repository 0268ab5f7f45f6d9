"""One metric of many predictions, for all bootstrap draws at once."""

import numpy as np

from .metric import DECISION, RANKING, Metric
from .ranked import Ranked
from .threads import in_order

BLOCK = 2**23  # numbers in one [models, columns, rows] array of an Evaluator
WORTH_A_THREAD = 2**22  # multiplicities from which models are ranked side by side
WORKING = 48  # bytes per level and draw while a model is ranked,
ROOM = 2**29  # and bytes for all that are ranked at a time


class Evaluator:
    """One metric of many predictions under many weightings of the rows; sorting is done once, here.

    outcomes  [models, rows] scores or labels, or log-probabilities: log-odds [models, rows] for two classes, else [models, rows, C]
    y         [rows] labels 0..classes-1

    Where all columns do not fit into one block, labels are kept as they come, losses in float32, and every call widens
    them model by model.
    """

    def __init__(self, metric: Metric, outcomes: np.ndarray, y: np.ndarray, classes: int):
        self.metric, self.classes, self.y = metric, classes, y
        self.models = len(outcomes)
        if metric.kind == RANKING:
            self.ranked = [Ranked.of(score, y) for score in outcomes]
            return
        small = self.models * 2 * classes * len(y) <= BLOCK
        if metric.kind == DECISION:
            kept = outcomes
        else:
            assert metric.loss is not None  # a probability's
            kept = np.stack([metric.loss(o, y, classes).astype(np.float64 if small else np.float32) for o in outcomes])
        self.blocks = [metric.columns(kept, y, classes)] if small else [kept[[i]] for i in range(self.models)]
        self.small = small

    def __call__(self, weights: np.ndarray | None = None) -> np.ndarray:
        """[models, draws] for weights [rows, draws], whole numbers in float32 or any in float64; [models] for weights [rows], or for
        None, every row once."""
        if weights is None:
            return self(np.ones((len(self.y), 1), np.float32))[:, 0]
        if weights.ndim == 1:
            return self(weights[:, None])[:, 0]
        if self.metric.kind == RANKING:
            room = max(r.height for r in self.ranked) * weights.shape[1] * WORKING
            width = max(1, ROOM // room) if weights.size >= WORTH_A_THREAD else 1
            return np.stack(in_order(lambda r: self.metric.of(r, weights), self.ranked, width))
        totals = np.stack([weights[self.y == c].sum(axis=0, dtype=np.float64) for c in range(self.classes)])
        wide = None
        values = []
        for block in self.blocks:
            columns = block if self.small else self.metric.columns(block, self.y, self.classes)
            models, q, rows = columns.shape
            # whole numbers below 2^24 are exact in float32; sums of losses are not
            if columns.dtype == weights.dtype == np.float32 and rows < 2**24:
                w = weights
            else:
                w = wide = weights.astype(np.float64) if wide is None else wide
            sums = (columns.reshape(-1, rows) @ w).reshape(models, q, -1).astype(np.float64)
            values.append(self.metric.of(self.metric, sums, totals))
        return np.concatenate(values)
