"""Numbers by name go by their names, at every door, however they stand; where no door knows the names, they are refused.

`1 / y.value_counts()` stands by frequency: taken by place it gives every weight to another class.
"""

import numpy as np
import pandas as pd
import pytest

import steelyard as sy
from steelyard.class_order import in_order
from steelyard.integrations.classes import cost_matrix
from steelyard.table import as_numpy
from steelyard.tuning.costs import read as read_costs

NAMES = ("a", "b", "c")
COUNTS = sy.Counts.of(70, 20, 10, classes=NAMES)
SHARES = np.array([0.2, 0.3, 0.5])
MATRIX = np.array([[0.0, 1, 2], [3, 0, 4], [5, 6, 0]])
LOGITS = np.array([[0.1, 0.5, -1.0], [2.0, 0.0, 1.0]])
NAMED = sy.Recipe(classes=NAMES, kind="exclusive")

VECTORS = {
    "weight": lambda v: sy.Recipe(weight=v, classes=NAMES).label_weights(),
    "fixed": lambda v: sy.fixed(weight=v, classes=NAMES).label_weights(),
    "scale": lambda v: sy.Recipe(scale=v, classes=NAMES).scale.numpy(),
    "offset": lambda v: sy.Recipe(offset=v, classes=NAMES).offset.numpy(),
    "margin": lambda v: sy.Recipe(margin=v, classes=NAMES).margin.numpy(),
    "deployment": lambda v: sy.deployment(v, COUNTS).label_weights(),
    "smooth toward": lambda v: in_order(sy.smooth(0.3, toward=v), NAMES).target.rows(3),
    "posterior prior": lambda v: sy.posterior(LOGITS, NAMED, prior=v, counts=COUNTS),
    "posterior counts": lambda v: sy.posterior(LOGITS, NAMED, prior=COUNTS, counts=v),
    "posterior both": lambda v: sy.posterior(LOGITS, NAMED, prior=v, counts=SHARES[::-1].copy()),
}
SQUARES = {
    "costs": lambda m: sy.costs(m, classes=NAMES).label_weights(),
    "weight": lambda m: sy.Recipe(weight=m, classes=NAMES).weight.numpy(),
    "target": lambda m: sy.Recipe(target=_rows(m), classes=NAMES).target.numpy(),
    "tune": lambda m: np.asarray(read_costs(m, NAMES), dtype=float),
    "scikit-learn": lambda m: cost_matrix("X", m, NAMES),
}


def _rows(m):
    return m.div(m.sum(axis=1), axis=0) if isinstance(m, pd.DataFrame) else m / m.sum(axis=1, keepdims=True)


ORDER = ["c", "a", "b"]
SERIES = pd.Series(SHARES, index=list(NAMES))
FRAME = pd.DataFrame(MATRIX, index=list(NAMES), columns=list(NAMES))


@pytest.mark.parametrize("door", VECTORS.values(), ids=VECTORS)
@pytest.mark.parametrize("by_name", [SERIES[ORDER], SERIES[ORDER].to_dict()], ids=["Series", "dictionary"])
def test_one_number_per_class(door, by_name):
    np.testing.assert_allclose(door(by_name), door(SHARES), rtol=1e-12)


@pytest.mark.parametrize("door", SQUARES.values(), ids=SQUARES)
def test_a_table_of_classes(door):
    np.testing.assert_allclose(door(FRAME.loc[ORDER, ["b", "c", "a"]]), door(MATRIX), rtol=1e-12)
    with pytest.raises(ValueError, match="d"):
        door(FRAME.rename(index={"a": "d"}))


@pytest.mark.parametrize("door", VECTORS.values(), ids=VECTORS)
def test_other_names_are_refused(door):
    with pytest.raises(ValueError, match="d"):
        door(SERIES.rename({"a": "d"})) if door is not VECTORS["smooth toward"] else sy.smooth(
            {"a": 0.1, "b": 0.1, "c": 0.2}, toward=SERIES.rename({"a": "d"})
        )


@pytest.mark.parametrize("door", VECTORS.values(), ids=VECTORS)
def test_what_pandas_numbers_stands_by_place(door):
    np.testing.assert_allclose(door(pd.Series(SHARES)), door(SHARES), rtol=1e-12)


def test_names_are_taken_where_no_classes_are_known():
    y = pd.Series(["no"] * 10 + ["yes"] * 90)
    recipe = sy.Recipe(weight=len(y) / y.value_counts())  # stands as yes, no
    assert recipe.classes == ("no", "yes")
    assert recipe.label_weights().tolist() == [10.0, pytest.approx(10 / 9)]
    assert sy.costs(FRAME.loc[ORDER, ["b", "c", "a"]]).classes == tuple(ORDER)
    numbers = pd.Series([0] * 90 + [1] * 10 + [2] * 40)
    by_number = sy.Recipe(weight=len(numbers) / numbers.value_counts())  # stands as 0, 2, 1
    assert by_number.label_weights().tolist() == [pytest.approx(140 / 90), 14.0, 3.5]
    assert by_number.classes is None  # it mixes with what names them otherwise


