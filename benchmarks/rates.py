"""From the answers of many studies to rates: winners, cases, coverage, and what was true."""

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from .generators import GENERATORS

Record = dict[str, Any]


def clopper_pearson(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """The exact binomial interval. Clopper and Pearson 1934, Biometrika 26(4)."""
    from scipy.stats import beta

    low = beta.ppf((1 - level) / 2, hits, trials - hits + 1) if hits else 0.0
    high = beta.ppf((1 + level) / 2, hits + 1, trials - hits) if hits < trials else 1.0
    return float(low), float(high)


def share(hits: Sequence[bool]) -> dict[str, Any] | None:
    """{"rate", "interval", "of"}; None of nothing."""
    if not hits:
        return None
    return {"rate": sum(hits) / len(hits), "interval": list(clopper_pearson(sum(hits), len(hits))), "of": len(hits)}


def summary(records: Sequence[Record]) -> Record:
    """One row of the results: all repeats of one generator and one metric.

    events          mean number of them among the judged rows, where rows are in order of time
    would_win       share of studies whose lower end and gain would make a winner if any number of events were enough
    truth           {arm: [mean gain, its standard error]} over the studies in which it was measured
    winners         share of studies with a winner; `judged` leaves out those refused for too few rows (case E)
    false_winners   winners whose true gain is not above 0; for generators without an effect, where `truth` is measured
    useless         winners whose true gain is below the margin that makes a winner
    coverage        the interval of the best arm holds its true gain; `lower_end` is at most it
    declared, true  mean gain of the winners, as declared and as it is
    """
    first = records[0]
    won = [r for r in records if r["winner"] is not None]
    truth = true_gains(records)
    row: Record = {
        "generator": first["generator"],
        "effect": GENERATORS[first["generator"]].effect,
        "metric": first["metric"],
        "studies": len(records),
        "winners": share([r["winner"] is not None for r in records]),
        "judged": share([r["winner"] is not None for r in records if r["case"] != "E"]),
        "events": statistics.mean(r["events"] for r in records) if first.get("events") is not None else None,
        "would_win": share([would_win(r) for r in records]) if first.get("events") is not None else None,
        "cases": dict(sorted(Counter(r["case"] for r in records).items())),
        "names": dict(Counter(r["winner"] for r in won).most_common()),
        "rare": statistics.mean(r["rare"] for r in records),
        "plain": statistics.mean(r["plain"] for r in records),
        "gain_of_best": statistics.mean(r["arms"][r["best"]][0] for r in records if r["best"]),
        "seconds": [statistics.median(s), len(s)] if (s := [r["seconds"] for r in records if r["seconds"]]) else None,
    }
    if not truth:
        return row
    best = [r for r in records if r["best"] in truth]
    ends = [(r["arms"][r["best"]][1:], truth[r["best"]][0]) for r in best]
    named = max(truth, key=lambda arm: truth[arm][0])
    row |= {
        "truth": truth,
        "true_best": [named, *truth[named]],
        "false_winners": share([r["winner"] in truth and truth[r["winner"]][0] <= 0 for r in records]),
        "useless": share([r["winner"] in truth and truth[r["winner"]][0] < r["margin"] for r in records]),
        "coverage": share([low <= t <= high for (low, high), t in ends]),
        "lower_end": share([low <= t for (low, _), t in ends]),
        "declared": statistics.mean(r["arms"][r["winner"]][0] for r in won) if won else None,
        "true": statistics.mean(truth[r["winner"]][0] for r in won if r["winner"] in truth) if won else None,
    }
    return row


def would_win(record: Record) -> bool:
    margin = record["margin"]
    return record["gate"] and any(gain >= margin and low > 0 for gain, low, _ in record["arms"].values())


def true_gains(records: Sequence[Record]) -> dict[str, list[float]]:
    """{arm: [mean, standard error over fits, fits]}; the error of the one test set comes on top."""
    measured = [r["truth"] for r in records if r["truth"]]
    if len(measured) < 2:
        return {}
    arms = {arm: np.array([m[arm] for m in measured if arm in m]) for arm in measured[0]}
    return {a: [float(g.mean()), float(g.std(ddof=1) / np.sqrt(len(g))), len(g)] for a, g in arms.items() if len(g) > 1}


def table(rows: Sequence[Record]) -> str:
    """Markdown: winners with their interval, what is true of the best arm, and coverage."""
    head = (
        "| tables | metric | studies | winner | 95 % interval | true gain of the best | coverage | lower end holds |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(_line(row) for row in rows)


def _line(row: Record) -> str:
    low, high = row["winners"]["interval"]
    told = f"{100 * row['winners']['rate']:.1f} % | {100 * low:.1f} to {100 * high:.1f} %"
    true = f"{row['true_best'][1]:+.4f} ± {row['true_best'][2]:.4f} ({row['true_best'][0]})" if "truth" in row else ""
    held = [f"{100 * row[k]['rate']:.0f} %" if row.get(k) else "" for k in ("coverage", "lower_end")]
    return f"| {row['generator']} | {row['metric']} | {row['studies']} | {told} | {true} | {held[0]} | {held[1]} |\n"
