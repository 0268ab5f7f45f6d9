"""python -m benchmarks outside: our linear models and the tuner on real tables, beside numbers that others have published.

The tables lie outside the project (--data); none of them is needed for anything else. Two parts:

published  Repeated stratified 10-fold cross-validation, 3 times, plain and balanced logistic regression at threshold 1/2:
           J. Brownlee, "Imbalanced Classification Model to Detect Mammography Microcalcifications" (2020): ROC AUC .919
           and .922; and "How to Develop an Imbalanced Classification Model to Detect Oil Spills" (2020): G-mean .621 and
           .843 (machinelearningmastery.com). Each is done with scikit-learn and with the tuner's own linear models.
verdicts   What `steelyard.tune` says, its defaults but for the metric and the seed, over several seeds.
"""

import argparse
import dataclasses
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import steelyard as sy
from steelyard.counts import Counts
from steelyard.tuning.data.problem import problem

from .honesty import Cache, code, commit, publish
from .rates import share
from .verdicts import fit_and_score, sharing, told

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PUBLISHED = {
    ("mammography", "plain"): {"roc_auc": 0.919},
    ("mammography", "balanced"): {"roc_auc": 0.922},
    ("oil spill", "plain"): {"g_mean": 0.621},
    ("oil spill", "balanced"): {"g_mean": 0.843},
}


@dataclasses.dataclass(frozen=True)
class Real:
    """A real table: `read` gives {column: values} with y 0 or 1; which metrics to judge by, with how many seeds."""

    read: Callable[[Path], dict[str, np.ndarray]]
    metrics: tuple[str, ...] = ("average_precision", "roc_auc", "balanced_accuracy", "expected_cost")
    seeds: int = 6


def mammography(data: Path) -> dict[str, np.ndarray]:
    """11,183 candidate calcifications, 260 real ones. Woods et al. 1993."""
    return _columns(data / "tabular" / "mammography_adbench.csv", -1, "yes", skip=1)


def oil_spill(data: Path) -> dict[str, np.ndarray]:
    """937 dark patches, 41 oil slicks. Kubat, Holte, Matwin 1998. Without the patch number and a constant column."""
    return _columns(data / "tabular" / "oil-spill.csv", -1, "1", leave=(0, 22))


def pima(data: Path) -> dict[str, np.ndarray]:
    """768 women, 268 with diabetes. Smith et al. 1988. Zeros that stand for missing values are left as they are."""
    return _columns(data / "tabular" / "pima-indians-diabetes.csv", -1, "1")


def german(data: Path) -> dict[str, np.ndarray]:
    """1,000 credits, 300 bad ones; its own costs are 5 : 1. Hofmann 1994, UCI."""
    return _columns(data / "tabular" / "german.csv", -1, "2")


def ai4i(data: Path) -> dict[str, np.ndarray]:
    """10,000 machine states, 339 failures. Matzka 2020, UCI. Without the row number and the product's."""
    return _columns(data / "tabular" / "ai4i2020.csv", -1, "1", leave=(0, 1), skip=1)


def page_blocks(kind: str) -> Callable[[Path], dict[str, np.ndarray]]:
    """5,473 blocks of pages, one kind against the rest: 3 (pictures, 28) or 5 (graphics, 115). Malerba 1994, UCI."""

    def read(data: Path) -> dict[str, np.ndarray]:
        return _columns(data / "tabular" / "page.blocks.arff", -1, kind)

    return read


TABLES = {
    "oil spill": Real(oil_spill),
    "pima": Real(pima),
    "german": Real(german),
    "ai4i": Real(ai4i),
    "page blocks 3": Real(page_blocks("3")),
    "page blocks 5": Real(page_blocks("5")),
    "mammography": Real(mammography, ("average_precision", "roc_auc", "balanced_accuracy"), seeds=2),
}


def _columns(
    path: Path, label: int, positive: str, *, leave: Sequence[int] = (), skip: int = 0
) -> dict[str, np.ndarray]:
    """{x0, x1, ..: numbers, or text where a cell is none; y}; arff is read as the csv below its @data line."""
    lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    if path.suffix == ".arff":
        skip = next(i for i, line in enumerate(lines) if line.lower() == "@data") + 1
    cells = np.array([[c.strip() for c in line.split(",")] for line in lines[skip:]], dtype=object)
    label %= cells.shape[1]
    used = [j for j in range(cells.shape[1]) if j != label and j not in leave]
    columns = {f"x{i}": _numbers(cells[:, j]) for i, j in enumerate(used)}
    return columns | {"y": (cells[:, label] == positive).astype(np.int64)}


def _numbers(cells: np.ndarray) -> np.ndarray:
    try:
        return cells.astype(np.float64)
    except ValueError:
        return cells


