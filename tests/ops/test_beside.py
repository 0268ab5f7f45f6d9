"""What a pass does for a rule, in every instruction set, against the same in torch. Files: losses/one_pass.py."""

import math

import pytest
import torch
from tests.adaptive.rules import CASES

import steelyard as sy
from steelyard import adaptive
from steelyard.link import SIGMOID, SOFTMAX
from steelyard.losses import one_pass
from steelyard.ops import beside, bind, fused, native
from steelyard.ops.beside import Beside, Told

pytestmark = [
    pytest.mark.usefixtures("native_core"),
    pytest.mark.skipif(not beside.AVAILABLE, reason="the native core was built before"),
]
SETS = native._native.sets() if native.available() else []
SHAPES = ((70, 10), (40, 100), (2, 5, 11, 13), (3, 30, 40))
PLAIN = sy.Recipe()
TABLE = torch.linspace(0.5, 2.0, 30)


@pytest.fixture(params=SETS, autouse=True)
def _instructions(request):
    before = native._native.current()
    native._native.choose(request.param)
    yield
    native._native.choose(before)


def passed(z, y, link, asked, weight=None, recipe=PLAIN):
    """(loss, gradient, what was told)"""
    z = z.clone().requires_grad_()
    told = asked._replace(out=torch.empty(link.items(z.shape))) if asked.told else asked
    loss = fused.reduced(native.KERNELS, z, y, bind(recipe, link), weight, -100, "count", False, told)
    return loss.detach(), torch.autograd.grad(loss, z)[0], Told(told.out, z, y, weight, link, -100)


def plainly(z, y, link, weight=None, recipe=PLAIN):
    return passed(z, y, link, Beside(), weight, recipe)[:2]


def softmax_data(shape):
    torch.manual_seed(0)
    z, y = 3 * torch.randn(shape), torch.randint(0, shape[1], (shape[0], *shape[2:]))
    y.view(-1)[3] = -100
    weight = torch.rand(y.shape)
    weight.view(-1)[5] = 0
    p = z.double().softmax(1).gather(1, y.clamp(min=0).unsqueeze(1)).squeeze(1)
    return z, y, weight, p, (y != -100) & (weight != 0)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_softmax_tells_of_its_labels(shape):
    z, y, weight, p, valid = softmax_data(shape)
    for told, expected in (("missed", 1 - p), ("size", 1 - p), ("surprise", -p.log())):
        values = passed(z, y, SOFTMAX, Beside(told), weight)[2]
        assert bool((values.values.isnan() == ~valid).all())
        torch.testing.assert_close(values.values[valid].double(), expected[valid], rtol=1e-5, atol=1e-6)
        each = torch.stack([torch.ones_like(p), values.values.double()])[:, valid]
        by_hand = torch.zeros(2, shape[1]).double().index_add(1, y[valid], each)
        torch.testing.assert_close(values.sums(), by_hand)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", ["int64", "int32", "bool", "soft"])
def test_a_sigmoid_tells_of_either_outcome(shape, kind):
    torch.manual_seed(0)
    z, y = 6 * torch.randn(shape), torch.rand(shape)
    if kind != "soft":
        y = (y > 0.7).to(getattr(torch, kind))
    if kind.startswith("int"):
        y.view(-1)[5] = -100
    valid = (y != -100).double()
    t, u = y.double() * valid, z.double()
    told = passed(z, y, SIGMOID, Beside("missed"))[2]
    expected = torch.stack([1 - t, t, (1 - t) * u.sigmoid(), t * (-u).sigmoid()]) * valid
    sums = expected.transpose(1, 2).reshape(4, shape[1], -1) if len(shape) > 2 else expected.transpose(1, 2)
    torch.testing.assert_close(told.sums(), sums.sum(dim=2), rtol=1e-5, atol=1e-5)
    size = passed(z, y, SIGMOID, Beside("size"))[2].values
    assert size is not None
    torch.testing.assert_close(size[valid > 0].double(), (u.sigmoid() - t).abs()[valid > 0], rtol=1e-5, atol=1e-6)


