"""report.json as typed objects: what a study found, read once and checked. The only place that knows the keys of the file.

What is absent or null in the file, as in older ones, is None, "" or empty here.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from ..recipe import Recipe
from . import formatting

NAME = "report.json"
FORMAT = "steelyard.report/1"
PLAIN = "plain"
AGAIN = "run `steelyard tune` again to make it whole."


@dataclass(frozen=True)
class Report:
    """A study's answer and its evidence.

    metric       what decides; `title` its name for people, `higher` whether larger values are better
    rule         the metric that the threshold was set for, or ""
    recipe_json  of the recipe to train with, or "" for plain; see `recipe`
    skipped      (name, reason) of what was not compared
    fits         (new, reused), or None
    curves       {arm: what was kept to draw}, plain first
    per_class    {arm: its classes, the rarest first}, for more than two classes
    """

    version: str
    table: "Table"
    positive: str | None
    metric: str
    title: str
    higher: bool
    model: str
    seed: int | None
    splits: "Splits"
    settings: "Settings"
    costs: "Costs"
    capacity: "Capacity"
    bootstrap: int | None
    margin: float | None
    gate: "Gate | None"
    arms: tuple["Arm", ...]
    baselines: tuple["Arm", ...]
    skipped: tuple[tuple[str, str], ...]
    paths: tuple["WeightPath", ...]
    search: "Search | None"
    verdict: "Verdict"
    rule: str
    recipe_json: str
    stopped: "Stopped | None"
    fits: tuple[int, int] | None
    curves: Mapping[str, "Curves"]
    per_class: Mapping[str, tuple["ClassScores", ...]]
    warnings: tuple[str, ...]
    seconds: float | None

    @classmethod
    def from_json(cls, document: str | bytes | Mapping[str, Any]) -> Self:
        """From the text of report.json, or from the plain data in it. ValueError, in one sentence, if it is not JSON, not a report,
        of another format, or has a part of the wrong kind or lacks one that no report is without."""
        if isinstance(document, str | bytes):
            try:
                document = json.loads(document)
            except ValueError as error:
                raise ValueError(f"report: this is not JSON ({error}).") from None
        file = Part(_of_this_format(document))
        metric, higher = file.the_text("metric"), file.flag("metric_higher")
        arms = file.needed("arms", tuple(map(Arm.read, file.parts("arms"))))
        table, verdict = (
            Table.read(file.the_part("data")),
            Verdict.read(file.part("verdict"), [arm.name for arm in arms]),
        )
        fits, final = file.part("fits"), file.part("final")
        return cls(
            version=file.text("version"),
            table=table,
            positive=file.text("positive") if file.has("positive") else None,
            metric=metric,
            title=file.text("metric_title") or formatting.metric(metric),
            higher=formatting.higher(metric) if higher is None else higher,
            model=file.text("model"),
            seed=file.whole("seed"),
            splits=Splits.read(file.part("splits")),
            settings=Settings.read(file),
            costs=Costs.read(file.part("costs")),
            capacity=Capacity.read(file.part("capacity")),
            bootstrap=file.whole("bootstrap"),
            margin=file.number("margin"),
            gate=Gate.read(file.part("gate")),
            arms=arms,
            baselines=tuple(map(Arm.read, file.parts("baselines"))),
            skipped=tuple((one.text("name"), one.text("reason")) for one in file.parts("skipped")),
            paths=tuple(map(WeightPath.read, file.parts("paths"))),
            search=Search.read(file.part("search")),
            verdict=verdict,
            rule=final.text("threshold_rule"),
            recipe_json=_recipe(final, file.parts("arms"), verdict.winner or PLAIN),
            stopped=Stopped.read(file.part("stopped")),
            fits=(fits.whole("new") or 0, fits.whole("reused") or 0) if fits else None,
            curves={name: Curves.read(kept) for name, kept in file.named("curves").items()},
            per_class=_per_class(file.part("per_class")),
            warnings=file.texts("warnings"),
            seconds=file.number("seconds"),
        )

    @property
    def winner(self) -> str | None:
        """The weighting that won; None where plain training stays."""
        return self.verdict.winner

    @property
    def chosen(self) -> str:
        """The arm to train with."""
        return self.winner or PLAIN

    @property
    def plain(self) -> "Arm | None":
        return next((arm for arm in self.arms if arm.name == PLAIN), None)

    @property
    def binary(self) -> bool:
        return self.positive is not None and len(self.table.classes) == 2

    @property
    def finished(self) -> int | None:
        """Repetitions that the numbers are means of."""
        return self.splits.repeats if self.stopped is None or self.stopped.done is None else self.stopped.done

    @property
    def recipe(self) -> Recipe:
        """The recipe to train with: the winner's, or plain. Its classes are named. ValueError if the file holds none."""
        return Recipe.from_json(self.recipe_json) if self.recipe_json else Recipe(classes=self.table.classes or None)


