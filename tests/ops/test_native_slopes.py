"""The slopes in C++ are those in torch: every recipe, curve and kind of call, sure rows among them, and in any number of threads."""

import itertools
import platform

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard import curves, testing
from steelyard.losses import slopes as in_losses
from steelyard.ops import bind, native_slopes
from steelyard.ops.shapes import arrange

pytestmark = pytest.mark.usefixtures("native_core")
APART = (
    1e-11 if platform.machine() == "aarch64" else 1e-12
)  # torch itself is 7e-12 from its own answer on x86 there, the kernel 4e-15
SUBJECTS = [(link, name) for link in ("softmax", "sigmoid") for name in testing.recipes(link)]
CURVES = [
    curves.Log(),
    *(curves.Focal(g) for g in (0.0, 0.3, 0.5, 1.0, 1.7, 2.0, 3.0, 5.0)),
    curves.Asymmetric(),
    curves.Asymmetric(1.0, 4.0, 0.2),
    curves.Asymmetric(0.5, 2.5, 0.0),
    *(curves.Poly(e) for e in (-1.0, 0.5, 2.0)),
    *(curves.GCE(q) for q in (0.1, 0.7, 1.0)),
    curves.Symmetric(),
    curves.Symmetric(1.0, 0.3, -6.0),
    curves.Square(),
]


@pytest.fixture(autouse=True)
def _has_slopes():
    if not hasattr(native_slopes._native, "slopes"):
        pytest.skip("the native core was built before it had slopes; build it again")


def both(recipe, link, z, y, weight=None, exact=False, ignore=-100):
    """(C++, torch) of the same call."""
    bound = bind(recipe, link)
    call = arrange("test", z, y, weight, bound, 1)
    assert native_slopes.refusal(call.logits, call.target, call.weight, bound) == ""
    with torch.no_grad():
        ours = native_slopes.slopes(call.logits, call.target, call.weight, bound, ignore, exact)
        theirs = in_losses.in_torch(call, bind(recipe, link), ignore, exact)
    return ours, theirs


def same(found, rtol=1e-9, atol=1e-13):
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=rtol, atol=atol)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(("link", "name"), SUBJECTS)
def test_every_recipe(link, name, exact):
    recipe = testing.recipes(link)[name]
    compared = 0
    for logits, target, weight in testing.calls(link, bind(recipe, link), seed=3, size=2.0).values():
        if logits.dim() < 3 and not target.is_floating_point() and logits.numel():
            weight = None if weight is None else weight.double()
            bound = bind(recipe, link)
            if native_slopes.refusal(logits.double(), target, weight, bound):  # a curve of the caller's own
                assert name.startswith("own")
                continue
            same(both(recipe, link, logits.double(), target, weight, exact))
            compared += 1
    assert compared or name.startswith("own")


@pytest.mark.parametrize("curve", CURVES, ids=repr)
@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_every_curve_with_every_field(curve, link):
    if link not in curves.links(curve):
        pytest.skip("the curve is for the other link")
    rng = np.random.default_rng(7)
    C = 4 if link == "softmax" else 2
    tables = {
        "weight": rng.uniform(0.2, 5, C),
        "scale": rng.uniform(0.5, 2, (C, C) if link == "softmax" else (C, 1)),
        "offset": rng.normal(size=(C, C) if link == "softmax" else (C, 1)),
        "margin": rng.uniform(0, 1, C if link == "softmax" else (C, 1)),
        "target": 0.2,
    }
    z = torch.from_numpy(rng.normal(size=(500, C) if link == "softmax" else 500) * 4)
    y = torch.from_numpy(rng.integers(0, C, 500))
    weight = torch.from_numpy(rng.uniform(0, 3, 500)).where(torch.arange(500) % 7 > 0, 0.0)
    y = y.where(torch.arange(500) % 11 > 0, -100)
    for many in (0, 1, len(tables)):
        for names in itertools.combinations(tables, many):
            recipe = sy.Recipe(**{n: tables[n] for n in names}, curve=curve)
            for exact in (False, True):
                same(both(recipe, link, z, y, weight, exact), rtol=1e-8, atol=APART)


