"""The columns of a table as few values, and back from a file."""

import json

import numpy as np
import pytest

from steelyard.tuning.models.bins import BINS, Bins


def table(rows=2000):
    """A number of many values, one of few, a frequent and a long-tailed category; each with gaps."""
    rng = np.random.default_rng(0)
    X = np.stack(
        [rng.normal(size=rows), rng.integers(0, 9, rows), rng.integers(0, 5, rows), rng.zipf(1.3, rows) % 600]
    ).T.astype(float)
    X[rng.random(X.shape) < 0.05] = np.nan
    return X, np.array([False, False, True, True])


def test_no_column_has_more_values_and_numbers_keep_their_order():
    X, categorical = table()
    binned = Bins.of(X, categorical)(X)
    assert all(len(np.unique(column[~np.isnan(column)])) <= BINS for column in binned.T)
    np.testing.assert_array_equal(np.isnan(binned), np.isnan(X))
    order = np.argsort(X[:, 0])
    assert (np.diff(binned[order, 0][: (~np.isnan(X[:, 0])).sum()]) >= 0).all()


def test_a_file_gives_the_same_bins():
    X, categorical = table()
    bins = Bins.of(X, categorical)
    again = Bins.from_dict(json.loads(json.dumps(bins.to_dict(), allow_nan=False)), X.shape[1])
    new = np.vstack([X, [[99.0, -5.0, 4.0, 1e6], [np.nan, 3.5, 77.0, 0.0]]])  # values and codes that were never seen
    np.testing.assert_array_equal(again(new), bins(new))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"edges": {"4": [1.0]}, "places": {}}, "names the column '4', and there are 4"),
        ({"edges": {}, "places": {"-1": [0.0]}}, "names the column '-1'"),
        ({"edges": {"0": [1.0, 1.0]}, "places": {}}, "do not ascend"),
    ],
)
def test_what_does_not_fit_is_refused(state, said):
    with pytest.raises(ValueError, match=said):
        Bins.from_dict(state, 4)
