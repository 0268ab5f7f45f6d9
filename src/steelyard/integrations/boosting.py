"""What the boosters share: a recipe as the objective of trees, its start, and its undo. Their own files hold what differs.

Trees start at the recipe's constant optimum. Gradient and curvature are brought to the scale on which the mean curvature there is 1/4, that
of even odds: no factor of the weights changes a tree, and limits on sums of curvature in a leaf ask the same of every recipe.
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d

import steelyard as sy

from ..given import same_rows
from .classes import cost_matrix, counted, decided, plain, recipe_of, undone

FAR = 1e-9  # a share that no start falls below
STEP = 10.0  # of a leaf, before the rate: where 1 % are positive, Newton's step in a pure leaf of them is 100


class Boosted(ClassifierMixin, BaseEstimator, abc.ABC):
    """Trees with a recipe as their objective. Abstract: a booster's file grows them and asks them for scores.

    strategy  an ingredient by name or as a function of Counts, a Recipe, a list of them, or None; every field of a recipe
    trees     how many
    params    of the booster, by its own names
    undo      predict_proba without the recipe; False: as the sigmoid or the softmax has it
    threshold, costs  as in steelyard.integrations.sklearn: a number for the second of two classes; a table [C, C]

    After fit: classes_, recipe_, first_ (the scores that the trees start from), booster_, trees_ (how many of them answer) and evals_ (the
    loss of the eval set after each tree; empty without one). Undone probabilities are exact at the loss's
    optimum, which boosted trees stop short of: CalibratedClassifierCV around it, on other rows, is the second step.
    """

    def __init__(
        self,
        strategy: Any = None,
        *,
        trees: int = 100,
        params: dict[str, Any] | None = None,
        undo: bool = True,
        threshold: float | None = None,
        costs: Any = None,
    ):
        self.strategy, self.trees, self.params = strategy, trees, params
        self.undo, self.threshold, self.costs = undo, threshold, costs

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        eval_set: Any = None,
        eval_sample_weight: Any = None,
        eval_loss: str = "undone",
        early_stopping: int | None = None,
        callbacks: Sequence[Any] | None = None,
    ) -> Self:
        """Grow the trees.

        X                   as the booster takes it
        y                   labels [rows]
        sample_weight       [rows] or None
        eval_set            (X, y) of other rows, or a list of that one pair, whose loss is taken after every tree
        eval_sample_weight  of its rows, or None
        eval_loss           "undone": minus the log of the label's probability, the recipe undone, as predict_proba gives it; "recipe": the
                            loss that is trained. Both are the mean over rows, by their weights
        early_stopping      trees without a new least loss after which it ends; the trees up to the least answer
        callbacks           of the booster's own, handed on

        ValueError for one class, labels of the eval set that y does not hold, and options that do not fit.
        """
        name = type(self).__name__
        same_rows(name, X=X, y=y, sample_weight=sample_weight)
        check_classification_targets(y)
        self.classes_, codes = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        classes = len(self.classes_)
        if classes < 2:
            raise ValueError(f"{name}: y holds one class, {self.classes_.tolist()}; there is nothing to tell apart.")
        if self.threshold is not None and (classes != 2 or self.costs is not None):
            raise ValueError(
                f"{name}: threshold= parts two classes; for more, or for costs, give costs=, a table [C, C]."
            )
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        self.costs_ = None if self.costs is None else cost_matrix(name, self.costs, self.classes_.tolist())
        counts = counted(self.classes_, codes, weight)
        self.recipe_ = recipe_of(name, self.strategy, counts)
        self.first_ = start(name, self.recipe_, counts.prior)
        watch = self._watch(eval_set, eval_sample_weight, eval_loss, early_stopping, callbacks)
        self.booster_ = self._grown(X, codes, weight, watch)
        self.n_features_in_ = int(np.shape(X)[1])
        return self

    def decision_scores(self, X: Any) -> np.ndarray:
        """Raw scores, not undone: [rows] of two classes, else [rows, C]."""
        check_is_fitted(self)
        z = np.asarray(self._raw(X), dtype=np.float64)
        return z + (self.first_[0] if len(self.classes_) == 2 else self.first_)

    def predict_proba(self, X: Any) -> np.ndarray:
        """[rows, C], in the order of classes_."""
        z = self.decision_scores(X)
        return undone(z, self.recipe_) if self.undo else plain(z)

    def predict(self, X: Any) -> np.ndarray:
        """[rows] labels."""
        return self.classes_[decided(self.predict_proba(X), self.threshold, self.costs_)]

    def _watch(self, eval_set: Any, weight: Any, loss: str, rounds: int | None, callbacks: Any) -> "Watch":
        name = type(self).__name__
        if loss not in EVAL_LOSSES:
            raise ValueError(f"{name}: eval_loss must be one of {', '.join(EVAL_LOSSES)}, got {loss!r}.")
        if rounds is not None and (isinstance(rounds, bool) or int(rounds) != rounds or rounds < 1):
            raise ValueError(f"{name}: early_stopping is a number of trees, 1 or more, got {rounds!r}.")
        if eval_set is None:
            if rounds is not None or weight is not None:
                raise ValueError(
                    f"{name}: early_stopping= and eval_sample_weight= need rows to judge by; pass eval_set=(X, y)."
                )
            return Watch(callbacks=list(callbacks or ()))
        if isinstance(eval_set, list) and len(eval_set) == 1:
            eval_set = eval_set[0]
        if not isinstance(eval_set, tuple) or len(eval_set) != 2:
            raise ValueError(f"{name}: eval_set is one pair (X, y), or a list of that one pair.")
        X, y = eval_set
        y = column_or_1d(y, warn=True)
        codes = np.clip(np.searchsorted(self.classes_, y), 0, len(self.classes_) - 1)
        other = np.unique(y[self.classes_[codes] != y])
        if len(other) or not len(y):
            what = (
                f"labels that y does not hold: {', '.join(map(str, other[:5].tolist()))}" if len(other) else "no rows"
            )
            raise ValueError(f"{name}: eval_set has {what}.")
        if weight is not None:
            weight = _check_sample_weight(weight, X, dtype=np.float64)
        return Watch(
            Rows(X, codes, weight), Judge(self.recipe_, len(self.classes_), loss), rounds, list(callbacks or ())
        )

    def _begin(self, many: int) -> np.ndarray:
        """The start of so many rows: [rows], or of more than two classes [rows, C]."""
        return np.full(many, self.first_[0]) if len(self.first_) == 1 else np.tile(self.first_, (many, 1))

    @abc.abstractmethod
    def _grown(self, X: Any, codes: np.ndarray, weight: np.ndarray | None, watch: "Watch") -> Any:
        """The booster, trained on labels codes [rows]; sets trees_ and evals_."""

    @abc.abstractmethod
    def _raw(self, X: Any) -> np.ndarray:
        """What the trees add to the start."""


EVAL_LOSSES = ("undone", "recipe")


@dataclasses.dataclass
class Rows:
    """Of an eval set: X, the places of its labels in classes_, the weights of its rows or None."""

    X: Any
    codes: np.ndarray
    weight: np.ndarray | None


@dataclasses.dataclass
class Watch:
    """What is asked for while trees grow."""

    rows: Rows | None = None
    judge: "Judge | None" = None
    rounds: int | None = None
    callbacks: list[Any] = dataclasses.field(default_factory=list)


class Judge:
    """The mean loss of rows with raw scores [rows] or [rows, C], by name: what is minimised, or the log loss of undone probabilities."""

    def __init__(self, recipe: sy.Recipe, classes: int, name: str):
        self.recipe, self.classes, self.name = recipe, classes, name
        self.loss = (sy.BinaryCrossEntropy if classes == 2 else sy.CrossEntropy)(recipe, reduction="none")

    def __call__(self, scores: np.ndarray, codes: np.ndarray, weight: np.ndarray | None) -> float:
        z = np.asarray(scores, dtype=np.float64)
        if self.name == "recipe":
            with torch.no_grad():
                each = self.loss(torch.from_numpy(z.copy()), torch.from_numpy(codes.astype(np.int64))).numpy()
        else:
            p = undone(z, self.recipe)[np.arange(len(codes)), codes]
            each = -np.log(np.maximum(p, np.finfo(np.float64).tiny))
        return float(np.average(each, weights=weight))


class Objective:
    """(scores) -> (gradient, curvature), for the rows of one training."""

    def __init__(self, recipe: sy.Recipe, codes: np.ndarray, weight: np.ndarray | None, first: np.ndarray):
        self.loss = (
            sy.BinaryCrossEntropy(recipe) if len(first) == 1 else sy.CrossEntropy(recipe)
        )  # bound once, for every tree
        self.codes, self.weight = codes, weight
        # the diagonal alone would let C classes that move together go too far
        self.shared = 1.0 if len(first) == 1 else len(first) / (len(first) - 1)
        begin = np.full(len(codes), first[0]) if len(first) == 1 else np.tile(first, (len(codes), 1))
        self.factor = 1.0
        mean = self(begin)[1].sum() / self.shared / (codes.size if weight is None else weight.sum()) / len(first)
        self.factor = 0.25 / mean

    def __call__(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.of(scores, self.codes, self.weight)

    def of(self, scores: np.ndarray, codes: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Of other rows, as where a booster hands some of them over in an order of its own."""
        g, h = sy.slopes(self.loss, np.asarray(scores, dtype=np.float64), codes, weight=weight)
        g *= self.factor
        h *= self.factor * self.shared
        return g, h


