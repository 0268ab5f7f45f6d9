"""The tests of the C++ core, for tools that build it elsewhere: under the sanitizers (sanitize.py), for ARM (arm.py)."""

from pathlib import Path

TESTS = [
    "tests/ops/test_native.py",
    "tests/ops/test_native_slopes.py",
    "tests/ops/test_beside.py",
    "tests/spatial/test_border.py",
    "tests/tuning/models/test_passes.py",
    "tests/tuning/models/test_sparse_core.py",
    "tests/data/test_tally.py",
    "tests/tuning/test_ranked.py",
    "tests/tuning/validation/test_steps.py",
]
# an editable install finds its own core before any path
PROGRAM = """
import platform, sys
sys.meta_path = [finder for finder in sys.meta_path if "Redirecting" not in type(finder).__name__]
sys.path.insert(0, PLACE)
import steelyard.core
core = steelyard.core.load()
assert core is not None and core.__file__.startswith(PLACE), core
print("The core's tests on", platform.machine(), "with", *core.sets(), flush=True)
called = set()

def watched(name, function):
    def call(*arguments, **options):
        called.add(name)
        return function(*arguments, **options)
    return call

functions = {n for n, f in vars(core).items() if n[0] != "_" and callable(f) and not isinstance(f, type)}
for name in functions:
    setattr(core, name, watched(name, getattr(core, name)))
import pytest
code = int(pytest.main(sys.argv[1:]))
if WHOLE and not code and functions != called:
    print("No test of these runs", *sorted(functions - called), "of the core: tools/core_tests.py lists the tests.")
    code = 1
sys.exit(code)
"""


def program(place: Path, whole: bool) -> str:
    """For `python -c`, and pytest's options after it: the package in `place` is tested. With `whole`, a function of the core that no test
    has called ends it with code 1."""
    return PROGRAM.replace("PLACE", repr(str(place))).replace("WHOLE", repr(whole))
