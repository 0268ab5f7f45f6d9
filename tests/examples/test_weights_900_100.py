"""900 to 100: one ratio in three forms, what it does to the probability, and undoing it."""

import math

import numpy as np
import pytest
import torch

import steelyard as sy


@pytest.fixture(scope="module")
def example(run):
    return run("weights_900_100")


def test_the_balanced_weights_are_those_of_scikit_learn(example):
    from sklearn.utils.class_weight import compute_class_weight

    y = np.repeat([0, 1], [900, 100])
    balanced = compute_class_weight("balanced", classes=np.array([0, 1]), y=y)
    assert example[0].FORMS["N / (K n) (scikit-learn's 'balanced')"] == pytest.approx(tuple(balanced))
    assert sy.inverse_frequency(sy.Counts.of(900, 100)).class_weight.tolist() == pytest.approx(balanced.tolist())
    assert example[1].numbers("sy.inverse_frequency(counts)")[:2] == [0.5556, 5.0]
    assert example[1].numbers("sy.pos_neg(counts)")[:2] == [0.5556, 5.0]


@pytest.mark.parametrize(("form", "mean"), [("N / n ", 2.0), ("'normalised')", 0.18), ("'balanced')", 1.0)])
def test_the_forms_share_the_ratio_and_differ_in_the_mean(example, form, mean):
    neg, pos, ratio, found = example[1].numbers(form)
    assert ratio == 9.0
    assert pos / neg == pytest.approx(9.0, abs=2e-3)
    assert found == mean == pytest.approx(0.9 * neg + 0.1 * pos, abs=1e-3)


def test_weights_shift_the_logit_by_the_log_of_their_ratio_and_leave_the_slope(example):
    module, printed = example
    plain, weighted = module.fit(sy.Recipe()), module.fit(sy.inverse_frequency(module.COUNTS))
    assert weighted[0] - plain[0] == pytest.approx(math.log(9), abs=1e-6)
    assert weighted[1] == pytest.approx(plain[1], abs=1e-6)
    assert plain[1] == pytest.approx(1.5, abs=1e-6)
    assert printed.numbers("shifted by")[0] == pytest.approx(math.log(9), abs=1e-5)


@pytest.mark.parametrize("ratio", [0.5, 5.0, 19.0])
def test_the_shift_is_the_log_ratio_for_other_weights_too(example, ratio):
    module, _ = example
    shift = module.fit(sy.fixed(weight=[1.0, ratio]))[0] - module.fit(sy.Recipe())[0]
    assert shift == pytest.approx(math.log(ratio), abs=1e-6)


def test_posterior_undoes_it(example):
    _, printed = example
    assert printed.numbers("mean probability of a positive, true")[0] == 0.1
    assert printed.numbers("mean probability of a positive, weighted")[0] > 0.3
    assert printed.numbers("mean probability of a positive, undone by sy.posterior")[0] == 0.1
    assert printed.numbers("off the true probability by at most")[0] < 1e-6


def test_weights_proportional_to_the_frequencies_square_the_imbalance():
    """An article recommends them by mistake; inverse frequency gives each class half of the loss."""
    labels = torch.tensor([0] * 900 + [1] * 100)
    for recipe, ratio in ((sy.fixed(weight=[0.9, 0.1]), 81.0), (sy.inverse_frequency(sy.Counts.of(900, 100)), 1.0)):
        each = sy.CrossEntropy(recipe, reduction="none")(torch.zeros(1000, 2), labels).double()
        assert float(each[:900].sum() / each[900:].sum()) == pytest.approx(ratio, rel=1e-5)


def test_beta_of_one_is_the_articles_own_example_though_its_interval_excludes_it():
    assert sy.inverse_frequency(sy.Counts.of(900, 100), beta=1.0).class_weight.tolist() == pytest.approx([5 / 9, 5.0])


def test_wanting_fewer_misses_is_a_ratio_of_costs_whatever_the_frequencies():
    weight = sy.costs([[0, 1], [20, 0]]).class_weight
    assert (weight[1] / weight[0]).item() == 20.0


def test_a_boast_of_995_in_1000_is_what_never_saying_fraud_scores():
    labels = np.repeat([0, 1], [995, 5])
    assert (labels == 0).mean() == 0.995
