"""A claim, what was found about it, and the rule that says whether it came out."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..rates import clopper_pearson

AS_CLAIMED, OTHERWISE, UNDECIDED = "as claimed", "otherwise", "undecided"
Record = dict[str, Any]


class Absent(Exception):
    """Data that a unit needs is not on this machine; the message is the one sentence that says so."""


@dataclass(frozen=True)
class Finding:
    """One number beside what is claimed of it.

    claimed   the claim holds where the number lies between these two; None is open. Written down before the run
    interval  95 %; both ends the number itself where nothing was drawn at random; None where there is one run and so no interval
    of        what the interval is over, such as "30 draws"
    """

    what: str
    claimed: tuple[float | None, float | None]
    estimate: float
    interval: tuple[float, float] | None
    of: str

    def __post_init__(self) -> None:
        numbers = [self.estimate, *(self.interval or ())]
        if not all(map(math.isfinite, numbers)):
            raise ValueError(f"Finding: {self.what!r} is {numbers}, which says nothing; mend the program.")
        if self.claimed == (None, None):
            raise ValueError(f"Finding: {self.what!r} cannot come out otherwise; say what is claimed of it.")

    @property
    def outcome(self) -> str:
        """As claimed if the whole interval lies within the claim, otherwise if none of it does, else undecided."""
        if self.interval is None:
            return UNDECIDED
        low, high = (
            (-math.inf if self.claimed[0] is None else self.claimed[0]),
            (math.inf if self.claimed[1] is None else self.claimed[1]),
        )
        if low <= self.interval[0] and self.interval[1] <= high:
            return AS_CLAIMED
        return OTHERWISE if self.interval[1] < low or high < self.interval[0] else UNDECIDED


@dataclass(frozen=True)
class Table:
    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]


@dataclass(frozen=True)
class Conclusion:
    findings: list[Finding]
    tables: list[Table] = field(default_factory=list)


@dataclass(frozen=True)
class Claim:
    """says      the claim in one sentence
    source    who says so
    done      what was done, in a few sentences
    units     small -> names of the parts that are run and kept one by one
    run       (unit, small) -> its record, as JSON holds it; raises Absent where its data is missing
    conclude  {unit: record} -> what was found
    seeds     what was drawn, in words
    """

    name: str
    title: str
    says: str
    source: str
    done: str
    seeds: str
    units: Callable[[bool], Sequence[str]]
    run: Callable[[str, bool], Record]
    conclude: Callable[[Mapping[str, Record]], Conclusion]


def overall(findings: Sequence[Finding]) -> str:
    """As claimed if all findings are; otherwise if one is; undecided in between, and where nothing was found."""
    outcomes = {f.outcome for f in findings}
    if OTHERWISE in outcomes:
        return OTHERWISE
    return AS_CLAIMED if outcomes == {AS_CLAIMED} else UNDECIDED


def exact(what: str, claimed: tuple[float | None, float | None], number: float, of: str = "exact") -> Finding:
    """A number that no draw made, or the worst of many, which must hold in each."""
    return Finding(what, claimed, float(number), (float(number), float(number)), of)


def paired(
    what: str, claimed: tuple[float | None, float | None], values: Sequence[float], of: str, *, test_share: float = 0.0
) -> Finding:
    """The mean of one number per draw, most often a difference, with Student's t interval over the draws.

    test_share  of the rows, where the draws are splits of the same rows: the variance then counts 1/n + share / (1 - share), since the
                training parts overlap. Nadeau and Bengio 2003, Machine Learning 52.
    """
    x = np.asarray(values, float)
    if len(x) < 2:
        return Finding(what, claimed, float(x.mean()), None, of)
    from scipy.stats import t

    error = math.sqrt((1 / len(x) + test_share / (1 - test_share)) * float(x.var(ddof=1)))
    reach = float(t.ppf(0.975, len(x) - 1)) * error
    return Finding(what, claimed, float(x.mean()), (float(x.mean()) - reach, float(x.mean()) + reach), of)


def rate(what: str, claimed: tuple[float | None, float | None], hits: int, trials: int, of: str) -> Finding:
    """A share of independent draws, with its exact binomial interval."""
    return Finding(what, claimed, hits / trials, clopper_pearson(hits, trials), of)
