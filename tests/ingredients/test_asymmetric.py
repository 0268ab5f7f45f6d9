"""The asymmetric loss."""

import torch

from steelyard.curves import sides
from steelyard.ingredients import asymmetric

P = torch.linspace(0.001, 0.999, 200, dtype=torch.float64)


def test_asymmetric_is_the_papers_pair():
    yes, no = sides(asymmetric(gamma_pos=1, gamma_neg=3, clip=0.1).curve)
    torch.testing.assert_close(yes.value(P.log(), 1 - P), -(1 - P) * P.log())
    shifted = (P - 0.1).clamp(min=0)  # P is the probability of "is" here
    torch.testing.assert_close(no.value((1 - P).log(), P), -(shifted**3) * (1 - shifted).log())
