"""Logit adjustment."""

import numpy as np
import torch

from steelyard.counts import Counts
from steelyard.ingredients import logit_adjustment


def test_plain_logits_are_the_log_odds_against_the_prior():
    """If softmax(z + log pi) is the truth eta, then z ranks by eta / pi: what the balanced error asks for."""
    counts = Counts.of(700, 200, 100)
    eta = torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64)
    offset = torch.tensor(logit_adjustment(counts).offset.numpy()[0])
    z = eta.log() - offset  # the logits at which the adjusted softmax is eta
    torch.testing.assert_close(torch.softmax(z + offset, 0), eta)
    balanced = eta / torch.from_numpy(counts.prior)
    torch.testing.assert_close(torch.softmax(z, 0), balanced / balanced.sum())


def test_tau_is_a_factor():
    one, half = (logit_adjustment(Counts.of(9, 1), tau=t).offset.numpy() for t in (1.0, 0.5))
    np.testing.assert_allclose(half, one / 2, rtol=1e-15)
    np.testing.assert_allclose(one, np.log([[0.9, 0.1]]), rtol=1e-15)


def test_a_label_shifts_its_one_logit_as_two_classes_shift_their_difference():
    two = logit_adjustment(Counts.of(900, 100), tau=0.7).offset.numpy()
    label = logit_adjustment(Counts([100], kind="multilabel", items=1000), tau=0.7).offset.numpy()
    assert label.shape == (1, 1)
    np.testing.assert_allclose(label[0, 0], two[0, 1] - two[0, 0], rtol=1e-12)
