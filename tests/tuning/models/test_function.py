"""The user's own training function: shapes, epochs, undo, and what is refused. Files: tuning/data/arrays.py."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

import steelyard as sy
from steelyard.tuning.data.arrays import OwnRows, problem_of
from steelyard.tuning.models.function import FunctionModel, predict

RNG = np.random.default_rng(0)
Y = (RNG.random(600) < 0.15).astype(int)
X = RNG.normal(size=(600, 3)) + 0.8 * Y[:, None]


def logistic(recipe, X, y):
    weights = np.ones(2) if recipe.weight is None else recipe.label_weights()
    return LogisticRegression().fit(X, y, sample_weight=weights[y]).decision_function


def network(recipe, X, y, seed):
    torch.manual_seed(seed)
    net = torch.nn.Linear(3, 2)
    loss = sy.CrossEntropy(recipe)
    step = torch.optim.Adam(net.parameters(), lr=0.05)
    rows, labels = torch.as_tensor(X, dtype=torch.float32), torch.as_tensor(y)

    def model(Z):
        return net(torch.as_tensor(Z, dtype=torch.float32))

    for _ in range(8):
        for _ in range(5):
            step.zero_grad()
            loss(net(rows), labels).backward()
            step.step()
        yield model


def test_a_function_is_tuned_like_a_model():
    found = sy.tune(
        logistic,
        data=(X, np.where(Y == 1, "ill", "well")),
        recipes={"balanced": sy.inverse_frequency},
        repeats=3,
        bootstrap=200,
    )
    assert found.problem.positive == "ill"
    assert found.model_name == "function"
    assert found.fits["new"] == 2 * 15
    assert found.verdict.winner is None
    pooled = list(found.pictures.arms.values())[1].undone
    assert (1 / (1 + np.exp(-pooled))).mean() == pytest.approx(Y.mean(), rel=0.1)  # balanced weights are undone


def test_epochs_are_chosen_on_the_other_folds():
    found = sy.tune(
        network, data=(X, Y), recipes={"balanced": sy.inverse_frequency}, epochs=8, repeats=2, bootstrap=100, folds=3
    )
    assert found.axis.name == "epochs"
    assert found.settings == (1.0, 2.0, 4.0, 8.0)
    assert sum(found.arms[0].settings.values()) == 6


def test_hopeless_recipes_are_given_up_after_the_first_repetition():
    calls = []

    def fit(recipe, X, y):
        calls.append(recipe.curve is not None)
        good = logistic(recipe, X, y)
        return good if recipe.curve is None else lambda Z: -np.asarray(good(Z))

    found = sy.tune(
        fit,
        data=(X, Y),
        recipes={
            "balanced": sy.inverse_frequency,
            "square root": lambda c: sy.inverse_frequency(c, beta=0.5),
            "bad": sy.focal(),
        },
        repeats=3,
        bootstrap=100,
    )
    assert sum(calls) == found.folds
    assert "after the first of 3 repetitions" in found.skipped["bad"]
    assert [a.name for a in found.arms] == ["plain", "balanced", "square root"]


@pytest.mark.parametrize(
    "data",
    [X, torch.from_numpy(X), pd.DataFrame(X), X.tolist(), torch.utils.data.TensorDataset(torch.from_numpy(X))],
    ids=lambda d: type(d).__name__,
)
def test_rows_are_taken_from_whatever_holds_them(data):
    rows = np.array([5, 2, 7])
    taken = OwnRows(data)(rows)
    assert len(taken) == 3
    if isinstance(data, torch.utils.data.Dataset):
        taken = np.array([x.numpy() for (x,) in taken])
    np.testing.assert_allclose(np.asarray(taken), X[rows])


@pytest.mark.parametrize(
    ("z", "classes", "expected"),
    [
        ([1.0, 2.0], 2, [1.0, 2.0]),
        ([[1.0], [2.0]], 2, [1.0, 2.0]),
        ([[1.0, 3.0], [2.0, 1.0]], 2, [2.0, -1.0]),
        ([[1.0, 3.0, 0.0], [2.0, 1.0, 5.0]], 3, [[1.0, 3.0, 0.0], [2.0, 1.0, 5.0]]),
    ],
)
def test_logits_of_one_or_two_columns_mean_the_same(z, classes, expected):
    for made in (np.array(z), torch.tensor(z)):
        np.testing.assert_array_equal(predict(lambda _, made=made: made, [0, 1], classes), expected)


def test_a_network_predicts_in_evaluation_mode_and_trains_on():
    net = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Dropout(0.9))
    rows = torch.from_numpy(X[:5]).float()
    np.testing.assert_array_equal(predict(net, rows, 2), predict(net, rows, 2))
    assert net.training


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: predict(lambda Z: np.zeros((2, 3)), [0, 1], 2),
            r"logits of shape \(2, 3\) for 2 rows; \(2,\) is needed, or two",
        ),
        (lambda: predict(lambda Z: np.array([0.0, np.nan]), [0, 1], 2), "not finite"),
        (lambda: problem_of(X, None, None), r"give data=\(X, y\)"),
        (lambda: problem_of(X, Y[:5], None), "do not fit 600 rows"),
        (lambda: problem_of(X, np.zeros(600), None), "one class only"),
        (lambda: problem_of(X, Y, "maybe"), "no class 'maybe'"),
        (lambda: FunctionModel(network), "say how many with epochs="),
        (lambda: FunctionModel(logistic, 5), "yields the model after every epoch"),
        (lambda: sy.tune(network, data=(X, Y), epochs=50, repeats=1, folds=2, bootstrap=100), "yielded 8 models where"),
        (lambda: sy.tune(logistic), "data="),
    ],
)
def test_what_does_not_fit_is_refused_with_the_way_out(call, says):
    with pytest.raises(ValueError, match=says):
        call()
