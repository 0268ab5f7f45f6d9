"""What `steelyard.tune` says about one generated table, by metric, and what is true of the models that it compared."""

import dataclasses
import functools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest import mock

import numpy as np

import steelyard as sy
from steelyard.counts import Counts
from steelyard.tuning import Study, opening, study
from steelyard.tuning.data.problem import problem
from steelyard.tuning.goals import Goals
from steelyard.tuning.metric import Metric
from steelyard.tuning.models.forms import undo
from steelyard.tuning.models.linear import LinearModel
from steelyard.tuning.models.model import Fit
from steelyard.tuning.store.fits import Memory
from steelyard.tuning.verdict.decision import PER_BLOCK

from .generators import GENERATORS, Sample

TWO = ("average_precision", "roc_auc", "balanced_accuracy", "f1", "expected_cost", "log_loss")
MORE = ("balanced_accuracy", "macro_f1", "log_loss")
COSTS = {"expected_cost": (5.0, 1.0), "expected_cost_20": (20.0, 1.0)}  # a missed positive, a false alarm
MATRIX = "expected_cost_matrix"  # more than two classes
TEST_ROWS, TEST_REPEAT = 200_000, 2**31  # a repeat that no study has


@dataclasses.dataclass(frozen=True)
class Question:
    """One study: everything that its answer depends on, besides the code. `truth`: also measure what is true."""

    generator: str
    repeat: int
    metrics: tuple[str, ...]
    model: str = "linear"
    bootstrap: int = 400
    truth: bool = False
    alone: bool = False


def answer(question: Question) -> list[dict[str, Any]]:
    """One JSON-ready record per metric. `alone`: every metric by a `tune` of its own, nothing shared, and timed."""
    generator = GENERATORS[question.generator]
    sample = generator.sample(question.repeat)
    positive = None if generator.classes > 2 else "1"
    task = problem(sample.table(), "y", positive, **generator.options)
    records = []
    with nullcontext() if question.alone else sharing():
        for metric in question.metrics:
            started = time.process_time()
            found = sy.tune(task, **asked(metric, question))
            if found.stopped is not None:  # by a signal: what it says is another question's answer
                raise SystemExit(f"honesty: stopped ({found.stopped.why}); answers so far are kept.")
            seconds = time.process_time() - started
            record = {"generator": generator.name, "repeat": question.repeat, "metric": metric} | told(found)
            record["seconds"] = seconds if question.alone else None
            truth = question.truth and question.model == "linear" and not generator.options and sample.words is None
            record["truth"] = gains(found, sample, unseen_rows(generator.name)) if truth else None
            records.append(record)
    return records


def asked(metric: str, question: Question) -> dict[str, Any]:
    """The keyword arguments of `tune`: its defaults, but for the metric, the seed and fewer draws."""
    options: dict[str, Any] = {"metric": metric, "seed": question.repeat, "bootstrap": question.bootstrap}
    if metric in COSTS:
        options |= {"metric": "expected_cost", "cost_fn": COSTS[metric][0], "cost_fp": COSTS[metric][1]}
    if metric == MATRIX:
        options |= {"metric": "expected_cost", "cost_matrix": matrix(GENERATORS[question.generator].classes)}
    if question.model != "linear":
        options["model"] = question.model
    return options


def matrix(classes: int) -> list[list[float]]:
    """[truth][decision]: what is missed costs 1 for the most common class, and evenly more up to 10 for the rarest."""
    missed = np.linspace(1, 10, classes)
    return (missed[:, None] * (1 - np.eye(classes))).tolist()


def told(found: Study) -> dict[str, Any]:
    """The verdict, and for every arm that was compared its difference from plain with the ends of its interval."""
    metric = found.metric.name
    arms = {a.name: a.metrics[metric] for a in found.arms if not a.equals}
    plain, *rest = arms
    return {
        "case": found.verdict.case,
        "winner": found.verdict.winner,
        "best": found.verdict.best,
        "rare": found.problem.rare,
        "events": None if found.events is None else found.events.judged,
        "full_blocks": None if found.events is None else sum(n >= PER_BLOCK for n in found.events.by_block),
        "plain": arms[plain]["value"],
        "margin": found.margin,
        "gate": found.gate.open,
        "moves": found.practice.moves,
        "visible": found.practice.visible,
        "cut": [found.practice.cut.difference, found.practice.cut.low, found.practice.cut.high],
        "better": [one.name for one in found.better],
        "arms": {name: [arms[name][k] for k in ("difference", "low", "high")] for name in rest},
    }


