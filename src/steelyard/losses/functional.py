"""cross_entropy and binary_cross_entropy: the one form as functions of (logits, target, recipe)."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch._C import _functorch  # pyright: ignore[reportAttributeAccessIssue]

from ..link import SIGMOID, SOFTMAX, Link
from ..ops import Bound, Terms, alike, bind, plan, terms, total
from ..ops.choice import checks_labels
from ..ops.shapes import Call, arrange
from ..recipe import Recipe
from ..rule.protocol import Adaptive, Rule, as_rule
from .reduction import REDUCTIONS, divided, own_divisor, reduce

Result = TypeVar("Result")


def cross_entropy(
    logits: Tensor,
    target: Tensor,
    recipe: Recipe | Adaptive | Bound,
    *,
    weight: Any = None,
    normalizer: float | Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    class_dim: int = 1,
) -> Tensor:
    """Softmax cross-entropy under a recipe; see CrossEntropy for shapes, domain and errors.

    A rule of `adaptive` acts as it stands: nothing is observed, and no penalty is added.
    """
    return _loss(
        "CrossEntropy", SOFTMAX, logits, target, recipe, weight, normalizer, ignore_index, reduction, class_dim
    )


def binary_cross_entropy(
    logits: Tensor,
    target: Tensor,
    recipe: Recipe | Adaptive | Bound,
    *,
    weight: Any = None,
    normalizer: float | Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    class_dim: int = 1,
) -> Tensor:
    """Sigmoid cross-entropy under a recipe; see BinaryCrossEntropy for shapes, domain and errors."""
    name = "BinaryCrossEntropy"
    return _loss(name, SIGMOID, logits, target, recipe, weight, normalizer, ignore_index, reduction, class_dim)


def terms_of(name: str, call: Call, bound: Bound, *, ignore_index: int, backend: str | None = None) -> Terms:
    """Terms in the caller's layout: softmax one per label, sigmoid one per logit."""
    unreduced = _terms(name, call, bound, ignore_index, backend)
    return Terms(*(call.restore(t, bound.link) for t in unreduced))


def _loss(
    name: str,
    link: Link,
    logits: Tensor,
    target: Tensor,
    recipe: Recipe | Adaptive | Bound,
    weight: Any,
    normalizer: float | Tensor | None,
    ignore_index: int,
    reduction: str,
    class_dim: int,
) -> Tensor:
    check_reduction(name, reduction, normalizer)
    rule = None if isinstance(recipe, Bound) else as_rule(recipe)
    if rule is not None:
        rule.driver.serve(link, ignore_index)  # before it is asked for tables
    now = recipe if rule is None else rule.recipe()
    bound = bind(now, link) if isinstance(now, Recipe) else now
    if not isinstance(bound, Bound):
        raise TypeError(f"{name}: takes a Recipe, got {type(recipe).__name__}. Weights alone: fixed(weight=...).")
    if bound is recipe:
        return whole(
            name,
            logits,
            target,
            bound,
            weight=weight,
            ignore_index=ignore_index,
            class_dim=class_dim,
            reduction=reduction,
            normalizer=normalizer,
        )
    call = arrange(name, logits, target, weight, bound, class_dim)
    if rule is not None:
        _, call, normalizer = adapt(name, rule, call, bound, ignore_index, reduction, normalizer)
    return reduced(name, call, bound, ignore_index=ignore_index, reduction=reduction, normalizer=normalizer)


def adapt(
    name: str,
    rule: Rule,
    given: Call,
    bound: Bound,
    ignore_index: int,
    reduction: str,
    normalizer: float | Tensor | None,
) -> tuple[Call, Call, float | Tensor | None]:
    """(what the rule may look at, the call as the loss is taken of it, what a mean of it divides by)."""
    seen, call = explained(name, given, bound.link, ignore_index, functools.partial(rule.driver.adapted, given))
    if normalizer is None and reduction == "mean" and call.weight is not given.weight and not rule.selects:
        normalizer = own_divisor(given, bound, ignore_index)
    return seen, call, normalizer


