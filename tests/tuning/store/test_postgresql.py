"""A real PostgreSQL server that is not there, refuses, goes away in the middle of a study, or is met by many at once.

Files: tuning/store/errors.py.
"""

import threading
import time
from urllib.parse import urlsplit

import numpy as np
import pytest

from steelyard.tuning.store import database
from steelyard.tuning.store.database import Database
from steelyard.tuning.store.trials import trials_in

pytestmark = pytest.mark.slow

TASK = {"format": 1, "rows": 11183, "seed": 0}
KEYS = [("plain", 1.0), ("inverse frequency", 1.0)]


def scores(n=0):
    return {key: {"scores": np.full(50, n, np.float32)} for key in KEYS}


def refused(url):
    """What is said, by the study and by Optuna's storage; never the password."""
    said = []
    for call in (lambda: Database(url, TASK, fresh=True), lambda: trials_in(url)):
        with pytest.raises(ValueError, match="tune: the study's storage postgresql://") as error:
            call()
        said.append(str(error.value))
        assert "\n" not in said[-1]
        assert "secret" not in said[-1]
        assert error.value.__cause__ is None
        assert error.value.__suppress_context__
    assert said[0] == said[1]
    return said[0]


def test_the_socket_and_the_short_form_of_the_address_reach_the_same_database(postgresql, server):
    name = urlsplit(postgresql).path[1:]
    with Database(postgresql, TASK, fresh=True) as study:
        study.save((0, 0), scores(3))
    for url in (server.over_socket(name), postgresql.replace("postgresql://", "postgres://")):
        with Database(url, TASK) as again:
            assert (again.load((0, 0), KEYS)[KEYS[0]]["scores"] == 3).all()
            assert str(server.port) in again.shown or str(server.folder) in again.shown


def test_a_wrong_password_is_named_and_not_shown(server):
    assert "refuses the password" in refused(server.url("postgres", password="secret:%@/x"))


def test_an_unknown_user_and_database_are_named(server):
    assert "refuses the password" in refused(server.url("postgres", user="nobody-such", password="secret"))
    assert "has no such database" in refused(server.url("nothing_here"))


def test_a_server_that_is_not_there_is_named(server):
    url = server.url("postgres", password="secret").replace(f":{server.port}/", ":9/")
    started = time.monotonic()
    said = refused(url)
    assert "127.0.0.1:9/postgres cannot be reached" in said
    assert "Is the server running" in said
    assert time.monotonic() - started < 10


def test_a_user_who_may_make_no_tables_is_told_what_to_ask_for(postgresql, server):
    name = urlsplit(postgresql).path[1:]
    server.sql(f"create role {name} login password 'secret'")
    try:
        assert "GRANT CREATE ON SCHEMA" in refused(server.url(name, user=name, password="secret"))
    finally:
        server.sql(f"drop role {name}")


def test_a_study_outlives_a_restart_of_the_server(postgresql, server):
    with Database(postgresql, TASK, fresh=True) as study:
        study.save((0, 0), scores(0))
        server.stop()
        back = threading.Timer(2.0, server.start)
        back.start()
        study.save((0, 1), scores(1))  # waits
        back.join()
        assert [len(study.load((0, f), KEYS)) for f in range(3)] == [2, 2, 0]


def test_a_server_that_stays_away_is_named_and_no_fit_that_was_saved_is_lost(postgresql, server, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 1.0)
    with Database(postgresql, TASK, fresh=True) as study:
        study.save((0, 0), scores(0))
        server.stop()
        try:
            with pytest.raises(ValueError, match=r"cannot be reached .* give the same command again"):
                study._do(study._engine, lambda c: c.exec_driver_sql("select 1"), 1.0)
        finally:
            server.start()
    with Database(postgresql, TASK) as again:
        assert len(again.load((0, 0), KEYS)) == 2


def test_processes_that_start_at_once_make_one_study(postgresql):
    """Every table and the study itself are made by one of them."""
    errors: list[Exception] = []
    opened: list[database.Database] = []

    def start():
        try:
            opened.append(Database(postgresql, TASK))
            trials_in(postgresql)
        except Exception as error:
            errors.append(error)

    pool = [threading.Thread(target=start) for _ in range(6)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    assert errors == []
    assert sum(study.started for study in opened) == 1
    for study in opened:
        study.close()


def test_of_many_that_claim_the_same_fits_at_once_one_gets_each(postgresql):
    """Each thread is a process of its own to the database."""
    studies = [Database(postgresql, TASK) for _ in range(4)]
    for i, study in enumerate(studies):
        study._me = database.Worker(f"machine {i}", 1, "1")
        study._write(lambda c, study=study: database._renew(c, study._study, study._me))
    got: list[tuple[int, int]] = []

    def run(i):
        for part in range(20):
            if studies[i].claim((0, part), KEYS):
                got.append((part, i))

    pool = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    assert sorted(part for part, _ in got) == list(range(20))
    for study in studies:
        study.close()
