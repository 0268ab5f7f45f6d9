"""Loss and gradient of a recipe against the probability, class by class."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..shown import clean, fit
from ..theme import SERIES, TITLE
from .finish import finish
from .panel import Axis, Drawing, Line, Panel, brief, powers

POINTS, FEW = 149, 9
FIRST = 0.005  # of the probabilities drawn; the last is 1 minus it
STYLES = tuple(style for style in SERIES if style != "plain")  # that one is plain cross-entropy
MOST = len(STYLES)  # curves
APART = 30.0  # largest to smallest curve, above which the axis is logarithmic
DOWN = 1e-4  # of the largest value: below that nothing is drawn on a logarithmic axis


def recipe(
    recipe_or_loss: Any, *, classes: Sequence[str] | None = None, link: str | None = None, ax: Any = None
) -> Any:
    """What a label costs and how hard it pulls, by the probability that the network gives it.

    Two panels. Across both: the probability of what the label says, as the network gives it, before anything that the recipe does; of
    softmax the other classes share the rest equally; of yes-or-no labels "is not" has one minus the logit's. Up: the loss of one such
    row, undivided; and the gradient at the label's own logit, turned so that what raises it is positive. Both without a unit, and
    logarithmic where curves are more than 30 times apart. Dashed: plain cross-entropy.

    Classes that weigh alike are one curve. Of more than five different ones, five from the lightest to the heaviest are drawn.

    recipe_or_loss  a Recipe, a loss with its numbers of now, or a rule
    classes         names of those to draw, with up to five different curves
    link            of a bare Recipe: "softmax" or "sigmoid"; left out, sigmoid for yes-or-no labels and curves that are its own
    ax              axes of matplotlib to draw into, one pair or two; they are returned. Without, an Altair chart

    ValueError for a class that there is not; TypeError for anything else than the above.
    """
    from .curves_of import curves_of

    # a few points tell which classes weigh alike, and only those that are drawn are asked for all
    coarse = curves_of(recipe_or_loss, link, np.linspace(FIRST, 1 - FIRST, FEW))
    some = _asked(coarse.names, classes) if classes is not None else None
    groups = _groups(coarse.names, coarse.loss, coarse.gradient, some)
    left = len(groups) - MOST
    if left > 0:
        if some is not None:
            raise ValueError(
                f"plot.recipe: {len(groups)} different classes are asked for, and {MOST} can be told apart; name fewer."
            )
        groups = _spread(groups, coarse.gradient)
    found = curves_of(recipe_or_loss, link, np.linspace(FIRST, 1 - FIRST, POINTS), [at for _, at in groups])
    groups = [(name, i) for i, (name, _) in enumerate(groups)]
    p = found.p.tolist()
    plain = -np.log(found.p)
    panels = []
    for title, values, guide in (("loss", found.loss, plain), ("gradient", found.gradient, 1 - found.p)):
        drawn = np.stack([values[at] for _, at in groups])
        scale, ends = _scale(drawn, guide)
        lines = [_line("plain cross-entropy", "plain", p, guide, ends)]
        styles = STYLES if len(groups) > 1 else ("best",)
        lines += [_line(name, style, p, values[at], ends) for (name, at), style in zip(groups, styles, strict=False)]
        up = "loss of one row" if title == "loss" else "pull on the label's logit (−∂loss/∂logit)"
        panels.append(
            Panel(Axis("probability given to the label", ends=(0.0, 1.0)), Axis(up, scale, ends, ticks=powers(*ends) if scale == "log" else ()), tuple(lines), title.capitalize(), width=340)
        )  # fmt: skip
    more = (
        f": {left + MOST:,} different curves, {MOST} of them drawn, from the lightest to the heaviest"
        if left > 0
        else ""
    )
    return finish(Drawing(tuple(panels), title=fit(clean(found.source), 90) + more), ax)


def _asked(names: Sequence[str], classes: Sequence[str]) -> list[int]:
    wanted = [classes] if isinstance(classes, str) else list(map(str, classes))
    places = []
    for name in wanted:
        at = [i for i, one in enumerate(names) if one == name or one.rpartition(": ")[0] == name]
        if not at:
            raise ValueError(
                f"plot.recipe: there is no class {name!r}; there are {', '.join(names[:8])}{', …' * (len(names) > 8)}."
            )
        places += at
    return places


def _groups(
    names: Sequence[str], loss: np.ndarray, gradient: np.ndarray, some: list[int] | None
) -> list[tuple[str, int]]:
    """(what to call them, one of them) for each kind of curve there is."""
    places = list(range(len(names))) if some is None else some
    alike: dict[bytes, list[int]] = {}
    for i in places:
        key = np.stack([loss[i], gradient[i]])
        alike.setdefault(np.array([f"{v:.7g}" for v in key.ravel()]).tobytes(), []).append(i)
    return [(_called(names, members, len(places)), members[0]) for members in alike.values()]


def _spread(groups: list[tuple[str, int]], gradient: np.ndarray) -> list[tuple[str, int]]:
    """From the lightest to the heaviest, evenly in the logarithm of how hard they pull at the first point."""
    groups = sorted(groups, key=lambda g: float(gradient[g[1]][0]))
    height = np.log(np.maximum([float(gradient[at][0]) for _, at in groups], 1e-12))
    chosen: list[int] = []
    for k, wanted in enumerate(np.linspace(height[0], height[-1], MOST)):
        # those before and behind stay free for the others
        free = range(chosen[-1] + 1 if chosen else 0, len(groups) - (MOST - 1 - k))
        chosen.append(min(free, key=lambda i: abs(height[i] - wanted)))
    return [groups[i] for i in chosen]


def _called(names: Sequence[str], members: list[int], of: int) -> str:
    if len(members) == of and of > 0:
        return "every class"
    said = [fit(clean(names[i]), TITLE) for i in members]
    return ", ".join(said[:2]) + (f" and {len(said) - 2:,} more" if len(said) > 2 else "")


def _scale(drawn: np.ndarray, guide: np.ndarray) -> tuple[Any, tuple[float, float]]:
    """The scale of the upright axis and its ends."""
    finite = np.where(np.isfinite(drawn), drawn, np.nan)
    tops = np.nanmax(finite, axis=1)
    low, top = float(np.nanmin(finite)), float(max(np.nanmax(tops), guide.max()))
    positive = tops[tops > 0]
    if low >= 0 and len(positive) and (top > APART * positive.min()):
        return "log", (top * DOWN, top * 1.3)
    return "linear", (min(0.0, low * 1.05), top * 1.05 or 1.0)


def _line(name: str, style: str, p: list[float], values: np.ndarray, ends: tuple[float, float]) -> Line:
    inside = np.where((values >= ends[0]) & (values <= ends[1]), values, math.nan)
    said = [f"{name}: {brief(v)} at {x:.3g}" for x, v in zip(p, values.tolist(), strict=True)]
    return Line(name, style, p, inside.tolist(), said, thin=style == "plain")
