"""How errors are weighed: frozen data, no behaviour. Two of them mix.

Softmax (z logits, y the label, c a class) and sigmoid (one yes-or-no outcome per element) read the same fields:

    softmax   u = S[y,c] z_c + O[y,c] - margin_y [c = y]      l = sum_c W[y,c] T[y,c] g(log P_c(u))
    sigmoid   u = S[y,k] z + O[y,k] - (2y - 1) margin[y,k]    l = W[y,k] (T[y,k] g(log s(u)) + (1 - T[y,k]) g(log s(-u)))
"""

import copy
import copyreg
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from . import checkpoints, curves, marks, notebook
from .files import loaded, saved_json, write_text_atomically
from .given import by_class, by_label, in_places, is_pandas, places, square, unnamed, unwrapped
from .schema import ByName, Either, Many, Maybe, Number, Numbers, Record, Text
from .shown import clean
from .table import Rows, Smooth, Table, as_numpy, is_live, unplain

SHOWN = 40  # classes in a notebook

if TYPE_CHECKING:
    import torch

    from .counts import Counts

FORMAT = "steelyard.recipe/1"
COMBINE = {"scale": "multiply", "offset": "add", "margin": "add", "weight": "multiply"}
ONE_ONLY = ("target", "curve", "norm")
NORMS = ("count", "mass", "sum")
KINDS = ("exclusive", "multilabel")
_NUMBERS = Numbers(Number(named=("-inf",)))
_TABLE = Maybe(Many(Record({"values": _NUMBERS, "source": Text()}), some=True))
_SMOOTH = Record({"amount": Numbers(Number(0, 1), axes=1), "toward": Maybe(Many(Number(0, 1)))})
_CURVE = Either((Number(), Text(), Record({"name": Text()})))
SCHEMA = Record(
    {
        "classes": Maybe(Many(Text())),
        "kind": Maybe(Text(KINDS)),
        "source": Many(Text()),
        **dict.fromkeys(COMBINE, _TABLE),
        "target": Maybe(Either((Record({"rows": Many(Many(Number(0, 1)), some=True)}), _SMOOTH))),
        "curve": Maybe(ByName(_CURVE)),
        "norm": Maybe(Either((Text(NORMS), Number(low=0)))),
    },
    optional=("classes", "kind", "source", *COMBINE, *ONE_ONLY),
)


