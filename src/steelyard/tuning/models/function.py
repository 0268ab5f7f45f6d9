"""The user's own training function as a kind of model: deep networks, anything that gives logits.

    def fit(recipe, X, y):
        net = Net()
        loss = steelyard.CrossEntropy(recipe)
        ...                     # train
        return net              # anything that is called with X and gives logits

A generator that yields the model after every epoch lets the number of epochs be chosen on the other folds.
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from ...counts import Counts
from ...recipe import Recipe
from ..data.problem import Problem
from .model import Axis

Fit = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class Rows:
    """Data that only the user's function reads: an array, a tensor, a DataFrame, a list or a Dataset, taken by rows."""

    data: Any
    notes: tuple[str, ...] = ()
    columns: tuple = ()
    names: tuple[str, ...] = ()

    def encode(self, train: np.ndarray) -> "Rows":
        return self

    def __call__(self, rows: np.ndarray) -> Any:
        data = self.data
        if isinstance(data, np.ndarray):
            return data[rows]
        if isinstance(data, torch.Tensor):
            return data[torch.from_numpy(rows)]
        if hasattr(data, "iloc"):  # pandas; polars takes rows by []
            return data.iloc[rows]
        if isinstance(data, torch.utils.data.Dataset):
            return torch.utils.data.Subset(data, rows.tolist())
        if isinstance(data, (list, tuple)):
            return [data[i] for i in rows]
        return data[rows]

    def digest(self, found: Any) -> None:
        """Into a hash: all of an array; of anything else only what it is and how long."""
        data = self.data.detach().cpu().numpy() if isinstance(self.data, torch.Tensor) else self.data
        if isinstance(data, np.ndarray) and data.dtype != object:
            found.update(np.ascontiguousarray(data).tobytes())
        else:
            found.update(f"{type(data).__name__} of {len(data)}".encode())


def problem_of(data: Any, label: Any, positive: Any, groups: Any = None, time: Any = None) -> Problem:
    """The problem behind `data=(X, y)`, or `data=X, label=y`. ValueError where rows and labels do not fit together."""
    if label is None:
        if not (isinstance(data, tuple) and len(data) == 2):
            raise ValueError(
                "tune: with a function give data=(X, y), or data=X and label=y: y [rows] holds the labels, X anything that"
                " can be taken by rows (array, tensor, DataFrame, list, Dataset)."
            )
        data, label = data
    labels = label.detach().cpu().numpy() if isinstance(label, torch.Tensor) else np.asarray(label)
    if labels.ndim != 1 or len(labels) != len(data):
        raise ValueError(
            f"tune: labels of shape {labels.shape} do not fit {len(data)} rows of data; one label per row is needed."
        )
    values, y = np.unique(labels, return_inverse=True)
    names = [str(v) for v in values.tolist()]
    if len(names) < 2:
        raise ValueError(f"tune: the labels have one class only, {names[0]!r}; two are needed to tell apart.")
    if len(names) == 2:
        n = np.bincount(y)
        if positive is not None and str(positive) not in names:
            raise ValueError(f"tune: there is no class {str(positive)!r}; the classes are {', '.join(names)}.")
        if names[0] == str(positive) or (positive is None and n[0] < n[1]):
            y, names = 1 - y, names[::-1]
    counts = Counts(np.bincount(y), names, "rows", "data")
    if counts.per_class.min() < 2:
        raise ValueError(f"tune: class {names[int(counts.per_class.argmin())]!r} has a single row.")
    return Problem(
        "data",
        "label",
        (len(y), 0),
        y,
        counts,
        names[1] if len(names) == 2 else None,
        Rows(data),  # type: ignore[arg-type]  # it offers what an engine of rows asks for
        (),
        (),
        None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1],
        None if time is None else np.unique(np.asarray(time), return_inverse=True)[1],
        None if groups is None else "groups",
        None if time is None else "time",
    )


