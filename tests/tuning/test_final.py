"""The final model: from its file and for other tables the probabilities of the study's own refit.

Files: tuning/data/saved.py, tuning/models/saved.py.
"""

import copy
import dataclasses
import functools
import importlib.util
import json

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
from scipy import sparse
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfTransformer

from steelyard import Recipe, focal, inverse_frequency, mix
from steelyard.tuning import FinalModel, tune
from steelyard.tuning.arms import Arm
from steelyard.tuning.data.problem import problem
from steelyard.tuning.data.saved import Idf
from steelyard.tuning.final import Refit
from steelyard.tuning.job import Job
from steelyard.tuning.metric import METRICS
from steelyard.tuning.models import by_name, saved
from steelyard.tuning.models.forms import undo

ROWS = 200
WORDS = ["good", "bad", "ugly", "nice", "thing", "day", "cold", "wind", "sun", "warm", "today", "ok"]
NAMES = ["well", "ill", "so, so"]
CUTS = (1.0, 0.4, 0.3)  # of three classes


@functools.cache
def table(classes: int) -> pd.DataFrame:
    """Every kind of column, as text that a file would hold."""
    rng = np.random.default_rng(classes)
    y = rng.integers(classes, size=ROWS) * (rng.random(ROWS) < 0.6)
    days, months = rng.integers(1, 29, ROWS), rng.integers(1, 13, ROWS)
    return pd.DataFrame({
        "x": [f"{v:.6f}" if r > 0.1 else "" for v, r in zip(rng.normal(size=ROWS) + y, rng.random(ROWS), strict=True)],
        "money": [f"${v:,.2f}" for v in np.exp(rng.normal(7, 1, ROWS))],
        "when": [f"{d:02d}/{m:02d}/2023" for d, m in zip(days, months, strict=True)],
        "level": rng.choice(["a", "b", "c", ""], ROWS, p=[0.5, 0.3, 0.15, 0.05]),
        "zip": rng.choice(["01067", "02020", "33333"], ROWS),
        "flag": rng.choice(["true", "false"], ROWS),
        "code": rng.integers(1, 5, ROWS).astype(str),
        "text": [" ".join(rng.choice([*WORDS, f"w{i % 40}"], 6)) for i in range(ROWS)],
        "w": rng.integers(1, 4, ROWS).astype(str),
        "y": np.array(NAMES)[y],
    })  # fmt: skip


@functools.cache
def refit(model: str, classes: int, weight: str | None = None, *, weighted: bool = True) -> Refit:
    """What a study hands on, without the study."""
    task = problem(table(classes), "y", "ill" if classes == 2 else None, weight=weight, categorical="code")
    more = () if model == "boosting" else (focal(gamma=2.0),)  # which takes label weights only
    arm = Arm("mixed", (lambda c: mix(inverse_frequency(c), *more)) if weighted else Recipe())
    job = Job(task, None, (arm,), ("mixed",), by_name.named(model), 0)  # type: ignore[arg-type]
    rule = METRICS["balanced_accuracy"]
    return Refit(
        job,
        0,
        {"linear": 1.0, "mlp": 3, "lightgbm": 10, "boosting": 10}.get(model, 1.0),
        arm.recipe(task.masses),
        arm.name,
        rule,
        0.4 if classes == 2 else CUTS,
    )


def of_the_study(refit: Refit) -> np.ndarray:
    """By the study's own encoder and undo."""
    fitted, encode = refit.job.whole(refit.index, refit.setting)
    classes = refit.job.task.classes
    scores = undo(fitted.logits(encode(np.arange(ROWS)))[0, 0], refit.recipe, classes)
    return np.stack([expit(-scores), expit(scores)], axis=1) if classes == 2 else np.exp(scores)


