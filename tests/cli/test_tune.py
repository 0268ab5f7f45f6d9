"""steelyard tune: the answer in the terminal and in files, and bad input in one paragraph."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from steelyard import Recipe
from steelyard.cli import main
from steelyard.report import page
from steelyard.report.drawing import Drawing

QUICK = ("--repeats", "1", "--folds", "3", "--bootstrap", "100")


@pytest.fixture
def patients(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(300) < 40
    pd.DataFrame(
        {"age": rng.normal(size=300) + y, "ward": rng.choice(["a", "b"], 300), "ill": np.where(y, "yes", "no")}
    ).to_csv(tmp_path / "patients.csv", index=False)
    return tmp_path / "patients.csv"


@pytest.fixture
def steelyard(capsys):
    def call(*arguments):
        code = main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return call


@pytest.fixture(autouse=True)
def without_pictures(request, monkeypatch):
    """A program of its own draws them, which takes longer than a study here: it runs for the first test. tests/report looks at pictures."""
    if request.function is not test_the_answer_is_the_same_in_the_terminal_and_in_the_files:
        monkeypatch.setattr(page, "draw", lambda *_: Drawing())


def test_the_answer_is_the_same_in_the_terminal_and_in_the_files(steelyard, patients, tmp_path):
    code, out, _ = steelyard("tune", patients, "--label", "ill", "--out", tmp_path / "answer", *QUICK)
    assert code == 0
    read, positive, *_ = out.splitlines()
    assert read == (
        f"read: 300 rows of {patients}; 2 of 3 columns used (age, ward); classes of ill: 0 = 'no', 1 = 'yes'"
    )
    assert positive == "positive class: 'yes' (40 of 300 rows, 13.33%)"
    report = json.loads((tmp_path / "answer" / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"]["sentence"] in out
    assert report["positive"] == "yes"
    assert Recipe.load(tmp_path / "answer" / "recipe.json") == Recipe.from_json(json.dumps(report["final"]["recipe"]))
    assert '<svg class="chart"' in (tmp_path / "answer" / "report.html").read_text(encoding="utf-8")
    assert str(tmp_path / "answer" / "report.html") in out


def test_events_stand_in_the_first_lines_the_verdict_the_report_and_on_the_page(steelyard, tmp_path):
    """Four failures of 60 rows each, of two machines, are four events, however many rows they have."""
    rng = np.random.default_rng(0)
    hour, failed = np.arange(1200), np.zeros(1200, int)
    for start in (100, 400, 700, 1000):
        failed[start : start + 60] = 1
    data = pd.DataFrame({"x": rng.normal(size=1200) + failed, "hour": hour, "state": np.where(failed, "down", "up")})
    data.to_csv(tmp_path / "machine.csv", index=False)
    code, out, _ = steelyard(
        "tune", tmp_path / "machine.csv", "--label", "state", "--time", "hour", "--out", tmp_path / "o", *QUICK
    )
    assert code == 0
    assert out.splitlines()[1] == ("positive class: 'down' (240 of 1,200 rows, 20.00%; 4 events in order of time)")
    report = json.loads((tmp_path / "o" / "report.json").read_text(encoding="utf-8"))
    seen = report["splits"]["events"]
    assert (seen["class"], seen["all"], seen["groups"]) == ("down", 4, None)
    assert seen["judged"] == sum(seen["by_block"]) < 4
    assert report["verdict"]["case"] == "E"
    said = f"{seen['judged']} event{'s' * (seen['judged'] > 1)} ({60 * seen['judged']} positives)"
    assert said in report["verdict"]["sentence"]
    assert "at least 20 events are needed" in report["verdict"]["sentence"]
    assert said in (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
    assert f"{seen['judged']} event" in out.split("splits:")[1]


def test_the_first_lines_say_that_rows_are_weighted(steelyard, patients, tmp_path):
    data = pd.read_csv(patients)
    data["w"] = np.where(data["ill"] == "yes", 1.0, 10.0)
    data.to_csv(patients, index=False)
    code, out, _ = steelyard("tune", patients, "--label", "ill", "--weight", "w", "--out", tmp_path / "o", *QUICK)
    read, positive, *_ = out.splitlines()
    assert code == 0
    assert "2 of 4 columns used (age, ward); rows weighted by 'w' (Kish's effective number 268)" in read
    assert positive == "positive class: 'yes' (40 of 300 rows, 13.33%; 1.52% by weight)"
    data["w"] = -data["w"]
    data.to_csv(patients, index=False)
    code, _, err = steelyard("tune", patients, "--label", "ill", "--weight", "w", "--out", tmp_path / "o", *QUICK)
    assert code == 2
    assert "row 1 has a weight below 0 (-1.0), as 299 more have." in err


def test_the_positive_class_may_be_named(steelyard, patients, tmp_path):
    code, out, _ = steelyard("tune", patients, "--label", "ill", "--positive", "no", "--out", tmp_path / "o", *QUICK)
    assert code == 0
    assert out.splitlines()[1].startswith("positive class: 'no' (260 of 300 rows")


def test_a_column_that_looks_like_numbers_and_is_not_used_stands_above_the_verdict(steelyard, tmp_path):
    rng = np.random.default_rng(0)
    amount = [f"{v:.3f} {'kg' if i % 3 else 'lb'}" for i, v in enumerate(rng.normal(50, 9, size=300))]
    frame = pd.DataFrame({"x": rng.normal(size=300), "amount": amount, "y": np.where(np.arange(300) < 60, "b", "a")})
    frame.to_csv(tmp_path / "t.csv", index=False)
    code, out, _ = steelyard("tune", tmp_path / "t.csv", "--label", "y", "--out", tmp_path / "o", *QUICK)
    assert code == 0
    read, _, unused, *_ = out.splitlines()
    assert "1 of 3 columns used (x); not used: amount (300 different texts in 300 rows (an identifier))" in read
    assert unused.startswith("NOT USED: amount (looks like a number, such as")
    report = json.loads((tmp_path / "o" / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"]["sentence"].startswith("Not used: amount (looks like a number")
    assert report["warnings"][0].startswith("not used: amount")


def test_na_is_a_class_and_spellings_are_joined_where_the_owner_says_so(steelyard, tmp_path):
    x = np.random.default_rng(0).normal(size=120)
    y = ["NA"] * 30 + ["DE"] * 70 + ["de", "De"] * 10
    pd.DataFrame({"x": x, "y": y}).to_csv(tmp_path / "t.csv", index=False)
    options = ("--missing", "none", "--same-case", "--positive", "NA")
    code, out, _ = steelyard("tune", tmp_path / "t.csv", "--label", "y", *options, "--out", tmp_path / "o", *QUICK)
    assert code == 0
    assert "positive class: 'NA' (30 of 120 rows" in out
    code, _, err = steelyard("tune", tmp_path / "t.csv", "--label", "y", "--same-case", "--out", tmp_path / "p", *QUICK)
    assert code == 2
    assert "one class only, 'DE'" in err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--label", "il"], "Did you mean 'ill'"),
        (["--label", "ill", "--metric", "average-precison"], "Did you mean 'average_precision'"),
        (["--label", "ill", "--metric", "expected-cost"], "give cost_fn"),
        (["--label", "ill", "--positive", "maybe"], "no class 'maybe'"),
        (["--label", "ill", "--model", "lineer"], "did you mean linear"),
        (["--label", "age"], "looks continuous"),
        ([], "--label"),
    ],
)
def test_bad_options_end_in_one_paragraph_and_nothing_is_written(steelyard, patients, tmp_path, options, says):
    code, _, err = steelyard("tune", patients, "--out", tmp_path / "answer", *options)
    assert code == 2
    assert says in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "answer").exists()


def test_a_folder_that_cannot_be_written_is_found_before_computing(steelyard, patients, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("steelyard.tuning.search.Search.__init__", lambda *_: pytest.fail("computed first"))
    code, out, err = steelyard("tune", patients, "--label", "ill", "--out", tmp_path / "file" / "below")
    assert (code, out) == (2, "")
    assert "is a file, not a folder" in err


def test_no_such_file(steelyard, tmp_path):
    code, _, err = steelyard("tune", tmp_path / "none.csv", "--label", "y", "--out", tmp_path / "o")
    assert code == 2
    assert "no such file" in err


def test_a_search_around_the_best_is_shown(steelyard, patients, tmp_path):
    folder = tmp_path / "answer"
    code, out, err = steelyard("tune", patients, "--label", "ill", "--search", "3", "--out", folder, *QUICK)
    assert code == 0, err
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    tried = [trial["x"] for trial in report["search"]["trials"]]
    assert len(set(tried)) >= 3
    assert report["search"]["best"] in tried
    (searched,) = [arm for arm in report["arms"] if "searched" in arm["name"]]
    assert searched["name"] in out


@pytest.mark.slow
def test_two_runs_share_one_study_in_postgresql(steelyard, patients, tmp_path, postgresql):
    command = ["tune", patients, "--label", "ill", "--storage", postgresql, "--resume", *QUICK]
    first, second = (tmp_path / "first", tmp_path / "second")
    for folder in (first, second):
        code, out, err = steelyard(*command, "--out", folder)
        assert code == 0, err
    one, two = (json.loads((f / "report.json").read_text(encoding="utf-8")) for f in (first, second))
    assert (two["fits"]["new"], two["fits"]["reused"]) == (0, one["fits"]["new"])
    assert two["arms"] == one["arms"]
    assert not (first / "study.db").exists()
    assert "secret" not in json.dumps(one) + out + err


@pytest.mark.slow
def test_ray_gives_the_same_report(patients, tmp_path, ray):
    """In processes of their own: what Ray keeps of a cluster it started would be met by the tests of our own cluster."""
    reports = []
    for engine in ("local", "ray"):
        command = [sys.executable, "-m", "steelyard", "tune", str(patients), "--label", "ill", "--engine", engine]
        done = subprocess.run(
            [*command, "--out", str(tmp_path / engine), *QUICK], capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        reports.append(json.loads((tmp_path / engine / "report.json").read_text(encoding="utf-8")))
    for report in reports:
        for name in ("seconds", "made", "command"):
            report.pop(name, None)
    assert reports[0] == reports[1]
