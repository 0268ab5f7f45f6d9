"""Keras computes what torch does, trains, and keeps its recipe when a model is saved. On the backend that KERAS_BACKEND names."""

import os

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard import testing
from steelyard.losses.reduction import reduce
from steelyard.ops import bind, reference

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

# Keras reads tensors of torch in a way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

LINKS = ("softmax", "sigmoid")
CASES = [(link, name) for link in LINKS for name in testing.recipes(link)]


def last(x):
    """Our axis of classes, 1, as Keras's, the last."""
    return np.moveaxis(x.numpy(), 1, -1) if x.dim() > 1 else x.numpy()


def made(link, recipe, **options):
    kind = sy.keras.CrossEntropy if link == "softmax" else sy.keras.BinaryCrossEntropy
    return kind(recipe, from_logits=True, **options)


@pytest.mark.parametrize(("link", "name"), CASES)
def test_values_are_those_of_torch(link, name):
    recipe = testing.recipes(link)[name]
    bound = bind(recipe, link)
    for kind, call in testing.calls(link, bound).items():
        found = reference.terms(call.logits, call.target, bound, call.weight, -100)
        wide = link == "sigmoid" or call.target.is_floating_point()
        target = (last(call.target) if wide else call.target.numpy()).astype("float32")
        weight = None if call.weight is None else call.weight.numpy() if link == "softmax" else last(call.weight)
        z = last(call.logits)
        value = float(made(link, recipe, ignore_class=-100)(target, z, weight))
        np.testing.assert_allclose(value, reduce(found, bound.norm, "mean"), rtol=1e-6, err_msg=kind)
        first = np.moveaxis(z, -1, 1)
        moved = np.moveaxis(target, -1, 1) if wide else target
        again = made(link, recipe, ignore_class=-100, axis=1, reduction="sum")
        if link == "softmax" and first.ndim > 2:
            value = float(again(moved, first, weight))
            np.testing.assert_allclose(value, found.loss.sum(), rtol=1e-6, err_msg=kind)


def gradient(loss, target, z):
    """Of loss(target, z) to z, by the backend's own derivative."""
    backend = keras.backend.backend()
    if backend == "torch":
        z = torch.tensor(z, requires_grad=True)
        return torch.autograd.grad(loss(target, z), z)[0]
    if backend == "jax":
        import jax

        return jax.grad(lambda z: loss(target, z))(z)
    import tensorflow as tf

    z = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = loss(target, z)
    return tape.gradient(value, z).numpy()


@pytest.mark.parametrize(("link", "name"), CASES)
def test_gradients_are_those_of_torch(link, name):
    recipe = testing.recipes(link)[name]
    bound = bind(recipe, link)
    jax = keras.backend.backend() == "jax"  # which has no float64 unless it is asked for
    call = testing.calls(link, bound)["rows"]
    call = call.to(torch.float32) if jax else call
    z = call.logits.clone().requires_grad_()
    (expected,) = torch.autograd.grad(reduce(reference.terms(z, call.target, bound, None, -100), bound.norm, "mean"), z)
    found = gradient(made(link, recipe), call.target.float().numpy(), call.logits.numpy())
    near = {"rtol": 1e-5, "atol": 1e-6} if jax else {"rtol": 1e-6, "atol": 1e-9}
    np.testing.assert_allclose(np.asarray(found), expected.numpy(), **near)


def test_probabilities_are_taken_where_the_net_ends_in_them():
    recipe = sy.mix(sy.inverse_frequency(sy.Counts([70, 20, 10])), sy.logit_adjustment(sy.Counts([70, 20, 10])))
    z, y = np.random.default_rng(0).normal(size=(9, 3)), np.arange(9) % 3
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss = sy.keras.CrossEntropy(recipe, from_logits=False)
    expected = sy.CrossEntropy(recipe)(torch.from_numpy(z), torch.from_numpy(y))
    np.testing.assert_allclose(float(loss(y[:, None], p)), expected, rtol=1e-5)
    two = sy.inverse_frequency(sy.Counts([90, 10]))
    loss = sy.keras.BinaryCrossEntropy(two, from_logits=False)
    expected = sy.BinaryCrossEntropy(two)(torch.from_numpy(z[:, 0]), torch.from_numpy(y % 2))
    np.testing.assert_allclose(float(loss(y % 2, 1 / (1 + np.exp(-z[:, :1])))), expected, rtol=1e-5)


