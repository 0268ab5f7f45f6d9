"""The numbers behind `plot.recipe`: loss and gradient of every class at given probabilities of its label."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

ROWS = 2**20  # logits at a time


@dataclasses.dataclass(frozen=True)
class Curves:
    """p [P] of the label; loss and gradient [labels, P], with a name for each label: of softmax the classes, of yes-or-no labels
    "name: is" and "name: is not"."""

    p: np.ndarray
    names: tuple[str, ...]
    loss: np.ndarray
    gradient: np.ndarray
    source: str


def curves_of(recipe_or_loss: Any, link: str | None, p: np.ndarray, some: Sequence[int] | None = None) -> Curves:
    """`some`: places among the names of those that are wanted; None: all."""
    from ..link import SIGMOID, link_of
    from ..losses.dropin import BCEWithLogitsLoss, CrossEntropyLoss
    from ..losses.modules import RecipeLoss
    from ..ops import bind
    from ..recipe import Recipe
    from ..rule.protocol import as_recipe

    subject = as_recipe(recipe_or_loss)
    if isinstance(subject, Recipe):
        bound = bind(subject, link_of(link or _own_link(subject), "plot.recipe"))
        classes, source = subject.classes, " × ".join(subject.source) or "recipe"
    elif isinstance(subject, RecipeLoss | CrossEntropyLoss | BCEWithLogitsLoss):
        bound = subject.bound()
        classes = getattr(getattr(subject, "recipe", None), "classes", None)
        source = type(subject).__name__
        if link not in (None, str(bound.link)):
            raise ValueError(f"plot.recipe: link={link!r}, but {source} is a {bound.link} loss.")
    else:
        raise TypeError(
            f"plot.recipe: takes a Recipe, a steelyard loss or a rule, got {type(recipe_or_loss).__name__}."
        )
    bound = bound.map(lambda t: t.detach().cpu().double())
    if bound.link == SIGMOID:
        # of two exclusive classes under one logit, the recipe's names are those of no and yes
        wide = bound.width or (
            len(classes) if classes is not None and getattr(subject, "kind", None) == "multilabel" else 1
        )
        names = classes if classes is not None and len(classes) == wide else _numbers(wide) if wide > 1 else ("",)
        two = classes if wide == 1 and classes is not None and len(classes) == 2 else None
        every = tuple(
            (two[y] if two else f"{name}: {said}" if name else said)
            for name in names
            for y, said in ((1, "is"), (0, "is not"))
        )
        wanted = list(range(len(every))) if some is None else list(some)
        loss, gradient = _sigmoid(bound, wide, p)
        return Curves(p, tuple(every[i] for i in wanted), loss[wanted], gradient[wanted], source)
    wide = bound.width or (len(classes) if classes is not None else 2)
    every = tuple(classes) if classes is not None else _numbers(wide)
    wanted = list(range(wide)) if some is None else list(some)
    return Curves(p, tuple(every[i] for i in wanted), *_softmax(bound, wide, wanted, p), source)


def _numbers(wide: int) -> tuple[str, ...]:
    return tuple(map(str, range(wide)))


def _own_link(recipe: Any) -> str:
    from ..curves import links

    return "sigmoid" if recipe.kind == "multilabel" or "softmax" not in links(recipe.curve) else "softmax"


def _softmax(bound: Any, wide: int, wanted: Sequence[int], p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[wanted, P] each; the other classes share 1 - p equally."""
    import torch

    from ..losses.functional import cross_entropy

    loss, gradient = np.empty((len(wanted), len(p))), np.empty((len(wanted), len(p)))
    own, others = np.log(p), np.log1p(-p) - np.log(max(wide - 1, 1))
    step = max(1, ROWS // (len(p) * wide))
    for start in range(0, len(wanted), step):
        labels = torch.tensor(wanted[start : start + step])
        z = torch.from_numpy(np.repeat(np.tile(others, len(labels))[:, None], wide, axis=1))
        y = labels.repeat_interleave(len(p))
        z[torch.arange(len(y)), y] = torch.from_numpy(np.tile(own, len(labels)))
        with torch.enable_grad():
            z.requires_grad_()
            values = cross_entropy(z, y, bound, reduction="none")
            (slope,) = torch.autograd.grad(values.sum(), z)
        pull = -slope[torch.arange(len(y)), y]
        loss[start : start + len(labels)] = values.detach().numpy().reshape(len(labels), -1)
        gradient[start : start + len(labels)] = pull.numpy().reshape(len(labels), -1)
    return loss, gradient


def _sigmoid(bound: Any, wide: int, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[2 K, P] each: label by label "is", then "is not"."""
    import torch

    from ..losses.functional import binary_cross_entropy

    logit = torch.from_numpy(np.log(p) - np.log1p(-p))
    found = []
    for y in (1, 0):
        z = (logit if y else -logit)[:, None].repeat(1, wide)
        with torch.enable_grad():
            z.requires_grad_()
            values = binary_cross_entropy(z, torch.full((len(p), wide), y), bound, reduction="none")
            (slope,) = torch.autograd.grad(values.sum(), z)
        found.append((values.detach().numpy().T, (-slope if y else slope).numpy().T))
    loss, gradient = (np.stack([found[0][i], found[1][i]], axis=1).reshape(2 * wide, len(p)) for i in (0, 1))
    return loss, gradient
