"""Undo: logits and the recipe they were trained with -> honest probabilities."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple, overload

import numpy as np
import torch
from torch import Tensor

from ..given import class_name
from ..link import SIGMOID, Link, link_for
from ..losses.dropin import BCEWithLogitsLoss, CrossEntropyLoss
from ..losses.modules import BinaryCrossEntropy, CrossEntropy
from ..losses.probabilities import look_like_answers, look_like_probabilities
from ..ops import Bound, bind
from ..recipe import Recipe
from ..rule.protocol import as_recipe
from . import sigmoid, softmax
from .prior import shift

INFINITE = 1e9  # stands for an infinite logit: beyond any finite one, and differences of it are still numbers


@overload
def posterior(
    logits: Tensor, recipe_or_loss: Any, *, link: str | Link | None = None, prior: Any = None, counts: Any = None
) -> Tensor: ...
@overload
def posterior(
    logits: np.ndarray, recipe_or_loss: Any, *, link: str | Link | None = None, prior: Any = None, counts: Any = None
) -> np.ndarray: ...
@overload
def posterior(
    logits: Any, recipe_or_loss: Any, *, link: str | Link | None = None, prior: Any = None, counts: Any = None
) -> Any: ...
def posterior(
    logits: Any, recipe_or_loss: Any, *, link: str | Link | None = None, prior: Any = None, counts: Any = None
) -> Any:
    """Probabilities with the weights undone: the eta under which these logits minimise the expected loss.

        sum_y eta_y dl_y/dz = 0

    logits          [N, C, *space], class axis 1 (a loss: its class_dim), or [C]; sigmoid: any shape. A tensor, or
                    anything NumPy takes; +-inf act as limits, so log(predict_proba) of a scikit-learn model works
    recipe_or_loss  what they were trained with; a loss brings its link and the numbers its tables hold now
    link            of a bare Recipe: "softmax" (default) or "sigmoid" (default for multilabel recipes)
    prior, counts   class shares where the model is used, and in the training data: p_c is multiplied by prior_c / pi_c.
                    Each is Counts, [C], or {class: share}; sigmoid: Counts or the share of "is" [K]
    returns         probabilities shaped like the logits (sigmoid: of "is", or of label 1), in float32 or wider, on their
                    device; NumPy for NumPy (float64, or float32 for float32). No gradient.

    Exact where the model reached the optimum of a well-specified loss. Boosted trees do not: undone they come out too low (0.010 to
    0.015 where the base rate is 0.039, docs/choosing.md), so fit `calibrate.scaling` on held-out rows as the second step. Otherwise a solution may lie outside the simplex:
    its negative entries are set to 0 and the rest is brought to sum 1; `inside` says where. ValueError where the loss
    does not determine the posterior: weight 0, singular weight times target, generalized q = 1, offsets of -inf,
    elements in the flat zone of asymmetric's clip; and above 256 classes where every row would need a C × C solve. Warns
    where a margin meets a scale, as for a cosine head, whose logits are too bounded to reach the optimum.

    Source: first-order optimality; for two classes and focal Charoenphakdee et al. 2021, arXiv:2011.09172.

    >>> posterior([[0.0, 0.0]], Recipe(weight=[1.0, 9.0])).round(3).tolist()  # even odds after weighing 1 : 9
    [[0.9, 0.1]]
    """
    with torch.no_grad():
        read = _read("posterior", logits, recipe_or_loss, link)
        _warn_of_cosines(read.bound)
        if read.bound.link.exclusive:
            p = softmax.undo(read.z, read.bound)[0]
        else:
            p, _, flat = sigmoid.undo(read.z, read.bound)
            if bool(flat.any()):
                raise ValueError(
                    f"posterior: {int(flat.sum())} of {flat.numel()} elements lie where the curve is flat (asymmetric's"
                    " clip forgives every probability below it), so the loss says nothing about them. Leave them out"
                    " (calibrate.inside tells which), train with clip=0, or recalibrate on held-out data."
                )
        if prior is not None or counts is not None:
            p = shift(p, read.bound.link, prior, counts, read.classes)
        return read.restore(p)


def inside(logits: Any, recipe_or_loss: Any, *, link: str | Link | None = None) -> Any:
    """Where `posterior` needed no projection: bool, per row [N, *space]; sigmoid: per element.

    False where the exact solution has a negative entry, which no optimum can have, and in the flat zone of a clip.

    >>> inside([[0.0, 0.0], [0.0, 9.0]], Recipe(target=0.1)).tolist()  # smoothed labels never ask for 0.9999
    [True, False]
    """
    with torch.no_grad():
        read = _read("inside", logits, recipe_or_loss, link)
        if not read.bound.link.exclusive:
            return read.restore(sigmoid.undo(read.z, read.bound)[1])
        return read.restore(softmax.undo(read.z, read.bound)[1].unsqueeze(1), one_per_row=True)


def _warn_of_cosines(bound: Bound) -> None:
    scale = None if bound.scale is None or bound.margin is None else bound.scale.row
    if scale is not None and scale.numel() == 1 and float(scale) > 1:
        warnings.warn(
            f"posterior: the recipe multiplies logits by {float(scale):g} and has a margin, as for a cosine head (normalised"
            " features). Cosines are bounded and cannot reach the optimum that is undone here; recalibrate on held-out"
            " data, or train ordinary logits with margin(scale=1).",
            stacklevel=3,
        )


class _Read(NamedTuple):
    """Logits as the undo takes them (softmax: rows [N, C]; sigmoid: class axis 1), and the way back."""

    z: Tensor
    bound: Bound
    classes: Sequence[str] | None
    shape: torch.Size  # with the class axis moved: softmax to the end, sigmoid to 1
    axis: int
    batched: bool
    dtype: np.dtype | None  # of NumPy's answer

    def restore(self, values: Tensor, *, one_per_row: bool = False) -> Any:
        rows = self.bound.link.exclusive
        values = values.reshape(*self.shape[:-1], values.shape[1]) if rows else values.reshape(self.shape)
        if one_per_row:
            values = values.squeeze(-1)
        elif values.dim() > 1:
            values = values.movedim(-1 if rows else 1, self.axis)
        values = values if self.batched else values.squeeze(0)
        if self.dtype is None:
            return values
        array = values.numpy()
        return array if array.dtype == bool else array.astype(self.dtype)


def _read(caller: str, logits: Any, recipe_or_loss: Any, link: str | Link | None) -> _Read:
    bound, recipe, class_dim = trained_with(caller, recipe_or_loss, link)
    z, dtype = _numbers(caller, logits)
    softmax_link = bound.link.exclusive
    if softmax_link and z.dim() == 0:
        raise ValueError(f"{caller}: logits need a class axis, got shape [].")
    batched = z.dim() > 1 or not (softmax_link or (bound.width or 1) > 1)
    z = z if batched else z.unsqueeze(0)
    axis = class_dim if batched else 1
    if z.dim() > 1:
        if not -z.dim() <= axis < z.dim() or axis % z.dim() == 0:
            raise ValueError(f"{caller}: class_dim={axis} is not an axis after the batch axis of {z.dim()}-D logits.")
        axis %= z.dim()
        if bound.width not in (None, z.shape[axis]) and (softmax_link or bound.width != 1):
            raise ValueError(
                f"{caller}: the recipe is for {bound.width} classes but the logits have {z.shape[axis]} on axis {axis}"
                f" (shape {list(z.shape if batched else z.shape[1:])})."
            )
        z = z.movedim(axis, -1 if softmax_link else 1)
    if isinstance(recipe_or_loss, BCEWithLogitsLoss):
        z = recipe_or_loss.plain(z)
    if softmax_link and look_like_probabilities(z):
        raise ValueError(
            f"{caller}: takes logits, but all {z.numel() // z.shape[-1]:,} rows are in [0, 1] and sum to 1, so they are probabilities;"
            " pass the logits before the softmax, or the log of the probabilities."
        )
    if not softmax_link and look_like_answers(z):
        warnings.warn(
            f"{caller}: takes logits, and all {z.numel():,} are in [0, 1], as probabilities are. If they are, as of predict_proba, pass"
            " log(p / (1 - p)).",
            stacklevel=3,
        )
    z = z.clamp(-INFINITE, INFINITE)
    classes = None if recipe is None else recipe.classes
    _check_columns(caller, logits, classes)
    rows = z.reshape(-1, z.shape[-1]) if softmax_link else z
    return _Read(rows, bound.to(z, z.dtype), classes, z.shape, axis, batched, dtype)


def _check_columns(caller: str, logits: Any, classes: Sequence[str] | None) -> None:
    """ValueError where the columns of a table of logits are the recipe's classes in another order."""
    columns = [class_name(c) for c in logits.columns] if hasattr(logits, "columns") else []
    if classes is not None and columns != list(classes) and sorted(columns) == sorted(classes):
        raise ValueError(
            f"{caller}: the columns of the logits are {', '.join(columns)}, and the recipe's classes {', '.join(classes)}; order the"
            " columns as the classes."
        )


