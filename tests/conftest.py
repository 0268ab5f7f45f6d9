"""Fixtures shared by all tests."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors on a busy machine: threads would wait for each other

if "STEELYARD_CACHE" not in os.environ:  # nothing is left in the cache of whoever runs the tests
    os.environ["STEELYARD_CACHE"] = tempfile.mkdtemp(prefix="steelyard-")
    atexit.register(shutil.rmtree, os.environ["STEELYARD_CACHE"], True)

import hypothesis
import numpy as np
import pytest
from tests.chromium import browser  # noqa: F401  # a fixture
from tests.examples_of import MORE
from tests.longest import LONGEST
from tests.postgresql import postgresql, server  # noqa: F401  # fixtures

import steelyard.ingredients  # noqa: F401  # before pytest imports its files one by one and binds their names to modules
from steelyard.core import load

# no deadline: a busy machine is no failure; the same cases every time, so that a green test stays green. Look for new
# ones with STEELYARD_HYPOTHESIS=explore
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile(os.environ.get("STEELYARD_HYPOTHESIS", "steady"))

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Before any test file is read: `examples` is called while it is."""
    if config.getoption("markexpr") not in ("", "not slow"):
        os.environ.setdefault(MORE, "all")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A worker of xdist is given a whole file, the next in this order: the longest come first, so that none is alone with one at the end."""
    place = {ROOT / "tests" / name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(autouse=True)
def arithmetic_is_left_as_it_was() -> Iterator[None]:
    """The machine's state belongs to the whole process: kernels that used MMX made every later long double NaN, and what rounds
    otherwise or takes small numbers for zero would show nowhere near its cause."""
    yield
    third = np.longdouble(1) / np.longdouble(3)
    assert third * 3 == 1 and np.float64(1e-310) * 2 > 0 and np.float32(1e-42) * 2 > 0  # noqa: PT018


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


# A test that needs something which is not everywhere asks for it by one of these (PostgreSQL: tests/postgresql.py; a browser:
# tests/chromium.py), so that what is skipped says why.


@pytest.fixture(scope="session")
def native_core() -> Any:
    """The C++ kernels."""
    core = load()
    if core is None:
        pytest.skip("steelyard was installed without the native core")
    return core


@pytest.fixture(scope="session")
def compiler() -> str:
    """A C++ compiler, which torch.compile calls."""
    program = next(
        (path for name in (os.environ.get("CXX"), "c++", "g++", "clang++") if name and (path := shutil.which(name))),
        None,
    )
    if program is None:
        pytest.skip("there is no C++ compiler, which torch.compile needs")
    return program


@pytest.fixture(scope="session")
def ray() -> Any:
    return pytest.importorskip("ray", reason="Ray is not installed (steelyard[ray])")
