"""Rows are drawn as imbalanced-learn draws them."""

import numpy as np
import pytest
from scipy import sparse

from steelyard.tuning.resampling import NAMES, NEIGHBOURS, repeated, resample

KINDS = {"random oversampling": "RandomOverSampler", "random undersampling": "RandomUnderSampler", "SMOTE": "SMOTE"}


def table(classes, seed, *, form, alike=False, columns=4, dtype=np.float64):
    rng = np.random.default_rng(seed)
    y = rng.choice(classes, 400, p=[0.75, 0.25] if classes == 2 else [0.1, 0.6, 0.3])
    X = rng.normal(size=(400, columns)).astype(dtype)
    if alike:  # rows that are equal, in pairs and in a crowd
        X[1::2] = X[::2]
        X[:60] = X[0]
        y[:60] = y[np.argmin(np.bincount(y)[y])]
    if form == "sparse":
        X[rng.random(X.shape) < 0.5] = 0
        return sparse.csr_matrix(X), y
    return X, y


@pytest.mark.parametrize("form", ["dense", "sparse"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("columns", [3, 30])
def test_the_rows_are_those_of_imbalanced_learn(name, classes, form, columns):
    pytest.importorskip("imblearn")
    from imblearn import over_sampling, under_sampling

    kind = getattr(under_sampling if "under" in name else over_sampling, KINDS[name])
    X, y = table(classes, 1, form=form, columns=columns)
    for seed in (0, 17, 2**31 - 1):
        options = {"k_neighbors": NEIGHBOURS} if name == "SMOTE" else {}
        wanted, labels = kind(random_state=seed, **options).fit_resample(X, y)
        rows, own, _ = resample(name, X, y, seed)
        np.testing.assert_array_equal(own, labels)
        assert sparse.issparse(rows) == sparse.issparse(wanted)
        dense = [m.toarray() if sparse.issparse(m) else m for m in (rows, wanted)]
        np.testing.assert_allclose(*dense, rtol=0, atol=1e-13)


def test_rows_that_are_equal_are_made_up_alike():
    """Which of them is the row itself does not matter."""
    pytest.importorskip("imblearn")
    from imblearn.over_sampling import SMOTE

    X, y = table(2, 5, form="dense", alike=True)
    wanted, _ = SMOTE(random_state=3, k_neighbors=NEIGHBOURS).fit_resample(X, y)
    np.testing.assert_allclose(resample("SMOTE", X, y, 3)[0], wanted, rtol=0, atol=1e-13)


def test_neighbours_are_found_in_pieces(monkeypatch):
    from steelyard.tuning import resampling

    X, _ = table(2, 2, form="dense", columns=resampling.NARROW + 1)
    whole = resampling._searched(X)
    monkeypatch.setattr(resampling, "CHUNK", 1)
    np.testing.assert_array_equal(resampling._searched(X), whole)


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_neighbours_of_the_same_rows_are_searched_once(form, monkeypatch):
    from steelyard.tuning import resampling

    asked = []
    monkeypatch.setattr(resampling, "_known", {})
    monkeypatch.setattr(
        resampling, "_searched", lambda X: asked.append(X) or np.full((X.shape[0], NEIGHBOURS), len(asked))
    )
    X, _ = table(2, 2, form=form)
    other = X.copy()
    other[7, 0] += 1
    for rows in (X, X.copy(), other, X[:399], X.astype(np.float32), X):
        near = resampling._neighbours(rows)
        assert near.shape == (rows.shape[0], NEIGHBOURS)
    assert len(asked) == 4
    assert (near == 1).all()
    monkeypatch.setattr(resampling, "KEPT", near.nbytes)  # room for the last one alone
    resampling._neighbours(other)
    assert len(resampling._known) == 1
    resampling._neighbours(X)
    assert len(asked) == 5


def test_float32_stays_float32():
    X, y = table(2, 2, form="dense", dtype=np.float32)
    for name in NAMES:
        assert resample(name, X, y, 1)[0].dtype == np.float32


def test_weights_come_with_their_rows_and_count_for_the_same():
    X, y = table(3, 4, form="dense")
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    for name in KINDS:
        if name == "SMOTE":
            continue
        _, labels, own = resample(name, X, y, 3, weights)
        np.testing.assert_allclose(np.bincount(labels, weights=own), np.bincount(labels))
    counted = repeated(X, y, 3, weights)[2]
    assert counted.sum() == pytest.approx(3 * np.bincount(y).max())
