"""The form against the library's own losses: values, gradients, curvature, undo."""

import numpy as np
import pytest
import torch

from steelyard import Recipe, curves
from steelyard.calibrate import posterior
from steelyard.losses import functional
from steelyard.tuning.models.forms import Sigmoid, Softmax, undo

TWO = {"classes": ("no", "yes"), "kind": "exclusive"}


CURVED = [
    Recipe(curve=curves.Focal(2.0), **TWO),
    Recipe(curve=curves.Focal(2.0), weight=[0.5, 5.0], **TWO),
    Recipe(curve=curves.Asymmetric(1.0, 3.0, 0.0), **TWO),
    Recipe(curve=curves.Poly(1.0), margin=[0.1, 0.6], **TWO),
    Recipe(scale=[1.5, 0.7], offset=[[0.0, -1.0]], weight=[0.5, 5.0], **TWO),
]


@pytest.mark.parametrize("recipe", CURVED, ids=repr)
def test_the_sigmoid_form_is_the_librarys_loss_and_gradient(recipe):
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([0] * 7 + [1] * 5)
    z = (3 * torch.randn(12, generator=generator, dtype=torch.float64)).requires_grad_()
    loss = functional.binary_cross_entropy(z, labels, recipe, reduction="sum")
    (expected,) = torch.autograd.grad(loss, z)
    form = Sigmoid.of([recipe], (0, 7, 12))
    torch.testing.assert_close(form.value(z.detach()[None, None])[0], loss.detach())
    torch.testing.assert_close(form.slopes(z.detach()[None, None])[0][0, 0], expected)


def test_the_curvature_is_the_second_derivative_where_the_loss_is_convex():
    recipe = Recipe(weight=[0.5, 1.0, 3.0], offset=[[0.0, 0.5, 1.0]], classes=("a", "b", "c"), kind="exclusive")
    labels = torch.tensor([0, 1, 1, 2])
    z = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    form = Softmax.of([recipe], (0, 1, 3, 4))
    pairs = form.slopes(z[None])[1][0]
    for row, label in enumerate(labels.tolist()):

        def one(v: torch.Tensor, label: int = label) -> torch.Tensor:
            return functional.cross_entropy(v[None], torch.tensor([label]), recipe, reduction="sum")

        expected = torch.autograd.functional.hessian(one, z[:, row])
        torch.testing.assert_close(pairs[:, row], expected[tuple(torch.triu_indices(3, 3))])


@pytest.mark.parametrize("recipe", [Recipe(weight=[0.5, 9.0], **TWO), *CURVED], ids=repr)
def test_undone_scores_are_the_log_odds_of_the_posterior(recipe):
    z = np.linspace(-6, 6, 41)
    p = posterior(z, recipe, link="sigmoid")
    np.testing.assert_allclose(undo(z, recipe, 2), np.log(p / (1 - p)), atol=1e-7)


def test_weights_are_undone_by_their_log_ratio_even_where_probabilities_round():
    z = np.array([-400.0, -40.0, 0.0, 40.0, 400.0])
    np.testing.assert_allclose(undo(z, Recipe(weight=[0.5, 8.0], **TWO), 2), z - np.log(16), rtol=1e-12)
