"""The eager backend in pieces is the eager backend."""

import pytest
import torch
from tests.laws.oracle import sample

import steelyard as sy
from steelyard import testing
from steelyard.ops import bind, eager


def test_every_recipe_in_pieces_of_a_few_logits(monkeypatch):
    monkeypatch.setattr(eager, "PIECE", 10)
    testing.check_backend("eager")


@pytest.mark.parametrize("shape", [(50, 7), (3, 5, 8, 9), (1, 40, 11), (2, 1, 6)], ids=str)
def test_a_piece_is_no_larger_than_it_may_be_and_all_are_there(shape, monkeypatch):
    seen = []
    forward = eager._forward

    def watched(logits, labels, bound):
        seen.append(logits.numel())
        return forward(logits, labels, bound)

    monkeypatch.setattr(eager, "_forward", watched)
    z, y = sample(shape, torch.float32)
    bound = bind(sy.Recipe(), "softmax")
    whole = eager.terms(z, y, bound, None, -100)
    assert seen == [z.numel()]
    seen.clear()
    monkeypatch.setattr(eager, "PIECE", 50)
    pieces = eager.terms(z, y, bound, None, -100)
    assert sum(seen) == z.numel()
    smallest = shape[1] * (1 if len(shape) < 4 else shape[3])  # one row of logits, or of pixels
    assert len(seen) == 1 if z.numel() <= 100 else max(seen) <= max(50, smallest)
    for a, b in zip(whole, pieces, strict=True):
        torch.testing.assert_close(a, b)


def test_under_a_transform_and_for_second_derivatives_the_call_stays_whole(monkeypatch):
    monkeypatch.setattr(eager, "PIECE", 3)
    z, y = sample((6, 4), torch.float64)
    y = y.clamp(min=0)

    def loss(x, label):
        return eager.terms(x, label, bind(sy.focal(gamma=2.0), "softmax"), None, -100).loss.sum()

    each = torch.func.vmap(torch.func.grad(lambda x, label: loss(x[None], label[None])))(z, y)
    x = z.requires_grad_()
    (found,) = torch.autograd.grad(loss(x, y), x, create_graph=True)
    torch.testing.assert_close(found, each)
    torch.autograd.gradgradcheck(lambda x: loss(x, y), x)
