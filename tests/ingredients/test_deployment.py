"""Weights for another class mix."""

import numpy as np
import pytest

from steelyard.counts import Counts
from steelyard.ingredients import deployment, inverse_frequency

COUNTS = Counts.of(900, 100, classes=["no", "yes"])


@pytest.mark.parametrize(
    "prior",
    [[0.7, 0.3], np.array([0.7, 0.3]), {"yes": 0.3, "no": 0.7}, Counts.of(7000, 3000, classes=["no", "yes"])],
)
def test_the_weighted_training_data_has_the_deployment_prior(prior):
    recipe = deployment(prior, COUNTS)
    np.testing.assert_allclose(COUNTS.prior * recipe.label_weights(), [0.7, 0.3], rtol=1e-12)


def test_the_training_prior_changes_nothing_and_a_flat_one_is_inverse_frequency():
    np.testing.assert_allclose(deployment(COUNTS, COUNTS).label_weights(), 1, rtol=1e-15)
    np.testing.assert_allclose(
        deployment([0.5, 0.5], COUNTS).label_weights(), inverse_frequency(COUNTS).label_weights(), rtol=1e-12
    )


def test_labels_have_a_share_of_is_each():
    labels = Counts([100, 20], ["rain", "snow"], kind="multilabel", items=1000)
    table = deployment({"snow": 0.5, "rain": 0.4}, labels).weight.numpy()
    np.testing.assert_allclose(labels.prior * table, [[0.6, 0.5], [0.4, 0.5]], rtol=1e-12)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ([0.7, 0.2], "prior must sum to 1 over the classes, got 0.9"),
        ([0.7, 0.2, 0.1], r"prior must be one number per class \(2\), got shape \[3\]"),
        ([1.5, -0.5], r"prior must be in \[0, 1\]"),
        ([float("nan"), 1], r"prior must be in \[0, 1\]"),
        (0.5, r"prior must be one number per class \(2\)"),
        ("half", "prior must be one number per class, got 'half'"),
        ({"no": 0.7, "maybe": 0.3}, "'maybe', 'yes' are in only one of them"),
        (Counts.of(7, 3), "prior counts exclusive 0, 1 but the training data has exclusive no, yes"),
    ],
)
def test_a_prior_that_does_not_fit_is_named(prior, message):
    with pytest.raises(ValueError, match=f"^deployment: {message}|^deployment: .*{message}"):
        deployment(prior, COUNTS)
