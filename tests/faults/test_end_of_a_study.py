"""Signals, lost folders and full disks while `tune` runs: what is done is reported, in the terminal at least."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import time

import pytest
from tests.faults.conftest import QUICK, start, write_table

pytestmark = pytest.mark.slow

LONG = ("--repeats", "60", "--bootstrap", "100")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def parts(folder):
    """How many training parts have fits."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{folder}/study.db?mode=ro", uri=True)) as db,
    ):
        return db.execute("select count(*) from (select distinct repetition, fold from steelyard_fit)").fetchone()[0]
    return 0


def wait_for(condition, process, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


def underway(folder, process, most=25):
    """Some repetitions of five parts are whole, and many are not."""
    wait_for(lambda: parts(folder) > most, process)


@pytest.mark.parametrize("number", CODES)
def test_what_is_done_is_reported_and_the_rest_is_resumed(shell, tmp_path, number):
    table, out = write_table(tmp_path / "t.csv", ["no", "yes"]), tmp_path / "o"
    process = start("tune", table, "--label", "y", "--out", out, *LONG)
    underway(out, process)
    process.send_signal(number)
    said, err = (text.decode() for text in process.communicate(timeout=120))
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert process.returncode == CODES[number], err
    assert report["stopped"]["why"] == ("interrupted" if number == signal.SIGINT else "terminated")
    assert report["verdict"]["sentence"] in said
    assert (out / "report.html").exists()
    assert "Traceback" not in err
    done = str(report["stopped"]["repeats_done"])
    code, _, err = shell("tune", table, "--label", "y", "--out", out, "--repeats", done, "--bootstrap", "100")
    assert code == 0, err
    assert json.loads((out / "report.json").read_text(encoding="utf-8"))["fits"]["reused"] > 0


@pytest.mark.parametrize("first", CODES)
@pytest.mark.parametrize("second", CODES)
def test_a_second_one_ends_at_once(tmp_path, first, second):
    out = tmp_path / "o"
    process = start(
        "tune", write_table(tmp_path / "t.csv", ["no", "yes"], rows=20_000), "--label", "y", "--out", out, *LONG
    )
    wait_for(lambda: (out / "study.db").exists(), process)
    time.sleep(2)
    process.send_signal(first)
    # Two that wait together are heard in the order of their numbers: the second is sent once the first was heard.
    assert any(b"stopping:" in line for line in process.stderr)
    sent = time.monotonic()
    process.send_signal(second)
    _, err = process.communicate(timeout=60)
    assert process.returncode == CODES[second]
    assert time.monotonic() - sent < 5
    assert b"Traceback" not in err


@pytest.mark.parametrize("number", CODES)
def test_before_the_first_repetition_there_is_nothing_to_report(tmp_path, number):
    out = tmp_path / "o"
    process = start(
        "tune", write_table(tmp_path / "t.csv", ["no", "yes"], rows=20_000), "--label", "y", "--out", out, *LONG
    )
    wait_for(lambda: (out / "study.db").exists(), process)
    time.sleep(1)
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == CODES[number]
    if not (out / "report.json").exists():
        assert b"plain training itself needs all" in err
    assert b"Traceback" not in err


@pytest.mark.parametrize("budget", [25])
def test_a_budget_is_kept_and_gives_an_answer(shell, tmp_path, budget):
    """Reading, statistics and page are in it, and a fifth more is allowed; a machine that is busy with other things is given more."""
    out, table = tmp_path / "o", write_table(tmp_path / "t.csv", ["no", "yes"], rows=20_000)
    began, cpu = time.monotonic(), os.times()
    code, said, err = shell("tune", table, "--label", "y", "--out", out, "--budget", f"{budget}s", "--repeats", "60")
    took = time.monotonic() - began
    spent = os.times()
    share = (spent.children_user + spent.children_system - cpu.children_user - cpu.children_system) / took
    assert code == 0, err
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["stopped"]["why"] == "budget"
    assert report["verdict"]["sentence"] in said
    assert took < 1.2 * budget or share < 0.7


def remove_folder(out):
    shutil.rmtree(out)


def remove_database(out):
    for file in out.glob("study.db*"):
        file.unlink()


def folder_becomes_a_file(out):
    out.rename(out.with_name("moved"))
    out.write_text("mine")


@pytest.mark.parametrize("lose", [remove_folder, remove_database, folder_becomes_a_file])
def test_what_is_lost_is_said_in_the_answer(tmp_path, lose):
    out = tmp_path / "o"
    process = start(
        "tune",
        write_table(tmp_path / "t.csv", ["no", "yes"]),
        "--label",
        "y",
        "--out",
        out,
        "--repeats",
        "8",
        "--bootstrap",
        "100",
    )
    underway(out, process, most=10)
    lose(out)
    said, err = (text.decode() for text in process.communicate(timeout=300))
    assert "Traceback" not in err
    assert "fits could not be kept while the study ran" in " ".join(said.split())
    assert "plain training" in said
    if lose is folder_becomes_a_file:
        assert (process.returncode, out.read_text()) == (2, "mine")
        assert len(err.strip().splitlines()) == 1
    else:
        assert process.returncode == 0, err
        assert {"report.json", "recipe.json", "report.html"} <= {file.name for file in out.iterdir()}


def test_a_full_disk_leaves_the_answer_in_the_terminal(shell, tmp_path):
    """A limit on the size of files is met as a full disk is: the page of 1 MB is too large for it, the study is not."""
    resource = pytest.importorskip("resource")
    full = {"limits": ((resource.RLIMIT_FSIZE, 300_000),), "ignored": (signal.SIGXFSZ,)}
    out = tmp_path / "o"
    table = write_table(tmp_path / "t.csv", ["no", "yes"])
    code, said, err = shell("tune", table, "--label", "y", "--out", out, *QUICK, **full)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert "cannot write report.html" in err
    assert json.loads((out / "report.json").read_text(encoding="utf-8"))["verdict"]["sentence"] in said
    assert not [name for name in os.listdir(out) if name.endswith(".tmp")]
