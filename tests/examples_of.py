"""How many cases a property is tried on: all that its test asks for where the slow tests run too, a quarter in the default run."""

import os

MORE = "STEELYARD_EXAMPLES"  # set by conftest.py, and by whoever wants all of them at once: STEELYARD_EXAMPLES=all


def examples(most: int) -> int:
    return most if os.environ.get(MORE) == "all" else max(5, most // 4)
