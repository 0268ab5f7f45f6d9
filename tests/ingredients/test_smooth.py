"""Label smoothing. Files: ingredients/_by_class.py."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from steelyard.counts import Counts
from steelyard.ingredients import smooth


def test_uniform_smoothing_asks_for_torchs_target():
    """torch's smoothed loss is cross-entropy against the rows."""
    z, y = torch.randn(20, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64), torch.arange(20) % 4
    rows = torch.from_numpy(smooth(0.3).target.rows(4))
    torch.testing.assert_close(F.cross_entropy(z, rows[y]), F.cross_entropy(z, y, label_smoothing=0.3))


def test_an_amount_per_label():
    rows = smooth([0.0, 0.3, 0.6]).target.rows(3)
    np.testing.assert_allclose(rows, [[1, 0, 0], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]], rtol=0, atol=1e-15)


def test_toward_the_prior_keeps_the_class_mix():
    """sum_y pi_y T[y, c] = pi_c: smoothing by the prior moves no mass between classes."""
    counts = Counts.of(700, 200, 80, 20)
    rows = smooth(0.1, toward=counts).target.rows(4)
    np.testing.assert_allclose(counts.prior @ rows, counts.prior, rtol=1e-12)
    assert smooth(0.1, toward=counts).classes == counts.classes


def test_toward_multilabel_counts_is_the_share_of_is():
    recipe = smooth(0.2, toward=Counts([10, 60], kind="multilabel", items=100))
    assert recipe.target.toward.tolist() == [0.1, 0.6]
    assert recipe.kind == "multilabel"


def test_names_bring_numbers_into_the_order_of_the_classes():
    counts = Counts.of(9, 1, classes=["no", "yes"])
    recipe = smooth({"yes": 0.3, "no": 0.1}, toward=counts)
    assert recipe.target.amount.tolist() == [0.1, 0.3]
    named = smooth({"no": 0.1, "yes": 0.3}, toward={"yes": 0.2, "no": 0.8})
    assert (named.classes, named.target.toward.tolist()) == (("yes", "no"), [0.2, 0.8])
    assert named.target.amount.tolist() == [0.3, 0.1]


def test_no_smoothing_is_the_one_hot_target():
    np.testing.assert_array_equal(smooth(0).target.rows(3), np.eye(3))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((1.5,), {}, r"^smooth: amount must be in \[0, 1\], got 1.5\.$"),
        (([0.1, -0.1],), {}, r"^smooth: amount must be in \[0, 1\], got \[0.1, -0.1\]\.$"),
        (({"no": 0.1},), {"toward": Counts.of(9, 1, classes=["no", "yes"])}, "'yes' is in only one of them"),
        ((0.1,), {"toward": [1.2, -0.2]}, "one probability per class"),
        ((0.1,), {"toward": Counts.of(0, 0)}, "nothing was counted"),
        (({"0": 0.1},), {"toward": Counts([5], kind="multilabel", items=9)}, r"one number or two \(is not, is\)"),
    ],
)
def test_what_cannot_smooth_is_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        smooth(*arguments, **options)
