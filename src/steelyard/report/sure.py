"""How sure the verdict is, in one line: the interval of what weights gain."""

from . import formatting
from .document import Report
from .evidence import Arm
from .provenance import stopped

SETTLED, OPEN = ("A", "A'", "B", "C'", "F"), ("C",)


def sure(report: Report) -> str:
    """A sentence, or "" where there is no verdict or no interval: then the headline says all that is known."""
    best = _best(report)
    if best is None or report.verdict.case not in (*SETTLED, *OPEN):
        return ""
    on = best.on(report.metric)
    if on.low is None or on.high is None:
        return ""
    decimals = formatting.places(on.difference, on.low, on.high)
    low, high = (formatting.signed(end, decimals) for end in (on.low, on.high))
    who = "it gains" if report.winner else f"the best weighting, {best.name}, would gain"
    early = f"; stopped early: {stopped(report)}" if report.stopped else ""
    return (
        f"How sure: {'not settled, ' if report.verdict.case in OPEN else ''}{who} between {low} and {high} in {report.title}"
        f" (95 %){early}."
    )


def _best(report: Report) -> Arm | None:
    """The winner, or the weighting with the largest gain."""
    if report.winner:
        return next((arm for arm in report.arms if arm.name == report.winner), None)
    tested = [arm for arm in report.arms if not arm.equals_plain and arm.on(report.metric).low is not None]
    tested = [arm for arm in tested if arm is not report.plain]
    return max(tested, key=lambda arm: arm.on(report.metric).difference or 0.0, default=None)