def read(where: str | os.PathLike[str]) -> Report:
    """The report in a folder that `tune` wrote, or in its report.json. ValueError for anything else."""
    path = Path(where)
    path = path / NAME if path.is_dir() else path
    if not path.is_file():
        raise ValueError(f"report: there is no {NAME} in {where}; `steelyard tune ... --out {where}` writes one.")
    try:
        return Report.from_json(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{error} File: {path}.") from None


def _of_this_format(document: Any) -> Mapping[str, Any]:
    name = document.get("format") if isinstance(document, Mapping) else None
    if name == FORMAT:
        return document
    kind, _, ours = FORMAT.partition("/")
    if match := re.fullmatch(re.escape(kind) + r"/(\d+)", str(name)):
        age = "a newer" if int(match[1]) > int(ours) else "an older"
        raise ValueError(
            f"report: this file is {name}, as {age} steelyard writes it, and this one reads {FORMAT}; open it with that steelyard,"
            " or run `steelyard tune` again."
        )
    why = f"its format is {name!r}" if name else "it has no format"
    raise ValueError(f"report: this is not a {FORMAT} file ({why}); `steelyard tune` writes one as {NAME}.")


NUMBER, TEXT = (int, float), (str, int, float)  # a class or a column may be called 1


@dataclass(frozen=True)
class Part:
    """A JSON object that is being read, and where it stands in the file. ValueError, with the place, for what is of the wrong
    kind; `the_...` for what is absent, too."""

    values: Mapping[str, Any]
    where: str = ""

    def __bool__(self) -> bool:
        return bool(self.values)

    def has(self, key: str) -> bool:
        return self.values.get(key) is not None

    def number(self, key: str) -> float | None:
        return self._one(key, NUMBER, "a number")

    def the_number(self, key: str) -> float:
        return self.needed(key, self.number(key))

    def whole(self, key: str) -> int | None:
        return self._one(key, int, "a whole number")

    def flag(self, key: str) -> bool | None:
        return self._one(key, bool, "true or false")

    def text(self, key: str) -> str:
        value = self._one(key, TEXT, "text")
        return "" if value is None else str(value)

    def the_text(self, key: str) -> str:
        return self.needed(key, self.text(key))

    def part(self, key: str) -> "Part":
        return Part(self._one(key, Mapping, "an object") or {}, f"{self.where}{key}.")

    def the_part(self, key: str) -> "Part":
        return self.needed(key, self.part(key) if self.has(key) else None)

    def parts(self, key: str) -> list["Part"]:
        return [Part(v, f"{self.where}{key}[{i}].") for i, v in enumerate(self._all(key, Mapping, "objects"))]

    def named(self, key: str) -> dict[str, "Part"]:
        return {name: self.part(key).part(name) for name in self.part(key).values}

    def numbers(self, key: str) -> tuple[float, ...]:
        return self._all(key, NUMBER, "numbers")

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(map(str, self._all(key, TEXT, "texts")))

    def rows(self, key: str) -> tuple[tuple[float, ...], ...]:
        return tuple(map(tuple, self._all(key, list, "rows")))

    def needed(self, key: str, value: Any) -> Any:
        """The value that was read for this key."""
        if value is None or value in ("", ()):
            raise ValueError(f"report: {self.where}{key} is missing from this report; {AGAIN}")
        return value

    def _one(self, key: str, kind: Any, what: str) -> Any:
        value = self.values.get(key)
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            raise ValueError(f"report: {self.where}{key} must be {what}, got {value!r:.60}; {AGAIN}")
        return value

    def _all(self, key: str, kind: Any, what: str) -> tuple[Any, ...]:
        values = self._one(key, (list, tuple), f"a list of {what}") or ()
        for value in values:
            if not isinstance(value, kind):
                raise ValueError(f"report: {self.where}{key} must be a list of {what}, got {value!r:.60}; {AGAIN}")
        return tuple(values)


@dataclass(frozen=True)
class Table:
    """What the study was made of. `file` is its name without the folder; `labels` and `everything` are digests, or ""."""

    file: str
    rows: int | None
    columns: int | None
    label: str
    classes: tuple[str, ...]
    per_class: tuple[float, ...]
    labels: str
    everything: str
    notes: tuple[str, ...]

    @classmethod
    def read(cls, part: Part) -> Self:
        path = part.text("path") or "your data"
        return cls(
            file=path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1],
            rows=part.whole("rows"),
            columns=part.whole("columns"),
            label=part.text("label"),
            classes=part.texts("classes"),
            per_class=part.numbers("counts"),
            labels=part.part("digest").text("labels"),
            everything=part.part("digest").text("all"),
            notes=part.texts("notes"),
        )


