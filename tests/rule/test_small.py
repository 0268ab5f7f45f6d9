"""Formulas that NumPy computes where it may."""

import torch

from steelyard.rule.small import NUMPY, small


def formula(xp, a, b):
    return xp.where(b > 0, xp.log(a) / b, 0.0), xp.clip(a, None, 1.0).sum()


def test_numpy_and_torch_say_the_same():
    a, b = torch.tensor([0.5, 2.0, 0.0]).double(), torch.tensor([1.0, 0.0, 2.0]).double()
    found, expected = small(formula, a, b), formula(torch, a, b)
    for x, y in zip(found, expected, strict=True):
        torch.testing.assert_close(x, y)


def test_numpy_where_it_may_and_torch_else():
    used = []
    small(lambda xp, a: used.append(xp) or (a,), torch.zeros(2))
    small(lambda xp, a: used.append(xp) or (a,), torch.zeros(2, device="meta"))
    torch.func.vmap(lambda a: small(lambda xp, a: used.append(xp) or (a,), a)[0])(torch.zeros(2, 2))
    assert used == [NUMPY, torch, torch]


def test_whole_numbers_leave_the_type_as_in_torch():
    def grown(xp, a, n):
        return a * n, n + 1, a > 0

    for dtype in (torch.float32, torch.float64):
        numbers = torch.ones(3, dtype=dtype), torch.tensor(2)
        assert [x.dtype for x in small(grown, *numbers)] == [x.dtype for x in grown(torch, *numbers)]
