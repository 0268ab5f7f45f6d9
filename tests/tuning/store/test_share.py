"""Several processes at one study: every fit is made once, whoever dies. Files: tuning/store/worker.py."""

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.tuning.store.made_up import KEYS, PART, TASK

from steelyard.tuning import threads
from steelyard.tuning.store import database
from steelyard.tuning.store.database import Database

WORKER = Path(__file__).with_name("fake_fits.py")


def pretend(study, *, process, heartbeat, place=None):
    """Another worker at the study that claims PART: a row as its process would write it."""
    me = study._me
    other = database.Worker(place or me.place, process, me.born if process == os.getpid() else "12345")

    def write(connection):
        t = database.tables
        database._renew(connection, study._study, other)
        row = database.sa.update(t.worker).where(t.worker.c.name == other.name)
        connection.execute(row.values(heartbeat=database._now(connection) + heartbeat))
        rows = [{**row, "worker": other.name} for row in t.rows(study._study, PART, KEYS[:1])]
        connection.execute(database.sa.insert(t.claim), rows)

    study._write(write)


def test_a_claim_of_a_live_process_elsewhere_holds(url):
    with Database(url, TASK, fresh=True) as study:
        pretend(study, process=1, heartbeat=0.0, place="another machine")
        assert not study.claim(PART, KEYS)
        assert study.claim(PART, KEYS[1:])
        study.release(PART, KEYS)
        assert not study.claim(PART, KEYS[:1])  # only one's own claims can be given up
        with pytest.raises(
            ValueError, match=r"another process is at work on a study .* Without --fresh its work is shared"
        ):
            Database(url, TASK, fresh=True)
        Database(url, TASK).close()
        Database(url, TASK | {"seed": 4}).close()


@pytest.mark.parametrize("heartbeat", [-31.0, +3600.0])
def test_a_claim_without_a_heartbeat_is_taken_over(url, heartbeat):
    with Database(url, TASK, fresh=True) as study:
        pretend(study, process=1, heartbeat=heartbeat, place="another machine")
        assert study.claim(PART, KEYS)
        Database(url, TASK).close()


def test_a_claim_of_a_dead_process_on_this_machine_is_taken_over_at_once(url):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with Database(url, TASK, fresh=True) as study:
        pretend(study, process=process.pid, heartbeat=0.0)
        assert study.claim(PART, KEYS)


def test_a_process_that_lives_renews_its_heartbeat(url, monkeypatch):
    monkeypatch.setattr(database, "RENEW", 0.05)
    with Database(url, TASK, fresh=True) as study:
        age = database.sa.update(database.tables.worker).values(heartbeat=0.0)
        study._write(lambda c: c.execute(age))
        deadline = time.monotonic() + 20
        while not study._read(lambda c: study._live(c, study._study)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert study._read(lambda c: study._live(c, study._study)) == {study._me.name}


def test_a_forgotten_store_gives_its_claims_up(url):
    study = Database(url, TASK, fresh=True)
    assert study.claim(PART, KEYS)
    del study
    with Database(url, TASK) as again:
        count = database.sa.select(database.sa.func.count()).select_from(database.tables.claim)
        assert again._read(lambda c: c.execute(count).scalar_one()) == 0


def records(folder, kind):
    return [line.split()[1] for line in (folder / "log").read_text().splitlines() if line.split()[0] == kind]


def helper(*arguments):
    done = subprocess.run([sys.executable, str(WORKER), *map(str, arguments)], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr


def test_processes_share_a_study_and_every_fit_is_made_once(url, tmp_path):
    helper("work", url, tmp_path, 24)
    made = records(tmp_path, "fit")
    assert len(made) == len(set(made)) == 24
    by = [line.split()[2] for line in (tmp_path / "log").read_text().splitlines() if line.startswith("fit")]
    assert len(set(by)) == 2  # both had their share
    assert len(records(tmp_path, "have")) == 2 * 24


@pytest.mark.parametrize(
    ("url", "kills"),
    [
        ("sqlite", 3),
        pytest.param("sqlite", 50, marks=pytest.mark.slow),
        pytest.param("postgresql", 15, marks=pytest.mark.slow),
    ],
    indirect=["url"],
)
def test_after_kill_9_no_finished_fit_is_lost_and_none_is_made_again(url, tmp_path, kills):
    helper("kill", url, tmp_path, kills)
    made, saved = records(tmp_path, "fit"), records(tmp_path, "saved")
    assert records(tmp_path, "killed") == [str(n) for n in range(kills)]
    assert len(saved) > kills
    assert len(saved) == len(set(saved))
    assert records(tmp_path, "lost") == []
    assert records(tmp_path, "repeated") == []
    assert len(made) <= len(saved) + 2 * threads.cores() * kills  # only what was under way is made again
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(tmp_path / "study.db")) as file:
            assert file.execute("pragma integrity_check").fetchall() == [("ok",)]
            assert file.execute("pragma journal_mode").fetchall() == [("wal",)]
