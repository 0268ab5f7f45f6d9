"""Another class mix multiplies the odds."""

import numpy as np
import pytest

from steelyard import (
    Counts,
    Recipe,
    posterior,
)


def test_another_class_mix_multiplies_the_odds():
    counts, recipe = Counts.of(900, 100), Recipe(weight=[1.0, 9.0])
    z = np.random.default_rng(0).normal(size=(20, 2))
    p = posterior(z, recipe)
    moved = posterior(z, recipe, prior=[0.5, 0.5], counts=counts)
    odds = p[:, 1] / p[:, 0] * 9
    np.testing.assert_allclose(moved[:, 1], odds / (1 + odds))
    one = posterior(z[:, 1] - z[:, 0], recipe, link="sigmoid", prior=Counts.of(10, 10), counts=counts)
    np.testing.assert_allclose(one, moved[:, 1])
    by_name = Recipe(weight={"no": 1.0, "yes": 9.0})
    np.testing.assert_allclose(posterior(z, by_name, prior={"yes": 0.5, "no": 0.5}, counts=[900, 100]), moved)
    np.testing.assert_allclose(posterior(z, recipe, prior=counts, counts=counts), p)
    many = Counts([10, 50], kind="multilabel", items=100)
    there = posterior(np.zeros((1, 2)), Recipe(kind="multilabel", classes="01"), prior=[0.5, 0.5], counts=many)
    np.testing.assert_allclose(there, [[0.9, 0.5]])


def test_another_class_mix_needs_both_ends():
    with pytest.raises(ValueError, match="prior= needs counts="):
        posterior([[0.0, 0.0]], Recipe(), prior=[0.5, 0.5])
    with pytest.raises(ValueError, match="must sum to 1"):
        posterior([[0.0, 0.0]], Recipe(), prior=[0.5, 0.6], counts=Counts.of(1, 1))
    with pytest.raises(ValueError, match="one share per class"):
        posterior([[0.0, 0.0]], Recipe(), prior=[0.5, 0.25, 0.25], counts=Counts.of(1, 1))
    with pytest.raises(ValueError, match="without examples"):
        posterior([[0.0, 0.0]], Recipe(), prior=[0.5, 0.5], counts=Counts.of(1, 0))
    many = Counts([0, 5], kind="multilabel", items=10)
    with pytest.raises(ValueError, match="without examples"):
        posterior([[0.0, 0.0]], Recipe(kind="multilabel"), link="sigmoid", prior=[0.5, 0.5], counts=many)


def test_a_class_that_is_absent_at_both_ends_stays_absent_and_moves_no_other():
    z = np.random.default_rng(1).normal(size=(5, 3))
    two = posterior(z[:, ::2], Recipe(), prior=[0.5, 0.5], counts=Counts.of(9, 1))
    three = posterior(z, Recipe(), prior=[0.5, 0, 0.5], counts=Counts.of(9, 0, 1))
    np.testing.assert_allclose(three[:, ::2], two, rtol=1e-9)
    assert (np.asarray(three)[:, 1] == 0).all()
