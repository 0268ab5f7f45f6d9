"""Rows drawn again until every class has as many: the resamplings that people use without weights, as baselines.

The draws are those of imbalanced-learn with the same seed, which the tests hold them to. It is not loaded: it brings the whole of
scikit-learn along, and a study of a linear model, which needs nothing else of that, would wait longer for it than for the draws.

Source of SMOTE: Chawla et al. 2002, "SMOTE: synthetic minority over-sampling technique", arXiv:1106.1813.
"""

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from .weights import Weights, masses

NEIGHBOURS = 5  # of SMOTE; a class needs one row more than that
SPARE = (
    8  # further candidates for neighbours, by distances that are rounded, of which the nearest are taken by exact ones
)
CHUNK = 2**22  # distances at a time
KEPT = 2**26  # bytes of neighbours that are kept: a grid that grows asks for the same rows again
NARROW = 24  # columns up to which a tree finds neighbours sooner: 26 times on 3,546 rows of 16 related ones, as fast on 30 of noise


def resample(name: str, X: Any, y: np.ndarray, seed: int, weights: Weights = None) -> tuple[Any, np.ndarray, Weights]:
    """Rows [n', p] and labels [n'] with as many of each class; the same for the same seed. Rows bring their weights, which are
    then scaled so that the classes count for the same too; rows that are made up have none."""
    if name == "SMOTE":
        rows, labels = _made_up(X, y, seed)
        return rows, labels, None
    drawn = RESAMPLERS[name](y, seed)
    labels = y[drawn]
    return X[drawn], labels, None if weights is None else _even(labels, weights[drawn])


def repeated(X: Any, y: np.ndarray, seed: int, weights: Weights = None) -> tuple[Any, np.ndarray, np.ndarray]:
    """`resample` by random oversampling, each row once: the rows as they are, and what all that are drawn of one count for."""
    drawn = _over(y, seed)
    own = None if weights is None else _even(y[drawn], weights[drawn])
    return X, y, np.bincount(drawn, weights=own, minlength=len(y)).astype(np.float64)


def _over(y: np.ndarray, seed: int) -> np.ndarray:
    """Every row, and of each rarer class as many again as it lacks."""
    state = np.random.RandomState(seed)  # the stream that imbalanced-learn draws from
    counts = np.bincount(y)
    some = [np.arange(len(y))]
    for c in _others(counts, int(counts.argmax())):
        some.append(state.choice(np.flatnonzero(y == c), size=int(counts.max() - counts[c]), replace=True))
    return np.concatenate(some)


def _under(y: np.ndarray, seed: int) -> np.ndarray:
    """Of each class as many rows as the rarest has."""
    state = np.random.RandomState(seed)
    counts = np.bincount(y)
    least = min((c for c in range(len(counts)) if counts[c]), key=counts.__getitem__)
    some = []
    for c in np.flatnonzero(counts):
        rows = np.flatnonzero(y == c)
        some.append(rows if c == least else rows[state.choice(len(rows), size=int(counts[least]), replace=False)])
    return np.concatenate(some)


RESAMPLERS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "random oversampling": _over,
    "random undersampling": _under,
}
NAMES = (*RESAMPLERS, "SMOTE")


def _made_up(X: Any, y: np.ndarray, seed: int) -> tuple[Any, np.ndarray]:
    """SMOTE: for each rarer class rows on the lines between a row and one of its nearest neighbours of that class."""
    counts = np.bincount(y)
    rows, labels = [X], [y]
    for c in _others(counts, int(counts.argmax())):
        state = np.random.RandomState(seed)  # for each class anew, as there
        lacking = int(counts.max() - counts[c])
        if not lacking:
            continue
        own = X[np.flatnonzero(y == c)]
        near = _neighbours(own)
        which = state.randint(low=0, high=near.size, size=lacking)
        steps = state.uniform(size=lacking)[:, None]
        one, other = own[which // NEIGHBOURS], own[near[which // NEIGHBOURS, which % NEIGHBOURS]]
        new = one + (sparse.csr_matrix(steps).multiply(other - one) if sparse.issparse(X) else steps * (other - one))
        rows.append(new.astype(X.dtype))
        labels.append(np.full(lacking, c, y.dtype))
    stacked = sparse.vstack(rows, format=X.format) if sparse.issparse(X) else np.concatenate(rows)
    return stacked, np.concatenate(labels)


def _others(counts: np.ndarray, most: int) -> list[int]:
    return [c for c in range(len(counts)) if counts[c] and c != most]


_known: dict[bytes, np.ndarray] = {}  # the last ones asked for, by their rows
_lock = threading.Lock()


def _neighbours(X: Any) -> np.ndarray:
    """The NEIGHBOURS nearest other rows of each row [n, p], nearest first: int32 [n, NEIGHBOURS]. Of rows that are equal to it one is
    left out as the row itself."""
    name = _digest(X)
    with _lock:
        near = _known.pop(name, None)
    if near is None:
        near = _searched(X).astype(np.int32)
    with _lock:
        _known[name] = near
        room = KEPT
        for old in list(reversed(_known)):
            room -= _known[old].nbytes
            if room < 0:
                del _known[old]
    return near


def _digest(X: Any) -> bytes:
    digest = hashlib.blake2b(f"{X.shape} {X.dtype}".encode())
    for part in (X.data, X.indices, X.indptr) if sparse.issparse(X) else (X,):
        digest.update(np.ascontiguousarray(part).data.cast("B"))
    return digest.digest()


def _searched(X: Any) -> np.ndarray:
    n = X.shape[0]
    if not sparse.issparse(X) and X.shape[1] <= NARROW:
        # a tree is worth it where columns are few; studies that need none need not load it
        from scipy.spatial import KDTree

        return np.asarray(KDTree(X).query(X, NEIGHBOURS + 1)[1])[:, 1:]
    square = np.asarray(X.multiply(X).sum(axis=1)).ravel() if sparse.issparse(X) else np.einsum("np,np->n", X, X)
    wanted = min(NEIGHBOURS + 1 + SPARE, n)
    near = np.empty((n, NEIGHBOURS), np.int64)
    size = max(1, CHUNK // max(n, 1 if sparse.issparse(X) else wanted * X.shape[1]))
    for start in range(0, n, size):
        some = X[start : start + size]
        product = some @ X.T
        rounded = square - 2 * (product.toarray() if sparse.issparse(product) else product)
        found = (
            np.argpartition(rounded, wanted - 1, axis=1)[:, :wanted]
            if wanted < n
            else np.tile(np.arange(n), (len(rounded), 1))
        )
        found.sort(axis=1)
        if sparse.issparse(X):
            gap = some[np.repeat(np.arange(len(found)), wanted)] - X[found.ravel()]
            exact = np.asarray(gap.multiply(gap).sum(axis=1)).reshape(found.shape)
        else:
            exact = ((some[:, None] - X[found]) ** 2).sum(axis=2)
        order = np.argsort(exact, axis=1, kind="stable")[:, 1 : NEIGHBOURS + 1]
        near[start : start + size] = np.take_along_axis(found, order, axis=1)
    return near


def _even(labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Scaled so that the classes count for the same."""
    return weights * (np.bincount(labels) / masses(labels, weights, int(labels.max()) + 1))[labels]
