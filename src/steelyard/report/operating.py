"""What a threshold does, for every threshold that was kept: the numbers behind the sliders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import document, formatting
from .document import Data

COST, PER = 1.0, 10_000  # where the sliders stand if the study named neither cost nor capacity


@dataclass(frozen=True)
class Operating:
    """Two classes only. The page's script reads `tables` and moves along them.

    positive  the class that is looked for
    tables    {arm: {"label": [n] thresholds as said, "t": [n], and "tp", "fp", "fn", "tn": [n] whole rows}}, t ascending
    arm, at   the one shown first: the verdict's, at the kept threshold nearest to the verdict's
    ratio     cost of a missed positive in false alarms; capacity = rows that can be checked of `per`, or None
    """

    positive: str
    tables: dict[str, dict[str, list[Any]]]
    arm: str
    at: int
    ratio: float
    capacity: float | None
    per: int

    def to_dict(self) -> dict[str, Any]:
        return {
            "positive": self.positive,
            "tables": self.tables,
            "arm": self.arm,
            "at": self.at,
            "ratio": self.ratio,
            "capacity": self.capacity,
            "per": self.per,
        }

    @property
    def last(self) -> int:
        return len(self.tables[self.arm]["t"]) - 1

    @property
    def label(self) -> str:
        return self.tables[self.arm]["label"][self.at]


def operating(data: Data) -> Operating | None:
    """None where there are more than two classes, or nothing was kept to move along."""
    arm, at = document.winner(data) or document.PLAIN, data["verdict"].get("threshold")
    kept = document.thresholds(data)
    if arm not in kept or at is None or not document.binary(data):
        return None
    tables = {}
    for name, table in kept.items():
        # in this order, as the table without sliders has them: ties of fractions go to what comes first
        rows = [(*whole((fn, tp)), *whole((tn, fp))) for _, tp, fp, fn, tn in table.tolist()]
        fn, tp, tn, fp = (list(column) for column in zip(*rows, strict=True))
        t = table[:, 0].tolist()
        tables[name] = {"label": [formatting.threshold(v) for v in t], "t": t, "tp": tp, "fp": fp, "fn": fn, "tn": tn}
    costs, capacity = document.cost(data), data.get("capacity") or {}
    return Operating(
        positive=str(data["positive"]),
        tables=tables,
        arm=arm,
        at=min(range(len(tables[arm]["t"])), key=lambda i: abs(tables[arm]["t"][i] - at)),
        ratio=costs[0] / costs[1] if costs and costs[1] and costs[0] else COST,
        capacity=capacity.get("rows"),
        per=int(capacity.get("per") or PER),
    )


def whole(row: Sequence[float]) -> list[int]:
    """Means over repetitions as whole rows that keep their sum: what flooring leaves goes to the largest fractions."""
    made = [int(n) for n in row]
    by_fraction = sorted(range(len(row)), key=lambda i: made[i] - row[i])
    for i in by_fraction[: round(sum(row)) - sum(made)]:
        made[i] += 1
    return made
