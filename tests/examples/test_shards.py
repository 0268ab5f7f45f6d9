"""Many ranks and accumulated micro-batches."""

import os
import subprocess
import sys

import pytest
import torch
from tests.examples.conftest import FOLDER, Printed

import steelyard as sy

EXACT = [
    ("torch's mean, sy.accumulate", "equal"),
    ("torch's mean, sy.accumulate", "uneven"),
    ("divided by the rows, averaged", "equal"),
    ("divided by the rows, sy.accumulate", "equal"),
    ("divided by the rows, sy.accumulate", "uneven"),
]


@pytest.fixture(scope="module")
def example(run):
    return run("shards")


def check(printed):
    """Measured: 38 and 58 % (torch's mean), 43 % (uneven shards of rows); 7.2, 21, 40 and 49 % of the loss."""
    median, ninth = printed.numbers("torch's mean, averaged", "equal", "median")[0::2]
    assert median == pytest.approx(0.40, abs=0.05)
    assert ninth == pytest.approx(0.55, abs=0.07)
    for name in ("torch's mean, averaged", "divided by the rows, averaged"):
        assert printed.numbers(name, "uneven", "median")[0] > 0.3
    for name, shape in EXACT:
        assert max(printed.numbers(name, shape, "median")[::2]) < 1e-12
    for size, published in ((8, 7.1), (32, 21.5), (128, 39.6), (1024, 48.8)):  # from the binomial distribution
        own, shared = printed.numbers(f" {size}   ")
        assert own == pytest.approx(published, abs=0.5)
        assert shared == pytest.approx(50, abs=0.5)


def test_shard_means_do_not_add_up_and_accumulate_does(example):
    _, printed = example
    check(printed)
    assert printed.line("8 MICRO-BATCHES")


@pytest.mark.slow
def test_ranks_are_the_same_as_micro_batches():
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, str(FOLDER / "shards.py")], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    printed = Printed(done.stdout)
    check(printed)
    assert printed.line("2 RANKS WITH 4 MICRO-BATCHES EACH")


@pytest.mark.parametrize("norm", ["mass", "count"])
def test_global_mass_is_exact_for_shards_of_unequal_length_too(norm):
    torch.manual_seed(2)
    loss = sy.CrossEntropy(sy.fixed(weight=[0.5, 10.0], norm=norm))
    z, y = torch.randn(64, 2).double(), torch.randint(2, (64,))
    pieces = list(zip(z.split([40, 20, 4]), y.split([40, 20, 4]), strict=True))
    step = sy.global_mass([labels for _, labels in pieces], loss)
    total = sum(loss(rows, labels, normalizer=step) for rows, labels in pieces)
    torch.testing.assert_close(total, loss(z, y), rtol=1e-12, atol=0)
    averaged = torch.stack([loss(rows, labels) for rows, labels in pieces]).mean()
    assert abs(float(averaged - loss(z, y))) > 1e-3
