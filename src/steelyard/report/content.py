"""What a report says: a study turned into words, rounded strings and positions.

Text and page are both made from this, so they say the same numbers. No statistics here: every number was decided by the
study; here it is rounded, ordered and placed.
"""

from dataclasses import dataclass

from ..tuning.verdict.headline import headline
from . import formatting
from .decisions import COST, Confusion, Operating, confusion, mistaken, operating
from .document import Report
from .forest import Axis
from .in_rows import PricedTable, in_rows, priced
from .provenance import provenance, stopped
from .snippets import Snippet, snippets
from .stepping import Stepping, stepping
from .sure import sure
from .tables import Block, ClassWise, Row, baselines, class_wise, compared, others

OUTCOMES = ("won", "kept", "open", "unfinished")


@dataclass(frozen=True)
class Content:
    """Everything that text and page say, in the order in which it is said."""

    title: str
    outcome: str  # one of OUTCOMES
    headline: str
    in_rows: str
    sure: str
    priced: PricedTable | None
    sentence: str
    next: tuple[str, ...]
    data: str
    made: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    metric: str
    compared: str
    rows: tuple[Row, ...]
    axis: Axis
    baselines: tuple[Row, ...]
    others: tuple[Block, ...]
    operating: Operating | None
    confusion: Confusion | None
    stepping: Stepping | None
    mistaken: tuple[str, ...]
    class_wise: ClassWise | None
    computed: tuple[tuple[str, str], ...]
    snippets: tuple[Snippet, ...]


def contents(report: Report) -> Content:
    """All that is said of a study."""
    at = "" if report.verdict.threshold is None else formatting.threshold(report.verdict.threshold)
    rows, axis = compared(report)
    beside, moved = baselines(report), operating(report)
    return Content(
        title=report.table.file,
        outcome=outcome(report),
        headline=headline_of(report),
        in_rows=in_rows(report),
        sure=sure(report),
        priced=priced(report),
        sentence=report.verdict.sentence,
        next=tuple(_next(report, at)),
        data=_data_line(report),
        made=_made(report),
        notes=tuple(_notes(report)),
        warnings=tuple(_warnings(report)),
        metric=report.title,
        compared=_how_to_read(report),
        rows=rows,
        axis=axis,
        baselines=beside,
        others=others(report, (*rows, *beside)),
        operating=moved,
        confusion=confusion(report, moved.ratio if moved else COST),
        stepping=stepping(report),
        mistaken=mistaken(report),
        class_wise=class_wise(report),
        computed=(*provenance(report), *_origin(report)),
        snippets=tuple(snippets(report)),
    )


def headline_of(report: Report) -> str:
    """The verdict's, or made of it where an older report has none."""
    verdict = report.verdict
    if verdict.headline:
        return verdict.headline
    positive = report.positive if report.binary else None
    counted = formatting.plural(min(report.table.per_class, default=0), "row")
    return headline(verdict.case, verdict.winner, verdict.threshold, positive=positive, counted=counted)


def outcome(report: Report) -> str:
    """One of OUTCOMES."""
    if report.winner:
        return "won"
    return {"P": "unfinished", "D": "open", "E": "open"}.get(report.verdict.case, "kept")


def _next(report: Report, at: str) -> list[str]:
    """What to do now, one step per line."""
    positive = formatting.quote(report.positive)
    wait = "Until then train without weights; what follows is a description, not advice."
    if outcome(report) == "unfinished":
        return ["Run the same command again: it goes on with what is done.", wait]
    if outcome(report) == "open":
        short = f"Bring more rows of {positive if report.binary else 'the rarest class'}."
        blind = "Look for columns that say more about the label, or for better labels; weights cannot replace them."
        return [blind if report.verdict.case == "D" else short, wait]
    steps = []
    if report.winner:
        steps = [
            "Load the weights from recipe.json.",
            "Undo the weights before you read a probability: sy.posterior(logits, recipe).",
        ]
    if at and report.binary:
        steps.append(f"Call a row {positive} when its {_probability(report)} is at least {at}, not 0.5.")
    elif at:
        steps.append(f"Divide the probabilities by the class shares to the power {at}, then take the largest.")
    return steps


def _warnings(report: Report) -> list[str]:
    early = stopped(report)
    return [*([f"The study stopped early: {early}."] if early else []), *report.verdict.warnings, *report.warnings]


def _notes(report: Report) -> list[str]:
    ties = report.verdict.ties
    tied = [f"As good as the winner, and further from plain: {', '.join(ties)}."] if ties else []
    return [*tied, *report.table.notes, *(f"Not compared: {name}, {reason}." for name, reason in report.skipped)]


def _probability(report: Report) -> str:
    return "undone probability" if report.winner else "probability"


def _data_line(report: Report) -> str:
    table = report.table
    parts = []
    if table.rows is not None:
        weighted = "" if table.weight is None else f" weighted by {formatting.quote(table.weight.column)}"
        parts.append(formatting.plural(table.rows, "row") + weighted)
    if table.columns is not None:
        parts.append(formatting.plural(table.columns, "column"))
    if table.label:
        parts.append(f"label {formatting.quote(table.label)}")
    rows = dict(zip(table.classes, table.per_class, strict=False))
    if report.binary and report.positive in rows:
        rare = rows[report.positive]
        parts.append(
            f"positive class {formatting.quote(report.positive)}: {formatting.plural(rare, 'row')},"
            f" {formatting.percent(rare / sum(table.per_class))}{_by_weight(report)}"
        )
    elif rows:
        largest = sorted(rows.items(), key=lambda item: -item[1])
        shown = ", ".join(f"{formatting.quote(name)} {formatting.count(n)}" for name, n in largest[:8])
        more = f", and {len(largest) - 8} more" if len(largest) > 8 else ""
        parts.append(f"{formatting.plural(len(table.classes), 'class', 'classes')}: {shown}{more}")
    return "; ".join(parts)


def _made(report: Report) -> str:
    """Day and fingerprint, in one line."""
    day = report.made.partition("T")[0]
    parts = [f"made {day}" if day else "", f"data {report.table.everything[:12]}" if report.table.everything else ""]
    return "; ".join(filter(None, parts))


def _origin(report: Report) -> list[tuple[str, str]]:
    """Of this one study, so that two of them differ by it."""
    print_of = report.table.everything
    terms = [
        ("made", report.made.replace("T", " ")),
        ("command", report.command),
        ("fingerprint of the data", f"{print_of} (labels and features)" if print_of else ""),
    ]
    return [(term, said) for term, said in terms if said]


def _by_weight(report: Report) -> str:
    masses = report.table.masses
    if report.table.weight is None or len(masses) != 2:
        return ""
    return f" ({formatting.percent(masses[1] / sum(masses))} by weight)"


def _how_to_read(report: Report) -> str:
    """The differences."""
    sense = "Lower values are better; a positive difference is an improvement on plain all the same."
    margin = report.margin
    band = f"A difference below {formatting.number(margin)} is too small to matter." if margin else ""
    return " ".join(part for part in ("" if report.higher else sense, band) if part)
