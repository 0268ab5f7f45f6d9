"""The benchmark of outer steps: disjoint images, and on few seeds what its results say."""

import json
from pathlib import Path

import pytest
import torch
from benchmarks.bilevel import HELD, TEST, _accuracy, _data, _fit

import steelyard as sy

COUNTS, SEEDS = _data(10, 2)


def test_training_held_out_and_test_images_are_disjoint():
    for seed in SEEDS:
        rows = [{r.numpy().tobytes() for r in x} for x in (seed.x, seed.x_held, seed.x_test)]
        assert [len(seed.x), len(seed.x_held), len(seed.x_test)] == [280, 10 * HELD, 10 * TEST]
        assert not rows[0] & rows[1]
        assert not rows[0] & rows[2]
        assert not rows[1] & rows[2]
        assert seed.y_held.bincount().tolist() == [HELD] * 10


@pytest.mark.slow
def test_outer_steps_cost_a_tenth_of_the_grid_and_beat_plain():
    """15 seeds: +.048 +- .006 over plain; of two seeds the better must be well above it."""
    gains = []
    for seed in SEEDS:
        learned = sy.adaptive.Learned(COUNTS, how="bilevel", start=sy.logit_adjustment(COUNTS))
        fit = _fit(seed, sy.CrossEntropy(learned), (seed.x_held, seed.y_held))
        assert fit.gradients == 400 + 30 * 13 < 8000 / 10
        plain = _fit(seed, sy.CrossEntropy())
        gains.append(_accuracy(fit.model, seed.x_test, seed.y_test) - _accuracy(plain.model, seed.x_test, seed.y_test))
    assert max(gains) > 0.01


def test_on_rows_that_are_trained_on_the_outer_gradient_vanishes_with_the_loss():
    """Its size against that on held-out rows: about 1 at step 50, .04 at step 400 (measured: .047 and .035 on two seeds)."""
    seed = SEEDS[0]
    loss = sy.CrossEntropy(sy.adaptive.Learned(COUNTS, how="bilevel", start=sy.logit_adjustment(COUNTS)))
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=1e-4)
    outer = sy.adaptive.Bilevel(model, loss, damping=1e-4)
    own, ratio = (seed.x, seed.y), {}
    for step in range(401):
        if step in (50, 400):
            found = [outer.hypergradient(own, held) for held in (own, (seed.x_held, seed.y_held))]
            sizes = [torch.cat([g.flatten() for g in f.gradients]).norm() for f in found]
            ratio[step] = float(sizes[0] / sizes[1])
        optimizer.zero_grad()
        loss(model(seed.x), seed.y).backward()
        optimizer.step()
    assert ratio[50] > 0.4
    assert ratio[400] < 0.12


def test_the_results_say_what_the_docs_say():
    found = json.loads((Path(__file__).parents[2] / "benchmarks" / "results" / "bilevel.json").read_text())
    rows = {row["name"]: row for row in found["rows"]}
    started = rows["bilevel from logit adjustment"]
    assert abs(started["minus_grid"]) <= started["error"]
    assert started["gradients"] < rows["grid"]["gradients"] / 10
    each = torch.tensor(started["each"]) - torch.tensor(rows["grid"]["each"])
    assert float(each.mean()) == pytest.approx(started["minus_grid"], abs=1e-6)
    assert (
        rows["logit adjustment, held-out images trained on"]["balanced_accuracy"] > started["balanced_accuracy"] + 0.03
    )
