"""Several rules, and recipes, at once."""

import functools

import torch
from torch import Tensor, nn

from ..link import Link
from ..ops.factors import Held, Tables, factors
from ..recipe import COMBINE, ONE_ONLY, Recipe, mix
from ..rule.clock import Clock
from ..rule.protocol import Adaptive, Rule, as_rule
from ..table import Table


class _Fixed(Rule):
    """A recipe that stays as it is."""

    reads_logits = False

    def __init__(self, recipe: Recipe):
        super().__init__()
        self._recipe, self._held = recipe, Held(self, factors(recipe))

    def emit(self) -> tuple[Recipe, Tables]:
        return self._recipe, self._held.of(self)

    def watched(self) -> dict[str, Tensor]:
        return {}


class Mixed(Rule):
    """The mix of several rules and recipes: tables combine as in `mix`, call weights multiply, penalties add.

        tables   mix(r_1, r_2, ...)        weights  s_1 s_2 ...        logits  adjusted by the first, then the second, ...

    A weight that one rule learned from statistics does not know of the others, so the product of two unit masses is not
    one; `explain` says what it is. Raises ValueError where two of them set target, curve or norm, or are about
    different classes.

    >>> import steelyard as sy
    >>> counts = sy.Counts.of(900, 100)
    >>> late = sy.adaptive.Deferred(sy.Recipe(), sy.inverse_frequency(counts), after_epoch=160)
    >>> rule = sy.adaptive.Mixed(late, sy.focal(gamma=2.0))
    >>> rule.advance(epoch=160)
    >>> rule.recipe() == sy.mix(sy.inverse_frequency(counts), sy.focal(gamma=2.0))
    True
    """

    def __init__(self, *rules: Adaptive | Recipe):
        super().__init__()
        if not rules:
            raise ValueError("Mixed: give at least one rule, such as Mixed(Deferred(...), focal(gamma=2.0)).")
        parts = [_Fixed(r) if isinstance(r, Recipe) else as_rule(r) for r in rules]
        for rule, rule_or_recipe in zip(parts, rules, strict=True):
            if rule is None:
                raise TypeError(
                    f"Mixed: takes rules and recipes, got {type(rule_or_recipe).__name__} {rule_or_recipe!r}."
                )
        self.rules = nn.ModuleList(parts)  # type: ignore[arg-type]  # none is None
        self.reads_logits = any(rule.reads_logits for rule in self.parts)
        self.selects = any(rule.selects for rule in self.parts)
        self.clock = Clock(needed=False)  # for the history; whether a part needs one is its own matter
        self._structures: dict[tuple[int, ...], tuple[tuple[Recipe, ...], Recipe]] = {}
        self.recipe()  # or an error naming what is set twice

    @property
    def parts(self) -> list[Rule]:
        return list(self.rules)  # type: ignore[arg-type]

    def recipe(self) -> Recipe:
        return mix(*(rule.recipe() for rule in self.parts))

    def emit(self) -> tuple[Recipe, Tables]:
        emitted = [rule.emit() for rule in self.parts]
        tables: dict[str, tuple[Tensor, ...]] = {}
        for _, part in emitted:
            for field, numbers in part.items():
                tables[field] = (*tables.get(field, ()), *numbers)
        return self._joined(tuple(structure for structure, _ in emitted)), tables

    def _joined(self, structures: tuple[Recipe, ...]) -> Recipe:
        """One structure, the tables' factors in the order of the rules (`mix` orders by value, which changes)."""
        key = tuple(id(s) for s in structures)
        if key not in self._structures:
            rest = mix(
                *(Recipe(**{f: getattr(s, f) for f in ONE_ONLY}, classes=s.classes, kind=s.kind) for s in structures)
            )
            tables = {f: [t for s in structures if (t := getattr(s, f)) is not None] for f in COMBINE}
            joined = {
                f: Table(t[0].operation, tuple(x for each in t for x in each.factors)) for f, t in tables.items() if t
            }
            others = {f: getattr(rest, f) for f in ONE_ONLY}
            source = tuple(x for s in structures for x in s.source)
            structure = Recipe(**joined, **others, classes=rest.classes, kind=rest.kind, source=source)
            if len(self._structures) > 16:  # a rule that makes a new structure every time
                self._structures.clear()
            self._structures[key] = structures, structure
        return self._structures[key][1]

    def observe(self, logits: Tensor, target: Tensor) -> None:
        for rule in self.parts:
            rule.driver.observe(logits, target)

    def learn(self, sums: None) -> None:
        for rule in self.parts:
            rule.driver.settle()

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        for rule in self.parts:
            rule.driver.advance(epoch=epoch, step=step, metric=metric)

    def weigh(self, logits: Tensor, target: Tensor) -> Tensor | None:
        every = [rule.weigh(logits, target) for rule in self.parts]
        those = [w for w in every if w is not None]
        return functools.reduce(torch.mul, those) if those else None

    def adjust(self, logits: Tensor, target: Tensor) -> Tensor:
        for rule in self.parts:
            logits = rule.adjust(logits, target)
        return logits

    def penalty(self) -> Tensor | None:
        every = [rule.penalty() for rule in self.parts]
        those = [p for p in every if p is not None]
        return functools.reduce(torch.add, those) if those else None

    def serve(self, link: Link, ignore_index: int) -> None:
        for rule in self.parts:
            rule.driver.serve(link, ignore_index)

    def notes(self) -> list[str]:
        return [sentence for rule in self.parts for sentence in rule.notes()]
