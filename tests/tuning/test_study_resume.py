"""Studies that are stopped, killed, continued, widened and judged again: no finished fit is lost and none is repeated."""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steelyard import focal, inverse_frequency
from steelyard.tuning import tune
from steelyard.tuning.stop import Unfinished

FEW = {"balanced": inverse_frequency, "square root": lambda c: inverse_frequency(c, beta=0.5)}


def table(n: int = 500, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    y = rng.random(n) < 1 / (1 + np.exp(2.5 - 1.2 * X[:, 0]))
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": np.where(y, "ill", "well")})


def answer(study) -> dict:
    """All of report.json that the way to it must not change."""
    return {k: v for k, v in study.to_dict().items() if k not in ("seconds", "fits", "warnings")}


def run(url, **options):
    """Without resampled rows, which are most of the fits and are kept like all others."""
    small = {"label": "y", "recipes": FEW, "bootstrap": 100, "baselines": False}
    return tune(table(), **{**small, "storage": url, **options})


def after(fits: int):
    """A progress callback that presses Ctrl-C once so many fits are done."""
    pressed = []

    def progress(done, planned):
        if done >= fits and not pressed:
            pressed.append(done)
            os.kill(os.getpid(), signal.SIGINT)

    return progress


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'study.db'}"


@pytest.fixture(scope="module")
def whole():
    """The answer of a study that was kept in memory and left alone."""
    return run(None)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """(its file, a finished study)"""
    file = tmp_path_factory.mktemp("kept") / "study.db"
    return file, run(f"sqlite:///{file}")


@pytest.fixture(scope="module")
def again(kept):
    return run(f"sqlite:///{kept[0]}")


@pytest.fixture
def copy(kept, tmp_path):
    """The address of the finished study, to be worked on."""
    return f"sqlite:///{shutil.copy(kept[0], tmp_path / 'copy.db')}"


def test_a_finished_study_is_read_and_not_fitted_again(kept, again):
    _, first = kept
    assert first.fits["reused"] == 0
    assert again.fits == {"new": 0, "reused": first.fits["new"]}
    assert answer(again) == answer(first)


def test_fits_of_resampled_rows_are_kept_too(url):
    first, second = (run(url, baselines=True, repeats=1, folds=3) for _ in range(2))
    assert second.fits == {"new": 0, "reused": first.fits["new"]}
    assert answer(second) == answer(first)


def test_with_and_without_a_file_the_answer_is_the_same(kept, whole):
    assert answer(kept[1]) == answer(whole)


def test_ctrl_c_reports_whole_repetitions_and_the_next_call_ends_with_the_same_answer(url, whole):
    partial = run(url, progress=after(300))
    assert partial.stopped.why == "interrupted"
    assert 1 <= partial.stopped.done < 5
    assert partial.stopped.planned == 5
    assert partial.to_dict()["stopped"]["repeats_done"] == partial.stopped.done
    resumed = run(url)
    assert resumed.stopped is None
    assert resumed.fits["reused"] >= partial.fits["new"]
    assert resumed.fits["new"] + resumed.fits["reused"] == whole.fits["new"]
    assert answer(resumed) == answer(whole)


def test_below_three_repetitions_there_is_no_verdict(url):
    partial = run(url, progress=after(200))
    assert partial.stopped.done < 3
    assert partial.verdict.case == "P"
    assert partial.verdict.winner is None
    assert "The same command goes on." in partial.verdict.sentence


def test_within_the_first_repetition_the_fits_that_are_done_answer_without_a_verdict(url, whole):
    partial = run(url, progress=after(70))
    stopped = partial.to_dict()["stopped"]
    assert (stopped["repeats_done"], stopped["weightings_done"], stopped["weightings_planned"]) == (0, 2, 2)
    assert 1 <= stopped["settings_done"] < stopped["settings_planned"] == 7
    assert (partial.verdict.case, partial.verdict.winner) == ("P", None)
    said = partial.verdict.sentence
    for part in ("So far 2 of 2 weightings are done", partial.verdict.best, "with threshold", "make it wide"):
        assert part in said
    final = whole.arms[0].metrics["average_precision"]
    assert abs(partial.arms[0].metrics["average_precision"]["value"] - final["value"]) < 0.1
    balanced, wide = (s.arms[1].metrics["average_precision"] for s in (whole, partial))
    assert wide["high"] - wide["low"] > balanced["high"] - balanced["low"]
    assert answer(run(url)) == answer(whole)


