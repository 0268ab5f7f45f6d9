"""What a report holds of the study itself: its table, its rules, and what it decided."""

from dataclasses import dataclass
from typing import Self

from ..schema import brief
from .evidence import PLAIN
from .part import AGAIN, Part


@dataclass(frozen=True)
class Table:
    """What the study was made of. `file` is its name without the folder; `labels` and `everything` are digests, or ""; `exact`
    are the classes as the data spell them, `classes` as a person can read them (see names.py)."""

    file: str
    rows: int | None
    columns: int | None
    label: str
    classes: tuple[str, ...]
    exact: tuple[str, ...]
    per_class: tuple[float, ...]
    labels: str
    everything: str
    notes: tuple[str, ...]
    weight: "RowWeights | None" = None

    @property
    def masses(self) -> tuple[float, ...]:
        """What the classes count for: their rows, or the weights of these."""
        return self.per_class if self.weight is None else self.weight.masses

    @classmethod
    def read(cls, part: Part, exact: tuple[str, ...]) -> Self:
        path = part.text("path") or "your data"
        return cls(
            file=path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1],
            rows=part.whole("rows"),
            columns=part.whole("columns"),
            label=part.text("label"),
            classes=part.texts("classes"),
            exact=exact,
            per_class=part.numbers("counts"),
            labels=part.part("digest").text("labels"),
            everything=part.part("digest").text("all"),
            notes=part.texts("notes"),
            weight=RowWeights.read(part.part("weight")),
        )


@dataclass(frozen=True)
class RowWeights:
    """The column that says how much each row counts; so many rows of equal weight would vary alike (Kish); and what the classes
    count for, in rows of mean weight. Then all that is counted in rows is a sum of weights."""

    column: str
    effective: float | None
    masses: tuple[float, ...]

    @classmethod
    def read(cls, part: Part) -> Self | None:
        return cls(part.text("column"), part.number("effective"), part.numbers("masses")) if part else None


@dataclass(frozen=True)
class Splits:
    """`kind` is stratified, grouped or time; `by` the column of the groups or of the time, or ""; `group` the column of groups
    that stay whole, also in time; `events` in the judged rows in time."""

    kind: str
    by: str
    folds: int | None
    repeats: int | None
    judged: int | None
    group: str
    events: int | None
    events_of: str

    @classmethod
    def read(cls, part: Part) -> Self:
        events = part.part("events")
        return cls(
            part.text("kind") or "stratified",
            part.text("by"),
            part.whole("folds"),
            part.whole("repeats"),
            part.whole("judged"),
            part.text("group"),
            events.whole("judged") if events else None,
            events.text("class") if events else "",
        )


@dataclass(frozen=True)
class Settings:
    """What was tuned beside the weights: the values that were tried, and that of the final model."""

    name: str
    title: str
    tried: tuple[float, ...]
    final: float | None

    @classmethod
    def read(cls, file: Part) -> Self:
        axis, final = file.part("axis"), file.part("final")
        name = axis.text("name") if axis else "strength"
        return cls(name, axis.text("title") or "regularisation", file.numbers("strengths"), final.number("strength"))


@dataclass(frozen=True)
class Costs:
    """`pair`: of a missed positive and a false alarm, or None; `matrix`: [truth][decision], or empty."""

    pair: tuple[float, float] | None
    matrix: tuple[tuple[float, ...], ...]

    @classmethod
    def read(cls, part: Part) -> Self:
        missed, alarm = part.number("fn"), part.number("fp")
        return cls(None if missed is None or alarm is None else (missed, alarm), part.rows("matrix"))


@dataclass(frozen=True)
class Capacity:
    """`rows` of every `per` can be checked; None where the study named no number."""

    rows: float | None
    per: float

    @classmethod
    def read(cls, part: Part) -> Self:
        return cls(part.number("rows"), part.number("per") or 10_000)


@dataclass(frozen=True)
class Gate:
    """Plain training against chance."""

    name: str
    value: float
    low: float
    chance: float

    @classmethod
    def read(cls, part: Part) -> Self | None:
        numbers = [part.number(key) for key in ("value", "low", "chance")]
        return cls(part.text("name"), *(n for n in numbers if n is not None)) if None not in numbers else None


@dataclass(frozen=True)
class Stopped:
    """`why` is budget or interrupted; repetitions done and planned."""

    why: str
    done: int | None
    planned: int | None

    @classmethod
    def read(cls, part: Part) -> Self | None:
        return cls(part.text("why"), part.whole("repeats_done"), part.whole("repeats_planned")) if part else None


@dataclass(frozen=True)
class Verdict:
    """`winner` names a weighting, or is None where plain training stays; `case` is a letter of tuning's decision;
    `headline` is "" in older reports. `factors`: what the probabilities of more than two classes are divided by before the largest
    decides; older reports have a `threshold` there, tau of a prior shift."""

    case: str
    winner: str | None
    threshold: float | None
    factors: tuple[float, ...]
    sentence: str
    headline: str
    ties: tuple[str, ...]
    warnings: tuple[str, ...]

    @classmethod
    def read(cls, part: Part, names: list[str]) -> Self:
        winner, sentence = part.text("winner"), part.text("sentence")
        if winner and winner not in (PLAIN, *names):
            raise ValueError(
                f"report: the winner {brief(winner)} is not among the weightings {', '.join(names[:8])}; {AGAIN}."
            )
        return cls(
            part.text("case"),
            None if winner in ("", PLAIN) else winner,
            part.number("threshold"),
            part.numbers("factors"),
            sentence,
            part.text("headline"),
            part.texts("ties"),
            part.texts("remarks"),
        )
