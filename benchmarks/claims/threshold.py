"""Weights or a moved threshold: ranking, calibration and decisions of logistic regressions."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.preprocessing import StandardScaler

import steelyard as sy

from ..generators import SLOPES, intercept
from .claim import Claim, Conclusion, Finding, Record, Table, paired

DRAWS, SPLITS, ROWS, PREVALENCE, TEST_SHARE = 30, 20, 1000, 0.05, 0.3
TABLE = Path(__file__).parents[2] / "examples" / "data" / "mammography_adbench.csv"
DATA = {"drawn": "made up", "mammography": "mammography"}
Rows = tuple[np.ndarray, np.ndarray]


def units(small: bool) -> list[str]:
    return list(DATA)


def run(unit: str, small: bool) -> Record:
    if unit == "drawn":
        return {"runs": [compare(*draw(seed, 2000 if small else 50_000)) for seed in range(4 if small else DRAWS)]}
    table = np.genfromtxt(TABLE, delimiter=",", skip_header=1, dtype=str)
    x, y = table[:, :-1].astype(float), (np.char.strip(table[:, -1], "'\" ") == "yes").astype(int)
    if small:
        x, y = x[::4], y[::4]
    splits = StratifiedShuffleSplit(4 if small else SPLITS, test_size=TEST_SHARE, random_state=0).split(x, y)
    return {"runs": [compare((x[train], y[train]), (x[test], y[test])) for train, test in splits]}


def draw(seed: int, test_rows: int) -> tuple[Rows, Rows]:
    """Five features, a logistic truth, 5 % yes."""
    rng = np.random.default_rng(seed)
    b = intercept(PREVALENCE, float(np.linalg.norm(SLOPES)))
    x = rng.normal(size=(ROWS + test_rows, len(SLOPES)))
    y = (rng.random(len(x)) < 1 / (1 + np.exp(-(b + x @ SLOPES)))).astype(int)
    return (x[:ROWS], y[:ROWS]), (x[ROWS:], y[ROWS:])


def compare(train: Rows, test: Rows) -> dict[str, float]:
    """Measures on the test rows of the plain model and of the balanced one, as it says and undone."""
    (x, y), (x_test, y_test) = train, test
    counts = sy.count(y)
    recipe = sy.inverse_frequency(counts)
    scaled = StandardScaler().fit(x)

    def fitted(weights: dict[int, float] | None) -> np.ndarray:
        model = LogisticRegression(class_weight=weights, max_iter=1000).fit(scaled.transform(x), y)
        return model.decision_function(scaled.transform(x_test))

    plain, weighted = fitted(None), fitted(dict(enumerate(recipe.label_weights())))
    p, q = sigmoid(plain), sigmoid(weighted)
    undone = sy.posterior(np.stack([np.zeros_like(weighted), weighted], axis=1), recipe)[:, 1]
    prevalence = y.mean()
    return {
        "AUC, plain": roc_auc_score(y_test, plain),
        "AUC, weighted": roc_auc_score(y_test, weighted),
        "average precision, plain": average_precision_score(y_test, plain),
        "average precision, weighted": average_precision_score(y_test, weighted),
        "log loss, plain": log_loss(y_test, p),
        "log loss, weighted": log_loss(y_test, q),
        "log loss, undone": log_loss(y_test, undone),
        "offset, plain": offset(plain, y_test),
        "offset, weighted": offset(weighted, y_test),
        "log ratio": math.log(counts.per_class[0] / counts.per_class[1]),
        "balanced accuracy, plain at 1/2": balanced_accuracy_score(y_test, p >= 0.5),
        "balanced accuracy, plain at the prevalence": balanced_accuracy_score(y_test, p >= prevalence),
        "balanced accuracy, weighted at 1/2": balanced_accuracy_score(y_test, q >= 0.5),
    }


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def offset(log_odds: np.ndarray, y: np.ndarray) -> float:
    """What has to be added to the log-odds so that they say as many yes as there are: 0 of calibrated ones."""
    from scipy.optimize import brentq

    return float(brentq(lambda b: sigmoid(log_odds + b).mean() - y.mean(), -15, 15))  # type: ignore[arg-type]


def conclude(records: Mapping[str, Record]) -> Conclusion:
    findings: list[Finding] = []
    tables = []
    for unit, found in records.items():
        runs, name = found["runs"], DATA[unit]
        of = f"{len(runs)} {'draws' if unit == 'drawn' else 'splits'}"
        share = 0.0 if unit == "drawn" else TEST_SHARE

        def apart(one: str, other: str, runs: list[dict[str, float]] = runs) -> list[float]:
            return [r[one] - r[other] for r in runs]

        for what, claimed, values in (
            ("ROC AUC, weighted minus plain", (-0.005, 0.005), apart("AUC, weighted", "AUC, plain")),
            (
                "average precision, weighted minus plain",
                (None, 0.005),
                apart("average precision, weighted", "average precision, plain"),
            ),
            (
                "offset of the weighted log-odds plus log(n_no / n_yes)",
                (-0.25, 0.25),
                [r["offset, weighted"] + r["log ratio"] for r in runs],
            ),
            (
                "log loss, weighted over plain",
                (2, None),
                [r["log loss, weighted"] / r["log loss, plain"] for r in runs],
            ),
            ("log loss, undone minus plain", (None, 0.003), apart("log loss, undone", "log loss, plain")),
            (
                "balanced accuracy, plain cut at the prevalence minus weighted at 1/2",
                (-0.005, None),
                apart("balanced accuracy, plain at the prevalence", "balanced accuracy, weighted at 1/2"),
            ),
        ):
            findings.append(paired(f"{name}: {what}", claimed, values, of, test_share=share))
        rows = [
            [measure, f"{np.mean([r[measure] for r in runs]):.4f}"] for measure in runs[0] if measure != "log ratio"
        ]
        tables.append(Table(f"{name[:1].upper()}{name[1:]}, means over {of}", ("measure", "mean"), rows))
    return Conclusion(findings, tables)


CLAIM = Claim(
    name="threshold",
    title="Weights do not rank better, and a moved threshold decides as well",
    says="Balanced class weights leave the ranking of a logistic regression as it was, spoil its probabilities by about log(n_no / n_yes) until that is "
    "undone, and reach no better balanced accuracy at 1/2 than the plain model cut at the share of positives.",
    source="The same was found for resampling by van den Goorbergh et al. 2022, JAMIA 29(9):1525.",
    done="scikit-learn's logistic regression, plain and with the weights of `sy.inverse_frequency`, undone by `sy.posterior`. *made up*: 1,000 rows with "
    "five features, 5 % yes, a logistic truth, 50,000 rows to test. *mammography*: 11,183 real rows, 2.3 % yes, splits of 70 to 30; as these share rows, "
    "their intervals are corrected for it (Nadeau and Bengio 2003).",
    seeds=f"{DRAWS} draws, {SPLITS} splits",
    units=units,
    run=run,
    conclude=conclude,
)