def test_plain_alone_is_judged_and_the_others_are_named():
    def fit(recipe, X, y):
        return lambda rows: rows[:, 0]

    data = table()
    alone = tune(
        fit,
        data=(data[["a", "b"]].to_numpy(), data["y"].to_numpy()),
        recipes=FEW,
        bootstrap=100,
        progress=after(5),
    )
    assert [arm.name for arm in alone.arms] == ["plain"]
    assert set(alone.skipped) == set(FEW)
    assert (
        "0 of 2 weightings are done, too few to compare: plain training has average precision" in alone.verdict.sentence
    )
    assert np.isfinite(alone.arms[0].threshold)


def test_a_stop_before_the_first_repetition_is_an_error_that_loses_nothing(url, whole):
    with pytest.raises(Unfinished, match="needs all of its 5 folds, and 0 of them"):
        run(url, progress=after(1))
    resumed = run(url)
    assert resumed.fits["reused"] > 0
    assert answer(resumed) == answer(whole)


def test_a_spent_budget_is_an_error_that_says_what_to_do(url):
    with pytest.raises(Unfinished, match="give it more time"):
        run(url, budget=1e-6)


def test_a_further_strategy_is_the_only_thing_that_is_fitted(kept, copy):
    more = run(copy, recipes={**FEW, "focal": focal(gamma=2.0)})
    assert more.fits["reused"] == kept[1].fits["new"]
    assert more.fits["new"] == len(more.settings) * 26


def test_another_metric_uses_the_same_fits_and_is_said(copy):
    judged = run(copy, metric="balanced_accuracy", seed=0)
    assert judged.fits["reused"] > 0
    assert any("average precision" in w and "more than one metric" in w for w in judged.warnings)


def test_another_table_is_refused_in_words_and_nothing_is_lost(kept, copy):
    with pytest.raises(ValueError, match=r"rows \(500 there, 400 here\).*--fresh deletes the [\d,]+ finished fits"):
        tune(table(400), label="y", recipes=FEW, bootstrap=100, storage=copy)
    assert run(copy).fits == {"new": 0, "reused": kept[1].fits["new"]}


def test_the_same_table_read_otherwise_lies_beside(kept, copy):
    assert run(copy, drop="c", repeats=1, folds=2).fits["reused"] == 0
    assert run(copy).fits["new"] == 0


def test_fresh_starts_anew_and_says_what_it_deleted(kept, copy):
    anew = run(copy, fresh=True)
    assert anew.fits == kept[1].fits
    assert [w for w in anew.warnings if f"{kept[1].fits['new']:,} finished fits" in w and "as asked for" in w]
    assert not kept[1].warnings


def test_a_damaged_fit_is_made_again_and_the_report_says_so(kept, copy):
    first = kept[1]
    with contextlib.closing(sqlite3.connect(copy.removeprefix("sqlite:///"))) as db:
        one = "SELECT rowid FROM steelyard_fit WHERE repetition = 2 AND fold = 3 LIMIT 1"
        db.execute(f"UPDATE steelyard_fit SET arrays = substr(arrays, 1, 40) WHERE rowid = ({one})")
        db.commit()
    mended = run(copy)
    assert mended.fits == {"new": 1, "reused": first.fits["new"] - 1}
    assert any("1 fit was damaged" in w for w in mended.warnings)
    assert answer(mended) == answer(first)


def saved(database: Path) -> int:
    """How many fits are in it; the database is whole."""
    if not database.exists():
        return 0
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'steelyard_fit'").fetchone():
            return 0
        return db.execute("SELECT COUNT(*) FROM steelyard_fit WHERE arrays IS NOT NULL").fetchone()[0]


@pytest.mark.slow
def test_kill_dash_nine_at_random_points(tmp_path):
    """Six kills of the real command; then it ends with the answer of a run that was left alone."""
    table(1500).to_csv(tmp_path / "data.csv", index=False)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "steelyard", "tune", str(tmp_path / "data.csv"), "--label", "y"]
    command += ["--bootstrap", "100"]
    dice = random.Random(0)
    known = 0
    for attempt in range(6):
        process = subprocess.Popen([*command, "--out", str(out)], stdout=-3, stderr=-3)
        if attempt % 3:  # otherwise it may die before it saved anything, too
            deadline = time.monotonic() + 120
            while saved(out / "study.db") == known and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
        time.sleep(dice.uniform(0, 2))
        process.kill()
        process.wait()
        found = saved(out / "study.db")
        assert found >= known
        known = found
    assert known > 0
    for folder in (out, tmp_path / "alone"):
        done = subprocess.run([*command, "--out", str(folder)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    resumed, alone = (json.loads((f / "report.json").read_text(encoding="utf-8")) for f in (out, tmp_path / "alone"))
    assert resumed["fits"]["reused"] == known
    assert sum(resumed["fits"].values()) == alone["fits"]["new"]
    for report in (resumed, alone):
        for key in ("fits", "seconds", "made", "command"):
            report.pop(key, None)
    assert resumed == alone
