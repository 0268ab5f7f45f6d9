"""JAX computes what torch does: every recipe, every kind of call, value and gradient; compiled, mapped and one row at a time.

Files: ops/arrays.py, ops/as_tensor.py.
"""

import dataclasses
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard import testing
from steelyard.losses.reduction import reduce
from steelyard.ops import bind, reference

jax = pytest.importorskip("jax")
jnp = jax.numpy

LINKS = ("softmax", "sigmoid")
CASES = [(link, name) for link in LINKS for name in testing.recipes(link)]


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def last(x):
    """Our axis of classes, 1, as JAX's, the last."""
    return np.moveaxis(x.numpy(), 1, -1) if x.dim() > 1 else x.numpy()


def made(link, recipe, **options):
    return (sy.jax.cross_entropy if link == "softmax" else sy.jax.binary_cross_entropy)(recipe, **options)


@pytest.mark.parametrize(("link", "name"), CASES)
def test_values_and_gradients_are_those_of_torch(link, name):
    recipe = testing.recipes(link)[name]
    bound = bind(recipe, link)
    for kind, call in testing.calls(link, bound).items():
        call = call.to(torch.float64)
        z = call.logits.clone().requires_grad_()
        found = reference.terms(z, call.target, bound, call.weight, -100)
        loss = made(link, recipe)
        wide = link == "sigmoid" or call.target.is_floating_point()
        target = jnp.asarray(last(call.target) if wide else call.target.numpy())
        weight = (
            None
            if call.weight is None
            else jnp.asarray(call.weight.numpy() if link == "softmax" else last(call.weight))
        )
        logits = jnp.asarray(last(call.logits))
        total = reduce(found, bound.norm, "mean", None)
        (gradient,) = torch.autograd.grad(total, z)
        value, ours = jax.value_and_grad(loss)(logits, target, weight)
        np.testing.assert_allclose(value, total.detach(), rtol=1e-12, err_msg=kind)
        np.testing.assert_allclose(ours, last(gradient), rtol=1e-9, atol=1e-13, err_msg=kind)
        each = made(link, recipe, reduction="none")(logits, target, weight)
        np.testing.assert_allclose(
            each, found.loss.detach() if link == "softmax" else last(found.loss.detach()), rtol=1e-12
        )


@pytest.mark.parametrize("link", LINKS)
def test_rows_are_mapped_and_what_is_ignored_has_no_say(link):
    recipe = testing.recipes(link)["everything"]
    bound = bind(recipe, link)
    call = testing.calls(link, bound)["rows"]
    z, y = jnp.asarray(call.logits.numpy()), jnp.asarray(call.target.numpy())
    each = made(link, recipe, reduction="none")
    np.testing.assert_allclose(jax.vmap(each)(z, y), each(z, y), rtol=1e-12)
    y = y.at[2].set(-100)
    bad = z.at[2].set(jnp.nan)
    value, gradient = jax.value_and_grad(made(link, recipe))(bad, y)
    kept = jnp.arange(len(z)) != 2
    np.testing.assert_allclose(value, made(link, recipe)(z[kept], y[kept]), rtol=1e-12)
    assert np.isfinite(gradient).all()
    assert (gradient[2] == 0).all()
    nothing, none = jax.value_and_grad(made(link, recipe))(z, jnp.full_like(y, -100))
    assert nothing == 0
    assert (none == 0).all()


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("size", [40.0, 1e3, 1e30])
def test_every_finite_logit_has_a_finite_loss_and_gradient(link, size):
    for name, recipe in testing.recipes(link).items():
        bound = bind(recipe, link)
        call = testing.calls(link, bound, size=1.0)["rows"]
        z = jnp.asarray(np.sign(call.logits.numpy()) * size, dtype=jnp.float32)
        value, gradient = jax.value_and_grad(made(link, recipe))(z, jnp.asarray(call.target.numpy()))
        removed = any("-inf" in str(part) for part in (recipe.offset.numpy().tolist() if recipe.offset else []))
        assert removed or bool(jnp.isfinite(value)), name
        assert np.isfinite(gradient).all(), name


def test_half_precision_is_computed_in_float32():
    loss = sy.jax.cross_entropy(sy.focal(gamma=2.0))
    z = jnp.asarray([[0.0, 3.0, 1.0]], dtype=jnp.bfloat16)
    assert loss(z, jnp.asarray([1])).dtype == jnp.float32
    assert jax.grad(loss)(z, jnp.asarray([1])).dtype == jnp.bfloat16


def test_two_exclusive_classes_have_one_logit():
    recipe = sy.mix(sy.inverse_frequency(sy.Counts([90, 10])), sy.logit_adjustment(sy.Counts([90, 10])))
    z, y = np.linspace(-3, 3, 7), np.arange(7) % 2
    expected = sy.BinaryCrossEntropy(recipe)(torch.from_numpy(z), torch.from_numpy(y))
    np.testing.assert_allclose(sy.jax.binary_cross_entropy(recipe)(z, y), expected, rtol=1e-12)


