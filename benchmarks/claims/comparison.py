"""Eleven ways to treat a long tail, side by side at the same mean weight; and the tuner where there is nothing to find."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

import steelyard as sy
from examples import digits_long_tail as digits

from ..generators import GENERATORS
from ..rates import clopper_pearson
from .claim import Claim, Conclusion, Finding, Record, Table, paired

SEEDS, STUDIES, CHUNK = 12, 8, 4
HONESTY = Path(__file__).parents[1] / "results" / "honesty.json"
NULL = {
    "N1-8": "labels that no feature knows of, 8 % yes",
    "N2": "a logistic truth, 4.5 % yes",
    "N3": "a logistic truth, half yes",
}
WEIGHTS = (
    "inverse_frequency(beta=0.5)",
    "effective_number(beta=0.999)",
    "inverse_frequency",
    "plain, then inverse_frequency from step 320",
)


def units(small: bool) -> list[str]:
    return ["digits", *(f"tuner {k}" for k in range(1 if small else STUDIES // CHUNK))]


def run(unit: str, small: bool) -> Record:
    if unit == "digits":
        found = digits.compare(2 if small else SEEDS)
        return {name: [each.mean(dim=1).tolist(), each[:, 6:].mean(dim=1).tolist()] for name, each in found.items()}
    first = CHUNK * int(unit.split()[1])
    return {
        "winners": [winner(repeat, 300 if small else None) for repeat in range(first, first + (1 if small else CHUNK))]
    }


def winner(repeat: int, rows: int | None) -> str | None:
    """What `sy.tune` with its defaults declares on a table with a logistic truth, where no weighting can help; None: plain training."""
    table = GENERATORS["N2"].sample(1000 + repeat, rows).table()
    study = sy.tune(table, label="y", metric="average_precision", bootstrap=200, seed=repeat)
    return study.verdict.winner


def conclude(records: Mapping[str, Record]) -> Conclusion:
    found = records["digits"]
    plain, moved = np.array(found["plain"][0]), np.array(found[digits.MOVED][0])
    of = f"{len(plain)} seeds"
    findings = [
        paired(
            f"balanced accuracy, a moved threshold minus `{name}`",
            (0, None),
            (moved - np.array(found[name][0])).tolist(),
            of,
        )
        for name in WEIGHTS
    ]
    findings.append(
        paired(
            "`focal(gamma=2)` minus plain", (-0.01, 0.01), (np.array(found["focal(gamma=2)"][0]) - plain).tolist(), of
        )
    )
    findings.append(
        paired(
            "`logit_adjustment` minus plain", (0, None), (np.array(found["logit_adjustment"][0]) - plain).tolist(), of
        )
    )
    for generator, told in NULL.items():
        wins, studies, commits = declared(generator)
        low, high = clopper_pearson(wins, studies)
        findings.append(
            Finding(
                f"studies of the tuner with a winner, {told}",
                (None, 0.05),
                wins / studies,
                (low, high),
                f"{studies} studies ({commits})",
            )
        )
    fresh = [w for unit, f in records.items() if unit.startswith("tuner") for w in f["winners"]]
    rows = [
        [
            f"`{name}`" if "(" in name or "_" in name else name,
            f"{np.mean(a):.3f}",
            f"{np.mean(b):.3f}",
            f"{(np.array(a) - plain).mean():+.3f}",
        ]
        for name, (a, b) in sorted(found.items(), key=lambda item: np.mean(item[1][0]))
    ]
    return Conclusion(
        findings,
        [
            Table(
                f"Long-tailed digits, means over {of}", ("way", "balanced accuracy", "four rarest", "minus plain"), rows
            ),
            Table(
                "The tuner as it is now, on fresh tables with a logistic truth, 4.5 % yes",
                ("studies", "with a winner"),
                [[str(len(fresh)), str(sum(w is not None for w in fresh))]],
            ),
        ],
    )


def declared(generator: str) -> tuple[int, int, str]:
    """Winners and studies of the linear model for average precision in results/honesty.json, over all its commits, and these."""
    rows = [
        r
        for r in json.loads(HONESTY.read_text("utf-8"))["rows"]
        if (r["generator"], r["metric"], r["model"]) == (generator, "average_precision", "linear")
    ]
    wins = sum(round(r["winners"]["rate"] * r["winners"]["of"]) for r in rows)
    commits = ", ".join(dict.fromkeys((r.get("commit") or "")[:8] for r in rows))
    return wins, sum(r["winners"]["of"] for r in rows), commits


CLAIM = Claim(
    name="comparison",
    title="Compared fairly, a moved threshold beats class weights, and where nothing is to be found nothing is",
    says="At the same mean weight and on the same images, moving the threshold of plainly trained nets beats every class weighting on long-tailed digits, and "
    "focal loss does nothing for rare classes; where no weighting can help, the tuner declares a winner in at most one study of twenty.",
    source="Menon et al. 2021, arXiv:2007.07314, for thresholds; the rate is steelyard's own promise ([the tuner](tuner.md)).",
    done="examples/digits_long_tail.py: ten classes of 100 down to 2 images, 70 of each to test, a net with one hidden layer, eleven ways, nothing tuned. "
    "*Tuner*: the studies of [results/honesty.json](../../benchmarks/results/honesty.json), each a call of `sy.tune` on a fresh table for average precision "
    "with a linear model; they took hours and are read, not run again. A few fresh ones show whether the tuner of today still agrees.",
    seeds=f"{SEEDS} draws of the digits; {STUDIES} fresh tables",
    units=units,
    run=run,
    conclude=conclude,
)
