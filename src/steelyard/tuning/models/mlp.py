"""Small neural networks: one hidden layer, all arms trained side by side."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from ...recipe import Recipe
from .model import Axis, Fit
from .pointwise import Pointwise, constant, refusal, same_curve
from .ruled import Ruled, Steps

ROWS = 2**16  # scored at a time
DECAY, DECAY_OF_SQUARES, TINY = 0.9, 0.999, 1e-8  # Adam's own defaults


class Layers(NamedTuple):
    """The parameters of all networks, views of one buffer: Adam and a snapshot each take one pass over it."""

    enter: Tensor  # [p, arms * hidden]: all arms read the same rows, so one product serves them
    lift: Tensor  # [arms * hidden]
    leave: Tensor  # [arms, hidden, logits]
    bias: Tensor  # [arms, 1, logits]

    @classmethod
    def of(cls, buffer: Tensor, arms: int, inputs: int, hidden: int, width: int) -> Self:
        shapes = (inputs, arms * hidden), (arms * hidden,), (arms, hidden, width), (arms, 1, width)
        parts = buffer.split([int(np.prod(s)) for s in shapes])
        return cls(*(part.view(s) for part, s in zip(parts, shapes, strict=True)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden units [arms, rows, hidden] and logits [arms, rows, logits]."""
        arms, hidden, _ = self.leave.shape
        h = torch.addmm(self.lift, x, self.enter).relu_().view(-1, arms, hidden).transpose(0, 1)
        return h, torch.baddbmm(self.bias, h, self.leave)

    def backward(self, x: Tensor, h: Tensor, slope: Tensor, into: "Layers") -> None:
        """Gradients of sum(slope * logits), for slope [arms, rows, logits]."""
        torch.bmm(h.transpose(1, 2), slope, out=into.leave)
        torch.sum(slope, dim=1, keepdim=True, out=into.bias)
        below = torch.bmm(slope, self.leave.transpose(1, 2)).mul_(h > 0).transpose(0, 1).reshape(len(x), -1)
        torch.mm(x.T, below, out=into.enter)
        torch.sum(below, dim=0, out=into.lift)


@dataclasses.dataclass(frozen=True)
class Networks:
    """Fitted networks: the parameters of all arms at every number of epochs."""

    snapshots: tuple[Layers, ...]
    classes: int

    @property
    def converged(self) -> np.ndarray:
        """[arms, epochs] True: when to stop is what the epochs are tuned for."""
        return np.ones((len(self.snapshots[0].leave), len(self.snapshots)), dtype=bool)

    def logits(self, X: Any) -> np.ndarray:
        """[arms, epochs, rows] for two classes, else [arms, epochs, rows, C]; as trained, not undone. X may be sparse."""
        arms, _, width = self.snapshots[0].leave.shape
        out = np.empty((arms, len(self.snapshots), X.shape[0], width))
        for first in range(0, X.shape[0], ROWS):
            part = slice(first, first + ROWS)
            x = _dense(X[part])
            for s, layers in enumerate(self.snapshots):
                out[:, s, part] = layers.forward(x)[1].numpy()
        return out[..., 0] if self.classes == 2 else out

    def arrays(self) -> dict[str, np.ndarray]:
        return {}  # a network that starts from another one's weights is another network

    def describe(self, arm: int, setting: int, names: Sequence[str]) -> dict[str, Any]:
        return {}