@pytest.mark.parametrize("keys", [(1, 0), (True, False), (1.0, 0.0), ("1", "0"), (np.int64(1), np.int64(0))], ids=str)
def test_keys_that_are_numbers_ascend(keys):
    """class_weight as scikit-learn and Keras have it, {1: 9, 0: 1}: the number of the class, not its turn."""
    weights = dict(zip(keys, (9.0, 1.0), strict=True))
    assert sy.Recipe(weight=weights).label_weights().tolist() == [1.0, 9.0]
    assert sy.Counts({k: int(v) for k, v in weights.items()}).per_class.tolist() == [1, 9]


@pytest.mark.parametrize("drop_in", [sy.CrossEntropyLoss, sy.BCEWithLogitsLoss])
def test_torchs_own_losses_take_numbers_by_number_and_no_names(drop_in):
    for weight in ({1: 9.0, 0: 1.0}, pd.Series([9.0, 1.0], index=[1, 0]), pd.Series([1.0, 9.0]), [1.0, 9.0]):
        assert drop_in(weight=weight).weight.tolist() == [1.0, 9.0]
    for weight in ({"ill": 9.0, "healthy": 1.0}, SERIES, FRAME, {1: 9.0, 2: 1.0}):
        with pytest.raises(ValueError, match="weight goes by name"):
            drop_in(weight=weight)


def test_keys_that_are_words_keep_their_turn():
    assert sy.Recipe(weight={"ill": 9.0, "healthy": 1.0}).classes == ("ill", "healthy")


def test_counts_of_the_same_classes_in_another_order_are_refused():
    turned = sy.Counts.of(10, 20, 70, classes=("c", "b", "a"))
    with pytest.raises(ValueError, match="counts c, b, a, and the classes here are a, b, c"):
        sy.posterior(LOGITS, NAMED, prior=turned, counts=COUNTS)


def test_columns_of_logits_in_another_order_are_refused():
    frame = pd.DataFrame(LOGITS, columns=list(NAMES))
    np.testing.assert_allclose(sy.posterior(frame, NAMED), sy.posterior(LOGITS, NAMED))
    np.testing.assert_allclose(sy.posterior(frame.set_axis([0, 1, 2], axis=1), NAMED), sy.posterior(LOGITS, NAMED))
    with pytest.raises(ValueError, match="columns of the logits are c, a, b"):
        sy.posterior(frame[ORDER], NAMED)


def test_no_table_takes_names_for_places():
    with pytest.raises(ValueError, match="not taken by place"):
        as_numpy(SERIES)
    with pytest.raises(ValueError, match="not taken by place"):
        as_numpy(FRAME)
    assert as_numpy(pd.Series([1.0, 2.0])).tolist() == [1.0, 2.0]


def test_rows_may_be_called_anything():
    rows = pd.Series([0.1, 0.9, 0.4, 0.8], index=[7, 3, 9, 1])
    y = pd.Series([0, 1, 0, 1], index=rows.index)
    assert sy.threshold(rows, y, cost_fn=1, cost_fp=1) == sy.threshold(
        rows.to_numpy(), y.to_numpy(), cost_fn=1, cost_fp=1
    )


def doors_of_rows():
    from sklearn.linear_model import LogisticRegression

    from steelyard.integrations.recipe_classifier import RecipeClassifier
    from steelyard.integrations.sklearn import Weighted

    quick = {"repeats": 1, "folds": 3, "bootstrap": 100, "baselines": False, "recipes": ["focal"]}
    return {
        "threshold": lambda X, y: sy.threshold(X["p"], y, cost_fn=1, cost_fp=1),
        "threshold weight": lambda X, y: sy.threshold(X["p"].to_numpy(), X["y"], cost_fn=1, cost_fp=1, weight=y + 1.0),
        "exchange": lambda X, y: sy.calibrate.exchange(X["p"], y),
        "scaling": lambda X, y: sy.calibrate.scaling(X["p"], y),
        "tune": lambda X, y: sy.tune(X[["p", "q"]], y, **quick),
        "tune weight": lambda X, y: sy.tune(X[["p", "q"]], X["y"], weight=y + 1.0, **quick),
        "Weighted": lambda X, y: Weighted(LogisticRegression(), "inverse_frequency").fit(X[["p", "q"]], y),
        "RecipeClassifier": lambda X, y: RecipeClassifier("inverse_frequency").fit(X[["p", "q"]], y),
    }


@pytest.mark.parametrize("door", doors_of_rows().values(), ids=doors_of_rows())
def test_rows_of_pandas_in_another_order_are_refused(door):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"p": rng.random(120), "q": rng.random(120)}, index=rng.permutation(120))
    X["y"] = (X["p"] + rng.random(120) > 1).astype(int)
    with pytest.raises(ValueError, match=r"the same rows in another order"):
        door(X, X["y"].sort_index())
    door(X, X["y"])
    door(X, X["y"].to_numpy())
    door(X, X["y"].set_axis(range(500, 620)))  # other rows' names say nothing
