"""The undo inside a net: what `posterior` says, folded, as a module, and exported."""

import pytest
import torch
from torch import nn

import steelyard as sy
from steelyard import testing
from steelyard.calibrate import Posterior, fold
from steelyard.ops import bind

COUNTS = sy.Counts([70, 20, 10])
CASES = [(link, name) for link in ("softmax", "sigmoid") for name in testing.recipes(link)]
AFFINE = {
    "weights": (sy.inverse_frequency(COUNTS), "softmax"),
    "adjusted": (sy.mix(sy.logit_adjustment(COUNTS), sy.effective_number(COUNTS)), "softmax"),
    "scales per class": (sy.Recipe(scale=[[0.5, 1.0, 2.0]], offset=[[0.1, 0.0, -1.0]]), "softmax"),
    "generalized": (sy.Recipe(curve=sy.curves.GCE(0.4), weight=[1.0, 2.0, 5.0]), "softmax"),
    "plain": (sy.Recipe(), "softmax"),
    "yes or no": (sy.Recipe(weight=[[1.0, 1.0, 2.0], [9.0, 3.0, 1.0]], kind="multilabel"), "sigmoid"),
    "two classes, one logit": (sy.inverse_frequency(sy.Counts([90, 10])), "sigmoid"),
}


def logits(*shape, seed=0):
    return 4 * torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.filterwarnings("ignore:.*as for a cosine head")
@pytest.mark.parametrize(("link", "name"), CASES)
def test_the_module_is_the_posterior_or_says_that_it_cannot_be(link, name):
    recipe = testing.recipes(link)[name]
    if refused(link, name):
        with pytest.raises(ValueError, match="posterior"):
            Posterior(recipe, link=link)
        return
    layer = Posterior(recipe, link=link)
    for z in (logits(40, 3), logits(4, 3, 5, 2), logits(40, 3).float()):
        found = layer(z)
        torch.testing.assert_close(
            found, sy.posterior(z, recipe, link=link), rtol=0, atol=1e-12 if z.dtype == torch.float64 else 1e-6
        )
    assert not layer(logits(2, 3)).requires_grad


def test_most_recipes_have_one():
    """So that the test above is no row of refusals."""
    kinds = [Posterior(testing.recipes(link)[n], link=link) for link, n in CASES if not refused(link, n)]
    assert len(kinds) > 0.5 * len(CASES)


def refused(link, name):
    try:
        Posterior(testing.recipes(link)[name], link=link)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("name", AFFINE)
@pytest.mark.parametrize("bias", [True, False])
def test_a_folded_layer_gives_the_posterior(name, bias):
    recipe, link = AFFINE[name]
    width = 1 if name.startswith("two") else 3
    of = torch.softmax if link == "softmax" else lambda z, dim: torch.sigmoid(z)
    x = logits(50, 6)
    layer = nn.Linear(6, width, bias=bias, dtype=torch.float64)
    before = layer.weight.clone()
    expected = sy.posterior(layer(x).detach(), recipe, link=link)
    torch.testing.assert_close(of(fold(layer, recipe, link=link)(x), 1).detach(), expected, rtol=0, atol=1e-12)
    assert torch.equal(layer.weight, before)
    image = logits(2, 6, 4, 5)
    conv = nn.Conv2d(6, width, 1, bias=bias, dtype=torch.float64)
    expected = sy.posterior(conv(image).detach(), recipe, link=link)
    torch.testing.assert_close(of(fold(conv, recipe, link=link)(image), 1).detach(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("recipe", [sy.focal(2.0), sy.smooth(0.1), sy.Recipe(margin=[0.1, 0.5, 1.0])], ids=repr)
def test_what_no_layer_can_hold_is_refused(recipe):
    with pytest.raises(ValueError, match=r"calibrate\.Posterior"):
        fold(nn.Linear(4, 3), recipe)
    with pytest.raises(ValueError, match="3 classes and the layer has 5"):
        fold(nn.Linear(4, 5), sy.inverse_frequency(COUNTS))
    with pytest.raises(TypeError, match="got Softmax"):
        fold(nn.Softmax(dim=1), recipe)


def test_the_numbers_are_those_of_the_day_it_was_made():
    weight = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    loss = sy.CrossEntropy(sy.Recipe(weight=weight))
    layer = Posterior(loss)
    z = logits(5, 3).float()
    before = layer(z)
    with torch.no_grad():
        weight.mul_(torch.tensor([5.0, 1.0, 1.0]))
    assert torch.equal(layer(z), before)
    assert "link='softmax'" in repr(layer)
    assert set(layer.state_dict()) == {"table_0"}
    assert layer.double()(z.double()).dtype == torch.float64


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_it_is_exported(link):
    kind = "exclusive" if link == "softmax" else "multilabel"
    tables = [1.0, 2.0, 5.0] if link == "softmax" else [[1.0, 2.0, 5.0], [2.0, 2.0, 1.0]]
    recipe = sy.Recipe(weight=tables, curve=sy.curves.Focal(2.0), kind=kind)
    net = nn.Sequential(nn.Linear(6, 3), Posterior(recipe)).eval()
    x = torch.randn(4, 6)
    program = torch.export.export(net, (x,), dynamic_shapes=({0: torch.export.Dim("rows", min=2)},))
    again = torch.randn(9, 6)
    torch.testing.assert_close(program.module()(again), net(again), rtol=0, atol=1e-6)
    torch.testing.assert_close(net(again), sy.posterior(net[0](again).detach(), recipe, link=link), rtol=0, atol=1e-6)
    assert bind(recipe, link).width == 3


def test_the_drop_ins_are_undone_or_refused():
    """pos_weight is in no table that a module could hold, and must not be lost."""
    loss = sy.CrossEntropyLoss(weight=torch.tensor([1.0, 5.0, 2.0]))
    z = logits(9, 3).float()
    torch.testing.assert_close(Posterior(loss)(z), sy.posterior(z, loss), rtol=0, atol=1e-6)
    with_weight = sy.BCEWithLogitsLoss(pos_weight=torch.tensor([5.0]))
    for make in (lambda: Posterior(with_weight), lambda: fold(nn.Linear(4, 1), with_weight)):
        with pytest.raises(ValueError, match=r"pos_weight.*multilabel"):
            make()
    recipe = sy.Recipe(weight=[[1.0], [5.0]], kind="multilabel")
    torch.testing.assert_close(Posterior(recipe)(z[:, :1]), sy.posterior(z[:, :1], with_weight), rtol=0, atol=1e-6)
