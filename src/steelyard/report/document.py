"""report.json as one typed object: what a study found, read once. Its form is declared in form.py; here, in facts.py, in evidence.py
and nowhere else are its keys read, with part.py.

What is absent or null in the file, as in older ones, is None, "" or empty here. Texts are as a person can read them (names.py);
only the recipe and `Table.exact` keep the names of the data.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ..class_order import at_places
from ..recipe import Recipe
from ..schema import brief, checked, parsed
from . import formatting
from .evidence import PLAIN, Arm, ClassScores, Curves, Priced, Sampled, Search, WeightPath, by_arm
from .facts import Capacity, Costs, Gate, Settings, Splits, Stopped, Table, Verdict
from .form import REPORT
from .names import shown
from .part import AGAIN, Part

NAME = "report.json"
FORMAT = "steelyard.report/1"


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
    made, command   when and by what command line, or ""
    sampled      {arm: decisions that its cuts can be moved along}, for more than two classes
    priced       what a missed positive may cost and the cut that this asks for, where no costs were named
    """

    version: str
    table: Table
    positive: str | None
    metric: str
    title: str
    higher: bool
    model: str
    seed: int | None
    splits: Splits
    settings: Settings
    costs: Costs
    capacity: Capacity
    bootstrap: int | None
    margin: float | None
    gate: Gate | None
    arms: tuple[Arm, ...]
    baselines: tuple[Arm, ...]
    skipped: tuple[tuple[str, str], ...]
    paths: tuple[WeightPath, ...]
    search: Search | None
    verdict: Verdict
    rule: str
    recipe_json: str
    stopped: Stopped | None
    fits: tuple[int, int] | None
    curves: Mapping[str, Curves]
    per_class: Mapping[str, tuple[ClassScores, ...]]
    warnings: tuple[str, ...]
    seconds: float | None
    priced: tuple[Priced, ...] = ()
    made: str = ""
    command: str = ""
    sampled: Mapping[str, Sampled] = field(default_factory=dict)

    @classmethod
    def from_json(cls, document: str | bytes | Mapping[str, Any]) -> Self:
        """From the text of report.json, or from the plain data in it. ValueError, in one sentence, if it is not JSON, not a report,
        of another format, or has a part of the wrong kind or lacks one that no report is without."""
        if isinstance(document, str | bytes):
            try:
                document = parsed(document)
            except ValueError as error:
                raise ValueError(f"report: this is not JSON ({error}).") from None
        try:
            made = cls._of(checked("report", _of_this_format(document), REPORT, AGAIN))
        except RecursionError:  # in what stands beside the parts that are read
            raise ValueError(f"report: it is nested too deep; {AGAIN}.") from None
        if wrong := _disagreement(made):
            raise ValueError(f"report: {wrong}; {AGAIN}.")
        return made

    @classmethod
    def _of(cls, document: Mapping[str, Any]) -> Self:
        exact = Part(document)  # for what a program reads: recipes, and names in code
        file = Part(shown(exact.values))
        metric, higher = file.text("metric"), file.flag("metric_higher")
        arms = tuple(
            Arm.read(one, _json_of(own)) for one, own in zip(file.parts("arms"), exact.parts("arms"), strict=True)
        )
        table, verdict = (
            Table.read(file.part("data"), exact.part("data").texts("classes")),
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
            recipe_json=_recipe(exact, arms, verdict.winner or PLAIN),
            stopped=Stopped.read(file.part("stopped")),
            fits=(fits.whole("new") or 0, fits.whole("reused") or 0) if fits else None,
            curves={name: Curves.read(kept) for name, kept in file.named("curves").items()},
            per_class=by_arm(file.part("per_class")),
            warnings=file.texts("warnings"),
            seconds=file.number("seconds"),
            made=file.text("made"),
            command=file.text("command"),
            sampled={
                name: Sampled.read(kept)  # exact: what stands for numbers is no name, and not to be cut
                for name, kept in zip(file.named("sampled"), exact.named("sampled").values(), strict=True)
                if kept
            },
            priced=tuple(Priced(*map(one.the_number, Priced._fields)) for one in file.parts("priced")),
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
    def plain(self) -> Arm | None:
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
        """The recipe to train with: the winner's, or plain. Its classes are named; 0 and 1 stand at those places.
        ValueError if the file's is none."""
        if not self.recipe_json:
            return at_places(Recipe(classes=self.table.exact or None))
        try:
            return at_places(Recipe.from_json(self.recipe_json))
        except ValueError as error:
            said = str(error).partition("; save one with")[0].rstrip(".")
            raise ValueError(f"report: its recipe cannot be read ({said}); {AGAIN}.") from None


def read(where: str | os.PathLike[str]) -> Report:
    """The report in a folder that `tune` wrote, or in its report.json. ValueError for anything else."""
    path = Path(where)
    path = path / NAME if path.is_dir() else path
    if not path.is_file() and path.with_name("study.db").is_file():
        raise ValueError(
            f"report: {where} holds the fits of a study, and no answer; the same command again writes it, or in Python"
            " study.report(folder)."
        )
    if not path.is_file():
        raise ValueError(f"report: there is no {NAME} in {where}; `steelyard tune ... --out {where}` writes one.")
    try:
        made = Report.from_json(path.read_bytes())
        _ = made.recipe  # one that cannot be read is said here, with the file
        return made
    except ValueError as error:
        raise ValueError(f"{error} File: {path}.") from None


def _disagreement(report: Report) -> str:
    """What is of another number of classes than the data, or ""."""
    table = report.table
    many = len(table.classes)
    if len(set(table.classes)) < many:
        return "data.classes names a class twice"
    sizes = {"data.counts": [len(table.per_class)], "costs.matrix": _sides(report.costs.matrix)}
    sizes["data.weight.masses"] = [] if table.weight is None else [len(table.weight.masses)]
    sizes |= {f"curves.{brief(name)}.confusion": _sides(one.confusion) for name, one in report.curves.items()}
    for place, found in sizes.items():
        if any(size not in (0, many) for size in found):
            return f"{place} is of {max(found)} classes, and data.classes of {many}"
    for name, one in report.curves.items():
        if one.scores and {len(one.scores.positive), len(one.scores.negative)} != {len(one.scores.edges) - 1}:
            return f"curves.{brief(name)}.scores has not one edge more than rows"
    for name, sample in report.sampled.items():
        if why := sample.misfit(many):
            return f"sampled.{brief(name)}.{why}"
    return ""


def _sides(matrix: Sequence[Sequence[float]]) -> list[int]:
    return [len(matrix), *map(len, matrix)]


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


def _recipe(exact: Part, arms: Sequence[Arm], chosen: str) -> str:
    """JSON of the final recipe, or of the chosen arm's where older reports lack that. `arms` are named as people see them."""
    listed = zip(arms, exact.parts("arms"), strict=True)
    recipe = exact.part("final").part("recipe") or next((p.part("recipe") for a, p in listed if a.name == chosen), None)
    return json.dumps(dict(recipe.values)) if recipe else ""


def _json_of(arm: Part) -> str:
    recipe = arm.part("recipe")
    return json.dumps(dict(recipe.values)) if recipe else ""
