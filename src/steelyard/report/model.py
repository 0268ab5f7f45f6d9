"""What a report shows: the plain data of a study turned into words, rounded strings and positions.

Text and page are both made from this, so they say the same numbers. No statistics here: every number was decided by the
study; here it is rounded, ordered and placed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from . import given, words
from .charts import Axis, Chart, Mark, forest
from .confusion import Confusion, confusion
from .given import Data
from .pictures import pictures
from .snippets import Snippet, snippets

HEADLINES = {"won": "A weighting wins", "kept": "Keep plain training", "open": "No verdict"}


@dataclass(frozen=True)
class Row:
    """One candidate in the table. `role` is "plain", "winner", "same" (equal to plain by construction) or ""."""

    name: str
    role: str
    note: str
    value: str
    difference: str
    interval: str
    mark: Mark | None


@dataclass(frozen=True)
class Grid:
    """A plain table: column heads, and rows whose first cell is the row's name."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Page:
    """Everything that text and page show, in the order in which it is shown."""

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
    others: Grid | None
    charts: tuple[Chart, ...]
    confusion: Confusion | None
    computed: tuple[tuple[str, str], ...]
    snippets: tuple[Snippet, ...]

    @property
    def headline(self) -> str:
        return HEADLINES[self.outcome]


def page(data: Data) -> Page:
    """The report of a study's plain data. ValueError if it is not a report, or lacks a part no report is without."""
    given.check(data)
    verdict = data["verdict"]
    at = "" if verdict.get("threshold") is None else words.threshold(verdict["threshold"])
    shown = at if given.binary(data) else ""
    rows, axis = _candidates(data)
    return Page(
        title=_file(data),
        outcome=_outcome(data),
        sentence=verdict["sentence"],
        next=tuple(_next(data, at)),
        threshold=shown,
        threshold_says=_threshold_says(data) if shown else "",
        data=_data_line(data),
        notes=tuple(_notes(data)),
        warnings=tuple(str(w) for w in (*(verdict.get("remarks") or ()), *(data.get("warnings") or ()))),
        metric=_title(data),
        compared=_compared(data),
        rows=rows,
        axis=axis,
        others=_others(data),
        charts=tuple(pictures(data)),
        confusion=confusion(data),
        computed=tuple((term, said) for term, said in _computed(data) if said),
        snippets=tuple(snippets(data)),
    )


def _outcome(data: Data) -> str:
    if given.winner(data):
        return "won"
    return "open" if data["verdict"].get("case") in ("D", "E") else "kept"


def _file(data: Data) -> str:
    return str(data["data"].get("path") or "your data").replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _next(data: Data, at: str) -> list[str]:
    """What to do now, one step per line."""
    won, outcome, case = given.winner(data), _outcome(data), data["verdict"].get("case")
    positive = words.quote(data.get("positive"))
    if outcome == "open":
        short = f"Bring more rows of {positive if given.binary(data) else 'the rarest class'}."
        blind = "Look for columns that say more about the label, or for better labels; weights cannot replace them."
        return [
            blind if case == "D" else short,
            "Until then train without weights; what follows is a description, not advice.",
        ]
    steps = [f"Train with {won}; recipe.json holds its weights." if won else "Train without weights."]
    if won:
        steps.append("Undo the weights before you read a probability: sy.posterior(logits, recipe).")
    if at and given.binary(data):
        which = "undone probability" if won else "probability"
        steps.append(f"Call a row {positive} when its {which} is at least {at}, not 0.5.")
    elif at:
        steps.append(f"Divide the probabilities by the class shares to the power {at}, then take the largest.")
    return steps


def _notes(data: Data) -> list[str]:
    ties = data["verdict"].get("ties")
    tied = [f"As good as the winner, and further from plain: {', '.join(ties)}."] if ties else []
    return tied + [str(note) for note in data["data"].get("notes") or ()]


def _threshold_says(data: Data) -> str:
    rule = (data.get("final") or {}).get("threshold_rule")
    chosen = f", set for the best {words.metric(rule)}" if rule else ""
    kind = "undone probability" if given.winner(data) else "probability"
    return f"{kind} of {words.quote(data['positive'])}{chosen}"


def _data_line(data: Data) -> str:
    told, names, n = data["data"], given.classes(data), given.per_class(data)
    parts = []
    if told.get("rows") is not None:
        parts.append(words.plural(told["rows"], "row"))
    if told.get("columns") is not None:
        parts.append(words.plural(told["columns"], "column"))
    if told.get("label") is not None:
        parts.append(f"label {words.quote(told['label'])}")
    said = dict(zip(names, n, strict=False))
    total = sum(n)
    if given.binary(data) and str(data["positive"]) in said:
        rare = said[str(data["positive"])]
        parts.append(
            f"positive class {words.quote(data['positive'])}: {words.plural(rare, 'row')}, {words.percent(rare / total)}"
        )
    elif said:
        shown = sorted(said.items(), key=lambda item: -item[1])
        each = [f"{words.quote(c)} {words.count(k)}" for c, k in shown]
        more = f", and {len(each) - 8} more" if len(each) > 8 else ""
        parts.append(f"{words.plural(len(names), 'class', 'classes')}: {', '.join(each[:8])}{more}")
    return "; ".join(parts)


