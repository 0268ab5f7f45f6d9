"""What holds for the loss of every framework, on the same small batch: neutral is plain, names are no numbers, ignored is absent, nothing is 0."""

import os

import numpy as np
import pytest
import torch
from tests.integrations import torchvision_on_cpu  # noqa: F401
from torch.nn import functional as F

import steelyard as sy

os.environ.setdefault("KERAS_BACKEND", "torch")
IGNORED = 99
RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(12, 3)).astype("float32")
LABELS = np.arange(12) % 3
COUNTS = [70, 20, 10]
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning", "ignore:.*never advanced")


def of_torch(recipe):
    loss = sy.CrossEntropy(recipe, ignore_index=IGNORED)
    return lambda z, y: loss(z, y)


def of_sum(recipe):
    """MONAI's layout: labels [B, 1, H, W] as floats."""
    loss = sy.Sum(ce=sy.CrossEntropy(recipe, ignore_index=IGNORED))
    return lambda z, y: loss(z[:, :, None, None], y[:, None, None, None].float())


def of_nnunet(recipe):
    from steelyard.integrations.nnunet import _Pixels

    loss = _Pixels(sy.CrossEntropy(recipe, ignore_index=IGNORED))
    return lambda z, y: loss(z[:, :, None, None], y[:, None, None, None].float())


def of_torchvision(recipe):
    pytest.importorskip("torchvision")
    from steelyard.integrations.torchvision import Segmentation

    loss = Segmentation(sy.CrossEntropy(recipe, ignore_index=IGNORED))
    return lambda z, y: loss({"out": z[:, :, None, None]}, y[:, None, None])


def of_keras(recipe):
    pytest.importorskip("keras")
    loss = sy.keras.CrossEntropy(recipe, from_logits=True, ignore_class=IGNORED)
    return lambda z, y: loss(y, z)


def of_jax(recipe):
    jax = pytest.importorskip("jax.numpy")
    loss = sy.jax.cross_entropy(recipe, ignore_index=IGNORED)

    def call(z, y):
        half = {torch.bfloat16: jax.bfloat16, torch.float16: jax.float16}.get(z.dtype, jax.float32)
        return loss(jax.asarray(z.float().numpy(), dtype=half), y.numpy())

    return call


LOSSES = {
    "torch": of_torch,
    "monai": of_sum,
    "nnunet": of_nnunet,
    "torchvision": of_torchvision,
    "keras": of_keras,
    "jax": of_jax,
}
FIXED = {
    "plain": lambda counts: sy.Recipe(),
    "weights": sy.inverse_frequency,
    "mass": lambda counts: sy.mix(sy.inverse_frequency(counts), sy.Recipe(norm="mass")),
    "all": lambda counts: sy.mix(
        sy.inverse_frequency(counts), sy.logit_adjustment(counts), sy.focal(gamma=1.0), sy.smooth(0.1)
    ),
}


def value(made, recipe, z=LOGITS, y=LABELS, dtype=torch.float32):
    z = torch.as_tensor(np.array(z)).to(dtype)
    return float(LOSSES[made](recipe)(z, torch.as_tensor(np.array(y), dtype=torch.int64)))


@pytest.fixture(params=LOSSES)
def made(request):
    return request.param


@pytest.fixture(params=FIXED)
def recipe(request):
    return FIXED[request.param]


def test_a_neutral_recipe_is_the_plain_loss(made):
    plain = F.cross_entropy(torch.from_numpy(LOGITS), torch.from_numpy(LABELS))
    assert value(made, sy.Recipe()) == pytest.approx(float(plain), rel=1e-6)


def test_every_framework_computes_what_torch_does(made, recipe):
    found = recipe(sy.Counts(COUNTS))
    assert value(made, found) == pytest.approx(value("torch", found), rel=2e-6)


def test_names_of_classes_change_nothing(made, recipe):
    named = recipe(sy.Counts(dict(zip(("well", "ill", "unknown"), COUNTS, strict=True))))
    assert value(made, named) == pytest.approx(value(made, recipe(sy.Counts(COUNTS))), rel=1e-7)


def test_an_ignored_item_is_absent(made, recipe):
    found, y = recipe(sy.Counts(COUNTS)), LABELS.copy()
    y[[1, 5, 6]] = IGNORED
    kept = y != IGNORED
    assert value(made, found, LOGITS, y) == pytest.approx(value(made, found, LOGITS[kept], y[kept]), rel=1e-6)


def test_nothing_is_0(made, recipe):
    found = recipe(sy.Counts(COUNTS))
    assert value(made, found, LOGITS, np.full(12, IGNORED)) == 0
    assert value(made, found, LOGITS[:0], LABELS[:0]) == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_that_of_the_rounded_logits(made, recipe, dtype):
    found = recipe(sy.Counts(COUNTS))
    rounded = torch.from_numpy(LOGITS).to(dtype).float().numpy()
    assert value(made, found, rounded) != value(made, found)
    assert value(made, found, LOGITS, dtype=dtype) == pytest.approx(value(made, found, rounded), rel=2e-6)


@pytest.mark.parametrize(
    "rule",
    [
        lambda: sy.adaptive.Deferred(sy.Recipe(), sy.fixed(weight=[1.0, 2.0, 9.0]), after_epoch=1),
        lambda: sy.adaptive.Seesaw(3),
    ],
    ids=["deferred", "seesaw"],
)
def test_a_rule_serves_or_is_refused_with_the_way_out(made, rule):
    if made in ("keras", "jax"):
        with pytest.raises(TypeError, match="takes a Recipe"):
            value(made, rule())
    else:
        assert value(made, rule()) == pytest.approx(value("torch", rule()), rel=1e-6)
