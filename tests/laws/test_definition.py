"""The one form, written down literally with dense tables and log_softmax, as an oracle: values, gradients, precision.

Files: ops/bind.py, ops/bound.py, ops/reference.py.
"""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import log_softmax, logsigmoid

from steelyard import curves
from steelyard.table import Rows, Smooth


def penalty(curve, logp):
    """g(log p) of (labelled class or "is", the others), as the papers print it."""
    p = logp.exp()
    match curve:
        case None:
            return -logp, -logp
        case curves.Focal(gamma):
            return (-((1 - p) ** gamma) * logp,) * 2
        case curves.Asymmetric(pos, neg, clip):
            shifted = (1 - p - clip).clamp(min=0)
            return -((1 - p) ** pos) * logp, -(shifted**neg) * (1 - shifted).log()
        case curves.Poly(epsilon):
            return (-logp + epsilon * (1 - p),) * 2
        case curves.GCE(q):
            return ((1 - p**q) / q,) * 2
        case curves.Symmetric(alpha, beta, floor):
            return (-alpha * logp - beta * floor * (1 - p),) * 2
        case curves.Square():
            return ((1 - p) ** 2,) * 2
    raise AssertionError(f"a new curve is written here as its paper prints it: {curve}")


def dense(table, default, shape, like):
    numbers = np.full(shape, default) if table is None else np.broadcast_to(table.numpy(), shape)
    return torch.tensor(numbers.copy(), dtype=like.dtype)


def asked(target, link, size):
    """T [C, C], or the probability of "is" [2, K]."""
    if isinstance(target, Rows):
        return np.broadcast_to(target.numpy(), (size, size) if link == "softmax" else (2, size)).copy()
    amount, toward = (0.0, None) if target is None else (target.amount, target.toward)
    assert target is None or isinstance(target, Smooth)
    if link == "softmax":
        e = np.broadcast_to(amount, size)[:, None]
        return (1 - e) * np.eye(size) + e * (np.full(size, 1 / size) if toward is None else toward)
    e = np.broadcast_to(amount, 2)[:, None]
    v = np.full(size, 0.5) if toward is None else toward
    return (1 - e) * np.array([[0.0], [1.0]]) + e * v


def literal(subject, logits, y):
    """[N] (softmax) or [N, K]: l of rows [N, C], without call weights."""
    recipe, size = subject.recipe, logits.shape[1]
    shape = (size, size) if subject.link == "softmax" else (2, size)
    scale, offset = dense(recipe.scale, 1.0, shape, logits), dense(recipe.offset, 0.0, shape, logits)
    weight, margin = dense(recipe.weight, 1.0, shape, logits), dense(recipe.margin, 0.0, shape, logits)
    target = torch.tensor(asked(recipe.target, subject.link, size), dtype=logits.dtype)
    if subject.link == "softmax":
        own = torch.eye(size, dtype=logits.dtype)[y]
        u = scale[y] * logits + offset[y] - margin[y] * own
        labelled, others = penalty(recipe.curve, log_softmax(u, dim=1))
        g = torch.where(own == 1, labelled, others)
        wt = weight[y] * target[y]
        return torch.where(wt == 0, 0.0, wt * g.masked_fill(wt == 0, 0.0)).sum(1)
    k = torch.arange(size).expand_as(y)
    u = scale[y, k] * logits + offset[y, k] - (2 * y - 1) * margin[y, k]
    t, (yes, _), (_, no) = target[y, k], penalty(recipe.curve, logsigmoid(u)), penalty(recipe.curve, logsigmoid(-u))
    return weight[y, k] * (t * yes + (1 - t) * no)


def derivatives(function, logits, dtype):
    logits = logits.to(dtype).requires_grad_()
    out = function(logits)
    upstream = torch.randn(out.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return out.detach(), torch.autograd.grad(out, logits, upstream.to(out.dtype))[0]


@pytest.mark.parametrize("seed", range(3))
def test_value_and_gradient_are_the_definition_in_float64(subject, seed):
    logits, y, _ = subject.calls(seed)["rows"]
    loss = subject.loss(reduction="none")
    found = derivatives(lambda z: loss(z, y), logits, torch.float64)
    expected = derivatives(lambda z: literal(subject, z, y), logits, torch.float64)
    for f, e in zip(found, expected, strict=True):
        torch.testing.assert_close(f, e, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("size", [1.0, 5.0, 15.0])
def test_float32_error_is_no_larger_than_that_of_the_definition(subject, size):
    logits, y, _ = subject.calls(7, size)["rows"]
    logits = logits.float()
    loss = subject.loss(reduction="none")
    found = derivatives(lambda z: loss(z, y), logits, torch.float32)
    plain = derivatives(lambda z: literal(subject, z, y), logits, torch.float32)
    truth = derivatives(lambda z: loss(z, y), logits, torch.float64)  # the literal form cancels at confident logits
    for f, p, t in zip(found, plain, truth, strict=True):
        error = (f.double() - t).abs()
        naive = (p.double() - t).abs().nan_to_num(math.inf, math.inf)
        assert error.max() <= naive.max() + 4e-7 * t.abs().max()
        assert (error <= 2e-5 * t.abs() + 1e-6 * t.abs().max() + 1e-30).all(), "no digit lost, entry by entry"
