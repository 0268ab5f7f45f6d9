"""Everyone who stands in the comparison, judged by every metric, and the Study that says what came of it."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np

from ..recipe import Recipe
from .answer import Study
from .answer_parts import Baseline, Final, Judged, Stopped, Trace, Verdict
from .arms import Arm, distance
from .at_cut import at_cut, priced
from .baselines import NOTES, at_half, shown
from .continuous import Family
from .data.features import Features
from .data.problem import Problem
from .final import Refit
from .fitted import FittedArm, members
from .goals import Goals
from .metric import Metric
from .pictures import Pictures, Predictions, promised
from .rarity import events_in, rare, rare_by_block, rarest
from .search import Search
from .split import TIME
from .verdict.comparisons import compare
from .verdict.decision import NORMAL, Comparison, Decision, Gate, decide, note_on_effective, note_on_few
from .verdict.headline import headline
from .verdict.practice import Practice, better, practice, said, widths
from .verdict.sentences import Facts, among, cut_short, fewer_draws, rare_name, reading, sentence
from .weights import take


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

    @functools.cached_property
    def tested(self) -> list[FittedArm | Family]:
        """In the order of the Comparisons; `beside` come after them."""
        return [*members(self.search)[: self.entered], *([self.family] if self.family else [])]

    @property
    def beside(self) -> list[FittedArm]:
        return members(self.search)[self.entered :]

    def outcomes(self, metric: Metric, by: Metric | None = None) -> list[np.ndarray]:
        """What the metric judges, of everyone, [repetitions, rows(, C)] each; settings chosen for `by`, the metric unless said."""
        whole = list(self.search.outcomes(metric, by))
        searched = [self.family.outcomes(metric, by)] if self.family else []
        return [*whole[: self.entered], *searched, *whole[self.entered :]]

    @functools.cached_property
    def rule(self) -> Metric:
        """What the threshold is moved for."""
        return self.goals.threshold_rule(self.task.classes)

    @functools.cached_property
    def _limits(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the model does not tell apart in the columns: notes, and what stands before the verdict."""
        features = self.task.features
        return features.limits(self.search.model.encoding) if isinstance(features, Features) else ((), ())

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
        at_best = [_at_best(member) for member in self.tested]
        names = [member.arm.name for member in self.tested]
        baselines = shown(search)
        compared, gate, drawn = compare(
            task.y,
            task.classes,
            split,
            self.outcomes,
            metric,
            self.goals.every(task.classes),
            [distance(fitted.recipe) for fitted in at_best],
            self.bootstrap,
            self.seed,
            tested=np.array([0 < j < len(names) for j in range(len(names) + len(self.beside))]),
            shown=baselines,
            weights=task.weights,
            hurry=search.tools.stop.hurry,
        )
        stopped = self._stopped()
        decision, facts = self._decide(compared[metric.name], gate, stopped, names, at_best)
        picked = at_best[decision.winner or 0]
        found = self._practice(compared[metric.name], decision, drawn)
        if task.classes > 2 and not found.moves:
            facts = dataclasses.replace(facts, threshold=(1.0,) * task.classes)
        beside = dict(enumerate([*(b.arm.name for b in self.beside), *(s.name for s in baselines)], len(names)))
        shown_better = better(compared[metric.name], beside)
        refit = Refit(
            picked.search.job,
            picked.index,
            picked.setting(metric),
            picked.recipe,
            picked.arm.name,
            self.rule,
            facts.threshold,
        )
        everyone = [*self.tested, *self.beside]
        cut = at_cut(everyone, metric, self.rule, self.goals.every(task.classes))
        judged = {
            member.arm.name: dataclasses.replace(
                self._judged(member.arm, fitted, self._numbers(compared, j), cut[j]), reliability=self._promised(member)
            )
            for j, (member, fitted) in enumerate(zip(self.tested, at_best, strict=True))
        }
        arms = [
            dataclasses.replace(judged[names[0]], name=arm.name, recipe=recipe, equals=equal[arm.name], point=arm.point)
            if arm.name in equal
            else judged[arm.name]
            for arm, recipe in listed
        ]
        return Study(
            problem=task,
            model_name=search.model.name,
            axis=search.model.axis,
            settings=search.settings,
            metric=metric,
            cost=self.goals.cost,
            capacity=self.goals.capacity_said,
            seed=self.seed,
            kind=split.kind,
            folds=split.folds,
            repeats=split.repetitions,
            judged=int(split.judged.sum()),
            events=events_in(task.y, split),
            bootstrap=drawn,
            arms=(*arms, *([judged[self.family.arm.name]] if self.family else [])),
            baselines=tuple(
                Baseline(
                    name,
                    NOTES[name],
                    self._numbers(compared, i),
                    dict(enumerate(cut)).get(i, {}),
                )
                for i, name in beside.items()
            ),
            skipped=dict(skipped),
            verdict=self._verdict(
                decision,
                compared[metric.name],
                gate,
                facts,
                stopped,
                said(found, decision, compared[metric.name], shown_better),
            ),
            practice=found,
            better=tuple(shown_better),
            gate=gate,
            margin=compared[metric.name].margin,
            final=Final(
                names[decision.winner or 0],
                picked.recipe,
                picked.setting(metric),
                facts.threshold,
                self.rule.name,
                refit.description if search.model.readable else {},
            ),
            refit=refit,
            pictures=self._pictures(decision.best, task.classes == 2 or found.moves),
            priced=()
            if self.goals.cost is not None or self.goals.capacity is not None
            else priced(everyone[decision.winner or 0], metric),
            trace=None
            if self.family is None or self.family.arm.point is None
            else Trace(self.family.arm.point, tuple(zip(self.family.xs, self.family.values.tolist(), strict=True))),
            stopped=stopped,
            fits=dict(fits),
            seconds=0.0,
            notes=(
                *task.notes,
                *self._limits[0],
                *split.notes,
                *fewer_draws(drawn, self.bootstrap),
            ),
            warnings=tuple(warnings),
        )

    def _stopped(self) -> Stopped | None:
        search = self.search
        if not search.stopped:
            return None
        whole = search.repetitions > 0
        return Stopped(
            search.stopped,
            search.repetitions,
            search.planned_repetitions,
            (self.entered - 1, search.planned_weightings),
            (len(search.settings), len(search.settings) if whole else search.planned_settings),
        )

    def _decide(
        self, main: Comparison, gate: Gate, stopped: Stopped | None, names: Sequence[str], at_best: Sequence[FittedArm]
    ) -> tuple[Decision, Facts]:
        task, search, split, metric = self.task, self.search, self.search.split, self.goals.metric
        few = rare(task.y, split, task.weights)
        blocks = rare_by_block(task.y, split, task.weights) if split.kind == TIME else None
        positive = task.classes == 2 and rarest(task.y, split, task.weights) == 1
        decision = decide(
            main,
            gate,
            few,
            [distance(fitted.recipe) for fitted in at_best],
            at_edge=search.choice(metric).at_edge(0, search.tolerance),
            blocks=blocks,
            repetitions=None if stopped is None else (stopped.done, stopped.planned),
        )
        facts = Facts(
            tuple(names),
            few,
            rare_name(positive, split, weighted=task.weights is not None),
            split.repetitions if stopped is None else stopped.done,
            split.folds,
            at_best[decision.winner or 0].threshold(metric, self.rule),
            tuple(task.counts.classes),
            self.rule.cost_matrix is not None,
            split.kind,
            tuple(blocks or ()),
            None if stopped is None else stopped.planned,
            (0, 0) if stopped is None else stopped.weightings,
            (0, 0) if stopped is None else stopped.settings,
            search.model.axis.title,
            among(events_in(task.y, split), positive=positive),
            f"{'best' if self.rule.higher else 'lowest'} {self.rule.title}",
        )
        return decision, facts

    def _note_on_rule(self, winner: int | None) -> str:
        """That no recipe holds what won, or ""."""
        if winner is None or self.tested[winner].arm.rule(self.task.masses) is None:
            return ""
        return (
            f"{self.tested[winner].arm.name} is a rule, whose numbers change while training goes on: train with it as it was given."
            " recipe.json and the code of the report hold plain training."
        )

    def _practice(self, main: Comparison, decision: Decision, drawn: int) -> Practice:
        """Of plain, and of the winner if there is one, at the settings and by the number of draws of the verdict."""
        task, rule, metric = self.task, self.rule, self.goals.metric
        members = [self.tested[j] for j in ([0] if decision.winner is None else [0, decision.winner])]
        return practice(
            task.y,
            task.classes,
            self.search.split,
            rule,
            [(unmoved(member, metric, rule), member.outcomes(rule, metric)) for member in members],
            drawn,
            self.seed,
            widths=(NORMAL, NORMAL) if decision.winner is None else widths(main, decision.winner),
            weights=task.weights,
        )

    def _verdict(
        self, decision: Decision, main: Comparison, gate: Gate, facts: Facts, stopped: Stopped | None, more: str
    ) -> Verdict:
        task, split = self.task, self.search.split
        notes = [note_on_few(facts.rare, facts.counted), self._note_on_rule(decision.winner)]
        if task.weights is not None:
            plain = rare_name(task.classes == 2 and rarest(task.y, split) == 1, split)
            notes.append(note_on_effective(rare(task.y, split), plain, facts.rare))
        if stopped is not None and decision.case != "P":
            notes.append(cut_short(stopped.done, stopped.planned))
        return Verdict(
            case=decision.case,
            winner=None if decision.winner is None else facts.names[decision.winner],
            best=None if decision.best is None else facts.names[decision.best],
            threshold=facts.threshold,
            sentence=reading([*self.task.doubts, *self._limits[1]], self.task.guesses)
            + sentence(decision, main, gate, facts)
            + more,
            headline=headline(
                decision.case,
                None if decision.winner is None else facts.names[decision.winner],
                facts.threshold,
                positive=task.positive,
                counted=facts.counted.partition(" (")[0],
            ),
            ties=tuple(facts.names[j] for j in decision.ties),
            notes=tuple(note for note in notes if note),
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

    def _judged(
        self, arm: Arm, fitted: FittedArm, numbers: dict[str, dict[str, float]], at_cut: dict[str, float]
    ) -> Judged:
        metric = self.goals.metric
        return Judged(
            arm.name,
            fitted.recipe,
            numbers,
            fitted.settings(metric),
            fitted.setting(metric),
            fitted.threshold(metric, self.rule),
            point=arm.point,
            at_cut=at_cut,
        )

    def _promised(self, member: FittedArm | Family) -> list[dict[str, float]]:
        judged, w = self.search.split.judged, self.task.weights
        undone = member.undone(self.goals.metric)[:, judged]
        return promised(undone, self.task.y[judged], np.ones(int(judged.sum())) if w is None else w[judged])

    def _pictures(self, best: int | None, moves: bool) -> Pictures:
        """`moves`: whether decisions are to be taken at moved cuts, or as the probabilities are."""
        judged = self.search.split.judged
        members = [self.tested[j] for j in ([0] if best is None else [0, best])]

        def of(member: FittedArm | Family) -> Predictions:
            found = member.predictions(self.goals.metric, self.rule)
            if not moves:
                found = dataclasses.replace(
                    found, decided=unmoved(member, self.goals.metric, self.rule), shifted=found.undone
                )
            return found.map(lambda a: a[:, judged])

        return Pictures(self.task.y[judged], {m.arm.name: of(m) for m in members}, take(self.task.weights, judged))


def unmoved(member: FittedArm | Family, metric: Metric, rule: Metric) -> np.ndarray:
    """Decisions [repetitions, rows] at 0.5, or by the probabilities as they are; settings chosen for `metric`."""
    if isinstance(member, Family):
        return member.gather({int(i): unmoved(member.fitted[int(i)], metric, rule) for i in np.unique(member.picked)})
    search = member.search
    choice = search.choice(metric)
    return at_half(search.out, np.stack([choice.pool(member.index, a) for a in range(search.split.repetitions)]), rule)


def _at_best(member: FittedArm | Family) -> FittedArm:
    """Whose fits on all rows are final: of what was searched, those at the value chosen on all rows."""
    return member.best if isinstance(member, Family) else member
