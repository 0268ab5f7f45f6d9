"""Numbers that papers, their programs and scikit-learn give for the weights, offsets and margins.

The authors' formulas are written out here a second time, from the papers. Weights are compared up to one common factor,
because ours have mean 1 over the data and theirs have not.
"""

import csv
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.utils.class_weight import compute_class_weight

from steelyard import ingredients as sy
from steelyard.counts import Counts
from steelyard.recipe import Recipe, mean_weight, mix

FRAUD = Counts.of(284_315, 492, classes=["genuine", "fraud"])
CIFAR = Counts([5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50])
CAMVID = Counts(
    [10682767, 14750079, 623349, 20076880, 2845085, 6166762, 743859, 714595, 3719877, 405385, 184967],
    ["Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian", "Bicyclist"],
    "pixels",
)


def up_to_a_factor(ours, theirs, rtol):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    np.testing.assert_allclose(ours / ours.sum(), theirs / theirs.sum(), rtol=rtol)


def printed(ours, theirs, digits):
    """Equal to the digits that were printed."""
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=0.5000001 * 10**-digits)


# credit-card fraud: 492 of 284,807


def test_credit_card_balanced_weights():
    printed(sy.inverse_frequency(FRAUD).label_weights(), [0.500865, 289.438008], 6)


def test_credit_card_initial_bias_and_the_loss_it_starts_from():
    bias = sy.initial_bias(FRAUD, link="sigmoid")
    assert bias[0] == pytest.approx(-6.359359340922742, abs=1e-15)
    share = torch.tensor(492 / 284_807, dtype=torch.float64)
    start = F.binary_cross_entropy_with_logits(torch.tensor(bias[0], dtype=torch.float64), share)
    printed(float(start), 0.012715, 6)  # the entropy of the prior


# CIFAR10-LT, factor 0.01


def test_cifar_lt_balanced():
    printed(
        sy.inverse_frequency(CIFAR).label_weights()[:7], [0.2481, 0.4139, 0.6908, 1.1519, 1.9234, 3.2057, 5.3474], 4
    )
    printed(sy.inverse_frequency(CIFAR).label_weights()[7:], [8.9252, 14.947, 24.812], 3)


def test_cifar_lt_class_balanced():
    weight = sy.effective_number(CIFAR, beta=0.9999).label_weights()
    printed(
        weight * 10 / weight.sum(), [0.0506, 0.0769, 0.1211, 0.195, 0.3188, 0.5246, 0.8683, 1.4426, 2.4092, 3.9927], 4
    )
    # Cui et al., as their program and LDAM-DRW's write it
    effective = 1.0 - np.power(0.9999, CIFAR.per_class)
    up_to_a_factor(weight, (1.0 - 0.9999) / effective, rtol=1e-9)


def test_cifar_lt_ldam_margins():
    recipe = sy.margin(CIFAR, widest=0.5, scale=30)
    margins = recipe.margin.numpy()[:, 0] / 30
    printed(margins, [0.1581, 0.1797, 0.2042, 0.2321, 0.2638, 0.2998, 0.3407, 0.3872, 0.4405, 0.5], 4)
    m = 1.0 / np.sqrt(np.sqrt(CIFAR.per_class))
    np.testing.assert_allclose(margins, m * (0.5 / np.max(m)), rtol=1e-12)


def test_ldam_loss_is_the_authors_on_cosines():
    """s * (x - m_y at the label) into cross_entropy: what the authors' program computes."""
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(40, 10, generator=generator, dtype=torch.float64) * 2 - 1
    y = torch.randint(10, (40,), generator=generator)
    m = torch.from_numpy(0.5 * (50 / CIFAR.per_class) ** 0.25)
    theirs = F.cross_entropy(30 * (x - F.one_hot(y, 10) * m[y][:, None]), y)
    recipe = sy.margin(CIFAR)
    u = float(recipe.scale.numpy()[0, 0]) * x - F.one_hot(y, 10) * torch.tensor(recipe.margin.numpy())[y]
    torch.testing.assert_close(F.cross_entropy(u, y), theirs)


