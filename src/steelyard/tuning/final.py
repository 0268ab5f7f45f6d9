"""The final model of a study: what won, refitted on all rows, with its columns, its undo and its threshold. model.json is all of it.

Nothing in the file is code: it is read number by number, and what does not fit is refused.
"""

import dataclasses
import difflib
import functools
import json
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy.special import expit

from .. import marks
from ..files import loaded, write_text_atomically
from ..recipe import SCHEMA as RECIPE
from ..recipe import Recipe
from ..schema import Many, Maybe, Number, Numbers, Record, Text, brief, checked, parsed
from ..shown import clean_json
from ..version import __version__
from . import threads
from .data.features import Features
from .data.pairs import table_of
from .data.saved import COLUMNS, SavedColumns
from .job import Job
from .metric import METRICS, Metric
from .models import saved, skopped
from .models.estimators import EstimatorModel, Estimators
from .models.forms import refusal, undo
from .models.function import FunctionFitted
from .models.model import Fitted
from .models.ruled import Ruled
from .validation.steps import decisions

FORMAT = "steelyard.model/1"
NAME = "model.json"
ROWS = 2**16  # scored at a time
AGAIN = "run the study again"
MODEL = Record(
    {
        "model": Text(saved.MODELS),
        **dict.fromkeys(("arm", "label"), Text()),
        "setting": Number(),
        "threshold": Numbers(Number(), 1),
        "threshold_rule": Text(tuple(METRICS)),
        "classes": Many(Text(), some=True),
        "cost_matrix": Maybe(Numbers(Number(), 2, least=2)),
        "recipe": RECIPE,
        "columns": Maybe(COLUMNS),
        "fitted": Record({}),
        "prior": Many(Number(0, 1)),  # of files from before there were factors
    },
    optional={"prior"},
)
OWN = "what your own training function made is not saved; keep it, and undo its scores by posterior(logits, recipe)."


