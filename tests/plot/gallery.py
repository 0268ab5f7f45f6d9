"""One small call of every function of sy.plot, and of each of its kinds of input: {name: function of `ax`}."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from tests.report.conftest import _hostile, _partial, _study, _three, _won

import steelyard as sy
from steelyard.report import Report
from steelyard.rule.history import History

# control characters, markup, a formula of matplotlib, and a name that its legends leave out
ODD = ("ok", "<b>bold</b>", "\x1b[2Jclear", "$x^$", "_hidden", "\u202eturned")
TWO = sy.Counts.of(900, 100, classes=["healthy", "ill"])
SIX = sy.Counts([9000, 800, 97, 31, 12, 3], ODD)
MANY = sy.Counts(np.arange(1, 1204)[::-1] ** 2, [f"category {i}" for i in range(1203)], unit="boxes")
LABELS = sy.Counts([500, 40, 3], ["cat", "dog", "_"], kind="multilabel", items=1000)
MASK = np.zeros((12, 16), int)
MASK[2:5, 2:6], MASK[6:9, 8:13] = 1, 2
VOLUME = np.stack([0 * MASK, MASK, (MASK == 1) * 1])
IGNORED = np.where(np.arange(16) > 13, 255, MASK)
P = np.linspace(0.01, 0.6, 300)
Y = (np.arange(300) % 10 >= 10 * (1 - P)).astype(int)
THREE = np.stack([P, 0.9 - P, np.full(300, 0.1)], axis=1)
WEIGHED = sy.inverse_frequency(TWO)
BORDER = sy.spatial.Map("border", sigma=3, w0=10)
plot = sy.plot


def _history(columns: dict[str, Any]) -> History:
    rows = zip(*columns.values(), strict=True)
    return History(tuple(dict(zip(columns, map(float, row), strict=True)) for row in rows))


SHORT = _history({"step": range(5), "weight[<i>]": range(5), "weight[b]": range(1, 6), "gamma": [2, 1, 0.5, 0, 0]})
WIDE = _history({"epoch": range(5), **{f"weight[{k}]": np.linspace(1, k + 1, 5) for k in range(50)}})

GALLERY: dict[str, Callable[..., Any]] = {
    "counts, two": lambda **k: plot.counts(TWO, **k),
    "counts, odd names": lambda **k: plot.counts(SIX, **k),
    "counts, many": lambda **k: plot.counts(MANY, **k),
    "counts, labels": lambda **k: plot.counts(LABELS, **k),
    "counts, weighted": lambda **k: plot.counts(sy.Counts([5.5, 2.25], weighted=True), **k),
    "counts, some empty": lambda **k: plot.counts(sy.Counts.of(900, 0, 3), **k),
    "counts, all empty": lambda **k: plot.counts(sy.Counts.of(0, 0), **k),
    "counts, one": lambda **k: plot.counts(sy.Counts.of(5), **k),
    "recipe, two": lambda **k: plot.recipe(sy.mix(WEIGHED, sy.focal(gamma=2.0)), **k),
    "recipe, odd names": lambda **k: plot.recipe(sy.inverse_frequency(SIX), **k),
    "recipe, many": lambda **k: plot.recipe(sy.inverse_frequency(sy.Counts(range(300, 0, -1)), beta=0.5), **k),
    "recipe, labels": lambda **k: plot.recipe(sy.inverse_frequency(LABELS), **k),
    "recipe, named classes": lambda **k: plot.recipe(sy.inverse_frequency(LABELS), classes=["dog"], **k),
    "recipe, pos_weight": lambda **k: plot.recipe(sy.BCEWithLogitsLoss(pos_weight=torch.tensor([9.0])), **k),
    "recipe, drop-in": lambda **k: plot.recipe(sy.CrossEntropyLoss(weight=torch.tensor([1.0, 9.0])), **k),
    "recipe, one logit": lambda **k: plot.recipe(sy.BinaryCrossEntropy(WEIGHED), **k),
    "recipe, margins": lambda **k: plot.recipe(sy.margin(SIX), **k),
    "recipe, smoothing": lambda **k: plot.recipe(sy.smooth(0.1), **k),
    "recipe, sigmoid only": lambda **k: plot.recipe(sy.fixed(curve=sy.curves.Asymmetric()), **k),
    "recipe, a rule": lambda **k: plot.recipe(
        sy.CrossEntropy(sy.adaptive.Deferred(sy.Recipe(), WEIGHED, after_epoch=0)), **k
    ),
    "explanation, two": lambda **k: plot.explanation(sy.explain(WEIGHED, TWO), **k),
    "explanation, odd names": lambda **k: plot.explanation(sy.explain(sy.logit_adjustment(SIX), SIX), **k),
    "explanation, many": lambda **k: plot.explanation(sy.explain(sy.inverse_frequency(MANY), MANY), **k),
    "explanation, labels": lambda **k: plot.explanation(sy.explain(sy.inverse_frequency(LABELS), LABELS), **k),
    "explanation, sampled": lambda **k: plot.explanation(
        sy.explain(sy.Recipe(weight=[1.0, 1.0]), TWO, sampled=sy.Counts.of(500, 500, classes=["healthy", "ill"])), **k
    ),
    "explanation, of a map": lambda **k: plot.explanation(sy.explain(BORDER, [MASK]), **k),
    "map": lambda **k: plot.map(BORDER, MASK, MASK * 0.5, **k),
    "map, without image": lambda **k: plot.map(BORDER(MASK), torch.from_numpy(MASK), **k),
    "map, colours and void": lambda **k: plot.map(
        BORDER.replace(ignore=255), IGNORED, np.zeros((3, *MASK.shape), np.uint8), **k
    ),
    "map, volume": lambda **k: plot.map(
        sy.spatial.Map("distance", spacing=(2, 1, 1)), VOLUME, VOLUME.astype(float), **k
    ),
    "history": lambda **k: plot.history(SHORT, **k),
    "history, many": lambda **k: plot.history(WIDE, **k),
    "reliability": lambda **k: plot.reliability({"as trained": P**0.5, "$undone": P}, Y, **k),
    "reliability, weighted": lambda **k: plot.reliability(P, Y, weight=1 + P, **k),
    "reliability, three classes": lambda **k: plot.reliability(THREE, Y, **k),
    "exchange": lambda **k: plot.exchange(sy.calibrate.exchange(P, Y), rate=2.0, **k),
    "exchange, from p and y": lambda **k: plot.exchange(P, Y, **k),
    "study": lambda **k: plot.study(Report.from_json(_study()), **k),
    "study, won": lambda **k: plot.study(Report.from_json(_won()), **k),
    "study, three classes": lambda **k: plot.study(Report.from_json(_three()), **k),
    "study, unfinished": lambda **k: plot.study(Report.from_json(_partial()), **k),
    "study, hostile names": lambda **k: plot.study(Report.from_json(_hostile()), **k),
}
