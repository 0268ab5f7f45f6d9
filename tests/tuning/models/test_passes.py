"""The core's passes, Hessians and steps are those of plain torch, in every instruction set of this machine."""

import itertools

import numpy as np
import pytest
import torch

from steelyard import Recipe, curves
from steelyard.tuning.models import passes
from steelyard.tuning.models.forms import Sigmoid, Softmax
from steelyard.tuning.models.hessian import Cholesky
from steelyard.tuning.models.linear import LinearModel
from steelyard.tuning.models.memory import Memory
from steelyard.tuning.models.model import Fit
from steelyard.tuning.models.rows import Part, Rows

TWO = {"classes": ("no", "yes"), "kind": "exclusive"}
FORMS = {
    "cross-entropy": [Recipe(**TWO), Recipe(weight=[0.6, 7.0], offset=[[0.3, -1.0]], scale=[1.5, 0.7], **TWO)],
    "focal": [Recipe(curve=curves.Focal(2.0), **TWO), Recipe(curve=curves.Focal(2.0), weight=[0.5, 5.0], **TWO)],
    "focal below 1": [Recipe(curve=curves.Focal(0.5), margin=[0.1, 0.6], **TWO)],
    "softmax": [Recipe(weight=[0.5, 1.0, 3.0, 2.0], margin=[0.1, 0.0, 0.6, 0.2], kind="exclusive")],
    "softmax focal": [
        Recipe(curve=curves.Focal(2.0), weight=[0.5, 1.0, 3.0, 2.0], margin=[0.1, 0.0, 0.6, 0.2], kind="exclusive")
    ],
}


def case(name: str, p: int, own: bool, dtype: torch.dtype) -> tuple[Rows, Sigmoid | Softmax, torch.Tensor]:
    """Parts of awkward length, one of them of a sample, and models that saturate on some rows."""
    torch.manual_seed(p)
    recipes, classes = FORMS[name] * 3, 4 if name.startswith("softmax") else 2
    ends = np.cumsum([0, 211, 1, 40, 7][: classes + 1]).tolist()
    X = torch.randn(ends[-1], p, dtype=dtype)
    X[:, -1] = 1
    parts = tuple(Part(c, a, b, 1 + c / 2) for c, (a, b) in enumerate(itertools.pairwise(ends)))
    form = (Softmax if classes > 2 else Sigmoid).of(recipes, ends)
    theta = (
        torch.randn(len(recipes), form.width, p, dtype=torch.float64)
        * torch.logspace(-2, 0.5, len(recipes))[:, None, None]
    )
    return Rows(X, parts, torch.rand(len(X), dtype=dtype) if own else None), form, theta


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("p", [1, 2, 17, 300])
@pytest.mark.parametrize("name", FORMS)
def test_gradient_and_value_are_those_of_torch(name, p, own, every_set, monkeypatch):
    for dtype in (torch.float32, torch.float64):
        rows, form, theta = case(name, p, own, dtype)
        with monkeypatch.context() as without:
            without.setattr(passes, "THERE", False)
            exact = rows.both(form, theta, torch.float64)
            error = (rows.gradient(form, theta, torch.float32) - exact[1]).abs().amax(dim=(1, 2))
        for instructions in every_set():
            value, gradient = rows.both(form, theta, torch.float64)
            torch.testing.assert_close(
                gradient, exact[1], rtol=1e-11, atol=1e-12 * float(exact[1].abs().max()), msg=instructions
            )
            # torch's softplus is the identity beyond 20, which is 2e-9 too little
            torch.testing.assert_close(value, exact[0], rtol=1e-9, atol=1e-14, msg=instructions)
            off = (rows.gradient(form, theta, torch.float32) - exact[1]).abs().amax(dim=(1, 2))
            # exponentials of floats are wrong by 9e-8 of themselves, on one side
            assert (off <= 4 * error + 2e-6 * exact[1].abs().amax(dim=(1, 2)) + 1e-8).all(), instructions


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("p", [1, 2, 17, 47])
@pytest.mark.parametrize("name", FORMS)
def test_hessian_is_that_of_torch(name, p, own, every_set, monkeypatch):
    for dtype, exact in itertools.product((torch.float32, torch.float64), (False, True)):
        rows, form, theta = case(name, p, own, dtype)
        with monkeypatch.context() as without:
            without.setattr(passes, "BENT", False)
            expected = rows.hessian(form, theta, exact)
        # small tables are float64, large ones float32; a second derivative that changes its sign cancels there
        tolerance = 1e-10 if rows.rough == torch.float64 else 1e-4
        scale = expected.abs().amax(dim=(1, 2, 3, 4), keepdim=True)
        for instructions in every_set():
            found = rows.hessian(form, theta, exact)
            assert ((found - expected).abs() <= tolerance * scale).all(), instructions
            torch.testing.assert_close(found, found.permute(0, 3, 4, 1, 2), rtol=0, atol=0, msg=instructions)


@pytest.mark.parametrize("size", [1, 5, 130])
@pytest.mark.parametrize("moves", [0, 3, 11])
def test_steps_are_those_of_torch(size, moves, every_set, monkeypatch):
    torch.manual_seed(size)
    models = 4
    root = torch.randn(models, size, size, dtype=torch.float64)
    H = root @ root.mT + torch.eye(size, dtype=torch.float64)
    L = torch.linalg.cholesky(H)
    memory = Memory.empty(torch.zeros(models, 1, size, dtype=torch.float64))
    for k in range(moves):
        move = torch.randn(models, 1, size, dtype=torch.float64)
        memory.add(move, move @ H + 0.1 * move, torch.tensor([True, k != 1, True, True]))
    memory.forget(torch.tensor([False, False, True, False]))
    gradient = torch.randn(models, 1, size, dtype=torch.float64)
    keep = torch.tensor([3, 1, 2])
    with monkeypatch.context() as without:
        without.setattr(passes, "THERE", False)
        expected = memory.take(keep).step(Cholesky(L, cost=1.0).take(keep), gradient[keep])
    for instructions in every_set():
        found = memory.take(keep).step(Cholesky(L, cost=1.0).take(keep), gradient[keep])
        torch.testing.assert_close(
            found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()), msg=instructions
        )


@pytest.mark.parametrize("name", FORMS)
def test_fits_are_the_same_without_the_core(name, every_set, monkeypatch):
    rng = np.random.default_rng(0)
    classes = 4 if name.startswith("softmax") else 2
    X = rng.normal(size=(600, 5))
    X[:, 1] = X[:, 0] + 1e-3 * X[:, 1]
    y = (X @ rng.normal(size=(5, classes)) + rng.gumbel(size=(600, classes))).argmax(axis=1)
    task = Fit(X, y, FORMS[name], np.array([0.1, 10.0]), classes=classes)
    fitted = LinearModel().fit(task)
    assert fitted.converged.all()
    with monkeypatch.context() as without:
        without.setattr(passes, "THERE", False)
        plain = LinearModel().fit(task)
    assert plain.converged.all()
    np.testing.assert_allclose(fitted.logits(X), plain.logits(X), atol=1e-4)


def test_other_curves_are_left_to_torch():
    for curve in (curves.Poly(1.0), curves.Asymmetric(1.0, 3.0, 0.0), curves.Focal(0.0)):
        assert passes.gamma(Sigmoid.of([Recipe(curve=curve, **TWO)], (0, 1, 2))) is None
