"""Balanced weights in scikit-learn say 8.9 times too many positives; undone they say what is there, and the threshold is tuned inside.

Mammography data (examples/data): 260 of 11,183 rows are calcifications, 2.3 %.
"""

import csv
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, brier_score_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from steelyard.integrations.sklearn import Weighted


def load() -> tuple[np.ndarray, np.ndarray]:
    with open(Path(__file__).parent / "data" / "mammography_adbench.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    label = "calcification"
    y = np.array([int(row[label] == "yes") for row in rows])
    return np.array([[float(v) for k, v in row.items() if k != label] for row in rows]), y


def main() -> None:
    X, y = load()
    train, test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    print(f"{y.sum()} of {len(y)} rows are positive; held out: {y_test.mean():.4f}")
    balanced = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced")).fit(train, y_train)
    print("class_weight='balanced'")
    _print(balanced.predict_proba(test)[:, 1], balanced.predict(test), y_test)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    undone = Weighted(model, "inverse-frequency", threshold="balanced_accuracy").fit(train, y_train)
    print(f"Weighted, threshold {undone.threshold_:.3f}")
    _print(undone.predict_proba(test)[:, 1], undone.predict(test), y_test)


def _print(p: np.ndarray, said: np.ndarray, y: np.ndarray) -> None:
    print(f"  mean probability {p.mean():.4f} ({p.mean() / y.mean():.1f} times the share)")
    print(f"  Brier score {brier_score_loss(y, p):.4f}, balanced accuracy {balanced_accuracy_score(y, said):.3f}")


if __name__ == "__main__":
    main()
