"""Somebody else's database gets none of our tables."""

import os
import shutil
import sqlite3
import threading
from contextlib import closing

import numpy as np
import pytest
import sqlalchemy as sa
from tests.tuning.store.made_up import KEYS, PART, TASK

from steelyard.cli import main
from steelyard.tuning.store import ownership, tables
from steelyard.tuning.store.address import address
from steelyard.tuning.store.database import Database


@pytest.fixture(autouse=True)
def nothing_known():
    """An inode may be given out again."""
    ownership._OURS.clear()


def url(file):
    return f"sqlite:///{file}"


def sql(file, *statements):
    """What the last statement returns."""
    with closing(sqlite3.connect(file)) as connection:
        rows = [connection.execute(statement).fetchall() for statement in statements]
        connection.commit()
    return rows[-1]


def names(file):
    return {name for (name,) in sql(file, "SELECT name FROM sqlite_master")}


def theirs(file):
    sql(file, "CREATE TABLE patients (name)", "INSERT INTO patients VALUES ('Ada')")


def marked(file):
    sql(file, "PRAGMA application_id=0x47504B47")  # GeoPackage, and nothing in it yet


def view(file):
    sql(file, "CREATE VIEW one AS SELECT 1")


def in_wal(file):
    """Everything is in the journal still, as when a program was killed."""
    with closing(sqlite3.connect(file.with_name("live"))) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE patients (name)")
        connection.commit()
        for end in ("", "-wal"):
            shutil.copy(f"{file.with_name('live')}{end}", f"{file}{end}")


def mixed(file):
    Database(url(file), TASK).close()
    sql(file, "CREATE TABLE patients (name)", "PRAGMA application_id=0")
    ownership._OURS.clear()


def one_of_ours(file):
    sql(file, "CREATE TABLE steelyard_note (mine)")


@pytest.mark.parametrize("make", [theirs, marked, view, in_wal, mixed, one_of_ours])
@pytest.mark.parametrize("fresh", [False, True])
def test_another_programs_database_stays_as_it_was_to_the_byte(tmp_path, make, fresh):
    file = tmp_path / "app.db"
    make(file)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.endswith("-shm")}
    with pytest.raises(ValueError, match=r"app\.db is another program's SQLite database .*nothing was changed in it"):
        Database(url(file), TASK, fresh=fresh)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.endswith("-shm")} == before


