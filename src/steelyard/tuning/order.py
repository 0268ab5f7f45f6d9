"""In what order fits are made, so that a study that is stopped has as much to say as it can; and what of one is whole.

The first repetition comes first, and in it plain and every weighting at a few settings about the middle, for an answer needs the same
of all that it compares. Whoever is not reached is left out and named.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from .arms import Arm


def turns(arms: Sequence[Arm]) -> list[int]:
    """Whose turn it is: plain, then one weighting of each kind, the middle of its path, then the others; resampling, which never
    wins, at the end."""
    kinds: dict[str, list[int]] = {}
    for j, arm in enumerate(arms):
        if j and not arm.resample:
            kinds.setdefault(arm.name if arm.point is None else arm.point.ingredient, []).append(j)
    paths = [_middle_first(path) for path in kinds.values()]
    weightings = [j for row in itertools.zip_longest(*paths) for j in row if j is not None]
    return [0, *weightings, *(j for j, arm in enumerate(arms) if j and arm.resample)]


def _middle_first(path: list[int]) -> list[int]:
    middle = path[len(path) // 2]
    return sorted(path, key=lambda j: abs(j - middle))


def coarse(settings: Sequence[float], default: float) -> tuple[float, ...]:
    """The setting nearest to the default, on the scale of logarithms, and every second one from there."""
    middle = int(np.argmin(np.abs(np.log(np.asarray(settings) / default))))
    return tuple(s for i, s in enumerate(settings) if (i - middle) % 2 == 0)


def whole(done: np.ndarray, shown: np.ndarray) -> tuple[list[int], list[int], list[int]] | None:
    """What can be compared of a study that was stopped: its arms, settings and repetitions, or None where plain has no whole fold set.

    Whole repetitions if there are any. Else, of one repetition, as many arms as share a setting, and then the settings that they share.

    done   bool [arms, settings, repetitions, folds]
    shown  bool [arms]: those that are no weightings but stand beside; they come in where they have what the others share
    """
    sets = np.asarray(done.all(axis=3))
    arms, settings, repetitions = sets.shape
    if full := np.flatnonzero(sets.all(axis=(0, 1))).tolist():
        return list(range(arms)), list(range(settings)), full
    best = None
    for a in range(repetitions):
        for s in np.flatnonzero(sets[0, :, a]):
            some = np.flatnonzero(sets[:, s, a] & ~shown)
            shared = np.flatnonzero(sets[some][:, :, a].all(axis=0))
            if best is None or (len(some), len(shared)) > (len(best[0]), len(best[1])):
                best = some, shared, a
    if best is None:
        return None
    some, shared, a = best
    beside = np.flatnonzero(sets[:, shared, a].all(axis=1) & shown)
    return sorted([*some.tolist(), *beside.tolist()]), shared.tolist(), [a]
