"""Saved files with something wrong in them: each ends in one sentence or in what it was, never in a traceback."""

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.faults import valid
from tests.faults.damage import mutated
from tests.faults.hostile import coco
from tests.tuning.test_final import table

import steelyard as sy
from steelyard.cli import earlier
from steelyard.data import count_path
from steelyard.tuning.final import FinalModel

SLOW = 300  # damaged files of each format


def count(path):
    return count_path(path, on_error="report", workers=1)


def answer(path):
    """What `steelyard report DIR` and `--compare` make of it, without the pictures, which another process draws."""
    try:
        earlier.check_answer(path.parent, TASK)
    except ValueError as error:
        assert "is the answer of other data" in str(error)  # noqa: PT017
    report = sy.report.read(path)
    sy.report.text(report)
    sy.report.compare_text(report, OTHER)
    sy.report.compare_text(OTHER, report)
    assert report.recipe is not None


def score(path):
    with np.errstate(all="ignore"):  # of a deviation of 1e-300
        FinalModel.load(path).predict_proba(table(2))


def dataset(path):
    """Of a folder as nnU-Net has them."""
    (path.parent / "labelsTr").mkdir(exist_ok=True)
    np.save(path.parent / "labelsTr" / "a.npy", np.array([[0, 1], [2, 1]], np.uint8))
    count(path.parent)


OTHER = sy.report.Report.from_json(valid.of_three_classes())
TASK = SimpleNamespace(label="y", labels_digest=lambda: "0" * 32, path="t.csv", counts=sy.Counts.of(3, 4))


@dataclass(frozen=True)
class Format:
    """`make` gives a whole file, `load` reads one of this name."""

    make: Callable[[], str]
    load: Callable[[Path], Any]
    name: str = "a.json"


READERS = {
    "counts": Format(valid.counts, sy.Counts.load),
    "counts, counted": Format(valid.counts, count),
    "recipe": Format(valid.recipe, sy.Recipe.load),
    "report of two classes": Format(valid.of_two_classes, answer, "report.json"),
    "report of three classes": Format(valid.of_three_classes, answer, "report.json"),
    "linear model": Format(lambda: valid.model("linear"), score, "model.json"),
    "mlp model": Format(lambda: valid.model("mlp"), FinalModel.load, "model.json"),
    "COCO": Format(lambda: coco(more=[1]).decode(), count),
    "LVIS": Format(valid.lvis, count),
    "panoptic": Format(valid.panoptic, count),
    "labelme": Format(valid.labelme, count),
    "nnU-Net": Format(valid.nnunet, dataset, "dataset.json"),
}


def try_all(name: str, folder, many: int) -> None:
    one = READERS[name]
    whole, rng = one.make(), random.Random(name)
    path = folder / one.name
    path.write_text(whole)
    one.load(path)
    refused = 0
    for _ in range(many):
        text = mutated(whole, rng)
        path.write_text(text)
        try:
            one.load(path)
        except (ValueError, OSError) as error:
            refused += 1
            said = str(error)
            place = one.name in said or str(folder) in said or said.startswith("count: ")
            if not place or "\n" in said or len(said) > 2000:
                raise AssertionError(f"not one clear sentence about {text[:300]}: {said[:300]!r}") from error
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} of {text[:300]}") from error
    assert refused > many / 5  # the generator does harm


@pytest.mark.parametrize("name", [name for name in READERS if name != "mlp model"])  # it takes seconds to fit
def test_a_damaged_json_is_one_clear_sentence(tmp_path, name):
    try_all(name, tmp_path, 30)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_hundreds_of_damaged_jsons(tmp_path, name):
    try_all(name, tmp_path, SLOW)


CHANGES = {
    "format of words": "UPDATE steelyard_study SET format = 'x'",
    "a fingerprint that is no JSON": "UPDATE steelyard_study SET describe = '{', fingerprint = 'y'",
    "a fingerprint of a list": "UPDATE steelyard_study SET describe = '[1]', fingerprint = 'y'",
    "no fingerprint": "UPDATE steelyard_study SET describe = x'ff', fingerprint = 'y'",
    "another number": "UPDATE steelyard_study SET id = 77",
    "heartbeats of words": "INSERT INTO steelyard_worker SELECT id, 'n', 'p', 1, 'b', 'now' FROM steelyard_study",
    "processes of words": "INSERT INTO steelyard_worker SELECT id, 'n', x'ff', 'x', 3, 1e300 FROM steelyard_study",
    "no table of fits": "DROP TABLE steelyard_fit",
    "fits of words": "UPDATE steelyard_fit SET arrays = 'x'",
    "fits of nothing": "UPDATE steelyard_fit SET arrays = x''",
    "no study": "DELETE FROM steelyard_study",
}


@pytest.mark.parametrize("fresh", [True, False])
def test_a_damaged_database_is_one_clear_sentence_or_a_study(tmp_path, fresh):
    store = pytest.importorskip("steelyard.tuning.store.database")
    for number, (name, change) in enumerate(CHANGES.items()):
        file = tmp_path / f"{number}.db"
        with store.Database(f"sqlite:///{file}", {"data": "x"}, fresh=True) as study:
            study.save((0, 0), {("plain", 1.0): {"scores": np.zeros(3)}})
        with sqlite3.connect(file) as connection:
            connection.execute(change)
        connection.close()
        try:
            with store.Database(f"sqlite:///{file}", {"data": "x"}, fresh=fresh) as study:
                study.load((0, 0), [("plain", 1.0)])
        except ValueError as error:
            said = str(error)
            assert said.startswith("tune: "), name
            assert str(file) in said, name
            assert "\n" not in said
