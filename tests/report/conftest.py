"""A study's plain data made by hand: 1,000 rows, 50 of them ill, in the form that `Study.to_dict()` has."""

import base64
import copy
import functools
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from steelyard import Counts, Recipe, focal, inverse_frequency, logit_adjustment, report
from steelyard.report import Report, page, pictures
from steelyard.report.drawing import Drawing

COUNTS = Counts([950, 50], ["well", "ill"])
KEPT = (
    "No weighting beats plain training with a moved threshold: the best (inverse_frequency(beta=0.5)) differs by +0.003"
    " [-0.004, 0.010], so a gain above 0.010 is unlikely. Keep plain training and set the threshold at 0.231."
)
WON = (
    "inverse_frequency(beta=0.5) beats plain training with a moved threshold: average precision 0.456 against 0.364,"
    " difference +0.092 [95 % simultaneous interval 0.031, 0.152], 50 positives, 5 x 5 cross-validation, 2 strategies"
    " compared."
)

UNFINISHED = "No verdict yet: 2 of 5 repetitions were finished when the study stopped; a verdict needs 3. The same command goes on."


def _arm(
    name: str, recipe: Recipe, value: float, difference: float, low: float, high: float, equals: str | None = None
):
    metrics = {
        "average_precision": {"value": value, "difference": difference, "low": low, "high": high},
        "roc_auc": {"value": 0.8712, "difference": 0.0011, "low": -0.0042, "high": 0.0063},
        "log_loss": {"value": 0.14337, "difference": -0.0004, "low": -0.0011, "high": 0.0002},
        "log_loss_recalibrated": {"value": 0.14291, "difference": -0.0003, "low": -0.001, "high": 0.0002},
        "brier_recalibrated": {"value": 0.03912, "difference": 0.0, "low": -0.0001, "high": 0.0001},
        "recall_at_capacity": {"value": 0.2531, "difference": 0.01, "low": -0.02, "high": 0.04},
        "mcc": {"value": 0.3521, "difference": 0.01, "low": -0.02, "high": 0.04},
    }
    return {
        "name": name,
        "recipe": json.loads(recipe.to_json()),
        "metrics": metrics,
        "strengths": {"1": 20, "3.162": 5},
        "strength": 1.0,
        "threshold": 0.231,
        "at_cut": {"mcc": 0.3521 if name.startswith("focal") else 0.3012},
        "equals_plain": equals,
    }


def _curves(shift: float) -> dict[str, Any]:
    groups = [(0.01, 0.008), (0.04, 0.05), (0.11, 0.10), (0.42, 0.39)]
    return {
        "reliability": {
            "before": [{"predicted": p**0.6, "observed": o, "rows": 250} for p, o in groups],
            "after": [{"predicted": p + shift, "observed": o, "rows": 250} for p, o in groups],
        },
        "precision_recall": {
            "threshold": [0.0, 0.1, 0.231, 0.6],
            "recall": [1.0, 0.8, 0.6, 0.2],
            "precision": [0.05, 0.2, 0.5, 0.9 - shift],
        },
        "thresholds": {
            "threshold": [0.0, 0.1, 0.231, 0.6],
            "tp": [50.0, 40.0, 30.5, 10.0],
            "fp": [950.0, 160.0, 29.5, 1.0],
            "fn": [0.0, 10.0, 19.5, 40.0],
            "tn": [0.0, 790.0, 920.5, 949.0],
        },
        "scores": {
            "edges": [-6.0, -4.0, -2.0, 0.0, 2.0],
            "positive": [2.5, 7.5, 20.0, 20.0],
            "negative": [700.0, 200.5, 40.0, 9.5],
        },
        "recalibrated": [{"predicted": p + shift / 2, "observed": o, "rows": 250} for p, o in groups],
    }


def _beside(name: str, value: float, difference: float, low: float | None, high: float | None) -> dict[str, Any]:
    metrics = {
        "average_precision": {"value": value, "difference": difference, "low": low, "high": high},
        "f1": {"value": 0.2871, "difference": -0.1, "low": None, "high": None},
    }
    return {"name": name, "note": f"what {name} means", "metrics": metrics}