@dataclass(frozen=True)
class Splits:
    """`kind` is stratified, grouped or time; `by` the column of the groups or of the time, or ""."""

    kind: str
    by: str
    folds: int | None
    repeats: int | None
    judged: int | None

    @classmethod
    def read(cls, part: Part) -> Self:
        numbers = map(part.whole, ("folds", "repeats", "judged"))
        return cls(part.text("kind") or "stratified", part.text("by"), *numbers)


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
class Measured:
    """One metric of one arm; None was not measured. A positive difference is better than plain, whichever way the metric points."""

    value: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def read(cls, part: Part) -> Self:
        return cls(*map(part.number, ("value", "difference", "low", "high")))


@dataclass(frozen=True)
class Arm:
    """A weighting, or a baseline. `equals_plain`: why it is plain by construction, or ""; `note`: what a baseline is, or ""."""

    name: str
    metrics: Mapping[str, Measured]
    equals_plain: str
    note: str

    @classmethod
    def read(cls, part: Part) -> Self:
        metrics = {name: Measured.read(one) for name, one in part.named("metrics").items()}
        return cls(part.the_text("name"), metrics, part.text("equals_plain"), part.text("note"))

    def on(self, metric: str) -> Measured:
        return self.metrics.get(metric, Measured())


class Point(NamedTuple):
    """The deciding metric of an arm whose ingredient has this option at x."""

    x: float
    arm: str
    value: float
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class WeightPath:
    """The deciding metric along one option of an ingredient, x ascending; plain stands at 0."""

    ingredient: str
    parameter: str
    points: tuple[Point, ...]

    @classmethod
    def read(cls, part: Part) -> Self:
        points = [
            Point(x, one.text("arm") or PLAIN, value, *map(one.number, ("difference", "low", "high")))
            for one in part.parts("points")
            if (x := one.number("x")) is not None and (value := one.number("value")) is not None
        ]
        return cls(part.text("ingredient"), part.text("parameter"), tuple(sorted(points, key=lambda point: point.x)))


