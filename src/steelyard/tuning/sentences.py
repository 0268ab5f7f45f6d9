"""The verdict in words. Numbers to three decimals; an arm's gain is never said without its interval."""

import dataclasses

import numpy as np

from .honesty import Comparison, Decision, Gate

BASELINE = "plain training with a moved threshold"


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a sentence names besides the comparison."""

    names: tuple[str, ...]
    rare: int
    rare_name: str  # "positives", or for more classes "rows of the rarest class"
    repetitions: int
    folds: int
    threshold: float
    shift: bool = False  # more than two classes: the threshold is the tau of a prior shift


def sentence(decision: Decision, comparison: Comparison, gate: Gate | None, facts: Facts) -> str:
    """One of the eight, filled in."""
    case = decision.case
    if case == "E":
        return (
            f"No verdict: {facts.rare} {facts.rare_name}. Below 20 only a description is possible; intervals are in"
            " the report."
        )
    if case == "D" and gate is not None:
        better = "rank" if gate.name == "AUC" else "decide"
        return (
            f"No verdict: plain training does not {better} better than chance ({gate.name} {gate.value:.2f}, lower end"
            f" {gate.low:.2f}). Weights do not repair missing signal."
        )
    if decision.best is None:
        return f"No weighting was compared: every strategy equals plain training by construction. {_keep(facts, 'B')}."
    j = decision.best
    best, upper = facts.names[j], number(decision.upper)
    gain = f"{signed(comparison.gain[j])} {interval(comparison, j)}"
    if case in ("A", "A'"):
        edge = (
            " The regularisation of plain training ended at the edge of its range; widen it before trusting this."
            if case == "A'"
            else ""
        )
        return (
            f"{best} beats {BASELINE}: {comparison.metric.title} {number(comparison.value[j])} against"
            f" {number(comparison.plain)}, difference {signed(comparison.gain[j])}{_lower(comparison)}"
            f" {interval(comparison, j, '95 % simultaneous interval ')}, {facts.rare} {facts.rare_name},"
            f" {facts.repetitions} x {facts.folds} cross-validation, {_strategies(comparison)} compared.{edge}"
        )
    judged = (
        f" Judged by {comparison.metric.title}{_lower(comparison)}: {facts.rare} {facts.rare_name},"
        f" {facts.repetitions} x {facts.folds} cross-validation, {_strategies(comparison)} compared."
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
        return f"Every weighting is worse than {BASELINE} (best: {best}, {gain}).{judged}"
    return (
        f"No weighting was shown to beat {BASELINE}. The best ({best}) differs by {gain}; with {facts.rare}"
        f" {facts.rare_name} a gain up to {upper} cannot be excluded. {_keep(facts, case)}, or bring more"
        f" {'positives' if facts.rare_name == 'positives' else 'rows of that class'}.{judged}"
    )


def number(value: float) -> str:
    return f"{value + 0.0:.3f}".replace("-0.000", "0.000")


def signed(value: float) -> str:
    return f"{value:+.3f}".replace("-0.000", "+0.000")


def interval(comparison: Comparison, j: int, label: str = "") -> str:
    return f"[{label}{number(comparison.low[j])}, {number(comparison.high[j])}]"


def threshold(value: float) -> str:
    """Three decimals, or three digits where that would say nothing."""
    return f"{value:.3f}" if value >= 0.01 or value == 0 else f"{value:.3g}"


def _keep(facts: Facts, case: str) -> str:
    t = threshold(facts.threshold)
    if facts.shift:
        return f"Keep plain training and divide its probabilities by the class shares to the power {t}"
    return f"Keep plain training {'and set the threshold at' if case == 'B' else 'with threshold'} {t}"


def _lower(comparison: Comparison) -> str:
    return "" if comparison.metric.higher else " (positive is better)"


def _strategies(comparison: Comparison) -> str:
    count = int(np.sum(comparison.tested))
    return f"{count} {'strategy' if count == 1 else 'strategies'}"
