"""The native kernels: the reference's numbers in every instruction set, shape and thread count, and its manners.

Files: ops/fused.py, ops/kernels.py, ops/plan.py, ops/tables.py.
"""

import copy
import pickle
import sys

import numpy as np
import pytest
import torch
from tests.laws.oracle import same, sample

import steelyard as sy
from steelyard import testing
from steelyard.ops import bind, fused, native, plan

planning = sys.modules["steelyard.ops.plan"]  # the name in the package is the function

pytestmark = pytest.mark.usefixtures("native_core")
SETS = native._native.sets() if native.available() else []


@pytest.fixture(params=SETS)
def instructions(request):
    before = native._native.current()
    native._native.choose(request.param)
    yield request.param
    native._native.choose(before)


def test_every_instruction_set_is_the_reference_in_every_dtype(instructions):
    testing.check_backend("native")


def every_set():
    """Each instruction set in turn: what it is held to is computed once."""
    before = native._native.current()
    for instructions in SETS:
        native._native.choose(instructions)
        yield instructions
    native._native.choose(before)


WIDTHS = [2, 3, 7, 16, 17, 31, 64, 95, 96, 97, 112, 113, 128, 129, 500]
NARROW = [(classes, dtype) for classes in (3, 17, 96, 113, 500) for dtype in (torch.bfloat16, torch.float16)]


# the other types differ in how numbers are read and written, at a whole vector and at its tail
@pytest.mark.parametrize(("classes", "dtype"), [*((c, torch.float32) for c in WIDTHS), *NARROW], ids=str)
def test_every_number_of_classes_and_every_tail(classes, dtype):
    torch.manual_seed(classes)
    recipes = [
        sy.Recipe(),
        sy.Recipe(weight=torch.rand(classes).add(0.5).tolist(), target=0.1),
        sy.Recipe(scale=1.7, offset=0.3, target=0.1),
        sy.Recipe(scale=[torch.rand(classes).add(0.5).tolist()], offset=[torch.randn(classes).tolist()]),
        sy.Recipe(margin=torch.rand(classes).tolist(), curve=sy.curves.Focal(1.5), target=0.2),
    ]
    for shape in ((1, classes), (37, classes), (2, classes, 1), (2, classes, 3, 5), (1, classes, 130)):
        z, y = sample(shape, dtype, seed=classes)
        for recipe in recipes:
            bound = bind(recipe, "softmax")
            same(native.KERNELS, z, y, bound, ways=every_set)
            probabilities = torch.rand(shape)
            if not bound.label_dependent:
                same(native.KERNELS, z, probabilities, bound, ways=every_set)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("shape", [(1,), (40,), (5, 3), (9, 17), (2, 3, 50), (3, 1, 7), (2, 40, 2)], ids=str)
def test_every_shape_of_yes_and_no(shape, dtype):
    torch.manual_seed(len(shape))
    K = shape[1] if len(shape) > 1 else 1
    z = (torch.randn(shape) * 4).to(dtype)
    recipes = [
        sy.Recipe(weight=[0.5, 3.0]),
        sy.Recipe(curve=sy.curves.Asymmetric()),
        sy.Recipe(weight=[torch.rand(K).add(0.5).tolist()], offset=[0.3, -1.0], target=0.1, curve=sy.curves.Focal(0.5)),
    ]
    y = torch.randint(0, 2, shape)
    y.view(-1)[0] = -100
    for recipe in recipes:
        for target in (y, torch.rand(shape)):
            same(native.KERNELS, z, target, bind(recipe, "sigmoid"), ways=every_set)


