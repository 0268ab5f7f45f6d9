"""Gradients and curvature against autograd on the library's own losses; where training starts; what is refused."""

import re

import numpy as np
import pytest
import torch

from steelyard import Recipe, curves, fixed
from steelyard.losses import functional
from steelyard.tuning.models.forms import undo
from steelyard.tuning.models.pointwise import Pointwise, constant, refusal, same_curve

TWO = {"classes": ("no", "yes"), "kind": "exclusive"}
THREE = {"classes": ("a", "b", "c"), "kind": "exclusive"}

CONVEX = [
    Recipe(**TWO),
    Recipe(weight=[0.5, 7.0], **TWO),
    Recipe(offset=[[0.3, -1.0]], **TWO),
    Recipe(offset=[[0.0, 0.4], [-0.7, 0.1]], weight=[[1.0, 2.0]], **TWO),
    Recipe(scale=[1.5, 0.7], margin=[0.1, 0.6], weight=[0.5, 5.0], **TWO),
    Recipe(**THREE),
    Recipe(weight=[0.5, 2.0, 7.0], **THREE),
    Recipe(offset=[[0.3, -1.0, 0.1]], scale=[[0.5, 1.0, 2.0]], **THREE),
    Recipe(offset=np.arange(9).reshape(3, 3) / 5, scale=[0.5, 1.0, 2.0], **THREE),
    Recipe(margin=[0.1, 0.2, 0.9], weight=np.arange(1, 10).reshape(3, 3), **THREE),
]
CURVED = [
    Recipe(curve=curves.Focal(2.0), weight=[0.5, 5.0], **TWO),
    Recipe(curve=curves.Asymmetric(1.0, 3.0, 0.0), scale=[2.0, 0.5], **TWO),
    Recipe(curve=curves.Poly(20.0), **TWO),
    Recipe(curve=curves.GCE(0.5), **TWO),
    Recipe(curve=curves.Square(), **TWO),
    Recipe(curve=curves.Focal(2.0), weight=[0.5, 2.0, 7.0], offset=[[0.3, -1.0, 0.1]], **THREE),
    Recipe(curve=curves.Symmetric(), margin=[0.1, 0.2, 0.9], **THREE),
]


def case(recipe: Recipe) -> tuple[int, torch.Tensor, torch.Tensor]:
    classes = len(recipe.classes)
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(60) % classes
    return classes, 3 * torch.randn(1, 60, 1 if classes == 2 else classes, generator=generator, dtype=torch.float64), y


