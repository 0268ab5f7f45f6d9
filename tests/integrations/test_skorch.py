"""skorch asks isinstance of torch's losses: with ours it answers probabilities, undone on request."""

import numpy as np
import pytest
import torch

import steelyard as sy

pytest.importorskip("skorch")
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback

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


class Advance(Callback):
    """As docs/howto/frameworks.md writes it."""

    def on_epoch_begin(self, net, **kwargs):
        net.criterion_.advance(epoch=len(net.history) - 1)


def ruled(rule, epochs):
    torch.manual_seed(0)
    options = {"criterion": sy.CrossEntropy, "criterion__recipe": rule(), "callbacks": [Advance()], "batch_size": 128}
    return NeuralNetClassifier(Linear, max_epochs=epochs, lr=0.1, train_split=None, verbose=0, **options).initialize()


@pytest.mark.parametrize(
    "rule",
    [
        lambda: sy.adaptive.Seesaw(2),
        lambda: sy.adaptive.Deferred(sy.Recipe(), sy.fixed(weight=[1.0, 9.0]), after_epoch=3),
    ],
    ids=["seesaw", "deferred"],
)
def test_a_rule_is_told_the_epoch_and_resumed_from_skorchs_files(rule, tmp_path):
    """300 rows in batches of 128: the last one is smaller, and divides by what it holds."""
    straight = ruled(rule, 5).partial_fit(X, Y)
    files = {f"f_{part}": tmp_path / f"{part}.pt" for part in ("params", "optimizer", "criterion", "history")}
    half = ruled(rule, 2).partial_fit(X, Y)
    half.save_params(**files)
    again = ruled(rule, 3)
    again.load_params(**files)
    again.partial_fit(X, Y)
    for a, b in zip(straight.module_.parameters(), again.module_.parameters(), strict=True):
        torch.testing.assert_close(a, b)
    numbers = straight.criterion_.state_dict()
    assert numbers
    for name, value in numbers.items():
        torch.testing.assert_close(again.criterion_.state_dict()[name], value, equal_nan=True)
    other = ruled(rule, 3)
    other.load_params(**{k: v for k, v in files.items() if k != "f_criterion"})
    assert any(not torch.equal(other.criterion_.state_dict()[k], half.criterion_.state_dict()[k]) for k in numbers)


@pytest.mark.parametrize("norm", ["count", "mass"])
def test_every_batch_divides_by_what_it_holds(norm):
    recipe = sy.Recipe(weight=[1.0, 5.0], norm=norm)
    torch.manual_seed(0)
    options = {"criterion": sy.CrossEntropy, "criterion__recipe": recipe, "batch_size": 128}
    fitted = NeuralNetClassifier(Linear, max_epochs=1, lr=0.1, train_split=None, verbose=0, **options).fit(X, Y)
    torch.manual_seed(0)
    plain = Linear()
    for i in range(0, 300, 128):
        x, y = torch.from_numpy(X[i : i + 128]), torch.from_numpy(Y[i : i + 128])
        w = torch.tensor([1.0, 5.0])
        loss = torch.nn.functional.cross_entropy(plain(x), y, w, reduction="sum") / (
            len(y) if norm == "count" else w[y].sum()
        )
        plain.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in plain.parameters():
                p -= 0.1 * p.grad
    for a, b in zip(fitted.module_.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