@pytest.mark.parametrize("shares", [torch.float32, torch.bfloat16, torch.float16, torch.float64], ids=str)
@pytest.mark.parametrize("shape", [(1100,), (40, 33), (2, 3, 700)], ids=str)
def test_shares_of_nothing_or_all_are_labels_and_others_among_them_are_not(shape, shares):
    """Beyond a block of vectors in every instruction set; soft, ignored and weighed blocks among blocks of plain labels."""
    torch.manual_seed(1)
    K = shape[1] if len(shape) > 1 else 1
    z, y = torch.randn(shape) * 4, torch.randint(0, 2, shape)
    z.view(-1)[:4] = torch.tensor([1e4, -1e4, 1e4, -1e4])
    y.view(-1)[:4] = torch.tensor([1, 0, 0, 1])
    recipes = [
        sy.Recipe(weight=[0.5, 3.0]),
        sy.Recipe(scale=[[1.5], [0.5]], offset=[torch.randn(K).tolist()], curve=sy.curves.Focal(2.0)),
        sy.Recipe(weight=[torch.rand(K).add(0.5).tolist()], margin=[0.1, 0.4], curve=sy.curves.Asymmetric()),
        sy.Recipe(curve=sy.curves.Focal(0.7)),
    ]
    some_soft = y.to(shares)
    some_soft.view(-1)[-3] = 0.25
    some_ignored = y.clone()
    some_ignored.view(-1)[-700::50] = -100
    for recipe in recipes:
        bound = bind(recipe, "sigmoid")
        for target in (y, y.to(shares), some_ignored, *([] if bound.label_dependent else [some_soft])):
            same(native.KERNELS, z, target, bound, ways=every_set)


@pytest.mark.parametrize("shape", [(3000, 10), (500, 400), (3, 5, 100, 120)], ids=str)
def test_the_number_of_threads_changes_no_bit(shape, monkeypatch):
    z, y = sample(shape, torch.float32)
    bound = bind(sy.Recipe(weight=torch.rand(shape[1]).add(0.5).tolist()), "softmax")
    monkeypatch.setattr(native, "WORTH_A_THREAD", 1000)
    before, results = torch.get_num_threads(), []
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        x = z.clone().requires_grad_()
        loss = fused.reduced(native.KERNELS, x, y, bound, None, -100, "mass")
        results.append((loss.detach(), torch.autograd.grad(loss, x)[0]))
    torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", [(2, 3, 700_000), (4300, 1000)], ids=str)
def test_a_large_gradient_takes_the_memory_of_one_that_is_gone(shape, dtype):
    torch.manual_seed(0)
    z, y = torch.randn(shape).to(dtype), torch.randint(0, shape[1], (shape[0], *shape[2:]))
    y.view(-1)[::7] = -100
    loss = sy.CrossEntropy(sy.mix(sy.Recipe(weight=[1.5] * shape[1]), sy.smooth(0.1)))

    def gradient():
        x = z.clone().requires_grad_()
        loss(x, y).backward()
        return x.grad

    first, exact = gradient(), z.double().requires_grad_()
    (1.5 * torch.nn.functional.cross_entropy(exact, y, label_smoothing=0.1)).backward()
    scale = exact.grad.abs().max()
    assert (first.double() - exact.grad).abs().max() < scale * (1e-6 if dtype == torch.float32 else 4e-3)
    second = gradient()  # while the first is there
    assert torch.equal(first, second)
    addresses = {first.data_ptr(), second.data_ptr()}
    assert len(addresses) == 2
    kept = second.clone()
    del first
    third = gradient()
    assert addresses - {second.data_ptr()} == {third.data_ptr()}
    assert torch.equal(third, kept)
    assert torch.equal(second, kept)
    del second, third
    native.drop()  # back to the system, twice if someone likes
    native.drop()
    assert torch.equal(gradient(), kept)


def test_what_is_ignored_may_hold_anything():
    z, y = sample((20, 150), torch.float32)
    z[y == -100] = torch.nan
    x = z.requires_grad_()
    loss = sy.CrossEntropy()(x, y)
    loss.backward()
    assert loss.isfinite()
    assert (x.grad[y == -100] == 0).all()
    assert x.grad.isfinite().all()


def test_a_second_backward_and_a_gradient_of_the_gradient():
    z, y = sample((20, 12), torch.float32)
    x = z.requires_grad_()
    loss = sy.CrossEntropy(sy.focal(gamma=2.0))(x, y)
    (first,) = torch.autograd.grad(loss, x, retain_graph=True)
    (second,) = torch.autograd.grad(2 * loss, x, retain_graph=True)
    torch.testing.assert_close(second, 2 * first)
    (third,) = torch.autograd.grad(loss, x, create_graph=True)
    torch.testing.assert_close(third, first, rtol=1e-5, atol=1e-7)
    assert torch.autograd.grad(third.square().sum(), x)[0].abs().max() > 0