def test_an_outcome_that_is_nearly_certain_keeps_its_digits():
    z, y = torch.tensor([[40.0, -40.0], [40.0, -40.0]]), torch.tensor([[1, 0], [1, 0]])
    sums = passed(z, y, SIGMOID, Beside("missed"))[2].sums()
    small = math.exp(-40)
    torch.testing.assert_close(sums[2:], torch.tensor([[0, 2 * small], [2 * small, 0]]).double(), rtol=1e-5, atol=0.0)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_items_count_by_the_size_of_their_gradient(shape):
    z, y, weight, _, _ = softmax_data(shape)
    size = passed(z, y, SOFTMAX, Beside("size"), weight)[2]
    counts = size.regions(30)
    there = size.values[~size.values.isnan()]
    region = (there * 30).long().clamp(0, 29)
    assert counts.tolist() == torch.bincount(region, minlength=30).tolist()
    times = TABLE[(size.values.nan_to_num(0) * 30).long().clamp(0, 29)]
    got = passed(z, y, SOFTMAX, Beside(regions=TABLE), weight)
    torch.testing.assert_close(got[:2], plainly(z, y, SOFTMAX, weight * times), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("bins", [30, 40])
@pytest.mark.parametrize("curve", [None, sy.curves.Focal(2.0), sy.curves.Asymmetric(1.0, 4.0)], ids=repr)
def test_outcomes_count_by_the_size_of_their_gradient(shape, bins, curve):
    torch.manual_seed(0)
    z, y, table = 3 * torch.randn(shape), torch.rand(shape) > 0.7, torch.linspace(0.5, 2.0, bins)
    recipe = sy.Recipe(weight=[0.5, 2.0], curve=curve)
    loss, gradient, told = passed(z, y, SIGMOID, Beside("size", regions=table), recipe=recipe)
    torch.testing.assert_close(told.values, (z.sigmoid() - y.float()).abs(), rtol=1e-5, atol=1e-6)
    times = table[(told.values * bins).long().clamp(0, bins - 1)]
    by_hand = plainly(z, y, SIGMOID, times, recipe)
    torch.testing.assert_close((loss, gradient), by_hand, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_logits_above_the_label_are_raised(shape):
    z, y, weight, *_ = softmax_data(shape)
    rule = adaptive.Seesaw(shape[1])
    got = passed(z, y, SOFTMAX, rule.beside(), weight)
    raised = rule.adjust(z, y)
    assert bool((raised != z).any())
    torch.testing.assert_close(got[:2], plainly(raised, y, SOFTMAX, weight), rtol=1e-5, atol=1e-7)


def test_any_number_of_threads_finds_the_same(monkeypatch):
    monkeypatch.setattr(beside, "WORTH_A_THREAD", 1000)
    monkeypatch.setattr(native, "WORTH_A_THREAD", 1000)
    torch.manual_seed(0)
    z, y = torch.randn(2**17, 3), torch.randint(0, 3, (2**17,))
    yes = torch.randint(0, 2, z.shape)
    before, found = torch.get_num_threads(), []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        softmax = passed(z, y, SOFTMAX, Beside("size"))[2]
        sigmoid = passed(z, yes, SIGMOID, Beside("missed"))[2]
        found.append([*softmax.sums().flatten(), *softmax.regions(30), *sigmoid.sums().flatten()])
    torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]


BESIDE = [n for n, case in CASES.items() if case.loss().rule.beside() is not None]


@pytest.mark.parametrize("name", BESIDE)
def test_a_rule_is_served_in_one_pass_and_its_gradient_has_a_gradient(name, monkeypatch):
    case, asked = CASES[name], []
    rule = case.loss().rule
    monkeypatch.setattr(type(rule), "observe", lambda *a: asked.append("observe"))
    x, y = case.data(dtype=torch.float32)
    one, other = case.loss(), case.loss()
    one(case.logits(x), y), other(case.logits(x), y)
    assert not asked
    z = case.logits(x).requires_grad_()
    (first,) = torch.autograd.grad(one(z, y), z, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), z)
    monkeypatch.setattr(one_pass, "kernels", None)  # any use of it is an error
    monkeypatch.setattr(type(rule), "beside", lambda self: None)
    (expected,) = torch.autograd.grad(other(z, y), z, create_graph=True)
    torch.testing.assert_close(first, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(second, torch.autograd.grad(expected.square().sum(), z)[0], rtol=1e-3, atol=1e-6)


def test_a_subclass_that_says_otherwise_is_asked():
    class Mine(adaptive.BatchStatistics):
        def observe(self, logits, target):
            return super().observe(logits, target) * 0

    assert Mine(3).beside() is None
    assert adaptive.BatchStatistics(3).beside() is not None
