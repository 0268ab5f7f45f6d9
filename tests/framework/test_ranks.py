"""What ranks and micro-batches make of a step is what one process with one batch makes of it.

The ranks (gloo, one thread each) are started once for all tests of a run, whichever workers run them, for 2 and for 4; every
check is in tests/framework/shards.py.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tests.adaptive.rules import CASES
from tests.framework import shards
from tests.framework.shards import DTYPES, KINDS, SUBJECTS, WAYS

import steelyard as sy

PROGRAM = Path(shards.__file__)


@pytest.fixture(scope="module", params=[2, pytest.param(4, marks=pytest.mark.slow)])
def found(request, tmp_path_factory):
    """(number of ranks, what each of them found)"""
    folder, ranks = tmp_path_factory.getbasetemp(), request.param
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / f"{ranks} ranks"
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first worker starts them, the others wait for what they find
        if not all((folder / f"{rank}.pt").exists() for rank in range(ranks)):
            start(folder, ranks)
    return ranks, [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(ranks)]


def start(folder, ranks):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, PROGRAM, folder, str(ranks)]
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        try:
            told = running.communicate(timeout=200)[1]
        finally:  # a rank that waits for one that has failed
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 0, told


def check(found, expected, tolerance, size=0.0):
    """Every tensor to `tolerance` of its largest entry, or of `size` where that is more."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        value, other = value.detach().double(), found[name].double()
        finite = value[value.isfinite()]
        near = tolerance * max(size, float(finite.abs().max())) if finite.numel() else 0.0
        torch.testing.assert_close(other, value, rtol=0, atol=near, equal_nan=True, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
@pytest.mark.parametrize("kind", KINDS)
def test_losses_and_gradients_are_those_of_a_single_process(found, kind, dtype, tolerance):
    ranks, everything = found
    seen = 0
    for name, subject in SUBJECTS.items():
        start = f"{dtype} | {kind} | {name} | "
        keys = [k for k in everything[0] if k.startswith(start)]
        seen += len(keys)
        expected = shards.single(subject, DTYPES[dtype]) if keys else {}
        for key in keys:
            for rank in range(ranks):
                try:
                    check(everything[rank][key], expected, tolerance)
                except AssertionError as wrong:
                    raise AssertionError(f"rank {rank}, {key}: {wrong}") from None
    assert seen >= 9


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-10)])
@pytest.mark.parametrize("name", [n for n, case in CASES.items() if case.exact])
def test_rules_learn_over_ranks_what_a_single_process_learns(found, name, dtype, tolerance):
    ranks, everything = found
    expected = shards.trained(name, DTYPES[dtype], "one call", ranks)
    for way in WAYS[dtype]:
        for rank in range(ranks):
            # a parameter near 0 is the difference of steps of Adam, which are .1 each
            check(everything[rank][f"{dtype} | {name} | {way}"], expected, tolerance, size=0.1)


def read_counts(finding):
    return sy.Counts.from_json(bytes(finding["json"].tolist()).decode())


def test_every_rank_gets_the_sum_of_what_all_counted(found):
    ranks, everything = found
    sums = [read_counts(one["counts"]) for one in everything]
    assert all(counts == sums[0] for counts in sums)
    assert sums[0].classes == ("é", "all", *("é" * (r + 1) for r in range(1, ranks)))
    assert sums[0].per_class.tolist() == [1, ranks * 10**12, *range(2, ranks + 1)]
    assert sums[0].source == " + ".join(f"shard {r}" for r in range(ranks))
    assert sums[0].digest == f"{sum(range(ranks)):032x}"


def test_a_group_of_ranks_has_its_own_sum_of_counts(found):
    ranks, everything = found
    for rank, one in enumerate(everything):
        first = rank // (ranks // 2) * (ranks // 2)
        group = range(first, first + ranks // 2)
        assert read_counts(one["counts of a half"]).source == " + ".join(f"shard {r}" for r in group)
        assert read_counts(one["counts of a half"]).per_class.sum() == sum(r + 1 + 10**12 for r in group)


def test_a_group_of_ranks_is_its_own_step(found):
    ranks, everything = found
    keys = [k for k in everything[0] if k.startswith("half")]
    assert len(keys) == 5
    for key in keys:
        for rank in range(ranks):
            check(everything[rank][key], shards.single(SUBJECTS[key.split(" | ")[2]], torch.float64), 1e-12)
