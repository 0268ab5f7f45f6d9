"""The C++ core's truncated Newton ends where plain torch's does, in every instruction set of this machine, and where scikit-learn's
solvers end."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from tests.tuning.models.test_sparse import NAMES, STRENGTHS, forms, objective, rows

from steelyard import Recipe, curves
from steelyard.tuning.models import sparse as solver
from steelyard.tuning.models import sparse_core
from steelyard.tuning.models.forms import Sigmoid, Softmax

TABLES = {
    "cross-entropy": (2, {"weight": (0.6, 7.0), "offset": [[0.3, -1.0]], "scale": (1.5, 0.7)}),
    "focal": (2, {"curve": curves.Focal(2.0), "weight": (0.5, 5.0)}),
    "softmax": (3, {"weight": (0.5, 3.0, 1.0), "margin": (0.1, 0.6, 0.0)}),
    "softmax focal": (3, {"curve": curves.Focal(1.5), "weight": (0.5, 3.0, 1.0)}),
}


@pytest.mark.parametrize("models", [1, 8, 23])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("name", TABLES)
def test_it_ends_where_torch_does(name, own, models, every_set, monkeypatch):
    classes, tables = TABLES[name]
    X, y = rows(classes, n=300, p=120, numbers=2)
    X = sparse.csr_matrix((X.data, X.indices, X.indptr), shape=(len(y), 125))  # words that no row has
    weights = np.random.default_rng(0).uniform(0.2, 2, len(y)) if own else None
    recipe = Recipe(**tables, classes=NAMES[:classes], kind="exclusive")
    ends = np.searchsorted(y, np.arange(classes + 1)).tolist()
    form = (Sigmoid if classes == 2 else Softmax).of([recipe] * models, ends)
    strength = torch.logspace(-1, 1.5, models, dtype=torch.float64)
    start = torch.randn(models, form.width, X.shape[1] + 1, dtype=torch.float64, generator=torch.manual_seed(0)) / 10
    times = None if weights is None else torch.from_numpy(weights)

    def value(theta: torch.Tensor) -> np.ndarray:
        z = np.einsum("mcp,np->mcn", theta.numpy()[..., :-1], X.toarray()) + theta.numpy()[..., -1:]
        ridge = strength.numpy() / 2 * (theta.numpy()[..., :-1] ** 2).sum(axis=(1, 2))
        return form.value(torch.from_numpy(z), times).numpy() + ridge

    with monkeypatch.context() as without:
        without.setattr(sparse_core, "THERE", False)
        plain, converged = solver.fit(form, X, strength, weights=weights, start=start, tolerance=1e-11)
    assert converged.all()
    for instructions in every_set():
        theta, converged = solver.fit(form, X, strength, weights=weights, start=start)
        assert converged.all(), instructions
        assert (theta[..., -4:-1] == 0).all(), instructions
        np.testing.assert_allclose(value(theta), value(plain), rtol=1e-9, err_msg=instructions)


@pytest.mark.parametrize("classes", [2, 3])
def test_no_objective_is_above_scikit_learns_by_more_than_a_billionth(classes, every_set):
    X, y = rows(classes)
    weights = [(1.0,) * classes, (0.5, 4.0, 2.0)[:classes]]
    form, strength = forms(classes, y, weights)
    theta, _ = solver.fit(form, X, strength)
    expected = np.zeros(theta.shape)
    for m, (w, s) in enumerate((w, s) for w in weights for s in STRENGTHS):
        model = LogisticRegression(
            C=1 / s, class_weight=dict(enumerate(w)), solver="newton-cg", tol=1e-9, max_iter=1000
        )
        fitted = model.fit(X, y)
        expected[m, :, :-1], expected[m, :, -1] = fitted.coef_, fitted.intercept_
    ours, theirs = (objective(form, X, t, strength) for t in (theta.numpy(), expected))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_a_model_that_runs_out_of_steps_says_so_and_keeps_the_last_place(every_set):
    X, y = rows(2)
    form, strength = forms(2, y, [(1.0, 1.0)])
    theta, converged = solver.fit(form, X, strength, iterations=2)
    assert not converged.any()
    assert (objective(form, X, theta.numpy(), strength) < objective(form, X, 0 * theta.numpy(), strength)).all()
