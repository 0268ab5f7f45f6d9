"""What every kind of model has to offer to be tuned: fits of all arms at all settings on one training part.

A model knows nothing of folds, metrics or verdicts, so that many machines can run it.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from ...recipe import Recipe
from ...rule.protocol import Rule
from ..weights import Weights, masses, total


@dataclasses.dataclass(frozen=True)
class Axis:
    """The one number that every arm tunes beside its recipe; its setting is chosen on the other folds.

    name     as in report.json: "strength", "trees", "epochs"; "" where nothing is tuned
    grid     settings that are always fitted, ascending
    default  among equals the one nearest to it is taken, on the scale of logarithms
    lower    further settings, nearest first, tried where an arm still gains at the low end of the grid; `upper` alike
    stride   how many of them at a time: one where a fit takes as long as its largest setting
    """

    name: str
    title: str
    grid: tuple[float, ...]
    default: float
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()
    stride: int = 2


@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """What is asked of a model: every recipe at every setting, on one training part. The same answer for the same seed.

    X            as the model's encoding says, for `rows` an object of the user's own
    y            [rows] labels 0..classes-1
    settings     of the model's axis, [settings]
    start        what `Fitted.arrays` gave for the same recipes and settings on other rows
    categorical  [p] which columns are codes, where the encoding is "raw"
    weights      [rows] how much each row counts, 1 on average over all parts; None: all the same
    rule         what one arm is trained with in place of its recipe, which is plain; the fitted model's logits are then undone
    """

    X: Any
    y: np.ndarray
    recipes: Sequence[Recipe]
    settings: np.ndarray
    classes: int = 2
    start: dict[str, np.ndarray] | None = None
    seed: int = 0
    categorical: np.ndarray | None = None
    weights: Weights = None
    rule: Rule | None = None

    @property
    def shares(self) -> np.ndarray:
        """Of the classes, [C]."""
        return masses(self.y, self.weights, self.classes) / self.mass

    @property
    def mass(self) -> float:
        """What all rows count for."""
        return total(self.weights, len(self.y))


class Fitted(Protocol):
    """Models [arms, settings] of one training part."""

    @property
    def converged(self) -> np.ndarray: ...

    def logits(self, X: Any) -> np.ndarray:
        """As trained, not undone: [arms, settings, rows] log-odds for two classes, else [arms, settings, rows, C]."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """What a later fit may start from, or {} where nothing can be carried over."""
        ...

    def describe(self, arm: int, setting: int, names: Sequence[str]) -> dict[str, Any]:
        """The model in numbers that fit into report.json, by the names of its columns; {} where it has none."""
        ...


class Model(Protocol):
    """A kind of model.

    name            as in `--model`
    encoding        what it reads: "scaled" (gaps filled, standardised, one column per level: float64 [rows, p], or a CSR
                    matrix where text makes it sparse) or "raw" (gaps are NaN, a category is its code)
    together        all arms in one call are cheaper than one by one
    free_intercept  it takes up any shift of its logits without a penalty, and is fitted to its optimum
    continues       `fit` can start from what `arrays` gave of other rows, so all rows are fitted first
    readable        `describe` has something to say, so the winner is refitted on all rows
    weighs          it learns from some rows more than from others, as `Fit.weights` says
    ruled           it is trained step by step, so that `Fit.rule` can act
    """

    name: str
    encoding: str
    axis: Axis
    together: bool
    free_intercept: bool
    continues: bool
    readable: bool
    weighs: bool
    ruled: bool

    def refuses(self, recipe: Recipe, classes: int) -> str:
        """Why this model cannot train with the recipe, or ""."""
        ...

    def fit(self, fit: Fit) -> Fitted: ...
