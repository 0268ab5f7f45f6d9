"""What to know and to do after counting or weighing: what weights do to probabilities, and the next command."""

import shlex
from typing import TYPE_CHECKING

from .counting import Counting

if TYPE_CHECKING:
    from ..counts import Counts
    from ..recipe import Recipe


def after_count(counts: "Counts", counting: Counting) -> list[str]:
    """The next command, where there is something to weigh."""
    if len(counts) < 2 and counts.kind == "exclusive":
        return []
    return [f"Next: {command('weigh', counting)}"]


def advice(recipe: "Recipe", counts: "Counts", positive: int | None, counting: Counting) -> list[str]:
    """What the weights do to probabilities, the cut that does the same without them, and how to find out whether they help."""
    from ..explain.class_weights import beyond_weights

    if beyond_weights(recipe) is not None:
        return ["It may move probabilities: steelyard explain says how, and sy.posterior(logits, recipe) undoes it."]
    w = recipe.label_weights()
    some = [i for i, n in enumerate(counts.per_class) if n > 0 and w[i] > 0]
    if len(some) < 2:
        return []
    light, heavy = min(some, key=lambda i: w[i]), max(some, key=lambda i: w[i])
    ratio = w[heavy] / w[light]
    if ratio < 1.0005:
        return ["All weights are alike: they change nothing."]
    if positive is not None:
        cut = share(w[1 - positive] / (w[0] + w[1]))
        lines = [
            f"These weights move probabilities: 50 % under them is {cut} on the data. Without weights, saying"
            f" {counts.classes[positive]!r} from {cut} decides the same."
        ]
    else:
        lines = [
            f"These weights move probabilities: where {counts.classes[light]!r} and {counts.classes[heavy]!r} come out even under"
            f" them, {counts.classes[light]!r} is {ratio:.3g} times as likely on the data."
        ]
    test = f" Whether they help beyond that: {command('tune', counting)}" if counts.unit == "rows" else ""
    return [*lines, f"sy.posterior(logits, recipe) undoes them.{test}"]


def share(p: float) -> str:
    """In percent, two digits.

    >>> share(0.0232), share(0.5), share(0.0001)
    ('2.3 %', '50 %', '0.01 %')
    """
    return f"{float(f'{100 * p:.2g}'):g} %"


def command(name: str, counting: Counting) -> str:
    """As it is typed, with the label that was given."""
    labels = [word for label in counting.options["label"] or [] for word in ("--label", label)]
    return shlex.join(["steelyard", name, counting.data, *labels])