def published(name: str, columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Plain and balanced logistic regression in 10 x 3 folds: means over folds by scikit-learn and by our models, and how
    far their log-odds are apart at most. Probabilities are as trained, not undone, as in what was published."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import RepeatedStratifiedKFold
    from sklearn.preprocessing import StandardScaler

    X, y = np.column_stack([v for k, v in columns.items() if k != "y"]), columns["y"]
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    apart = {"plain": 0.0, "balanced": 0.0}
    for train, out in RepeatedStratifiedKFold(n_splits=10, n_repeats=3, random_state=1).split(X, y):
        scaler = StandardScaler().fit(X[train])
        known, unseen = (np.asarray(scaler.transform(X[rows])) for rows in (train, out))
        counts = Counts(np.bincount(y[train]), ["0", "1"])
        for way, weight, recipe in (
            ("plain", None, sy.Recipe()),
            ("balanced", "balanced", sy.unit_mass(sy.inverse_frequency(counts), counts)),
        ):
            theirs = LogisticRegression(class_weight=weight, tol=1e-8, max_iter=10_000).fit(known, y[train])
            scores = {
                "scikit-learn": theirs.decision_function(unseen),
                "steelyard": fit_and_score(known, y[train], recipe, 1.0, unseen)[0],
            }
            apart[way] = max(apart[way], float(np.abs(scores["scikit-learn"] - scores["steelyard"]).max()))
            for by, z in scores.items():
                found.setdefault((way, by), []).append(at_half(y[out], z))
    return [
        {"table": name, "way": way, "by": by, "folds": len(each), "apart": apart[way]}
        | {k: statistics.mean(e[k] for e in each) for k in each[0]}
        | {"published": PUBLISHED[name, way]}
        for (way, by), each in found.items()
    ]


def at_half(y: np.ndarray, z: np.ndarray) -> dict[str, float]:
    """Metrics of log-odds, deciding at 0."""
    from sklearn import metrics as sk

    said, p = z >= 0, 1 / (1 + np.exp(-z))
    hit = np.array([np.mean(said[y == c] == c) for c in (0, 1)])
    return {
        "roc_auc": float(sk.roc_auc_score(y, z)),
        "average_precision": float(sk.average_precision_score(y, z)),
        "balanced_accuracy": float(hit.mean()),
        "g_mean": float(np.sqrt(hit.prod())),
        "f1": float(sk.f1_score(y, said)),
        "log_loss": float(np.logaddexp(0, np.where(y == 1, -z, z)).mean()),
        "brier": float(np.mean((p - y) ** 2)),
    }


def verdicts(name: str, columns: dict[str, np.ndarray], seed: int, metrics: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What the tuner says with this seed, by metric. Costs are 5 for a missed positive and 1 for a false alarm."""
    import pyarrow as pa

    task = problem(pa.table(columns), "y", "1")
    with sharing():
        for metric in metrics:
            costs: dict[str, Any] = {"cost_fn": 5.0, "cost_fp": 1.0} if metric == "expected_cost" else {}
            started = time.perf_counter()
            found = sy.tune(task, metric=metric, seed=seed, **costs)
            told_of = told(found) | {"sentence": found.verdict.sentence, "seconds": time.perf_counter() - started}
            yield {"generator": name, "repeat": seed, "metric": metric} | told_of


def shares(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One row: over the seeds, how often there was a winner, its names, the cases, and the best arm's gain."""
    first, won = records[0], [r for r in records if r["winner"]]
    return {
        "table": first["generator"],
        "metric": first["metric"],
        "rare": first["rare"],
        "seeds": [r["repeat"] for r in records],
        "winners": share([bool(r["winner"]) for r in records]),
        "names": dict(Counter(r["winner"] for r in won).most_common()),
        "cases": dict(sorted(Counter(r["case"] for r in records).items())),
        "plain": statistics.mean(r["plain"] for r in records),
        "best": dict(Counter(r["best"] for r in records).most_common()),
        "interval_of_best": [statistics.mean(r["arms"][r["best"]][i] for r in records if r["best"]) for i in range(3)],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks outside", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder that holds tabular/")
    parser.add_argument("--tables", default="", help=f"of {', '.join(TABLES)}; all unless given")
    parser.add_argument("--seeds", type=int, help="instead of each table's own number")
    parser.add_argument("--cache", default=os.path.join(tempfile.gettempdir(), "steelyard-outside"))
    parser.add_argument("--commit", help="what to write down as the commit where git does not know")
    options = parser.parse_args(arguments)
    if not (options.data / "tabular").is_dir():
        raise SystemExit(f"outside: {options.data} has no folder tabular; say with --data where the tables are.")
    names = options.tables.split(",") if options.tables else list(TABLES)
    if unknown := [n for n in names if n not in TABLES]:
        raise SystemExit(f"outside: unknown tables {', '.join(unknown)}. Known: {', '.join(TABLES)}.")
    cache = Cache(Path(options.cache), f"outside-{code()}")
    for name in names:
        real = TABLES[name]
        columns = real.read(options.data)
        for seed in range(options.seeds or real.seeds):
            for record in verdicts(name, columns, seed, cache.missing(name, seed, real.metrics)):
                cache.add([record])
                print(f"{name}, seed {seed}: {record['case']} {record['sentence']}", flush=True)
    read = {"mammography": mammography, "oil spill": oil_spill}
    rows = [row for name in read for row in published(name, read[name](options.data))]
    every = [
        shares([cache.records[k] for k in sorted(cache.records) if k[:2] == (name, metric)])
        for name in TABLES
        for metric in TABLES[name].metrics
        if any(k[:2] == (name, metric) for k in cache.records)
    ]
    about = {"commit": commit() or options.commit, "code": code(), "published": rows}
    print(publish("outside", every, about))


if __name__ == "__main__":
    main()
