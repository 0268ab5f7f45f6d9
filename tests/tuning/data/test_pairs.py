"""X and y as scikit-learn takes them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from scipy import sparse

from steelyard import inverse_frequency
from steelyard.tuning import tune
from steelyard.tuning.data.pairs import ROLES, table_of, together

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (np.arange(60) % 3 == 0).astype(int)
NONE = dict.fromkeys(ROLES)
FORMS = {
    "array": (X, Y),
    "objects": (X.astype(object), Y.astype(object)),
    "column": (X, Y[:, None]),
    "list": (X.tolist(), Y.tolist()),
    "tensor": (torch.from_numpy(X), torch.from_numpy(Y)),
    "pandas": (pd.DataFrame(X, columns=["x0", "x1", "x2"]), pd.Series(Y)),
    "polars": (pl.DataFrame(X, schema=["x0", "x1", "x2"]), pl.Series(Y)),
    "arrow": (pa.table({f"x{i}": X[:, i] for i in range(3)}), pa.array(Y)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_numbers_is_the_same_table(form):
    table, label, roles = together(*FORMS[form], NONE)
    assert (table.names, label, roles) == (("x0", "x1", "x2", "y"), "y", NONE)
    np.testing.assert_array_equal(np.stack([table.column(f"x{i}") for i in range(3)], axis=1), X)
    np.testing.assert_array_equal(table.column("y"), Y)


def test_names_are_kept_and_never_hide_a_column():
    frame = pd.DataFrame(X, columns=["y", "weight", "a"])
    table, label, roles = together(frame, pd.Series(Y, name="a"), {"group": "y", "time": None, "weight": np.ones(60)})
    assert (label, roles) == ("a_", {"group": "y", "time": None, "weight": "weight_"})
    assert table.names == ("y", "weight", "a", "a_", "weight_")


@pytest.mark.parametrize(
    ("data", "labels", "wanted"),
    [
        (X, Y[1:], "y has 59 values for the 60 rows"),
        (X[:, 0], Y, r"shape \(60,\)"),
        (X, np.stack([Y, Y], axis=1), r"y has the shape \(60, 2\)"),
        (sparse.csr_matrix(X), Y, "sparse"),
        (X, [[1]] * 60, "no column of single values"),
        (X, [1, "a"] * 30, "one kind of value"),
    ],
)
def test_what_does_not_fit_is_refused(data, labels, wanted):
    with pytest.raises(ValueError, match=wanted):
        together(data, labels, NONE)
    with pytest.raises(ValueError, match="does not have the 2 columns"):
        table_of(X, ["a", "b"])


def test_a_study_of_arrays_is_that_of_the_table():
    quick = {"bootstrap": 100, "repeats": 1, "folds": 3, "recipes": {"inverse": inverse_frequency}, "baselines": False}
    rows = np.arange(1, 61)
    study = tune(X, Y, weight=rows, **quick)
    frame = pd.DataFrame(X, columns=["x0", "x1", "x2"]).assign(label=Y, w=rows)
    assert study.to_dict()["arms"] == tune(frame, label="label", weight="w", **quick).to_dict()["arms"]
    np.testing.assert_array_equal(study.model.predict_proba(X.tolist()), study.model.predict_proba(X))
    with pytest.raises(ValueError, match="y brings the labels"):
        tune(X, Y, label="x0", **quick)
    with pytest.raises(ValueError, match=r"tune\(fit, data=\(X, y\)\)"):
        tune(lambda recipe, X, y: None, Y, **quick)
