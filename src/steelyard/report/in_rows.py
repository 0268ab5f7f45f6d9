"""What the verdict brings, in rows: one line, and where other costs would put the cut."""

from dataclasses import dataclass

from ..tuning.verdict.headline import share
from . import formatting
from .decisions import NO_VERDICT, at_threshold, confusion_rows
from .document import Report
from .evidence import PLAIN

PARTS = (2, 3, 4, 5, 10)  # a share is said as so many in one of these
NEAR = 0.06  # of itself: how far the fraction may be from it
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Priced:
    """One column of the table: cost of a miss in false alarms, and cells of the rows that `PricedTable.head` names."""

    miss: str
    cells: tuple[str, str, str]


@dataclass(frozen=True)
class PricedTable:
    """What a missed positive may cost, and what follows. `ask` is what to write once the cost is known."""

    title: str
    head: tuple[str, str, str]
    columns: tuple[Priced, ...]
    ask: str


def in_rows(report: Report) -> str:
    """One sentence or two, or "" where decisions were not kept."""
    said = _binary(report) if report.binary else _classes(report)
    if said and report.verdict.case in NO_VERDICT:
        said = "Described, not advised: " + said[0].lower() + said[1:]
    return said


def priced(report: Report) -> PricedTable | None:
    """None where costs were named, or the report does not hold the table."""
    if not report.priced or not report.binary or report.verdict.case in NO_VERDICT:
        return None
    name = formatting.quote(report.positive)
    there = report.priced[0].found + report.priced[0].missed
    columns = [
        Priced(
            formatting.plural(p.miss, "alarm"),
            (share(p.threshold), formatting.count(p.found), formatting.count(p.alarms)),
        )
        for p in report.priced
    ]
    return PricedTable(
        f"If a missed {name} costs",
        (f"say {name} from", f"finds, of {formatting.count(there)}", "false alarms"),
        tuple(columns),
        "Do you know the cost? --cost-fn 20 decides by it.",
    )


def _binary(report: Report) -> str:
    at = report.verdict.threshold
    cut = at_threshold(report, report.chosen, at)
    if cut is None:
        return ""
    tp, fp, there = round(cut.tp), round(cut.fp), round(cut.tp + cut.fn)
    verb = (
        "That finds" if report.verdict.case not in NO_VERDICT else f"{report.chosen} from {share(cut.threshold)} finds"
    )
    return f"{verb} {formatting.count(tp)} of {formatting.count(there)}; {alarms(fp, tp + fp)}{_beside(report)}."


def _beside(report: Report) -> str:
    """What plain training does: at its own cut beside a winner, else at 0.5."""
    if report.winner is not None:
        plain = report.plain
        cut = None if plain is None else at_threshold(report, PLAIN, plain.threshold, exact=True)
        name = "without weights"
    else:
        cut, name = at_threshold(report, PLAIN, 0.5, exact=True), "at 0.5"
    if cut is None:
        return ""
    return f" ({name}: {formatting.count(round(cut.tp))} found, {formatting.plural(round(cut.fp), 'false alarm')})"


def _classes(report: Report) -> str:
    table = confusion_rows(report)
    if not table:
        return ""
    total, right = sum(map(sum, table)), sum(row[i] for i, row in enumerate(table))
    there = [sum(row) for row in table]
    rare = min((i for i, n in enumerate(there) if n), key=lambda i: there[i])
    name = formatting.quote(report.table.classes[rare])
    return (
        f"That gets {formatting.count(right)} of {formatting.count(total)} rows right; of {name}, the rarest,"
        f" {formatting.count(table[rare][rare])} of {formatting.count(there[rare])}."
    )


def alarms(false: int, called: int) -> str:
    """
    >>> alarms(75, 223), alarms(0, 4), alarms(3, 3), alarms(9, 1000), alarms(46, 100), alarms(0, 0)
    ('one alarm in three is false', 'no alarm is false', 'every alarm is false', 'one alarm in 111 is false', '46 % of alarms are false', 'it calls nothing')
    """
    if not called:
        return "it calls nothing"
    if not false:
        return "no alarm is false"
    if false == called:
        return "every alarm is false"
    part = false / called
    if part < 1 / max(PARTS):
        return f"one alarm in {round(1 / part)} is false"
    fractions = [(a, b) for b in PARTS for a in range(1, b)]
    near = [(a, b) for a, b in fractions if abs(a / b - part) <= NEAR * min(part, 1 - part)]
    if not near:
        return f"{100 * part:.0f} % of alarms are false"
    a, b = min(near, key=lambda one: (one[1], abs(one[0] / one[1] - part)))
    return f"{WORDS[a]} {'alarm' if a == 1 else 'alarms'} in {WORDS[b]} {'is' if a == 1 else 'are'} false"
