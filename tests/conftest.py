"""Fixtures shared by all tests."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors on a busy machine: threads would wait for each other

import hypothesis
import pytest

import steelyard.ingredients  # noqa: F401  # before pytest imports its files one by one and binds their names to modules

# no deadline: a busy machine is no failure; the same cases every time, so that a green test stays green. Look for new
# ones with STEELYARD_HYPOTHESIS=explore
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile(os.environ.get("STEELYARD_HYPOTHESIS", "steady"))

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data that is not part of the project; tests on it skip where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data folder is absent")
    return folder


@pytest.fixture(scope="session")
def examples_data() -> Path:
    return ROOT / "examples" / "data"
