"""From one recipe to another, little by little."""

import math

from ..ops.factors import Tables
from ..recipe import Recipe
from ..rule.clock import Clock
from ..rule.protocol import Rule
from ._between import Between

SCHEDULES = ("linear", "cosine", "power")
CLOCKS = ("epoch", "step", "metric")


class Anneal(Rule):
    """From `first` to `then` while epoch, step or metric goes from over[0] to over[1]; outside it stands still.

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
        by: str = "epoch",
        schedule: str = "linear",
        power: float = 2.0,
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
        if by not in CLOCKS:
            raise ValueError(f"{name}: by must be one of {', '.join(CLOCKS)}, got {by!r}.")
        if schedule not in SCHEDULES:
            raise ValueError(f"{name}: schedule must be one of {', '.join(SCHEDULES)}, got {schedule!r}.")
        try:
            begin, end = (float(v) for v in over)
        except (TypeError, ValueError):
            raise ValueError(f"{name}: over must be (begin, end), two numbers, got {over!r}.") from None
        if begin == end or not (math.isfinite(begin) and math.isfinite(end)):
            raise ValueError(f"{name}: over must be two different finite numbers, got {over!r}.")
        if not 0 < power < math.inf:
            raise ValueError(f"{name}: power must be > 0, got {power!r}.")
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
        told = f"power {self.power:g}" if self.schedule == "power" else self.schedule
        return f"{told} over {self.by} {self.begin:g} to {self.end:g}{' and back' if self.and_back else ''}"
