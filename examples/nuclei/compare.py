"""The arms side by side: means, and differences from plain training with two kinds of 95 % intervals.

over seeds   Student's t on the five paired differences. A seed is a fold: other first weights, other batches, other training, validation
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
Counts = Mapping[tuple[str, str], list[np.ndarray]]  # {(arm, mode): for every seed [image, COUNTS]}


def compare(counts: Counts) -> dict[str, Any]:
    """{"means": {mode: {arm: {measure: number}}}, "differences": {comparison: {arm: {measure: {...}}}}}"""
    arms = list(dict.fromkeys(arm for arm, _ in counts))
    pairs = {
        f"{mode}, minus plain": [((arm, mode), (PLAIN, mode)) for arm in arms if arm != PLAIN]
        for mode in (EVEN, CHOSEN)
    }
    pairs["plain, own threshold minus threshold 0.5"] = [((PLAIN, CHOSEN), (PLAIN, EVEN))]
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


def verdict(found: Mapping[str, Any], *, better: int = 1) -> str:
    """What the intervals say of a difference, in words. better: 1 if more is better, -1 if less is."""
    kinds = {kind: found[kind] for kind in ("over seeds", "over images") if found[kind] is not None}
    clear = {kind: low > 0 or high < 0 for kind, (low, high) in kinds.items()}
    if not any(clear.values()):
        return (
            "no difference that could be told from chance: "
            + ("both intervals include" if len(clear) > 1 else "the interval includes")
            + " zero"
        )
    direction = "a gain" if better * found["mean"] > 0 else "a loss"
    if all(clear.values()):
        return (
            direction
            + ": "
            + ("neither interval includes zero" if len(clear) > 1 else "the interval does not include zero")
        )
    without, zero = sorted(clear, key=lambda kind: not clear[kind])
    return f"{direction} {without}, but the interval {zero} includes zero"
