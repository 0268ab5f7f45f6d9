"""The arms of a study: named ways to make a Recipe from the counts of a training part."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any, cast

import numpy as np

from ..class_order import in_order, moves
from ..counts import Counts
from ..curves import Log
from ..ingredients import effective_number, focal, inverse_frequency, logit_adjustment
from ..options import spec_of
from ..recipe import Recipe, unit_mass
from ..rule.protocol import Rule
from .weightings import FORMS, is_weights, said

PLAIN = "plain"

Make = Callable[[Counts], Recipe | Rule]


@dataclasses.dataclass(frozen=True)
class Point:
    """Where an arm lies on the path of one option of one ingredient; plain is at 0."""

    ingredient: str
    parameter: str
    x: float


@dataclasses.dataclass(frozen=True)
class Arm:
    """A name and how to make its recipe, or a new rule. `make` sees the counts of one training part only.

    resample   name of a way to draw the training rows anew (see resampling.NAMES); such an arm trains without a recipe
    """

    name: str
    make: Make
    point: Point | None = None
    resample: str = ""

    def recipe(self, counts: Counts) -> Recipe:
        """With unit mass on these counts, so that no arm differs from plain by its learning rate or regularisation. Of a rule, whose
        scores come on plain scale, plain: its numbers change while training goes on."""
        made = self.make(counts)
        if isinstance(made, Rule):
            return Recipe(classes=counts.classes, kind="exclusive", source=(written(made),))
        return unit_mass(dataclasses.replace(self._of_classes(made, counts), kind="exclusive"), counts)

    def _of_classes(self, made: Recipe, counts: Counts) -> Recipe:
        """In the order of the classes here. ValueError for a recipe of others."""
        if made.kind == "multilabel":
            raise ValueError(
                f"tune: the weighting {self.name!r} is for labels that are yes or no each (multilabel), and here a row has one class."
            )
        try:
            return dataclasses.replace(in_order(made, counts.classes), classes=counts.classes)
        except ValueError as error:
            raise ValueError(
                f"tune: the weighting {self.name!r} is not for {', '.join(counts.classes)}. {error}"
            ) from None

    def rule(self, counts: Counts) -> Rule | None:
        """A new one, as it stands before training; None where the arm is a recipe."""
        made = None if self.resample else self.make(counts)
        return made if isinstance(made, Rule) else None

    def key(self, counts: Counts) -> str:
        """What a stored fit is found by: the recipe on all rows says more than a name that may be given to another one."""
        content = f"{self.resample}|{self.recipe(counts).to_json()}"
        if (rule := self.rule(counts)) is not None:
            content += f"|{rule!r}|{state(rule)}"
        return f"{self.name[:120]} #{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def written(rule: Rule) -> str:
    return f"{type(rule).__name__}({rule.extra_repr()})"


def state(rule: Rule) -> str:
    """Every number that the rule starts from."""
    return "|".join(f"{name}={value.tolist()}" for name, value in rule.state_dict().items())


def plain() -> Arm:
    return Arm(PLAIN, lambda counts: Recipe())


def on_path(ingredient: Callable[..., Recipe], parameter: str, x: float) -> Arm:
    """The arm of an ingredient, of counts or of nothing, with one of its options set."""
    name, option = ingredient.__name__, {parameter: x}
    counted = spec_of(ingredient).argument == "counts"
    return Arm(
        f"{name}({parameter}={x:g})",
        lambda counts: ingredient(counts, **option) if counted else ingredient(**option),
        Point(name, parameter, x),
    )


def usual() -> tuple[Arm, ...]:
    """Plain and the arms that a study compares with it unless told otherwise."""
    return (
        plain(),
        *(on_path(inverse_frequency, "beta", b) for b in (0.25, 0.5, 0.75, 1)),
        Arm("effective_number(beta=0.999)", effective_number),
        on_path(focal, "gamma", 2.0),
        on_path(logit_adjustment, "tau", 1),
    )


def arms(given: Any = None, *, turned: bool = False) -> tuple[Arm, ...]:
    """Plain first, then the given arms; None gives `usual()`.

    given   {name: weighting} or an iterable of weightings or Arms, or one weighting: a Recipe, a function Counts -> Recipe or new rule, what
            `weightings.said` reads, or "usual" for all of these
    turned  whether the two classes stand here in another order than among the labels, so that numbers by place could mean either
    ValueError for a name that stands twice or for something that is neither, such as one rule, which every fit would go on training.
    """
    if given is None:
        return usual()
    items: Iterable[Any]
    if isinstance(given, (Recipe, Rule, str, PathLike)) or callable(given) or is_weights(given):
        items = [given]
    else:
        items = given.items() if isinstance(given, Mapping) else given
    every = [plain()]
    for item in items:
        found = usual() if isinstance(item, str) and item == "usual" else (_arm(item, turned),)
        every += [arm for arm in found if arm.name != PLAIN]
    names = [a.name for a in every]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ValueError(f"tune: the arm {twice[0]!r} is given twice; arms need names of their own.")
    return tuple(every)


def _arm(item: Any, turned: bool) -> Arm:
    if isinstance(item, Arm):
        return item
    name, make = item if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) else (None, item)
    if (read := said(make)) is not None:
        name, make = name or read[0], read[1]
    if isinstance(make, Recipe):
        name = str(name or " × ".join(make.source) or "recipe")
        if turned and make.classes is None and moves(make):
            raise ValueError(
                f"tune: the weighting {name!r} names no classes, and the positive, which comes first among the labels, is second here, so its"
                " numbers could mean either. Name them: {class: weight}, or classes= of the Recipe."
            )
        return Arm(name, lambda counts, recipe=make: recipe)
    if isinstance(make, Rule):
        raise ValueError(
            f"tune: {name or type(make).__name__} is one rule, and every fit needs a new one; give a function that makes it, such as"
            f" lambda counts: {type(make).__name__}(...)."
        )
    if callable(make):
        return Arm(str(name or getattr(make, "__name__", "recipe")), cast(Make, make))
    raise ValueError(f"tune: an arm is {FORMS}, got {make!r}.")


def equals_plain(recipe: Recipe, free_intercept: bool = True) -> str:
    """Why a model learns the same ranking as plain from this recipe, or "" if it may not.

    free_intercept  whether the model takes up any shift of its logits without a penalty, and is fitted to its optimum
    """
    flat = recipe.curve is None or isinstance(recipe.curve, Log)
    if not flat or recipe.target is not None or recipe.scale is not None:
        return ""
    if recipe.margin is not None and np.ptp(recipe.margin.numpy()) + np.abs(recipe.margin.numpy()).max() > 0:
        return ""
    if recipe.weight is not None:
        w = recipe.weight.numpy()
        if w.max() - w.min() > 1e-9 * w.max():
            return ""
    if recipe.offset is not None:
        offset = recipe.offset.numpy()
        if not free_intercept or not np.all(offset == offset[:1]):
            return ""
        return "its offset is the same for every label, so the free intercept takes it up"
    return "its weights are all equal"


def distance(recipe: Recipe) -> tuple[bool, float]:
    """How far from plain: first whether the shape of the loss changes, then the ratio of the largest to the smallest weight."""
    changed = any(getattr(recipe, f) is not None for f in ("curve", "target", "scale", "margin", "offset"))
    weights = np.ones(1) if recipe.weight is None else recipe.weight.diagonal(len(recipe.classes or (0, 1)))
    return changed, float(weights.max() / weights.min()) if weights.min() > 0 else np.inf
