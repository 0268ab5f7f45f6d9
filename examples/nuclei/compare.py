"""The arms side by side: means, and differences from plain training with two kinds of 95 % intervals.

over seeds   Student's t on the paired differences of the seeds. A seed is a fold: other first weights, other batches, other training, validation
             and test images. The training sets overlap, so these intervals are a little too short.
over images  percentiles of a paired bootstrap over all test images, each tested by the nets that had not seen it. Trained nets stay
             as they are: what another training would give is not in it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from .measure import MEASURES, measures
from .train import CHOSEN, EVEN
from .weights import NAMES

DRAWS = 4000
PLAIN = NAMES[0]
OWN, MOVED = f"{CHOSEN}, minus plain with its own", f"{CHOSEN} minus {EVEN}"
Counts = Mapping[tuple[str, str], list[np.ndarray]]  # {(arm, mode): for every seed [image, COUNTS]}


def compare(counts: Counts) -> dict[str, Any]:
    """{"means": {mode: {arm: {measure: number}}}, "differences": {comparison: {arm: {measure: {...}}}}}"""
    arms = list(dict.fromkeys(arm for arm, _ in counts))
    others = [arm for arm in arms if arm != PLAIN]
    pairs = {
        OWN: [((arm, CHOSEN), (PLAIN, CHOSEN)) for arm in others],
        f"{EVEN}, minus plain": [((arm, EVEN), (PLAIN, EVEN)) for arm in others],
        MOVED: [((PLAIN, CHOSEN), (PLAIN, EVEN))],
    }
    return {
        "means": {mode: {arm: means(counts[arm, mode]) for arm in arms} for mode in (EVEN, CHOSEN)},
        "differences": {
            name: {one[0]: difference(counts[one], counts[other]) for one, other in each}
            for name, each in pairs.items()
        },
    }


def by_seed(counts: list[np.ndarray]) -> dict[str, np.ndarray]:
    return measures(np.stack([each.sum(axis=0) for each in counts]))


def means(counts: list[np.ndarray]) -> dict[str, float]:
    return {name: float(each.mean()) for name, each in by_seed(counts).items()}


def difference(one: list[np.ndarray], other: list[np.ndarray]) -> dict[str, dict[str, Any]]:
    """The mean of the paired differences over the seeds, and both intervals."""
    a, b = by_seed(one), by_seed(other)
    drawn = bootstrap(np.concatenate(one), np.concatenate(other))
    return {
        name: {
            "mean": float((a[name] - b[name]).mean()),
            "over seeds": over_seeds(a[name] - b[name]),
            "over images": [float(q) for q in np.percentile(drawn[name], [2.5, 97.5])],
        }
        for name in MEASURES
    }


def over_seeds(paired: np.ndarray) -> list[float] | None:
    """None for one seed."""
    if len(paired) < 2:
        return None
    reach = stats.t.ppf(0.975, len(paired) - 1) * paired.std(ddof=1) / len(paired) ** 0.5
    return [float(paired.mean() - reach), float(paired.mean() + reach)]


def bootstrap(one: np.ndarray, other: np.ndarray, draws: int = DRAWS) -> dict[str, np.ndarray]:
    """{measure: [draws]} differences; the same images are drawn for both."""
    images = len(one)
    times = np.random.default_rng(0).multinomial(images, np.full(images, 1 / images), size=draws)
    a, b = measures(times @ one), measures(times @ other)
    return {name: a[name] - b[name] for name in MEASURES}


def verdict(found: Mapping[str, Any]) -> str:
    """What the intervals say of a difference, in words, where more is better."""
    kinds = {kind: found[kind] for kind in ("over seeds", "over images") if found[kind] is not None}
    clear = [kind for kind, (low, high) in kinds.items() if low > 0 or high < 0]
    direction = "a gain" if found["mean"] > 0 else "a loss"
    if not clear:
        return "no clear difference (" + (
            "both intervals include zero)" if len(kinds) > 1 else "the interval includes zero)"
        )
    if len(clear) == len(kinds):
        return direction + (
            " (neither interval includes zero)" if len(kinds) > 1 else " (the interval does not include zero)"
        )
    (other,) = kinds.keys() - clear
    return f"{direction} {clear[0]}, but the interval {other} includes zero"
