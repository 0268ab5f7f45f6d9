"""Counts over ranks and clusters: the same answer as in one process. What ranks do is in tests/framework/test_ranks.py, which starts them."""

import os
import signal
from pathlib import Path

import pytest
from tests.data.examples import masks

from steelyard import Counts, count
from steelyard.data import count_path
from steelyard.data.ranks import over_ranks


def test_one_process_keeps_its_counts():
    counts = Counts.of(3, 1)
    assert over_ranks(counts) is counts


class Deadly:
    """A source of masks whose first reader dies once, as a worker without memory does."""

    def __init__(self, source, mark):
        self.source, self.mark, self.path = source, mark, source.path

    def shards(self):
        return self.source.shards()

    def counts(self, total):
        return self.source.counts(total)

    def beside(self, shards):
        return self.source.beside(shards)

    def read(self, shard, tell):
        if shard.path.name == "b.png" and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.source.read(shard, tell)


@pytest.mark.slow
def test_a_cluster_gives_the_same_answer_though_a_worker_is_killed(tmp_path, monkeypatch, ray):
    from steelyard.data.dispatch import source_of
    from steelyard.data.workers import read_on_cluster

    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    )
    folder = masks(tmp_path / "m")
    (folder / "broken.png").write_bytes(b"no")
    here = count_path(folder, ignore=255, on_error="report")
    there = read_on_cluster(Deadly(source_of(folder, ignore=255), tmp_path / "died"), on_error="report")
    assert (tmp_path / "died").exists()
    assert there == here
    assert there[0].digest == here[0].digest
    (folder / "broken.png").unlink()
    assert count(folder, ignore=255, engine="ray") == count(folder, ignore=255)


def test_without_ray_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ValueError, match=r'count: --engine ray .*pip install "steelyard\[ray\]"'):
        count(masks(tmp_path / "m"), engine="ray")
