"""A booster that goes on is the one that was trained at once, and only the same fit goes on with it."""

import copy
import dataclasses

import lightgbm
import numpy as np
import pytest

from steelyard import Recipe, focal
from steelyard.tuning.models import begun
from steelyard.tuning.models.lightgbm import LightGBMModel
from steelyard.tuning.models.model import Fit

TWO = {"classes": ("no", "yes"), "kind": "exclusive"}
PLAIN, WEIGHTED = Recipe(**TWO), Recipe(weight=[0.6, 4.0], **TWO)
FOCAL = dataclasses.replace(focal(gamma=2.0), **TWO)


def task(recipes: list[Recipe], trees: float, classes: int = 2, seed: int = 0) -> Fit:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 3))
    y = (X[:, 0] + rng.normal(size=900) > 0.7).astype(int) + (classes == 3) * (X[:, 1] > 1)
    return Fit(X, y, recipes, np.array([trees / 2, trees]), classes=classes, seed=seed)


@pytest.fixture
def updates(monkeypatch):
    """How many trees are grown."""
    grown, real = [], lightgbm.Booster.update
    monkeypatch.setattr(lightgbm.Booster, "update", lambda *a, **k: grown.append(1) or real(*a, **k))
    return grown


@pytest.mark.parametrize("classes", [2, 3])
def test_going_on_gives_the_trees_of_training_at_once(classes, updates):
    names = {"classes": tuple("abc"[:classes]), "kind": "exclusive"}
    recipes = [dataclasses.replace(r, **names) for r in ((PLAIN, WEIGHTED, FOCAL) if classes == 2 else (PLAIN, FOCAL))]
    whole = LightGBMModel().fit(task(recipes, 24, classes))
    model = LightGBMModel()
    half = model.fit(task(recipes, 12, classes))
    X = task(recipes, 12, classes).X
    before, trees = half.logits(X), len(updates)
    more = model.fit(task(recipes, 24, classes))
    assert len(updates) - trees == 12 * len(recipes)
    np.testing.assert_array_equal(more.logits(X), whole.logits(X))
    np.testing.assert_array_equal(half.logits(X), before)  # what was handed out before says what it said
    np.testing.assert_array_equal(model.fit(task(recipes, 12, classes)).logits(X), before)


def test_another_fit_begins_anew(updates):
    model, one = LightGBMModel(), task([PLAIN], 4)
    model.fit(one)
    other = dataclasses.replace(one, X=one.X + 1)
    for changed in (
        other,
        dataclasses.replace(one, y=1 - one.y),
        dataclasses.replace(one, seed=1),
        dataclasses.replace(one, weights=np.full(900, 2.0)),
        dataclasses.replace(one, categorical=np.array([False, False, False])),
        dataclasses.replace(one, recipes=[WEIGHTED]),
    ):
        updates.clear()
        model.fit(changed)
        assert len(updates) == 4
    updates.clear()
    model.fit(one)
    assert not updates


def test_where_there_is_no_room_nothing_is_kept_and_other_processes_start_with_nothing(monkeypatch, updates):
    model = LightGBMModel()
    model.fit(task([PLAIN], 4))
    copy.deepcopy(model).fit(task([PLAIN], 4))
    assert len(updates) == 8
    monkeypatch.setattr(begun, "MOST", 1000)
    small = LightGBMModel()
    small.fit(task([PLAIN], 4))
    small.fit(task([PLAIN], 4))
    assert len(updates) == 16


def test_what_is_handed_out_makes_room():
    kept = begun.Begun[str]()
    kept.keep(b"a", "one", begun.MOST)
    kept.keep(b"b", "two", 1)
    assert kept.take(b"b") is None
    assert kept.take(b"a") == "one"
    assert kept.take(b"a") is None
    kept.keep(b"b", "two", begun.MOST)
    assert kept.take(b"b") == "two"
