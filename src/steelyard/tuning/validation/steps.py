"""More than two classes: the moved threshold is a step per class. log p_c - step_c is largest for the class that is decided.

That is a posterior divided by a factor exp(step_c) per class. Steps are found on the rows that tune a fold: first in proportion to
the logarithms of the class shares, tau log pi_c, then class by class. A step that the folds among those rows do not agree on is not
taken, as the search has as many freedoms as there are classes, and the rarest has few rows: where the largest probability is as
good, it stays.
"""

import numpy as np

from ... import core
from ..costs import cheapest
from ..metric import Metric
from ..weights import Weights

_native = core.load()
THERE = hasattr(_native, "step_tables")  # a core that was built before it lacks it
SHIFTS = np.linspace(0.0, 1.5, 31)  # tau
WIDTH, REACH = 0.1, 15  # of a move of one class, and so many of them to either side at once
PASSES = 2  # over all classes; the second only where the first moved something
ERRORS = 2.0  # standard errors that the move of one class must gain: there are many to choose from
MANY = 10  # classes, above which they move together only: with 20 each step alone lost .004 ± .0005 of balanced accuracy (3 tables)


def decisions(metric: Metric, logp: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """[rows]: the class with the largest log p_c - step_c, of logp [rows, C]; with a cost matrix the cheapest under these
    probabilities."""
    shifted = logp - steps.astype(logp.dtype)
    if metric.cost_matrix is None:
        return np.argmax(shifted, axis=1)
    return cheapest(np.exp(shifted - shifted.max(axis=1, keepdims=True)), metric.cost_matrix)


def tables(
    metric: Metric, logp: np.ndarray, tried: np.ndarray, cell: np.ndarray, cells: int, weights: Weights = None
) -> np.ndarray:
    """What rows with each number below `cells` in `cell` [rows] count for, by what is decided with each of the steps that are
    tried [tries, C]: [tries, cells, C]."""
    C = logp.shape[1]
    if not (THERE and metric.cost_matrix is None and cells < 2**31):
        at = [cell * np.int64(C) + decisions(metric, logp, steps) for steps in tried]
        return np.stack([np.bincount(a, weights=weights, minlength=cells * C).reshape(cells, C) for a in at])
    logp, kind, own = _plain(logp, weights)
    tried, cell = np.ascontiguousarray(tried, logp.dtype), np.ascontiguousarray(cell, np.int32)
    out = np.zeros((len(tried), cells, C))
    addresses = [logp.ctypes.data, tried.ctypes.data, cell.ctypes.data, 0 if own is None else own.ctypes.data]
    _native.step_tables([*addresses, out.ctypes.data], [*logp.shape, len(tried), cells], kind)
    return out


def _plain(logp: np.ndarray, weights: Weights) -> tuple[np.ndarray, bool, Weights]:
    """As the core reads them, and whether they are float64."""
    logp = np.ascontiguousarray(logp, np.float32 if logp.dtype == np.float32 else np.float64)
    return logp, logp.dtype == np.float64, None if weights is None else np.ascontiguousarray(weights, np.float64)


def clear(gains: np.ndarray, errors: float = 1.0) -> bool:
    """Whether the mean gain [parts] is more than so many of its standard errors. One part shows none and is believed."""
    mean = float(gains.mean())
    return mean > 0 and (len(gains) < 2 or mean > errors * float(gains.std(ddof=1)) / len(gains) ** 0.5)


def refined(
    metric: Metric, logp: np.ndarray, y: np.ndarray, part: np.ndarray, weights: Weights, steps: np.ndarray
) -> np.ndarray:
    """Steps [C] from these on, class by class: each moves to where the metric of the rows is best, if `clear` over the parts.

    logp [rows, C]; part [rows] whole numbers from 0 on. A cost matrix asks for the cheapest class and not the largest
    probability, so that one step does not move one class alone: then, and above MANY classes, they stay as they are.
    """
    C = logp.shape[1]
    if metric.cost_matrix is not None or C > MANY or part.max(initial=0) < 1:
        return steps
    steps, z = steps.copy(), logp - steps.astype(logp.dtype)
    for _ in range(PASSES):
        before = steps.copy()
        for c in range(C):
            tables = _tables(z, c, y, part, weights)
            value = metric.of_tables(tables.sum(axis=0))
            value = value if metric.higher else -value
            near = np.argsort(np.abs(np.arange(2 * REACH + 1) - REACH), kind="stable")
            to = int(near[np.argmax(value[near])])
            if to == REACH or not clear(_gains(metric, tables[:, REACH], tables[:, to]), ERRORS):
                continue
            steps[c] += WIDTH * (to - REACH)
            z[:, c] -= WIDTH * (to - REACH)
        if np.array_equal(steps, before):
            break
    return steps


def _gains(metric: Metric, now: np.ndarray, then: np.ndarray) -> np.ndarray:
    """[parts], of confusion tables [parts, C, C]."""
    return metric.gain(metric.of_tables(then), metric.of_tables(now))


def _tables(z: np.ndarray, c: int, y: np.ndarray, part: np.ndarray, weights: Weights) -> np.ndarray:
    """Confusion tables [parts, moves, C, C] if the step of class c moves by WIDTH * (i - REACH): a row is called c while the move is
    at most what it leads by, and its best other class after that."""
    moves, parts = 2 * REACH + 1, int(part.max()) + 1
    lost = _lost(z, c, y, part, parts, weights).cumsum(axis=1)
    tables = lost[:, :moves].astype(np.float64)
    tables[..., c] += (lost[:, -1:] - lost[:, :moves]).sum(axis=-1)
    return tables


def _lost(z: np.ndarray, c: int, y: np.ndarray, part: np.ndarray, parts: int, weights: Weights) -> np.ndarray:
    """What rows count for, [parts, moves + 1, C, C], by the number of the moves before which they are called c, label, and best other
    class."""
    C, moves = z.shape[1], 2 * REACH + 1
    if THERE:
        z, kind, own = _plain(z, weights)
        cell, label = (np.ascontiguousarray(a, np.int32) for a in (part, y))
        out = np.zeros((parts, moves + 1, C, C))
        addresses = [z.ctypes.data, cell.ctypes.data, label.ctypes.data, 0 if own is None else own.ctypes.data]
        _native.step_moves([*addresses, out.ctypes.data], [*z.shape, c, REACH], WIDTH, kind)
        return out
    without = z.copy()
    without[:, c] = -np.inf
    other = without.argmax(axis=1)
    lead = z[:, c] - z[np.arange(len(z)), other]
    last = np.clip(np.floor(lead / WIDTH) + REACH + 1, 0, moves).astype(np.int64)
    cell = ((part * (moves + 1) + last) * C + y) * C + other
    return np.bincount(cell, weights=weights, minlength=parts * (moves + 1) * C * C).reshape(parts, moves + 1, C, C)
