"""docs/evidence/tuner_rates.md: how often the tuner is wrong, read off benchmarks/results/honesty.json. Loaded by build_tables.py."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from speed_page import RESULTS, folded

Row = dict[str, Any]

# {name in the results: what such a table is}; 1,500 rows and five features where nothing else is said
NOTHING = {
    "N1-8": "labels of 8 % that have nothing to do with the features",
    "N1-2": "the same with 2 %",
    "N2": "4.5 % positives, their log-odds a line in the features: plain training is the right model",
    "N2-few": "the same with 1.4 %, some 20 positives",
    "N2-weak": "the same with a weak signal",
    "N3": "the same with even classes",
    "C0": "three classes of 86, 8 and 6 %, a softmax of lines",
    "C0-7": "seven classes, the rarest 2 %, a softmax of lines",
    "C0-20": "twenty classes, 3,000 rows",
    "W0": "rows with weights that are chance",
    "W1": "rows with weights that follow a feature",
    "X0": "texts, log-odds a sum over their words",
    "T0": "rows in order of time whose features drift and whose rule does not",
    "G0": "rows in groups that share features and labels, without a signal",
}
SOMETHING = {
    "H1": "a large effect: 1 % of the rows are negatives far out on the positives' side, which flatten an unweighted line",
    "H2": "positives of two kinds, no line ranks both",
    "H3": "a small effect: half as many of those rows, half as far out",
    "C1": "three classes, with far rows of the common one",
    "C1-7": "seven classes, the same",
    "C1-20": "twenty classes, the same",
}
METRICS = {
    "average_precision": "average precision",
    "roc_auc": "ROC AUC",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "macro_f1": "macro F1",
    "expected_cost": "expected cost",
    "expected_cost_20": "expected cost, a miss 20 alarms",
    "expected_cost_matrix": "expected cost of a matrix",
    "log_loss": "log loss",
}
MODELS = {
    "linear": "linear models",
    "mlp": "networks",
    "lightgbm": "LightGBM",
    "boosting": "scikit-learn's boosted trees",
}

TEXT = """
# How often the tuner is wrong

`python3 run.py bench honesty` makes tables whose truth is known, gives each a whole study as shipped, and counts. A table of a kind where
weights cannot help has a *false winner* if one is declared; the interval aims at 2.5 % or less. What the counts leave open, as exact 95 %
intervals: 0 of 200 a rate of up to 1.8 %, 0 of 100 up to 3.6 %, 0 of 12 up to 26 %, 0 of 1 nothing at all; 3 of 200 is 0.3 to 4.3 %. [How the tuner decides](tuner.md) is the method,
[the results file](../../benchmarks/results/honesty.json) has every row with its commit, its CPU and its packages.

