"""What the pages of ingredients and rules show of each: an example, who undoes it, and which kernel runs it.

The examples are the only thing written by hand; the rest is asked of the library: `posterior` is called, the kernels are asked why not.
"""

import functools
import inspect
import math
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch

import steelyard as sy
from steelyard import adaptive
from steelyard.calibrate import softmax
from steelyard.curves import links
from steelyard.ops import Bound, bind, tables
from steelyard.options import In, OneOf, Spec

COUNTS = sy.Counts.of(900, 100, classes=["common", "rare"])
# Calls that need more than counts, or another setting than the defaults to be a picture.
CALLS = {
    "pos_neg": "pos_neg(counts)",
    "deployment": "deployment([0.5, 0.5], counts)",
    "costs": "costs([[0, 1], [5, 0]])",
    "class_temperature": "class_temperature(counts, gamma=0.3)",
    "margin": "margin(counts, widest=1.0, scale=1)",
    "fixed": "fixed(weight=[1.0, 3.0], target=0.1)",
}
Loss = sy.CrossEntropy | sy.BinaryCrossEntropy


def call(function: Callable[..., Any]) -> str:
    """The example of an ingredient as it is written, without `sy.`."""
    spec: Spec = function.spec  # type: ignore[attr-defined]
    return CALLS.get(spec.name, f"{spec.name}({'counts' if spec.argument == 'counts' else ''})")


def example(function: Callable[..., Any], **options: Any) -> sy.Recipe:
    """The recipe of that call, with other options where they are given."""
    spec: Spec = function.spec  # type: ignore[attr-defined]

    def made(*arguments: Any, **given: Any) -> sy.Recipe:
        return function(*arguments, **{**given, **options})

    return eval(call(function), {spec.name: made, "counts": COUNTS})


def loss_of(recipe: Any) -> Loss:
    """The loss of a recipe or rule of two classes: softmax where its curve allows it."""
    if isinstance(recipe, adaptive.Equalized) or "softmax" not in links(getattr(recipe, "curve", None)):
        return sy.BinaryCrossEntropy(recipe, reduction="none")
    return sy.CrossEntropy(recipe, reduction="none")


# -- who undoes it ----------------------------------------------------------------------------------------------------


def undo(bound: Bound) -> str:
    """How `posterior` goes back from the logits of such a loss."""
    if not bound.link.exclusive:
        return "in closed form, every output on its own"
    if softmax.closed(bound):
        if not softmax.asks_for_one(bound):
            return "one linear system for all rows; an answer that no label asks for is projected, `calibrate.inside` says which rows"
        return "in closed form" if bound.margin is None else "in closed form, in one pass over the classes"
    return f"a system of C × C for every row, up to {softmax.WIDEST} classes"


def refused(function: Callable[..., Any]) -> Iterator[str]:
    """What `posterior` says of an option at an end of its domain, where it does not undo that."""
    spec: Spec = function.spec  # type: ignore[attr-defined]
    said = set()
    for name, option in spec.options.items():
        ends = _ends(option.rule) if isinstance(option.rule, In) else []
        choices = option.rule.choices if isinstance(option.rule, OneOf) else []
        for value in (*ends, *choices):
            try:
                recipe = example(function, **{name: value})
            except (TypeError, ValueError):  # the example has no such variant
                continue
            why = _refusal(recipe)
            if why and why not in said:
                said.add(why)
                at = f"at `{name}={value!r}`" if _refusal(example(function)) != why else "where it has nothing to say"
                yield f"{at}: {why}"


def _ends(rule: In) -> list[float]:
    low = [] if rule.open_low or math.isinf(rule.low) else [rule.low]
    return [*low, *([] if rule.open_high or math.isinf(rule.high) else [rule.high])]


def _refusal(recipe: sy.Recipe) -> str:
    loss = loss_of(recipe)
    wide = [[-9.0], [0.0], [9.0]] if isinstance(loss, sy.BinaryCrossEntropy) else [[-9.0, 0.0], [0.0, 0.0], [9.0, 0.0]]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sy.posterior(wide, loss)
    except ValueError as error:
        return re.sub(r"^posterior: (\d+ of \d+ )?", "", str(error))
    return ""


# -- which kernel runs it ---------------------------------------------------------------------------------------------

FUSED = "one pass for loss and gradient: C++ on a CPU, Triton on a GPU"


def kernel(loss: Loss) -> str:
    """Who computes this loss, and why not a kernel of its own."""
    exclusive = isinstance(loss, sy.CrossEntropy)
    logits = torch.zeros(2, 2) if exclusive else torch.zeros(2, loss.bound().width or 1)
    target = torch.zeros(2, dtype=torch.long) if exclusive else torch.zeros_like(logits, dtype=torch.long)
    why = tables.refusal(logits, target, loss.bound(), None)
    if not why:
        return FUSED
    return f"plain torch ({'reference' if loss.bound().live else 'eager'}): {why}"


def variants(function: Callable[..., Any]) -> dict[str, sy.Recipe]:
    """{option as written: recipe} for an option that names a field; {"": recipe} otherwise."""
    spec: Spec = function.spec  # type: ignore[attr-defined]
    rule = spec.options["field"].rule if "field" in spec.options else None
    if not isinstance(rule, OneOf):
        return {"": example(function)}
    found = {}
    for choice in rule.choices:
        matrix = (
            [[0, 1], [5, 0]] if choice == "weight" else [[1, 1], [5, 1]] if choice == "offset" else [[8, 1], [2, 8]]
        )
        found[f'field="{choice}"'] = getattr(sy, spec.name)(matrix, field=choice)
    return found


