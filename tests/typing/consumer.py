"""A program of somebody who checks types strictly: every public name is used, and what it gives is what is written here.

`mypy --strict` and pyright's strict mode read it (test_consumer.py); nothing runs it.
"""

from pathlib import Path
from typing import assert_type

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

import steelyard as sy


def program() -> None:
    counts = sy.Counts.of(900, 100)
    assert_type(counts, sy.Counts)
    assert_type(sy.count(["a", "b", "a"]), sy.Counts)
    assert_type(sy.count(Path("train.parquet"), label="diagnosis"), sy.Counts)
    assert_type(counts + counts, sy.Counts)
    assert_type(sy.ReadingWarning("unread"), sy.ReadingWarning)

    # what a label counts, what the head start is, how the penalty falls, what a label asks for
    weights = [
        sy.inverse_frequency(counts),
        sy.inverse_frequency(counts, beta=0.5),
        sy.effective_number(counts, beta=0.999),
        sy.median_frequency(counts),
        sy.log_frequency(counts),
        sy.pos_neg(counts),
        sy.deployment([0.5, 0.5], counts),
        sy.logit_adjustment(counts, tau=0.5),
        sy.class_temperature(counts),
        sy.label_temperature(counts),
        sy.margin(counts),
        sy.costs([[0.0, 1.0], [20.0, 0.0]]),
        sy.focal(gamma=2.0),
        sy.asymmetric(),
        sy.poly(),
        sy.generalized(),
        sy.symmetric(),
        sy.smooth(0.05),
        sy.fixed(weight=[1.0, 9.0]),
    ]
    assert_type(weights, list[sy.Recipe])
    recipe = sy.mix(weights[0], sy.focal(gamma=2.0))
    assert_type(recipe, sy.Recipe)
    assert_type(sy.unit_mass(recipe, counts), sy.Recipe)
    recipe.save("recipe.json")
    assert_type(sy.Recipe.load("recipe.json"), sy.Recipe)
    assert_type(float(sy.initial_bias(counts)[0]), float)

    logits, target = torch.zeros(4, 2), torch.tensor([0, 0, 0, 1])
    loss = sy.CrossEntropy(recipe, ignore_index=-100)
    assert_type(loss, sy.CrossEntropy)
    assert_type(loss(logits, target), Tensor)
    assert_type(sy.BinaryCrossEntropy(sy.pos_neg(counts))(logits[:, 0], target), Tensor)
    assert_type(sy.CrossEntropyLoss(label_smoothing=0.1)(logits, target), Tensor)
    assert_type(sy.BCEWithLogitsLoss(pos_weight=torch.tensor(9.0))(logits[:, 0], target.float()), Tensor)
    assert_type(sy.cross_entropy(logits, target, recipe), Tensor)
    assert_type(sy.binary_cross_entropy(logits[:, 0], target, sy.pos_neg(counts)), Tensor)
    assert_type(sy.LinearCrossEntropy(recipe)(logits, torch.zeros(2, 2), target), Tensor)
    terms = sy.Sum(ce=loss, dice=(0.5, sy.Region(torch.nn.MSELoss())))
    assert_type(sy.DeepSupervision(loss, [1.0, 0.5])([logits, logits], target), Tensor)
    assert_type(terms(logits, target), Tensor)
    assert_type(sy.quality_focal(logits, torch.rand(4, 2)), Tensor)
    assert_type(sy.global_mass(target, loss), Tensor)
    with sy.accumulate(loss, [target, target]), sy.backend("eager"):
        loss(logits, target)
    print(sy.slopes(recipe, np.zeros((4, 2)), np.zeros(4, dtype=np.int64))[0])

    p = sy.posterior(logits, loss)
    assert_type(p, Tensor)
    print(sy.posterior(np.zeros((4, 2)), loss).argmax(axis=1))
    cut = sy.threshold(np.zeros(4), np.zeros(4), cost_fn=20, cost_fp=1)
    print(sy.explain(recipe, counts), float(cut))
    scaling = sy.calibrate.scaling(np.zeros((4, 2)), np.zeros(4, dtype=np.int64))
    assert_type(scaling, sy.calibrate.Scaling)

    mask: npt.NDArray[np.int64] = np.zeros((16, 16), dtype=np.int64)
    print(sy.spatial.border(mask, w0=10, sigma=5).shape)
    rule = sy.adaptive.Deferred(sy.Recipe(), recipe, after_epoch=160)
    assert_type(rule, sy.adaptive.Deferred)
    sy.CrossEntropy(rule).advance(epoch=1)
    curve = sy.curves.Focal(2.0)
    assert_type(curve, sy.curves.Focal)
    sy.plot.counts(counts)
    sy.testing.check_ingredient(sy.inverse_frequency)

    study = sy.tune("train.csv", label="diagnosis", cost_fn=20, cost_fp=1)
    assert_type(study.recipe, sy.Recipe)
    assert_type(study.report("report"), list[Path])
