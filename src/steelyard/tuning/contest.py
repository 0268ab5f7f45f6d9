"""Everyone who stands in the comparison, judged by every metric, and the Study that says what came of it."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np

from ..recipe import Recipe
from .answer import Baseline, Final, Judged, Pictures, Stopped, Study, Trace, Verdict
from .arms import Arm, distance
from .baselines import NOTES, shown
from .continuous import Family
from .data.problem import Problem
from .goals import Goals
from .metric import Metric
from .search import Search
from .validation import recalibrate
from .validation.crossfit import Choice, outcomes, probability, threshold_metric
from .validation.folds import TIME, rare_by_block, rarest
from .validation.folds import rare as rare_of
from .verdict.comparisons import compare
from .verdict.decision import Comparison, decide, remark
from .verdict.sentences import Facts, cut_short, rare_name, sentence


@dataclasses.dataclass(frozen=True)
class Contest:
    """Arms that are tested, plain first; then what was searched continuously; then resampling, which is only shown.

    entered  how many of the search's arms are tested
    """

    task: Problem
    search: Search
    entered: int
    family: Family | None
    goals: Goals
    bootstrap: int
    seed: int

    @property
    def arms(self) -> list[Arm]:
        """Those that are tested, in the order of the Comparisons."""
        return [*self.search.arms[: self.entered], *([self.family.arm] if self.family else [])]

    @property
    def beside(self) -> list[str]:
        return [arm.name for arm in self.search.arms[self.entered :]]

    def outcomes(self, metric: Metric, by: Metric | None = None) -> np.ndarray:
        """What the metric judges, of everyone [.., repetitions, rows(, C)]; settings chosen for `by`, the metric unless said."""
        found = outcomes(self.search.choice(by or metric), metric)
        if self.family is None:
            return found
        return np.concatenate([found[: self.entered], self.family.outcomes(metric, by)[None], found[self.entered :]])

    def held(self, j: int) -> tuple[Search, int]:
        """The search that holds a tested arm's fits, and the arm's number there."""
        if self.family is not None and j == self.entered:
            return self.family.search
        return self.search, j

    @functools.cached_property
    def recipes(self) -> list[Recipe]:
        return [search.recipes[i] for search, i in (self.held(j) for j in range(len(self.arms)))]

    @functools.cached_property
    def rule(self) -> Metric:
        """What the threshold is moved for."""
        return threshold_metric(self.goals.metric, self.goals.cost, self.task.classes, self.goals.capacity)

    @functools.cached_property
    def decided(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """By search: decisions and thresholds of all its arms, for the rule."""
        searches = {id(s): s for s, _ in (self.held(j) for j in range(len(self.arms)))}
        return {key: s.choice(self.goals.metric).decide(self.rule) for key, s in searches.items()}

    def threshold(self, j: int) -> float:
        """On all judged rows, mean over repetitions: a probability, or tau for more than two classes."""
        search, i = self.held(j)
        cuts = self.decided[id(search)][1][i]
        return float((probability(cuts) if self.task.classes == 2 else cuts).mean())

    def choice(self, j: int) -> tuple[Choice, int]:
        search, i = self.held(j)
        return search.choice(self.goals.metric), i

    def setting(self, j: int) -> float:
        choice, i = self.choice(j)
        return float(self.held(j)[0].settings[int(choice.final[i])])

    def settings(self, j: int) -> dict[float, int]:
        """{setting: in how many folds it was chosen}"""
        choice, i = self.choice(j)
        picked, times = np.unique(choice.picked[i], return_counts=True)
        return {float(self.held(j)[0].settings[int(s)]): int(n) for s, n in zip(picked, times, strict=True)}

    def study(
        self,
        *,
        listed: Sequence[tuple[Arm, Recipe]],
        equal: Mapping[str, str],
        skipped: Mapping[str, str],
        fits: Mapping[str, int],
        warnings: Sequence[str],
    ) -> Study:
        """`listed` are the arms of the report with their recipes; those that equal plain show plain's numbers."""
        task, search, metric, split = self.task, self.search, self.goals.metric, self.search.split
        names = [arm.name for arm in self.arms]
        distances = [distance(r) for r in self.recipes]
        baselines = shown(search)
        tested = np.array([0 < j < len(names) for j in range(len(names) + len(self.beside))])
        compared, gate = compare(
            task,
            split,
            self.outcomes,
            metric,
            self.goals.every(task.classes),
            distances,
            self.bootstrap,
            self.seed,
            tested=tested,
            shown=baselines,
        )
        main = compared[metric.name]
        stopped = None
        if search.stopped:
            stopped = Stopped(search.stopped, split.repetitions, search.planned_repetitions)
        rare = rare_of(task.y, split)
        blocks = rare_by_block(task.y, split) if split.kind == TIME else None
        decision = decide(
            main,
            gate,
            rare,
            distances,
            at_edge=search.choice(metric).at_edge(0, search.tolerance),
            blocks=blocks,
            repetitions=None if stopped is None else (stopped.done, stopped.planned),
        )
        picked = decision.winner or 0
        threshold = self.threshold(picked)
        counted = rare_name(task.classes == 2 and rarest(task.y, split) == 1, split.kind)
        facts = Facts(
            tuple(names),
            rare,
            counted,
            split.repetitions,
            split.folds,
            threshold,
            task.classes > 2,
            split.kind,
            tuple(blocks or ()),
            None if stopped is None else stopped.planned,
        )
        remarks = [remark(rare, f"{rare} {counted}")]
        if stopped is not None and decision.case != "P":
            remarks.append(cut_short(stopped.done, stopped.planned))
        held, at = self.held(picked)
        final = Final(
            names[picked],
            self.recipes[picked],
            self.setting(picked),
            threshold,
            self.rule.name,
            held.final(at, self.setting(picked)),
        )
        everyone = [*listed, *([(self.family.arm, self.recipes[-1])] if self.family else [])]
        numbers = {name: self._numbers(compared, names.index(name) if name in names else 0) for name in names}
        return Study(
            problem=task,
            model=search.engine.name,
            axis=search.engine.axis,
            settings=search.settings,
            metric=metric,
            cost=self.goals.cost,
            capacity=self.goals.capacity_said,
            seed=self.seed,
            kind=split.kind,
            folds=split.folds,
            repeats=split.repetitions,
            judged=int(split.judged.sum()),
            bootstrap=self.bootstrap,
            arms=tuple(self._judged(arm, recipe, numbers, equal.get(arm.name, "")) for arm, recipe in everyone),
            baselines=tuple(
                Baseline(name, NOTES[name], self._numbers(compared, len(names) + i))
                for i, name in enumerate([*self.beside, *(s.name for s in baselines)])
            ),
            skipped=dict(skipped),
            verdict=Verdict(
                case=decision.case,
                winner=None if decision.winner is None else names[decision.winner],
                best=None if decision.best is None else names[decision.best],
                threshold=threshold,
                sentence=sentence(decision, main, gate, facts),
                ties=tuple(names[j] for j in decision.ties),
                remarks=tuple(r for r in remarks if r),
            ),
            gate=gate,
            margin=main.margin,
            final=final,
            pictures=self._pictures(decision.best),
            trace=None
            if self.family is None or self.family.arm.point is None
            else Trace(self.family.arm.point, tuple(zip(self.family.xs, self.family.values.tolist(), strict=True))),
            stopped=stopped,
            fits=dict(fits),
            seconds=0.0,
            notes=(
                *task.notes,
                *(task.features.raw().notes if search.engine.encoding == "raw" else ()),
                *split.remarks,
            ),
            warnings=tuple(warnings),
        )

    def _numbers(self, compared: Mapping[str, Comparison], j: int) -> dict[str, dict[str, float]]:
        """What every metric says about one of the Comparisons; left out where it says nothing."""
        return {
            name: {
                "value": float(c.value[j]),
                "difference": float(c.gain[j]),
                "low": float(c.low[j]),
                "high": float(c.high[j]),
            }
            for name, c in compared.items()
            if np.isfinite(c.value[j])
        }

    def _judged(self, arm: Arm, recipe: Recipe, numbers: Mapping[str, dict], equals: str) -> Judged:
        names = [a.name for a in self.arms]
        j = 0 if equals else names.index(arm.name)
        return Judged(
            arm.name, recipe, numbers[names[j]], self.settings(j), self.setting(j), self.threshold(j), equals, arm.point
        )

    def _pictures(self, best: int | None) -> Pictures:
        which = [0] if best is None else [0, best]
        judged = self.search.split.judged
        found = [self._predictions(j, judged) for j in which]
        undone, trained, again, decided = zip(*found, strict=True)
        return Pictures(tuple(self.arms[j].name for j in which), self.task.y[judged], undone, trained, again, decided)

    def _predictions(self, j: int, judged: np.ndarray) -> tuple[np.ndarray, ...]:
        """Undone, as trained, recalibrated, decided: [repetitions, judged rows(, C)]."""
        metric = self.goals.metric

        def of(search: Search, i: int) -> tuple[np.ndarray, ...]:
            choice = search.choice(metric)
            repetitions = range(search.split.repetitions)
            return (
                np.stack([choice.pool(i, a) for a in repetitions]),
                search.trained(choice, i),
                np.stack([recalibrate.pool(choice, i, a) for a in repetitions]),
                choice.decide(self.rule)[0][i],
            )

        if self.family is not None and j == self.entered:
            family = self.family
            found = tuple(family.gather(lambda s, i, k=k: of(s, i)[k]) for k in range(4))
        else:
            found = of(*self.held(j))
        return tuple(np.asarray(array[:, judged]) for array in found)