@contextmanager
def sharing() -> Iterator[None]:
    """Inside, studies of one Problem with one seed and one model fit everything once, and only what the verdict rests on:
    no resampled baselines, no bootstrap of other metrics, no warnings about columns.

    None of this changes a verdict: fits and draws are functions of their arguments. A test compares with plain `tune`.
    """
    with (
        mock.patch.object(opening, "Memory", return_value=Memory()),
        mock.patch.object(study, "_resampled", return_value=[]),
        mock.patch.object(study, "_data_warnings", return_value=[]),
        mock.patch.object(Goals, "every", lambda self, classes: [self.metric]),
    ):
        yield


@functools.lru_cache(maxsize=2)
def unseen_rows(name: str) -> Sample:
    return GENERATORS[name].sample(TEST_REPEAT, TEST_ROWS)


def gains(found: Study, sample: Sample, test: Sample) -> dict[str, float]:
    """{arm: how much better than plain it really is}: each fitted on all rows, at the strength and the threshold that the
    study chose for it on all rows, and judged by the verdict's metric on rows that nobody has seen."""
    center, spread = sample.X.mean(axis=0), sample.X.std(axis=0)
    X, unseen = (sample.X - center) / spread, (test.X - center) / spread
    values = {}
    for arm in (a for a in found.arms if not a.equals):
        scores = fit_and_score(X, sample.y, arm.recipe, arm.setting, unseen, found.problem.classes)[1]
        values[arm.name] = value(found.metric, scores, test.y, arm.threshold, found.problem.counts)
    plain, *rest = values
    return {name: float(found.metric.gain(np.array(values[name]), np.array(values[plain]))) for name in rest}


def fit_and_score(
    X: np.ndarray, y: np.ndarray, recipe: sy.Recipe, strength: float, unseen: np.ndarray, classes: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """One linear model of the tuner's: its scores of unseen rows as trained and undone, [rows] or [rows, C]."""
    logits = LinearModel().fit(Fit(X, y, [recipe], np.array([strength]), classes=classes)).logits(unseen)[0, 0]
    return logits, undo(logits, recipe, classes)


def value(
    metric: Metric, scores: np.ndarray, y: np.ndarray, threshold: float | tuple[float, ...], counts: Counts
) -> float:
    """A metric of scores [rows] (log-odds, with a threshold on the probability) or [rows, C] (log-probabilities, with what each
    probability is divided by before the largest decides, or under a cost matrix the cheapest class). By its definition, not by
    the tuner's code for it.
    """
    if metric.name == "log_loss":
        if scores.ndim == 1:
            return float(np.logaddexp(0, np.where(y == 1, -scores, scores)).mean())
        return float(-scores[np.arange(len(y)), y].mean())
    if metric.name in ("average_precision", "roc_auc"):  # no ties: scores are continuous
        hit = y[np.argsort(-scores)]
        at = np.flatnonzero(hit) + 1  # ranks of the positives, the best is 1
        order = np.arange(1, len(at) + 1)
        if metric.name == "average_precision":
            return float(np.mean(order / at))
        return float(1 - np.mean(at - order) / (len(y) - len(at)))
    if scores.ndim == 1:
        with np.errstate(divide="ignore"):
            assert isinstance(threshold, float)
            said = (scores >= np.log(threshold) - np.log1p(-threshold)).astype(np.int64)
    else:
        shifted = scores - np.log(np.array(threshold))
        said = np.argmax(shifted, axis=1)
        if metric.cost_matrix is not None:
            said = np.argmin(np.exp(shifted) @ np.array(metric.cost_matrix), axis=1)
    table = np.bincount(y * len(counts) + said, minlength=len(counts) ** 2).reshape(len(counts), -1)  # [true, said]
    each_f1 = 2 * table.diagonal() / np.maximum(1, table.sum(axis=0) + table.sum(axis=1))
    if metric.cost_matrix is not None:
        return float(1000 * (table * np.array(metric.cost_matrix)).sum() / len(y))
    if metric.name == "expected_cost":
        return float(1000 * (metric.cost_fn * table[1, 0] + metric.cost_fp * table[0, 1]) / len(y))
    if metric.name == "balanced_accuracy":
        return float((table.diagonal() / table.sum(axis=1)).mean())
    if metric.name == "f1":
        return float(each_f1[1])
    if metric.name == "macro_f1":
        return float(each_f1.mean())
    raise ValueError(f"benchmarks: the truth of {metric.name} is not measured; choose one of {', '.join(TWO + MORE)}.")


def metrics_of(name: str, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The metrics of a generator: the wanted ones that its number of classes knows."""
    two = GENERATORS[name].classes == 2
    known = (*TWO, "expected_cost_20") if two else (*MORE, MATRIX)
    return tuple(m for m in known if m in wanted) if wanted else (TWO if two else MORE)