@pytest.mark.parametrize(("classes", "weight"), [(2, None), (2, "w"), (3, "w")])
@pytest.mark.parametrize("model", saved.NAMED)
def test_the_file_gives_the_probabilities_of_the_study(model, classes, weight, tmp_path):
    if model == "boosting":
        pytest.importorskip("skops")
    final, data = refit(model, classes, weight), table(classes)
    again = FinalModel.load(final.model.save(tmp_path / "model.json"))
    data.drop(columns="y").to_csv(tmp_path / "new.csv", index=False)
    for X in (data, str(tmp_path / "new.csv"), pa.Table.from_pandas(data), polars.DataFrame(data.to_dict("list"))):
        p, decided, notes = again.score(X)
        np.testing.assert_allclose(p, of_the_study(final), atol=1e-9, rtol=0)
        assert notes == []
    assert again.classes_.tolist() == list(final.job.task.counts.classes)
    assert list(again.feature_names_in_) == [n for n in data if n not in ("y", weight)]
    assert again.predict(data).tolist() == again.classes_[decided].tolist()
    wanted = p[:, 1] >= 0.4 if classes == 2 else (p / np.array(CUTS)).argmax(axis=1)
    assert np.array_equal(decided, wanted)
    few = data.iloc[[9, 3]][
        list(again.feature_names_in_)[::-1]
    ]  # two rows show no format of a date, no unit and no level
    tolerance = 1e-6 if model == "mlp" else 1e-9  # in float32 a sum depends on how many rows are scored at once
    np.testing.assert_allclose(again.predict_proba(few), p[[9, 3]], atol=tolerance, rtol=0)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("sklearn.naive_bayes.GaussianNB", "saved by skops, which is not installed: pip install 'steelyard"),
        ("boosting", "saved by skops, which is not installed: pip install 'steelyard"),
    ],
)
def test_a_model_without_a_plain_form_serves_in_python_and_says_why_it_has_no_file(model, why, tmp_path, monkeypatch):
    data = table(2).drop(columns="text")
    task = problem(data, "y", "ill")
    arm = Arm("inverse", inverse_frequency)
    job = Job(task, None, (arm,), ("inverse",), by_name.named(model), 0)  # type: ignore[arg-type]
    setting = 10 if model == "boosting" else 1.0
    final = Refit(job, 0, setting, arm.recipe(task.masses), arm.name, METRICS["f1"], 0.4)
    np.testing.assert_allclose(final.model.predict_proba(data), of_the_study(final), atol=1e-9, rtol=0)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=why):
        final.model.save(tmp_path / "model.json")
    assert not list(tmp_path.iterdir())


def test_costs_of_many_classes_decide_for_the_cheapest():
    costs = ((0.0, 1.0, 1.0), (5.0, 0.0, 1.0), (9.0, 2.0, 0.0))
    rule = dataclasses.replace(METRICS["expected_cost"], cost_matrix=costs)
    final = dataclasses.replace(refit("linear", 3, "w"), rule=rule, threshold=(1.0, 0.5, 0.25))
    p, decided, _ = FinalModel.from_json(final.model.to_json()).score(table(3))
    shifted = p / np.array((1.0, 0.5, 0.25))
    assert np.array_equal(decided, (shifted @ np.array(costs)).argmin(axis=1))
    assert not np.array_equal(decided, shifted.argmax(axis=1))


def test_what_the_study_did_not_see_is_said_and_changes_no_other_row():
    model, data = refit("linear", 2).model, table(2).head(20)
    p = model.predict_proba(data)
    new = data.astype(object)
    new.loc[0, ["level", "x", "when"]] = ["z", "many", "soon"]
    new.loc[1, ["zip", "money", "flag"]] = [2020, "", ""]
    q, _, notes = model.score(new.astype({"zip": str}).assign(extra=1))
    np.testing.assert_array_equal(q[2:], p[2:])
    assert [note for note in notes if "'z' (1 row) was not in the study" in note]
    assert [note for note in notes if "'2020' (1 row) was taken for the level of the same number" in note]
    assert [note for note in notes if "'many' (1 row) is no number as in the study" in note]
    assert [note for note in notes if "'soon' (1 row) is no date as in the study" in note]
    assert len(notes) == 4


def test_a_column_that_is_not_there_is_refused_and_an_empty_one_is_missing():
    model, data = refit("linear", 2).model, table(2)
    with pytest.raises(ValueError, match=r"a column that the model reads is not there: 'x'.*add it without values"):
        model.predict_proba(data.drop(columns="x"))
    np.testing.assert_array_equal(model.predict_proba(data.assign(x=None)), model.predict_proba(data.assign(x="")))


def test_an_array_has_the_columns_in_their_order():
    model, data = refit("linear", 2).model, table(2).drop(columns=["y"])
    np.testing.assert_array_equal(model.predict_proba(data.to_numpy(dtype=object)), model.predict_proba(data))
    with pytest.raises(ValueError, match=r"shape \(200, 8\) does not have the 9 columns"):
        model.predict_proba(data.to_numpy(dtype=object)[:, 1:])