PATH = {
    "ingredient": "inverse_frequency",
    "parameter": "beta",
    "points": [
        {"x": 0.0, "arm": "plain", "value": 0.3642, "difference": 0.0, "low": 0.0, "high": 0.0},
        {
            "x": 0.25,
            "arm": "inverse_frequency(beta=0.25)",
            "value": 0.3649,
            "difference": 0.0007,
            "low": -0.004,
            "high": 0.005,
        },
        {
            "x": 0.5,
            "arm": "inverse_frequency(beta=0.5)",
            "value": 0.3672,
            "difference": 0.003,
            "low": -0.0041,
            "high": 0.0099,
        },
    ],
}


def _study() -> dict[str, Any]:
    half = inverse_frequency(COUNTS, beta=0.5)
    arms = [
        _arm("plain", Recipe(classes=COUNTS.classes), 0.3642, 0.0, 0.0, 0.0),
        _arm("logit_adjustment(tau=1)", logit_adjustment(COUNTS), 0.3642, 0.0, 0.0, 0.0, "the intercept takes it up"),
        _arm("focal(gamma=2)", focal(gamma=2.0), 0.3592, -0.005, -0.0121, 0.0019),
        _arm("inverse_frequency(beta=0.5)", half, 0.3672, 0.003, -0.0041, 0.0099),
    ]
    return {
        "format": "steelyard.report/1",
        "version": "0.1.0",
        "data": {
            "path": "clinic/ill.csv",
            "rows": 1000,
            "rows_read": 1000,
            "columns": 8,
            "label": "state",
            "classes": ["well", "ill"],
            "counts": [950, 50],
            "notes": ['column "id" is different in every row and left out'],
        },
        "positive": "ill",
        "metric": "average_precision",
        "metric_title": "average precision",
        "metric_higher": True,
        "costs": None,
        "model": "linear",
        "seed": 3,
        "axis": {"name": "strength", "title": "regularisation strength"},
        "capacity": {"rows": 200, "per": 10000},
        "splits": {"folds": 5, "repeats": 5, "kind": "stratified", "by": None, "judged": 1000},
        "bootstrap": 1000,
        "strengths": [0.1, 1.0, 10.0, 10000.0],
        "margin": 0.005,
        "gate": {"name": "AUC", "value": 0.8712, "low": 0.8121, "chance": 0.5, "open": True},
        "arms": arms,
        "baselines": [
            _beside("majority", 0.05, -0.3142, None, None),
            _beside("plain at 0.5", 0.3642, 0.0, 0.0, 0.0),
            _beside("plain, prior shift", 0.3642, 0.0, 0.0, 0.0),
            _beside("random oversampling", 0.3511, -0.0131, -0.0301, 0.0042),
        ],
        "paths": [copy.deepcopy(PATH)],
        "search": {
            "ingredient": "inverse_frequency",
            "parameter": "beta",
            "trials": [{"x": 0.1, "value": 0.3651}, {"x": 0.42, "value": 0.3681}, {"x": 0.8, "value": 0.3499}],
            "best": 0.42,
        },
        "stopped": None,
        "skipped": [{"name": "generalized(q=0.7)", "reason": "this model cannot train with it"}],
        "verdict": {
            "case": "B",
            "winner": None,
            "best": "inverse_frequency(beta=0.5)",
            "ties": [],
            "threshold": 0.231,
            "sentence": KEPT,
            "remarks": ["With 50 positives medium effects can be missed."],
        },
        "final": {
            "arm": "plain",
            "recipe": arms[0]["recipe"],
            "strength": 2.5,
            "threshold": 0.231,
            "threshold_rule": "f1",
            "coefficients": {"age": [0.2]},
            "intercept": [-3.0],
        },
        "priced": [
            {"miss": 1.0, "threshold": 0.5, "found": 14.2, "missed": 35.8, "alarms": 6.0},
            {"miss": 5.0, "threshold": 0.18, "found": 33.0, "missed": 17.0, "alarms": 51.4},
            {"miss": 20.0, "threshold": 0.047, "found": 44.0, "missed": 6.0, "alarms": 240.2},
            {"miss": 100.0, "threshold": 0.0096, "found": 49.4, "missed": 0.6, "alarms": 702.0},
        ],
        "fits": {"new": 400, "reused": 12},
        "curves": {"plain": _curves(0.0), "inverse_frequency(beta=0.5)": _curves(0.02)},
        "warnings": ["14 rows stand twice in the table"],
        "seconds": 37.21,
    }


