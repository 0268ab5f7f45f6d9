"""SIGKILL while a study of any kind runs, again and again, and the same command after it: no finished fit is lost, changed or made
twice, and the answer is that of a study which was left alone.

The slow run kills each study twice; `STEELYARD_KILLS=20 pytest -m slow tests/faults/test_kills.py` does it twenty times.
"""

import contextlib
import hashlib
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import warm
from tests.faults.conftest import write_table

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("STEELYARD_KILLS", "2"))
LATEST = 0.4  # seconds after a new fit
Fits = dict[tuple, str]
Program = Callable[[list[Any]], warm.Command]


def fits_in(url: str) -> Fits:
    """{(part, key): a digest of its numbers} of what is finished."""
    import sqlalchemy as sa

    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    query = "SELECT repetition, fold, arm, setting, arrays FROM steelyard_fit"
    with contextlib.suppress(sa.exc.SQLAlchemyError), engine.connect() as connection:
        return {tuple(row[:4]): hashlib.sha256(row[4]).hexdigest() for row in connection.execute(sa.text(query))}
    return {}


def many_in(url: str) -> int:
    import sqlalchemy as sa

    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    with contextlib.suppress(sa.exc.SQLAlchemyError), engine.connect() as connection:
        return connection.execute(sa.text("SELECT count(*) FROM steelyard_fit")).scalar_one()
    return 0


def answer(folder: Path) -> tuple[dict[str, int], dict[str, Any]]:
    """(its fits, all else that does not tell the time or the folder)"""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    fits = report.pop("fits")
    return fits, {key: value for key, value in report.items() if key not in ("seconds", "made", "command")}


@pytest.fixture
def program(tmp_path) -> Iterator[Program]:
    """Starts a command that leads a process group of its own; what it says of errors is kept."""
    environment = {**os.environ, "RAY_ADDRESS": "local", "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
    options: dict[str, Any] = {"environment": environment, "stdout": warm.DEVNULL, "session": True}
    with (tmp_path / "errors.txt").open("wb") as errors:
        yield lambda arguments: warm.start(*arguments, stderr=errors, **options)


def kill(process: warm.Command, url: str, many: int, dice: random.Random) -> None:
    """Once, after it saved a fit more, at a moment that dice choose; with all that it started."""
    until = time.monotonic() + 600
    while many_in(url) == many and time.monotonic() < until and process.poll() is None:
        time.sleep(0.02)
    time.sleep(dice.uniform(0, LATEST))
    with contextlib.suppress(ProcessLookupError):  # it ended
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait(60)
    assert code == -signal.SIGKILL, f"it ended ({code}) before it was killed"


def kill_and_go_on(program: Program, folder: Path, url: Callable[[str], str], *options: str) -> None:
    table, dice = write_table(folder / "t.csv", ["no", "yes"], rows=120), random.Random(0)

    def command(name: str) -> list[Any]:
        place = ["--storage", url(name)] if not url(name).startswith("sqlite") else []
        return ["tune", table, "--label", "y", "--bootstrap", "100", "--out", folder / name, *options, *place]

    known: Fits = {}
    for _ in range(KILLS):
        kill(program(command("killed")), url("killed"), len(known), dice)
        found = fits_in(url("killed"))
        assert found.items() >= known.items()
        known = found
    assert known
    for name in ("killed", "alone"):
        assert program(command(name)).wait(600) == 0, (folder / "errors.txt").read_text()[-2000:]
    (fits, resumed), (every, alone) = answer(folder / "killed"), answer(folder / "alone")
    assert fits["reused"] == len(known)
    assert fits["new"] + fits["reused"] == every["new"]
    assert fits_in(url("killed")) == fits_in(url("alone"))
    assert resumed == alone


@pytest.mark.parametrize("model", ["mlp", "lightgbm"])
def test_a_study_of_models_that_is_killed_goes_on(program, tmp_path, model):
    """Fitted arm by arm, or in groups of arms, and saved so."""
    pytest.importorskip("lightgbm" if model == "lightgbm" else "torch")
    repeats = "2" if KILLS < 5 else "16"
    place = lambda name: f"sqlite:///{tmp_path / name / 'study.db'}"  # noqa: E731
    kill_and_go_on(program, tmp_path, place, "--model", model, "--folds", "3", "--repeats", repeats)


def test_a_study_on_a_server_that_is_killed_goes_on(program, tmp_path, server):
    """Claims of a killed process are taken over, and none of its transactions is half there."""
    pytest.importorskip("psycopg")
    names = {name: f"k{os.urandom(6).hex()}" for name in ("killed", "alone")}
    for name in names.values():
        server.sql(f"create database {name}")
    repeats = "3" if KILLS < 5 else "12"
    kill_and_go_on(program, tmp_path, lambda name: server.url(names[name]), "--folds", "3", "--repeats", repeats)


def test_a_study_on_ray_that_is_killed_goes_on(program, tmp_path, ray):
    repeats = "3" if KILLS < 5 else "12"
    place = lambda name: f"sqlite:///{tmp_path / name / 'study.db'}"  # noqa: E731
    kill_and_go_on(program, tmp_path, place, "--engine", "ray", "--folds", "3", "--repeats", repeats)
