"""The laws of ingredients and of backends."""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..counts import Counts
from ..link import LINKS, SIGMOID, SOFTMAX, link_for
from ..losses.functional import binary_cross_entropy, cross_entropy
from ..ops import BACKENDS, Bound, bind, terms
from ..options import Spec
from ..recipe import Recipe, mean_weight
from .material import CLASSES, Call, calls, recipes

Function = Callable[..., Any]


def check_backend(
    backend: str | Function, *, given: Mapping[str, Mapping[str, Recipe]] | None = None, device: str = "cpu"
) -> None:
    """Hold a backend to the reference: loss, mass, lse, and the gradients to logits and call weights.

    backend  a name in steelyard.ops.BACKENDS, or a function like reference.terms
    given    {link: {name: recipe}}, for a backend that serves only some; default `recipes` of both links

    float64: 1e-10. float32, bfloat16, float16: an error against the float64 reference no larger than twice the
    reference's own in that dtype plus rounding. Upstream gradients are random, and inputs must stay untouched.
    """
    function = BACKENDS[backend] if isinstance(backend, str) else backend
    known = _KNOWN if given is None else {}
    given = {link: recipes(link) for link in LINKS} if given is None else given
    for link, name, bound in ((k, n, bind(r, k)) for k, named in given.items() for n, r in named.items()):
        for kind, call in calls(link, bound).items():
            for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16):
                mine = call.to(dtype, device)
                values = _outputs(function, mine, bound)
                key = link, name, kind, dtype, device
                if key not in known:
                    exact = _outputs(BACKENDS["reference"], mine.to(torch.float64, device), bound)
                    known[key] = exact, _outputs(BACKENDS["reference"], mine, bound)
                truth, plain = known[key]
                for what in truth:
                    _compare(f"{link} {name}, {kind}, {dtype}, {what}", values[what], plain[what], truth[what])


_KNOWN: dict[tuple[Any, ...], tuple[dict[str, Tensor], ...]] = {}  # what the reference says, for the next backend


def _outputs(function: Function, call: Call, bound: Bound) -> dict[str, Tensor]:
    logits, target = call.logits.clone().requires_grad_(), call.target.clone()
    weight = None if call.weight is None else call.weight.clone().requires_grad_()
    outputs = function(logits, target, bound, weight, -100)
    inputs = [logits] if weight is None else [logits, weight]
    random = torch.Generator().manual_seed(1)
    drawn = [(t, torch.randn(t.shape, generator=random, dtype=torch.float64).to(t)) for t in outputs[:3]]
    live = [(t, upstream) for t, upstream in drawn if t.requires_grad]
    gradients = torch.autograd.grad([t for t, _ in live], inputs, [upstream for _, upstream in live])
    same = torch.equal(call.logits, logits) and torch.equal(call.target, target)
    same = same and (call.weight is None or weight is None or torch.equal(call.weight, weight))
    _law(same, f"{function!r} changed one of its inputs")
    named = {"loss": outputs.loss, "mass": outputs.mass, "lse": outputs.lse, "gradient to logits": gradients[0]}
    if weight is not None:
        named["gradient to call weights"] = gradients[1]
    return {k: v.detach() for k, v in named.items()} | {"valid": outputs.valid.to(torch.float64)}


def _compare(where: str, value: Tensor, plain: Tensor, truth: Tensor) -> None:
    _law(value.shape == truth.shape, f"{where}: shape {list(value.shape)} instead of {list(truth.shape)}")
    if not truth.numel():
        return
    finite = torch.isfinite(truth)
    same = torch.equal(value.double()[~finite], truth[~finite])
    _law(same, f"{where}: not the same infinite values as the reference")
    error, allowed = ((x.double() - truth)[finite].abs().max().item() for x in (value, plain))
    size = truth[finite].abs().max().item()
    epsilon = 1e-10 if value.dtype == torch.float64 else 4 * torch.finfo(value.dtype).eps
    budget = 2 * allowed + epsilon * max(size, 1e-3)
    _law(error <= budget, f"{where}: off by {error:.3g} where {budget:.3g} is allowed")


