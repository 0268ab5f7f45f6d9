"""Rules as arms: the same training as a recipe where a rule stands still, its own where it moves, and scores on plain scale."""

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard import adaptive
from steelyard.tuning.arms import arms
from steelyard.tuning.models.forms import undo
from steelyard.tuning.models.mlp import MLPModel
from steelyard.tuning.models.model import Fit
from steelyard.tuning.models.ruled import Ruled, by_the_call, undone

COUNTS = sy.Counts.of(255, 45, classes=["no", "yes"])
EPOCHS = np.array([1.0, 2.0, 4.0])
FAST = {"repeats": 2, "folds": 3, "bootstrap": 100, "baselines": False}


def rows(classes: int = 2, n: int = 300):
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(classes), [255, 45] if classes == 2 else [210, 60, 30])
    return rng.normal(size=(n, 3)) + y[:, None], y.astype(np.int64)


def fitted(classes=2, *, rule=None, recipe=None, weights=None):
    X, y = rows(classes)
    recipes = [sy.Recipe() if recipe is None else recipe]
    return MLPModel().fit(Fit(X, y, recipes, EPOCHS, classes, seed=3, weights=weights, rule=rule)), X


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_rule_that_stands_still_trains_as_its_recipe(classes, weighted):
    counts = COUNTS if classes == 2 else sy.Counts.of(210, 60, 30)
    recipe = sy.inverse_frequency(counts)
    weights = np.linspace(0.5, 1.5, 300) if weighted else None
    by_rule, X = fitted(classes, rule=adaptive.Deferred(sy.Recipe(), recipe, after_epoch=0), weights=weights)
    by_recipe, _ = fitted(classes, recipe=recipe, weights=weights)
    assert isinstance(by_rule, Ruled)
    expected = np.stack([undo(z, recipe, classes) for z in by_recipe.logits(X)[0]])
    np.testing.assert_allclose(by_rule.logits(X)[0], expected, atol=2e-3)  # float32, summed in another order


def test_a_deferred_rule_is_plain_until_its_epoch_and_undone_by_what_stood_then():
    recipe = sy.inverse_frequency(COUNTS)
    found, X = fitted(rule=adaptive.Deferred(sy.Recipe(), recipe, after_epoch=2))
    plain, _ = fitted()
    np.testing.assert_allclose(found.logits(X)[0, :2], plain.logits(X)[0, :2], atol=2e-3)
    assert np.abs(found.fitted.logits(X)[0, 2] - plain.logits(X)[0, 2]).mean() > 0.2
    np.testing.assert_allclose(found.recipes[2].class_weight, recipe.class_weight)
    np.testing.assert_allclose(found.logits(X)[0, 2], undo(found.fitted.logits(X)[0, 2], recipe, 2), atol=1e-9)


def test_annealed_and_learned_numbers_are_those_of_their_epoch():
    annealed, _ = fitted(rule=adaptive.Anneal(sy.Recipe(weight=[1.0, 1.0]), sy.Recipe(weight=[0.5, 5.0]), over=(0, 4)))
    shares = [recipe.class_weight.tolist() for recipe in annealed.recipes]
    np.testing.assert_allclose(shares, [[1, 1], [0.875, 2], [0.625, 4]])  # the epochs counted from 0: 0, 1 and 3
    learned, _ = fitted(rule=adaptive.Learned(COUNTS))
    moved = [recipe.class_weight.numpy() for recipe in learned.recipes]
    assert np.abs(moved[2] - 1).max() > np.abs(moved[0] - 1).max() > 0
    minimax, _ = fitted(rule=adaptive.Learned(COUNTS, how="minimax"))
    assert minimax.recipes[2].class_weight[1] > minimax.recipes[2].class_weight[0]


def test_what_no_recipe_says_is_refused():
    assert by_the_call(adaptive.Deferred(sy.Recipe(), sy.Recipe(), after_epoch=1)) == ""
    assert "weighs or adjusts each call" in by_the_call(adaptive.Hardest(0.5))
    with pytest.raises(ValueError, match="the rule x stands at a recipe whose scores cannot be undone"):
        undone(np.zeros(3), sy.Recipe(weight=[1.0, 0.0]), 2, "x")


def test_one_rule_for_all_fits_is_refused():
    with pytest.raises(ValueError, match="d is one rule, and every fit needs a new one"):
        arms({"d": adaptive.Deferred(sy.Recipe(), sy.Recipe(), after_epoch=1)})


def test_keys_of_rules_tell_their_schedule_and_their_numbers_apart():
    def named(epoch, weight):
        made = arms({"d": lambda c: adaptive.Deferred(sy.Recipe(), sy.Recipe(weight=weight), after_epoch=epoch)})[1]
        return made.key(COUNTS)

    assert named(1, [1.0, 5.0]) == named(1, [1.0, 5.0])
    assert len({named(1, [1.0, 5.0]), named(2, [1.0, 5.0]), named(1, [1.0, 4.0])}) == 3


DRW = {"drw": lambda counts: adaptive.Deferred(sy.Recipe(), sy.inverse_frequency(counts), after_epoch=2)}


@pytest.mark.slow
def test_rules_compete_in_a_study_of_networks():
    X, y = rows()
    study = sy.tune(X, y, model="mlp", recipes={**DRW, "learned": lambda c: adaptive.Learned(c)}, **FAST)
    assert [arm.name for arm in study.arms] == ["plain", "drw", "learned"]
    for arm in study.arms:
        assert 0.5 < arm.metrics["roc_auc"]["value"] < 1
    assert study.arms[1].recipe.source == ("Deferred(after_epoch=2)",)
    beside = sy.tune(X, y, recipes={**DRW, "inverse": sy.inverse_frequency}, **FAST)
    assert "step by step, which linear is not trained by" in dict(beside.skipped)["drw"]


def train(recipe, X, y):
    """Logistic regression by gradient steps, a model after every epoch."""
    net = torch.nn.Linear(3, 2)
    torch.nn.init.zeros_(net.weight), torch.nn.init.zeros_(net.bias)
    loss = sy.CrossEntropy(recipe)
    step = torch.optim.SGD(net.parameters(), lr=0.5)
    x, target = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
    for epoch in range(8):
        loss.advance(epoch=epoch)
        for _ in range(10):
            step.zero_grad()
            loss(net(x), target).backward()
            step.step()
        yield lambda X: net(torch.tensor(X, dtype=torch.float32))


def test_rules_compete_in_a_study_of_a_function():
    X, y = rows()
    study = sy.tune(train, data=(X, y), epochs=8, recipes=DRW, **FAST)
    assert [arm.name for arm in study.arms] == ["plain", "drw"]
    p = study.model.predict_proba(X)[:, 1]
    assert abs(p.mean() - y.mean()) < 0.06  # undone, whoever won

    final = study.refit.__class__(**{**vars_of(study.refit), "index": 1, "arm": "drw", "setting": 8.0})
    q = final.model.predict_proba(X)[:, 1]
    assert abs(q.mean() - y.mean()) < 0.06  # weighted scores would say a half
    np.testing.assert_allclose(
        final.model.recipe.class_weight, sy.inverse_frequency(sy.Counts.of(255, 45)).class_weight
    )


def vars_of(refit):
    return {name: getattr(refit, name) for name in ("job", "index", "setting", "recipe", "arm", "rule", "threshold")}
