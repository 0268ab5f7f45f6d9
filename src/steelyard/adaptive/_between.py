"""Tables between recipes, in one structure that holds them all: only numbers change."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..ops.factors import Held, Tables, factors, mapped
from ..recipe import COMBINE, ONE_ONLY, Recipe, mix
from ..table import Rows, Table, is_live

NEUTRAL = {"scale": 1.0, "offset": 0.0, "margin": 0.0, "weight": 1.0}


class Between(nn.Module):
    """`structure` with the numbers of `first` (0), `then` (1), or in between; `tables` are buffers."""

    def __init__(self, name: str, first: Recipe, then: Recipe):
        super().__init__()
        self.structure, (start, last) = aligned(name, [first, then])
        self._ends = Held(self, start, "first_"), Held(self, last, "then_")
        self._current = Held(self, mapped(torch.clone, start), "current_")

    def move(self, share: float) -> None:
        """Take the numbers at `share` of the way, in [0, 1]; exactly the ends at the ends."""
        first, then = (end.of(self) for end in self._ends)
        if share in (0.0, 1.0):
            self._current.put(self, mapped(torch.clone, then if share else first))
        else:
            self._current.put(self, _between(first, then, share))

    def tables(self) -> Tables:
        return self._current.of(self)


class Knots(nn.Module):
    """`structure` with the numbers of make(value), low <= value <= high, which is asked at evenly spaced knots alone.
    `error` is the largest distance to make(value) half-way between knots, where it is widest: relative for weight and
    scale, absolute for offset and margin.
    """

    def __init__(self, name: str, make: Callable[[float], Recipe], low: float, high: float, knots: int):
        super().__init__()
        self.low, self.high, self.knots = low, high, knots
        places = np.linspace(low, high, 2 * knots - 1)  # knots, and what is half-way
        self.structure, tables = aligned(name, [make(float(v)) for v in places])
        self._knots = Held(self, mapped(lambda *numbers: torch.stack(numbers), *tables[::2]), "knots_")
        self.error = 0.0
        for i in range(1, len(places), 2):
            between = self.at(torch.tensor(float(places[i]), dtype=torch.float64))
            for field, numbers in between.items():
                pairs = zip(numbers, tables[i][field], strict=True)
                self.error = max([self.error, *(_distance(field, *pair) for pair in pairs)])

    def at(self, value: Tensor) -> Tables:
        """The numbers at a 0-d float64 value; no value is looked at."""
        place = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0) * (self.knots - 1)
        before = place.floor().clamp(max=self.knots - 2)
        index, knots = before.long().reshape(1), self._knots.of(self)
        low, high = (mapped(lambda t, i=i: t.index_select(0, i).squeeze(0), knots) for i in (index, index + 1))
        return _between(low, high, place - before)


def _between(first: Tables, then: Tables, share: float | Tensor) -> Tables:
    """weight, offset, margin  along a straight line: two weights of unit mass keep it all the way
    scale                   along a geometric one: it multiplies logits
    """

    def at(field: str, a: Tensor, b: Tensor) -> Tensor:
        if field == "scale":
            return torch.exp((1 - share) * a.log() + share * b.log())
        return torch.where(a == b, a, a + share * (b - a))  # -inf at both ends stays

    return {f: tuple([at(f, a, b) for a, b in zip(first[f], then[f], strict=True)]) for f in first}


def aligned(name: str, recipes: Sequence[Recipe]) -> tuple[Recipe, list[Tables]]:
    """A structure that holds every one of these recipes, and the numbers of each in it.

    ValueError where they are about different classes or differ in more than the numbers of tables that broadcast.
    """
    for recipe in recipes:
        if not isinstance(recipe, Recipe):
            raise TypeError(f"{name}: what it goes between must be a Recipe, got {type(recipe).__name__}.")
    refuse_learned(name, *recipes)
    first, last = recipes[0], recipes[-1]
    for field in ONE_ONLY:
        for recipe in recipes:
            if getattr(recipe, field) != getattr(first, field):
                raise ValueError(
                    f"{name}: {field} is {getattr(first, field)!r} at first and {getattr(recipe, field)!r} then; numbers can"
                    " change while training goes on, the form of the loss cannot. Give all recipes the same."
                )
    bare = mix(*(Recipe(classes=r.classes, kind=r.kind) for r in recipes))  # or an error naming two
    fields = {f: parts for f in COMBINE if (parts := _parts(name, f, [getattr(r, f) for r in recipes]))}
    source = (f"{' × '.join(first.source) or 'plain'} to {' × '.join(last.source) or 'plain'}",)
    rest = {f: getattr(first, f) for f in ONE_ONLY}
    at = [
        {f: _table(f, [part[i] for part in parts], source) for f, parts in fields.items()} for i in range(len(recipes))
    ]
    structure = Recipe(**at[0], **rest, classes=bare.classes, kind=bare.kind, source=source)  # type: ignore[arg-type]
    return structure, [factors(Recipe(**tables, **rest)) for tables in at]  # type: ignore[arg-type]


def _parts(name: str, field: str, tables: Sequence[Table | None]) -> list[np.ndarray]:
    """[recipe, R, C] per part of the table: by label, by class, and by both."""
    if all(t is None for t in tables):
        return []
    neutral = np.full((1, 1), NEUTRAL[field])
    if field == "weight":  # a straight line between products is not a product of straight lines
        parts = [[neutral if t is None else t.numpy() for t in tables]]
    else:
        joined = [{} if t is None else _joined(t) for t in tables]
        parts = [[j.get(p, neutral) for j in joined] for p in ("row", "column", "full") if any(p in j for j in joined)]
    try:
        stacked = [np.stack(np.broadcast_arrays(*part)) for part in parts]
    except ValueError:
        shapes = " and ".join(dict.fromkeys(str(list(t.shape)) for t in tables if t is not None))
        raise ValueError(
            f"{name}: {field} tables of shape {shapes} do not broadcast; they are for different data."
        ) from None
    if any(((inf := np.isinf(s)) != inf[:1]).any() for s in stacked):
        raise ValueError(f"{name}: {field} is -inf in only some of the recipes, and nothing lies between.")
    return stacked


def _joined(table: Table) -> dict[str, np.ndarray]:
    """The table's factors, joined into at most one per part."""
    combine = np.multiply if table.operation == "multiply" else np.add
    parts: dict[str, np.ndarray] = {}
    for (rows, columns), values in table.by_shape().items():
        part = "full" if rows > 1 and columns > 1 else "column" if columns > 1 else "row"
        parts[part] = combine(parts[part], values) if part in parts else values
    return parts


def _table(field: str, values: list[np.ndarray], source: tuple[str, ...]) -> Table:
    tables = [Table.of(field, v, source) for v in values]
    return Table(tables[0].operation, tuple(f for t in tables for f in t.factors))


def _distance(field: str, table: Tensor, wanted: Tensor) -> float:
    apart = torch.where(table == wanted, 0.0, (table - wanted).abs())
    return float((apart / wanted.abs() if field in ("weight", "scale") else apart).max())


def refuse_learned(name: str, *recipes: Recipe) -> None:
    """ValueError for recipes whose tables are learned, where a rule makes copies of the numbers."""
    for recipe in recipes:
        tables = [t for f in COMBINE if (t := getattr(recipe, f)) is not None]
        if any(t.live for t in tables) or (isinstance(recipe.target, Rows) and is_live(recipe.target.values)):
            raise ValueError(f"{name}: a recipe with learned tables cannot change by a schedule; see adaptive.Learned.")
