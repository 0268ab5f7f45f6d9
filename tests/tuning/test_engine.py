"""Executors: every item once, in any order; with Ray, whatever happens to workers and machines.

Files: cluster.py, tuning/threads.py.
"""

import dataclasses
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from steelyard.tuning import engine, threads
from steelyard.tuning.store import share
from steelyard.tuning.store.database import Database


def never():
    return False


# -- threads


def test_local_gives_every_item_with_its_result():
    assert dict(engine.local(lambda x: x * x, range(20), never)) == {x: x * x for x in range(20)}
    assert list(engine.local(lambda x: x, [], never)) == []


def test_local_takes_an_item_only_when_a_core_is_free():
    taken, ended = [], []

    def items():
        for x in range(20):
            taken.append(x)
            assert len(taken) - len(ended) <= threads.cores()
            yield x

    def work(x):
        time.sleep(0.01)
        ended.append(x)

    assert len(list(engine.local(work, items(), never))) == 20


def test_local_starts_nothing_after_stop_and_hands_out_what_was_under_way():
    started = []

    def work(x):
        started.append(x)
        time.sleep(0.05)
        return x

    out = [x for x, _ in engine.local(work, range(100), lambda: len(started) >= 4)]
    assert sorted(out) == sorted(started)
    assert len(started) < 4 + threads.cores()
    assert list(engine.local(work, range(3), lambda: True)) == []


def test_local_raises_the_error_of_an_item_after_the_others_have_ended():
    ended = []

    def work(x):
        if x == 0:
            raise ValueError("tune: item 0")
        time.sleep(0.1)
        ended.append(x)

    before = threading.active_count()
    with pytest.raises(ValueError, match="item 0"):
        list(engine.local(work, range(100), never))
    assert len(ended) < 3 * threads.cores()
    assert threading.active_count() == before


def test_without_ray_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r'pip install "steelyard\[ray\]"'):
        next(engine.ray(abs, [1], never))


@pytest.mark.slow
def test_an_address_without_a_cluster_is_named(monkeypatch, ray):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(ValueError, match=r"cannot use RAY_ADDRESS=127\.0\.0\.1:9: .*refused"):
        next(engine.ray(abs, [1], never))


# -- Ray


@dataclasses.dataclass(frozen=True)
class Job:
    """A fake study: the table is large, each fit sums some of its rows. Marks in `folder` say which process is at what."""

    table: np.ndarray
    folder: Path
    seconds: float = 0.0
    kills_itself: tuple[int, ...] = ()
    fails: tuple[int, ...] = ()

    def __call__(self, item):
        part, keys = item
        mark = self.folder / f"{part[1]}-{os.getpid()}-{time.time_ns()}"
        mark.write_text(str(self.table.flags.writeable))
        time.sleep(self.seconds)
        if part[1] in self.fails:
            raise ValueError(f"tune: cannot fit {part[1]}")
        if part[1] in self.kills_itself and len(list(self.folder.glob(f"{part[1]}-*"))) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return {key: {"scores": self.table[part[1]] * key[1]} for key in keys}

    def times(self, fold):
        return len(list(self.folder.glob(f"{fold}-*")))


KEYS = (("plain", 1.0), ("inverse", 0.5))
TABLE = np.random.default_rng(0).normal(size=(30, 20_000)).astype(np.float32)


def todo(count):
    return [((0, f), KEYS) for f in range(count)]


def right(found, count):
    return len(found) == count and all(
        (fits[key]["scores"] == TABLE[part[1]] * np.float32(key[1])).all() for (part, _), fits in found for key in KEYS
    )


@pytest.fixture(scope="module")
def two_nodes(ray):
    """A cluster on this machine, to which RAY_ADDRESS points, and its second node, which may be removed."""
    from ray.cluster_utils import Cluster

    quiet = {"object_store_memory": 100 << 20, "include_dashboard": False}
    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **quiet})
    second = found.add_node(num_cpus=1, object_store_memory=100 << 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ADDRESS", str(found.address))
        yield found, second
    found.shutdown()


@pytest.fixture(scope="module")
def connected(two_nodes, ray):
    """The driver stays connected, as in a notebook, so that the next test finds workers that have started."""

    ray.init(log_to_driver=False, logging_level=logging.ERROR)
    yield
    ray.shutdown()


slow = pytest.mark.slow


@slow
def test_ray_gives_the_same_results_though_a_worker_is_killed_and_a_node_removed(two_nodes, tmp_path):
    nodes, second = two_nodes
    job = Job(TABLE, tmp_path, seconds=0.3, kills_itself=(2,))
    found = []
    for item, fits in engine.ray(job, todo(16), never):
        found.append((item, fits))
        if len(found) == 6:
            nodes.remove_node(second, allow_graceful=False)
    assert right(found, 16)
    assert job.times(2) == 2
    assert {mark.read_text() for mark in tmp_path.iterdir()} == {"False"}  # shared memory, not a copy each
    # Ray may tell of both deaths on its own, early or late: what it prints is not looked at


@slow
def test_ray_and_a_store_lose_and_repeat_nothing(connected, tmp_path):
    (tmp_path / "marks").mkdir()
    job = Job(TABLE, tmp_path / "marks")
    with Database(f"sqlite:///{tmp_path}/study.db", {"a": 1}, fresh=True) as store:
        first = share.share(store, todo(6), job, engine.ray, lambda: len(list((tmp_path / "marks").iterdir())) >= 2)
        assert 2 <= len(list(first)) < 6
        rest = list(share.share(store, todo(6), job, engine.ray, never))
    assert right([((part, KEYS), found) for part, found, _ in rest], 6)
    assert [job.times(f) for f in range(6)] == [1] * 6


@slow
def test_ray_raises_the_error_of_a_fit_as_it_is(connected, tmp_path):
    with pytest.raises(ValueError, match="cannot fit 1") as error:
        list(engine.ray(Job(TABLE, tmp_path, fails=(1,)), todo(3), never))
    assert type(error.value) is ValueError
    assert "ray" not in str(error.value)


@slow
def test_a_fit_that_always_ends_its_worker_is_named(connected, tmp_path, monkeypatch):
    monkeypatch.setattr("steelyard.cluster.RETRIES", 1)
    with pytest.raises(ValueError, match=r"a fit was lost 2 times .* more memory"):
        list(engine.ray(Deadly(), [0], never))


class Deadly:
    def __call__(self, item):
        os.kill(os.getpid(), signal.SIGKILL)


def test_small_tables_are_fitted_one_after_the_other_and_large_ones_on_every_core(monkeypatch):
    """Two fits of a small table at a time wait for each other: measured, not guessed (study._width)."""
    import pandas as pd

    import steelyard as sy
    from steelyard.tuning import threads

    monkeypatch.setattr(threads.cluster, "cores", lambda: 8)
    seen = []
    original = threads.at_most

    def at_most(width):
        seen.append(width)
        return original(width)

    monkeypatch.setattr(threads, "at_most", at_most)
    rng = np.random.default_rng(0)
    quick = {"repeats": 1, "folds": 2, "bootstrap": 100, "baselines": False, "recipes": ["focal"]}
    for rows, columns, width in ((200, 2, 1), (2000, 150, 2)):
        table = pd.DataFrame(rng.normal(size=(rows, columns)).astype(np.float32)).add_prefix("x")
        table["y"] = (table["x0"] + rng.normal(size=rows) > 1.5).astype(int)
        sy.tune(table, label="y", **quick)
        assert seen.pop() == width
    with original(3):
        assert threads.cores() == 3
    assert threads.cores() == 8
