"""Undo: minimise the expected loss of random recipes, then ask for the posterior back.

Files: calibrate/sigmoid.py, calibrate/softmax.py.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.examples_of import examples

from steelyard import (
    BCEWithLogitsLoss,
    BinaryCrossEntropy,
    Counts,
    CrossEntropy,
    CrossEntropyLoss,
    Recipe,
    mix,
    posterior,
)
from steelyard.calibrate import inside
from steelyard.curves import GCE, Asymmetric, Focal, Log, Poly, Square, Symmetric
from steelyard.losses.functional import binary_cross_entropy, cross_entropy
from steelyard.table import Smooth

SOFTMAX_CURVES = (None, Log(), Focal(0.5), Focal(2.0), Focal(5.0), Poly(2.0), Poly(-1.0), GCE(0.3), GCE(0.7))
SOFTMAX_CURVES += (Symmetric(1.0, 0.5), Asymmetric(0.0, 2.0, clip=0.0), Asymmetric(1.0, 3.0, clip=0.0))
SIGMOID_CURVES = (*SOFTMAX_CURVES, Square(), Asymmetric(0.0, 4.0, clip=0.05), Asymmetric(1.0, 4.0, clip=0.2))
SHAPES = ("none", "number", "row", "column", "both", "dense")
TARGETS = ("none", "uniform", "by label", "toward", "rows")
ROWS = 12  # posteriors that are recovered per recipe


def minimise(losses, eta, z):
    """Minimise sum_y eta_y l_y for every row of z [M, D], where losses(z) is l [M, Y] and eta is [M, Y].

    Newton's method with |eigenvalues| of the Hessian and backtracking. Returns the logits, and for each row whether the
    labels' gradients cancel there to 9 digits: a curve that saturates has tiny gradients far from any optimum.
    """
    expected = lambda z: (eta * losses(z)).sum(1)  # noqa: E731
    for _ in range(60):
        z = z.detach().requires_grad_()
        value = expected(z)
        gradient = torch.autograd.grad(value.sum(), z, create_graph=True)[0]
        if gradient.abs().max() < 1e-13:
            break
        hessian = torch.stack([torch.autograd.grad(g.sum(), z, retain_graph=True)[0] for g in gradient.T], dim=1)
        gradient, value, z = gradient.detach(), value.detach(), z.detach()
        values, vectors = torch.linalg.eigh(hessian)
        along, size = (vectors.mT @ gradient[:, :, None]).squeeze(2), values.abs()
        # no step along directions without curvature: nothing changes there
        along = torch.where(size > 1e-10 * size.amax(1, keepdim=True), along / size.clamp(min=1e-300), 0.0)
        step = (vectors @ along[:, :, None]).squeeze(2)
        step = step * (5 / step.abs().amax(1, keepdim=True).clamp(min=5))
        # near the floor of rounding the value cannot judge, and full steps still gain digits
        judged = gradient.abs().amax(1) > 1e-7
        length = torch.ones(len(z), 1, dtype=z.dtype)
        for _ in range(12):
            worse = judged & (expected(z - length * step) > value)
            if not worse.any():
                break
            length[worse] /= 2
        z = z - length * step
    z = z.detach().requires_grad_()
    pulls = [
        w[:, None] * torch.autograd.grad(l.sum(), z, retain_graph=True)[0]
        for w, l in zip(eta.T, losses(z).T, strict=True)
    ]
    left, size = sum(pulls).abs().amax(1), sum(g.abs() for g in pulls).amax(1)
    return z.detach(), left <= 1e-9 * size


def numbers(rng, shape, rows, columns, low, high):
    """A table of one of SHAPES, log-uniform if low > 0."""
    sides = {"number": (1, 1), "row": (rows, 1), "column": (1, columns), "dense": (rows, columns)}
    if shape in ("none", "both"):
        return None
    draw = rng.uniform(0, 1, sides[shape])
    return low * (high / low) ** draw if low > 0 else low + (high - low) * draw


def tables(rng, field, shape, rows, columns, low, high):
    """A Recipe with that one field; "both" is a row times a column, kept apart."""
    if shape == "both":
        return mix(*(Recipe(**{field: numbers(rng, s, rows, columns, low, high)}) for s in ("row", "column")))
    return Recipe(**{field: numbers(rng, shape, rows, columns, low, high)})


@st.composite
def softmax_case(draw):
    rng, size = np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.integers(2, 5))
    pick = lambda choices: draw(st.sampled_from(choices))  # noqa: E731
    asked = pick(TARGETS)
    target = {
        "none": None,
        "uniform": Smooth(rng.uniform(0, 0.4)),
        "by label": Smooth(rng.uniform(0, 0.4, size)),
        "toward": Smooth(rng.uniform(0, 0.4), rng.dirichlet(np.ones(size))),
        "rows": 0.6 * np.eye(size) + 0.4 * rng.dirichlet(np.ones(size), size),
    }[asked]
    recipe = mix(
        tables(rng, "scale", pick(SHAPES), size, size, 0.5, 2.0),
        tables(rng, "offset", pick(SHAPES), size, size, -2.0, 2.0),
        tables(rng, "margin", pick(("none", "number", "row")), size, size, 0.0, 2.0),
        tables(rng, "weight", pick(SHAPES if asked == "none" else SHAPES[:5]), size, size, 0.1, 10.0),
        Recipe(target=target, curve=pick(SOFTMAX_CURVES)),
    )
    return recipe, torch.tensor(0.1 / size + 0.9 * rng.dirichlet(np.ones(size), ROWS))


@st.composite
def sigmoid_case(draw):
    rng, size = np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.integers(1, 3))
    pick = lambda choices: draw(st.sampled_from(choices))  # noqa: E731
    target = {
        "none": None,
        "uniform": Smooth(rng.uniform(0, 0.4)),
        "by label": Smooth(rng.uniform(0, 0.4, 2)),
        "toward": Smooth(rng.uniform(0, 0.4), rng.uniform(0, 1, size)),
        "rows": np.stack([rng.uniform(0, 0.3, size), rng.uniform(0.7, 1, size)]),
    }[pick(TARGETS)]
    recipe = mix(
        tables(rng, "scale", pick(SHAPES), 2, size, 0.5, 2.0),
        tables(rng, "offset", pick(SHAPES), 2, size, -2.0, 2.0),
        tables(rng, "margin", pick(SHAPES), 2, size, 0.0, 1.0),
        tables(rng, "weight", pick(SHAPES), 2, size, 0.1, 10.0),
        Recipe(target=target, curve=pick(SIGMOID_CURVES), classes=range(size), kind="multilabel"),
    )
    return recipe, torch.tensor(rng.uniform(0.05, 0.95, (ROWS, size)))


def softmax_optimum(recipe, eta):
    """The logits [M, C] that minimise the expected loss, from the loss itself."""
    rows, size = eta.shape
    labels = torch.arange(size).expand(rows, size)

    def losses(z):
        return cross_entropy(z[:, :, None].expand(-1, -1, size), labels, recipe, reduction="none")

    return minimise(losses, eta, torch.zeros_like(eta))


def sigmoid_optimum(recipe, eta):
    """The logits [M, K] that minimise (1 - eta) l_0 + eta l_1, element by element."""

    def losses(z):
        z = z.reshape(eta.shape)
        each = [binary_cross_entropy(z, torch.full(eta.shape, y), recipe, reduction="none") for y in (0, 1)]
        return torch.stack([l.reshape(-1) for l in each], dim=1)

    both = torch.stack([1 - eta.reshape(-1), eta.reshape(-1)], dim=1)
    z, found = minimise(losses, both, torch.zeros(eta.numel(), 1, dtype=torch.float64))
    return z.reshape(eta.shape), found.reshape(eta.shape)


@pytest.mark.filterwarnings("ignore:.*as for a cosine head")
@pytest.mark.parametrize(("cases", "optimum"), [(softmax_case, softmax_optimum), (sigmoid_case, sigmoid_optimum)])
def test_the_optimum_of_a_random_recipe_gives_the_posterior_back(cases, optimum):
    recovered = []

    @settings(
        max_examples=max(40, examples(80)), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(cases())
    def check(case):
        recipe, eta = case
        z, found = optimum(recipe, eta)
        recovered.append(found.double().mean())
        np.testing.assert_allclose(
            posterior(z, recipe)[found], eta[found], atol=1e-5, rtol=0
        )  # `found` is nine digits of the gradients
        assert inside(z, recipe)[found].all()

    check()
    assert np.mean(recovered) > 0.9  # some curves are not convex, and not every search ends at an optimum


def test_a_smoothed_label_says_what_eta_is_where_one_outcome_is_flat():
    recipe = Recipe(
        offset=[[0.2], [-1.9]], margin=[[0.75], [0.75]], target=0.2, curve=Asymmetric(0.0, 4.0, 0.05), kind="multilabel"
    )
    eta = torch.tensor([[0.1706]], dtype=torch.float64)
    z, found = sigmoid_optimum(recipe, eta)
    assert found.all()
    assert torch.sigmoid(z - 1.9 - 0.75) < 0.05  # label 1's "is not" lies in the flat zone, its "is" does not
    np.testing.assert_allclose(posterior(z, recipe), eta, atol=1e-6)
    assert inside(z, recipe).all()


def jacobian(recipe, z):
    """dl_y/dz [N, label, class] of the loss itself, by autograd."""
    rows, size = z.shape
    z = z.clone().requires_grad_()
    labels = torch.arange(size).expand(rows, size)
    losses = cross_entropy(z[:, :, None].expand(-1, -1, size), labels, recipe, reduction="none")
    return torch.stack([torch.autograd.grad(l.sum(), z, retain_graph=True)[0] for l in losses.T], dim=1)


ONE_HOT = {
    "weights": Recipe(weight=[0.2, 1.0, 7.0, 3.0]),
    "focal": Recipe(curve=Focal(2.0), weight=[[1.0, 2.0, 3.0, 4.0]]),
    "temperatures": Recipe(scale=[[0.5, 1.0, 1.5, 2.0]], offset=[[0.0, -1.0, 1.0, 2.0]]),
    "margin": Recipe(margin=[0.1, 0.5, 1.0, 3.0], curve=Poly(1.0)),
    "by label": Recipe(scale=[0.5, 1.0, 1.5, 2.0], offset=np.log(np.arange(1.0, 17).reshape(4, 4)), curve=GCE(0.5)),
}


@pytest.mark.parametrize("recipe", ONE_HOT.values(), ids=ONE_HOT)
def test_at_any_logits_the_posterior_cancels_the_gradients_of_the_labels(recipe):
    z = 3 * torch.randn(50, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    pulls = posterior(z, recipe)[:, :, None] * jacobian(recipe, z)
    assert float((pulls.sum(1).abs().amax(1) / pulls.abs().sum(1).amax(1)).max()) < 1e-12
    assert bool(inside(z, recipe).all())


def test_focal_optimum_is_pulled_to_the_middle_and_comes_back():
    eta = np.array([0.01, 0.05, 0.2, 0.5, 0.8])
    pulled = np.array([0.154, 0.250, 0.373, 0.500, 0.627])  # population minimisers of gamma = 2, three digits
    logits = np.log(pulled / (1 - pulled))
    back = posterior(logits, Recipe(curve=Focal(2.0)), link="sigmoid")
    slope = 0.0005 * 4 * back * (1 - back) / (pulled * (1 - pulled))  # what half a digit of q* can do, generously
    assert np.all(np.abs(back - eta) < np.maximum(slope, 1e-3))


def test_two_class_focal_follows_the_published_inverse():
    v, gamma = np.linspace(0.01, 0.99, 33), 2.0
    h = lambda v: v / ((1 - v) ** gamma - gamma * (1 - v) ** (gamma - 1) * v * np.log(v))  # noqa: E731
    ours = posterior(np.log(v / (1 - v)), Recipe(curve=Focal(gamma)), link="sigmoid")
    np.testing.assert_allclose(ours, h(v) / (h(v) + h(1 - v)), rtol=1e-12)


def test_weights_shift_the_log_odds_by_their_logarithm():
    z = np.linspace(-5, 5, 11)
    p = posterior(z, BinaryCrossEntropy(Recipe(weight=[1.0, 19.0])))
    np.testing.assert_allclose(np.log(p / (1 - p)), z - math.log(19), rtol=1e-12)


def test_class_weights_of_scikit_learn_are_undone():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 3))
    eta = 1 / (1 + np.exp(4 - x @ [1.0, 0.5, -1.0]))
    y = (rng.random(20_000) < eta).astype(int)
    counts = Counts(np.bincount(y))
    model = linear_model.LogisticRegression(class_weight="balanced", C=1e6).fit(x, y)
    skewed = model.predict_proba(x)
    weight = len(y) / (2 * counts.per_class)
    p = posterior(np.log(skewed), Recipe(weight=weight))
    log_loss = lambda p: -np.log(p[np.arange(len(y)), y]).mean()  # noqa: E731
    plain = linear_model.LogisticRegression(C=1e6).fit(x, y).predict_proba(x)
    assert log_loss(skewed) > log_loss(plain) + 0.2
    assert log_loss(p) < log_loss(plain) + 1e-3
    assert abs(p[:, 1].mean() - y.mean()) < 2e-3
    assert abs(skewed[:, 1].mean() - y.mean()) > 0.1


def test_torch_smoothing_with_weights_is_undone_in_closed_form():
    w, smoothing, size = torch.tensor([0.5, 1.0, 4.0], dtype=torch.float64), 0.1, 3
    eta = torch.tensor([0.7, 0.25, 0.05], dtype=torch.float64)
    q = w * ((1 - smoothing) * eta + smoothing / size)  # the optimum, up to its sum
    for loss in (
        CrossEntropyLoss(weight=w, label_smoothing=smoothing),
        CrossEntropy(Recipe(weight=w[None, :], target=smoothing)),
    ):
        torch.testing.assert_close(posterior(q.log(), loss), eta)


def test_smoothing_in_one_pass_is_the_dense_solve():
    rng = np.random.default_rng(0)
    e, v, row, column = rng.uniform(0, 0.5, 6), rng.dirichlet(np.ones(6)), rng.uniform(1, 2, 6), rng.uniform(1, 2, 6)
    recipe = mix(Recipe(weight=row, target=Smooth(e, v)), Recipe(weight=column[None, :]))
    asks = row[:, None] * column * ((1 - e[:, None]) * np.eye(6) + e[:, None] * v)
    eta = rng.dirichlet(np.ones(6))
    np.testing.assert_allclose(posterior(np.log(eta @ asks), recipe), eta, rtol=1e-10)
    logits = rng.normal(size=(20, 6))
    solved = np.linalg.solve(asks.T, np.exp(logits).T).T
    clipped = np.clip(solved, 0, None)
    np.testing.assert_allclose(
        posterior(logits, recipe), clipped / clipped.sum(1, keepdims=True), rtol=1e-9, atol=1e-12
    )
    assert (inside(logits, recipe) == (solved >= 0).all(1)).all()
    assert 0 < inside(logits, recipe).mean() < 1


def test_pos_weight_is_undone_along_the_axis_torch_uses():
    z = torch.randn(4, 3, 5, 5, dtype=torch.float64)
    weight = torch.tensor([1.0, 2.0, 9.0], dtype=torch.float64)
    for written in (weight, weight.reshape(3, 1, 1)):
        torch.testing.assert_close(
            posterior(z, BCEWithLogitsLoss(pos_weight=written)), torch.sigmoid(z - weight.reshape(3, 1, 1).log())
        )
    torch.testing.assert_close(posterior(z, BCEWithLogitsLoss(pos_weight=2.0)), torch.sigmoid(z - math.log(2)))
    assert bool(inside(z, BCEWithLogitsLoss(pos_weight=weight)).all())


def test_one_logit_of_two_exclusive_classes_gives_the_probability_of_label_one():
    recipe = Recipe(
        weight=[0.5, 4.0], offset=[[-0.1, -2.3]], margin=[0.2, 0.7], target=0.1, classes="ab", kind="exclusive"
    )
    z = torch.randn(200, 2, dtype=torch.float64)
    torch.testing.assert_close(posterior(z[:, 1] - z[:, 0], BinaryCrossEntropy(recipe)), posterior(z, recipe)[:, 1])
    torch.testing.assert_close(posterior(z[:, 1] - z[:, 0], recipe, link="sigmoid"), posterior(z, recipe)[:, 1])


def test_the_class_axis_stays_where_the_loss_has_it():
    recipe = Recipe(weight=[1.0, 2.0, 3.0])
    z = torch.randn(2, 4, 5, 3)
    last = posterior(z, CrossEntropy(recipe, class_dim=-1))
    torch.testing.assert_close(last, posterior(z.movedim(-1, 1), recipe).movedim(1, -1))
    assert inside(z, CrossEntropy(recipe, class_dim=-1)).shape == (2, 4, 5)
    torch.testing.assert_close(posterior(z[0, 0, 0], recipe), last[0, 0, 0])
    multilabel = BinaryCrossEntropy(
        Recipe(weight=[[1, 1, 1], [1, 5, 9]], kind="multilabel", classes="abc"), class_dim=-1
    )
    shift = torch.tensor([1.0, 5.0, 9.0]).log()
    torch.testing.assert_close(posterior(z, multilabel), torch.sigmoid(z - shift))
    torch.testing.assert_close(posterior(z[0, 0, 0], multilabel), torch.sigmoid(z[0, 0, 0] - shift))


def test_what_comes_in_decides_what_comes_out():
    recipe = Recipe(weight=[1.0, 3.0])
    assert posterior([[0.0, 1.0]], recipe).dtype == np.float64
    assert posterior(np.zeros((2, 2), np.float32), recipe).dtype == np.float32
    assert posterior(np.zeros((2, 2), np.int64), recipe).dtype == np.float64
    assert posterior(torch.zeros(2, 2, dtype=torch.bfloat16), recipe).dtype == torch.float32
    assert posterior(torch.zeros(2, 2, dtype=torch.float64), recipe).dtype == torch.float64
    learned = CrossEntropy(Recipe(weight=torch.nn.Parameter(torch.tensor([1.0, 3.0]))))
    assert not posterior(torch.zeros(2, 2, requires_grad=True), learned).requires_grad
    assert posterior(torch.zeros(0, 2), recipe).shape == (0, 2)
    assert posterior(torch.zeros(3, 1), Recipe(curve=Focal())).tolist() == [[1.0]] * 3


def test_a_loss_is_undone_with_the_numbers_it_holds_now():
    loss = CrossEntropy(Recipe(weight=torch.nn.Parameter(torch.tensor([1.0, 1.0]))))
    with torch.no_grad():
        next(loss.parameters()).copy_(torch.tensor([[1.0], [4.0]]).reshape_as(next(loss.parameters())))
    torch.testing.assert_close(posterior(torch.zeros(1, 2), loss), torch.tensor([[0.8, 0.2]]))


EXTREME = {
    **ONE_HOT,
    "smoothing": Recipe(target=Smooth([0.1, 0.2, 0.0, 0.3]), curve=Focal(2.0)),
    "rows": Recipe(target=0.7 * np.eye(4) + 0.3 * np.full((4, 4), 0.25), weight=[1.0, 9.0, 1.0, 2.0]),
    "null": Recipe(target=0.1, margin=[0.1, 0.5, 1.0, 3.0], curve=Focal(2.0)),
    "null, GCE": Recipe(target=0.1, offset=np.arange(16.0).reshape(4, 4) / 8, curve=GCE(0.7)),
    "pair": Recipe(target=0.1, curve=Asymmetric(1.0, 3.0, clip=0.0)),
    "symmetric": Recipe(curve=Symmetric(), scale=[1.0, 2.0, 1.0, 0.5]),
    "focal by label": Recipe(curve=Focal(5.0), scale=[1.0, 2.0, 1.0, 0.5], offset=np.eye(4)),
    "poly": Recipe(curve=Poly(-1.0), margin=1.0),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("recipe", EXTREME.values(), ids=EXTREME)
def test_extreme_logits_give_probabilities(recipe, dtype):
    generator = torch.Generator().manual_seed(0)
    z = torch.cat([size * torch.randn(50, 4, generator=generator) for size in (1.0, 30.0, 300.0, 1e4)]).to(dtype)
    z = torch.cat([z, z.masked_fill(torch.rand(z.shape, generator=generator) < 0.3, -torch.inf)])
    z = z[z.amax(1) > -torch.inf]
    for p in (posterior(z, recipe), posterior(z.numpy(), recipe)):
        p = torch.as_tensor(p)
        assert bool(p.isfinite().all())
        assert float(p.min()) >= 0
        torch.testing.assert_close(p.sum(1), torch.ones_like(p[:, 0]))
    top = z[100:200]
    certain = (top.topk(2, dim=1).values.diff(dim=1) < -100).squeeze(1)
    agrees = posterior(top[certain], recipe).argmax(1) == top[certain].argmax(1)
    assert recipe.scale is not None or bool(agrees.all())


@pytest.mark.parametrize("curve", [c for c in SIGMOID_CURVES if not getattr(c, "clip", 0)], ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_single_logits_give_probabilities(curve, dtype):
    z = torch.tensor([-math.inf, -1e4, -300.0, -90.0, -1.0, 0.0, 1.0, 90.0, 300.0, 1e4, math.inf], dtype=dtype)
    for recipe in (Recipe(curve=curve), Recipe(curve=curve, target=0.1, margin=[[0.1], [0.4]], weight=[1.0, 9.0])):
        p = posterior(z, recipe, link="sigmoid")
        assert bool(((p >= 0) & (p <= 1)).all())
        if recipe.target is None:
            assert bool((p.diff() >= 0).all())
            assert p[[0, 1]].tolist() == [0.0, 0.0]
            assert p[[-2, -1]].tolist() == [1.0, 1.0]


def test_probabilities_of_zero_stay_zero():
    skewed = np.array([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]])
    with np.errstate(divide="ignore"):
        p = posterior(np.log(skewed), Recipe(weight=[1.0, 1.0, 3.0]))
    np.testing.assert_allclose(p, [[0.0, 0.75, 0.25], [1.0, 0.0, 0.0]])


@pytest.mark.parametrize("recipe", EXTREME.values(), ids=EXTREME)
def test_permuting_the_classes_permutes_the_posterior(recipe):
    order = np.array([2, 0, 3, 1])
    fields = {"curve": recipe.curve}
    for name in ("scale", "offset", "margin", "weight"):
        t = getattr(recipe, name)
        if t is not None:
            t = t.numpy()
            t = t[order] if t.shape[0] > 1 else t
            fields[name] = t[:, order] if t.shape[1] > 1 else t
    if isinstance(recipe.target, Smooth):
        fields["target"] = Smooth(np.broadcast_to(recipe.target.amount, 4)[order])
    elif recipe.target is not None:
        fields["target"] = recipe.target.numpy()[order][:, order]
    z = torch.randn(30, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(posterior(z[:, order], Recipe(**fields)), posterior(z, recipe)[:, order])


def test_many_classes_take_the_closed_forms_and_refuse_the_others():
    size = 1000
    z, ramp = torch.randn(5, size), np.linspace(0.5, 2, size)
    for recipe in (
        Recipe(weight=ramp, offset=ramp[None, :], scale=ramp[None, :], curve=Focal(2.0)),
        Recipe(margin=ramp, weight=ramp),
        mix(Recipe(weight=ramp, target=0.01), Recipe(weight=ramp[None, :])),
    ):
        torch.testing.assert_close(posterior(z, recipe).sum(1), torch.ones(5))
    for recipe in (Recipe(scale=ramp), Recipe(margin=ramp, target=0.1)):
        with pytest.raises(ValueError, match="above 256 classes"):
            posterior(z, recipe)


@pytest.mark.parametrize(
    ("recipe", "link", "why"),
    [
        (Recipe(weight=[1.0, 0.0]), None, "class 1 has weight 0"),
        (Recipe(weight=[[1.0, 0.0]], target=0.1), None, "class 1 has weight 0"),
        (Recipe(target=[[0.5, 0.5], [0.5, 0.5]]), None, "singular"),
        (Recipe(target=1.0), None, "singular"),
        (Recipe(curve=GCE(1.0)), None, "q = 1"),
        (Recipe(curve=GCE(1.0)), "sigmoid", "q = 1"),
        (Recipe(offset=[[0.0, -math.inf], [0.0, 0.0]]), None, "-inf"),
        (Recipe(offset=[[-math.inf], [0.0]]), "sigmoid", "-inf"),
        (Recipe(weight=[0.0, 1.0]), "sigmoid", "weight 0"),
        (Recipe(curve=Asymmetric()), "sigmoid", "1 of 2 elements lie where the curve is flat"),
    ],
)
def test_what_no_logits_can_tell_is_refused_with_the_reason(recipe, link, why):
    with pytest.raises(ValueError, match=why):
        posterior(np.array([-5.0, 0.0]), recipe, link=link)


def test_inside_marks_the_flat_zone_and_what_was_projected():
    assert inside(np.array([-5.0, 0.0]), Recipe(curve=Asymmetric()), link="sigmoid").tolist() == [False, True]
    z = torch.tensor([-9.0, 0.0, 9.0])
    assert inside(z, Recipe(target=0.1), link="sigmoid").tolist() == [False, True, False]
    assert posterior(z, Recipe(target=0.1), link="sigmoid").tolist() == [0.0, 0.5, 1.0]


def test_an_overconfident_row_is_projected_to_its_side_whatever_the_weights():
    for recipe in (Recipe(weight=[1.0, 99.0], target=0.1), Recipe(weight=[1.0, 99.0], target=0.1, margin=[0.1, 0.2])):
        p = posterior(torch.tensor([[0.0, 12.0], [12.0, 0.0]]), recipe)
        assert p.tolist() == [[0.0, 1.0], [1.0, 0.0]]
        p = posterior(torch.tensor([12.0, -12.0]), recipe, link="sigmoid")
        assert p.tolist() == [1.0, 0.0]


def test_bad_calls_are_named():
    z = torch.zeros(2, 3)
    with pytest.raises(TypeError, match="takes a Recipe or a steelyard loss, got Linear"):
        posterior(z, torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match="for 2 classes but the logits have 3"):
        posterior(z, Recipe(weight=[1.0, 2.0]))
    with pytest.raises(ValueError, match="is a softmax loss"):
        posterior(z, CrossEntropy(), link="sigmoid")
    with pytest.raises(ValueError, match="1 of 6 logits are NaN"):
        posterior([[math.nan, 0.0, 0.0], [0.0, 0.0, 0.0]], Recipe())
    with pytest.raises(ValueError, match="floating-point"):
        posterior(z.long(), Recipe())
    with pytest.raises(ValueError, match="class_dim"):
        posterior(z, CrossEntropy(class_dim=0))


def test_a_cosine_head_is_undone_with_a_warning():
    with pytest.warns(UserWarning, match="multiplies logits by 30 and has a margin"):
        posterior(torch.rand(2, 2), Recipe(scale=30.0, margin=[3.0, 15.0]))
