"""Keras 3, on any of its backends: a loss of a recipe.

model.compile(optimizer, loss=steelyard.keras.CrossEntropy(recipe, from_logits=True))

`class_weight=` of fit multiplies the recipe's weights, and is best left out. Undo weights with
`steelyard.posterior(model.predict(x), recipe)`, of logits.
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

from typing import Any

import keras
from keras import ops

from ..link import SIGMOID, SOFTMAX, Link
from ..ops import arrays, bind
from ..recipe import Recipe

REDUCTIONS = {"sum_over_batch_size": "mean", "mean": "mean", "sum": "sum", "none": "none", None: "none"}

LIBRARY = arrays.Library(
    name="Keras",
    np=ops,
    log_sigmoid=ops.log_sigmoid,
    sigmoid=ops.sigmoid,
    one_hot=lambda labels, classes, dtype: ops.one_hot(labels, classes, dtype=dtype),
    still=ops.stop_gradient,
    as_array=lambda values, dtype: ops.convert_to_tensor(values, dtype=dtype),
    cast=ops.cast,
    dtype=lambda array: keras.backend.standardize_dtype(array.dtype),
)


class _Loss(keras.losses.Loss):
    link: Link

    def __init__(
        self,
        recipe: Recipe,
        *,
        from_logits: bool,
        ignore_class: int | None = None,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ):
        what = type(self).__name__
        if not isinstance(recipe, Recipe):
            raise TypeError(f"keras.{what}: takes a Recipe, got {type(recipe).__name__}; make one with steelyard.mix.")
        if reduction not in REDUCTIONS:
            known = ", ".join(repr(r) for r in REDUCTIONS)
            raise ValueError(f"keras.{what}: reduction must be one of {known}, got {reduction!r}.")
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.recipe, self.from_logits, self.ignore_class, self.axis = recipe, from_logits, ignore_class, axis
        self._bound = bind(recipe, self.link)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Here and not in `call`: a mean by the recipe's `norm` has to see the weights, and the base would round labels to its type."""
        mask = getattr(y_pred, "_keras_mask", None)
        if mask is not None:
            mask = ops.cast(mask, "float32")
            sample_weight = mask if sample_weight is None else mask * ops.cast(sample_weight, "float32")
        return self._reduced(y_true, y_pred, sample_weight, REDUCTIONS[self.reduction])

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The losses, one for each item."""
        return self._reduced(y_true, y_pred, None, "none")

    def _reduced(self, y_true: Any, y_pred: Any, weight: Any, reduction: str) -> Any:
        z, y = ops.convert_to_tensor(y_pred), ops.convert_to_tensor(y_true)
        if self.axis not in (-1, z.ndim - 1):
            y = ops.moveaxis(y, self.axis, -1) if y.ndim == z.ndim and y.shape[self.axis] == z.shape[self.axis] else y
            z = ops.moveaxis(z, self.axis, -1)
        z = z if self.from_logits else self._logits(z)
        exclusive, classes = self.link.exclusive, z.shape[-1]
        if self._bound.width not in (None, 1, classes):
            raise ValueError(
                f"keras.{type(self).__name__}: the recipe is for {self._bound.width} classes and the outputs have {classes}."
            )
        if exclusive and y.ndim == z.ndim and y.shape[-1] == 1 and classes > 1:
            y = ops.squeeze(y, axis=-1)  # labels as a column, as Keras gives them
        elif not exclusive and classes == 1 and y.ndim == z.ndim - 1:
            y = ops.expand_dims(y, axis=-1)
        soft = not exclusive or y.ndim == z.ndim
        self._check(y, z, soft)
        items = z.ndim - exclusive
        if weight is not None:
            weight = ops.convert_to_tensor(weight)
            weight = ops.cast(weight, "float64" if keras.backend.standardize_dtype(z.dtype) == "float64" else "float32")
            while weight.ndim < items:
                weight = ops.expand_dims(weight, axis=-1)
            if weight.ndim > items:
                weight = ops.squeeze(weight, axis=-1)
            weight = weight * ops.ones_like(ops.cast(z[..., 0] if exclusive else z, weight.dtype))
        if not exclusive and self.ignore_class is not None:
            kept = y != self.ignore_class
            y = ops.where(kept, y, ops.zeros_like(y))
            kept = ops.cast(kept, "float32" if weight is None else weight.dtype)
            weight = kept if weight is None else kept * weight
        found = arrays.terms(LIBRARY, z, y, self._bound, weight, self.ignore_class, soft)
        return arrays.reduce(LIBRARY, found, self._bound.norm, reduction)

    def _logits(self, p: Any) -> Any:
        """Of probabilities, which Keras keeps this far from 0 and 1, too."""
        dtype = keras.backend.standardize_dtype(p.dtype)
        p = ops.clip(
            ops.cast(p, "float64" if dtype == "float64" else "float32"),
            keras.config.epsilon(),
            1 - keras.config.epsilon(),
        )
        return ops.log(p) if self.link.exclusive else ops.log(p) - ops.log1p(-p)

    def _check(self, y: Any, z: Any, soft: bool) -> None:
        expected = z.shape if soft else z.shape[:-1]
        known = [(a, b) for a, b in zip(y.shape, expected, strict=False) if a is not None and b is not None]
        if len(y.shape) != len(expected) or any(a != b for a, b in known):
            raise ValueError(
                f"keras.{type(self).__name__}: y_true must have the shape {list(expected)} for outputs {list(z.shape)} with the classes"
                f" in their last axis, got {list(y.shape)}."
            )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recipe": self.recipe.to_json(),
            "from_logits": self.from_logits,
            "ignore_class": self.ignore_class,
            "axis": self.axis,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "_Loss":
        return cls(**{**config, "recipe": Recipe.from_json(config["recipe"])})


@keras.saving.register_keras_serializable(package="steelyard")
class CrossEntropy(_Loss):
    """The softmax cross-entropy of `recipe`; see steelyard.CrossEntropy for what a recipe says.

    from_logits   whether the outputs are logits, or probabilities after a softmax. There is no default: a wrong one trains, badly
    ignore_class  label of items that count for nothing
    axis          of the classes in the outputs
    reduction     "sum_over_batch_size" and "mean" divide by what the recipe's `norm` says, sample weights included; "sum"; "none"

    y_pred         [..., C]
    y_true         labels [...] or [..., 1] of any type; or probabilities [..., C]
    sample_weight  broadcastable from the left to [...]

    ValueError for shapes that do not fit, and for a recipe that steelyard.CrossEntropy refuses.
    """

    link = SOFTMAX


@keras.saving.register_keras_serializable(package="steelyard")
class BinaryCrossEntropy(_Loss):
    """The sigmoid cross-entropy of `recipe`: one yes-or-no outcome for each output. Options as in `CrossEntropy`.

    y_pred  [..., K], and y_true 0, 1, `ignore_class` or probabilities, in the same shape; for one output also without its axis
    """

    link = SIGMOID