def test_a_net_is_trained_as_in_torch():
    """Gradient descent on a linear model: the same weights after twenty steps."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)), rng.choice(3, 60, p=[0.7, 0.2, 0.1])
    recipe = sy.mix(sy.effective_number(sy.Counts(np.bincount(y))), sy.focal(gamma=1.5))
    loss = sy.jax.cross_entropy(recipe)
    step = jax.jit(lambda w: w - 0.5 * jax.grad(lambda w: loss(x @ w, y))(w))
    ours, theirs = jnp.zeros((4, 3)), torch.zeros(4, 3, dtype=torch.float64, requires_grad=True)
    for _ in range(20):
        ours = step(ours)
        (gradient,) = torch.autograd.grad(
            sy.CrossEntropy(recipe)(torch.from_numpy(x) @ theirs, torch.from_numpy(y)), theirs
        )
        theirs = (theirs - 0.5 * gradient).detach().requires_grad_()
    np.testing.assert_allclose(ours, theirs.detach(), rtol=1e-9)


@dataclasses.dataclass(frozen=True)
class Tangent:
    def value(self, logp, q):
        return q.tanh()

    def slope(self, logp, q):
        return -logp.exp()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: sy.jax.cross_entropy(sy.focal(2.0))(jnp.zeros((4, 3)), jnp.zeros((4, 1), int)), r"shape \[4\].*got \[4, 1\]"),
        (lambda: sy.jax.cross_entropy(sy.focal(2.0))(jnp.zeros((4, 3)), jnp.zeros(4)), r"probabilities.*\[4, 3\]"),
        (lambda: sy.jax.cross_entropy(sy.Recipe(weight=[1, 2, 3]))(jnp.zeros((4, 2)), jnp.zeros(4, int)), "for 3 classes"),
        (lambda: sy.jax.cross_entropy(sy.focal(2.0), reduction="batchmean"), "reduction must be one of"),
        (lambda: sy.jax.cross_entropy({"weight": 2}), "takes a Recipe"),
        (lambda: sy.jax.cross_entropy(sy.Recipe(weight=torch.ones(3, requires_grad=True)))(jnp.zeros((4, 3)), jnp.zeros(4, int)), "being learned"),
        (lambda: sy.jax.cross_entropy(sy.Recipe(curve=Tangent()))(jnp.zeros((4, 3)), jnp.zeros(4, int)), "written for torch.*tanh"),
    ],
)  # fmt: skip
def test_bad_calls_say_what_to_do(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call()


@pytest.mark.parametrize("norm", ["count", "mass"])
def test_sums_of_micro_batches_over_their_common_mass_are_one_batch(norm):
    recipe = sy.Recipe(weight=[1.0, 2.0, 9.0], norm=norm)
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(12, 3)).astype("float32"), np.where(np.arange(12) < 3, -100, np.arange(12) % 3)
    mean, total = (sy.jax.cross_entropy(recipe, reduction=r) for r in ("mean", "sum"))
    mass = float(sy.global_mass([torch.from_numpy(y[:4]), torch.from_numpy(y[4:])], recipe))
    whole = jax.value_and_grad(mean)(z, y)
    parts = [jax.value_and_grad(lambda z, y: total(z, y) / mass)(z[i], y[i]) for i in (slice(0, 4), slice(4, 12))]
    np.testing.assert_allclose(parts[0][0] + parts[1][0], whole[0], rtol=1e-5)
    np.testing.assert_allclose(np.concatenate([p[1] for p in parts]), whole[1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_row_that_is_masked_entirely_counts_for_nothing(reduction):
    z = jnp.array([[1.0, 2.0, 3.0], [-jnp.inf] * 3, [0.5, -jnp.inf, 1.0]])
    y, kept = jnp.array([0, 1, 2]), jnp.array([0, 2])
    loss = sy.jax.cross_entropy(sy.mix(sy.fixed(weight=[1.0, 2.0, 3.0]), sy.smooth(0.0)), reduction=reduction)
    found = loss(z, y)
    expected = loss(z[kept], y[kept])
    np.testing.assert_allclose(found if reduction != "none" else found[kept], expected, rtol=1e-6)
    gradient = jax.grad(lambda z: loss(z, y).sum())(z)
    assert np.isfinite(gradient).all()
    assert not gradient[1].any()
    if reduction == "none":
        assert found[1] == 0


@pytest.mark.slow
def test_two_devices_are_one():
    """Arrays whose rows lie on two devices, one of them with few labels; Keras by its own DataParallel."""
    if importlib.util.find_spec("keras") is None:
        pytest.skip("keras is not installed")
    program = Path(__file__).parent / "sharded_runs.py"
    run = subprocess.run([sys.executable, "-W", "ignore", str(program)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert set(found) == {"jax count", "jax mass", "keras count", "keras mass"}
    for one, two in found.values():
        np.testing.assert_allclose(two, one, rtol=1e-6, atol=1e-6)
