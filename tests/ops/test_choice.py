"""Which backend computes is chosen. Files: ops/kernels.py."""

import os
import subprocess
import sys

import pytest
import torch

import steelyard as sy
from steelyard.ops import choice, kernels, native, plan
from steelyard.ops.bind import bind

needs_native = pytest.mark.skipif(not native.available(), reason="the native core is not built")


def call():
    torch.manual_seed(0)
    return torch.randn(64, 5, requires_grad=True), torch.randint(5, (64,))


def planned():
    logits, target = call()
    return plan(logits, target, bind(sy.Recipe(weight=[1.0, 2, 3, 4, 5]), "softmax"), None)


def test_eager_is_chosen_until_the_block_ends():
    with sy.backend("eager"):
        assert planned() == ("eager", "the backend 'eager' was chosen")
        assert not kernels.available(torch.device("cpu"))
    assert choice.chosen() == "auto"


@needs_native
def test_without_a_block_it_stays_chosen():
    try:
        sy.backend("eager")
        assert planned().backend == "eager"
        with sy.backend("native"):
            assert planned().backend == "native"
        assert planned().backend == "eager"
    finally:
        sy.backend("auto")
    assert planned().backend == "native"


@needs_native
@pytest.mark.parametrize("norm", ["count", "mass", "sum"])
def test_the_same_numbers(norm):
    loss = sy.CrossEntropy(sy.Recipe(weight=[1.0, 2, 3, 4, 5], target=0.1, norm=norm))
    found = {}
    for name in ("eager", "native"):
        logits, target = call()
        with sy.backend(name):
            value = loss(logits, target)
            value.backward()
        found[name] = torch.cat([value.detach().reshape(1), logits.grad.flatten()])
    assert torch.allclose(*found.values(), rtol=1e-5, atol=1e-6)
    assert not torch.equal(*found.values())  # so that two ways were gone


def test_an_unknown_name_is_refused():
    with pytest.raises(
        ValueError, match=r"steelyard.backend: 'cuda' is no backend; one of auto, eager, native, triton"
    ):
        sy.backend("cuda")
    assert choice.chosen() == "auto"


def test_what_is_not_installed_is_refused(monkeypatch):
    monkeypatch.setattr(choice.core, "load", lambda: None)
    monkeypatch.setattr(choice.importlib.util, "find_spec", lambda name: None)
    for name in ("native", "triton"):
        with pytest.raises(ValueError, match=r"(not built|not installed).*or choose auto or eager"):
            sy.backend(name)
    assert choice.chosen() == "auto"


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_labels_are_looked_at_before_a_device_is_where_that_is_asked_for(link, monkeypatch):
    """Torch's device "meta" computes nothing, as a GPU that has not got to it yet."""
    from steelyard.link import link_of
    from steelyard.losses.functional import explained
    from steelyard.ops.shapes import Call

    shape = (4,) if link == "softmax" else (4, 3)
    call = Call(torch.zeros(4, 3, device="meta"), torch.full(shape, 7), None, 1, True)
    asked = []
    explained("loss", call, link_of(link), -100, lambda: asked.append(1))
    assert asked
    monkeypatch.setenv("STEELYARD_DEBUG", "1")  # shows where an error of a command came from: no step waits for it
    explained("loss", call, link_of(link), -100, lambda: asked.append(1))
    assert len(asked) == 2
    monkeypatch.setenv(choice.LABELS, "1")
    with pytest.raises(ValueError, match="7"):
        explained("loss", call, link_of(link), -100, lambda: asked.append(1))
    assert len(asked) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "said"), [("eager", "eager"), ("", "auto"), ("tritium", "STEELYARD_BACKEND: 'tritium' is no backend")]
)
def test_the_environment_chooses(name, said):
    code = "from steelyard.ops import choice\ntry: print(choice.chosen())\nexcept ValueError as error: print(error)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, choice.VARIABLE: name},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(said)