def test_labels_of_half_precision_nets_are_not_rounded():
    """As bfloat16, label 257 would be 256."""
    recipe = sy.focal(gamma=1.0)
    z = np.zeros((1, 300), "float32")
    z[0, 257] = 4.0
    exact = sy.CrossEntropy(recipe)(torch.from_numpy(z), torch.tensor([257]))
    found = sy.keras.CrossEntropy(recipe, from_logits=True, dtype="bfloat16")(np.array([257]), z)
    np.testing.assert_allclose(float(found), exact, rtol=1e-5)


def test_a_model_is_trained_saved_and_loaded(tmp_path):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    y = rng.choice(3, 240, p=[0.8, 0.15, 0.05])
    x = (rng.normal(size=(240, 5)) + np.eye(3, 5)[y] * 2).astype("float32")
    recipe = sy.mix(sy.inverse_frequency(sy.Counts(np.bincount(y))), sy.focal(gamma=1.0))
    model = keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(3)])
    model.compile("adam", loss=sy.keras.CrossEntropy(recipe, from_logits=True))
    history = model.fit(x, y, epochs=3, batch_size=40, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert again.loss.recipe == recipe
    assert again.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0))
    # class_weight is not ignored, as it is beside a loss that gives one number
    doubled = model.fit(x, y, epochs=1, batch_size=240, verbose=0, class_weight={0: 2.0, 1: 2.0, 2: 2.0})
    plain = again.fit(x, y, epochs=1, batch_size=240, verbose=0)
    assert doubled.history["loss"][0] == pytest.approx(2 * plain.history["loss"][0], rel=1e-4)


def stepped(recipe, batch, accumulate, y, **options):
    """Weights of a linear net after one optimiser step over 16 rows, less those before."""
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
    before = np.concatenate([w.ravel() for w in model.get_weights()])
    optimizer = keras.optimizers.SGD(0.5, gradient_accumulation_steps=accumulate if accumulate > 1 else None)
    model.compile(optimizer, loss=sy.keras.CrossEntropy(recipe, from_logits=True, ignore_class=-1))
    model.fit(x, y, batch_size=batch, epochs=1, shuffle=False, verbose=0)
    return np.concatenate([w.ravel() for w in model.get_weights()]) - before


def test_keras_averages_micro_batches_which_is_one_batch_where_all_hold_alike_or_a_number_divides():
    def recipe(norm):
        return sy.Recipe(weight=[1.0, 2.0, 9.0], norm=norm)

    y = np.arange(16) % 3
    whole = stepped(recipe("count"), 16, 1, y)
    np.testing.assert_allclose(stepped(recipe("count"), 4, 4, y), whole, rtol=1e-4, atol=1e-6)
    off = {}
    uneven = np.where((np.arange(16) < 7) & (np.arange(16) > 0), -1, y)
    for norm in ("count", "mass"):
        whole = stepped(recipe(norm), 16, 1, uneven)
        parts = stepped(recipe(norm), 4, 4, uneven)
        off[norm] = np.linalg.norm(parts - whole) / np.linalg.norm(whole)
        assert off[norm] > 0.1
    # the mean of four sums over 4 is one sum over 16
    whole = stepped(recipe(16.0), 16, 1, uneven)
    np.testing.assert_allclose(stepped(recipe(4.0), 4, 4, uneven), whole, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: sy.keras.CrossEntropy(sy.focal(2.0)), "from_logits"),
        (lambda: sy.keras.CrossEntropy("focal", from_logits=True), "takes a Recipe"),
        (lambda: made("softmax", sy.focal(2.0), reduction="batchmean"), "reduction must be one of"),
        (lambda: made("softmax", sy.focal(2.0))(np.zeros((4, 2)), np.zeros((4, 3))), r"shape \[4, 3\].*got \[4, 2\]"),
        (lambda: made("softmax", sy.Recipe(weight=[1, 2, 3]))(np.zeros(4), np.zeros((4, 2))), "for 3 classes"),
    ],
)
def test_bad_calls_say_what_to_do(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call()