class MLPModel:
    """One hidden layer of rectified units, trained by Adam on mini-batches in float32.

    All arms see the same batches in the same order and start from the same weights, so that they differ by their recipe
    alone; the biases of the output start at the recipe's constant optimum. One run passes through every number of epochs.
    The loss of a batch is divided by its rows: recipes of unit mass, and row weights of mean 1, keep the learning rate comparable.

    hidden   units
    rate     of Adam
    batch    rows of a mini-batch at most; a small table takes smaller ones, of 16 rows or more, for `steps` per epoch
    """

    name = "mlp"
    encoding = "scaled"
    together = True
    free_intercept = True  # a shift of all logits moves the output's bias at the start, and nothing after it
    continues = False
    readable = False
    ruled = True
    weighs = True
    axis = Axis("epochs", "epochs", (2, 5, 10, 20), default=10, lower=(1,), upper=(40, 80), stride=1)

    def __init__(self, hidden: int = 32, rate: float = 0.01, batch: int = 256, steps: int = 64):
        self.hidden, self.rate, self.batch, self.steps = hidden, rate, batch, steps

    def refuses(self, recipe: Recipe, classes: int) -> str:
        """Why a network cannot train with the recipe and be compared, or ""."""
        return refusal(recipe, classes)

    def fit(self, fit: Fit) -> Networks | Ruled:
        """Every recipe at every number of epochs. Of a sparse X one batch at a time is written out."""
        X, y, recipes = fit.X, fit.y, fit.recipes if fit.rule is None else [fit.rule.recipe()]
        ruled = None if fit.rule is None else Steps(fit.rule, fit.shares, self.rate)
        stood: dict[int, Recipe] = {}
        epochs = _whole(fit.settings)
        generator = torch.Generator().manual_seed(fit.seed)
        bias = torch.from_numpy(np.stack([constant(r, fit.shares) for r in recipes]))
        values, views = self._initial(bias.float(), X.shape[1], generator)
        layers, slopes = Layers.of(values, *views), torch.empty_like(values)
        gradients, adam = Layers.of(slopes, *views), _Adam(values, self.rate)
        groups = [
            (arms, Pointwise.of([recipes[i] for i in arms], fit.classes, torch.float32)) for arms in same_curve(recipes)
        ]
        rows, labels = X if _is_sparse(X) else _dense(X), torch.from_numpy(y.astype(np.int64))
        times = None if fit.weights is None else torch.from_numpy(fit.weights).float()
        batches = max(-(-len(y) // self.batch), min(self.steps, len(y) // 16), 1)
        snapshots: dict[int, Layers] = {}
        for epoch in range(1, max(epochs) + 1):
            if ruled is not None:
                ruled.begin(epoch - 1)
            for batch in torch.randperm(len(y), generator=generator).tensor_split(batches):
                x = _dense(rows[batch.numpy()]) if _is_sparse(X) else rows[batch]
                h, z = layers.forward(x)
                if ruled is not None:
                    z = ruled.slope(z, labels[batch], None if times is None else times[batch])
                for arms, losses in groups if ruled is None else ():
                    slope = losses.gradient(z[arms] if len(groups) > 1 else z, labels[batch])
                    if times is not None:
                        slope = slope.mul_(times[batch, None])
                    z[arms] = slope.div_(len(batch))
                layers.backward(x, h, z, gradients)
                adam.step(slopes)
            if epoch in epochs:
                snapshots[epoch] = Layers.of(values.clone(), *views)
                if fit.rule is not None:
                    stood[epoch] = fit.rule.recipe()
        networks = Networks(tuple(snapshots[e] for e in epochs), fit.classes)
        if fit.rule is None:
            return networks
        return Ruled(networks, tuple(stood[e] for e in epochs), fit.classes, type(fit.rule).__name__)

    def _initial(self, bias: Tensor, inputs: int, generator: torch.Generator) -> tuple[Tensor, tuple[int, ...]]:
        """The buffer, and how `Layers.of` reads it: torch's own initial weights of linear layers, equal for all arms."""
        arms, width = bias.shape
        views = arms, inputs, self.hidden, width
        values = torch.empty((inputs + 1 + width) * self.hidden * arms + width * arms)
        layers = Layers.of(values, *views)
        for one, size, to in (
            ((inputs, self.hidden), inputs, layers.enter.view(inputs, arms, self.hidden).transpose(0, 1)),
            ((self.hidden,), inputs, layers.lift.view(arms, self.hidden)),
            ((self.hidden, width), self.hidden, layers.leave),
        ):
            to.copy_((2 * torch.rand(one, generator=generator) - 1) * max(size, 1) ** -0.5)
        layers.bias.copy_(bias[:, None])
        return values, views


class _Adam:
    """torch.optim.Adam's step on one buffer, in four passes; its own bookkeeping would cost as much as a small batch."""

    def __init__(self, values: Tensor, rate: float):
        self.values, self.rate, self.steps = values, rate, 0
        self.mean, self.square = torch.zeros_like(values), torch.zeros_like(values)

    def step(self, slopes: Tensor) -> None:
        self.steps += 1
        self.mean.lerp_(slopes, 1 - DECAY)
        self.square.mul_(DECAY_OF_SQUARES).addcmul_(slopes, slopes, value=1 - DECAY_OF_SQUARES)
        root = (1 - DECAY_OF_SQUARES**self.steps) ** 0.5
        size = self.rate / (1 - DECAY**self.steps)
        self.values.addcdiv_(self.mean, self.square.sqrt().div_(root).add_(TINY), value=-size)


def _whole(settings: np.ndarray) -> list[int]:
    epochs = [round(float(s)) for s in settings]
    if not epochs or min(epochs) < 1:
        raise ValueError(f"tune: a network is trained for 1 epoch or more, got {list(settings)}.")
    return epochs


def _is_sparse(X: Any) -> bool:
    return not isinstance(X, np.ndarray)


def _dense(X: Any) -> Tensor:
    return torch.from_numpy(np.asarray(X.toarray() if _is_sparse(X) else X, dtype=np.float32))