def test_idf_is_scikit_learns():
    counts = TfidfTransformer(sublinear_tf=True)
    X = np.random.default_rng(0).integers(0, 3, (20, 7)).astype(float)
    wanted = counts.fit_transform(X)
    np.testing.assert_allclose(Idf(counts.idf_).transform(sparse.csr_matrix(X)).toarray(), wanted.toarray(), rtol=1e-14)


def breakages(data):
    """(what, the file with one thing wrong)"""

    def broken(*path, to):
        copied = copy.deepcopy(data)
        at = copied
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = to
        return copied

    for key in data:
        yield key, {k: v for k, v in data.items() if k != key}
        if key != "version":
            yield key, broken(key, to=object.__name__ if isinstance(data[key], int | float) else 7)
    parts = data["columns"]["parts"]
    for i, part in enumerate(parts):
        for field in part:
            yield f"part {field}", broken("columns", "parts", i, field, to={"__import__": "os"})
    yield "a column twice", broken("columns", "parts", to=[*parts, parts[0]])
    yield "theta", broken("fitted", "theta", 0, to=[1.0])
    yield "nan", broken("fitted", "theta", 0, 0, to=float("nan"))


def test_a_damaged_file_is_refused_in_one_sentence():
    data = json.loads(refit("linear", 2).model.to_json())
    FinalModel.from_json(json.dumps(data))
    for what, broken in breakages(data):
        if what in ("version", "threshold_is"):  # for people
            continue
        with pytest.raises(ValueError, match=r"^model: ") as raised:
            FinalModel.from_json(json.dumps(broken))
        said = str(raised.value)
        assert "\n" not in said, what
        assert what.split()[-1] in said or what in ("a column twice", "nan", "format"), (what, said)
    for text in ("", "[]", "{", '{"format": "steelyard.report/1"}', "[" * 10_000):
        with pytest.raises(ValueError, match=r"^model: this is not"):
            FinalModel.from_json(text)


def test_a_study_brings_its_answer_and_writes_all_of_it(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    y = rng.random(200) < 0.3
    data = pd.DataFrame({"x": rng.normal(size=200) + y, "y": np.where(y, "ill", "well")})
    quick = {"bootstrap": 100, "repeats": 1, "folds": 3, "recipes": {"inverse": inverse_frequency}, "baselines": False}
    study = tune(data, label="y", **quick)
    assert study.recipe == study.final.recipe
    assert study.threshold == study.verdict.threshold == study.model.threshold
    with monkeypatch.context() as patch:  # pages have tests of their own
        patch.setattr("steelyard.report.write_page", lambda report, folder, **options: folder / "report.html")
        written = [p.name for p in study.report(tmp_path)]
    assert written == ["report.json", "recipe.json", "model.json", "report.html"]
    np.testing.assert_array_equal(FinalModel.load(tmp_path).predict_proba(data), study.model.predict_proba(data))

    def fit(recipe, X, y):
        slope = 1.0 + len(recipe.source)
        return lambda X: slope * X[:, 0] - 1

    own = tune(fit, data=(data[["x"]].to_numpy(), y), **quick)
    assert [p.name for p in own.report(tmp_path)] == ["report.json", "recipe.json", "report.html"]
    assert not (tmp_path / "model.json").exists()  # the model of another study would be taken for this one's
    assert own.model.predict_proba(np.zeros((3, 1))).shape == (3, 2)
    with pytest.raises(ValueError, match="own training function"):
        own.model.save(tmp_path / "model.json")


def test_a_file_with_a_prior_shift_decides_as_it_did():
    model = refit("linear", 3).model
    data = json.loads(model.to_json()) | {"threshold": 0.5, "threshold_is": "prior shift", "prior": [0.6, 0.3, 0.1]}
    p, decided, _ = FinalModel.from_json(json.dumps(data)).score(table(3))
    np.testing.assert_array_equal(decided, (np.log(p) - 0.5 * np.log([0.6, 0.3, 0.1])).argmax(axis=1))


@pytest.mark.parametrize("factors", [[1.0, 0.5], [1.0, 0.5, 0.0], [1.0, 0.5, -1.0], 0.5])
def test_factors_that_fit_no_classes_are_refused(factors):
    data = json.loads(refit("linear", 3).model.to_json()) | {"threshold": factors}
    with pytest.raises(ValueError, match="damaged"):
        FinalModel.from_json(json.dumps(data))
