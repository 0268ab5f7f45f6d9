"""The kit for others lets good ingredients and backends pass and says what is wrong with bad ones."""

import dataclasses
from typing import Annotated

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard import curves, testing
from steelyard.ops import eager, reference
from steelyard.options import In, ingredient

SOME = {"softmax": {"focal": sy.Recipe(curve=curves.Focal(2.0), weight=[0.5, 1.0, 3.0])}}


@ingredient
def rare_first(counts: sy.Counts, *, power: Annotated[float, In(0.0, 2.0)] = 0.7) -> sy.Recipe:
    n = counts.nonempty("rare-first")
    return sy.Recipe(weight=counts.unit_mass(n**-power), classes=counts.classes, kind=counts.kind)


def test_a_good_ingredient_passes():
    testing.check_ingredient(rare_first)
    testing.check_ingredient(rare_first, power=0.0)
    testing.check_ingredient(sy.focal, gamma=0.5)
    testing.check_ingredient(sy.costs, [[0, 1], [5, 0]])


def varied(change):
    """rare_first with something changed in the recipe."""

    def ill(counts):
        return change(rare_first(counts), counts)

    return ill


def heavy(recipe, counts):
    return sy.mix(recipe, sy.Recipe(weight=2.0))


def forgetful(recipe, counts):
    return dataclasses.replace(recipe, classes=[f"class {i}" for i in range(len(counts))])


def positional(recipe, counts):
    return sy.mix(recipe, sy.Recipe(offset=np.arange(len(counts))[None] * 1.0))


calls = iter(range(1000))


def impure(recipe, counts):
    return sy.mix(recipe, sy.Recipe(margin=float(next(calls))))


def not_a_recipe(recipe, counts):
    return None


@dataclasses.dataclass(frozen=True)
class Private:
    def value(self, logp, q):
        return -logp

    def slope(self, logp, q):
        return -torch.ones_like(logp)


def unsaved(recipe, counts):
    return dataclasses.replace(recipe, curve=Private())


@dataclasses.dataclass(frozen=True)
class Explodes(curves.Focal):
    def value(self, logp, q):
        return -logp / (q * 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (heavy, "the mean weight is 2 instead of 1"),
        (forgetful, "for other classes"),
        (positional, "permuting the classes"),
        (impure, "two calls give two recipes"),
    ],
)
def test_a_bad_ingredient_is_told_what_is_wrong(change, said):
    with pytest.raises(AssertionError, match=said):
        testing.check_ingredient(varied(change))


def test_other_ways_to_be_wrong():
    with pytest.raises(AssertionError, match="NoneType instead of a Recipe"):
        testing.check_ingredient(varied(not_a_recipe))
    with pytest.raises(ValueError, match="cannot be saved as JSON"):
        testing.check_ingredient(varied(unsaved))

    def grumpy(counts):
        raise ValueError("no")

    with pytest.raises(AssertionError, match="should start with the ingredient's name"):
        testing.check_ingredient(grumpy)

    def silent(counts):
        n = counts.table
        if not n.all():
            raise ValueError("silent: something counts 0.")
        return rare_first(counts)

    with pytest.raises(AssertionError, match="does not name the class"):
        testing.check_ingredient(silent)

    def dividing(counts):
        with np.errstate(divide="ignore", invalid="ignore"):
            return sy.Recipe(offset=-np.log(np.maximum(counts.table, 1e-300) * (counts.table > 0)), kind=counts.kind)

    with pytest.raises(AssertionError, match=r"does not name the class.*offset holds \+inf"):
        testing.check_ingredient(dividing)


def test_a_loss_that_is_not_finite_is_told(monkeypatch):
    monkeypatch.setattr(curves, "CURVES", dict(curves.CURVES))
    curves.register(Explodes)

    def exploding():
        return sy.Recipe(curve=Explodes())

    with pytest.raises(AssertionError, match="loss or its gradient is not finite"):
        testing.check_ingredient(exploding)


def test_a_good_backend_passes():
    testing.check_backend("reference", given=SOME)
    testing.check_backend(eager.terms, given=SOME)


def off_by_a_little(logits, target, bound, weight, ignore_index):
    found = reference.terms(logits, target, bound, weight, ignore_index)
    return found._replace(loss=found.loss * (1 + 1e-6))


def wrong_gradient(logits, target, bound, weight, ignore_index):
    found = reference.terms(logits, target, bound, weight, ignore_index)
    return found._replace(loss=found.loss + 0.01 * (logits - logits.detach()).sum(1))


def writes_into_the_logits(logits, target, bound, weight, ignore_index):
    found = eager.terms(logits, target, bound, weight, ignore_index)
    logits.data.add_(1)
    return found


def forgets_to_ignore(logits, target, bound, weight, ignore_index):
    return reference.terms(logits, target.clamp(min=0), bound, weight, ignore_index)


def in_half_precision(logits, target, bound, weight, ignore_index):
    narrow = torch.float16 if logits.dtype == torch.float32 else logits.dtype
    found = reference.terms(logits.to(narrow), target, bound, weight, ignore_index)
    return reference.Terms(*(t.to(torch.promote_types(logits.dtype, torch.float32)) for t in found[:3]), found.valid)


def wrong_shape(logits, target, bound, weight, ignore_index):
    found = reference.terms(logits, target, bound, weight, ignore_index)
    return found._replace(loss=found.loss.unsqueeze(1))


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        (off_by_a_little, "softmax focal, rows, torch.float64, loss: off by"),
        (wrong_gradient, "gradient to logits: off by"),
        (writes_into_the_logits, "changed one of its inputs"),
        (forgets_to_ignore, "softmax focal, image"),
        (in_half_precision, "torch.float32"),
        (wrong_shape, r"shape \[8, 1\] instead of \[8\]"),
    ],
)
def test_a_bad_backend_is_told_what_is_wrong(backend, said):
    with pytest.raises(AssertionError, match=said):
        testing.check_backend(backend, given=SOME)
