"""Counts over ranks and clusters: the same answer as in one process."""

import os
import signal
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as mp
from tests.data.examples import masks

from steelyard import Counts, count
from steelyard.data import count_path
from steelyard.data.ranks import over_ranks

RANKS = 3


def _count_a_shard(rank: int, folder: str) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=RANKS)
    mine = Counts([rank + 1, 10**12], ["é" * (rank + 1), "all"], source=f"shard {rank}", digest=f"{rank:032x}")
    over_ranks(mine).save(Path(folder) / f"{rank}.json")
    pair = torch.distributed.new_group([0, 2])
    if rank != 1:
        over_ranks(mine, group=pair).save(Path(folder) / f"pair{rank}.json")
    torch.distributed.destroy_process_group()


def test_every_rank_gets_the_sum(tmp_path):
    mp.start_processes(_count_a_shard, (str(tmp_path),), nprocs=RANKS, start_method="spawn")
    found = [Counts.load(tmp_path / f"{rank}.json") for rank in range(RANKS)]
    assert found[0] == found[1] == found[2]
    assert found[0].classes == ("é", "all", "éé", "ééé")
    assert found[0].per_class.tolist() == [1, 3 * 10**12, 2, 3]
    assert found[0].source == "shard 0 + shard 1 + shard 2"
    assert found[0].digest == f"{3:032x}"
    pair = [Counts.load(tmp_path / f"pair{rank}.json") for rank in (0, 2)]
    assert pair[0] == pair[1]
    assert pair[0].per_class.tolist() == [1, 2 * 10**12, 3]


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

    def read(self, shard, tell):
        if shard.path.name == "b.png" and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.source.read(shard, tell)


@pytest.mark.slow
def test_a_cluster_gives_the_same_answer_though_a_worker_is_killed(tmp_path, monkeypatch):
    pytest.importorskip("ray")
    from steelyard.data.dispatch import source_of
    from steelyard.data.workers import read_on_cluster

    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    )
    folder = masks(tmp_path / "m")
    (folder / "broken.png").write_bytes(b"no")
    here = count_path(folder, on_error="report")
    there = read_on_cluster(Deadly(source_of(folder), tmp_path / "died"), on_error="report")
    assert (tmp_path / "died").exists()
    assert there == here
    assert there[0].digest == here[0].digest
    (folder / "broken.png").unlink()
    assert count(folder, engine="ray") == count(folder)


def test_without_ray_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ValueError, match=r'count: --engine ray .*pip install "steelyard\[ray\]"'):
        count(masks(tmp_path / "m"), engine="ray")
