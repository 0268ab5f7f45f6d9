"""Where a sample of the stack is counted."""

import sys
from types import FrameType

import pytest
from benchmarks.spent import _place


def frame(*modules: str) -> FrameType:
    """Of a stack of functions in these modules, outermost first, the innermost one's."""
    call = sys._getframe
    for name in reversed(modules):
        space = {"__name__": name, "inner": call}
        exec("def function(): return inner()", space)
        call = space["function"]
    return call()


@pytest.mark.parametrize(
    ("modules", "part", "function"),
    [
        (("steelyard.tuning.search", "steelyard.tuning.models.newton", "numpy"), "fits, other than Hessians", "newton"),
        (("steelyard.tuning.models.newton", "steelyard.tuning.models.hessian", "torch"), "Hessians", "hessian"),
        (("steelyard.tuning.validation.cuts", "steelyard.calibrate.scaling"), "choosing settings and cuts", "scaling"),
        (("steelyard.tuning.search", "sqlite3"), "everything else", "search"),
        (("numpy",), "everything else", "elsewhere"),
        (("steelyard.tuning.models.linear", "importlib._bootstrap", "torch"), "imports", "(imports)"),
    ],
)
def test_the_innermost_part_counts_and_imports_are_imports(modules, part, function):
    told = _place(frame(*modules))
    assert told[0] == part
    assert told[1].endswith(function)
