"""Gradient and curvature against finite differences of the loss, for every recipe; what boosters hand over."""

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard import testing
from steelyard.losses.slopes import repeated
from steelyard.ops import bind

STEP = 2e-3
FIRST = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}  # order 4
SECOND = {-2: -1 / 12, -1: 4 / 3, 0: -5 / 2, 1: 4 / 3, 2: -1 / 12}
SUBJECTS = [(link, name) for link in ("softmax", "sigmoid") for name in testing.recipes(link)]
CONVEX = (
    "plain",
    "weight-per-label",
    "weight-table",
    "offset-table",
    "scale-per-label",
    "margin",
    "smooth",
    "smooth-per-label",
)


def of(link, name):
    recipe = testing.recipes(link)[name]
    loss = (sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy)(recipe, reduction="none")
    return recipe, loss, testing.calls(link, bind(recipe, link), seed=5, size=2.0)


def differences(loss, logits, target, weight, stencil, power):
    """Of every coordinate of the class axis at once, one after the other; the sum over rows keeps each row its own."""
    out = torch.zeros_like(logits)
    for k in range(logits.shape[1]):
        along = torch.zeros_like(logits)
        along[:, k] = 1.0
        moved = (
            sum(c * loss(logits + i * STEP * along, target, weight=weight) for i, c in stencil.items()) / STEP**power
        )
        out[:, k] = moved if moved.dim() < logits.dim() else moved[:, k]
    return out


@pytest.mark.parametrize(("link", "name"), SUBJECTS)
def test_they_are_finite_differences_of_the_loss(link, name):
    recipe, loss, calls = of(link, name)
    for kind, (logits, target, weight) in calls.items():
        if logits.dim() < 2:
            continue
        gradient, curvature = sy.slopes(loss, logits, target, weight=weight, exact=True)
        assert gradient.dtype == torch.float64
        torch.testing.assert_close(
            gradient, differences(loss, logits, target, weight, FIRST, 1), rtol=1e-6, atol=1e-8, msg=kind
        )
        torch.testing.assert_close(
            curvature, differences(loss, logits, target, weight, SECOND, 2), rtol=1e-5, atol=1e-7, msg=kind
        )
        bound, steep = sy.slopes(recipe, logits, target, weight=weight, link=link)
        assert torch.equal(bound, gradient)
        assert bool((steep >= 0).all())
        assert bool((steep >= curvature - 1e-12).all())
        if name in CONVEX:
            torch.testing.assert_close(steep, curvature, rtol=1e-12, atol=1e-15)


def test_what_boosters_hand_over_is_understood():
    """Labels as floats, scores [N] or [N, 1] for yes or no, NumPy for NumPy."""
    counts = sy.Counts.of(900, 100)
    recipe, z, y = sy.inverse_frequency(counts), np.array([-1.0, 0.5, 2.0]), np.array([0.0, 1.0, 1.0])
    p, w = 1 / (1 + np.exp(-z)), np.array([1000 / 1800, 5.0, 5.0])
    for scores, labels in (
        (z, y),
        (z[:, None], y),
        (z[:, None], y[:, None]),
        (z, y.astype(bool)),
        (z.tolist(), [0, 1, 1]),
    ):
        gradient, curvature = sy.slopes(recipe, scores, labels)
        assert gradient.shape == curvature.shape == np.shape(scores)
        np.testing.assert_allclose(gradient.ravel(), w * (p - y), rtol=1e-12)
        np.testing.assert_allclose(curvature.ravel(), w * p * (1 - p), rtol=1e-12)
    assert sy.slopes(recipe, z.astype(np.float32), y)[0].dtype == np.float32
    many = np.random.default_rng(0).normal(size=(4, 3))
    one, two = (sy.slopes(sy.Recipe(weight=[1, 2, 3]), many, labels) for labels in ([0, 1, 2, 2], [0.0, 1.0, 2.0, 2.0]))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(one[0].sum(axis=1), 0, atol=1e-12)


def test_sure_rows_keep_their_slopes():
    gradient, curvature = sy.slopes(sy.Recipe(), np.array([40.0, -700.0]), np.array([1, 0]))
    np.testing.assert_allclose(-np.log(-gradient[0]), 40, rtol=1e-12)
    assert gradient[1] > 0
    assert (curvature > 0).all()


def test_ignored_rows_have_none_and_weights_multiply():
    z = torch.randn(3, 4, dtype=torch.float64)
    y = torch.tensor([1, -100, 2])
    gradient, curvature = sy.slopes(sy.focal(), z, y, weight=[2.0, 1.0, 0.0])
    assert not gradient[1:].any()
    assert not curvature[1:].any()
    torch.testing.assert_close(gradient[0], 2 * sy.slopes(sy.focal(), z[:1], y[:1])[0][0])


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((sy.Recipe(), [0.0, 0.0], [0, 2]), {}, "integer targets must be 0, 1"),
        ((sy.Recipe(), np.zeros((2, 3)), [0, 3]), {}, "target has label 3 but the logits have 3 classes"),
        ((sy.Recipe(), np.zeros((2, 3)), ["a", "b"]), {}, "labels are places 0, 1"),
        ((sy.Recipe(weight=[1, 2]), np.zeros((2, 3)), [0, 1]), {}, "the recipe is for 2 classes"),
        ((sy.CrossEntropy(), np.zeros((2, 3)), [0, 1]), {"link": "sigmoid"}, "is a softmax loss"),
    ],
)
def test_what_does_not_fit_is_named(arguments, options, says):
    with pytest.raises(ValueError, match=says):
        sy.slopes(*arguments, **options)
    with pytest.raises(TypeError, match="takes a Recipe or a steelyard loss, got float"):
        sy.slopes(1.0, [0.0], [1])


TWO = {"classes": ("no", "yes"), "kind": "exclusive"}
YES_OR_NO = {
    "plain": sy.Recipe(),
    "tables": sy.Recipe(weight=[0.6, 7.0], offset=[[0.3, -1.0]], scale=[1.5, 0.7], margin=[0.1, 0.6], **TWO),
    "focal": sy.Recipe(curve=sy.curves.Focal(2.0), weight=[0.5, 5.0], **TWO),
}
AGAIN = {
    **{f"softmax {name}": sy.CrossEntropy(recipe) for name, recipe in testing.recipes("softmax").items()},
    **{f"sigmoid {name}": sy.BinaryCrossEntropy(recipe) for name, recipe in YES_OR_NO.items()},
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", AGAIN)
def test_slopes_of_the_same_rows_again_are_what_they_are_alone(name, weighted):
    loss, classes = AGAIN[name], testing.calls("softmax")["rows"].logits.shape[1]
    shape = (50,) if name.startswith("sigmoid") else (50, classes)
    torch.manual_seed(3)
    y = torch.randint(0, 2, (50,))
    weight = torch.rand(50, dtype=torch.float64) if weighted else None
    again = repeated(loss, y, weight)
    for _ in range(3):
        z = torch.randn(shape, dtype=torch.float64)
        for mine, alone in zip(again(z), sy.slopes(loss, z, y, weight=weight), strict=True):
            torch.testing.assert_close(mine, alone, rtol=0, atol=0)


def test_slopes_again_refuse_labels_that_are_none():
    with pytest.raises(ValueError, match="label"):
        repeated(sy.CrossEntropy(), torch.tensor([0, 7]), None)(torch.zeros(2, 3, dtype=torch.float64))
