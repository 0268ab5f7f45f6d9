"""Decisions against the truth, at the threshold the verdict names."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import given, words
from .given import Data

CLASSES = 12  # a larger table cannot be read


@dataclass(frozen=True)
class Share:
    """A part of a whole: in words, and in percent for a bar."""

    says: str
    percent: float


@dataclass(frozen=True)
class Confusion:
    """Rows by truth [C] and decision [C], the positive class first.

    names   what each cell is called, two classes only
    shares  what the table says, for those who would rather not count
    """

    caption: str
    classes: tuple[str, ...]
    counts: tuple[tuple[str, ...], ...]
    per_1000: tuple[tuple[str, ...], ...]
    names: tuple[tuple[str, ...], ...]
    shares: tuple[Share, ...]


def confusion(data: Data) -> Confusion | None:
    """The table of the chosen arm, or None where the study kept none."""
    found = given.decisions(data)
    if found is None:
        return None
    at, kept = found
    names, two = given.classes(data), given.binary(data)
    counts = [_whole(row) for row in kept]
    if two:  # what one looks for stands first
        names, counts = names[::-1], [row[::-1] for row in counts[::-1]]
    total = sum(map(sum, counts))
    if not total or len(names) > CLASSES:
        return None
    return Confusion(
        caption=_caption(data, at),
        classes=names,
        counts=tuple(tuple(words.count(n) for n in row) for row in counts),
        per_1000=tuple(tuple(f"{1000 * n / total:.1f}" for n in row) for row in counts),
        names=(("found", "missed"), ("false alarm", "left alone")) if two else (),
        shares=tuple(_shares(names[0], counts)) if two else (),
    )


def _whole(row: Sequence[float]) -> list[int]:
    """Means over repetitions as whole rows that keep their sum: what flooring leaves goes to the largest fractions."""
    whole = [int(n) for n in row]
    by_fraction = sorted(range(len(row)), key=lambda i: whole[i] - row[i])
    for i in by_fraction[: round(sum(row)) - sum(whole)]:
        whole[i] += 1
    return whole


def _caption(data: Data, at: float | None) -> str:
    wanted = data["verdict"].get("threshold")
    rule = "by the largest probability"
    if at is not None:
        near = words.threshold(at) != words.threshold(wanted)
        rule = f"at threshold {words.threshold(at)}"
        rule += (
            f", the nearest to {words.threshold(wanted)} that was kept" if near else ", which was chosen on these rows"
        )
    repeats = (data.get("splits") or {}).get("repeats") or 1
    mean = f", mean of {repeats} repetitions" if repeats > 1 else ""
    return f"Decisions of {given.winner(data) or given.PLAIN} on held-out rows, {rule}{mean}"


def _shares(positive: str, counts: Sequence[Sequence[int]]) -> list[Share]:
    (tp, fn), (fp, _) = counts
    of, called, name = tp + fn, tp + fp, words.quote(positive)
    made = []
    if of:
        made.append(
            Share(f"Of {words.count(of)} rows that are {name}, {words.percent(tp / of)} are found.", 100 * tp / of)
        )
    if called:
        told = f"Of {words.count(called)} rows called {name}, {words.percent(tp / called)} are right."
        made.append(Share(told, 100 * tp / called))
    return made