@pytest.mark.parametrize("curve", CURVES, ids=repr)
def test_sure_rows_are_finite_and_agree(curve):
    far = torch.tensor([0.0, 1e-9, 1e-3, 1.0, 10.0, 30.0, 37.0, 100.0, 700.0, 750.0, 1e5], dtype=torch.float64)
    far = torch.cat([-far, far])
    for y in (0, 1):
        found = both(sy.Recipe(curve=curve), "sigmoid", far, torch.full((len(far),), y))
        same(found, rtol=1e-6, atol=1e-12)
        assert all(t.isfinite().all() for t in found[0])
        if "softmax" in curves.links(curve):
            wide = torch.stack([far, -far, torch.zeros_like(far)], dim=1)
            found = both(sy.Recipe(curve=curve, target=0.1), "softmax", wide, torch.full((len(far),), y))
            same(found, rtol=1e-6, atol=1e-12)
            assert all(t.isfinite().all() for t in found[0])


def test_smallest_gradients_are_kept():
    (first, second), _ = both(sy.Recipe(), "sigmoid", torch.tensor([40.0, -700.0]).double(), torch.tensor([1, 0]))
    np.testing.assert_allclose(-np.log(first.abs().numpy()), [40, 700], rtol=1e-12)
    assert bool((second > 0).all())
    wide = torch.tensor([[0.0, 60.0, 1.0]], dtype=torch.float64)
    (first, _), _ = both(sy.Recipe(), "softmax", wide, torch.tensor([1]))
    np.testing.assert_allclose(first[0, 1].item(), -(np.exp(-60.0) + np.exp(-59.0)), rtol=1e-12)


def test_nan_and_infinite_scores_are_no_numbers_and_removed_classes_have_no_slope():
    for link, shape in (("sigmoid", (3,)), ("softmax", (3, 3))):
        z = torch.zeros(shape, dtype=torch.float64)
        z[1] = torch.nan
        for first in both(sy.focal(), link, z, torch.tensor([0, 1, 1])):
            assert first[0].isnan().any(-1).tolist() in ([False, True, False], True)
            assert first[0][0].isfinite().all()
            assert first[0][2].isfinite().all()
    offset = np.zeros((3, 3))
    offset[0, 2] = -np.inf
    z, y = torch.randn(20, 3, dtype=torch.float64), torch.arange(20) % 2
    found = both(sy.Recipe(offset=offset, curve=curves.Focal(1.5)), "softmax", z, y)
    same(found)
    assert not found[0][0][y == 0, 2].any()


def test_threads_change_nothing_and_wrong_labels_are_told():
    z, y = torch.randn(60_000, 3, dtype=torch.float64), torch.arange(60_000) % 3
    recipe, before = sy.mix(sy.focal(), sy.fixed(weight=[1, 2, 3])), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = sy.slopes(recipe, z, y)
        torch.set_num_threads(4)
        assert all(torch.equal(a, b) for a, b in zip(one, sy.slopes(recipe, z, y), strict=True))
    finally:
        torch.set_num_threads(before)
    y[59_000] = 3
    with pytest.raises(ValueError, match="target has label 3"):
        sy.slopes(recipe, z, y)
    with pytest.raises(ValueError, match="must be 0, 1"):
        sy.slopes(sy.focal(), z[:, 0], y)


def test_learned_tables_and_soft_targets_are_left_to_torch(monkeypatch):
    monkeypatch.setattr(native_slopes, "slopes", lambda *args: pytest.fail("asked for it"))
    z = torch.randn(5, 3, dtype=torch.float64)
    sy.slopes(sy.CrossEntropy(sy.Recipe(weight=torch.nn.Parameter(torch.ones(3)))), z, torch.tensor([0, 1, 2, 0, 1]))
    sy.slopes(sy.focal(), z, torch.softmax(z, 1))
    sy.slopes(sy.focal(), z.float(), torch.tensor([0, 1, 2, 0, 1]))


def test_a_loss_whose_tables_are_written_to_has_its_new_numbers():
    loss = sy.CrossEntropy(sy.Recipe(weight=[1.0, 2.0, 3.0]))
    z, y = torch.randn(6, 3, dtype=torch.float64), torch.arange(6) % 3
    before = sy.slopes(loss, z, y)[0]
    loss.load_state_dict({k: 2 * v for k, v in loss.state_dict().items()})
    torch.testing.assert_close(sy.slopes(loss, z, y)[0], 2 * before)