def _won(recipe: Recipe | None = None) -> dict[str, Any]:
    data, name = _study(), "inverse_frequency(beta=0.5)"
    arm = data["arms"][3]
    arm["metrics"]["average_precision"] = {"value": 0.456, "difference": 0.092, "low": 0.031, "high": 0.152}
    if recipe is not None:
        arm["recipe"] = json.loads(recipe.to_json())
    data["verdict"] |= {"case": "A", "winner": name, "ties": ["focal(gamma=2)"], "sentence": WON}
    data["final"] |= {"arm": name, "recipe": arm["recipe"]}
    return data


def _three() -> dict[str, Any]:
    """Three classes: no positive, no ranking, a threshold that is a power of the class shares."""
    data = _study()
    names = ["a", "b", "c"]
    counts = Counts([700, 200, 100], names)
    data["data"] |= {"classes": names, "counts": [700, 200, 100]}
    data |= {"positive": None, "metric": "balanced_accuracy", "metric_title": "balanced accuracy"}
    for arm, recipe in zip(
        data["arms"],
        (Recipe(classes=names), logit_adjustment(counts), focal(gamma=2.0), inverse_frequency(counts, beta=0.5)),
        strict=True,
    ):
        arm["recipe"] = json.loads(recipe.to_json())
        arm["metrics"] = {"balanced_accuracy": arm["metrics"]["average_precision"], "mcc": {"value": 0.511}}
    data["final"] |= {"recipe": data["arms"][0]["recipe"], "threshold_rule": "balanced_accuracy"}
    data["verdict"]["threshold"] = 0.35
    table = [[650.0, 30.0, 20.0], [60.0, 120.5, 19.5], [30.0, 10.0, 60.0]]
    reliability = data["curves"]["plain"]["reliability"]
    data["curves"] = {name: {"reliability": reliability, "confusion": table} for name in data["curves"]}
    data["sampled"] = {name: _moving(table) for name in data["curves"]}
    data["costs"] = {"matrix": [[0.0, 1.0, 1.0], [2.0, 0.0, 1.0], [7.0, 3.0, 0.0]]}
    data["capacity"] = None
    for one in data["baselines"]:
        one["metrics"] = {"balanced_accuracy": one["metrics"]["average_precision"]}
    data["per_class"] = {
        name: [
            {"class": c, "rows": n, "precision": 0.611 + shift, "recall": 0.722 - shift, "f1": 0.655}
            for c, n in zip(names, (700, 200, 100), strict=True)
        ]
        for name, shift in (("plain", 0.0), ("inverse_frequency(beta=0.5)", 0.05))
    }
    return data


def _moving(table: list[list[float]]) -> dict[str, Any]:
    """One decision for each cell of the table, some way ahead of the others: class c is behind by 0.4 and 0.1 for each place."""
    cells = [(y, c) for y in range(3) for c in range(3)]
    behind = [0 if c == said else 400 + 100 * y + 50 * c for y, said in cells for c in range(3)]

    def text(values: bytes) -> str:
        return base64.b64encode(values).decode()

    return {
        "rows": len(cells),
        "of": len(cells),
        "unit": 0.001,
        "truth": text(bytes(y for y, _ in cells)),
        "times": text(struct.pack("<9f", *(table[y][c] for y, c in cells))),
        "behind": text(struct.pack("<27H", *behind)),
    }


NEW = ("axis", "capacity", "baselines", "paths", "search", "stopped", "skipped", "per_class", "sampled")


def _older() -> dict[str, Any]:
    """A report from before the keys in NEW were written."""
    data = _study()
    for key in NEW:
        data.pop(key, None)
    data["splits"] = {"folds": 5, "repeats": 5}
    for found in data["curves"].values():
        del found["scores"], found["recalibrated"]
    return data