@dataclass(frozen=True)
class Search:
    """A continuous search around the best arm: how many values were tried, (x, value) of those that could be measured."""

    ingredient: str
    parameter: str
    tried: int
    trials: tuple[tuple[float, float], ...]
    best: float | None

    @classmethod
    def read(cls, part: Part) -> Self | None:
        if not part.parts("trials"):
            return None
        pairs = [(trial.number("x"), trial.number("value")) for trial in part.parts("trials")]
        trials = tuple((x, value) for x, value in pairs if x is not None and value is not None)
        names = part.text("ingredient") or "the best weighting", part.text("parameter") or "parameter"
        return cls(*names, len(pairs), trials, part.number("best"))


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
    """`winner` names a weighting, or is None where plain training stays; `case` is a letter of tuning's decision."""

    case: str
    winner: str | None
    threshold: float | None
    sentence: str
    ties: tuple[str, ...]
    warnings: tuple[str, ...]

    @classmethod
    def read(cls, part: Part, names: list[str]) -> Self:
        winner, sentence = part.text("winner"), part.the_text("sentence")
        if winner and winner not in (PLAIN, *names):
            raise ValueError(f"report: the winner {winner!r} is not among the weightings {', '.join(names)}; {AGAIN}")
        return cls(
            part.text("case"),
            None if winner in ("", PLAIN) else winner,
            part.number("threshold"),
            sentence,
            part.texts("ties"),
            part.texts("remarks"),
        )


class Cut(NamedTuple):
    """Rows by truth and decision when those from this probability on are called; means over repetitions."""

    threshold: float
    tp: float
    fp: float
    fn: float
    tn: float


class Group(NamedTuple):
    """Rows that were given about the same probability: its mean, the share that came true, how many they are."""

    predicted: float
    observed: float
    rows: float


class Scores(NamedTuple):
    """Rows of each class, [k], by log-odds between [k + 1] edges."""

    edges: tuple[float, ...]
    positive: tuple[float, ...]
    negative: tuple[float, ...]


@dataclass(frozen=True)
class Curves:
    """What was kept of one arm to draw.

    cuts         thresholds ascending, two classes only
    reliability  {"before", "after", "recalibrated"}: the undo, and then a recalibration; without what was not kept
    confusion    [truth][decision] in the order of the classes, more than two only
    """

    cuts: tuple[Cut, ...]
    reliability: Mapping[str, tuple[Group, ...]]
    scores: Scores | None
    confusion: tuple[tuple[float, ...], ...]

    @classmethod
    def read(cls, part: Part) -> Self:
        table, scores = part.part("thresholds"), part.part("scores")
        columns = [map(float, table.numbers(key)) for key in Cut._fields]
        groups = {key: part.part("reliability").parts(key) for key in ("before", "after")}
        groups["recalibrated"] = part.parts("recalibrated")
        return cls(
            cuts=tuple(sorted(map(Cut._make, zip(*columns, strict=True)))),
            reliability={
                key: tuple(Group(*map(one.the_number, Group._fields)) for one in kept)
                for key, kept in groups.items()
                if kept
            },
            scores=Scores(*map(scores.numbers, Scores._fields)) if scores else None,
            confusion=part.rows("confusion"),
        )


@dataclass(frozen=True)
class ClassScores:
    """How one of more than two classes fares."""

    name: str
    rows: float
    precision: float | None
    recall: float | None
    f1: float | None

    @classmethod
    def read(cls, part: Part) -> Self:
        rows = part.number("rows") or 0
        return cls(part.the_text("class"), rows, *map(part.number, ("precision", "recall", "f1")))


def _per_class(part: Part) -> dict[str, tuple[ClassScores, ...]]:
    kept = {arm: map(ClassScores.read, part.parts(arm)) for arm in part.values}
    return {arm: classes for arm, one in kept.items() if (classes := tuple(sorted(one, key=lambda c: c.rows)))}


def _recipe(final: Part, arms: list[Part], chosen: str) -> str:
    """JSON of the final recipe, or of the chosen arm's where older reports lack that."""
    recipe = final.part("recipe") or next((arm.part("recipe") for arm in arms if arm.the_text("name") == chosen), None)
    return json.dumps(dict(recipe.values)) if recipe else ""
