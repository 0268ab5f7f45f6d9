"""The drop-ins against torch on shapes, options and dtypes nobody wrote down."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples_of import examples
from torch import nn

import steelyard as sy

reductions = st.sampled_from(["mean", "sum", "none"])
spaces = st.lists(st.integers(1, 3), max_size=2)


def compare(ours, theirs, logits, target, rtol=1e-11):
    outs = []
    for loss in (ours, theirs):
        z = logits.clone().requires_grad_()
        out = loss(z, target)
        upstream = torch.randn(out.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        outs.append((out.detach(), torch.autograd.grad(out, z, upstream.to(out.dtype))[0]))
    if outs[1][0].isnan().any():  # nothing valid, or weights of 0: torch's mean is NaN
        assert outs[0][0] == 0
        assert (outs[0][1] == 0).all()
        return
    for found, expected in zip(*outs, strict=True):
        torch.testing.assert_close(found, expected, rtol=rtol, atol=1e-12)


@settings(max_examples=examples(120), deadline=None)
@given(
    n=st.integers(0, 5),
    c=st.integers(2, 6),
    space=spaces,
    weighted=st.sampled_from([None, "positive", "some 0"]),
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    ignored=st.integers(-1, 3),
    soft=st.booleans(),
    reduction=reductions,
    seed=st.integers(0, 2**31),
    size=st.sampled_from([0.1, 3.0, 50.0]),
)
def test_cross_entropy_loss(n, c, space, weighted, smoothing, ignored, soft, reduction, seed, size):
    random = torch.Generator().manual_seed(seed)
    logits = size * torch.randn(n, c, *space, generator=random, dtype=torch.float64)
    w = None if weighted is None else torch.rand(c, generator=random, dtype=torch.float64) + 0.1
    if weighted == "some 0":
        w[0] = 0
    if soft:
        target = torch.rand(n, c, *space, generator=random, dtype=torch.float64)  # rows need not sum to 1 in torch
    else:
        target = torch.randint(c, (n, *space), generator=random)
    options = {"weight": w, "label_smoothing": smoothing, "reduction": reduction}
    if not soft:
        options["ignore_index"] = min(ignored, c - 1)
        target = torch.where(target == -1, 0, target)
    compare(sy.CrossEntropyLoss(**options), nn.CrossEntropyLoss(**options), logits, target)


@settings(max_examples=examples(120), deadline=None)
@given(
    shape=st.lists(st.integers(0, 4), max_size=4),
    masks=st.tuples(*[st.lists(st.booleans(), max_size=4)] * 2),
    reduction=reductions,
    seed=st.integers(0, 2**31),
    size=st.sampled_from([0.1, 3.0, 50.0]),
)
def test_bce_with_logits_loss(shape, masks, reduction, seed, size):
    random = torch.Generator().manual_seed(seed)
    logits = size * torch.randn(shape, generator=random, dtype=torch.float64)
    target = torch.rand(shape, generator=random, dtype=torch.float64)
    options = {"reduction": reduction}
    for name, mask in zip(("weight", "pos_weight"), masks, strict=True):
        broadcast = [s if keep else 1 for s, keep in zip(shape[::-1], mask, strict=False)][::-1]
        if broadcast:
            options[name] = torch.rand(broadcast, generator=random, dtype=torch.float64)
    compare(sy.BCEWithLogitsLoss(**options), nn.BCEWithLogitsLoss(**options), logits, target)