@dataclass(frozen=True, eq=False, repr=False)
class Recipe:
    """How errors are weighed. Every table is [label value, class] and broadcasts; a vector is per label.

    scale    S > 0, multiplies the logits: [C, 1] or [C] per label, [1, C] per class
    offset   O, added inside the log; -inf removes a class for a label
    margin   lowers the labelled logit: [C] (softmax) or [2, K] (sigmoid)
    weight   W >= 0, multiplies outside the log; also {class name: weight}
    target   T: a smoothing amount in [0, 1], a Smooth, or rows (softmax: [C, C] summing to 1; sigmoid: probability of "is")
    curve    g, from steelyard.curves; None acts as Log
    norm     what the sum is divided by: "count", "mass", "sum" (nothing), or a number; None acts as "count"
    classes  names, remembered so that recipes of different classes refuse to mix
    kind     "exclusive", "multilabel" or None: what the counts behind it were
    source   the calls it came from

    Not set is None, and only two set values conflict. Tensors that require a gradient are kept as they are.
    ValueError for shapes that cannot be tables, and for values outside the domains above.

    >>> Recipe(weight={"healthy": 0.5, "ill": 4.0}).class_weight.tolist()
    [0.5, 4.0]
    """

    scale: Any = None
    offset: Any = None
    margin: Any = None
    weight: Any = None
    target: Any = None
    curve: curves.Curve | None = None
    norm: str | float | None = None
    classes: Sequence[str] | None = field(default=None, kw_only=True)
    kind: str | None = field(default=None, kw_only=True)
    source: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        named = {f: _named(f, getattr(self, f)) for f in (*COMBINE, "target")}
        if self.classes is None:
            names = next((names for _, names in named.values() if names is not None), None)
            _set(self, "classes", None if names is None else tuple(names))
        else:
            _set(self, "classes", tuple(str(c) for c in self.classes))
        for name in COMBINE:
            value = getattr(self, name)
            if value is not None and not isinstance(value, Table):
                value = Table.of(name, _in_order(name, *named[name], self.classes), self.source)
            _set(self, name, value)
            if value is not None:
                _check_table(name, value, self.classes, self.kind)
        if self.target is not None and not isinstance(self.target, (Smooth, Rows)):
            _set(self, "target", _target(_in_order("target", *named["target"], self.classes)))
        if self.curve is not None and not isinstance(self.curve, curves.Curve):
            raise ValueError(f"Recipe: curve must have value(logp, q) and slope(logp, q), got {self.curve!r}.")
        number = isinstance(self.norm, (int, float)) and not isinstance(self.norm, bool)
        if not (self.norm is None or self.norm in NORMS or (number and 0 < float(self.norm) < math.inf)):  # type: ignore[arg-type]
            raise ValueError(f"Recipe: norm must be one of {', '.join(NORMS)} or a number > 0, got {self.norm!r}.")
        if self.kind not in (None, "exclusive", "multilabel"):
            raise ValueError(f"Recipe: kind must be exclusive, multilabel or None, got {self.kind!r}.")
        _set(self, "source", (self.source,) if isinstance(self.source, str) else tuple(self.source))

    @property
    def class_weight(self) -> "torch.Tensor":
        """The weight of each label as a 1-D tensor [C] in torch's default dtype: for `nn.CrossEntropyLoss(weight=)`,
        Keras and scikit-learn. A sigmoid recipe gives (is not, is). Without a weight it is all ones.

        ValueError if the weights are not per label, or if the number of classes is unknown.
        """
        import torch  # the data is numpy; only this exit needs torch

        return torch.tensor(self.label_weights().tolist(), dtype=torch.get_default_dtype())

    def label_weights(self) -> np.ndarray:
        """`class_weight` as float64 numpy."""
        if self.weight is None:
            if self.classes is None:
                raise ValueError("Recipe: no weight is set and the number of classes is unknown; give classes=.")
            return np.ones(len(self.classes))
        table = self.weight.numpy()
        if table.shape[1] > 1 and not np.all(table == table[:, :1]):
            raise ValueError(
                f"Recipe: the weight table is {list(table.shape)}, not one weight per label, so no class vector says it."
            )
        column = table[:, 0]
        labels = 2 if self.kind == "multilabel" else len(self.classes) if self.classes is not None else len(column)
        return np.broadcast_to(column, (labels,)).copy() if len(column) == 1 else column

    def weights_by_label(self, y: Any) -> dict[Any, float]:
        """{label: its weight} for the labels that `y` holds, written as in `y`: numbers for numbers, text for text.

        For `class_weight=` of scikit-learn, LightGBM and Keras, which look labels up as they are.

        y  labels [N]: a list, an array, a tensor or a Series. Where the recipe knows no classes, whole numbers are the places
           0, 1, ... of its weights, and other labels stand ascending

        ValueError for a label that the recipe has no weight for, and as `label_weights`.

        >>> Recipe(weight={"0": 0.5, "1": 4.0}).weights_by_label([0, 1, 1])
        {0: 0.5, 1: 4.0}
        """
        if self.weight is None and self.classes is None:
            return by_label([1.0], None, y)
        return by_label(self.label_weights().tolist(), None if self.kind == "multilabel" else self.classes, y)

    def named(self, source: str) -> Self:
        """The same recipe, saying that it came from `source`."""
        tables = {f: t.named(source) for f in COMBINE if (t := getattr(self, f)) is not None}
        return replace(self, source=(source,), **tables)

    def __eq__(self, other: object) -> bool:
        """By value: the numbers, curve, norm, classes and kind; not the source."""
        if not isinstance(other, Recipe):
            return NotImplemented
        return all(getattr(self, f) == getattr(other, f) for f in (*COMBINE, *ONE_ONLY, "classes", "kind"))

    def __hash__(self) -> int:
        return hash((self.classes, self.kind, self.norm, self.curve))

    def __repr__(self) -> str:
        lines = [f"  {f} = {value!r}" for f in (*COMBINE, *ONE_ONLY) if (value := getattr(self, f)) is not None]
        if self.classes is not None:
            names = ", ".join(map(clean, self.classes[:8])) + (", …" if len(self.classes) > 8 else "")
            lines.append(f"  classes = {names}{f' ({self.kind})' if self.kind else ''}")
        if self.source:
            lines.append("  source = " + clean(" × ".join(self.source)))
        return "Recipe(\n" + "\n".join(lines) + "\n)" if lines else "Recipe()"

    def _repr_html_(self) -> str:
        """The weight of each class where that says all of the weights, and what else is set."""
        others = [
            f"{f} = {value!r}"
            for f in (*COMBINE, *ONE_ONLY)
            if (value := getattr(self, f)) is not None and f != "weight"
        ]
        head = notebook.words(" × ".join(self.source)) if self.source else ""
        try:
            weights = None if self.weight is None or self._live else self.label_weights()
        except ValueError:
            weights = None
        if weights is None:
            return head + notebook.block(repr(self))
        names = self.classes or tuple(map(str, range(len(weights))))
        rows = [(name, f"{w:.4g}") for name, w in list(zip(names, weights.tolist(), strict=False))[:SHOWN]]
        more = notebook.words(f"… {len(names) - SHOWN:,} more") if len(names) > SHOWN else ""
        return head + notebook.table(("class", "weight"), rows) + more + "".join(map(notebook.block, others))

    def __reduce__(self) -> tuple[Any, ...]:
        """As text, which other processes and checkpoints read without running anything. What text cannot say, numbers that are being
        learned and curves that are not registered, goes as the objects it is."""
        try:
            return (checkpoints.read, ("recipe", self.to_json())) if not self._live else self._as_objects()
        except ValueError:
            return self._as_objects()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if not self._live:
            return self
        new = object.__new__(type(self))
        memo[id(self)] = new
        new.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return new

    @property
    def _live(self) -> bool:
        rows = self.target.values if isinstance(self.target, Rows) else None
        return is_live(rows) or any(t.live for f in COMBINE if (t := getattr(self, f)) is not None)

    def _as_objects(self) -> tuple[Any, ...]:
        return copyreg.__newobj__, (type(self),), dict(self.__dict__)  # pyright: ignore[reportAttributeAccessIssue]

    def to_json(self) -> str:
        """JSON text; the numbers come back bit by bit. Learned tensors are written as the numbers they hold now."""
        data: dict[str, Any] = {"format": FORMAT, "classes": self.classes, "kind": self.kind, "source": self.source}
        for name in COMBINE:
            value = getattr(self, name)
            data[name] = None if value is None else value.to_data()
        data["target"] = None if self.target is None else self.target.to_data()
        data["curve"] = None if self.curve is None else curves.to_data(self.curve)
        data["norm"] = self.norm
        return json.dumps(data, indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        data = saved_json("Recipe", text, FORMAT, SCHEMA)
        tables = {f: None if data.get(f) is None else Table.from_data(f, data[f]) for f in COMBINE}
        target = data.get("target")
        if target is not None:
            target = (
                Rows(unplain(target["rows"]))
                if "rows" in target
                else Smooth(unplain(target["amount"]), None if target["toward"] is None else unplain(target["toward"]))
            )
        curve = None if data.get("curve") is None else curves.from_data(data["curve"])
        classes = None if data.get("classes") is None else tuple(data["classes"])
        return cls(
            **tables,
            target=target,
            curve=curve,
            norm=data.get("norm"),
            classes=classes,
            kind=data.get("kind"),
            source=tuple(data.get("source", ())),
        )

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write JSON that `load` reads. It takes the place of a saved recipe; of any other file only with `overwrite`, and of a link never:
        OSError says so."""
        write_text_atomically(path, self.to_json(), marks.RECIPE, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """ValueError, naming what does not fit, if it is not what `save` wrote."""
        return loaded(path, cls.from_json)


def mix(*recipes: Recipe) -> Recipe:
    """Recipes -> Recipe: scales and weights multiply, offsets and margins add, the rest may be set once.

    Order never matters. ValueError if two recipes set target, curve or norm, or know different classes.
    `mix` does not rescale: the product of two unit masses is not one (see `unit_mass`).

    >>> mix(Recipe(weight=[1, 3]), Recipe(weight=[2, 2])).class_weight.tolist()
    [2.0, 6.0]
    """
    fields: dict[str, Any] = {}
    recipes = tuple(map(unwrapped, recipes))
    for recipe in recipes:
        if not isinstance(recipe, Recipe):
            rule = " Rules that change while training goes on are mixed by adaptive.Mixed." if callable(recipe) else ""
            raise TypeError(f"mix: takes recipes, got {type(recipe).__name__} {recipe!r}.{rule}")
        for name in COMBINE:
            mine = getattr(recipe, name)
            if mine is not None:
                fields[name] = mine if name not in fields else fields[name].join(mine)
        for name in (*ONE_ONLY, "classes", "kind"):
            mine, theirs = getattr(recipe, name), fields.get(name)
            if mine is None:
                continue
            if theirs is not None and name in ONE_ONLY:
                raise ValueError(f"mix: {name} is set twice, {theirs!r} and {mine!r}; keep one of them.")
            if theirs is not None and theirs != mine:
                raise ValueError(f"mix: the recipes are for different {name}: {theirs!r} and {mine!r}.")
            fields[name] = mine
    return Recipe(**fields, source=tuple(sorted(s for r in recipes for s in r.source)))


def unit_mass(recipe: Recipe, counts: "Counts") -> Recipe:
    """Scale the weights by one factor so that their mean over the data is 1: sum_y pi_y W[y,y] = 1.

    Multilabel: the mean runs over labels too, so the relation between labels stays. ValueError if classes differ or
    if the mean weight is 0.
    """
    mean = mean_weight(recipe, counts)
    if not 0 < mean < math.inf:
        raise ValueError(f"unit_mass: the mean weight over these counts is {mean:g}, so it cannot be scaled to 1.")
    if recipe.weight is None:
        return recipe
    factor = Table.of("weight", 1 / mean, ("unit_mass",))
    return replace(recipe, weight=recipe.weight.join(factor))


def mean_weight(recipe: Recipe, counts: "Counts") -> float:
    """sum_y pi_y W[y,y] over the data; for multilabel counts the mean of that over the labels."""
    same_classes("unit_mass", recipe, counts)
    if recipe.weight is None:
        return 1.0
    prior = counts.prior
    if counts.kind == "multilabel":
        return float(np.mean(np.sum(prior * np.broadcast_to(recipe.weight.numpy(), prior.shape), axis=0)))
    return float(prior @ recipe.weight.diagonal(len(counts)))


def same_classes(caller: str, recipe: Recipe, counts: "Counts") -> None:
    """ValueError unless recipe and counts can be about the same classes."""
    if recipe.classes is not None and recipe.classes != counts.classes:
        raise ValueError(
            f"{caller}: the recipe is for classes {', '.join(recipe.classes)}"
            f" but the counts are for {', '.join(counts.classes)}; count with classes= in the recipe's order."
        )
    if recipe.kind is not None and recipe.kind != counts.kind:
        raise ValueError(f"{caller}: the recipe is {recipe.kind} but the counts are {counts.kind}.")


def _set(recipe: Recipe, name: str, value: Any) -> None:
    object.__setattr__(recipe, name, value)


def _named(name: str, values: Any) -> tuple[Any, Sequence[str] | None]:
    """Numbers, and the names of their classes where they have some that are no places: {class: number}, a Series, a DataFrame."""
    if is_pandas(values) and unnamed(values):
        return values, None
    if (per_class := by_class(values, f"Recipe: {name}")) is not None:
        names, numbers = list(per_class), list(per_class.values())
    elif (table := square(values, f"Recipe: {name}")) is not None:
        numbers, names = table
    else:
        return values, None
    return numbers, None if names == places(len(names)) and not isinstance(values, Mapping) else names


def _in_order(name: str, values: Any, names: Sequence[str] | None, classes: Sequence[str] | None) -> Any:
    """The numbers in the order of the classes. ValueError where they are of others."""
    return values if names is None else in_places(f"Recipe: {name}", values, names, classes or ())


def _check_table(name: str, table: Table, classes: Sequence[str] | None, kind: str | None) -> None:
    values = [as_numpy(f.values) for f in table.factors]
    for v in values:
        if np.isnan(v).any():
            raise ValueError(f"Recipe: {name} holds NaN.")
        if name == "offset" and np.isposinf(v).any():
            raise ValueError("Recipe: offset holds +inf; only -inf (a class removed for a label) is allowed.")
        if name != "offset" and not np.isfinite(v).all():
            raise ValueError(f"Recipe: {name} holds an infinite value; it must be finite.")
        if (name == "scale" and (v <= 0).any()) or (name == "weight" and (v < 0).any()):
            raise ValueError(f"Recipe: {name} must be {'> 0' if name == 'scale' else '>= 0'}, got {v.min():g}.")
    rows, columns = table.shape
    if classes is not None:
        labels = 2 if kind == "multilabel" else len(classes)
        if rows not in (1, labels) and (rows != 2 or kind is not None):  # of no kind, two rows may be is not, is
            raise ValueError(f"Recipe: {name} has {rows} label rows for {len(classes)} classes.")
        if columns not in (1, len(classes)):
            raise ValueError(f"Recipe: {name} has {columns} class columns for {len(classes)} classes.")


def _target(value: Any) -> Smooth | Rows:
    array = as_numpy(value) if not isinstance(value, (int, float)) else np.float64(value)
    return Smooth(float(value)) if array.ndim == 0 else Rows(value)
