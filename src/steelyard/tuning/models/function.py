"""The user's own training function as a kind of model: deep networks, anything that gives logits.

    def fit(recipe, X, y):
        net = Net()
        loss = steelyard.CrossEntropy(recipe)
        ...                     # train
        return net              # anything that is called with X and gives logits

Where an arm is a rule (sy.adaptive), `recipe` is that rule, new for each fit, and a loss takes it alike; call loss.advance(epoch=epoch)
before each epoch.

A function that takes weight= is given how much each row counts, [rows] in float64, 1 on average: multiply each row's loss by
it. One that takes seed= is given a seed.

A generator that yields the model after every epoch lets the number of epochs be chosen on the other folds.
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from ...recipe import Recipe
from ...rule.protocol import Rule
from .model import Axis, Fit
from .ruled import undone
from .written import written


class FunctionModel:
    """fit(recipe, X, y), and seed= and weight= if it takes them, -> a model; or a generator of models, one per epoch."""

    name = "function"
    encoding = "rows"
    together = False
    free_intercept = False
    continues = False
    readable = False
    ruled = True

    def __init__(self, fit: Callable[..., Any], epochs: int | None = None):
        takes = inspect.signature(fit).parameters
        self.written = written(fit)
        self.trains, self.seeded, self.weighs = fit, "seed" in takes, "weight" in takes
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

    def fit(self, fit: Fit) -> "FunctionFitted":
        more: dict[str, Any] = {"seed": fit.seed} if self.seeded else {}
        if self.weighs:
            more["weight"] = np.ones(len(fit.y)) if fit.weights is None else fit.weights
        with_ = fit.recipes if fit.rule is None else [fit.rule]
        trained = [self.trains(one, fit.X, fit.y, **more) for one in with_]
        return FunctionFitted(trained, fit.settings, fit.classes, bool(self.axis.name), fit.rule)


@dataclasses.dataclass(frozen=True)
class FunctionFitted:
    """`trained` are models, or generators that train while `logits` asks for the next setting: so it can be asked once. With a
    `rule` the logits are undone by its recipe as it stands then."""

    trained: list[Any]
    settings: np.ndarray
    classes: int
    stepwise: bool
    rule: Rule | None = None

    @property
    def converged(self) -> np.ndarray:
        return np.ones((len(self.trained), len(self.settings)), dtype=bool)

    def logits(self, X: Any) -> np.ndarray:
        return np.stack([np.stack([self._plain(z) for z in self._each(one, X)]) for one in self.trained])

    def _plain(self, z: np.ndarray) -> np.ndarray:
        if self.rule is None:
            return z
        return undone(z, self.rule.recipe(), self.classes, type(self.rule).__name__)

    def _each(self, one: Any, X: Any) -> Iterator[np.ndarray]:
        if not self.stepwise:
            yield predict(one, X, self.classes)
            return
        epoch = 0
        for setting in self.settings:
            while epoch < setting:
                model = next(one, None)
                epoch += 1
                if model is None:
                    raise ValueError(
                        f"tune: the function yielded {epoch - 1} models where {int(setting)} were promised."
                    )
            yield predict(model, X, self.classes)

    def settled(self) -> "FunctionFitted":
        """The same at the last setting, to be asked as often as one likes, and as trained: a rule stands still by then."""
        if not self.stepwise:
            return dataclasses.replace(self, rule=None)
        models = []
        for one in self.trained:
            model = None
            for _ in range(int(self.settings[-1])):
                model = next(one, model)
            models.append(model)
        return FunctionFitted(models, self.settings[-1:], self.classes, False)

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
    rows = int(X.shape[0]) if hasattr(X, "shape") else len(X)
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
