"""The tables of a family of recipes, kept at evenly spaced knots and taken in between as `_between` does."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ..ops.factors import Held, Tables, factors, mapped
from ..recipe import COMBINE, ONE_ONLY, Recipe, mix
from ..table import Table
from ._between import NEUTRAL, _parts, _table, between, refuse_learned


class Knots(nn.Module):
    """`structure` with the numbers of make(value), low <= value <= high: weight, offset and margin on straight lines
    between the knots, scale on geometric ones. `error` is the largest distance to make(value) half-way between knots,
    where it is widest: relative for weight and scale, absolute for offset and margin.
    """

    def __init__(self, name: str, make: Callable[[float], Recipe], low: float, high: float, knots: int):
        super().__init__()
        self.low, self.high, self.knots = low, high, knots
        places = np.linspace(low, high, 2 * knots - 1)  # knots, and what is half-way
        recipes = [make(float(v)) for v in places]
        for v, recipe in zip(places, recipes, strict=True):
            if not isinstance(recipe, Recipe):
                raise TypeError(f"{name}: make({v:g}) must be a Recipe, got {type(recipe).__name__}.")
        refuse_learned(name, *recipes)
        first = recipes[0]
        for field in ONE_ONLY:
            other = next((r for r in recipes if getattr(r, field) != getattr(first, field)), first)
            if other is not first:
                raise ValueError(
                    f"{name}: {field} is {getattr(first, field)!r} at one value and {getattr(other, field)!r} at another; a"
                    " family differs in the numbers of its tables, and not in the form of the loss."
                )
        bare = mix(*(Recipe(classes=r.classes, kind=r.kind) for r in recipes))  # or an error naming two
        stacked = {f: s for f in COMBINE if (s := _stacked(name, f, [getattr(r, f) for r in recipes]))}
        source = (f"{' × '.join(first.source) or 'plain'} to {' × '.join(recipes[-1].source) or 'plain'}",)
        made = {f: _table(f, [values[0] for values in parts], source) for f, parts in stacked.items()}
        rest = {f: getattr(first, f) for f in ONE_ONLY}
        self.structure = Recipe(**made, **rest, classes=bare.classes, kind=bare.kind, source=source)
        at = [
            factors(Recipe(**{f: _table(f, [v[i] for v in p]) for f, p in stacked.items()}, **rest))
            for i in range(len(places))
        ]
        self._knots = Held(self, mapped(lambda *numbers: torch.stack(numbers), *at[::2]), "knots_")
        self.error = 0.0
        for i in range(1, len(places), 2):
            value = torch.tensor(float(places[i]), dtype=torch.float64)
            for f, numbers in self.at(value).items():
                self.error = max([self.error, *(_distance(f, *two) for two in zip(numbers, at[i][f], strict=True))])

    def at(self, value: Tensor) -> Tables:
        """The numbers at a 0-d float64 value; no value is looked at."""
        place = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0) * (self.knots - 1)
        before = place.floor().clamp(max=self.knots - 2)
        share, index = place - before, before.long().reshape(1)
        knots = self._knots.of(self)
        low, high = (mapped(lambda t, i=i: t.index_select(0, i).squeeze(0), knots) for i in (index, index + 1))
        return {f: tuple(between(f, a, b, share) for a, b in zip(low[f], high[f], strict=True)) for f in knots}


def _stacked(name: str, field: str, tables: list[Table | None]) -> list[np.ndarray]:
    """One array [place, R, C] per part of the table."""
    if all(t is None for t in tables):
        return []
    neutral = np.full((1, 1), NEUTRAL[field])
    if field == "weight":  # a straight line between products is not a product of straight lines
        each = [[neutral if t is None else t.numpy() for t in tables]]
    else:
        parts = [{} if t is None else _parts(t) for t in tables]
        each = [
            [p.get(part, neutral) for p in parts] for part in ("row", "column", "full") if any(part in p for p in parts)
        ]
    try:
        stacked = [np.stack(np.broadcast_arrays(*values)) for values in each]
    except ValueError:
        raise ValueError(f"{name}: the {field} tables of make(value) have different shapes; they must agree.") from None
    if any(((inf := np.isinf(s)) != inf[:1]).any() for s in stacked):
        raise ValueError(f"{name}: a {field} is infinite at some values only, and nothing lies between.")
    return stacked


def _distance(field: str, found: Tensor, wanted: Tensor) -> float:
    apart = torch.where(found == wanted, 0.0, (found - wanted).abs())
    return float((apart / wanted.abs() if field in ("weight", "scale") else apart).max())