def test_cdt_temperatures_are_the_authors():
    """z / a_c, a_c = (n_max / n_c)^gamma."""
    a = (5000 / CIFAR.per_class) ** 0.3
    np.testing.assert_allclose(sy.class_temperature(CIFAR, gamma=0.3).scale.numpy()[0], 1 / a, rtol=1e-12)


def test_balanced_softmax_is_logit_adjustment_with_tau_one():
    """softmax over n_c e^z is softmax(z + log pi): they differ by a constant in the logits."""
    z = torch.linspace(-3, 3, 10, dtype=torch.float64)
    n = torch.tensor(CIFAR.per_class)
    offset = torch.tensor(sy.logit_adjustment(CIFAR).offset.numpy()[0])
    torch.testing.assert_close(torch.softmax(z + offset, 0), n * z.exp() / (n * z.exp()).sum())


# CamVid: the eleven classes of the training images


def test_camvid_global_median_frequency():
    published = [0.2663, 0.1929, 4.5642, 0.1417, 1, 0.4614, 3.8248, 3.9814, 0.7648, 7.0182, 15.3816]
    weight = sy.median_frequency(CAMVID).label_weights()
    printed(weight / weight[4], published, 4)  # Pavement is the median


def test_camvid_enet():
    published = [5.6035, 4.2953, 33.5736, 3.3355, 15.4856, 8.7387, 31.542, 32.012, 12.8288, 38.0141, 43.9074]
    weight = sy.log_frequency(CAMVID, c=1.02).label_weights()
    factor = math.log(1.02 + CAMVID.prior[0]) * weight[0]
    printed(weight / factor, published, 4)


# 900 / 100 and the textbooks' forms


def test_the_textbook_example():
    printed(sy.inverse_frequency(Counts.of(900, 100)).label_weights(), [0.5556, 5.0], 4)


def test_the_two_forms_of_positive_and_negative_weights_have_one_ratio_and_three_sizes():
    counts = Counts.of(900, 100)
    inverse, normalised = Recipe(weight=[1000 / 900, 1000 / 100]), Recipe(weight=[100 / 1000, 900 / 1000])
    for recipe in (inverse, normalised, sy.pos_neg(counts)):
        no, yes = recipe.label_weights()
        assert yes / no == pytest.approx(9.0, rel=1e-12)
    sizes = [mean_weight(r, counts) for r in (inverse, normalised, sy.pos_neg(counts))]
    np.testing.assert_allclose(sizes, [2.0, 0.18, 1.0], rtol=1e-12)


def test_the_product_of_two_unit_masses_is_not_one():
    counts = Counts.of(99, 1)
    both = mix(sy.inverse_frequency(counts), sy.inverse_frequency(counts, beta=0.5))
    printed(mean_weight(both, counts), 5.0, 1)


# the long tail


def test_lvis_weights_are_scikit_learns_and_finite(shared_data):
    with open(shared_data / "class_counts" / "lvis_v1_image_count.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    counts = Counts([int(r["image_count"]) for r in rows], [r["id"] for r in rows], "images")
    assert (len(counts), counts.per_class.min(), counts.per_class.max()) == (1203, 1, 1977)
    y = np.repeat(np.arange(1203), counts.per_class)
    balanced = compute_class_weight("balanced", classes=np.arange(1203), y=y)
    np.testing.assert_allclose(sy.inverse_frequency(counts).label_weights(), balanced, rtol=1e-12)
    n = counts.per_class.astype(np.float64)
    up_to_a_factor(sy.effective_number(counts, beta=0.999).label_weights(), 1 / (1 - 0.999**n), rtol=1e-9)
    up_to_a_factor(sy.log_frequency(counts).label_weights(), 1 / np.log(1.02 + n / n.sum()), rtol=1e-12)
    offset = sy.logit_adjustment(counts).offset.numpy()[0]
    np.testing.assert_allclose(np.exp(offset).sum(), 1, rtol=1e-12)
