"""The bias of the last layer."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from steelyard.counts import Counts
from steelyard.ingredients import initial_bias, menu


def test_a_layer_that_starts_there_predicts_the_prior():
    counts = Counts.of(700, 200, 100)
    bias = torch.from_numpy(initial_bias(counts))
    np.testing.assert_allclose(torch.softmax(bias, 0), counts.prior, rtol=1e-12)
    labels = Counts([5, 80], kind="multilabel", items=100)
    np.testing.assert_allclose(torch.sigmoid(torch.from_numpy(initial_bias(labels))), [0.05, 0.8], rtol=1e-12)


def test_its_loss_is_the_entropy_of_the_prior():
    counts = Counts.of(7, 2, 1)
    y = torch.from_numpy(np.repeat([0, 1, 2], counts.per_class))
    loss = F.cross_entropy(torch.from_numpy(initial_bias(counts)).expand(10, 3), y)
    assert float(loss) == pytest.approx(-(counts.prior * np.log(counts.prior)).sum(), rel=1e-12)


def test_two_classes_on_one_logit_is_the_difference_of_two():
    two, one = initial_bias(Counts.of(900, 100)), initial_bias(Counts.of(900, 100), link="sigmoid")
    assert (two.shape, one.shape) == ((2,), (1,))
    np.testing.assert_allclose(one[0], two[1] - two[0], rtol=1e-12)


def test_it_is_not_on_the_menu():
    assert "initial-bias" not in menu()


@pytest.mark.parametrize(
    ("counts", "link", "message"),
    [
        (Counts.of(0, 0), None, "initial-bias: every class counts 0"),
        (Counts.of(5, 4, 3), "sigmoid", "two exclusive classes or multilabel counts, got 3"),
        (Counts([5], kind="multilabel", items=9), "softmax", "use link='sigmoid'"),
        (Counts.of(5, 4), "probit", "link must be one of softmax, sigmoid, got 'probit'"),
    ],
)
def test_what_has_no_bias_says_why(counts, link, message):
    with pytest.raises(ValueError, match=message):
        initial_bias(counts, link=link)


def test_what_counts_nothing_starts_as_if_it_had_been_seen_once():
    np.testing.assert_allclose(initial_bias(Counts.of(999, 0)), np.log([0.999, 0.001]), rtol=1e-12)
    labels = Counts([0, 100, 0], kind="multilabel", items=100, also={"unknown": [0, 0, 100]})
    np.testing.assert_allclose(initial_bias(labels), [-np.log(100), np.log(100), 0], atol=1e-12)


def test_a_list_is_not_counts():
    with pytest.raises(TypeError, match="initial-bias: counts must be Counts, got list"):
        initial_bias([900, 100])
