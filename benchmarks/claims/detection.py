"""Weights in small detectors, read off the results of examples/detection: nothing is trained here."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from .claim import Claim, Conclusion, Finding, Record, Table

RESULTS = Path(__file__).parents[2] / "examples" / "detection" / "results.json"
WAYS = ("class frequency", "log-scaled", "focal")
MARGINAL = -0.02
MEASURES = ("recall Platelets", "recall RBC", "AP Platelets", "AP RBC")


def units(small: bool) -> list[str]:
    told = json.dumps(results(), sort_keys=True).encode()
    return [f"results {hashlib.sha256(told).hexdigest()[:12]}"]  # other results are another unit


def run(unit: str, small: bool) -> Record:
    return results()


def results() -> Record:
    """Of each net: seeds, means, and differences to plain as [difference, low, high]; no difference where one seed was trained."""
    found = json.loads(RESULTS.read_text("utf-8"))
    return {"about": {"images": found["about"]["images"]}, "nets": found["compared"]}


def conclude(records: Mapping[str, Record]) -> Conclusion:
    findings, tables = [], []
    (read,) = records.values()
    for net, found in read["nets"].items():
        means, apart = found["means"], found["minus plain"]
        of = f"{found['seeds']} seed{'s' * (found['seeds'] > 1)} and {read['about']['images']['test']} images"
        for way in WAYS:
            for measure, claimed, what in (
                ("recall Platelets", (0.0, None), "recall of platelets (7 % of the boxes)"),
                ("recall RBC", (MARGINAL, None), "recall of red cells (85 %)"),
            ):
                name = f"{net}: {what}, {way} minus plain"
                if way in apart:
                    d, low, high = apart[way][measure]
                    findings.append(Finding(name, claimed, d, (low, high), of))
                else:
                    findings.append(Finding(name, claimed, means[way][measure] - means["plain"][measure], None, of))
        rows = [[arm, *(told(means[arm][m], apart.get(arm, {}).get(m)) for m in MEASURES)] for arm in means]
        tables.append(
            Table(f"{net}, {of}: mean, and in brackets the difference from plain", ("weights", *MEASURES), rows)
        )
    return Conclusion(findings, tables)


def told(mean: float, apart: list[float] | None) -> str:
    return f"{mean:.3f}" + ("" if apart is None else f" ({apart[0]:+.3f}; {apart[1]:+.3f} to {apart[2]:+.3f})")


CLAIM = Claim(
    name="detection",
    title="Weights in detectors: the rare class gains, the common one hardly loses",
    says="In detectors like SSD and YOLO, weights by class frequency, log-scaled weights or focal loss raise the recall of the rare class while the common "
    "one loses at most two points of its own.",
    source="A widely copied article on weighted cross-entropy (“significantly boosts minority class recall while marginally affecting majority class "
    "performance”); what is marginal it does not say, and two points is our reading. Phan and Yamamoto 2020, arXiv:2006.01413, compare such weights "
    "in one detector.",
    done="Read off [examples/detection](../../examples/detection/README.md), which trains a small SSD and a nano YOLO on photographs of blood cells; "
    "nothing is trained anew here. Recall is that under one cut for all classes, with one false box per image. Intervals are of a paired bootstrap over "
    "seeds and test images.",
    seeds="those of the results that are read",
    units=units,
    run=run,
    conclude=conclude,
)
