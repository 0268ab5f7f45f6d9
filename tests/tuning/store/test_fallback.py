"""A store that outlives its file: nothing that becomes of it costs an answer, and the answer says so."""

import json
import os
import shutil
import sqlite3

import numpy as np
import pandas as pd
import pytest

from steelyard import inverse_frequency
from steelyard.tuning import tune
from steelyard.tuning.store.fallback import Fallback
from steelyard.tuning.store.fits import Memory

PART, KEY = (0, 1), ("arm", 1.0)
FIT = {KEY: {"scores": np.arange(3.0)}}


class Failing(Memory):
    """Refuses from the moment on that `broken` holds the name of what is asked."""

    broken: tuple[str, ...] = ()

    def __getattribute__(self, name):
        if name in object.__getattribute__(self, "broken"):
            raise ValueError("tune: the study's storage is away.")
        return object.__getattribute__(self, name)


@pytest.mark.parametrize("broken", ["save", "claim", "release", "note", "notes", "load"])
def test_whatever_refuses_the_rest_goes_on_in_memory(broken):
    inner = Failing()
    store = Fallback(inner)
    store.save((0, 0), FIT)
    inner.broken = (broken,)
    assert store.claim(PART, [KEY])
    store.save(PART, FIT)
    store.release(PART, [KEY])
    store.note("metric", "f1")
    store.notes("metric")
    assert (store.load(PART, [KEY]) == {}) == (broken == "load")  # who asked makes it again
    store.save(PART, FIT)
    assert store.load(PART, [KEY])[KEY]["scores"].tolist() == [0, 1, 2]
    (warning,) = store.warnings()
    assert "the study's storage is away; this answer is made of all of them" in warning


def test_a_store_that_works_says_nothing_of_its_own():
    store = Fallback(Memory())
    store.save(PART, FIT)
    assert store.load(PART, [KEY, ("other", 1.0)]).keys() == {KEY}
    assert store.warnings() == []


def table(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 2))
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": np.where(x[:, 0] + rng.normal(size=n) > 1.3, "ill", "well")})


def remove_folder(folder):
    shutil.rmtree(folder)


def remove_file(folder):
    (folder / "study.db").unlink()


def replace_file(folder):
    sqlite3.connect(folder / "other.db").close()
    (folder / "other.db").touch()
    os.replace(folder / "other.db", folder / "study.db")


def destroy_file(folder):
    for file in folder.iterdir():
        file.write_bytes(b"\xff" * 4096)


def drop_tables(folder):
    with sqlite3.connect(folder / "study.db") as other:
        for (name,) in other.execute("select name from sqlite_master where type = 'table'").fetchall():
            other.execute(f"drop table {name}")


LOSSES = [remove_folder, remove_file, replace_file, destroy_file, drop_tables]


@pytest.fixture(scope="module")
def whole():
    return tune(table(), label="y", **SMALL).to_dict()


SMALL = {"recipes": {"balanced": inverse_frequency}, "bootstrap": 100, "baselines": False, "repeats": 3}


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("after", [20, 100])
def test_a_storage_that_is_lost_while_a_study_runs_costs_no_answer(whole, tmp_path, lose, after):
    folder, lost = tmp_path / "study", []

    def progress(done, planned):
        if done >= after and not lost:
            lost.append(done)
            lose(folder)

    made = tune(table(), label="y", folder=folder, progress=progress, **SMALL).to_dict()
    assert lost
    assert any("fits could not be kept while the study ran" in warning for warning in made["warnings"])
    same = json.loads(json.dumps(whole))
    for one in (made, same):
        for key in ("seconds", "warnings", "fits"):
            del one[key]
    assert made["verdict"] == same["verdict"]
    for a, b in zip(made["arms"], same["arms"], strict=True):
        assert a["name"] == b["name"]
        for metric, numbers in a["metrics"].items():
            assert numbers == pytest.approx(b["metrics"][metric], abs=1e-6)