def _partial() -> dict[str, Any]:
    data = _study()
    data["stopped"] = {"why": "interrupted", "repeats_done": 2, "repeats_planned": 5}
    data["verdict"] |= {"case": "P", "best": None, "sentence": UNFINISHED}
    return data


def _hostile() -> dict[str, Any]:
    """Every text that comes from the user is an attack."""
    data = _won()
    bad = ["<script>alert(1)</script>", "\"'>\n</svg><img src=x onerror=alert(2)>{{ 7*7 }}"]
    arm = '" onmouseover="alert(3)" x="</title></style>'
    data["data"] |= {"classes": bad, "path": f"/tmp/{bad[0]}.csv", "label": bad[1], "notes": [bad[0], bad[1]]}
    data |= {"positive": bad[1], "warnings": [bad[0]], "model": bad[0], "version": bad[0]}
    for one in data["arms"]:
        if one["recipe"]["classes"]:
            one["recipe"]["classes"] = bad
    data["arms"][1]["equals_plain"] = bad[0]
    data["arms"][3]["name"] = arm
    data["curves"][arm] = data["curves"].pop("inverse_frequency(beta=0.5)")
    for one in data["baselines"]:
        one |= {"name": bad[0], "note": bad[1]}
    data["skipped"] = [{"name": bad[0], "reason": bad[1]}]
    data["paths"][0] |= {"ingredient": bad[0], "parameter": bad[1]}
    data["search"] |= {"ingredient": bad[0], "parameter": bad[1]}
    data["splits"] |= {"kind": "grouped", "by": bad[0]}
    data["verdict"] |= {"winner": arm, "best": arm, "sentence": f"{arm} beats {bad[0]} by +0.092 [0.031, 0.152]."}
    data["final"] |= {"arm": arm, "recipe": data["arms"][3]["recipe"]}
    return data


@pytest.fixture(scope="session", autouse=True)
def drawn_once() -> Iterator[None]:
    """The same study has the same pictures: they are made once for all tests, for that takes most of the time of a page."""
    make, draw = pictures.pictures, page.draw
    specs: dict[str, list[pictures.Picture]] = {}
    drawn: dict[str, Drawing] = {}

    def pictures_of(study: Report) -> list[pictures.Picture]:
        key = repr(study)
        if key not in specs:
            specs[key] = make(study)
        return list(specs[key])

    def drawing_of(study: Report, known: Mapping[str, str] | None = None) -> Drawing:
        key = repr(study)
        if key not in drawn:
            drawn[key] = draw(study)
        return drawn[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "pictures", pictures_of)
        patch.setattr(page, "draw", drawing_of)
        yield


@functools.cache
def _page(text: str) -> str:
    return report.html(Report.from_json(text))


@pytest.fixture(scope="session")
def page_of() -> Callable[[dict[str, Any]], str]:
    """The page of a study, made once for all tests that only read it."""
    return lambda data: _page(json.dumps(data))


@pytest.fixture
def kept() -> dict[str, Any]:
    return _study()


@pytest.fixture
def won() -> dict[str, Any]:
    return _won()


@pytest.fixture
def hostile() -> dict[str, Any]:
    return _hostile()


@pytest.fixture
def three() -> dict[str, Any]:
    return _three()


@pytest.fixture
def older() -> dict[str, Any]:
    return _older()


@pytest.fixture
def partial() -> dict[str, Any]:
    return _partial()


@pytest.fixture
def winning_with() -> Callable[[Recipe], dict[str, Any]]:
    """The study won by this recipe."""
    return _won


@pytest.fixture(params=["kept", "won", "hostile", "three", "focal won", "older", "partial"])
def any_study(request: pytest.FixtureRequest) -> dict[str, Any]:
    made = {
        "kept": _study,
        "won": _won,
        "hostile": _hostile,
        "three": _three,
        "older": _older,
        "partial": _partial,
        "focal won": lambda: _won(focal(gamma=2.0)),
    }
    return copy.deepcopy(made[request.param]())
