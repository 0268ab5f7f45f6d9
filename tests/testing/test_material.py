"""The material of the laws is not trivial: a generator that yields constants would make every law hold."""

import pytest
import torch

from steelyard import curves, testing
from steelyard.losses import functional
from steelyard.ops import bind
from steelyard.recipe import COMBINE, ONE_ONLY


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_recipes_cover_every_field_and_every_curve(link):
    found = testing.recipes(link).values()
    for field in (*COMBINE, *ONE_ONLY):
        assert sum(getattr(r, field) is not None for r in found) >= 2, field
    used = {type(r.curve) for r in found if r.curve is not None}
    everywhere = {c for c in curves.CURVES.values() if c is not curves.Log}
    assert used == (everywhere if link == "sigmoid" else everywhere - {curves.Square})
    assert {tuple(r.weight.shape) for r in found if r.weight is not None} >= {(1, 3)}


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_every_recipe_differs_from_plain(link):
    call = testing.calls(link)["image"]
    losses = {}
    for name, recipe in testing.recipes(link).items():
        function = functional.cross_entropy if link == "softmax" else functional.binary_cross_entropy
        losses[name] = function(call.logits, call.target, recipe, weight=call.weight).item()
    plain = losses.pop("plain")
    same = {name for name, loss in losses.items() if abs(loss - plain) < 1e-6}
    # a number per label inside a softmax is a constant, which cancels
    assert same == ({"offset-per-label"} if link == "softmax" else set())


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_calls_spread(link):
    for name, call in testing.calls(link).items():
        assert call.logits.std() > 1, name
        assert call.logits.unique().numel() == call.logits.numel(), name
        if call.target.is_floating_point():
            assert ((call.target > 0.05) & (call.target < 0.95)).any(), name
            assert (call.target == 1).any(), name
        else:
            labels = set(call.target.unique().tolist())
            assert labels >= ({0, 1, 2} if link == "softmax" else {0, 1}), name
    assert -100 in testing.calls(link)["image"].target
    assert (testing.calls(link)["image"].weight == 0).any()
    one, two = (testing.calls(link, seed=s)["rows"].logits for s in (0, 1))
    assert not torch.equal(one, two)


def test_probabilities_are_left_out_only_where_they_are_refused():
    refused = {
        name
        for name, r in testing.recipes("softmax").items()
        if "probabilities" not in testing.calls("softmax", bind(r, "softmax"))
    }
    assert refused == {
        "offset-per-label", "offset-table", "classes-removed", "scale-per-label", "scale-table", "margin", "everything",
    }  # fmt: skip
