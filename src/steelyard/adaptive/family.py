"""One model for a whole range of weightings: the loss draws one at every step, and the model is told which."""

import contextlib
import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from ..ops.factors import Held, Tables
from ..recipe import Recipe
from ..rule.protocol import Rule
from ._knots import Knots

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
        slope: float = 0.0,
        seed: int = 0,
        knots: int = 33,
    ):
        super().__init__()
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"Family: low and high must be finite numbers, low < high, got {low!r} and {high!r}.")
        if not -1 <= slope <= 1:
            raise ValueError(f"Family: slope must be in [-1, 1], got {slope!r}.")
        if isinstance(knots, bool) or not isinstance(knots, int) or knots < 2:
            raise ValueError(f"Family: knots must be a whole number >= 2, got {knots!r}.")
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
