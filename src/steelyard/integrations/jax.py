"""JAX: a loss of a recipe, for optax, flax and equinox; under jit, grad, vmap and pmap.

loss = steelyard.jax.cross_entropy(recipe)
value, gradient = jax.value_and_grad(lambda p: loss(model.apply(p, x), y))(params)

The recipe's numbers are constants of the compiled function. Undo weights with `steelyard.posterior(np.asarray(logits), recipe)`.
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..link import SIGMOID, SOFTMAX, Link
from ..losses.reduction import REDUCTIONS
from ..ops import arrays, bind
from ..recipe import Recipe

Loss = Callable[..., jax.Array]

LIBRARY = arrays.Library(
    name="JAX",
    np=jnp,
    log_sigmoid=jax.nn.log_sigmoid,
    sigmoid=jax.nn.sigmoid,
    one_hot=lambda labels, classes, dtype: jax.nn.one_hot(labels, classes, dtype=dtype),
    still=jax.lax.stop_gradient,
    as_array=lambda values, dtype: jnp.asarray(values, dtype=dtype),
    cast=lambda array, dtype: jnp.asarray(array).astype(dtype),
    dtype=lambda array: str(jnp.asarray(array).dtype),
)


def cross_entropy(recipe: Recipe, *, ignore_index: int = -100, reduction: str = "mean") -> Loss:
    """The softmax cross-entropy of `recipe`, as a function loss(logits, target, weight=None).

    logits  [..., C], the class axis last
    target  labels [...], whole numbers in [0, C) or `ignore_index`; or probabilities [..., C], floating-point
    weight  of each item, broadcastable to [...]; None is 1

    reduction "mean" divides by what the recipe's `norm` says, "sum" adds up, "none" gives [...]. The mean of nothing is 0. A row whose
    logits are all -inf, masked entirely, counts for nothing, as in optax; torch and our losses for it say NaN. Computed in
    float32 or, under jax_enable_x64, in float64. A label outside the classes gives NaN: compiled code cannot raise.
    ValueError for shapes that do not fit, and for a recipe that `CrossEntropy` refuses.
    """
    return _loss("cross_entropy", recipe, SOFTMAX, ignore_index, reduction)


def binary_cross_entropy(recipe: Recipe, *, ignore_index: int = -100, reduction: str = "mean") -> Loss:
    """The sigmoid cross-entropy of `recipe`, as a function loss(logits, target, weight=None).

    logits  [..., K], one for each yes-or-no outcome; for a recipe of two exclusive classes any shape with a last axis
    target  0, 1 or `ignore_index`, whole numbers, or probabilities, floating-point; shaped like the logits
    weight  broadcastable to the logits

    All else as `cross_entropy`.
    """
    return _loss("binary_cross_entropy", recipe, SIGMOID, ignore_index, reduction)


def _loss(name: str, recipe: Recipe, link: Link, ignore_index: int, reduction: str) -> Loss:
    if not isinstance(recipe, Recipe):
        raise TypeError(
            f"jax.{name}: takes a Recipe, got {type(recipe).__name__}; make one with steelyard.mix or an ingredient, and give what a"
            " rule says now as rule.recipe()."
        )
    if reduction not in REDUCTIONS:
        raise ValueError(f"jax.{name}: reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}.")
    bound = bind(recipe, link)

    def loss(logits: Any, target: Any, weight: Any = None) -> jax.Array:
        logits, target = jnp.asarray(logits), jnp.asarray(target)
        soft = bool(jnp.issubdtype(target.dtype, jnp.floating))
        items = logits.shape if not link.exclusive else logits.shape[:-1]
        expected = logits.shape if soft else items
        if not logits.ndim or target.shape != expected:
            what = "probabilities" if soft else "labels"
            raise ValueError(
                f"jax.{name}: {what} must have the shape {list(expected)} for logits {list(logits.shape)}, whose last axis is that of"
                f" the classes; got {list(target.shape)}."
            )
        if bound.width is not None and bound.width not in (1, logits.shape[-1]):
            raise ValueError(
                f"jax.{name}: the recipe is for {bound.width} classes and the logits have {logits.shape[-1]} in their last axis."
            )
        if weight is not None:
            weight = jnp.broadcast_to(jnp.asarray(weight), items)
        if link.exclusive:
            # before anything is computed of it: a mask behind NaN would leave NaN in the gradient
            masked = jnp.isneginf(logits).all(axis=-1)
            logits = jnp.where(masked[..., None], 0.0, logits)
            weight = jnp.where(masked, 0.0, jnp.ones(items) if weight is None else weight)
        found = arrays.terms(LIBRARY, logits, target, bound, weight, ignore_index, soft)
        return arrays.reduce(LIBRARY, found, bound.norm, reduction)

    return loss
