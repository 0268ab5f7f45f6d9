"""The kernels in C++ stand for those of a GPU here; tests/laws/test_triton.py breaks the real ones."""

import warnings

import pytest
import torch

import steelyard as sy
from steelyard import testing
from steelyard.ops import bind, eager, native, proof

pytestmark = pytest.mark.skipif(not native.available(), reason="the native core is not built")

RECIPES = [(link, name) for link in ("softmax", "sigmoid") for name in testing.recipes(link)]
DTYPES = [torch.float32, torch.bfloat16, torch.float16]


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    monkeypatch.setattr(proof, "_known", {})


def asked(call, bound, make=native.Call, scale=native.scale):
    return proof.refusal(make, scale, call.logits, call.target, bound, call.weight)


def known(link, name, dtype):
    bound = bind(testing.recipes(link)[name], link)
    for kind, call in testing.calls(link, bound).items():
        call = call.to(dtype, "cpu")
        if not native.refusal(call.logits, call.target, bound, call.weight):
            yield kind, call, bound


def one(dtype=torch.float32, recipe=None):
    torch.manual_seed(0)
    logits, target = torch.randn(64, 5).to(dtype), torch.randint(5, (64,))
    return testing.Call(logits, target, None), bind(recipe or sy.Recipe(weight=[1.0, 2, 3, 4, 5]), "softmax")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("link", "name"), RECIPES)
def test_kernels_that_are_right_pass(link, name, dtype):
    for _, call, bound in known(link, name, dtype):
        assert asked(call, bound) == ""


def _broken(change):
    class Broken(native.Call):
        __slots__ = ()

        def each(self, **buffers):
            super().each(**buffers)
            change(buffers)

        def mean(self, gradient, norm):
            value = super().mean(gradient, norm)
            buffers = {"of_mean": gradient, "mean": value}
            change(buffers)
            return buffers["mean"]

    return Broken


def _scaled(name):
    def change(buffers):
        if buffers.get(name) is not None:
            buffers[name].mul_(1.01)

    return change


def _unwritten(buffers):
    if buffers.get("lse") is not None:
        buffers["lse"][1] = float("nan")


def _raising(buffers):
    raise RuntimeError("triton: no such\n  instruction")


WRONG = {
    **{name: (_scaled(name), f"{name} is off by") for name in ("loss", "mass", "lse", "gradient", "mean")},
    "of_mean": (_scaled("of_mean"), "gradient of the mean is off by"),
    "unwritten": (_unwritten, "lse is off by inf"),
    "raising": (_raising, "they fail with RuntimeError: triton: no such instruction"),
}


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_what_is_wrong_is_left_out_and_said_once(how, dtype):
    change, said = WRONG[how]
    if dtype != torch.float32 and how in ("gradient", "of_mean"):

        def change(buffers, name=how):
            if buffers.get(name) is not None:
                buffers[name].mul_(1.1)  # a hundredth is within what bfloat16 rounds away

    call, bound = one(dtype)
    with pytest.warns(UserWarning, match=f"softmax on cpu.*{said}.*Please report this line.*STEELYARD_BACKEND=eager"):
        why = asked(call, bound, _broken(change))
    assert said in why
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asked(call, bound, _broken(change)) == why


def test_a_scale_that_is_wrong_is_found():
    call, bound = one()
    with pytest.warns(UserWarning, match="gradient of the mean is off"):
        assert asked(call, bound, scale=lambda gradient, factor: gradient)


def test_a_family_is_asked_once_and_another_for_itself():
    asks = []

    class Counting(native.Call):
        def __init__(self, *arguments):
            asks.append(arguments[0].shape)
            super().__init__(*arguments)

    call, bound = one()
    for _ in range(3):
        asked(call, bound, Counting)
    assert len(asks) == 1
    other = bind(sy.Recipe(weight=[5.0, 4, 3, 2, 1]), "softmax")
    asked(call, other, Counting)
    assert len(asks) == 1  # other numbers in the same tables
    for changed in (
        (testing.Call(call.logits.bfloat16(), call.target, None), bound),
        (testing.Call(call.logits, call.target, torch.ones(64)), bound),
        (testing.Call(call.logits.softmax(1), call.logits.softmax(1), None), bound),
        (testing.Call(torch.randn(2, 5, 8, 8), torch.randint(5, (2, 8, 8)), None), bound),
        (testing.Call(torch.randn(64, 16), torch.randint(16, (64,)), None), bind(sy.Recipe(), "softmax")),
        (call, bind(sy.mix(sy.Recipe(weight=[1.0, 2, 3, 4, 5]), sy.focal(gamma=2.0)), "softmax")),
        (call, bind(sy.mix(sy.Recipe(weight=[1.0, 2, 3, 4, 5]), sy.focal(gamma=1.5)), "softmax")),
        (call, bind(sy.Recipe(target=0.1), "softmax")),
    ):
        before = len(asks)
        asked(*changed, Counting)
        assert len(asks) == before + 1


def test_a_large_call_makes_a_small_case_and_leaves_generators_alone():
    sizes = []

    class Counting(native.Call):
        def __init__(self, logits, *rest):
            sizes.append(logits.numel())
            super().__init__(logits, *rest)

    call = testing.Call(torch.zeros(4, 19, 256, 256), torch.zeros(4, 256, 256, dtype=torch.long), None)
    state = torch.get_rng_state()
    assert asked(call, bind(sy.Recipe(), "softmax"), Counting) == ""
    assert sizes[0] <= 4096
    assert torch.equal(state, torch.get_rng_state())


def test_an_empty_call_says_nothing():
    call = testing.Call(torch.zeros(0, 5), torch.zeros(0, dtype=torch.long), None)
    assert asked(call, bind(sy.Recipe(), "softmax"), make=None) == ""
    assert not proof._known


def test_memory_that_ran_out_is_no_verdict():
    def full(*_):
        raise torch.OutOfMemoryError

    call, bound = one()
    with pytest.raises(torch.OutOfMemoryError):
        asked(call, bound, full)
    assert asked(call, bound) == ""


def test_under_autocast_inference_and_grad():
    call, bound = one()
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode():
        assert asked(call, bound) == ""
    live = testing.Call(torch.randn(64, 5).half().requires_grad_(), call.target, None)
    assert asked(live, bound) == ""


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize(("link", "name"), RECIPES)
def test_the_gradient_without_autograd_is_that_of_autograd(link, name, dtype):
    bound = bind(testing.recipes(link)[name], link)
    for call in testing.calls(link, bound).values():
        call = call.to(dtype, "cpu")
        logits = call.logits.clone().requires_grad_()
        terms = eager.terms(logits, call.target, bound, call.weight, -100)
        upstream, through = torch.randn_like(terms.loss), torch.randn_like(terms.lse)
        (right,) = torch.autograd.grad([terms.loss, terms.lse], logits, [upstream, through])
        found = eager.gradient(call.logits, call.target, bound, call.weight, -100, upstream, through)
        assert torch.equal(found, right) or torch.allclose(found, right, rtol=1e-6, atol=1e-7, equal_nan=True)
