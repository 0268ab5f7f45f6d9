"""What a report says: the plain data of a study turned into words, rounded strings and positions.

Text and page are both made from this, so they say the same numbers. No statistics here: every number was decided by the
study; here it is rounded, ordered and placed.
"""

from dataclasses import dataclass

from . import document, formatting
from .classwise import ClassWise, class_wise
from .decisions import Confusion, confusion, mistaken
from .document import Data
from .forest import Axis
from .operating import Operating, operating
from .provenance import computed, stopped, title
from .snippets import Snippet, snippets
from .tables import Grid, Row, baselines, candidates, others

HEADLINES = {
    "won": "A weighting wins",
    "kept": "Keep plain training",
    "open": "No verdict",
    "unfinished": "Not finished",
}


@dataclass(frozen=True)
class Page:
    """Everything that text and page say, in the order in which it is said."""

    title: str
    outcome: str  # a key of HEADLINES
    sentence: str
    next: tuple[str, ...]
    threshold: str
    threshold_says: str
    data: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    metric: str
    compared: str
    rows: tuple[Row, ...]
    axis: Axis
    baselines: tuple[Row, ...]
    others: Grid | None
    operating: Operating | None
    confusion: Confusion | None
    mistaken: tuple[str, ...]
    class_wise: ClassWise | None
    computed: tuple[tuple[str, str], ...]
    snippets: tuple[Snippet, ...]

    @property
    def headline(self) -> str:
        return HEADLINES[self.outcome]


def page(data: Data) -> Page:
    """The report of a study's plain data. ValueError if it is not a report, or lacks a part no report is without."""
    document.check(data)
    verdict = data["verdict"]
    at = "" if verdict.get("threshold") is None else formatting.threshold(verdict["threshold"])
    shown = at if document.binary(data) else ""
    rows, axis = candidates(data)
    beside, moved = baselines(data), operating(data)
    return Page(
        title=file(data),
        outcome=outcome(data),
        sentence=verdict["sentence"],
        next=tuple(_next(data, at)),
        threshold=shown,
        threshold_says=_threshold_says(data) if shown else "",
        data=_data_line(data),
        notes=tuple(_notes(data)),
        warnings=tuple(_warnings(data)),
        metric=title(data),
        compared=_compared(data),
        rows=rows,
        axis=axis,
        baselines=beside,
        others=others(data, (*rows, *beside)),
        operating=moved,
        confusion=confusion(data, moved.ratio if moved else 1.0),
        mistaken=mistaken(data),
        class_wise=class_wise(data),
        computed=tuple(computed(data)),
        snippets=tuple(snippets(data)),
    )


def outcome(data: Data) -> str:
    if document.winner(data):
        return "won"
    case = data["verdict"].get("case")
    return "unfinished" if case == "P" else "open" if case in ("D", "E") else "kept"


def file(data: Data) -> str:
    return str(data["data"].get("path") or "your data").replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _next(data: Data, at: str) -> list[str]:
    """What to do now, one step per line."""
    won, found, case = document.winner(data), outcome(data), data["verdict"].get("case")
    positive = formatting.quote(data.get("positive"))
    wait = "Until then train without weights; what follows is a description, not advice."
    if found == "unfinished":
        return ["Run the same command again with --resume: what is done is kept.", wait]
    if found == "open":
        short = f"Bring more rows of {positive if document.binary(data) else 'the rarest class'}."
        blind = "Look for columns that say more about the label, or for better labels; weights cannot replace them."
        return [blind if case == "D" else short, wait]
    steps = [f"Train with {won}; recipe.json holds its weights." if won else "Train without weights."]
    if won:
        steps.append("Undo the weights before you read a probability: sy.posterior(logits, recipe).")
    if at and document.binary(data):
        which = "undone probability" if won else "probability"
        steps.append(f"Call a row {positive} when its {which} is at least {at}, not 0.5.")
    elif at:
        steps.append(f"Divide the probabilities by the class shares to the power {at}, then take the largest.")
    return steps


def _warnings(data: Data) -> list[str]:
    early = stopped(data)
    return [
        *([f"The study stopped early: {early}."] if early else []),
        *(str(w) for w in data["verdict"].get("remarks") or ()),
        *(str(w) for w in data.get("warnings") or ()),
    ]


def _notes(data: Data) -> list[str]:
    ties = data["verdict"].get("ties")
    tied = [f"As good as the winner, and further from plain: {', '.join(ties)}."] if ties else []
    skipped = [f"Not compared: {one.get('name')}, {one.get('reason')}." for one in document.many(data, "skipped")]
    return [*tied, *(str(note) for note in data["data"].get("notes") or ()), *skipped]


def _threshold_says(data: Data) -> str:
    rule = (data.get("final") or {}).get("threshold_rule")
    chosen = f", set for the {formatting.best(rule)}" if rule else ""
    kind = "undone probability" if document.winner(data) else "probability"
    return f"{kind} of {formatting.quote(data['positive'])}{chosen}"


def _data_line(data: Data) -> str:
    told, names, n = data["data"], document.classes(data), document.per_class(data)
    parts = []
    if told.get("rows") is not None:
        parts.append(formatting.plural(told["rows"], "row"))
    if told.get("columns") is not None:
        parts.append(formatting.plural(told["columns"], "column"))
    if told.get("label") is not None:
        parts.append(f"label {formatting.quote(told['label'])}")
    said = dict(zip(names, n, strict=False))
    total = sum(n)
    if document.binary(data) and str(data["positive"]) in said:
        rare = said[str(data["positive"])]
        parts.append(
            f"positive class {formatting.quote(data['positive'])}: {formatting.plural(rare, 'row')}, {formatting.percent(rare / total)}"
        )
    elif said:
        shown = sorted(said.items(), key=lambda item: -item[1])
        each = [f"{formatting.quote(c)} {formatting.count(k)}" for c, k in shown]
        more = f", and {len(each) - 8} more" if len(each) > 8 else ""
        parts.append(f"{formatting.plural(len(names), 'class', 'classes')}: {', '.join(each[:8])}{more}")
    return "; ".join(parts)


def _compared(data: Data) -> str:
    """How to read the differences."""
    sense = "Lower values are better; a positive difference is an improvement on plain all the same."
    margin = data.get("margin")
    band = f"A difference below {formatting.number(margin)} is too small to matter." if margin else ""
    return " ".join(part for part in ("" if document.higher(data) else sense, band) if part)
