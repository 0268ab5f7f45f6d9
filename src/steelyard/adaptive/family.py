"""One model for a whole range of weightings: the loss draws one at every step, and the model is told which."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

import numpy as np
import torch
from torch import Tensor, nn

from ..ops.factors import Held, Tables
from ..options import In, checked
from ..recipe import Recipe
from ..rule.protocol import Rule
from ._between import Knots

GOLDEN = (math.sqrt(5) - 1) / 2


class Family(Rule):
    """Loss-conditional training: every step is trained under make(v) for another v in [low, high].

        v_t = low + (high - low) q(x_t)      x_t = frac(x_0 + 0.618... t), evenly spread over any stretch of steps

    so one model, told v by `FiLM` layers, stands for all of them, and the weighting is chosen after training:

        family = Family(lambda tau: sy.logit_adjustment(counts, tau=tau), low=0, high=3)
        condition(model, family, at=["backbone"])
        loss = sy.CrossEntropy(family)
        ...                                     # train as always
        with family.at(1.5):
            logits = model(x)

    make       a value -> Recipe; may differ in the numbers of its tables only
    low, high  the range, low < high
    slope      in [-1, 1]: v has the density 1 + slope (2 u - 1) at u = (v - low) / (high - low); 0 is uniform, 1 rises
               from 0 at `low`
    seed       of x_0
    knots      the recipe is made at so many values when the family is made, and interpolated after, so that no step
               waits for it; linear tables such as offsets tau log pi are exact

    `value` is v of the coming step, one for all its micro-batches and ranks: one forward pass, then its loss. `set(v)`
    holds v until `release()`, and `at(v)` inside a `with`; meanwhile nothing is drawn. It is a number of the loss (in
    its state_dict), so training resumed from a checkpoint goes on with the same values. A model that is copied has a
    copy of its family: copy both, or use `film.family` of the copy.

    Raises ValueError for a range without length, fewer than 2 knots, recipes that differ in curve, target or norm, and
    where halfway between knots a table is off by more than 1 % (an offset or margin by more than .01).

    Source: Dosovitskiy & Djolonga 2020 (You only train once, ICLR), and for imbalanced data Lieberman et al. 2024,
    arXiv:2402.05400, who draw once per batch. The even sequence in place of random draws is ours.

    >>> import steelyard as sy
    >>> counts = sy.Counts.of(900, 100)
    >>> family = sy.adaptive.Family(lambda tau: sy.logit_adjustment(counts, tau=tau), low=0.0, high=3.0)
    >>> with family.at(1.5):
    ...     family.recipe() == sy.logit_adjustment(counts, tau=1.5)
    True
    """

    reads_logits = False
    value: Tensor
    step: Tensor
    start: Tensor

    def __init__(
        self,
        make: Callable[[float], Recipe],
        *,
        low: float,
        high: float,
        slope: Annotated[float, In(-1.0, 1.0)] = 0.0,
        seed: int = 0,
        knots: Annotated[int, In(2, math.inf, whole=True)] = 33,
    ):
        super().__init__()
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"Family: low and high must be finite numbers, low < high, got {low!r} and {high!r}.")
        self.low, self.high, self.slope = float(low), float(high), float(slope)
        self.tables = Knots("Family", make, self.low, self.high, knots)
        if self.tables.error > 0.01:
            raise ValueError(
                f"Family: between {knots} knots the tables are off by {self.tables.error:.2g}; take more knots, or a"
                " narrower range."
            )
        self._held = False
        self.register_buffer("start", torch.tensor(np.random.default_rng(seed).random(), dtype=torch.float64))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self.register_buffer("value", self._drawn())
        self._current = Held(self, self.tables.at(self.value), "current_")

    def emit(self) -> tuple[Recipe, Tables]:
        return self.tables.structure, self._current.of(self)

    def learn(self, sums: None) -> None:
        if not self._held:
            self.step = self.step + 1
            self._take(self._drawn())

    def set(self, value: float) -> None:
        """Hold this value: for evaluation, or to train at it alone. ValueError outside [low, high]."""
        if not self.low <= value <= self.high:
            raise ValueError(
                f"Family: the model was trained for values in [{self.low:g}, {self.high:g}], got {value!r}."
            )
        self._held = True
        self._take(torch.full_like(self.value, float(value)))

    def release(self) -> None:
        """Go on drawing, where it stopped."""
        self._held = False
        self._take(self._drawn())

    @contextlib.contextmanager
    def at(self, value: float) -> Iterator[None]:
        """Hold this value inside the `with`."""
        held, before = self._held, self.value
        self.set(value)
        try:
            yield
        finally:
            self._held = held
            self._take(before)

    @property
    def holding(self) -> bool:
        """Whether a value was set, and nothing is drawn."""
        return self._held

    @property
    def position(self) -> Tensor:
        """The value as a model is told it, in [-1, 1]."""
        return (2 * self.value - (self.low + self.high)) / (self.high - self.low)

    def watched(self) -> dict[str, Tensor]:
        return {"value": self.value}

    def warnings(self) -> dict[str, str]:
        if not self._held:
            return {}
        return {
            "held": f"training goes on at the one value {float(self.value):g} that was set; call release() to draw."
        }

    def _take(self, value: Tensor) -> None:
        self.value = value
        self._current.put(self, self.tables.at(value))

    def _drawn(self) -> Tensor:
        x = torch.remainder(self.start + GOLDEN * self.step.to(self.start.dtype), 1.0)
        k = self.slope  # the quantile of the density: solves (1 - k) u + k u^2 = x
        u = 2 * x / ((1 - k) + torch.sqrt((1 - k) ** 2 + 4 * k * x)) if k else x
        return self.low + (self.high - self.low) * u

    def extra_repr(self) -> str:
        return f"[{self.low:g}, {self.high:g}], slope={self.slope:g}"


SIZES = ("out_features", "out_channels", "num_features", "num_channels")


class FiLM(nn.Module):
    """Any module with its features scaled and moved by the family's value:

        h = module(...)      gamma(v) h + beta(v)      (gamma, beta) = a net of one hidden layer

    At the start gamma = 1 and beta = 0, so the model is what it was.

    module    returns a tensor [N, F, *space]; `dim` names another feature axis
    features  F; read off the module's last layer where that says it
    hidden    width of the net

    In evaluation a value must be held (`family.at`, `family.set`), or it is a ValueError: the last one drawn means
    nothing. With activation checkpointing put the FiLM outside of what is recomputed, which is after the next draw.

    Source: Perez et al. 2018, arXiv:1709.07871 (FiLM); conditioned on a loss weight as in Dosovitskiy & Djolonga 2020.

    >>> import torch, steelyard as sy
    >>> family = sy.adaptive.Family(lambda b: sy.inverse_frequency(sy.Counts.of(900, 100), beta=b), low=0.0, high=1.0)
    >>> layer = FiLM(nn.Linear(4, 8), family)
    >>> x = torch.ones(2, 4)
    >>> torch.equal(layer(x), layer.module(x))
    True
    """

    @checked
    def __init__(
        self,
        module: nn.Module,
        family: Family,
        *,
        hidden: Annotated[int, In(1, math.inf, whole=True)] = 16,
        features: int | None = None,
        dim: int = 1,
    ):
        super().__init__()
        if not isinstance(module, nn.Module):
            raise TypeError(f"FiLM: module must be an nn.Module, got {type(module).__name__}.")
        if not isinstance(family, Family):
            raise TypeError(f"FiLM: family must be an adaptive.Family, got {type(family).__name__}.")
        if features is None:
            features = _features(module)
        self.module, self.features, self.dim = module, features, dim
        self._family = (family,)  # it belongs to the loss: its state is there, and model.eval() does not reach it
        self.net = nn.Sequential(nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, 2 * features))
        nn.init.zeros_(self.net[2].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.net[2].bias)  # type: ignore[arg-type]
        like = next(module.parameters(), None)
        if like is not None and like.is_floating_point():
            self.net.to(like.device, like.dtype)

    @property
    def family(self) -> Family:
        return self._family[0]

    def forward(self, *args, **kwargs) -> Tensor:
        family = self._family[0]
        if not self.training and not family.holding:
            raise ValueError(
                "FiLM: in evaluation say which weighting the model is to stand for: with family.at(1.0): model(x), or"
                " family.set(1.0)."
            )
        h = self.module(*args, **kwargs)
        if h.dim() <= self.dim or h.shape[self.dim] != self.features:
            raise ValueError(
                f"FiLM: the module returns {list(h.shape)}, but axis {self.dim} was to have {self.features} features; see"
                " features= and dim=."
            )
        like = next(self.net.parameters())
        scale, shift = self.net(family.position.to(like.device, like.dtype).reshape(1)).to(h.dtype).chunk(2)
        axis = self.dim % h.dim()
        shape = [1] * axis + [-1] + [1] * (h.dim() - axis - 1)
        return h * (1 + scale.reshape(shape)) + shift.reshape(shape)

    def extra_repr(self) -> str:
        return f"{self.features} features on axis {self.dim}, family {self._family[0].extra_repr()}"


def condition(
    model: nn.Module,
    family: Family,
    *,
    at: Sequence[str],
    hidden: int = 16,
    features: int | None = None,
    dim: int = 1,
) -> nn.Module:
    """Put a `FiLM` around the layers named in `at`, in place, and return the model. Before the optimiser is made.

    at  names as in `model.named_modules()`, such as ["layer3", "layer4"]; late features are where it matters

    The layers' parameters are then called "layer3.module...." in the state_dict. Raises ValueError for a name that is
    not there or given twice.

    >>> import steelyard as sy
    >>> family = sy.adaptive.Family(lambda b: sy.inverse_frequency(sy.Counts.of(900, 100), beta=b), low=0.0, high=1.0)
    >>> model = condition(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), family, at=["0"])
    >>> model[0].features
    8
    """
    names = [at] if isinstance(at, str) else list(at)
    there = [n for n, _ in model.named_modules() if n]
    for name in names:
        if name not in there:
            shown = ", ".join(there[:12]) + (", ..." if len(there) > 12 else "")
            raise ValueError(f"condition: the model has no layer {name!r}; there are {shown}.")
        if names.count(name) > 1 or isinstance(model.get_submodule(name), FiLM):
            raise ValueError(f"condition: layer {name!r} is conditioned twice.")
    layers = {n: FiLM(model.get_submodule(n), family, hidden=hidden, features=features, dim=dim) for n in names}
    for name in sorted(layers, reverse=True):  # what is inside another one first
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, layers[name])
    return model


def _features(module: nn.Module) -> int:
    for layer in reversed(list(module.modules())):
        for size in SIZES:
            features = getattr(layer, size, None)
            if isinstance(features, int):
                return features
    raise ValueError(f"FiLM: {type(module).__name__} does not say how many features it returns; pass features=.")