def test_logits_that_were_changed_since_are_refused():
    z, y = sample((20, 12), torch.float32)
    x = (z.requires_grad_() * 1.0).relu()
    loss = sy.CrossEntropy()(x, y)
    with torch.no_grad():
        x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_tables_that_change_are_seen_and_copies_work():
    z, y = sample((40, 4), torch.float32)
    loss = sy.CrossEntropy(sy.fixed(weight=[1.0, 2.0, 3.0, 4.0]))
    first = loss(z, y)
    twin, sent = copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))  # our own bytes
    assert twin(z, y) == sent(z, y) == first
    loss.weight_0.mul_(torch.tensor([1.0, 5.0, 1.0, 1.0]))
    assert loss(z, y) != first
    assert twin(z, y) == first


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (2, 200)], ids=str)
def test_a_label_that_is_no_class_is_named(shape):
    z, y = sample(shape, torch.float32)
    y.view(-1)[-1] = shape[1]
    with pytest.raises(ValueError, match=f"target has label {shape[1]} but the logits have {shape[1]} classes"):
        sy.CrossEntropy()(z, y)


def test_transforms_and_learned_tables_go_elsewhere():
    z, y = sample((6, 3), torch.float32)
    loss = sy.CrossEntropy()
    by_func = torch.func.grad(lambda x: loss(x, y))(z)
    x = z.clone().requires_grad_()
    loss(x, y).backward()
    torch.testing.assert_close(by_func, x.grad)
    learned = bind(sy.Recipe(weight=torch.nn.Parameter(torch.ones(3))), "softmax")
    assert plan(z, y, learned, None).backend == "reference"
    assert plan(z.double(), y, loss.bound(), None).backend == "eager"
    assert plan(z, y, loss.bound(), None).backend == "native"


