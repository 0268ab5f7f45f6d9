"""steelyard predict: what it prints, what it writes, and bad input in one paragraph."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from steelyard import inverse_frequency
from steelyard.cli import main
from steelyard.tuning.arms import Arm
from steelyard.tuning.data.problem import problem
from steelyard.tuning.final import FinalModel, Refit
from steelyard.tuning.job import Job
from steelyard.tuning.metric import METRICS
from steelyard.tuning.models import by_name


@pytest.fixture
def patients():
    rng = np.random.default_rng(0)
    ill = np.arange(120) < 30
    return pd.DataFrame({
        "id": [f"p{i}" for i in range(120)], "age": rng.normal(size=120) + ill, "ward": rng.choice(["a", "b"], 120),
        "ill": np.where(ill, "yes", "no"),
    })  # fmt: skip


@pytest.fixture
def answer(patients, tmp_path):
    """A folder with a model."""
    task = problem(patients, "ill")
    arm = Arm("inverse", inverse_frequency)
    job = Job(task, None, (arm,), ("inverse",), by_name.named("linear"), 0)  # type: ignore[arg-type]
    folder = tmp_path / "answer"
    folder.mkdir()
    Refit(job, 0, 1.0, arm.recipe(task.masses), "inverse", METRICS["f1"], 0.3).model.save(folder / "model.json")
    return folder


@pytest.fixture
def steelyard(capsys):
    def call(*arguments):
        code = main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return call


def test_rows_are_scored_in_their_order_and_ids_may_be_kept(steelyard, answer, patients, tmp_path):
    new = patients.sample(frac=1, random_state=0).drop(columns="ill")
    new.to_csv(tmp_path / "new.csv", index=False)
    code, out, err = steelyard("predict", answer, tmp_path / "new.csv", "--keep", "id")
    rows = list(csv.reader(io.StringIO(out)))
    assert (code, rows[0]) == (0, ["id", "p_no", "p_yes", "decision"])
    assert [row[0] for row in rows[1:]] == list(new["id"])
    model = FinalModel.load(answer)
    np.testing.assert_array_equal(np.array([row[1:3] for row in rows[1:]], dtype=float), model.predict_proba(new))
    assert [row[3] for row in rows[1:]] == model.predict(new).tolist()
    assert err.startswith(f"read: 120 rows of {tmp_path / 'new.csv'}; model: linear, weighting inverse, threshold 0.3;")
    code, printed, _ = steelyard(
        "predict", answer / "model.json", tmp_path / "new.csv", "--out", tmp_path / "scored.csv", "--keep", "id"
    )
    assert (code, printed, (tmp_path / "scored.csv").read_text()) == (0, "", out)


def test_files_of_others_are_replaced_only_where_that_is_allowed(steelyard, answer, patients, tmp_path):
    new, out = tmp_path / "new.csv", tmp_path / "out.csv"
    patients.to_csv(new, index=False)
    for _ in range(2):  # its own is
        assert steelyard("predict", answer, new, "--out", out)[0] == 0
    out.write_text("mine\n")
    code, _, err = steelyard("predict", answer, new, "--out", out)
    assert (code, out.read_text()) == (2, "mine\n")
    assert "--overwrite" in err
    assert steelyard("predict", answer, new, "--out", out, "--overwrite")[0] == 0
    for read in (new, answer / "model.json"):
        code, _, err = steelyard("predict", answer, new, "--out", read, "--overwrite")
        assert code == 2
    assert pd.read_csv(new).equals(pd.read_csv(io.StringIO(patients.to_csv(index=False))))


def test_a_new_level_is_said_beside_the_answer(steelyard, answer, patients, tmp_path):
    patients.assign(ward=["c", *patients["ward"][1:]]).to_csv(tmp_path / "new.csv", index=False)
    code, out, err = steelyard("predict", answer, tmp_path / "new.csv")
    assert (code, len(out.splitlines())) == (0, 121)
    assert "note: column 'ward': 'c' (1 row) was not in the study and counts as none of its levels.\n" in err
    assert "columns that the study did not use: id" in err


@pytest.mark.parametrize(
    ("change", "arguments", "wanted"),
    [
        ({"age": "years"}, (), "a column that the model reads is not there: 'age'"),
        ({}, ("--keep", "nobody"), "nobody"),
        ({"id": "decision"}, ("--keep", "decision"), "rename it"),
        ({}, ("--out", "scored.parquet"), "a name that ends in .csv"),
    ],
)
def test_what_cannot_be_scored_is_one_sentence_and_no_file(
    steelyard, answer, patients, tmp_path, change, arguments, wanted
):
    patients.rename(columns=change).to_csv(tmp_path / "new.csv", index=False)
    code, out, err = steelyard("predict", answer, tmp_path / "new.csv", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert wanted in err


def test_a_folder_without_a_model_says_so(steelyard, tmp_path):
    (tmp_path / "new.csv").write_text("a\n1\n")
    for folder, wanted in ((tmp_path, "there is no model.json"), (tmp_path / "new.csv", "not JSON")):
        code, _, err = steelyard("predict", folder, tmp_path / "new.csv")
        assert (code, wanted in err) == (2, True)


def test_a_folder_with_fits_and_no_answer_says_how_to_get_one(steelyard, tmp_path):
    (tmp_path / "study.db").touch()
    code, _, err = steelyard("report", tmp_path)
    assert code == 2
    assert "holds the fits of a study, and no answer" in err
    assert "study.report(folder)" in err
