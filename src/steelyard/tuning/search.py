"""All fits of a study: every arm at every setting on every training part, on a grid that grows where it is too narrow.

Finished fits go into the store at once, and none that the store holds is done again.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from ..recipe import Recipe
from . import order, pace
from .arms import Arm
from .data.problem import Problem
from .job import ALL_ROWS, Job, Start, Todo
from .metric import DECISION, Metric
from .models.forms import undo
from .models.model import Model
from .split import Split
from .stop import Stop, Unfinished
from .store.fits import Arrays, Key, Part, Store, check
from .store.share import Execute, share
from .validation.crossfit import Choice, OutOfFold, criterion
from .validation.cuts import decide
from .validation.outcomes import outcomes

Progress = Callable[[int, int], None]
APART = "apart"  # the notes of fits that were made without others of their training part
LARGE = (
    200_000  # cells of a table from which on plain is fitted before all others, as all at once may not be done in time
)


@dataclasses.dataclass(frozen=True)
class Tools:
    """How the fits are done and kept, which changes nothing in their results."""

    store: Store
    execute: Execute
    progress: Progress
    stop: Stop


class Search:
    """Fits when made; then `choice(metric)` says which settings to use.

    arms     plain first; recipes on all rows are for reading: in a fold they are made anew from its training part
    metric   of the verdict: where an arm still gains by it at an edge, its grid is widened, and plain's with it, so that no weighting
             is tried at a setting at which plain is not
    widen    False keeps to `settings`

    After a stop only what is whole is kept (see order.whole): `arms`, `settings` and `split` have only that, `stopped` says why and
    `repetitions` how many are whole. Unfinished if plain has no whole fold set.
    """

    def __init__(
        self,
        task: Problem,
        arms: Sequence[Arm],
        split: Split,
        model: Model,
        metric: Metric,
        tools: Tools,
        seed: int,
        *,
        settings: Sequence[float] | None = None,
        widen: bool = True,
    ):
        self.task, self.split, self.model, self.metric, self.tools = task, split, model, metric, tools
        self.arms = tuple(arms)
        self.planned_weightings = sum(not arm.resample for arm in arms) - 1
        counts = task.masses
        self.recipes = [arm.recipe(counts) for arm in self.arms]
        keys = tuple(arm.key(counts) for arm in self.arms)
        self.job = Job(task, split, self.arms, keys, model, seed)
        self.planned_repetitions = self.repetitions = split.repetitions
        self.planned_settings = 0
        self.stopped: str | None = None
        self.new = self.reused = self.planned = self.unsettled = 0
        self.settings: tuple[float, ...] = ()
        self._choices: dict[str, Choice] = {}
        self._decided: dict[tuple[str, Metric], tuple[np.ndarray, np.ndarray]] = {}
        self._recipes: dict[Part, list[Recipe]] = {}
        self._on_all_rows: set[Key] = set()  # counted
        everyone = range(len(self.arms))
        self._grow({s: everyone for s in (model.axis.grid if settings is None else settings)})
        while widen and not self.stopped and (wider := self._wider()):
            self._grow(wider)

    @property
    def fits(self) -> dict[str, int]:
        return {"new": self.new, "reused": self.reused}

    def choice(self, metric: Metric) -> Choice:
        """The settings for a metric, chosen by what `criterion` says."""
        by = criterion(metric)
        if by.name not in self._choices:
            self._choices[by.name] = self.out.choose(by)
        return self._choices[by.name]

    def decided(self, metric: Metric, rule: Metric) -> tuple[np.ndarray, np.ndarray]:
        """Decisions and thresholds of all arms at the settings for `metric`, moved for `rule` (see validation/cuts.decide)."""
        key = criterion(metric).name, rule
        if key not in self._decided:
            self._decided[key] = decide(self.choice(metric), rule)
        return self._decided[key]

    def outcomes(self, metric: Metric, by: Metric | None = None) -> np.ndarray:
        """What the metric judges, of all arms, [arms, repetitions, rows(, C)]; settings chosen for `by`, the metric unless said."""
        if metric.kind == DECISION:
            return self.decided(by or metric, metric)[0]
        return outcomes(self.choice(by or metric), metric)

    @property
    def tolerance(self) -> float:
        """A tenth of the margin of what chooses the setting: a gain below it says that the edge has levelled off."""
        by = criterion(self.metric)
        overall = self.choice(self.metric).overall
        return by.margin / 10 * by.unit(float(np.abs(overall[np.isfinite(overall)]).max()))

    def trained(self, choice: Choice, j: int) -> np.ndarray:
        """Scores of one arm as trained, not undone, at the settings it was given: [repetitions, rows(, C)]."""
        out = np.full((self.split.repetitions, *self._shape[1:]), np.nan)
        for a, f in self.split.parts():
            key = self.job.keys[j], self.settings[int(choice.picked[j, a, f])]
            part = self._repetitions[a], f
            fits = self.tools.store.load(part, [key]) or self.job((part, (key,)))  # again, where the storage was lost
            out[a, self.split.out(a, f)] = fits[key]["scores"]
        return out

    @property
    def _shape(self) -> tuple[int, ...]:
        """[repetitions, rows(, C)]"""
        classes = self.task.classes
        return (self.split.repetitions, len(self.task.y), *(() if classes == 2 else (classes,)))

    def _grow(self, wanted: Mapping[float, Iterable[int]]) -> None:
        """Fit these arms at these settings too. If stopped, only what is whole is kept."""
        settings = tuple(sorted(wanted))
        asked = np.zeros((len(self.arms), len(settings)), dtype=bool)
        for i, setting in enumerate(settings):
            asked[list(wanted[setting]), i] = True
        scores = np.full((*asked.shape, *self._shape), np.nan, np.float32)
        if not self.settings:
            self.planned_settings = len(settings)
        done = self._fill(scores, settings, asked)
        whole = list(range(self.split.repetitions))
        if not done.all():
            self.stopped = self.tools.stop.why or "interrupted"
            if self.settings:  # what was there before is whole
                return
            kept = order.whole(done, np.array([bool(arm.resample) for arm in self.arms]))
            if kept is None:
                raise Unfinished(self._nothing(done), self.stopped)
            arms, at, whole = kept
            self.repetitions = int(done.all(axis=(0, 1, 3)).sum())
            scores, asked = scores[np.ix_(arms, at, whole)], asked[np.ix_(arms, at)]
            settings = tuple(settings[i] for i in at)
            self.split = dataclasses.replace(self.split, held=self.split.held[whole])
            self._only(arms)
        self._repetitions = whole
        if self.settings:
            settings, scores, asked = self._joined(settings, scores, asked)
        self.settings = settings
        self._choices.clear()
        self._decided.clear()
        task, default = self.task, self.model.axis.default
        at_all, weights = np.array(self.settings), task.weights
        self.out = OutOfFold(scores, task.y, self.split, at_all, task.classes, default, weights, asked)

    def _joined(
        self, settings: tuple[float, ...], scores: np.ndarray, asked: np.ndarray
    ) -> tuple[tuple[float, ...], np.ndarray, np.ndarray]:
        """All settings there are now, ascending, with the scores of before and these, and who was fitted at which."""
        every = tuple(sorted({*self.settings, *settings}))
        both = np.full((len(self.arms), len(every), *self._shape), np.nan, np.float32)
        fitted = np.zeros(both.shape[:2], dtype=bool)
        for old, values, which in ((self.settings, self.out.scores, self.out.fitted), (settings, scores, asked)):
            for i, setting in enumerate(old):
                at = every.index(setting)
                both[which[:, i], at] = values[which[:, i], i]
                fitted[which[:, i], at] = True
        return every, both, fitted

    def _only(self, arms: Sequence[int]) -> None:
        """Forget the others."""
        self.arms, self.recipes = tuple(self.arms[j] for j in arms), [self.recipes[j] for j in arms]
        keys = tuple(self.job.keys[j] for j in arms)
        self.job = dataclasses.replace(self.job, arms=self.arms, keys=keys)
        self._recipes.clear()

    def _nothing(self, done: np.ndarray) -> str:
        """What there is where not even plain can be judged."""
        folds = int(done[0].all(axis=0).sum(axis=1).max()) if done.size else 0
        return (
            f"tune: stopped ({self.stopped}) with {self.new + self.reused:,} of {self.planned:,} fits done, too few to judge"
            f" anything: plain training itself needs all of its {self.split.folds} folds, and {folds} of them were done. They are"
            " kept where the study has a folder, and the same command goes on; give it more time, or fewer folds or rows."
        )

    def _wider(self) -> dict[float, list[int]]:
        """{setting: the arms that are to be fitted there next}: the axis' stride of them where an arm still gains at an end of what
        it has."""
        edges = self.choice(self.metric).edges(self.tolerance)
        wanted: dict[float, list[int]] = {}
        more = self.model.axis.stride
        for j, (low, high) in enumerate(edges):
            has = [s for s, fitted in zip(self.settings, self.out.fitted[j], strict=True) if fitted]
            below = [s for s in self.model.axis.lower if s < has[0]][:more] if low else []
            above = [s for s in self.model.axis.upper if s > has[-1]][:more] if high else []
            for setting in (*below, *above):
                wanted.setdefault(setting, []).append(j)
        for setting, arms in wanted.items():
            at = self.settings.index(setting) if setting in self.settings else None
            plain = any(not self.arms[j].resample for j in arms) and (at is None or not self.out.fitted[0, at])
            if plain and 0 not in arms:
                arms.insert(0, 0)
        return wanted

    def _fill(self, scores: np.ndarray, settings: tuple[float, ...], asked: np.ndarray) -> np.ndarray:
        """Put the scores that are asked for in, bool [arms, settings]; which of them are there, bool [arms, settings, repetitions,
        folds], True for what is not asked for."""
        parts = self.split.parts()
        keys = [
            (key, s)
            for key, mine in zip(self.job.keys, asked, strict=True)
            for s, w in zip(settings, mine, strict=True)
            if w
        ]
        drawn = {key for key, arm in zip(self.job.keys, self.arms, strict=True) if arm.resample}
        whole = [key for key in keys if key[0] not in drawn] if self.model.continues else []
        self.planned += len(keys) * len(parts) + len(whole)
        self._count()
        shape = (*asked.shape, self.split.repetitions, self.split.folds)
        done = np.broadcast_to(~asked[:, :, None, None], shape).copy()

        def collect(part: Part, fits: dict[Key, Arrays]) -> None:
            rows = self.split.out(*part)
            check(part, fits, "scores", (len(rows), *scores.shape[4:]))
            for j, key in enumerate(self.job.keys):
                at = [i for i, s in enumerate(settings) if (key, s) in fits]
                if not at:
                    continue
                raw = np.stack([fits[key, settings[i]]["scores"] for i in at]).astype(np.float64)
                scores[j, :, part[0]][np.array(at)[:, None], rows] = undo(
                    raw, self._recipes_of(part)[j], self.task.classes
                )
                self.unsettled += sum(not fits[key, settings[i]]["converged"][0] for i in at)
                done[j, at, part[0], part[1]] = True

        missing: dict[Part, set[Key]] = {}
        for part in parts:
            stored = self.tools.store.load(part, keys)
            self._count(reused=len(stored))
            collect(part, stored)
            missing[part] = {key for key in keys if key not in stored}
        for some, todos in self._rounds(settings, keys):
            left = [(p, rest) for p, keys in todos if (rest := tuple(key for key in keys if key in missing[p]))]
            if self.model.together:
                self._note_apart(todos, missing)
            if left:
                job = dataclasses.replace(self.job, start=self._start([key for key in whole if key[1] in some], some))
                for part, fits, new in share(
                    self.tools.store, left, job, self.tools.execute, self.tools.stop, self.tools.stop.room
                ):
                    self._count(**{"new" if new else "reused": len(fits)})
                    collect(part, fits)
                    repetitions = int(done.all(axis=(0, 1, 3)).sum())
                    self.tools.stop.needs(self._after(repetitions))
            else:
                self._started({key for key in whole if key[1] in some})
        return done

    def _after(self, repetitions: int) -> float:
        """Seconds for what comes after the fits; nothing is measured where nobody waits."""
        if self.tools.stop.end is None:
            return 0.0
        return pace.PAGE + pace.judging(len(self.task.y)) * len(self.arms) * repetitions

    def _rounds(self, settings: tuple[float, ...], every: Sequence[Key]) -> list[tuple[tuple[float, ...], list[Todo]]]:
        """What is fitted one after the other, each with its settings. All arms of a part at once where that is cheaper, else arm
        by arm, so that every fit is saved when it is done."""
        parts, keys = self.split.parts(), self.job.keys
        takes_turns = order.turns(self.arms)
        if not self.model.together:
            first, others = parts[: self.split.folds], parts[self.split.folds :]
            places = [(p, j) for j in takes_turns for p in first] + [(p, j) for p in others for j in takes_turns]
            return [(settings, [(p, tuple(key for key in every if key[0] == keys[j])) for p, j in places])]
        if self.settings:  # a grid that grows has an answer already
            return [(settings, [(p, tuple(every)) for p in parts])]
        weighted = [keys[j] for j in takes_turns if not self.arms[j].resample]
        few = order.coarse(settings, self.model.axis.default)
        begin = [(key, s) for key in weighted for s in few]
        rest, first = [key for key in every if key not in set(begin)], parts[: self.split.folds]
        drawn = {keys[j] for j in takes_turns if self.arms[j].resample}
        own, theirs = ([key for key in rest if (key[0] in drawn) is which] for which in (False, True))
        later = [(p, tuple(some)) for some in (own, theirs) for p in first]
        later += [(p, tuple(every)) for p in parts[self.split.folds :]]
        alone: list[tuple[tuple[float, ...], list[Todo]]] = []
        if len(self.task.y) * self.task.read[1] > LARGE:
            one = (keys[0], min(few, key=lambda s: abs(np.log(s / self.model.axis.default))))
            begin.remove(one)
            alone = [((), [(p, (one,)) for p in first])]
        return [*alone, (few, [(p, tuple(begin)) for p in first]), (settings, later)]

    def _recipes_of(self, part: Part) -> list[Recipe]:
        """Every arm's recipe for this training part."""
        if part not in self._recipes:
            counts = self.job.counts(self.split.train(*part))
            self._recipes[part] = [arm.recipe(counts) for arm in self.arms]
        return self._recipes[part]

    def _start(self, keys: Sequence[Key], settings: tuple[float, ...]) -> Start | None:
        """Models on all rows, for a model that can start from them. Arms that are not among the keys have zeros."""
        if not keys or self.tools.stop():
            return None
        fits = self.tools.store.load(ALL_ROWS, keys)
        rows = np.arange(len(self.task.y))
        scaling = self.job.encoder(rows).scaling
        logits = 1 if self.task.classes == 2 else self.task.classes
        check(ALL_ROWS, fits, "theta", (logits, len(scaling.names) + 1))
        if len(fits) < len(keys) and set(fits) - self._on_all_rows:
            self.tools.store.note(APART, f"{len(keys) - len(fits)} {ALL_ROWS}")
        self._started(set(fits))
        if len(fits) < len(keys):
            new = self.job((ALL_ROWS, tuple(key for key in keys if key not in fits)))
            self.tools.store.save(ALL_ROWS, new)
            self._on_all_rows |= set(new)
            self._count(new=len(new))
            fits |= new
        theta = np.zeros((len(self.arms), len(settings), *fits[keys[0]]["theta"].shape))
        for key in keys:
            theta[self.job.keys.index(key[0]), settings.index(key[1])] = fits[key]["theta"]
        return Start(theta, scaling, settings, self._most_balanced())

    def _most_balanced(self) -> int:
        """The weighting that is most like training on as many rows of each class."""
        spread = [
            0.0 if arm.resample or r.weight is None else float(np.log(r.label_weights()).max())
            for arm, r in zip(self.arms, self.recipes, strict=True)
        ]
        return int(np.argmax(spread))

    def _note_apart(self, todos: list[Todo], missing: Mapping[Part, set[Key]]) -> None:
        """Remember, for the report, fits that others of their training part do not wait for: what is summed in another order has other
        last places."""
        alone = {key for key, arm in zip(self.job.keys, self.arms, strict=True) if arm.resample}
        for part, keys in todos:
            together = [key for key in keys if key[0] not in alone]
            lost = sum(key in missing[part] for key in together)
            if 0 < lost < len(together):
                self.tools.store.note(APART, f"{lost} {part}")

    @property
    def apart(self) -> int:
        """How many fits were made without others of their training part, that were there: now, or before in this study."""
        return sum(int(note.split()[0]) for note in self.tools.store.notes(APART))

    def _started(self, keys: set[Key]) -> None:
        """Count fits on all rows that were there, each once."""
        self._count(reused=len(keys - self._on_all_rows))
        self._on_all_rows |= keys

    def beside(self, arms: Sequence[Arm], settings: Sequence[float]) -> "Search":
        """Further arms on the same splits at these settings; their fits and their stop count as this search's."""
        done, planned = self.new + self.reused, self.planned

        def progress(more: int, in_all: int) -> None:
            self.tools.progress(done + more, planned + in_all)

        tools = dataclasses.replace(self.tools, progress=progress)
        try:
            further = Search(
                self.task,
                arms,
                self.split,
                self.model,
                self.metric,
                tools,
                self.job.seed,
                settings=settings,
                widen=False,
            )
        except Unfinished:
            self.stopped = self.tools.stop.why
            raise
        self.new += further.new
        self.reused += further.reused
        self.planned += further.planned
        self.unsettled += further.unsettled
        self.stopped = self.stopped or further.stopped
        return further

    def _count(self, new: int = 0, reused: int = 0) -> None:
        self.new += new
        self.reused += reused
        self.tools.progress(self.new + self.reused, self.planned)