@pytest.mark.parametrize("shape", [(7, 3), (5, 200), (2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_logits_may_be_consumed(link, shape):
    make = sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy
    z, y = sample(shape, torch.float32)
    y = y if link == "softmax" else (z > 0).long()
    x = z.clone().requires_grad_()
    recipe = sy.focal(gamma=2.0)
    (3 * make(recipe)(2 * x, y)).backward()
    kept, x.grad = x.grad, None
    logits = 2 * x
    loss = make(recipe, consume_logits=True)(logits, y)
    assert not torch.equal(logits, 2 * z)
    (3 * loss).backward()
    torch.testing.assert_close(x.grad, kept)


def test_consumed_logits_refuse_what_would_be_wrong():
    z, y = sample((20, 12), torch.float32)
    loss = sy.CrossEntropy(consume_logits=True)
    x = z.requires_grad_()
    for leaf in (x, x.view(20, 12)):
        with pytest.raises(
            RuntimeError, match=r"CrossEntropy: consume_logits=True .* leaf .* leave consume_logits out"
        ):
            loss(leaf, y)
    logits = x.exp()  # whose own backward pass needs it
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss(logits, y).backward()
    one = loss(x * 1.0, y)
    one.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="the logits are gone"):
        one.backward()
    with pytest.raises(RuntimeError, match="the logits are gone"):
        torch.autograd.grad(loss(x * 1.0, y), x, create_graph=True)


def test_logits_without_a_gradient_are_not_consumed():
    z, y = sample((20, 12), torch.float32)
    before, loss = z.clone(), sy.CrossEntropy(consume_logits=True)
    loss(z, y)
    with torch.no_grad():
        loss(z.requires_grad_() * 1.0, y)
    assert torch.equal(z, before)
    logits = z.detach().double().requires_grad_() * 1.0  # not the kernels' type
    loss(logits, y).backward()
    assert torch.equal(logits, before.double())


def test_where_it_is_missing_the_first_large_call_says_so_once(monkeypatch, recwarn):
    monkeypatch.setattr(native, "_native", None)
    monkeypatch.setattr(planning, "LARGE", 100)
    monkeypatch.setattr(planning, "_said", False)
    loss = sy.CrossEntropy()
    z, y = sample((20, 4), torch.float32)
    loss(z, y)
    assert not recwarn.list
    z, y = sample((50, 4), torch.float32)
    values = [loss(z, y) for _ in range(3)]
    (warning,) = recwarn.list
    assert "the native core is not built" in str(warning.message)
    assert values[0].isfinite()


def _unaligned(t: torch.Tensor) -> torch.Tensor:
    """The same numbers from an odd address on, as in a packed record or a file that is mapped."""
    words = t.view(torch.int16) if t.dtype in (torch.bfloat16, torch.float16) else t
    array = words.numpy()
    view = np.empty(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    found = torch.from_numpy(view)
    assert found.data_ptr() % 2 == 1
    return found.view(t.dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("shape", [(33, 5), (5, 130), (2, 3, 5, 7)], ids=str)
def test_numbers_may_lie_at_any_address(shape, dtype):
    z, y = sample(shape, dtype)
    soft, weight = torch.randn(shape).softmax(1), torch.rand(y.shape)
    yes = torch.randint(0, 2, shape)
    bounds = {kind: bind(sy.Recipe(target=0.1, curve=sy.curves.Focal(2.0)), kind) for kind in ("softmax", "sigmoid")}
    calls = [("softmax", t) for t in (y, y.int(), soft)] + [("sigmoid", t) for t in (yes, yes.int(), soft)]
    for kind, target in calls:
        s = weight if kind == "softmax" else torch.rand(shape)
        expected = native.terms(z, target, bounds[kind], s, -100)
        found = native.terms(_unaligned(z), _unaligned(target), bounds[kind], _unaligned(s), -100)
        for a, b in zip(found, expected, strict=True):
            assert torch.equal(a, b)


# as many items as are computed together, and some more; symmetric cross-entropy, a scale of each label, weights of 0
LABELLED = {
    "rows": ("softmax", (300, 5), {"curve": sy.curves.Symmetric(), "target": 0.1}),
    "wide rows": ("softmax", (70, 130), {"curve": sy.curves.Symmetric(), "target": 0.1}),
    "planes": ("softmax", (2, 5, 7, 40), {}),
    "many labels": ("sigmoid", (300, 5), {"scale": [[1.0], [1.5]], "curve": sy.curves.Asymmetric()}),
    "one logit": ("sigmoid", (700,), {"weight": [1.0, 5.0]}),
}


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8, torch.float32], ids=str)
def test_every_type_of_label_with_and_without_weights(name, dtype):
    link, shape, fields = LABELLED[name]
    torch.manual_seed(0)
    bound = bind(sy.Recipe(**fields), link)
    items = (shape[0], *shape[2:]) if link == "softmax" else shape
    y = torch.randint(shape[1] if link == "softmax" else 2, items)
    if dtype == torch.float32:
        y = (torch.randn(shape) * 2).softmax(1) if link == "softmax" else torch.rand(shape)
    elif dtype != torch.uint8:
        y.view(-1)[:2] = -100
    for logits in (torch.float32, torch.bfloat16):
        z = (torch.randn(shape) * 3).to(logits)
        for weight in (None, torch.rand(items) * (torch.rand(items) > 0.2)):
            for norm in ("count", "mass"):
                same(native.KERNELS, z, y.to(dtype), bound, weight, norm, ways=every_set)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8], ids=str)
def test_a_label_of_any_type_that_is_no_class_is_named(dtype):
    for loss, shape in ((sy.CrossEntropy(), (300,)), (sy.BinaryCrossEntropy(), (300, 5))):
        y = torch.zeros(shape, dtype=dtype)
        y.view(-1)[-3] = 7
        with pytest.raises(ValueError, match="7"):
            loss(torch.zeros(300, 5), y)


def test_a_gradient_too_large_for_the_caches():
    """Written past them, into large pages: torch's cross-entropy is the oracle."""
    torch.manual_seed(0)
    z, y = torch.randn(1, 4, 1032, 1024).requires_grad_(), torch.randint(4, (1, 1032, 1024))
    expected = torch.nn.functional.cross_entropy(z, y)
    (right,) = torch.autograd.grad(expected, z)
    for _ in every_set():
        loss = sy.CrossEntropy()(z, y)
        (found,) = torch.autograd.grad(loss, z)
        assert torch.isclose(loss, expected, rtol=1e-5)
        assert torch.allclose(found, right, rtol=1e-4, atol=1e-11)