def trained_with(caller: str, recipe_or_loss: Any, link: str | Link | None) -> tuple[Bound, Recipe | None, int]:
    recipe_or_loss = as_recipe(recipe_or_loss)
    if isinstance(recipe_or_loss, Recipe):
        link = link or link_for(recipe_or_loss.kind)
        return bind(recipe_or_loss, link), recipe_or_loss, 1
    if isinstance(recipe_or_loss, (CrossEntropy, BinaryCrossEntropy)):
        trained_with = recipe_or_loss.bound(), recipe_or_loss.recipe, recipe_or_loss.class_dim
    elif isinstance(recipe_or_loss, CrossEntropyLoss):
        trained_with = recipe_or_loss.bound(), None, 1
    elif isinstance(recipe_or_loss, BCEWithLogitsLoss):  # its pos_weight may run along any axis; see _read
        trained_with = bind(Recipe(), SIGMOID), None, 1
    else:
        raise TypeError(f"{caller}: takes a Recipe or a steelyard loss, got {type(recipe_or_loss).__name__}.")
    if link not in (None, trained_with[0].link):
        raise ValueError(
            f"{caller}: link={str(link)!r}, but {type(recipe_or_loss).__name__} is a {trained_with[0].link} loss."
        )
    return trained_with


def _numbers(caller: str, logits: Any) -> tuple[Tensor, np.dtype | None]:
    """In float32 or wider (NumPy: float64), and NumPy's dtype for the answer."""
    dtype = None
    if isinstance(logits, Tensor):
        if not logits.is_floating_point():
            raise ValueError(f"{caller}: logits must be floating-point, got {logits.dtype}.")
        z = logits.detach().to(torch.promote_types(logits.dtype, torch.float32))
    else:
        try:
            given = np.asarray(logits)
            z = torch.from_numpy(np.array(given, dtype=np.float64))
        except (TypeError, ValueError):
            raise ValueError(f"{caller}: logits must be numbers, got {type(logits).__name__}.") from None
        dtype = np.dtype(np.float32 if given.dtype in (np.float16, np.float32) else np.float64)
    if bool(z.isnan().any()):
        raise ValueError(f"{caller}: {int(z.isnan().sum())} of {z.numel()} logits are NaN; leave those rows out.")
    return z, dtype
