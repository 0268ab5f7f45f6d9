"""The columns of a table as few values, for boosted trees: laid once, the same ones for every arm."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

BINS = 255  # values of a column that scikit-learn tells apart


@dataclasses.dataclass(frozen=True)
class Bins:
    """Every column as at most BINS values, the same ones for all arms.

    scikit-learn would lay the bins by the weights: other ones for every arm, at a cost beyond that of a small fit.

    edges    of the numbers by column: the quantiles, a value equal to an edge below it
    places   of the categories by column: the frequent codes have one of their own, the others share the last; unseen: NaN
    """

    edges: dict[int, np.ndarray]
    places: dict[int, np.ndarray]

    @classmethod
    def of(cls, X: np.ndarray, categorical: np.ndarray | None) -> Self:
        edges, places = {}, {}
        codes = np.zeros(X.shape[1], dtype=bool) if categorical is None else categorical
        for j, column in enumerate(X.T):
            known = column[~np.isnan(column)]
            if codes[j]:
                counts = np.bincount(known.astype(np.int64), minlength=1)
                order = np.argsort(-counts, kind="stable")
                place = np.full(len(counts), BINS - 1.0)
                place[order[: BINS - 1]] = np.arange(min(BINS - 1, len(counts)))
                places[j] = np.where(counts > 0, place, np.nan)
            elif len(np.unique(known)) > BINS:
                shares = np.linspace(0, 1, BINS + 1)[1:-1]
                edges[j] = np.unique(np.quantile(known, shares, method="averaged_inverted_cdf"))
        return cls(edges, places)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        X = X.copy()
        for j, edge in self.edges.items():
            X[:, j] = np.where(np.isnan(X[:, j]), np.nan, np.searchsorted(edge, X[:, j], side="left"))
        for j, place in self.places.items():
            known = ~np.isnan(X[:, j])
            codes = X[known, j].astype(np.int64)
            X[known, j] = np.where(codes < len(place), place[np.minimum(codes, len(place) - 1)], np.nan)
        return X

    def to_dict(self) -> dict[str, dict[str, list[float | None]]]:
        """{"edges": {column: its edges}, "places": {column: the place of every code, null where it has none}}."""
        return {
            "edges": {str(j): edge.tolist() for j, edge in self.edges.items()},
            "places": {
                str(j): [None if np.isnan(v) else v for v in place.tolist()] for j, place in self.places.items()
            },
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any], width: int) -> Self:
        """`to_dict()` again, of rows of `width` columns. ValueError for a column that there is not, and edges that do not ascend."""
        parts: dict[str, dict[int, np.ndarray]] = {}
        for part in ("edges", "places"):
            parts[part] = {}
            for name, values in state[part].items():
                if not name.isdecimal() or int(name) >= width:
                    raise ValueError(f"fitted.{part} names the column {name!r}, and there are {width}")
                parts[part][int(name)] = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
        if any(not (np.diff(edge) > 0).all() for edge in parts["edges"].values()):
            raise ValueError("fitted.edges do not ascend")
        return cls(**parts)
