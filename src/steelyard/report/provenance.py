"""How the numbers were computed, as terms and what is said about them."""

from . import formatting
from .document import Report

STOPS = {
    "budget": "the budget was spent",
    "interrupted": "it was interrupted",
    "terminated": "it was told to end (SIGTERM)",
}


def provenance(report: Report) -> list[tuple[str, str]]:
    """(term, what is said), without the terms about which an older report says nothing."""
    rule = f" ({formatting.best(report.rule)})" if report.rule else ""
    title = report.settings.title
    terms = [
        ("model", report.model),
        ("metric that decides", report.title),
        ("row weights", _weights(report)),
        ("costs", _costs(report)),
        ("capacity", _capacity(report)),
        ("splits", _splits(report)),
        (
            "chosen on the other folds",
            f"{title}, then the threshold{rule}; plain has the same freedom as every weighting",
        ),
        (title, _settings(report)),
        ("continuous search", _search(report)),
        ("intervals", _intervals(report)),
        ("plain against chance", _gate(report)),
        ("left out", "; ".join(f"{name}: {reason}" for name, reason in report.skipped)),
        ("stopped early", stopped(report)),
        ("seed", "" if report.seed is None else str(report.seed)),
        ("fits", "{:,} new, {:,} reused".format(*report.fits) if report.fits else ""),
        ("time", "" if report.seconds is None else formatting.seconds(report.seconds)),
        ("version", f"steelyard {report.version}" if report.version else ""),
    ]
    return [(term, said) for term, said in terms if said]


def stopped(report: Report) -> str:
    """Why a study ended before its last repetition, or ""."""
    stop = report.stopped
    if stop is None:
        return ""
    known = stop.done is not None and stop.planned is not None
    far = f"{stop.done} of {stop.planned} repetitions were finished" if known else ""
    if known and stop.done == stop.planned:
        far = "all fits were finished"
    return "; ".join(part for part in (STOPS.get(stop.why, ""), far) if part) or "before all fits were done"


def _splits(report: Report) -> str:
    splits = report.splits
    if splits.repeats is None or splits.folds is None:
        return ""
    judged = f"; {formatting.count(splits.judged)} rows judged" if splits.judged is not None else ""
    same = "the same rows held out for every weighting"
    column = _column(splits.by)
    if splits.kind == "time":
        held = ", a test block or the part of one that some groups have" if splits.group else ""
        apart = f" and of other groups{_column(splits.group)}" if splits.group else ""
        events = (
            f", {formatting.plural(splits.events, 'event')} of class {formatting.quote(splits.events_of)} among them"
            if splits.events is not None
            else ""
        )
        return (
            f"{formatting.plural(splits.folds, 'fold' if splits.group else 'test block')}{held} in the order of time{column}, each"
            f" after all it was trained on{apart}; {same}{judged}{events}"
        )
    times = f"{splits.repeats} x {splits.folds}"
    if splits.kind == "grouped":
        return f"{times} cross-validation that keeps groups{column} whole, {same}{judged}"
    return f"{times} stratified cross-validation, {same}{judged}"


def _column(name: str) -> str:
    return f" in column {formatting.quote(name)}" if name else ""


def _weights(report: Report) -> str:
    weight = report.table.weight
    if weight is None:
        return ""
    effective = (
        f"; the rows vary as {formatting.count(weight.effective)} of equal weight (Kish)" if weight.effective else ""
    )
    return (
        f"column {formatting.quote(weight.column)}, in fits, class shares, choices and metrics, scaled to mean 1: numbers of rows are"
        f" sums of weights{effective}; a row that the bootstrap draws brings its weight"
    )


def _intervals(report: Report) -> str:
    if not report.bootstrap:
        return ""
    rows = "whole groups" if report.splits.kind == "grouped" else "rows"
    drawn = f"{rows} and the variance between splits"
    if report.splits.repeats in (1, 2):
        drawn = f"{rows} and the variance between folds, as so few repetitions show none between splits"
    if report.splits.kind == "time":
        whole = "whole groups" if report.splits.group else "stretches of time that hold whole events"
        drawn = f"{whole}, or the variance between test blocks if that is larger"
    return f"simultaneous 95 % (max-T), {formatting.count(report.bootstrap)} bootstrap draws of {drawn}"


def _gate(report: Report) -> str:
    gate = report.gate
    if gate is None:
        return ""
    value, low, chance = map(formatting.number, (gate.value, gate.low, gate.chance))
    return f"{gate.name} {value}, lower end {low}; chance is {chance}"


def _costs(report: Report) -> str:
    pair, matrix = report.costs.pair, report.costs.matrix
    if pair:
        return f"missed positive {pair[0]:g}, false alarm {pair[1]:g}"
    if len(matrix) > 12:
        return f"a matrix of {len(matrix)} x {len(matrix)} classes"
    names = [formatting.quote(name) for name in report.table.classes or range(len(matrix))]
    return ", ".join(
        f"{names[i]} called {names[j]} {value:g}"
        for i, row in enumerate(matrix)
        for j, value in enumerate(row)
        if value
    )


def _capacity(report: Report) -> str:
    if report.capacity.rows is None:
        return ""
    return f"{formatting.count(report.capacity.rows)} of {formatting.count(report.capacity.per)} rows can be checked"


def _settings(report: Report) -> str:
    tried, final = report.settings.tried, report.settings.final
    if not tried:
        return ""
    chosen = "" if final is None else f"; {formatting.amount(final)} for the final model"
    span = f"from {formatting.amount(min(tried))} to {formatting.amount(max(tried))}"
    if report.settings.name == "strength":
        return f"ridge, {len(tried)} strengths {span}{chosen}"
    if len(tried) == 1:
        return f"{formatting.amount(tried[0])}, not searched"
    return f"{len(tried)} settings {span}{chosen}"


def _search(report: Report) -> str:
    search = report.search
    if search is None:
        return ""
    best = f"; best at {formatting.amount(search.best)}" if search.best is not None else ""
    return f"{search.parameter} of {search.ingredient}, {formatting.plural(search.tried, 'trial')}{best}"
