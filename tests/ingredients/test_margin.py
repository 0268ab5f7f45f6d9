"""Margins: how wide, and what a scale is to them."""

import numpy as np
import pytest

from steelyard.counts import Counts
from steelyard.ingredients import margin

COUNTS = Counts.of(10_000, 100, 1)


def test_the_rarest_class_has_the_widest_margin_times_the_scale():
    recipe = margin(Counts.of(16 * 81, 16, 1), widest=0.6, scale=10)
    np.testing.assert_allclose(recipe.margin.numpy()[:, 0], [10 * 0.6 / 6, 10 * 0.6 / 2, 10 * 0.6], rtol=1e-12)
    assert recipe.scale.numpy().tolist() == [[10]]


def test_scale_one_leaves_the_logits_alone():
    assert margin(COUNTS, scale=1).scale is None
    assert margin(COUNTS, scale=1.0).margin.numpy().max() == pytest.approx(0.5)


def test_a_label_gives_its_rarer_answer_the_widest_margin():
    table = margin(Counts([1, 984], kind="multilabel", items=1000), scale=1).margin.numpy()
    assert table.shape == (2, 2)
    np.testing.assert_allclose(table[:, 0], [0.5 / 999**0.25, 0.5], rtol=1e-12)
    np.testing.assert_allclose(table[:, 1], [0.5, 0.5 * (16 / 984) ** 0.25], rtol=1e-12)
