"""The solvers' core in every instruction set that this machine has."""

import pytest

from steelyard.tuning.models import passes, sparse_core


@pytest.fixture
def every_set(native_core):
    """Instruction sets, the usual one again at the end."""
    if not (passes.THERE and sparse_core.THERE):
        pytest.skip("the native core was built before these solvers")
    usual = native_core.current()

    def sets():
        for name in native_core.sets():
            native_core.choose(name)
            yield name

    yield sets
    native_core.choose(usual)
