"""What a study said, found again in its plain data. The only place that knows the keys of report.json."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..recipe import Recipe
from . import formatting

FORMAT = "steelyard.report/1"
PLAIN = "plain"
CELLS = ("tp", "fp", "fn", "tn")
REQUIRED = {"data": Mapping, "metric": str, "arms": Sequence, "verdict": Mapping}
Data = Mapping[str, Any]


def check(data: Any) -> None:
    """ValueError unless `data` is a report with the parts that no report is without."""
    found = data.get("format") if isinstance(data, Mapping) else None
    if found != FORMAT:
        told = f"its format is {found!r}" if found else "it has no format"
        raise ValueError(f"report: this is not a {FORMAT} file ({told}); `steelyard tune` writes one as report.json.")
    for key, kind in REQUIRED.items():
        if not isinstance(data.get(key), kind):
            raise ValueError(
                f"report: {key!r} is missing from this report; run `steelyard tune` again to make it whole."
            )
    names = [one.get("name") if isinstance(one, Mapping) else None for one in data["arms"]]
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError("report: this report has no named candidates; run `steelyard tune` again to make it whole.")
    if not isinstance(data["verdict"].get("sentence"), str):
        raise ValueError("report: the verdict has no sentence; run `steelyard tune` again to make it whole.")
    won = winner(data)
    if won is not None and won not in names:
        raise ValueError(f"report: the winner {won!r} is not among the candidates {', '.join(map(str, names))}.")


def winner(data: Data) -> str | None:
    """The weighting that won; None where plain training stays."""
    name = data["verdict"].get("winner")
    return None if name in (None, PLAIN) else str(name)


def arm(data: Data, name: str | None) -> Data | None:
    return next((a for a in data["arms"] if a["name"] == name), None)


def judged(one: Data, metric: str) -> Data:
    """{value, difference, low, high} of one arm; what is missing was not measured."""
    return (one.get("metrics") or {}).get(metric) or {}


def classes(data: Data) -> tuple[str, ...]:
    return tuple(str(c) for c in data["data"].get("classes") or ())


def per_class(data: Data) -> list[float]:
    """Rows of each class, in the order of `classes`; [] where the study did not say."""
    counts = data["data"].get("counts")
    if isinstance(counts, Mapping):
        counts = counts.get("per_class", [counts.get(c, 0) for c in classes(data)])
    return list(counts or ())


def binary(data: Data) -> bool:
    return data.get("positive") is not None and len(classes(data)) == 2


def final_recipe(data: Data) -> Recipe:
    """The recipe to train with: the winner's, or plain. Its classes are named."""
    found = (data.get("final") or {}).get("recipe")
    if found is None:
        found = (arm(data, winner(data) or PLAIN) or {}).get("recipe")
    return Recipe(classes=classes(data) or None) if found is None else Recipe.from_json(json.dumps(found))


def class_weights(recipe: Recipe) -> np.ndarray | None:
    """[C] weights if they say all of the recipe, else None: Keras and scikit-learn know nothing else."""
    others = ("scale", "offset", "margin", "target", "curve")
    if recipe.weight is None or any(getattr(recipe, name) is not None for name in others):
        return None
    try:
        return recipe.label_weights()
    except ValueError:
        return None


def equals_plain(one: Data) -> str:
    """Why this arm equals plain by construction, or ""."""
    return str(one.get("equals_plain") or "")


def curves(data: Data) -> dict[str, Data]:
    """{arm: its curves}, plain first."""
    return {name: found for name, found in (data.get("curves") or {}).items() if isinstance(found, Mapping)}


def thresholds(data: Data) -> dict[str, np.ndarray]:
    """{arm: [thresholds, 5] of threshold, tp, fp, fn, tn}, thresholds ascending; arms without them are left out."""
    kept = {name: found.get("thresholds") for name, found in curves(data).items()}
    return {
        name: np.array([t[k] for k in ("threshold", *CELLS)], dtype=float).T[np.argsort(t["threshold"])]
        for name, t in kept.items()
        if t and t["threshold"]
    }


def reliability(found: Data) -> dict[str, list[tuple[float, float, float]]]:
    """{"before", "after", "recalibrated"}: (mean probability, share that came true, rows) of groups of rows, from the
    curves of one arm. What was not kept is left out."""
    groups = dict(found.get("reliability") or {})
    groups["recalibrated"] = found.get("recalibrated")
    return {
        k: [(g["predicted"], g["observed"], g["rows"]) for g in groups[k]]
        for k in ("before", "after", "recalibrated")
        if groups.get(k)
    }


def scores(data: Data) -> dict[str, Data]:
    """{arm: {"edges" [k + 1] log-odds, "positive" [k], "negative" [k]}}"""
    return {name: found["scores"] for name, found in curves(data).items() if found.get("scores")}


def many(data: Data, key: str) -> list[Data]:
    """A list of records that older reports lack."""
    return [one for one in data.get(key) or () if isinstance(one, Mapping)]


def cost(data: Data) -> tuple[float, float] | None:
    """(a missed positive, a false alarm); None where the study named none, or a matrix."""
    costs = data.get("costs") or {}
    return (costs["fn"], costs["fp"]) if costs.get("fn") is not None and costs.get("fp") is not None else None


def higher(data: Data) -> bool:
    """Whether larger values of the deciding metric are better."""
    return bool(data.get("metric_higher", data["metric"] not in formatting.LOWER_IS_BETTER))


def decisions(data: Data) -> tuple[float | None, list[list[float]]] | None:
    """(threshold, rows by truth and decision in the order of `classes`) of the chosen arm; None where not kept.

    Two classes: the kept threshold nearest to the verdict's. More: None, and the shifted probabilities decide.
    """
    found = curves(data).get(winner(data) or PLAIN, {})
    at, kept = data["verdict"].get("threshold"), found.get("thresholds")
    if kept and at is not None:
        i = min(range(len(kept["threshold"])), key=lambda i: abs(kept["threshold"][i] - at))
        return kept["threshold"][i], [[kept["tn"][i], kept["fp"][i]], [kept["fn"][i], kept["tp"][i]]]
    return (None, found["confusion"]) if found.get("confusion") else None