class FunctionEngine:
    """fit(recipe, X, y), and seed= if it takes one, -> a model; or a generator of models, one per epoch."""

    name = "function"
    encoding = "rows"
    together = False
    free_intercept = False
    continues = False
    readable = False

    def __init__(self, fit: Fit, epochs: int | None = None):
        self.fits, self.seeded = fit, "seed" in inspect.signature(fit).parameters
        generates = inspect.isgeneratorfunction(fit)
        if generates and not epochs:
            raise ValueError("tune: the function yields models; say how many with epochs=, e.g. epochs=20.")
        if epochs and not generates:
            raise ValueError("tune: epochs= belongs to a function that yields the model after every epoch.")
        if not epochs:
            self.axis = Axis("", "", (1.0,), 1.0)
        else:
            steps = sorted({float(max(1, round(epochs / 2**i))) for i in range(6)})
            self.axis = Axis("epochs", "epochs", tuple(steps), float(epochs))

    def refuses(self, recipe: Recipe, classes: int) -> str:
        return "its targets are not one class per row" if recipe.target is not None else ""

    def fit(
        self,
        X: Any,
        y: np.ndarray,
        recipes: Sequence[Recipe],
        settings: np.ndarray,
        *,
        classes: int = 2,
        start: dict[str, np.ndarray] | None = None,
        seed: int = 0,
        categorical: np.ndarray | None = None,
    ) -> "FunctionFitted":
        made = [self.fits(r, X, y, seed=seed) if self.seeded else self.fits(r, X, y) for r in recipes]
        return FunctionFitted(made, settings, classes, bool(self.axis.name))


@dataclasses.dataclass(frozen=True)
class FunctionFitted:
    """`made` are models, or generators that train while `logits` asks for the next setting: so it can be asked once."""

    made: list[Any]
    settings: np.ndarray
    classes: int
    stepwise: bool

    @property
    def converged(self) -> np.ndarray:
        return np.ones((len(self.made), len(self.settings)), dtype=bool)

    def logits(self, X: Any) -> np.ndarray:
        return np.stack([np.stack(list(self._each(made, X))) for made in self.made])

    def _each(self, made: Any, X: Any) -> Iterator[np.ndarray]:
        if not self.stepwise:
            yield predict(made, X, self.classes)
            return
        epoch = 0
        for setting in self.settings:
            while epoch < setting:
                model = next(made, None)
                epoch += 1
                if model is None:
                    raise ValueError(
                        f"tune: the function yielded {epoch - 1} models where {int(setting)} were promised."
                    )
            yield predict(model, X, self.classes)

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def describe(self, arm: int, setting: int, names: Sequence[str]) -> dict[str, Any]:
        return {}


def predict(model: Any, X: Any, classes: int) -> np.ndarray:
    """Logits float64 [rows], of the positive class, or [rows, C]. ValueError for other shapes or numbers that are not finite."""
    network = model if isinstance(model, torch.nn.Module) else None
    training = network is not None and network.training
    with torch.no_grad():
        if network is not None:
            network.eval()
        z = model(X)
    if network is not None:
        network.train(training)  # a generator goes on training it
    z = z.detach().cpu().numpy() if isinstance(z, torch.Tensor) else np.asarray(z)
    z = z.astype(np.float64)
    rows = len(X)
    if classes == 2 and z.shape == (rows, 2):
        z = z[:, 1] - z[:, 0]
    elif classes == 2 and z.shape == (rows, 1):
        z = z[:, 0]
    wanted = (rows,) if classes == 2 else (rows, classes)
    if z.shape != wanted:
        raise ValueError(
            f"tune: the model gave logits of shape {z.shape} for {rows} rows; {wanted} is needed"
            + (", or two columns." if classes == 2 else ".")
        )
    if not np.isfinite(z).all():
        raise ValueError("tune: the model gave logits that are not finite; lower its learning rate or check its loss.")
    return z
