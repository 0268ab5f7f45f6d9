"""How the numbers were computed, as terms and what is said about them."""

from collections.abc import Sequence

from . import document, formatting
from .document import Data


def computed(data: Data) -> list[tuple[str, str]]:
    """(term, what is said), without the terms about which an older report says nothing."""
    gate, fits = (data.get(key) or {} for key in ("gate", "fits"))
    final = data.get("final") or {}
    rule = final.get("threshold_rule")
    found = [
        ("model", str(data.get("model") or "")),
        ("metric that decides", title(data)),
        ("costs", _costs(data)),
        ("capacity", _capacity(data)),
        ("splits", _splits(data)),
        (
            "chosen on the other folds",
            f"{_axis(data)}, then the threshold{f' ({formatting.best(rule)})' if rule else ''}; plain has the same freedom as every candidate",
        ),
        (_axis(data), _span(data, data.get("strengths") or (), final.get("strength"))),
        ("continuous search", _search(data)),
        (
            "intervals",
            f"simultaneous 95 % (max-T), {formatting.count(data['bootstrap'])} bootstrap draws of {_drawn(data)}"
            if data.get("bootstrap")
            else "",
        ),
        (
            "plain against chance",
            f"{gate['name']} {formatting.number(gate['value'])}, lower end {formatting.number(gate['low'])}; chance is {formatting.number(gate['chance'])}"
            if all(gate.get(k) is not None for k in ("name", "value", "low", "chance"))
            else "",
        ),
        ("left out", _skipped(data)),
        ("stopped early", stopped(data)),
        ("seed", "" if data.get("seed") is None else str(data["seed"])),
        (
            "fits",
            f"{formatting.count(fits.get('new', 0))} new, {formatting.count(fits.get('reused', 0))} reused"
            if fits
            else "",
        ),
        ("time", "" if data.get("seconds") is None else formatting.seconds(data["seconds"])),
        ("version", f"steelyard {data['version']}" if data.get("version") else ""),
    ]
    return [(term, said) for term, said in found if said]


def title(data: Data) -> str:
    return str(data.get("metric_title") or formatting.metric(data["metric"]))


def stopped(data: Data) -> str:
    """Why a study ended before its last repetition, or ""."""
    found = data.get("stopped")
    if not found:
        return ""
    why = {"budget": "the budget was spent", "interrupted": "it was interrupted"}.get(str(found.get("why")), "")
    done, planned = found.get("repeats_done"), found.get("repeats_planned")
    far = f"{done} of {planned} repetitions were finished" if done is not None and planned is not None else ""
    return "; ".join(part for part in (why, far) if part) or "before all fits were done"


def _splits(data: Data) -> str:
    splits = data.get("splits") or {}
    repeats, folds, by = splits.get("repeats"), splits.get("folds"), splits.get("by")
    if repeats is None or folds is None:
        return ""
    judged = f"; {formatting.count(splits['judged'])} rows judged" if splits.get("judged") is not None else ""
    same = "the same rows held out for every candidate"
    column = f" in column {formatting.quote(by)}" if by else ""
    if splits.get("kind") == "time":
        return (
            f"{formatting.plural(folds, 'test block')} in the order of time{column}, each after all it was trained on;"
            f" {same}{judged}"
        )
    if splits.get("kind") == "grouped":
        return f"{repeats} x {folds} cross-validation that keeps groups{column} whole, {same}{judged}"
    return f"{repeats} x {folds} stratified cross-validation, {same}{judged}"


def _drawn(data: Data) -> str:
    kind = (data.get("splits") or {}).get("kind")
    if kind == "time":
        return "blocks of consecutive rows, or the variance between test blocks if that is larger"
    return f"{'whole groups' if kind == 'grouped' else 'rows'} and the variance between splits"


def _costs(data: Data) -> str:
    pair, matrix = document.cost(data), (data.get("costs") or {}).get("matrix")
    if pair:
        return f"missed positive {pair[0]:g}, false alarm {pair[1]:g}"
    if not matrix:
        return ""
    names = document.classes(data) or tuple(map(str, range(len(matrix))))
    if len(matrix) > 12:
        return f"a matrix of {len(matrix)} x {len(matrix)} classes"
    rows = [
        f"{formatting.quote(names[i])} called {formatting.quote(names[j])} {value:g}"
        for i, row in enumerate(matrix)
        for j, value in enumerate(row)
        if value
    ]
    return ", ".join(rows)


def _capacity(data: Data) -> str:
    found = data.get("capacity") or {}
    if found.get("rows") is None:
        return ""
    return f"{formatting.count(found['rows'])} of {formatting.count(found.get('per') or 10_000)} rows can be checked"


def _axis(data: Data) -> str:
    return str((data.get("axis") or {}).get("title") or "regularisation")


def _span(data: Data, settings: Sequence[float], final: float | None) -> str:
    if not settings:
        return ""
    chosen = "" if final is None else f"; {formatting.amount(final)} for the final model"
    tried = f"from {formatting.amount(min(settings))} to {formatting.amount(max(settings))}"
    if not data.get("axis") or data["axis"].get("name") == "strength":
        return f"ridge, {len(settings)} strengths {tried}{chosen}"
    if len(settings) == 1:
        return f"{formatting.amount(settings[0])}, not searched"
    return f"{len(settings)} settings {tried}{chosen}"


def _search(data: Data) -> str:
    found = data.get("search") or {}
    if not found.get("trials"):
        return ""
    best = f"; best at {formatting.amount(found['best'])}" if found.get("best") is not None else ""
    n = formatting.plural(len(found["trials"]), "trial")
    return f"{found.get('parameter') or 'parameter'} of {found.get('ingredient') or 'the best strategy'}, {n}{best}"


def _skipped(data: Data) -> str:
    return "; ".join(f"{one.get('name')}: {one.get('reason')}" for one in document.many(data, "skipped"))
