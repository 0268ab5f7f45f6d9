"""The networks against torch's own modules, optimiser and autograd."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy import sparse

from steelyard import Counts, Recipe, curves, focal, inverse_frequency, logit_adjustment, margin, unit_mass
from steelyard.losses import functional
from steelyard.tuning.models.forms import undo
from steelyard.tuning.models.mlp import Layers, MLPModel
from steelyard.tuning.models.model import Fit

TWO = Counts([900, 100], ("no", "yes"), "rows", "test")


def arm(recipe: Recipe, counts: Counts = TWO) -> Recipe:
    return unit_mass(dataclasses.replace(recipe, classes=counts.classes, kind="exclusive"), counts)


PLAIN = arm(Recipe())
BALANCED = arm(inverse_frequency(TWO, beta=1.0))
FOCAL = arm(focal(gamma=2.0))


def rows(n: int = 1000, classes: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, labels and true probabilities [rows, C]."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    z = np.column_stack([np.zeros(n), *((X @ rng.normal(size=4)) - 2 - c for c in range(classes - 1))])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) < rng.uniform(size=(n, 1))).sum(axis=1)
    assert np.bincount(y, minlength=classes).min() > 15
    return X, y, p


def test_backward_is_autograds():
    torch.manual_seed(0)
    views = (3, 4, 5, 2)  # arms, inputs, hidden, logits
    values = torch.randn((4 + 1) * 3 * 5 + 3 * 5 * 2 + 3 * 2, dtype=torch.float64)
    x, slope = torch.randn(7, 4, dtype=torch.float64), torch.randn(3, 7, 2, dtype=torch.float64)
    found = torch.empty_like(values)
    layers = Layers.of(values, *views)
    h, _ = layers.forward(x)
    layers.backward(x, h, slope, Layers.of(found, *views))

    def loss(v: torch.Tensor) -> torch.Tensor:
        enter, lift, leave, bias = Layers.of(v, *views)
        hidden = torch.relu(x @ enter + lift).reshape(7, 3, 5)
        return (slope * (torch.einsum("nah,aho->ano", hidden, leave) + bias)).sum()

    torch.testing.assert_close(found, torch.func.grad(loss)(values))


@pytest.mark.parametrize("recipe", [PLAIN, BALANCED, FOCAL], ids=("plain", "balanced", "focal"))
def test_training_is_what_torch_makes_of_the_same_network_batches_and_loss(recipe):
    X, y, _ = rows()
    engine = MLPModel(steps=20)
    found = engine.fit(Fit(X, y, [recipe], np.array([2.0]), seed=3))
    generator = torch.Generator().manual_seed(3)
    network = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
    first, _, last = network
    with torch.no_grad():
        for target, shape, size in (
            (first.weight.T, (4, 32), 4),
            (first.bias, (32,), 4),
            (last.weight.T, (32, 1), 32),
        ):
            target.copy_((2 * torch.rand(shape, generator=generator) - 1) * size**-0.5)
        share = y.mean()
        low, high = -20.0, 20.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (
                (middle, high) if undo(np.array([middle]), recipe, 2) < np.log(share / (1 - share)) else (low, middle)
            )
        last.bias.fill_(low)
    adam = torch.optim.Adam(network.parameters(), lr=engine.rate)
    x, labels = torch.from_numpy(X).float(), torch.from_numpy(y)
    for _ in range(2):
        for batch in torch.randperm(len(y), generator=generator).tensor_split(20):
            adam.zero_grad()
            functional.binary_cross_entropy(network(x[batch])[:, 0], labels[batch], recipe).backward()
            adam.step()
    expected = network(x)[:, 0].detach().numpy()
    assert np.std(expected) > 0.5
    np.testing.assert_allclose(found.logits(X)[0, 0], expected, atol=2e-3)


def test_together_is_one_by_one():
    X, y, _ = rows()
    arms = [PLAIN, BALANCED, FOCAL]
    together = MLPModel().fit(Fit(X, y, arms, np.array([2.0]))).logits(X)
    for found, recipe in zip(together, arms, strict=True):
        np.testing.assert_allclose(found, MLPModel().fit(Fit(X, y, [recipe], np.array([2.0]))).logits(X)[0], atol=2e-3)


def test_the_epochs_passed_on_the_way_are_those_of_shorter_runs():
    X, y, _ = rows()
    way = MLPModel().fit(Fit(X, y, [PLAIN, FOCAL], np.array([1.0, 3.0]))).logits(X)
    np.testing.assert_array_equal(way[:, :1], MLPModel().fit(Fit(X, y, [PLAIN, FOCAL], np.array([1.0]))).logits(X))
    assert np.abs(way[:, 1] - way[:, 0]).max() > 0.1


def test_equal_seeds_give_equal_numbers_and_the_global_generator_is_left_alone():
    X, y, _ = rows()
    before = torch.random.get_rng_state()
    first, again, other = (MLPModel().fit(Fit(X, y, [BALANCED], np.array([2.0]), seed=s)).logits(X) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01
    assert torch.equal(before, torch.random.get_rng_state())


def test_arms_start_from_the_same_weights():
    values, views = MLPModel()._initial(torch.zeros(3, 1), 4, torch.Generator().manual_seed(0))
    layers = Layers.of(values, *views)
    enter = layers.enter.view(4, 3, 32)
    assert torch.equal(enter[:, 0], enter[:, 2])
    assert torch.equal(layers.leave[0], layers.leave[2])
    assert len(enter.unique()) == 4 * 32


def test_a_shift_of_all_logits_is_plain():
    """Why free_intercept is true of the networks."""
    X, y, _ = rows()
    shifted = arm(logit_adjustment(TWO, tau=1.0))
    z = MLPModel().fit(Fit(X, y, [PLAIN, shifted], np.array([5.0]))).logits(X)[:, 0]
    np.testing.assert_allclose(undo(z[1], shifted, 2), undo(z[0], PLAIN, 2), atol=0.02)


@pytest.mark.parametrize("recipe", [PLAIN, BALANCED, FOCAL], ids=("plain", "balanced", "focal"))
def test_undone_scores_are_the_true_probabilities(recipe):
    X, y, p = rows(30_000)
    z = MLPModel().fit(Fit(X, y, [recipe], np.array([5.0]))).logits(X[:5000])[0, 0]
    seen = 1 / (1 + np.exp(-undo(z, recipe, 2)))
    assert np.abs(seen - p[:5000, 1]).mean() < 0.03
    if recipe is BALANCED:  # and would not be without the undo
        assert np.abs(1 / (1 + np.exp(-z)) - p[:5000, 1]).mean() > 0.1


def test_more_classes_are_trained_and_undone():
    X, y, p = rows(30_000, classes=3)
    counts = Counts(np.bincount(y), ("a", "b", "c"), "rows", "test")
    recipes = [
        arm(r, counts)
        for r in (
            Recipe(),
            inverse_frequency(counts, beta=0.5),
            focal(gamma=1.0),
            margin(counts, widest=0.5, scale=1.0),
        )
    ]
    z = MLPModel().fit(Fit(X, y, recipes, np.array([5.0]), classes=3)).logits(X[:4000])
    assert z.shape == (4, 1, 4000, 3)
    for found, recipe in zip(z, recipes, strict=True):
        assert np.abs(np.exp(undo(found[0], recipe, 3)) - p[:4000]).mean() < 0.03


def test_sparse_rows_are_the_dense_ones():
    X, y, _ = rows(400)
    X = np.where(np.abs(X) > 1, X, 0.0)
    dense, thin = (MLPModel().fit(Fit(A, y, [BALANCED], np.array([2.0]))).logits(A) for A in (X, sparse.csr_matrix(X)))
    np.testing.assert_array_equal(dense, thin)


def test_more_rows_are_scored_in_pieces(monkeypatch):
    X, y, _ = rows(400)
    fitted = MLPModel().fit(Fit(X, y, [PLAIN], np.array([1.0])))
    whole = fitted.logits(X)
    monkeypatch.setattr("steelyard.tuning.models.mlp.ROWS", 150)
    np.testing.assert_allclose(fitted.logits(X), whole, atol=1e-6)


def test_smoothing_is_refused_and_no_epochs_are_an_error():
    assert "smooths" in MLPModel().refuses(arm(Recipe(target=0.1)), 2)
    assert MLPModel().refuses(arm(Recipe(curve=curves.Focal(3.0))), 2) == ""
    X, y, _ = rows(200)
    with pytest.raises(ValueError, match="1 epoch or more"):
        MLPModel().fit(Fit(X, y, [PLAIN], np.array([0.0])))
