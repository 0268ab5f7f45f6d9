"""Divisors over ranks: nnU-Net's cross-entropy on two of them. torchvision's and Ultralytics' are in their own tests."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import steelyard as sy
from steelyard.integrations import across


@pytest.mark.slow
def test_two_ranks_with_one_patch_and_three_are_one_with_four(tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", "-m"]
    run = subprocess.run(
        [*command, "tests.integrations.across_runs", tmp_path / "found.pt"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == 0, run.stderr
    found = torch.load(tmp_path / "found.pt", weights_only=True)
    assert len(found) == 4
    for pairs in found.values():
        for ranks, one in pairs:
            assert ranks == pytest.approx(one, rel=1e-12)


def test_of_one_process_and_without_gradients_a_divisor_is_its_own(monkeypatch):
    z = torch.tensor(3.0)
    assert across.ranks() == 1
    assert across.divisor(z, sy.Recipe()) is z
    dist = torch.distributed
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_world_size", lambda: 4)
    monkeypatch.setattr(dist, "all_reduce", lambda t: t.add_(5.0))
    assert across.divisor(z, sy.Recipe()) == 2.0
    assert across.divisor(z, sy.Recipe(norm="sum")) == 0.75
    assert z == 3.0
    with torch.no_grad():  # one rank may be alone
        assert across.divisor(z, sy.Recipe()) is z
