"""Tables between two recipes, in one structure that holds both: only numbers change."""

import numpy as np
import torch
from torch import Tensor, nn

from ..ops.factors import Held, Tables, factors, mapped
from ..recipe import COMBINE, ONE_ONLY, Recipe, mix
from ..table import Factor, Rows, Table, is_live

NEUTRAL = {"scale": 1.0, "offset": 0.0, "margin": 0.0, "weight": 1.0}


class Between(nn.Module):
    """`structure` with the numbers of `first` (0), `then` (1), or in between; `current` are buffers.

    weight, offset, margin  along a straight line: two weights of unit mass keep it all the way
    scale                   along a geometric one: it multiplies logits
    """

    def __init__(self, name: str, first: Recipe, then: Recipe):
        super().__init__()
        for recipe in (first, then):
            if not isinstance(recipe, Recipe):
                raise TypeError(f"{name}: goes from a Recipe to a Recipe, got {type(recipe).__name__}.")
        refuse_learned(name, first, then)
        for field in ONE_ONLY:
            a, b = getattr(first, field), getattr(then, field)
            if a != b:
                raise ValueError(
                    f"{name}: {field} is {a!r} at first and {b!r} then; numbers can change while training goes on, the form"
                    " of the loss cannot. Give both recipes the same."
                )
        bare = Recipe(classes=first.classes, kind=first.kind)
        kept = mix(bare, Recipe(classes=then.classes, kind=then.kind))  # or an error naming both
        ends = {f: _ends(name, f, getattr(first, f), getattr(then, f)) for f in COMBINE}
        source = (f"{' × '.join(first.source) or 'plain'} to {' × '.join(then.source) or 'plain'}",)
        tables = {f: _table(f, [a for a, _ in pairs], source) for f, pairs in ends.items() if pairs}
        rest = {f: getattr(first, f) for f in ONE_ONLY}
        self.structure = Recipe(**tables, **rest, classes=kept.classes, kind=kept.kind, source=source)
        start = factors(self.structure)
        last = factors(Recipe(**{f: _table(f, [b for _, b in pairs]) for f, pairs in ends.items() if pairs}, **rest))
        self._first, self._then = Held(self, start, "first_"), Held(self, last, "then_")
        self._current = Held(self, mapped(torch.clone, start), "current_")

    def move(self, share: float) -> None:
        """Take the numbers at `share` of the way, in [0, 1]; exactly the ends at the ends."""
        ends = self._first.of(self), self._then.of(self)
        if share in (0.0, 1.0):
            tables = mapped(torch.clone, ends[int(share)])
        else:
            tables = {
                f: tuple(between(f, a, b, share) for a, b in zip(*(e[f] for e in ends), strict=True)) for f in ends[0]
            }
        self._current.put(self, tables)

    def tables(self) -> Tables:
        return self._current.of(self)


def between(field: str, a: Tensor, b: Tensor, share: float | Tensor) -> Tensor:
    """At `share` of the way from a to b."""
    if field == "scale":
        return torch.exp((1 - share) * a.log() + share * b.log())
    return torch.where(a == b, a, a + share * (b - a))  # -inf at both ends stays


def _ends(name: str, field: str, first: Table | None, then: Table | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of arrays of one shape, one pair per part of the table."""
    if first is None and then is None:
        return []
    neutral = np.full((1, 1), NEUTRAL[field])
    if field == "weight":  # a straight line between products is not a product of straight lines
        pairs = [_same_shape(*(neutral if t is None else t.numpy() for t in (first, then)))]
    else:
        parts = [{} if t is None else _parts(t) for t in (first, then)]
        pairs = [
            _same_shape(*(p.get(part, neutral) for p in parts))
            for part in ("row", "column", "full")
            if any(part in p for p in parts)
        ]
    if field == "offset" and any((np.isinf(a) != np.isinf(b)).any() for a, b in pairs):
        raise ValueError(f"{name}: an offset is -inf in only one of the recipes, and nothing lies between.")
    return pairs


def _same_shape(first: np.ndarray, then: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    try:
        a, b = np.broadcast_arrays(first, then)
    except ValueError:
        shapes = f"{list(first.shape)} and {list(then.shape)}"
        raise ValueError(f"tables of shape {shapes} do not broadcast; they are for different data.") from None
    return a, b


def _parts(table: Table) -> dict[str, np.ndarray]:
    """The table's factors, joined into at most one per part."""
    combine = np.multiply if table.operation == "multiply" else np.add
    found: dict[str, np.ndarray] = {}
    for (rows, columns), values in table.by_shape().items():
        part = "full" if rows > 1 and columns > 1 else "column" if columns > 1 else "row"
        found[part] = combine(found[part], values) if part in found else values
    return found


def _table(field: str, values: list[np.ndarray], source: tuple[str, ...] = ()) -> Table:
    made = [Table.of(field, v, source) for v in values]
    joined: tuple[Factor, ...] = tuple(f for t in made for f in t.factors)
    return Table(made[0].operation, joined)


def refuse_learned(name: str, *recipes: Recipe) -> None:
    """ValueError for recipes whose tables are learned, where a rule makes copies of the numbers."""
    for recipe in recipes:
        tables = [t for f in COMBINE if (t := getattr(recipe, f)) is not None]
        if any(t.live for t in tables) or (isinstance(recipe.target, Rows) and is_live(recipe.target.values)):
            raise ValueError(f"{name}: a recipe with learned tables cannot change by a schedule; see adaptive.Learned.")
