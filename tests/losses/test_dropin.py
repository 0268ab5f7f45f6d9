"""The drop-ins as nn.Modules: torch's state, switches and order of arguments. What they compute is held to torch in tests/parity."""

import warnings

import pytest
import torch
from torch import nn

import steelyard as sy


@pytest.mark.parametrize("kind", ["CrossEntropyLoss", "BCEWithLogitsLoss"])
def test_drop_ins_have_torchs_state_and_dtypes(kind):
    options = {"weight": torch.tensor([1.0, 2.0])}
    if kind == "BCEWithLogitsLoss":
        options["pos_weight"] = torch.tensor([3.0, 4.0])
    theirs, ours = getattr(nn, kind)(**options), getattr(sy, kind)(**{k: torch.zeros(2) for k in options})
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    ours.load_state_dict(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())
    logits = torch.randn(3, 2)
    target = torch.tensor([0, 1, 1]) if kind == "CrossEntropyLoss" else torch.rand(3, 2)
    torch.testing.assert_close(ours(logits, target), theirs(logits, target))
    half = logits.bfloat16()
    target = target if kind == "CrossEntropyLoss" else target.bfloat16()
    assert ours.bfloat16()(half, target).dtype == theirs.bfloat16()(half, target).dtype
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ours(half, target).dtype == theirs(half, target).dtype == torch.float32
    assert not getattr(sy, kind)().state_dict()


@pytest.mark.parametrize("kind", ["CrossEntropyLoss", "BCEWithLogitsLoss"])
@pytest.mark.parametrize("average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
def test_torchs_old_switches_still_count(kind, average, reduce):
    if average is None and reduce is None:
        return
    with pytest.warns(UserWarning, match="deprecated"):
        ours = getattr(sy, kind)(size_average=average, reduce=reduce)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns too
        theirs = getattr(nn, kind)(size_average=average, reduce=reduce)
    assert ours.reduction == theirs.reduction


def test_positional_arguments_are_torchs():
    w = torch.tensor([1.0, 2.0])
    logits, target = torch.randn(4, 2), torch.tensor([0, 1, 1, 0])
    a, b = (cls(w, None, 1, None, "sum", 0.1) for cls in (sy.CrossEntropyLoss, nn.CrossEntropyLoss))
    torch.testing.assert_close(a(logits, target), b(logits, target))
    a, b = (cls(w, None, None, "sum", w) for cls in (sy.BCEWithLogitsLoss, nn.BCEWithLogitsLoss))
    torch.testing.assert_close(a(logits, logits.sigmoid()), b(logits, logits.sigmoid()))


def test_they_are_instances_of_torchs():
    """Programs ask isinstance, such as skorch, which applies the softmax for nn.CrossEntropyLoss alone."""
    assert isinstance(sy.CrossEntropyLoss(weight=[1.0, 2.0], label_smoothing=0.1), torch.nn.CrossEntropyLoss)
    assert isinstance(sy.BCEWithLogitsLoss(pos_weight=[2.0]), torch.nn.BCEWithLogitsLoss)
    ours, torchs = (m.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0])) for m in (sy, torch.nn))
    assert ours.state_dict().keys() == torchs.state_dict().keys()
    ours.load_state_dict(torchs.state_dict())