def bound_of(recipe: sy.Recipe) -> Bound:
    return bind(recipe, "softmax" if isinstance(loss_of(recipe), sy.CrossEntropy) else "sigmoid")


# -- rules ------------------------------------------------------------------------------------------------------------


def _scores(loss: Loss) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of a net that is right about most, and labels, 9 to 1."""
    y = (torch.arange(200) % 10 == 0).long()
    spread = torch.linspace(0.005, 0.995, 200, dtype=torch.float64).logit()
    one = torch.where(y == 1, 0.5, -2.0) + spread[torch.arange(200) * 73 % 200]
    if isinstance(loss, sy.BinaryCrossEntropy):
        return one[:, None], y[:, None]
    return torch.stack([-one / 2, one / 2], dim=1), y


def _trained(rule: Any, steps: int) -> Loss:
    """A loss whose rule has seen so many steps of that net."""
    loss = loss_of(rule)
    for _ in range(steps):
        loss(*_scores(loss)).mean()
    return loss


def _advanced(rule: Any, **where: Any) -> Loss:
    loss = loss_of(rule)
    loss.advance(**where)
    return loss


def _balanced() -> sy.Recipe:
    return sy.inverse_frequency(COUNTS)


def _deferred() -> Any:
    return adaptive.Deferred(sy.Recipe(), _balanced(), after_epoch=160)


def _anneal() -> Any:
    return adaptive.Anneal(sy.Recipe(), sy.logit_adjustment(COUNTS), over=(0, 10))


def _costs() -> Loss:
    rule = adaptive.LearnedCosts(2, momentum=0.0, prior=0.0)
    rule.update([[98, 2], [8, 2]])
    return loss_of(rule)


def _minimax() -> Any:
    return adaptive.Learned(COUNTS, how="minimax", rate=0.1)


def _uncertain() -> Loss:
    loss = loss_of(adaptive.Uncertainty(2))
    optimizer = torch.optim.SGD(loss.parameters(), lr=0.5)
    for _ in range(100):
        optimizer.zero_grad()
        loss(*_scores(loss)).mean().backward()
        optimizer.step()
    return loss


def _family(value: float) -> Loss:
    family = adaptive.Family(lambda tau: sy.logit_adjustment(COUNTS, tau=tau), low=0.0, high=3.0)
    family.set(value)
    return loss_of(family)


def _maps() -> Loss:
    return _trained(adaptive.CalibratedMaps(lambda y: 1.0 + 4.0 * (y == 1), share=0.3), 40)


# {rule: {what is drawn: the loss in that state}}
STAGES: dict[str, Callable[[], dict[str, Loss]]] = {
    "Anneal": lambda: {"half the way": _advanced(_anneal(), epoch=5), "at the end": _advanced(_anneal(), epoch=10)},
    "Curriculum": lambda: {
        "half the way": _advanced(adaptive.Curriculum(COUNTS, over=(0, 10)), epoch=5),
        "at the end": _advanced(adaptive.Curriculum(COUNTS, over=(0, 10)), epoch=10),
    },
    "Deferred": lambda: {"from epoch 160 on": _advanced(_deferred(), epoch=160)},
    "BatchStatistics": lambda: {"after 50 steps": _trained(adaptive.BatchStatistics(2, momentum=0.9, warm_up=10), 50)},
    "FBetaKnee": lambda: {"after 50 steps": _trained(adaptive.FBetaKnee(), 50)},
    "Seesaw": lambda: {"900 and 100 seen": loss_of(adaptive.Seesaw(COUNTS))},
    "Equalized": lambda: {"after 50 steps": _trained(adaptive.Equalized(1), 50)},
    "Harmonized": lambda: {"after 50 steps": _trained(adaptive.Harmonized(bins=10), 50)},
    "Hardest": lambda: {"a quarter kept": loss_of(adaptive.hardest(0.25))},
    "CalibratedMaps": lambda: {"after 40 steps": _maps()},
    "Learned": lambda: {'how="minimax", after 20 steps': _trained(_minimax(), 20)},
    "LearnedCosts": lambda: {"after one validation": _costs()},
    "Uncertainty": lambda: {"after 100 steps": _uncertain()},
    "Mixed": lambda: {
        "Deferred and focal": _advanced(adaptive.Mixed(_deferred(), sy.focal(gamma=2.0)), epoch=160),
    },
    "Family": lambda: {"at tau = 0.5": _family(0.5), "at tau = 2": _family(2.0)},
}


@functools.cache
def stages(name: str) -> dict[str, Loss]:
    """{what is drawn: the loss in that state}; of a rule that has no line in STAGES, as it starts from counts."""
    if name in STAGES:
        return STAGES[name]()
    try:
        return {"as it starts": loss_of(adaptive.RULES[name](COUNTS))}  # type: ignore[call-arg]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"docs/menu.py: give {name} a line in STAGES; it is not made from counts alone ({error})."
        ) from None


def beside_tables(rule: type[adaptive.Rule]) -> list[str]:
    """What a rule does to single items or logits, which no table holds and no undo knows."""
    told = []
    if rule.weigh is not adaptive.Rule.weigh:
        told.append("its weights of single items (`weigh`)")
    if rule.adjust is not adaptive.Rule.adjust:
        told.append("what it does to the logits of a call (`adjust`)")
    return told


def positional(rule: type) -> str:
    parameters = inspect.signature(rule).parameters.values()
    starred = ["*" + p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    return ", ".join([p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD] + starred)