def whole(
    name: str,
    logits: Tensor,
    target: Tensor,
    bound: Bound,
    *,
    weight: Any = None,
    ignore_index: int,
    class_dim: int,
    reduction: str,
    normalizer: float | Tensor | None,
    consume: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """`reduced` of tensors as the caller has them, by a Bound that is kept: a call like the last one is not looked at again, and its
    loss is of `dtype` at once."""
    alone = weight is None and not consume and not torch.compiler.is_compiling()
    norm = known_divisor(bound.norm, reduction, normalizer) if alone else None
    if norm is not None:
        loss = alike.total(logits, target, bound, ignore_index, class_dim, norm, dtype)
        if loss is not None:
            return loss
    call = arrange(name, logits, target, weight, bound, class_dim)
    loss = reduced(
        name, call, bound, ignore_index=ignore_index, reduction=reduction, normalizer=normalizer, consume=consume
    )
    if norm is not None and call.logits is logits and call.target is target:
        alike.remember(logits, target, bound, ignore_index, class_dim)
    return loss


def reduced(
    name: str,
    call: Call,
    bound: Bound,
    *,
    ignore_index: int,
    reduction: str,
    normalizer: float | Tensor | None,
    consume: bool = False,
) -> Tensor:
    """In one pass where a backend has one, else from the unreduced terms. `consume` as consume_logits of CrossEntropy."""
    if reduction == "mean" and torch.compiler.is_compiling() and isinstance(normalizer, (int, float)):
        # a graph of the sum serves every number; one with the number in it would be made again for the next
        summed = reduced(
            name, call, bound, ignore_index=ignore_index, reduction="sum", normalizer=None, consume=consume
        )
        return divided(
            summed, summed.new_ones(()) * normalizer
        )  # of a product a compiler knows how to leave the number open
    if consume and torch.is_grad_enabled() and call.logits.requires_grad:
        check_consumable(name, call.logits)
    if (norm := known_divisor(bound.norm, reduction, normalizer)) is not None:
        one = explained(
            name,
            call,
            bound.link,
            ignore_index,
            lambda: total(call.logits, call.target, bound, call.weight, ignore_index, norm, consume),
        )
        if one is not None:
            return one
    unreduced = _terms(name, call, bound, ignore_index, None)
    if reduction == "none":
        return call.restore(unreduced.loss, bound.link)
    return reduce(unreduced, bound.norm, reduction, normalizer)


def check_consumable(name: str, logits: Tensor) -> None:
    base = logits._base if logits._is_view() else logits
    if base is not None and base.is_leaf and base.requires_grad:
        raise RuntimeError(
            f"{name}: consume_logits=True writes the gradient over the logits, but these are a leaf that requires a gradient."
            " Pass what a model computed, or leave consume_logits out."
        )


def known_divisor(norm: str | float, reduction: str, normalizer: float | Tensor | None) -> str | float | None:
    """What a sum is divided by, in words or as a number; None without a sum, or where the divisor has a graph of its own."""
    if reduction == "none":
        return None
    if reduction == "sum":
        return "sum"
    if isinstance(normalizer, Tensor):
        if torch.compiler.is_compiling():
            return None
        plain = type(normalizer) is Tensor and normalizer.device.type == "cpu" and not normalizer.requires_grad
        return float(normalizer) if plain and not _functorch.is_functorch_wrapped_tensor(normalizer) else None
    return norm if normalizer is None else float(normalizer)


def check_reduction(name: str, reduction: str, normalizer: float | Tensor | None = None) -> None:
    if reduction not in REDUCTIONS:
        raise ValueError(f"{name}: reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}.")
    if normalizer is not None and reduction != "mean":
        raise ValueError(f'{name}: normalizer= is what the mean divides by; with reduction="{reduction}" leave it out.')


def _terms(name: str, call: Call, bound: Bound, ignore_index: int, backend: str | None) -> Terms:
    if not torch.compiler.is_compiling():
        backend = backend or plan(call.logits, call.target, bound, call.weight).backend
        if backend != "native" and not bound.link.exclusive and not call.target.is_floating_point():
            check_yes_or_no(name, call.target, ignore_index)  # the native kernels look themselves
    return explained(
        name,
        call,
        bound.link,
        ignore_index,
        lambda: terms(call.logits, call.target, bound, call.weight, ignore_index=ignore_index, backend=backend),
    )


def explained(name: str, call: Call, link: Link, ignore_index: int, compute: Callable[[], Result]) -> Result:
    """Compute, and turn a label outside the classes into a sentence (no device is asked in the normal case)."""
    if torch.compiler.is_compiling():
        return compute()
    if call.logits.device.type != "cpu" and checks_labels():
        _look(name, call, call.target.cpu(), link, ignore_index)
    try:
        return compute()
    except (IndexError, RuntimeError):
        _look(name, call, call.target, link, ignore_index)
        raise


def _look(name: str, call: Call, target: Tensor, link: Link, ignore_index: int) -> None:
    if link.exclusive:
        check_labels(name, target, call.logits.shape[1], ignore_index)
    elif not target.is_floating_point():
        check_yes_or_no(name, target, ignore_index)


def check_labels(name: str, target: Tensor, size: int, ignore_index: int) -> None:
    """On the CPU: name a label outside 0..size-1."""
    if target.is_floating_point() or target.device.type != "cpu":
        return
    labels = target.long()
    labels = labels[labels != ignore_index]
    wrong = labels[(labels < 0) | (labels >= size)].unique()
    if wrong.numel():
        label = int(wrong[-1]) if int(wrong[0]) >= 0 else int(wrong[0])
        raise ValueError(
            f"{name}: target has label {label} but the logits have {size} classes (0..{size - 1})."
            f" {_way_out(labels, wrong.tolist(), size)}"
        ) from None


def _way_out(labels: Tensor, wrong: list[int], size: int) -> str:
    """A class must not be ignored because its number is one too high, so void is offered only for a number that stands apart."""
    highest = wrong[-1]
    if wrong[0] >= 0 and (highest == size or len(wrong) > 1) and highest < 2 * size:
        if highest == size and not bool((labels == 0).any()):
            return "Do your labels start at 1? Then pass target - 1."
        return f"Do your labels start at 1? Then pass target - 1. If they start at 0, labels up to {highest} need {highest + 1} logits."
    void = [label for label in wrong if label < 0 or label >= size]
    return f"Void label? pass ignore_index={void[-1] if void[0] >= 0 else void[0]}."


def check_yes_or_no(name: str, target: Tensor, ignore_index: int) -> None:
    """On the CPU, where looking costs no synchronisation; under vmap the values cannot be looked at."""
    if target.device.type != "cpu" or target.dtype == torch.bool:
        return
    target = target.long()
    wrong = (target != 0) & (target != 1) & (target != ignore_index)
    try:
        any_wrong = bool(wrong.any())
    except RuntimeError:
        return
    if any_wrong:
        label = int(target[wrong][0])
        one_based = "" if label != 2 or bool((target == 0).any()) else " Labels 1 and 2? Pass target - 1."
        raise ValueError(
            f"{name}: integer targets must be 0, 1 or ignore_index={ignore_index}, got {label}.{one_based}"
            " Probabilities are floats; exclusive classes 0..C-1 go to CrossEntropy."
        )
