"""What opens under a weighting: its recipe, what that does to the classes, and what was chosen for it."""

from collections.abc import Sequence

from ..counts import Counts
from ..recipe import Recipe
from . import formatting
from .document import Report
from .evidence import Arm

CLASSES = 12


def details(report: Report, arm: Arm) -> tuple[tuple[str, str], ...]:
    """(term, what is said), without what the report does not hold."""
    terms = [
        *_recipe(report, arm),
        ("chosen in the folds", _settings(report, arm)),
        ("its own cut", _cut(report, arm)),
        ("path", _path(report, arm)),
    ]
    return tuple((term, said) for term, said in terms if said)


def _recipe(report: Report, arm: Arm) -> list[tuple[str, str]]:
    """Its parts, its weights, and the shares of the loss at the constant prediction; nothing of one that cannot be read."""
    names = report.table.classes
    try:
        recipe = Recipe.from_json(arm.recipe)
        told = _told(report, recipe) if arm.outcomes is None else arm.outcomes
    except (ValueError, TypeError, ArithmeticError):
        return []
    if not recipe.source or len(told) != len(names):
        return []
    each = list(zip(names, told, strict=True))[:CLASSES]
    more = f", and {len(names) - CLASSES} more" if len(names) > CLASSES else ""
    weights = ", ".join(f"{formatting.quote(name)} {weight:.4g}" for name, (weight, _) in each)
    shares = ", ".join(
        f"{formatting.quote(name)} {formatting.percent(share)}" for name, (_, share) in each if share is not None
    )
    return [
        ("recipe", " x ".join(recipe.source)),
        ("weight of a label", f"{weights}{more}" if recipe.weight is not None else "1 for all"),
        ("share of the loss", f"{shares}{more}" if shares else ""),
    ]


def _told(report: Report, recipe: Recipe) -> Sequence[tuple[float, float | None]]:
    """What older reports do not hold; this waits for torch."""
    from ..explain.summary import weights_and_losses

    return weights_and_losses(recipe, Counts(report.table.per_class, report.table.exact))


def _settings(report: Report, arm: Arm) -> str:
    if not arm.settings:
        return ""
    folds = ", ".join(f"{value} in {n}" for value, n in sorted(arm.settings.items(), key=lambda one: -one[1]))
    return f"{report.settings.title} {folds} folds"


def _cut(report: Report, arm: Arm) -> str:
    if arm.threshold is None:
        return ""
    what = "a probability of" if report.binary else "class shares to the power"
    best = f", for the {formatting.best(report.rule)}" if report.rule else ""
    return f"{what} {formatting.threshold(arm.threshold)}{best}"


def _path(report: Report, arm: Arm) -> str:
    """Its neighbours, where it lies on a path."""
    for path in report.paths:
        at = [i for i, point in enumerate(path.points) if point.arm == arm.name]
        if at and len(path.points) > 2:
            some = path.points[max(0, at[0] - 1) : at[0] + 2]
            return f"{path.parameter} of {path.ingredient}: " + ", ".join(
                f"{formatting.amount(point.x)} gives {formatting.number(point.value)}" for point in some
            )
    return ""