Where a kind was measured more than once, the largest run stands here, which is often not the newest; all of them stand [at the
end](#every-row) with their commits.

## Nothing to find

"""
FOUND = """
## Something to find

How often a winner was declared where some weighting helps. *True gain* is that of the best weighting, on
fresh data, over those studies in which it was looked at.

"""
EVENTS = """
## Few events, many rows

Rows in order of time, in stretches of 200 that share a label and look alike: what counts as evidence is the events, the stretches of positives. Weights
cannot help here. Had the verdict been given whatever their number, this is how many studies would have had a winner (three metrics
each, which are not independent):

| events in the table | in the judged blocks | would have had a winner | as shipped, with 20 events asked for |
|---|---|---|---|
"""


def page(note: str) -> str:
    rows = json.loads((RESULTS / "honesty.json").read_text("utf-8"))["rows"]
    for what, said in (("generator", {*NOTHING, *SOMETHING}), ("metric", METRICS.keys()), ("model", MODELS.keys())):
        if unknown := {r[what] for r in rows if what != "generator" or not _is_events(r)} - said:
            raise ValueError(f"rates_page: say what the {what} {', '.join(sorted(unknown))} is.")
    plain = [r for r in rows if not _is_events(r)]
    text = note + "\n" + TEXT + _of_models(plain, NOTHING) + _total(plain)
    text += FOUND + _of_models(plain, SOMETHING, gain=True) + _intervals(plain)
    text += _events([r for r in rows if _is_events(r)])
    return text + "\n## Every row\n\n" + folded(f"All {len(rows)} rows of the results", _all(rows)).rstrip() + "\n"


def _is_events(row: Row) -> bool:
    return row["generator"].startswith("E")


def _of_models(rows: list[Row], kinds: dict[str, str], *, gain: bool = False) -> str:
    text = ""
    for model, name in MODELS.items():
        mine = [r for r in rows if r["model"] == model and r["generator"] in kinds]
        if mine:
            text += (
                f"### {name[:1].upper()}{name[1:]}\n\n"
                + (_table(mine, kinds) if gain else _crossed(mine, kinds))
                + "\n"
            )
    return text


def _crossed(rows: list[Row], kinds: dict[str, str]) -> str:
    """Kinds by metrics; the intervals are below, and hang on the numbers of tables alone."""
    metrics = {m: title for m, title in METRICS.items() if any(r["metric"] == m for r in rows)}
    text = f"| winners in tables of | {' | '.join(metrics.values())} |\n|---|{'---|' * len(metrics)}\n"
    for kind, meaning in kinds.items():
        found = [_largest(r for r in rows if (r["generator"], r["metric"]) == (kind, m)) for m in metrics]
        if any(found):
            text += f"| {meaning} | {' | '.join(rate(f['winners'], short=True) if f else '' for f in found)} |\n"
    return text


def _table(rows: list[Row], kinds: dict[str, str]) -> str:
    text = "| a table | metric | winners | true gain |\n|---|---|---|---|\n"
    for kind, meaning in kinds.items():
        said = meaning
        for metric, title in METRICS.items():
            asked = [r for r in rows if (r["generator"], r["metric"]) == (kind, metric)]
            found, known = _largest(asked), _largest(r for r in asked if r.get("true_best"))
            if found is not None:
                best = f"{known['true_best'][1]:.3f}" if known else ""
                text += f"| {said} | {title} | {rate(found['winners'])} | {best} |\n"
                said = ""
    return text


def _largest(rows: Iterable[Row]) -> Row | None:
    found = list(rows)
    return max(reversed(found), key=lambda r: r["winners"]["of"]) if found else None


def rate(share: dict[str, Any], *, short: bool = False) -> str:
    hits, (low, high) = round(share["rate"] * share["of"]), share["interval"]
    if short:
        return f"{hits}\u00a0of\u00a0{share['of']}"
    ends = (
        f"at most {high:.1%}"
        if not hits
        else f"at least {low:.0%}"
        if hits == share["of"]
        else f"{low:.1%} to {high:.1%}"
    )
    return f"{hits} of {share['of']} ({ends})".replace("%", " %")


def _total(rows: list[Row]) -> str:
    """Over all kinds of the largest runs, by the metrics that most kinds were measured by."""
    text = "False winners of linear models over all kinds with two classes: "
    told = []
    for metric in ("average_precision", "roc_auc", "balanced_accuracy"):
        found = [
            r
            for kind in NOTHING
            if (r := _largest(r for r in rows if (r["model"], r["generator"], r["metric"]) == ("linear", kind, metric)))
        ]
        two = [r["winners"] for r in found if not r["generator"].startswith("C")]
        if two:
            hits, of = sum(round(s["rate"] * s["of"]) for s in two), sum(s["of"] for s in two)
            told.append(f"{hits} in {of:,} tables by {METRICS[metric]}")
    return text + ", ".join(told) + ".\n"


def _intervals(rows: list[Row]) -> str:
    """How often the 95 % interval of the best weighting held its true gain."""
    held = [r for r in rows if r.get("coverage") and r["coverage"]["of"] >= 40]
    if not held:
        return ""
    return (
        "## The interval beside the name\n\n"
        f"The 95 % interval of the best weighting held its true gain in {_span(held, 'coverage')} of the studies, over the "
        f"{len(held)} runs of 40 tables or more in which the truth was measured. Its lower end, which carries the claim, held in "
        f"{_span(held, 'lower_end')}.\n"
    )


def _span(rows: list[Row], of: str) -> str:
    found = sorted(r[of]["rate"] for r in rows if r.get(of))
    return f"{found[0]:.0%} to {found[-1]:.0%}".replace("%", " %")


def _events(rows: list[Row]) -> str:
    if not rows:
        return ""
    text = EVENTS
    for kind in sorted({r["generator"] for r in rows}, key=lambda k: int(k[1:])):
        mine = [r for r in rows if r["generator"] == kind]
        counted = [r["would_win"] for r in mine if r.get("would_win")]
        hits, of = _sum(counted)
        shipped, tables = _sum([r["winners"] for r in mine])
        judged = max(r["events"] for r in mine if r["events"] is not None)
        told = f"{shipped} of {tables}" if judged >= 20 else "no verdict"
        text += f"| {kind[1:]} | {judged:.0f} | {hits} of {of} | {told} |\n"
    return text


def _sum(shares: list[dict[str, Any]]) -> tuple[int, int]:
    return sum(round(s["rate"] * s["of"]) for s in shares), sum(s["of"] for s in shares)


def _all(rows: list[Row]) -> str:
    text = "| model | kind | metric | winners | interval held | commit |\n|---|---|---|---|---|---|\n"
    meaning: Callable[[str], str] = lambda k: {**NOTHING, **SOMETHING}.get(k, f"{k[1:]} events")  # noqa: E731
    for r in rows:
        held = f"{r['coverage']['rate']:.0%}".replace("%", " %") if r.get("coverage") else ""
        text += f"| {MODELS[r['model']]} | {r['generator']}: {meaning(r['generator'])} | {METRICS[r['metric']]} |"
        text += f" {rate(r['winners'])} | {held} | {r['commit'][:8]} |\n"
    return text
