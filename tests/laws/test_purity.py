"""Nothing a caller owns is changed: the same bytes, and the same version counter, after forward and backward."""

import pytest
import torch

import steelyard as sy
from steelyard.ops import BACKENDS


def state(tensors):
    return [(t._version, t.detach().clone().numpy().tobytes()) for t in tensors]


def test_forward_and_backward_leave_every_input_alone(subject):
    loss = subject.loss()
    for logits, target, weight in subject.calls().values():
        logits = logits.requires_grad_()
        owned = [logits, target, *loss.buffers(), *([] if weight is None else [weight])]
        before = state(owned)
        out = loss(logits, target, weight=weight)
        out.backward()
        assert state(owned) == before
        torch.autograd.grad(loss(logits, target, weight=weight), logits, create_graph=True)[0].sum().backward()
        assert state(owned) == before


@pytest.mark.parametrize("name", BACKENDS)
def test_a_gradient_is_never_a_view_of_the_logits(name):
    logits = torch.randn(4, 3, requires_grad=True)
    loss = sy.CrossEntropy()
    BACKENDS[name](logits, torch.tensor([0, 1, 2, 0]), loss.bound(), None, -100).loss.sum().backward()
    assert logits.grad.data_ptr() != logits.data_ptr()


def test_the_upstream_gradient_is_left_alone(typical):
    logits, target, weight = typical.calls()["image"]
    out = typical.loss(reduction="none")(logits.requires_grad_(), target, weight=weight)
    upstream = torch.randn_like(out)
    before = state([upstream])
    torch.autograd.grad(out, logits, upstream)
    assert state([upstream]) == before


def test_the_callers_tables_are_copied():
    weight = torch.tensor([1.0, 2.0])
    loss = sy.CrossEntropy(sy.Recipe(weight=weight))
    weight.fill_(100.0)
    assert loss.weight_0.tolist() == [1.0, 2.0]


def test_no_global_state_moves():
    rng, threads, grad = torch.get_rng_state(), torch.get_num_threads(), torch.is_grad_enabled()
    with torch.no_grad():
        sy.BinaryCrossEntropy(sy.asymmetric())(torch.randn(3, generator=torch.Generator()), torch.tensor([0, 1, 1]))
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), rng)
    assert (torch.get_num_threads(), torch.is_grad_enabled()) == (threads, grad)
