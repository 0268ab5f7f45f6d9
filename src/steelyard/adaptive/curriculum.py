"""From the data as they are to balance, or the other way, and back."""

import torch
from torch import Tensor

from ..counts import Counts
from ..ops.factors import Tables
from ..recipe import Recipe
from ..rule.clock import Clock
from ..rule.protocol import Rule
from .anneal import Way


class Curriculum(Rule):
    """Weights under which the classes have the shares pi^(1 - b), with b on its way from `start` to `end`.

        w_c = pi_c^(-b) / sum_d pi_d^(1 - b)        b = 0: the data as they are; b = 1: balanced

    unit mass all the way. Tell it how far training is with `loss.advance(...)`; `over`, `by`, `schedule`, `power` as in
    Anneal; and_back=True reaches `end` in the middle of `over` and `start` again at its end, so start=1, end=0 goes
    from balanced to real and back. Raises ValueError for classes that count 0, and for start or end outside [0, 1].

    Source: Wang et al. 2019 (dynamic curriculum learning), whose sampler has the shares pi^g with g = 1 - b on its way
    from 1 to 0; here as weights, which need no sampler.

    >>> import steelyard as sy
    >>> rule = sy.adaptive.Curriculum(sy.Counts.of(900, 100), over=(0, 100))
    >>> rule.advance(epoch=100)
    >>> [round(w, 4) for w in rule.recipe().class_weight.tolist()]
    [0.5556, 5.0]
    """

    reads_logits = False
    weight: Tensor

    def __init__(
        self,
        counts: Counts,
        *,
        over: tuple[float, float],
        by: str = "epoch",
        schedule: str = "linear",
        power: float = 2.0,
        start: float = 0.0,
        end: float = 1.0,
        and_back: bool = False,
    ):
        super().__init__()
        for name, value in (("start", start), ("end", end)):
            if not 0 <= value <= 1:
                raise ValueError(f"Curriculum: {name} must be in [0, 1], got {value!r}.")
        if counts.kind != "exclusive":
            raise ValueError("Curriculum: takes counts of exclusive classes; multilabel weights go through Anneal.")
        counts.nonempty("Curriculum")
        self.way, self.clock = Way("Curriculum", over, by, schedule, power, and_back), Clock()
        self.start, self.end = float(start), float(end)
        self.register_buffer("prior", torch.tensor(counts.prior))
        self.register_buffer("weight", self._at(0.0))
        told = (f"curriculum({start:g} to {end:g}{' and back' if and_back else ''})",)
        self._structure = Recipe(weight=self.weight, classes=counts.classes, kind=counts.kind, source=told)

    prior: Tensor

    def _at(self, share: float) -> Tensor:
        balance = self.start + share * (self.end - self.start)
        raw = self.prior**-balance
        return raw / (self.prior * raw).sum()

    def emit(self) -> tuple[Recipe, Tables]:
        return self._structure, {"weight": (self.weight,)}

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        now = {"epoch": epoch, "step": step, "metric": metric}[self.way.by]
        if now is not None:
            self.weight = self._at(self.way.share(float(now)))

    def extra_repr(self) -> str:
        return f"balance {self.start:g} to {self.end:g}, {self.way!r}"
