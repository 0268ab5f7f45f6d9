"""Rules that follow a schedule: one recipe and then another, little by little, by class shares."""

import math
from typing import Annotated

import torch
from torch import Tensor

from ..counts import Counts
from ..link import Link
from ..ops import bind
from ..ops.factors import Held, Tables, factors
from ..options import In, OneOf
from ..recipe import ONE_ONLY, Recipe
from ..rule.clock import Clock
from ..rule.protocol import Rule
from ._between import Between, aligned, refuse_learned

SCHEDULES = OneOf("linear", "cosine", "power")
CLOCKS = OneOf("epoch", "step", "metric")


class Anneal(Rule):
    """From `first` to `then` little by little, while epoch, step or metric goes from over[0] to over[1].

    The way x = (now - over[0]) / (over[1] - over[0]), cut to [0, 1], becomes the share s of `then`:

        linear   s = x
        cosine   s = (1 - cos(pi x)) / 2
        power    s = x^power

    and tables go from the one to the other: weight, offset and margin on a straight line, so that unit mass stays;
    scale on a geometric one. Tell it with `loss.advance(epoch=...)`, `(step=...)` or `(metric=...)`, whichever `by`
    names. over may fall, as for a metric that does: over=(0.9, 0.4).

    Raises ValueError for an unknown schedule or clock, over of no length, power <= 0, recipes about different classes
    or with another curve, target or norm, and offsets that are -inf in only one of them.

    >>> import steelyard as sy
    >>> rule = sy.adaptive.Anneal(sy.Recipe(weight=[1.0, 1.0]), sy.Recipe(weight=[0.5, 5.0]), over=(0, 10))
    >>> rule.advance(epoch=5)
    >>> rule.recipe().class_weight.tolist()
    [0.75, 3.0]
    """

    reads_logits = False

    def __init__(
        self,
        first: Recipe,
        then: Recipe,
        *,
        over: tuple[float, float],
        by: Annotated[str, CLOCKS] = "epoch",
        schedule: Annotated[str, SCHEDULES] = "linear",
        power: Annotated[float, In(0.0, math.inf, open_low=True)] = 2.0,
        and_back: bool = False,
    ):
        super().__init__()
        self.way = Way("Anneal", over, by, schedule, power, and_back)
        self.between = Between("Anneal", first, then)
        self.clock = Clock()

    def emit(self) -> tuple[Recipe, Tables]:
        return self.between.structure, self.between.tables()

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        now = {"epoch": epoch, "step": step, "metric": metric}[self.way.by]
        if now is not None:
            self.between.move(self.way.share(float(now)))

    def extra_repr(self) -> str:
        return repr(self.way)


class Way:
    """How far along: a share in [0, 1] for an epoch, step or metric; with `and_back` there in the middle, and back."""

    def __init__(
        self, name: str, over: tuple[float, float], by: str, schedule: str, power: float = 2.0, and_back: bool = False
    ):
        try:
            begin, end = (float(v) for v in over)
        except (TypeError, ValueError):
            raise ValueError(f"{name}: over must be (begin, end), two numbers, got {over!r}.") from None
        if begin == end or not (math.isfinite(begin) and math.isfinite(end)):
            raise ValueError(f"{name}: over must be two different finite numbers, got {over!r}.")
        self.begin, self.end, self.by, self.schedule = begin, end, by, schedule
        self.power, self.and_back = float(power), and_back

    def share(self, now: float) -> float:
        if now != now:
            raise ValueError(f"{self.by} is NaN, so there is no telling how far training is.")
        x = min(max((now - self.begin) / (self.end - self.begin), 0.0), 1.0)
        if self.and_back:
            x = 1 - abs(2 * x - 1)
        if self.schedule == "cosine":
            return (1 - math.cos(math.pi * x)) / 2 if 0 < x < 1 else x
        return x**self.power if self.schedule == "power" else x

    def __repr__(self) -> str:
        form = f"power {self.power:g}" if self.schedule == "power" else self.schedule
        return f"{form} over {self.by} {self.begin:g} to {self.end:g}{' and back' if self.and_back else ''}"