@dataclasses.dataclass(frozen=True, eq=False)
class FinalModel:
    """Probabilities with the weights undone, and decisions, in the manner of scikit-learn.

    model      the kind: "linear", "lightgbm", ...
    arm        the weighting it was trained with, "plain" for none; `recipe` on all rows
    setting    strength, trees or epochs
    label      the column that it predicts
    classes    for two, the second is the positive one
    threshold  a probability of the positive class, at or above which a row is decided to be it; for more than two classes [C] what
               each one's probability is divided by before the largest decides, or under `cost_matrix` the cheapest
    rule       the metric that the threshold was chosen for
    columns    how a table is read; None for a training function's model, which is given its rows as they are
    """

    model: str
    arm: str
    setting: float
    recipe: Recipe
    label: str
    classes: tuple[str, ...]
    threshold: float | tuple[float, ...]
    rule: str
    cost_matrix: tuple[tuple[float, ...], ...] | None
    columns: SavedColumns | None
    fitted: Fitted

    @property
    def classes_(self) -> np.ndarray:
        """Names of the classes, in the order of the columns of `predict_proba`."""
        return np.array(self.classes, dtype=object)

    @property
    def feature_names_in_(self) -> np.ndarray:
        """The columns that are read, whatever others a table has. AttributeError for a training function's model."""
        if self.columns is None:
            raise AttributeError("a model of your own training function has no names of columns")
        return np.array(self.columns.names, dtype=object)

    @property
    def n_features_in_(self) -> int:
        return len(self.feature_names_in_)

    def predict_proba(self, X: Any) -> np.ndarray:
        """[rows, C], weights undone. X is a path, a Table, a DataFrame or an Arrow table with the columns of the study in any order,
        or an array with just those of `feature_names_in_`."""
        return self.score(X)[0]

    def predict(self, X: Any) -> np.ndarray:
        """The decided class of each row, by name, at the threshold of the study."""
        return self.classes_[self.score(X)[1]]

    def score(self, X: Any) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """(probabilities [rows, C], decisions [rows] as numbers of classes, what was read otherwise than in the study).

        ValueError where a column of the study is not there.
        """
        blocks, notes = self._encoded(X)
        parts = [self._judged(block) for block in blocks]
        p, decided = (np.concatenate(some) for some in zip(*parts, strict=True))
        return p, decided, notes

    def _encoded(self, X: Any) -> tuple[Iterator[Any], list[str]]:
        if self.columns is None:
            return iter([X]), []
        table = table_of(X, self.columns.names)
        encode, notes = self.columns.read(table)
        starts = range(0, max(1, table.rows), ROWS)
        return (encode(np.arange(a, min(a + ROWS, table.rows))) for a in starts), notes

    def _judged(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        scores = undo(self.fitted.logits(X)[0, 0], self.recipe, len(self.classes))
        if len(self.classes) == 2:
            p = expit(scores)
            return np.stack([expit(-scores), p], axis=1), (p >= self.threshold).astype(np.int64)
        rule = dataclasses.replace(METRICS[self.rule], cost_matrix=self.cost_matrix)
        return np.exp(scores), decisions(rule, scores, np.log(np.array(self.threshold)))

    def to_json(self) -> str:
        """All of it. ValueError for a kind of model that has no plain form."""
        kind = saved.kind(self.model, self.fitted)
        if self.unsaved:
            raise ValueError(f"model: {self.unsaved}")
        data = {
            "format": FORMAT,
            "version": __version__,
            "model": kind,
            "arm": self.arm,
            "setting": self.setting,
            "label": self.label,
            "classes": list(self.classes),
            "threshold": list(self.threshold) if isinstance(self.threshold, tuple) else self.threshold,
            "threshold_is": "factors" if isinstance(self.threshold, tuple) else "probability",
            "threshold_rule": self.rule,
            "cost_matrix": None if self.cost_matrix is None else [list(row) for row in self.cost_matrix],
            "recipe": json.loads(self.recipe.to_json()),
            "columns": None if self.columns is None else self.columns.to_dict(),
            "fitted": saved.state(self.model, self.fitted),
        }
        return json.dumps(data, allow_nan=False, ensure_ascii=False)

    @property
    def unsaved(self) -> str:
        """Why there is no file of it, or ""."""
        if isinstance(self.fitted, Estimators):
            return skopped.why_not(self.fitted.models[0])
        return OWN if self.columns is None else unsaved(self.model)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write model.json, whole or not at all."""
        return write_text_atomically(path, clean_json(self.to_json()) + "\n", marks.MODEL, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, trusted: Collection[str] = ()) -> Self:
        """The model in a file, or in the folder of a study. ValueError, in one sentence, for anything else.

        trusted  names of types that a scikit-learn classifier may hold beside scikit-learn's own and NumPy's; what a file names and
                 nobody trusts is refused, with the names. Trust what you know: making a type runs its code
        """
        file = Path(path)
        file = file / NAME if file.is_dir() else file
        if not file.is_file():
            raise ValueError(
                f"model: there is no {NAME} in {path}; `steelyard tune ... --out {path}` writes one, and report.json there says which"
                " weighting to train with where the kind of model has no plain form."
            )
        return loaded(file, functools.partial(cls.from_json, trusted=trusted))

    @classmethod
    def from_json(cls, text: str, *, trusted: Collection[str] = ()) -> Self:
        """ValueError, with the place, for what `to_json` never gives; `trusted` as in `load`."""
        try:
            data = parsed(text)
        except ValueError as error:
            raise ValueError(f"model: this is not JSON ({error}); {AGAIN}.") from None
        form = data.get("format") if isinstance(data, dict) else None
        if form != FORMAT:
            raise ValueError(f"model: this is not {FORMAT} but {brief(form)}; `steelyard tune` writes one as {NAME}.")
        data = checked("model", data, MODEL, AGAIN)
        checked("model", data, Record({"fitted": saved.FORMS[data["model"]]}), AGAIN)
        try:
            return cls._of(data, trusted)
        except skopped.Refused as error:
            raise ValueError(f"model: {error}") from None
        except ValueError as error:
            raise ValueError(f"model: this {FORMAT} file is damaged ({error}); {AGAIN}.") from None

    @classmethod
    def _of(cls, data: Mapping[str, Any], trusted: Collection[str]) -> Self:
        columns = None if data["columns"] is None else SavedColumns.from_dict(data["columns"])
        classes, name = tuple(data["classes"]), data["model"]
        if columns is None and name != saved.ESTIMATOR:
            raise ValueError("it has no columns")
        recipe = Recipe.from_json(json.dumps(data["recipe"]))
        if len(set(classes)) < max(2, len(classes)):
            raise ValueError("its classes are fewer than two, or one stands twice")
        if recipe.classes not in (None, classes) or (why := refusal(recipe, len(classes))):
            raise ValueError(f"its recipe {why if recipe.classes in (None, classes) else 'is of other classes'}")
        costs = data["cost_matrix"]
        costs = None if costs is None else tuple(tuple(map(float, row)) for row in costs)
        if costs and {len(costs), *map(len, costs)} != {len(classes)}:
            raise ValueError("its costs do not fit its classes")
        width = 0 if columns is None else columns.width
        fitted = saved.restored(name, data["fitted"], len(classes), width, trusted)
        return cls(
            data["fitted"]["name"] if name == saved.ESTIMATOR else name,
            data["arm"],
            float(data["setting"]),
            recipe,
            data["label"],
            classes,
            _threshold(data, len(classes)),
            data["threshold_rule"],
            costs,
            columns,
            fitted,
        )


def _threshold(data: Mapping[str, Any], classes: int) -> float | tuple[float, ...]:
    value, several = data["threshold"], classes > 2
    if several and isinstance(value, int | float):  # tau of a prior shift, as files had it before there were factors
        prior = np.array(data.get("prior") or [], dtype=float)
        if len(prior) != classes or prior.min() <= 0:
            raise ValueError("its prior does not fit its classes")
        return tuple(((prior / prior.max()) ** float(value)).tolist())
    factors = tuple(map(float, value)) if isinstance(value, list) else (float(value),)
    if len(factors) != (classes if several else 1) or (several and min(factors) <= 0):
        raise ValueError("its threshold does not fit its classes")
    return factors if several else factors[0]


@dataclasses.dataclass(frozen=True, eq=False)
class Refit:
    """The final model, not fitted before somebody asks. Of a study only what a fit needs: the scores of its folds may go."""

    job: Job
    index: int
    setting: float
    recipe: Recipe
    arm: str
    rule: Metric
    threshold: float | tuple[float, ...]

    @functools.cached_property
    def _whole(self) -> tuple[Fitted, Any, Recipe]:
        """The model, what encodes its rows, and what it was trained with: of a rule, where it stood at the end."""
        with threads.single():
            fitted, encode = self.job.whole(self.index, self.setting)
        if isinstance(fitted, Ruled):
            return fitted.fitted, encode, fitted.recipes[0]
        if isinstance(fitted, FunctionFitted):
            settled, rule = fitted.settled(), fitted.rule
            return settled, encode, self.recipe if rule is None else rule.recipe()
        return fitted, encode, self.recipe

    @property
    def description(self) -> dict[str, Any]:
        """In numbers that fit into report.json."""
        fitted, encode, _ = self._whole
        return fitted.describe(0, 0, encode.names)

    @functools.cached_property
    def model(self) -> FinalModel:
        task, (fitted, encode, recipe) = self.job.task, self._whole
        return FinalModel(
            self.job.model.name,
            self.arm,
            self.setting,
            dataclasses.replace(recipe, classes=task.counts.classes),
            task.label,
            tuple(task.counts.classes),
            self.threshold,
            self.rule.name,
            self.rule.cost_matrix if task.classes > 2 else None,
            SavedColumns.of(task.features, encode) if isinstance(task.features, Features) else None,
            fitted,
        )

    @property
    def unsaved(self) -> str:
        """Why there will be no file of it, or ""."""
        if isinstance(self.job.model, EstimatorModel):
            return skopped.why_not(self.job.model.estimator)
        return unsaved(self.job.model.name) if isinstance(self.job.task.features, Features) else OWN


def unsaved(model: str) -> str:
    """Why a kind of model has no file, or ""."""
    if model == "boosting":
        return skopped.missing()
    if model in saved.NAMED:
        return ""
    near = difflib.get_close_matches(model, saved.NAMED, 1)
    other = near[0] if near else "lightgbm"
    return (
        f"--model {model} has no plain form that can be read without running code of the file, so no {NAME} is written; --model"
        f" {other} has one, and in Python study.model serves."
    )
