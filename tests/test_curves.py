"""Curves: ours, and those of a stranger, who writes a class and nothing else."""

import dataclasses
import importlib.metadata
import json
import math
import sys
import types

import pytest
import torch

import steelyard as sy
from steelyard import curves
from steelyard.curves import GCE, Asymmetric, Focal, Log, Poly, Square, Symmetric, log_steepness, sides
from steelyard.ops import bind, native, plan

CURVES = (
    Log(),
    Focal(0.0),
    Focal(0.5),
    Focal(2.0),
    Poly(3.0),
    Poly(-0.5),
    Poly(-1.0),
    GCE(0.3),
    GCE(1.0),
    Symmetric(),
    Square(),
)
CURVES += (sides(Asymmetric(1.0, 4.0, 0.05))[1], sides(Asymmetric(0.0, 0.0, 0.2))[1])


@pytest.mark.parametrize("curve", CURVES, ids=repr)
def test_it_is_the_logarithm_of_the_slope(curve):
    p = torch.linspace(0.001, 0.999, 97, dtype=torch.float64)
    torch.testing.assert_close(log_steepness(curve, p.log(), (1 - p).log()), (-curve.slope(p.log(), 1 - p)).log())


@pytest.mark.parametrize("curve", [c for c in CURVES if not getattr(c, "clip", 0)], ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_stays_finite_where_the_slope_underflows(curve, dtype):
    far = torch.tensor([-1e15, -1e4, -800.0, -100.0], dtype=dtype)
    near = -far.exp()  # the logarithm of the other probability
    assert bool(log_steepness(curve, far, near).isfinite().all())
    assert bool(log_steepness(curve, near, far).isfinite().all())


@dataclasses.dataclass(frozen=True)
class Twice:
    """-2 log p + slack (1 - p), by somebody who has read two lines about curves."""

    slack: float = 0.0

    def value(self, logp, q):
        return self.slack * q - 2 * logp

    def slope(self, logp, q):
        return -self.slack * logp.exp() - 2


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr(curves, "CURVES", dict(curves.CURVES))
    curves.register(Twice)


LINKS = {"softmax": sy.CrossEntropy, "sigmoid": sy.BinaryCrossEntropy}


def test_a_curve_from_elsewhere_is_asked_for_its_slope():
    logp = torch.tensor([-1.0, -3.0])
    torch.testing.assert_close(log_steepness(Twice(), logp, torch.log1p(-logp.exp())), torch.full((2,), math.log(2)))


@pytest.mark.parametrize("link", LINKS)
def test_a_curve_from_elsewhere_trains_and_is_undone(link):
    recipe = sy.Recipe(curve=Twice(0.5), weight=[1.0, 3.0])
    z = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    y = torch.randint(2, (6,) if link == "softmax" else (6, 2))
    assert torch.autograd.gradcheck(lambda z: LINKS[link](recipe, reduction="none")(z, y), z)
    p = sy.posterior(z, recipe, link=link)
    chance = (1 - p, p) if link == "sigmoid" else tuple(p.T)
    labels = [torch.full_like(y, c) for c in (0, 1)]
    loss = LINKS[link](recipe, reduction="none")
    expected = sum((share * loss(z, label)).sum() for share, label in zip(chance, labels, strict=True))
    (gradient,) = torch.autograd.grad(expected, z)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-9)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("curve", [Twice(), type("Steeper", (Focal,), {})(2.0)], ids=["own", "subclass of ours"])
def test_no_fused_kernel_takes_a_curve_that_it_does_not_know(link, curve):
    z, y = torch.randn(4, 2), torch.ones(4 if link == "softmax" else (4, 2), dtype=torch.int64)
    bound = bind(sy.Recipe(curve=curve), link)
    assert "has no kernel" in native.refusal(z, y, bound, None) or not native.available()
    assert plan(z, y, bound, None).backend == "eager"


@pytest.mark.parametrize("curve", [Log(), Focal(1.5), Poly(2.0), GCE(0.3), Symmetric(), Square(), *sides(Asymmetric())])
def test_a_kernels_number_and_parameters_give_the_curve_back(curve):
    known = curves.kernel(curve)
    assert known is not None
    assert curves.of_kernel(*known) == curve


def test_a_registered_curve_survives_save_and_load(registered, tmp_path):
    recipe = sy.mix(sy.Recipe(curve=Twice(0.25)), sy.Recipe(weight=[1.0, 9.0]))
    recipe.save(tmp_path / "recipe.json")
    assert json.loads((tmp_path / "recipe.json").read_text())["curve"] == {"name": f"{__name__}:Twice", "slack": 0.25}
    assert sy.Recipe.load(tmp_path / "recipe.json") == recipe


def test_a_curve_that_is_not_registered_cannot_be_saved():
    with pytest.raises(
        ValueError, match=r"Twice\(slack=0.0\) cannot be saved as JSON; put @steelyard.curves.register over"
    ):
        sy.Recipe(curve=Twice()).to_json()


def test_a_file_runs_no_code(registered, tmp_path, monkeypatch):
    (tmp_path / "my_losses.py").write_text("raise SystemExit('a file has run code')")
    monkeypatch.syspath_prepend(tmp_path)
    text = sy.Recipe(curve=Twice()).to_json().replace(f"{__name__}:Twice", "my_losses:Twice")
    with pytest.raises(
        ValueError, match=r"unknown curve 'my_losses:Twice'; known are Log, .*\. Import my_losses first"
    ):
        sy.Recipe.from_json(text)
    with pytest.raises(ValueError, match=r"unknown curve 'Fokal'; known are Log, .*:Twice\.$"):
        sy.Recipe.from_json(sy.Recipe(curve=Focal()).to_json().replace("Focal", "Fokal"))


def test_an_installed_package_may_announce_its_curves(registered, monkeypatch):
    module = types.ModuleType("my_losses")
    Thrice = dataclasses.make_dataclass("Thrice", [], bases=(Twice,), frozen=True)
    Thrice.__module__, module.Thrice = "my_losses", Thrice
    monkeypatch.setitem(sys.modules, "my_losses", module)

    class Entry(importlib.metadata.EntryPoint):
        def load(self):
            return curves.register(super().load())

    entries = [Entry("Thrice", "my_losses:Thrice", curves.GROUP)]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: entries if group == curves.GROUP else [])
    text = sy.Recipe(curve=Twice()).to_json().replace(f"{__name__}:Twice", "my_losses:Thrice")
    assert sy.Recipe.from_json(text).curve == Thrice()


def test_a_recipe_of_before_still_opens():
    text = '{"format": "steelyard.recipe/1", "curve": {"name": "Asymmetric", "gamma_pos": 1, "gamma_neg": 4, "clip": 0.05}}'
    assert sy.Recipe.from_json(text).curve == Asymmetric(1.0, 4.0, 0.05)


def test_what_cannot_be_saved_is_not_registered():
    class NoData:
        value = slope = Twice.value

    with pytest.raises(TypeError, match="must be a dataclass with value"):
        curves.register(NoData)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Focal(-1.0), "Focal: gamma must be in [0, inf), got -1."),
        (lambda: GCE(0.0), "GCE: q must be in (0, 1], got 0."),
        (lambda: Asymmetric(clip=1.0), "Asymmetric: clip must be in [0, 1), got 1."),
        (lambda: Symmetric(floor=0.0), "Symmetric: floor must be in (-inf, 0), got 0."),
        (lambda: Poly("2"), "Poly: epsilon must be in [-1, inf), got '2'."),
    ],
)
def test_a_parameter_outside_its_range_is_named(make, message):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == message