def loss(z: torch.Tensor, y: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    if z.shape[-1] == 1:
        return functional.binary_cross_entropy(z[..., 0], y, recipe, reduction="sum")
    return functional.cross_entropy(z, y, recipe, reduction="sum")


def hessian(z: torch.Tensor, y: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    """The diagonal, by differences of the gradient."""
    out, h = torch.empty_like(z), 1e-5
    for c in range(z.shape[-1]):
        up, down = z.clone(), z.clone()
        up[..., c] += h
        down[..., c] -= h
        grads = [torch.func.grad(loss)(side, y, recipe) for side in (up, down)]
        out[..., c] = ((grads[0] - grads[1]) / (2 * h))[..., c]
    return out


@pytest.mark.parametrize("recipe", CONVEX + CURVED, ids=repr)
def test_the_gradient_is_that_of_the_librarys_loss(recipe):
    classes, z, y = case(recipe)
    losses = Pointwise.of([recipe], classes)
    expected = torch.func.grad(loss)(z[0], y, recipe)
    torch.testing.assert_close(losses.gradient(z, y)[0], expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(losses.slopes(z, y)[0][0], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("recipe", CONVEX, ids=repr)
def test_the_curvature_of_a_convex_loss_is_exact(recipe):
    classes, z, y = case(recipe)
    _, found = Pointwise.of([recipe], classes).slopes(z, y)
    torch.testing.assert_close(found[0], hessian(z[0], y, recipe), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("recipe", CURVED, ids=repr)
def test_the_curvature_of_other_losses_is_positive_and_never_below_the_true_one(recipe):
    classes, z, y = case(recipe)
    _, found = Pointwise.of([recipe], classes).slopes(z, y)
    true = hessian(z[0], y, recipe)
    assert (true < 0).any(), "the case is meant to be not convex"
    assert (found > 0).all()
    assert (found[0] >= true - 1e-6).all()


def test_arms_of_one_curve_are_computed_side_by_side():
    recipes = [Recipe(**TWO), Recipe(weight=[0.5, 7.0], **TWO), Recipe(offset=[[0.3, -1.0]], **TWO)]
    _, z, y = case(recipes[0])
    together = Pointwise.of(recipes, 2).gradient(z.expand(3, -1, -1), y)
    for found, recipe in zip(together, recipes, strict=True):
        torch.testing.assert_close(found, Pointwise.of([recipe], 2).gradient(z, y)[0])


def test_recipes_are_grouped_by_curve_and_no_curve_is_the_logarithm():
    focal = Recipe(curve=curves.Focal(2.0))
    assert same_curve([Recipe(), focal, Recipe(curve=curves.Log()), focal]) == [[0, 2], [1, 3]]


@pytest.mark.parametrize("recipe", CONVEX + CURVED, ids=repr)
@pytest.mark.parametrize("far", [1e4, -1e4])
def test_far_logits_give_finite_slopes(recipe, far):
    classes, z, y = case(recipe)
    z = torch.zeros_like(z)
    z[..., 0] = far
    assert all(t.isfinite().all() for t in Pointwise.of([recipe], classes).slopes(z, y))


@pytest.mark.parametrize("recipe", CONVEX + CURVED, ids=repr)
def test_training_starts_where_the_undone_score_is_the_class_share(recipe):
    classes = len(recipe.classes)
    prior = np.array([0.97, 0.03] if classes == 2 else [0.7, 0.28, 0.02])
    seen = undo(constant(recipe, prior)[None], recipe, classes)
    expected = [np.log(prior[1] / prior[0])] if classes == 2 else np.log(prior)
    np.testing.assert_allclose(seen[0], expected[0] if classes == 2 else expected, atol=1e-5)


def test_training_starts_at_a_finite_place_without_a_class():
    assert np.isfinite(constant(Recipe(**THREE), np.array([0.5, 0.5, 0.0]))).all()


@pytest.mark.parametrize("recipe", [r for r in CONVEX + CURVED if r.curve != curves.Symmetric()], ids=repr)
def test_what_can_be_undone_is_not_refused(recipe):
    assert refusal(recipe, len(recipe.classes)) == ""


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        (Recipe(target=0.1, **TWO), "smooths"),
        (Recipe(target=0.1, **THREE), "smooths"),
        (Recipe(weight=[0.0, 1.0], **TWO), "weight of 0"),
        (Recipe(weight=[0.0, 1.0, 1.0], **THREE), "weight 0|weight of 0"),
        (Recipe(curve=curves.Asymmetric(), **TWO), "flat"),
        (Recipe(curve=curves.GCE(1.0), **TWO), "cannot be undone"),
        (Recipe(curve=curves.Poly(20.0), margin=[0.1, 0.6], **TWO), "every probability"),
        (Recipe(curve=curves.Square(), **THREE), "sigmoid"),
        (Recipe(scale=30.0, margin=[0.1, 0.2, 0.3], **THREE), "cosine"),
        (fixed(weight=[1.0, 2.0, 3.0], classes=("a", "b", "c")), "3"),
    ],
    ids=repr,
)
def test_what_cannot_be_undone_is_refused_with_the_reason(recipe, reason):
    classes = 2 if recipe.kind is None else len(recipe.classes)
    assert re.search(reason, refusal(recipe, classes))
