"""Tables that are hard for a solver, made up, 4 to 6 % positives, each in a CSV file whose label is `failed`.

ratios      64 ratios of sums of heavy-tailed amounts, as balance sheets give: near-collinear columns, far outliers, gaps
categories  24 categorical columns of up to 60 levels, many of them rare, some nearly telling each other, and 8 numbers
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

Table = tuple[dict[str, np.ndarray], np.ndarray]


def ratios(rows: int, rng: np.random.Generator) -> Table:
    """{column: text of its cells}, and which rows failed."""
    columns, parts = 64, 8
    size = rng.choice([1.0, 30.0], p=[0.75, 0.25], size=(rows, 1))  # of the firm
    amounts = size * rng.lognormal(0.0, 1.5, size=(rows, parts))
    above, below = (rng.random((columns, parts)) < 0.4 for _ in range(2))
    above[np.arange(columns), rng.integers(parts, size=columns)] = True
    below[np.arange(columns), rng.integers(parts, size=columns)] = True
    owed = rng.choice([0.0, 0.3], size=columns)
    X = (amounts @ above.T - owed * (amounts @ below.T)) / (amounts @ below.T + 1e-3)
    X[:, ::4] *= rng.lognormal(0.0, 2.5, size=(rows, columns // 4))  # very long tails
    X[:, 1::7] = X[:, :1] + 1e-4 * X[:, 1::7]  # nearly one column
    score = sum(np.tanh(X[:, j] - np.median(X[:, j])) for j in (3, 10)) + rng.normal(size=rows)
    told = np.char.mod("%.5g", X)
    told[rng.random(X.shape) < 0.01] = ""
    return {f"ratio_{j}": told[:, j] for j in range(columns)}, score >= np.quantile(score, 0.96)


def categories(rows: int, rng: np.random.Generator) -> Table:
    """{column: text of its cells}, and which rows failed."""
    hidden = rng.normal(size=rows)
    rank = (hidden.argsort().argsort() + 0.5) / rows
    score = 0.7 * hidden + rng.normal(0.0, 1.5, size=rows)
    columns: dict[str, np.ndarray] = {}
    for j in range(24):
        levels = int(rng.choice([2, 3, 4, 7, 12, 20, 60]))
        shares = rng.dirichlet(np.full(levels, 0.4))
        if j % 3:
            code = rng.choice(levels, p=shares, size=rows)
        else:  # all of these follow what is hidden
            code = np.minimum(np.searchsorted(shares.cumsum(), rank), levels - 1)
        score = score + rng.normal(0.0, 0.5, size=levels)[code]
        columns[f"kind_{j}"] = np.char.mod("level %d", code)
    for j in range(8):
        columns[f"number_{j}"] = np.char.mod("%.4g", rng.lognormal(size=rows) + 0.3 * score)
    return columns, score >= np.quantile(score, 0.94)


HARD: dict[str, tuple[Callable[[int, np.random.Generator], Table], int]] = {
    "ratios": (ratios, 7_000),
    "categories": (categories, 15_000),
}


def write(name: str, path: Path, rows: int | None = None, seed: int = 0) -> Path:
    """The table of that name as a CSV file; 7,000 and 15,000 rows unless said."""
    make, usual = HARD[name]
    columns, failed = make(usual if rows is None else rows, np.random.default_rng(seed))
    cells = np.column_stack([*columns.values(), failed.astype(int).astype(str)])
    lines = [",".join([*columns, "failed"]), *(",".join(row) for row in cells.tolist())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