def start(who: str, recipe: sy.Recipe, prior: np.ndarray) -> np.ndarray:
    """The scores, [1] for two classes, else [C], whose undo are the shares of the classes. ValueError where `posterior` refuses the recipe."""
    prior = np.maximum(prior, FAR)
    wanted = np.log(prior / prior.sum())
    if len(prior) == 2:
        low, high = -100.0, 100.0
        for _ in range(5):  # the undo rises with the score
            ladder = np.linspace(low, high, 201)
            odds = sy.posterior(ladder, recipe, link="sigmoid")
            at = int(np.clip(np.searchsorted(odds, np.exp(wanted[1])), 1, 200))
            low, high = ladder[at - 1], ladder[at]
        return np.array([(low + high) / 2])
    z, step, last = wanted.copy(), 1.0, np.inf
    for _ in range(200):
        missing = wanted - np.log(sy.posterior(z[None], recipe, link="softmax")[0])
        size = float(np.abs(missing).max())
        if size < 1e-9:
            return z
        step, last = (step if size < last else step / 2), size
        z = z + step * missing
    raise ValueError(
        f"{who}: found no constant scores whose undo are the classes' shares; leave scales per class and margins out of the recipe."
    )


def balance(who: str, counts: sy.Counts | None, option: str) -> np.ndarray:
    """[2] numbers of two classes, which a model does not keep. ValueError without them."""
    if counts is None or len(counts) != 2:
        raise ValueError(
            f"{who}: the model was trained with {option}, and does not keep how many of each class it saw; pass counts=sy.count(y_train)."
        )
    return counts.table
