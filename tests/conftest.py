"""Fixtures shared by all tests."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors on a busy machine: threads would wait for each other

import hypothesis
import pytest

import steelyard.ingredients  # noqa: F401  # before pytest imports its files one by one and binds their names to modules

hypothesis.settings.register_profile("steelyard", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("steelyard")

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