class Deferred(Rule):
    """`first` before epoch `after_epoch`, `then` from it on: deferred re-weighting (DRW).

    Epochs count from 0, so with 200 epochs and after_epoch=160 the first 160 are trained with `first`; 0 is at once.
    Call `loss.advance(epoch=epoch)` at the start of every epoch. Learning the features on the data as they are and
    weighting only the end is how most of a re-weighting's gain survives in nets that can fit everything.

    Raises ValueError for after_epoch < 0, and for recipes about different classes. Where curve, target and norm of both
    are the same only numbers change; otherwise torch.compile compiles once more at the switch.

    Source: Cao et al. 2019, arXiv:1906.07413, section 3.3 (algorithm 1).

    >>> import steelyard as sy
    >>> loss = sy.CrossEntropy(sy.adaptive.Deferred(sy.Recipe(), sy.Recipe(weight=[0.5, 5.0]), after_epoch=160))
    >>> loss.advance(epoch=160)
    >>> loss.recipe.class_weight.tolist()
    [0.5, 5.0]
    """

    reads_logits = False
    switched: Tensor

    def __init__(self, first: Recipe, then: Recipe, *, after_epoch: Annotated[int, In(0, math.inf, whole=True)]):
        super().__init__()
        self.after_epoch = after_epoch
        self.clock = Clock(needed=after_epoch > 0)
        self._two: tuple[Recipe, Recipe] | None = None
        if isinstance(first, Recipe) and isinstance(then, Recipe) and _differ(first, then):
            refuse_learned("Deferred", first, then)
            aligned("Deferred", [_tables_of(first), _tables_of(then)])  # the same classes, or an error
            self._two = first, then
            self._held = Held(self, factors(first), "first_"), Held(self, factors(then), "then_")
        else:
            self.between = Between("Deferred", first, then)
        self.register_buffer("switched", torch.tensor(False))
        self._switched = False
        self._switch(after_epoch == 0)
        self.register_load_state_dict_post_hook(_see_where_it_stands)

    def _switch(self, switched: bool) -> None:
        self.switched, self._switched = torch.full_like(self.switched, switched), switched
        if self._two is None:
            self.between.move(float(switched))

    def emit(self) -> tuple[Recipe, Tables]:
        if self._two is None:
            return self.between.structure, self.between.tables()
        return self._two[self._switched], self._held[self._switched].of(self)

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        if epoch is not None:
            self._switch(int(epoch) >= self.after_epoch)

    def serve(self, link: Link, ignore_index: int) -> None:
        for recipe in self._two or ():
            bind(recipe, link)

    def extra_repr(self) -> str:
        return f"after_epoch={self.after_epoch}"


def _differ(first: Recipe, then: Recipe) -> bool:
    return any(getattr(first, f) != getattr(then, f) for f in ONE_ONLY)


def _tables_of(recipe: Recipe) -> Recipe:
    return Recipe(recipe.scale, recipe.offset, recipe.margin, recipe.weight, classes=recipe.classes, kind=recipe.kind)


def _see_where_it_stands(module: Deferred, _: object) -> None:
    module._switched = bool(module.switched)


class Curriculum(Rule):
    """Weights under which the classes have the shares pi^(1 - b), with b on its way from `start` to `end`.

        w_c = pi_c^(-b) / sum_d pi_d^(1 - b)        b = 0: the data as they are; b = 1: balanced

    unit mass all the way. Tell it how far training is with `loss.advance(...)`; `over`, `by`, `schedule`, `power` as in
    Anneal; and_back=True reaches `end` in the middle of `over` and `start` again at its end, so start=1, end=0 goes
    from balanced to real and back. A class that counts 0 keeps the weight 1. Raises ValueError for start or end
    outside [0, 1].

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
        by: Annotated[str, CLOCKS] = "epoch",
        schedule: Annotated[str, SCHEDULES] = "linear",
        power: Annotated[float, In(0.0, math.inf, open_low=True)] = 2.0,
        start: Annotated[float, In(0.0, 1.0)] = 0.0,
        end: Annotated[float, In(0.0, 1.0)] = 1.0,
        and_back: bool = False,
    ):
        super().__init__()
        if counts.kind != "exclusive":
            raise ValueError("Curriculum: takes counts of exclusive classes; multilabel weights go through Anneal.")
        counts.occurring("Curriculum")
        self.way, self.clock = Way("Curriculum", over, by, schedule, power, and_back), Clock()
        self.start, self.end = float(start), float(end)
        self.register_buffer("prior", torch.tensor(counts.prior))
        self.register_buffer("weight", self._at(0.0))
        source = (f"curriculum({start:g} to {end:g}{' and back' if and_back else ''})",)
        self._structure = Recipe(weight=self.weight, classes=counts.classes, kind=counts.kind, source=source)

    prior: Tensor

    def _at(self, share: float) -> Tensor:
        balance = self.start + share * (self.end - self.start)
        occurs = self.prior > 0
        raw = torch.where(occurs, self.prior, 1.0) ** -balance
        return torch.where(occurs, raw / (self.prior * raw).sum(), 1.0)

    def emit(self) -> tuple[Recipe, Tables]:
        return self._structure, {"weight": (self.weight,)}

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        now = {"epoch": epoch, "step": step, "metric": metric}[self.way.by]
        if now is not None:
            self.weight = self._at(self.way.share(float(now)))

    def extra_repr(self) -> str:
        return f"balance {self.start:g} to {self.end:g}, {self.way!r}"
