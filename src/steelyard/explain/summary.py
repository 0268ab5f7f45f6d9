"""What a recipe, or a map, will do to these data, before anything is trained.

`steelyard/__init__` imports this file at once, and `steelyard --help` waits for it: numpy and torch come in at the call.
"""

import dataclasses
from typing import TYPE_CHECKING, Any, overload

from .. import notebook
from ..shown import clean
from .aligned import aligned

if TYPE_CHECKING:
    from ..counts import Counts
    from ..ops import Bound
    from ..spatial import Map
    from .maps import MapExplanation

SHOWN = 40  # rows of the table


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One label value: a class, or one of the two outcomes of a yes-or-no label. None: not computed (see the notes).

    count          in the data
    share          of the data (of its label, for yes-or-no labels); `shown`: of what a sampler shows the network
    weight         W[y,y]
    weight_share   pi w / sum of pi w
    loss_share     pi l / sum of pi l, at the constant prediction p = pi
    implied_prior  the constant prediction whose undo is pi: what a model without features would say
    flip           the true probability above which the raw logits decide for it, against the largest other class
    """

    name: str
    count: int
    share: float
    shown: float
    weight: float
    weight_share: float | None
    loss_share: float | None
    implied_prior: float | None
    flip: float | None


@dataclasses.dataclass(frozen=True, repr=False)
class Explanation:
    """Plain data; `str()` is a table, `to_dict()` is for JSON.

    mean_weight     sum pi w over what the network sees; 1 leaves the size of the loss, and the learning rate, alone
    effective_size  (sum n w)^2 / sum n w^2: so many equally weighted examples would be as noisy; `size` is sum n
    """

    source: str
    unit: str
    outcomes: tuple[Outcome, ...]
    mean_weight: float
    effective_size: float
    size: int
    sampled: bool
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        table, words = self._said()
        return "".join([notebook.words(self.source), notebook.table(table[0], table[1:]), *map(notebook.words, words)])

    def __str__(self) -> str:
        table, words = self._said()
        return clean("\n".join([self.source, *aligned(table), *words]), keep="\n")

    def _said(self) -> tuple[list[list[str]], list[str]]:
        """A table with its head, and the lines under it."""
        head = ["class", self.unit, "share", *(["shown"] if self.sampled else []), "weight"]
        head += ["of all weight", "of the loss", "implied prior", "decides from"]
        lines = [head]
        for o in self.outcomes[:SHOWN]:
            shares = (o.weight_share, o.loss_share, o.implied_prior, o.flip)
            shown = [_percent(o.shown)] if self.sampled else []
            line = [clean(o.name), f"{o.count:,}", _percent(o.share), *shown, f"{o.weight:.4g}", *map(_percent, shares)]
            lines.append(line)
        more = [f"... and {len(self.outcomes) - SHOWN} more"] if len(self.outcomes) > SHOWN else []
        size = f"effective sample size {self.effective_size:,.0f} of {self.size:,}"
        last = [f"warning: {w}" for w in self.warnings] + [f"note: {n}" for n in self.notes]
        return lines, [*more, f"mean weight {self.mean_weight:.4g}, {size}", *last]


@overload
def explain(recipe_or_loss: "Map", counts: Any, *, progress: bool = False) -> "MapExplanation": ...
@overload
def explain(recipe_or_loss: Any, counts: "Counts", *, sampled: "Counts | None" = None) -> Explanation: ...
def explain(recipe_or_loss: Any, counts: Any, *, sampled: "Counts | None" = None, progress: bool = False) -> Any:
    """Weights, shares of the loss, the prior a recipe implies, where its decisions flip, and warnings.

    recipe_or_loss  a Recipe (softmax; multilabel counts and sigmoid-only curves: sigmoid) or one of our losses; or a
                    `spatial.Map`, whose weight is told on objects, near them and far from all
    counts          of the training data; for a map its masks: one, or any number one after another
    sampled         what a sampler shows the network instead, as Counts of the same classes
    progress        over many masks show a bar on stderr

    Warns of: a mean weight off 1 by more than 1 %; corrections that together undo the prior twice (weight, offset,
    sampler); weights more than 100 times apart; labels asking for another class, as torch's weight does together with
    label_smoothing; weight 0; classes that count 0. ValueError if recipe and counts are about different classes.

    >>> import steelyard as sy
    >>> twice = sy.Recipe(weight=[0.5556, 5.0], offset=[[-0.1054, -2.3026]])
    >>> print(sy.explain(twice, sy.Counts.of(900, 100)).warnings[0])
    weight and offset both undo the prior: together they pull past balance, to 90 % of '1', which is 10 % of the data. Keep one of them, or less of each.
    """
    from ..spatial import Map

    if isinstance(recipe_or_loss, Map):
        from .maps import read_map

        return read_map(recipe_or_loss, counts, progress=progress)
    seen = counts if sampled is None else sampled
    if (seen.classes, seen.kind) != (counts.classes, counts.kind):
        raise ValueError(
            f"explain: sampled= counts {seen.kind} {', '.join(seen.classes)} but the data has {counts.kind}"
            f" {', '.join(counts.classes)}; count both with the same classes=."
        )
    bound, source = _bound(recipe_or_loss, counts)
    from .checks import warnings
    from .measures import measure

    m = measure(bound, counts, seen)
    columns = (m.prior, m.shown, m.weight, m.weight_share, m.loss_share, m.implied, m.flips)
    outcomes = []
    for y, k, name in m.names:
        numbers = [None if c is None or c[y, k] != c[y, k] else float(c[y, k]) for c in columns]
        outcomes.append(Outcome(name, int(m.n[y, k]), *numbers))  # type: ignore[arg-type]
    return Explanation(
        source=source,
        unit=counts.unit,
        outcomes=tuple(outcomes),
        mean_weight=m.mean,
        effective_size=m.effective_size,
        size=int(m.shown_n.sum()),
        sampled=sampled is not None,
        warnings=tuple(warnings(m)),
        notes=tuple(dict.fromkeys([*m.notes, *_notes(recipe_or_loss)])),
    )


def weights_and_losses(recipe: Any, counts: "Counts") -> list[tuple[float, float | None]]:
    """(`weight`, `loss_share`) of each outcome as `explain` has them, without what takes a search. ValueError as there."""
    bound, _ = _bound(recipe, counts)
    from .measures import weighed

    m = weighed(bound, counts, counts)
    shares = [None if m.loss_share is None or (s := m.loss_share[y, k]) != s else float(s) for y, k, _ in m.names]
    return [(float(m.weight[y, k]), share) for (y, k, _), share in zip(m.names, shares, strict=True)]


def _notes(recipe_or_loss: Any) -> list[str]:
    from ..losses.modules import RecipeLoss
    from ..rule.protocol import Rule

    rule = recipe_or_loss.rule if isinstance(recipe_or_loss, RecipeLoss) else recipe_or_loss
    return rule.notes() if isinstance(rule, Rule) else []


def _bound(recipe_or_loss: Any, counts: "Counts") -> tuple["Bound", str]:
    from ..curves import links
    from ..link import SIGMOID, SOFTMAX, link_for
    from ..losses.dropin import BCEWithLogitsLoss, CrossEntropyLoss
    from ..losses.modules import BinaryCrossEntropy, CrossEntropy
    from ..ops import bind
    from ..recipe import Recipe, same_classes
    from ..rule.protocol import as_recipe

    recipe, recipe_or_loss = None, as_recipe(recipe_or_loss)
    if isinstance(recipe_or_loss, Recipe):
        recipe = recipe_or_loss
        bound = bind(recipe, link_for(counts.kind) if SOFTMAX.name in links(recipe.curve) else SIGMOID)
    elif isinstance(recipe_or_loss, (CrossEntropy, BinaryCrossEntropy)):
        bound, recipe = recipe_or_loss.bound(), recipe_or_loss.recipe
    elif isinstance(recipe_or_loss, (CrossEntropyLoss, BCEWithLogitsLoss)):
        bound = recipe_or_loss.bound()
    else:
        raise TypeError(
            f"explain: takes a Recipe or a steelyard loss, or a spatial.Map with masks, got {type(recipe_or_loss).__name__}."
        )
    if recipe is not None:
        same_classes("explain", recipe, counts)
    each = counts.kind == bound.link.kind  # a logit for each class
    width = len(counts) if each else 1
    if not each and (bound.link.exclusive or len(counts) != 2):
        raise ValueError(
            f"explain: a {bound.link} loss does not fit {counts.kind} counts of {len(counts)} classes; exclusive classes"
            " go through CrossEntropy (two of them also through BinaryCrossEntropy), yes-or-no labels through"
            ' BinaryCrossEntropy with counts of kind="multilabel".'
        )
    if bound.width not in (None, width):
        raise ValueError(f"explain: the recipe is for {bound.width} classes but the counts are for {len(counts)}.")
    name = type(recipe_or_loss).__name__ if recipe is None else " × ".join(recipe.source) or "recipe"
    bound = bound.map(lambda t: t.detach().cpu().double())
    return bound, f"{name} on {counts.source or f'{counts.items:,} {counts.unit}'}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.3g} %"