def _title(data: Data) -> str:
    return str(data.get("metric_title") or words.metric(data["metric"]))


def _compared(data: Data) -> str:
    """How to read the differences."""
    lower = not data.get("metric_higher", data["metric"] not in words.LOWER_IS_BETTER)
    sense = "Lower values are better; a positive difference is an improvement on plain all the same." if lower else ""
    margin = data.get("margin")
    band = f"A difference below {words.number(margin)} is too small to matter." if margin else ""
    return " ".join(part for part in (sense, band) if part)


def _candidates(data: Data) -> tuple[tuple[Row, ...], Axis]:
    """Plain first, then from the largest gain to the smallest, then those that equal plain."""
    metric, won = data["metric"], given.winner(data)
    tested, same = [], []
    for arm in data["arms"]:
        if arm["name"] == given.PLAIN:
            continue
        found = given.judged(arm, metric)
        whole = all(found.get(k) is not None for k in ("difference", "low", "high"))
        (tested if whole and not given.equals_plain(arm) else same).append(arm)
    tested.sort(key=lambda arm: -given.judged(arm, metric)["difference"])
    intervals = [(f["low"], f["difference"], f["high"]) for arm in tested for f in [given.judged(arm, metric)]]
    axis, marks = forest(intervals, data.get("margin"))
    plain = given.arm(data, given.PLAIN)
    rows = [_row(plain, metric, "plain", None)] if plain else []
    rows += [_row(a, metric, "winner" if a["name"] == won else "", m) for a, m in zip(tested, marks, strict=True)]
    rows += [_row(a, metric, "same" if given.equals_plain(a) else "", None) for a in same]
    return tuple(rows), axis


def _row(arm: Data, metric: str, role: str, mark: Mark | None) -> Row:
    found = given.judged(arm, metric)
    note = {"plain": "the baseline, with a moved threshold", "same": given.equals_plain(arm)}.get(role, "")
    return Row(
        name=arm["name"],
        role=role,
        note=note,
        value="" if found.get("value") is None else words.number(found["value"]),
        difference=words.signed(found["difference"]) if mark else "",
        interval=f"[{words.number(found['low'])}, {words.number(found['high'])}]" if mark else "",
        mark=mark,
    )


def _others(data: Data) -> Grid | None:
    """The metrics that do not decide: values only."""
    names = [n for n in words.METRICS if n != data["metric"] and any(given.judged(a, n) for a in data["arms"])]
    if not names:
        return None
    by_name = {arm["name"]: arm for arm in data["arms"]}
    order = [row.name for row in _candidates(data)[0]]
    rows = [
        (
            name,
            *(
                words.fine(n, v) if (v := given.judged(by_name[name], n).get("value")) is not None else ""
                for n in names
            ),
        )
        for name in order
    ]
    return Grid(("strategy", *(words.metric(n) for n in names)), tuple(rows))


def _computed(data: Data) -> list[tuple[str, str]]:
    splits, gate, costs, fits = (data.get(key) or {} for key in ("splits", "gate", "costs", "fits"))
    cross = "stratified cross-validation, the same rows held out for every candidate"
    rule = (data.get("final") or {}).get("threshold_rule")
    return [
        ("model", str(data.get("model") or "")),
        ("metric that decides", _title(data)),
        ("costs", f"missed positive {costs['fn']:g}, false alarm {costs['fp']:g}" if costs else ""),
        ("splits", f"{splits['repeats']} x {splits['folds']} {cross}" if splits else ""),
        (
            "chosen on the other folds",
            f"regularisation, then the threshold{f' (best {words.metric(rule)})' if rule else ''}; plain has the same freedom as every candidate",
        ),
        ("regularisation", _span(data.get("strengths") or (), (data.get("final") or {}).get("strength"))),
        (
            "intervals",
            f"simultaneous 95 % (max-T), {words.count(data['bootstrap'])} bootstrap draws of rows and the variance between splits"
            if data.get("bootstrap")
            else "",
        ),
        (
            "plain against chance",
            f"{gate['name']} {words.number(gate['value'])}, lower end {words.number(gate['low'])}; chance is {words.number(gate['chance'])}"
            if gate
            else "",
        ),
        ("seed", "" if data.get("seed") is None else str(data["seed"])),
        ("fits", f"{words.count(fits.get('new', 0))} new, {words.count(fits.get('reused', 0))} reused" if fits else ""),
        ("time", "" if data.get("seconds") is None else words.seconds(data["seconds"])),
        ("version", f"steelyard {data['version']}" if data.get("version") else ""),
    ]


def _span(strengths: Sequence[float], final: float | None) -> str:
    if not strengths:
        return ""
    chosen = "" if final is None else f"; {words.amount(final)} for the final model"
    return f"ridge, {len(strengths)} strengths from {words.amount(min(strengths))} to {words.amount(max(strengths))}{chosen}"
