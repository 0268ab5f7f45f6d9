"""Ten claims about loss weights, ten programs that can come out either way: `python -m benchmarks claims [N ...]`.

One file, one claim. A line of `CLAIMS` puts it on the list, in docs/evidence/claims.md and under the tests. A claim is split into units (a seed, a
data set) that are kept as they end, so that a run can be stopped and taken up again; `conclude` makes of all of them the
findings, and the outcome follows from these by the rule in claim.py.
"""

from importlib import import_module

from .claim import Claim

CLAIMS = (
    "numbers",
    "programs",
    "shift",
    "threshold",
    "geometry",
    "denominator",
    "comparison",
    "delineation",
    "dynamic",
    "detection",
)


def claim(name: str) -> Claim:
    """The claim of benchmarks/claims/NAME.py, with its number."""
    found: Claim = import_module(f".{name}", __name__).CLAIM
    return found
