"""skorch asks isinstance of torch's losses: with ours it answers probabilities, undone on request."""

import numpy as np
import pytest
import torch

import steelyard as sy

pytest.importorskip("skorch")
from skorch import NeuralNetClassifier

X = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
Y = (X[:, 0] > 1.2).astype(np.int64)


class Linear(torch.nn.Linear):
    def __init__(self):
        super().__init__(4, 2)


def net(**options):
    torch.manual_seed(0)
    return NeuralNetClassifier(Linear, max_epochs=3, lr=0.1, train_split=None, verbose=0, **options).fit(X, Y)


def test_predict_proba_is_what_it_is_with_torchs_loss():
    w = sy.inverse_frequency(sy.count(Y)).class_weight
    ours, theirs = (net(criterion=m.CrossEntropyLoss, criterion__weight=w).predict_proba(X) for m in (sy, torch.nn))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(ours.sum(1), 1, atol=1e-5)


def test_a_recipe_is_undone_by_the_nonlinearity():
    recipe = sy.inverse_frequency(sy.count(Y))
    options = {"criterion": sy.CrossEntropy, "criterion__recipe": recipe}
    undone = net(**options, predict_nonlinearity=lambda z: sy.posterior(z, recipe)).predict_proba(X)
    raw = net(**options, predict_nonlinearity=None).predict_proba(X)
    np.testing.assert_allclose(undone, sy.posterior(raw, recipe), atol=1e-5)
    assert abs(undone[:, 1].mean() - Y.mean()) < abs(torch.softmax(torch.tensor(raw), 1)[:, 1].mean() - Y.mean())