def test_a_new_file_an_empty_one_and_an_empty_database_become_ours(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    sql(tmp_path / "valid", "CREATE TABLE a (x)", "DROP TABLE a")
    for name in ("new", "empty", "valid"):
        Database(url(tmp_path / name), TASK).close()
        assert sql(tmp_path / name, "PRAGMA application_id") == [(ownership.APPLICATION,)]
        head = (tmp_path / name).read_bytes()[: ownership.HEADER]
        assert int.from_bytes(head[ownership.AT : ownership.AT + 4], "big") == ownership.APPLICATION


def test_a_study_from_before_the_mark_is_taken_with_its_fits(tmp_path):
    file = tmp_path / "study.db"
    fits = {key: {"scores": np.ones(3, np.float32)} for key in KEYS}
    with Database(url(file), TASK, fresh=True) as study:
        study.save(PART, fits)
    sql(file, "PRAGMA application_id=0", "CREATE TABLE trials (x)")  # with Optuna's beside it
    ownership._OURS.clear()
    with Database(url(file), TASK) as again:
        assert set(again.load(PART, KEYS)) == set(KEYS)
    assert sql(file, "PRAGMA application_id") == [(ownership.APPLICATION,)]


def test_a_database_put_in_the_place_of_a_known_one_is_noticed(tmp_path):
    file = tmp_path / "study.db"
    Database(url(file), TASK).close()
    theirs(tmp_path / "app.db")
    file.write_bytes((tmp_path / "app.db").read_bytes())  # the same inode, so it is known
    with pytest.raises(ValueError, match="replaced by another program's"):
        Database(url(file), TASK)
    assert names(file) == {"patients"}


def test_nothing_is_written_through_a_link_nor_into_a_pipe(tmp_path):
    Database(url(tmp_path / "ours.db"), TASK).close()
    (tmp_path / "link.db").symlink_to("ours.db")
    (tmp_path / "none.db").symlink_to("nowhere.db")
    (tmp_path / "beside.db-wal").symlink_to("diary")
    os.mkfifo(tmp_path / "pipe.db")
    for name, says in (
        ("link.db", "symbolic link to ours.db"),
        ("none.db", "symbolic link to nowhere.db"),
        ("beside.db", "symbolic link to diary"),
        ("pipe.db", "a pipe or a device"),
    ):
        with pytest.raises(ValueError, match=says):
            Database(url(tmp_path / name), TASK)
    assert not (tmp_path / "nowhere.db").exists()
    assert not (tmp_path / "diary").exists()
    assert not (tmp_path / "beside.db").exists()


@pytest.mark.parametrize("columns", ["mine", "id, study, name, value, more"])
def test_a_table_of_our_name_with_other_columns_is_refused(tmp_path, columns):
    file = tmp_path / "study.db"
    sql(file, f"PRAGMA application_id={ownership.APPLICATION}", f"CREATE TABLE steelyard_note ({columns})")
    with pytest.raises(ValueError, match=r"holds a table steelyard_note with the columns .*did not make"):
        Database(url(file), TASK)
    assert names(file) == {"steelyard_note"}


def test_looking_makes_nothing(tmp_path):
    ownership.adopt(address(url(tmp_path / "new.db")), mark=False)
    assert not list(tmp_path.iterdir())


def test_threads_that_open_one_new_file_at_once_all_have_it(tmp_path):
    errors = []

    def work(i):
        try:
            Database(url(tmp_path / "study.db"), {**TASK, "i": i}).close()
        except ValueError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sql(tmp_path / "study.db", "SELECT count(*) FROM steelyard_study") == [(6,)]


@pytest.mark.parametrize("storage", [None, "app.db", "answer/report.json"])
def test_the_command_says_so_before_it_reads_anything(tmp_path, monkeypatch, capfd, storage):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answer").mkdir()
    file = tmp_path / (storage or "answer/study.db")
    if storage != "answer/report.json":
        theirs(file)
    before = file.read_bytes() if file.exists() else None
    more = [] if storage is None else ["--storage", f"sqlite:///{storage}"]
    assert main(["tune", "absent.csv", "--label", "y", "--out", "answer", "--overwrite", *more]) == 2
    error = capfd.readouterr().err
    assert error.count("\n") == 1
    assert "another program's" in error or "is where the answer goes" in error
    assert before == (file.read_bytes() if file.exists() else None)


# PostgreSQL ---------------------------------------------------------------------------------------------------------------


def made(where, *statements):
    engine = where.engine()
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_schema_with_a_table_of_our_name_is_refused_and_left(postgresql):
    where = address(postgresql)
    made(where, "CREATE TABLE steelyard_fit (mine integer)", "CREATE TABLE patients (name text)")
    with pytest.raises(ValueError, match="holds a table steelyard_fit with the columns mine"):
        Database(postgresql, TASK, fresh=True)
    engine = where.engine()
    assert set(sa.inspect(engine).get_table_names()) == {"steelyard_fit", "patients"}
    engine.dispose()
    made(where, "DROP TABLE steelyard_fit")
    Database(postgresql, TASK).close()
    engine = where.engine()
    assert set(sa.inspect(engine).get_table_names()) == {"patients", *tables.TABLES.tables}
    engine.dispose()


@pytest.mark.parametrize("name", ["trials", "studies", "alembic_version"])
def test_tables_that_optuna_would_take_for_its_own_are_refused(postgresql, name):
    where = address(postgresql)
    ownership.check_trials(where)
    made(where, f"CREATE TABLE {name} (drug text)")
    with pytest.raises(ValueError, match=f"holds tables called {name}, which Optuna would take"):
        ownership.check_trials(where)


def test_optunas_own_tables_are_no_hindrance(postgresql):
    from steelyard.tuning.store.trials import trials_in

    trials_in(postgresql)
    ownership.check_trials(address(postgresql))
