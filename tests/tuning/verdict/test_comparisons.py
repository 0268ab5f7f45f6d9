"""All metrics under all draws: the same numbers whatever is merged, kept or made again to save memory."""

import dataclasses

import numpy as np
import pytest

from steelyard.tuning.evaluator import Evaluator
from steelyard.tuning.goals import metric
from steelyard.tuning.metric import METRICS
from steelyard.tuning.split import Split
from steelyard.tuning.validation.crossfit import OutOfFold
from steelyard.tuning.validation.folds import split
from steelyard.tuning.validation.outcomes import outcomes
from steelyard.tuning.verdict import comparisons as evidence
from steelyard.tuning.verdict.bootstrap import draws
from steelyard.tuning.verdict.comparisons import Cells, Shown, compare

NAMES = {
    2: ("average_precision", "roc_auc", "f1", "balanced_accuracy", "log_loss", "brier"),
    3: ("macro_f1", "mcc", "log_loss", "balanced_accuracy"),
}


def table(classes: int = 2, rows: int = 240, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).choice(classes, rows, p=[0.7, 0.3] if classes == 2 else [0.5, 0.3, 0.2])


def splits(y: np.ndarray) -> dict[str, Split]:
    return {
        "stratified": split(y, repeats=3),
        "grouped": split(y, repeats=3, groups=np.arange(len(y)) // 3),
        "time": split(y, time=np.random.default_rng(1).permutation(len(y))),
    }


class Search:
    """Scores of three arms at two settings, as a search would have found them; nothing where a row is never held out."""

    def __init__(self, y: np.ndarray, kind: Split, classes: int, seed: int = 0):
        rng = np.random.default_rng(seed)
        shape = (3, 2, kind.repetitions, len(y))
        if classes == 2:
            z = rng.normal(size=shape) + 1.5 * y
        else:
            z = rng.normal(size=(*shape, classes)) + 1.5 * np.eye(classes)[y]
            z = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
        z[:, :, kind.held < 0] = np.nan
        self.out = OutOfFold(z.astype(np.float32), y, kind, np.array([0.1, 1.0]), classes)

    def choice(self, m):
        return self.out.choose(m)


@dataclasses.dataclass
class Task:
    y: np.ndarray
    classes: int


def study(classes: int, kind: str, seed: int = 0):
    y = table(classes, seed=seed)
    found = splits(y)[kind]
    return Task(y, classes), Search(y, found, classes, seed), found


def compared(classes: int, kind: str, chosen: str, count: int = 60, **more):
    task, search, found = study(classes, kind)
    metrics = [METRICS[n] for n in (chosen, *(n for n in NAMES[classes] if n != chosen))]
    distances = [(j,) for j in range(3)]

    def entrants(metric, by):
        return outcomes(search.choice(by or metric), metric)

    more = {"tested": np.arange(3) > 0, **more}
    *result, drawn = compare(task.y, task.classes, found, entrants, metrics[0], metrics, distances, count, 4, **more)
    assert all(c.draws.shape[1] == drawn for c in result[0].values())
    return result


@pytest.mark.parametrize("kind", ["stratified", "grouped", "time"])
@pytest.mark.parametrize(("classes", "chosen"), [(2, "average_precision"), (2, "f1"), (3, "balanced_accuracy")])
def test_every_metric_is_that_of_the_judged_rows(classes, chosen, kind):
    task, search, found = study(classes, kind)
    result, gate = compared(classes, kind, chosen)
    y = task.y[found.judged]
    weights = np.concatenate(list(draws(task.y, 60, 4, found)), axis=1)
    for name in NAMES[classes]:
        m = METRICS[name]
        predicted = outcomes(search.choice(m), m)[:, :, found.judged]
        evaluators = [Evaluator(m, arm, y, classes) for arm in predicted]
        np.testing.assert_allclose(result[name].value, [e().mean() for e in evaluators], rtol=1e-6)
        np.testing.assert_allclose(result[name].draws, [e(weights).mean(axis=0) for e in evaluators], rtol=1e-6)
        assert np.isfinite(result[name].deviation).all()
    assert gate.name == ("AUC" if classes == 2 else "balanced accuracy")
    assert gate.chance == pytest.approx(1 / classes)
    assert gate.open


def test_in_time_the_spread_between_blocks_counts():
    task, search, found = study(2, "time")
    result, _ = compared(2, "time", "roc_auc")
    m = METRICS["roc_auc"]
    predicted = outcomes(search.choice(m), m)[:, 0]
    within = np.array(
        [Evaluator(m, predicted[:, found.held[0] == f], task.y[found.held[0] == f], 2)() for f in range(1, found.folds)]
    ).T
    gains = within - within[0]
    between = gains.var(axis=1, ddof=1) / gains.shape[1]
    spread = (result["roc_auc"].draws - result["roc_auc"].draws[0]).var(axis=1, ddof=1)
    np.testing.assert_allclose(result["roc_auc"].deviation ** 2, np.maximum(between, spread), rtol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_little_room_changes_nothing(classes, monkeypatch):
    whole, gate = compared(classes, "stratified", NAMES[classes][0])
    monkeypatch.setattr(evidence, "ROOM", 2 * 8 * 240)  # two models at a time
    parts, again = compared(classes, "stratified", NAMES[classes][0])
    for name in whole:
        np.testing.assert_allclose(parts[name].draws, whole[name].draws, rtol=1e-6)
        np.testing.assert_allclose(parts[name].deviation, whole[name].deviation, rtol=1e-5)
    assert again == dataclasses.replace(gate, value=pytest.approx(gate.value), low=pytest.approx(gate.low))


@pytest.mark.parametrize("classes", [2, 3])
def test_rows_on_which_models_decide_alike_may_be_added_up_first(classes):
    rng = np.random.default_rng(0)
    y = table(classes, 2000)
    models = np.stack([np.where(rng.random(2000) < 0.9, y, rng.integers(0, classes, 2000)) for _ in range(4)])
    more = np.where(rng.random((4, 2000)) < 0.95, models, 0)
    cost = metric(
        "expected_cost", classes, **({"cost_fn": 7.0} if classes == 2 else {"cost_matrix": 3 - 3 * np.eye(3)})
    )
    cells = Cells(y, classes)
    assert cells.add("first", METRICS["balanced_accuracy"], models)
    assert cells.add("second", cost, more)
    assert len(cells.label) < 400
    weights = rng.integers(0, 4, (2000, 30)).astype(np.float32)
    found = cells(weights)
    np.testing.assert_allclose(found["first"], Evaluator(METRICS["balanced_accuracy"], models, y, classes)(weights))
    np.testing.assert_allclose(found["second"], Evaluator(cost, more, y, classes)(weights), rtol=1e-12)


def test_decisions_that_have_nothing_in_common_are_not_merged():
    rng = np.random.default_rng(0)
    y = table(2, 300)
    assert not Cells(y, 2).add("f1", METRICS["f1"], rng.integers(0, 2, (40, 300)))


def test_very_many_decisions_are_told_apart():
    """More than an int64 can number."""
    rng = np.random.default_rng(0)
    y = table(3, 4000)
    kinds = rng.integers(0, 3, (200, 25))
    kind = rng.integers(0, 25, 4000)
    cells = Cells(y, 3)
    assert cells.add("mcc", METRICS["mcc"], kinds[:, kind])
    assert len(cells.label) == 75
    np.testing.assert_array_equal(cells.decided["mcc"][1][:, cells.cell], kinds[:, kind])


def test_what_is_shown_has_intervals_of_its_own_and_never_wins():
    perfect = np.tile(np.where(table() == 1, 3.0, -3.0), (3, 1))
    shown = [
        Shown("oracle", lambda m: perfect if m.kind != "decision" else (perfect > 0).astype(int)),
        Shown("silent", lambda m: None),
    ]
    alone, gate = compared(2, "stratified", "average_precision")
    beside, same = compared(2, "stratified", "average_precision", shown=shown)
    assert same == gate
    for name, found in beside.items():
        np.testing.assert_allclose(found.low[:3], alone[name].low, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(found.high[:3], alone[name].high, rtol=1e-12, atol=1e-15)
        assert not found.tested[3:].any()
        assert found.best != 3
        assert found.low[3] == pytest.approx(found.gain[3] - 1.959964 * found.deviation[3])
        assert found.high[3] == pytest.approx(found.gain[3] + 1.959964 * found.deviation[3])
        assert np.isnan(found.value[4])
    assert beside["average_precision"].value[3] == pytest.approx(1)


def test_an_arm_that_is_only_shown_costs_the_others_no_power():
    tested = np.array([False, True, False])
    one, _ = compared(2, "stratified", "roc_auc", tested=tested)
    both, _ = compared(2, "stratified", "roc_auc")
    assert one["roc_auc"].best == 1
    width = [(c["roc_auc"].high - c["roc_auc"].gain)[1] for c in (one, both)]
    assert width[0] < width[1]


@pytest.mark.parametrize("room", [2 * 8 * 240, evidence.ROOM])
@pytest.mark.parametrize("late", [0, 1, 5])
def test_who_is_late_judges_by_the_first_draws(late, room, monkeypatch):
    """However the predictions are cut, all metrics see the same draws: as many as the last of them had time for."""
    monkeypatch.setattr(evidence, "ROOM", room)
    asked = iter(range(10_000))
    whole, _ = compared(2, "stratified", "average_precision", count=1000)
    early, gate = compared(2, "stratified", "average_precision", count=1000, hurry=lambda: next(asked) >= late)
    (drawn,) = {c.draws.shape[1] for c in early.values()}
    assert evidence.LEAST <= drawn < 1000
    assert gate.open
    for name in whole:
        np.testing.assert_allclose(early[name].draws, whole[name].draws[:, :drawn], rtol=1e-6)
        np.testing.assert_allclose(early[name].value, whole[name].value, rtol=1e-6)