def check_ingredient(ingredient: Function, *arguments: Any, **options: Any) -> None:
    """Hold an ingredient to the laws; `options` are passed on.

    A function whose first argument is `counts` is tried on exclusive and multilabel counts, one class, counts of 0 and
    counts of 10^9 (an ingredient may serve counts of 0, or refuse them by name); any other is called once as ingredient(*arguments, **options). The laws: a Recipe with the classes
    of the counts; pure; numbers finite (offsets may be -inf) and their loss and gradient too; mean weight 1 over the
    counts; permuting the classes permutes the loss; JSON brings back the same recipe. Counts that cannot be served are
    a ValueError that starts with the ingredient's name, and counts of 0 name the class.
    """
    name = getattr(getattr(ingredient, "spec", None), "cli_name", ingredient.__name__)
    if next(iter(inspect.signature(ingredient).parameters), None) != "counts":
        _check_recipe(name, ingredient(*arguments, **options))
        return
    served = [c for c in _COUNTS if _serves(name, ingredient, c, options)]
    _law(bool(served), f"{name}: refused all of {', '.join(map(repr, _COUNTS))}")
    for counts in served:
        recipe = ingredient(counts, **options)
        _law(isinstance(recipe, Recipe), f"{name}: returned {type(recipe).__name__} instead of a Recipe")
        _law(recipe == ingredient(counts, **options), f"{name}: two calls give two recipes")
        _law(recipe.classes in (None, counts.classes), f"{name}: the recipe is for other classes than {counts}")
        mean = mean_weight(recipe, counts)
        _law(abs(mean - 1) < 1e-9, f"{name}: the mean weight is {mean:.12g} instead of 1 for {counts}")
        _check_recipe(name, recipe)
        _check_permutation(name, ingredient, counts, recipe, options)
    for counts in _WITH_ZERO:
        if not any((c.kind, len(c)) == (counts.kind, len(counts)) for c in served):
            continue
        try:
            recipe = ingredient(counts, **options)
        except ValueError as error:
            empty = [c for c, n in zip(counts.classes, counts.per_class, strict=True) if n == 0]
            named = all(repr(c) in str(error) for c in empty)
            _law(named, f"{name}: the error for counts of 0 does not name the class: {error}")
        else:
            mean = mean_weight(recipe, counts)
            _law(abs(mean - 1) < 1e-9, f"{name}: the mean weight is {mean:.12g} instead of 1 for {counts}")
            _check_recipe(name, recipe)
    if isinstance(getattr(ingredient, "spec", None), Spec):
        try:
            ingredient(served[0], **options, no_such_option=1)
        except TypeError:
            return
        raise AssertionError(f"{name}: an unknown option passed silently")


_COUNTS = (
    Counts.of(900, 100),
    Counts.of(500, 7, 60),
    Counts.of(10**9, 1, 10**5),
    Counts.of(12),
    Counts([900, 40, 3], kind="multilabel", items=1000),
    Counts([10**9, 1], kind="multilabel", items=10**9 + 5),
)
_WITH_ZERO = (
    Counts.of(900, 0, classes=["healthy", "ill"]),
    Counts.of(5, 0, 500, classes=["a", "void", "b"]),
    Counts([0, 40, 2], ["never", "some", "few"], kind="multilabel", items=100),
)


def _serves(name: str, ingredient: Function, counts: Counts, options: Mapping[str, Any]) -> bool:
    try:
        ingredient(counts, **options)
    except ValueError as error:
        _law(str(error).startswith(name), f"{name}: an error should start with the ingredient's name: {error}")
        return False
    return True


def _check_recipe(name: str, recipe: Recipe) -> None:
    _law(isinstance(recipe, Recipe), f"{name}: returned {type(recipe).__name__} instead of a Recipe")
    _law(Recipe.from_json(recipe.to_json()) == recipe, f"{name}: JSON does not bring the recipe back")
    for link, function in ((SOFTMAX, cross_entropy), (SIGMOID, binary_cross_entropy)):
        try:
            bound = bind(recipe, link)
        except ValueError:
            continue  # made for the other link
        classes = bound.width or CLASSES
        if link.exclusive and classes == 1:
            continue  # nothing to tell apart
        logits = torch.linspace(-9, 9, 4 * classes, dtype=torch.float64).reshape(4, classes).requires_grad_()
        shape = link.items(logits.shape)
        target = (torch.arange(math.prod(shape)) % link.labels(classes)).reshape(shape)
        loss = function(logits, target, bound)
        gradient = torch.autograd.grad(loss, logits)[0]
        finite = bool(loss.isfinite() and gradient.isfinite().all())
        _law(finite, f"{name}: the {link} loss or its gradient is not finite")


def _check_permutation(
    name: str, ingredient: Function, counts: Counts, recipe: Recipe, options: Mapping[str, Any]
) -> None:
    order = np.roll(np.arange(len(counts)), 1)
    numbers, names = counts.per_class[order], [counts.classes[i] for i in order]
    permuted = ingredient(Counts(numbers, names, kind=counts.kind, items=counts.items), **options)
    link = link_for(counts.kind)
    logits = torch.linspace(-2, 3, 6 * len(counts), dtype=torch.float64).reshape(6, -1).sin()
    if link.exclusive:
        y = torch.arange(6) % len(counts)
        targets = y, torch.from_numpy(np.argsort(order))[y]
    else:
        y = torch.arange(6 * len(counts)).reshape(6, -1) % 2
        targets = y, y[:, order]
    try:
        plain, moved = bind(recipe, link), bind(permuted, link)
    except ValueError:
        return  # made for the other link
    a = terms(logits, targets[0], plain).loss
    b = terms(logits[:, order], targets[1], moved).loss
    same = torch.allclose(a if link.exclusive else a[:, order], b, rtol=1e-9)
    _law(same, f"{name}: permuting the classes of {counts} changes the loss")


def _law(holds: bool, broken: str) -> None:
    if not holds:
        raise AssertionError(broken)
