"""The verdict in words. Numbers to three decimals, or as many as say something; an arm's gain is never said without its interval."""

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from ..rarity import Events
from ..split import TIME, Split
from . import digits
from .decision import BLOCKS, FEW_EVENTS, PER_BLOCK, REPETITIONS, Comparison, Decision, Gate, too_few_blocks
from .digits import limit, number, threshold

BASELINE = "plain training with a moved threshold"
POSITIVES, RAREST, EVENTS = "positives", "rows of the rarest class", "events"
MORE = {
    POSITIVES: "positives",
    RAREST: "rows of that class",
    "positive groups": "positive groups",
    "groups with the rarest class": "groups with that class",
    EVENTS: EVENTS,
    f"{EVENTS} of the rarest class": "events of that class",
}
LEAST = 2  # weightings that are worth a comparison before a study is done
SPOKEN = 8  # classes that a sentence names; the others stand in the report
EFFECTIVE = "effective"  # number of rows of equal weight that vary as the weighted ones do
MORE |= {f"{EFFECTIVE} {name}": more for name, more in MORE.items()}


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a sentence names besides the comparison."""

    names: tuple[str, ...]
    rare: int
    rare_name: str  # see rare_name
    repetitions: int  # finished ones
    folds: int
    threshold: float | tuple[float, ...]  # more than two classes: what each one's probability is divided by
    classes: tuple[str, ...] = ()  # names of those
    priced: bool = False  # by a cost matrix: then the cheapest is decided for
    kind: str = "stratified"  # of the Split
    blocks: tuple[int, ...] = ()  # rows of the rarer class in each judged block, for "time"
    planned: int | None = None  # repetitions, of a study that was stopped
    weightings: tuple[int, int] = (0, 0)  # (done, planned) likewise
    settings: tuple[int, int] = (0, 0)
    axis: str = ""  # what the settings are of
    among: str = ""  # what else is told where rows are not what is counted, see among
    rule: str = ""  # what the threshold is best for: "best F1", "lowest expected cost per 1000 rows"

    @property
    def counted(self) -> str:
        """ "2 events (1,134 positives)"."""
        name = re.sub(r"\b(positive|row|group|event)s\b", r"\1", self.rare_name, count=1)
        return f"{self.rare:,} {name if self.rare == 1 else self.rare_name}{self.among}"


def rare_name(positive: bool, split: Split, *, weighted: bool = False) -> str:
    """What counts as rare: whether the rarer class is the positive one, what the split keeps together, and whether rows are weighted."""
    name = POSITIVES if positive else RAREST
    if split.order is not None:
        name = EVENTS if positive else f"{EVENTS} of the rarest class"
    if split.groups is not None:
        name = "positive groups" if positive else "groups with the rarest class"
    return f"{EFFECTIVE} {name}" if weighted else name


def among(events: Events | None, *, positive: bool) -> str:
    """ " (1,134 positives)" behind a number of events, or of the groups that hold them; "" where rows are not in order of time."""
    if events is None:
        return ""
    inside = "" if events.groups is None else f"{events.judged:,} {'event' if events.judged == 1 else EVENTS}, "
    return f" ({inside}{events.rows:,} {POSITIVES if positive else 'rows'})"


def sentence(decision: Decision, comparison: Comparison, gate: Gate | None, facts: Facts) -> str:
    """One of the nine, filled in."""
    case = decision.case
    if case == "P":
        return f"No verdict yet: {_unfinished(facts)}{_so_far(decision, comparison, facts)} The same command goes on."
    if case == "E" and facts.kind == TIME:
        wanted = facts.rare_name.removeprefix(f"{EFFECTIVE} ")
        return (
            f"No verdict: {facts.counted} in the test blocks that judge. Rows of one event tell about one thing that happened, and"
            f" at least {FEW_EVENTS} {wanted} are needed there: bring a longer history. Below that only a description is possible;"
            " intervals are in the report."
        )
    if case == "E":
        return f"No verdict: {facts.counted}. Below 20 only a description is possible; intervals are in the report."
    if case == "D" and gate is not None:
        better = "rank" if gate.name == "AUC" else "decide"
        return (
            f"No verdict: plain training does not {better} better than chance ({gate.name} {gate.value:.2f}, lower end"
            f" {gate.low:.2f}). Weights do not repair missing signal."
        )
    if decision.best is None:
        return f"No weighting was compared: every strategy equals plain training by construction. {_keep(facts, 'B')}."
    j = decision.best
    best, upper = facts.names[j], limit(decision.upper, _places(comparison, j))
    gain = f"{signed(comparison, j)} {interval(comparison, j)}"
    if case in ("A", "A'"):
        edge = (
            " The regularisation of plain training ended at the edge of its range; widen it before trusting this."
            if case == "A'"
            else ""
        )
        return (
            f"{best} beats {BASELINE}: {comparison.metric.title} {number(comparison.value[j], _places(comparison, j))} against"
            f" {number(comparison.plain, _places(comparison, j))}, difference {signed(comparison, j)}{_lower(comparison)}"
            f" {interval(comparison, j, '95 % simultaneous interval ')}, {facts.counted},"
            f" {_splits(facts)}, {_strategies(comparison)} compared.{_its_cut(facts)}{edge}"
        )
    judged = (
        f" Judged by {comparison.metric.title}{_lower(comparison)}: {facts.counted},"
        f" {_splits(facts)}, {_strategies(comparison)} compared."
    )
    if case == "B":
        return (
            f"No weighting beats {BASELINE}: the best ({best}) differs by {gain}, so a gain above {upper} is unlikely."
            f" {_keep(facts, case)}.{judged}"
        )
    if case == "C'":
        return (
            f"{best} is better by {gain}, too little to matter (margin {number(comparison.margin)})."
            f" {_keep(facts, case)}.{judged}"
        )
    if case == "F":
        return f"Every weighting is worse than {BASELINE} (best: {best}, {gain}).{f' {_keep(facts, case)}.' if facts.rule else ''}{judged}"
    return (
        f"No weighting was shown to beat {BASELINE}. The best ({best}) differs by {gain}; with {facts.counted}"
        f" a gain up to {upper} cannot be excluded. {_keep(facts, case)}, or bring more"
        f" {MORE[facts.rare_name]}.{judged}{_thin(facts)}"
    )


def reading(doubts: Sequence[str], guesses: Sequence[str] = ()) -> str:
    """What stands before any verdict where a column, or most of it, was not learned from, or one was read by a guess, or ""."""
    unused = f"Not used: {'; '.join(doubts)}; read it right before believing the rest. " if doubts else ""
    return unused + (f"Read by a guess: {'; '.join(guesses)}. " if guesses else "")


def cut_short(done: int, planned: int) -> str:
    """The note on a verdict from fewer repetitions than planned, or ""."""
    if done >= planned:
        return ""
    return f"The study stopped after {done} of {planned} repetitions; the same command goes on with the others."


def fewer_draws(done: int, planned: int) -> tuple[str, ...]:
    """The note on intervals that had to be ready early."""
    if done >= planned:
        return ()
    return (
        f"The intervals rest on {done} draws of rows, not on {planned:,}: the time for them was up; they are less exact.",
    )


def signed(comparison: Comparison, j: int) -> str:
    return digits.signed(comparison.gain[j], _places(comparison, j))


def interval(comparison: Comparison, j: int, label: str = "") -> str:
    return digits.interval(comparison.low[j], comparison.high[j], _places(comparison, j), label)


def _places(comparison: Comparison, j: int) -> int:
    return digits.places(comparison.gain[j], comparison.low[j], comparison.high[j])


def _keep(facts: Facts, case: str) -> str:
    if isinstance(facts.threshold, tuple):
        return f"Keep plain training and {divided(facts.threshold, facts.classes, priced=facts.priced)}{_chosen_for(facts)}"
    return (
        f"Keep plain training {'and set the threshold at' if case == 'B' else 'with threshold'} {threshold(facts.threshold)}"
        f"{_chosen_for(facts)}"
    )


def _its_cut(facts: Facts) -> str:
    """Of a winner, where it is known who chose it."""
    if not facts.rule:
        return ""
    if isinstance(facts.threshold, tuple):
        what = divided(facts.threshold, facts.classes, priced=facts.priced)
        return f" {what[0].upper()}{what[1:]}{_chosen_for(facts)}."
    return f" Set its threshold at {threshold(facts.threshold)}{_chosen_for(facts)}."


def _chosen_for(facts: Facts) -> str:
    """Who chose the threshold, or ""."""
    kept = isinstance(facts.threshold, tuple) and all(f == 1 for f in facts.threshold)
    return f", the cut for the {facts.rule}" if facts.rule and not kept else ""


def divided(factors: Sequence[float], classes: Sequence[str], *, priced: bool = False) -> str:
    """How more than two classes are decided, after "and"."""
    which = "the cheapest class by the probabilities" if priced else "the largest probability"
    if all(f == 1 for f in factors):
        return f"decide for {which}"
    each = [f"{name} by {threshold(f)}" for name, f in zip(classes, factors, strict=True)]
    more = f", and {len(each) - SPOKEN} more as in the report" if len(each) > SPOKEN else ""
    return f"divide the probabilities ({', '.join(each[:SPOKEN])}{more}), then decide for {which}"


def _splits(facts: Facts) -> str:
    if facts.kind == TIME:
        return f"one history of {len(facts.blocks)} test {'block' if len(facts.blocks) == 1 else 'blocks'}"
    whole = " of whole groups" if facts.kind == "grouped" else ""
    return f"{facts.repetitions} x {facts.folds} cross-validation{whole}"


def _thin(facts: Facts) -> str:
    """Why one history was too short for a verdict, or ""."""
    if facts.kind != TIME or not too_few_blocks(facts.blocks):
        return ""
    full = sum(n >= PER_BLOCK for n in facts.blocks)
    verb = "holds" if full == 1 else "hold"
    return f" One history: {full} of its test blocks {verb} {PER_BLOCK} {facts.rare_name} or more; a verdict needs {BLOCKS}."


def _unfinished(facts: Facts) -> str:
    if facts.kind == TIME:
        return "the study stopped before all test blocks were done."
    planned = facts.repetitions if facts.planned is None else facts.planned
    were = "was" if facts.repetitions == 1 else "were"
    return (
        f"{facts.repetitions} of {planned} repetitions {were} finished when the study stopped; a verdict needs"
        f" {min(REPETITIONS, planned)}."
    )


def _so_far(decision: Decision, comparison: Comparison, facts: Facts) -> str:
    """What the fits of a study that was stopped say, without a verdict."""
    if not facts.weightings[1]:
        return ""
    done, planned = facts.weightings
    some, every = facts.settings
    some_of = f", at {some} of {every} settings of the {facts.axis}" if some < every else ""
    known = f" So far {done} of {planned} weightings are done{some_of}"
    plain = f"plain training has {comparison.metric.title} {number(comparison.plain)}{_lower(comparison)}"
    keep = f" {_keep(facts, 'P')}{',' if facts.rule else ''} until then."
    j = decision.best
    if j is None or done < LEAST:
        return f"{known}, too few to compare: {plain}.{keep}"
    wide = "; repetitions that are missing make it wide" if facts.repetitions < 2 else ""
    return (
        f"{known}: {plain}, and the best of the others, {facts.names[j]}, differs by {signed(comparison, j)}"
        f" {interval(comparison, j, '95 % simultaneous interval ')}{wide}.{keep}"
    )


def _lower(comparison: Comparison) -> str:
    return "" if comparison.metric.higher else " (positive is better)"


def _strategies(comparison: Comparison) -> str:
    count = int(np.sum(comparison.tested))
    return f"{count} {'strategy' if count == 1 else 'strategies'}"
