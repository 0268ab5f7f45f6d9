"""Tables whose truth is known: nothing to find (N, C0, T0, G0, E, W, X), or weights that help (H, C1).

All have five features and 1,500 rows unless their entry in GENERATORS says otherwise or they are asked for another number;
X ~ N(0, I) where nothing else is said. A study of the tuner's errors is only as good as these, so tests hold them to their
prevalence, their AUC and their shape.
"""

import dataclasses
import functools
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

ROWS, FEATURES = 1500, 5
SLOPES = np.array([1.0, 0.8, 0.6, 0.4, 0.2])  # of every logistic truth


@dataclasses.dataclass(frozen=True)
class Sample:
    """X float64 [rows, features], y int64 [rows] with the positive as 1; when, who and mass where rows have a time, a group or a
    weight; words, one text a row, where that is what is learned from."""

    X: np.ndarray
    y: np.ndarray
    when: np.ndarray | None = None
    who: np.ndarray | None = None
    mass: np.ndarray | None = None
    words: np.ndarray | None = None

    def table(self) -> Any:
        """A pyarrow table with the columns x0.., y, and those of the others that there are."""
        import pyarrow as pa

        columns: dict[str, np.ndarray] = {f"x{i}": x for i, x in enumerate(self.X.T)} | {"y": self.y}
        columns |= {name: v for name in ("when", "who", "mass", "words") if (v := getattr(self, name)) is not None}
        return pa.table(columns)


Draw = Callable[[np.random.Generator, int], Sample]


@dataclasses.dataclass(frozen=True)
class Generator:
    """effect  whether some weighting is meant to help; classes; `options` name the columns of time, group and weight; `rows` of
    a table unless asked for another number."""

    name: str
    draw: Draw
    effect: bool = False
    classes: int = 2
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    rows: int = ROWS

    def sample(self, repeat: int, rows: int | None = None) -> Sample:
        """The table of one repeat; the same for the same name, repeat and number of rows."""
        rows = self.rows if rows is None else rows
        rng = np.random.default_rng([zlib.crc32(self.name.encode()), repeat, rows])
        return self.draw(rng, rows)


def noise(prevalence: float) -> Draw:
    """y independent of X; exactly prevalence * rows positives."""

    def draw(rng: np.random.Generator, rows: int) -> Sample:
        return Sample(rng.normal(size=(rows, FEATURES)), _first(rows, prevalence))

    return draw


def logistic(prevalence: float, strength: float = 1.0) -> Draw:
    """P(y = 1 | x) = sigmoid(b + strength * SLOPES . x), b such that E[y] = prevalence: plain training is well specified."""
    slopes = strength * SLOPES
    b = intercept(prevalence, float(np.linalg.norm(slopes)))

    def draw(rng: np.random.Generator, rows: int) -> Sample:
        X = rng.normal(size=(rows, FEATURES))
        return Sample(X, _flip(rng, b + X @ slopes))

    return draw


def outliers(share: float, shift: float, far: float, nuisance: float = 3.0) -> Draw:
    """x0 = z0 + nuisance z1, the rest of x = z ~ N(0, I); 6 % positives ~ N(shift e0, I) in z; a `share` of all rows are
    negatives ~ N(far e0, I).

    They lie so far out on the positives' side that they flatten an unweighted slope; weights on the positives lift it.
    The best score is x0 - nuisance x1, which a heavy penalty cannot find. Without the nuisance it could: then the strength
    of the penalty alone brings back what the outliers cost, and weights are left with a fifth of it.
    """

    def draw(rng: np.random.Generator, rows: int) -> Sample:
        X, y = rng.normal(size=(rows, FEATURES)), _first(rows, 0.06)
        X[y == 1, 0] += shift
        start = int(y.sum())
        X[start : start + round(share * rows), 0] += far
        X[:, 0] += nuisance * X[:, 1]
        return Sample(X, y)

    return draw


def mixture(first: float, second: float) -> Draw:
    """6 % positives, half of them ~ N(first e0, I), half ~ N(second e1, I): no linear score ranks both halves well."""

    def draw(rng: np.random.Generator, rows: int) -> Sample:
        X, y = rng.normal(size=(rows, FEATURES)), _first(rows, 0.06)
        positives = int(y.sum())
        X[: positives // 2, 0] += first
        X[positives // 2 : positives, 1] += second
        return Sample(X, y)

    return draw


def three(far: float = 0.0, nuisance: float = 3.0) -> Draw:
    """Three classes, 86 / 8 / 6 %, z ~ N(0, I), N(1.75 e0, I), N(1.75 e1, I): a softmax of linear scores is the truth.
    x = z but for x0 = z0 + nuisance z2.

    With far > 0, 1 % of all rows are of the first class but far out, half at far e0 and half at far e1.
    """

    def draw(rng: np.random.Generator, rows: int) -> Sample:
        X = rng.normal(size=(rows, FEATURES))
        y = np.zeros(rows, np.int64)
        two, one = round(0.06 * rows), round(0.08 * rows)
        y[:two], y[two : two + one] = 2, 1
        X[y == 2, 1] += 1.75
        X[y == 1, 0] += 1.75
        if far:
            start, half = two + one, round(0.005 * rows)
            X[start : start + half, 0] += far
            X[start + half : start + 2 * half, 1] += far
        X[:, 0] += nuisance * X[:, 2]
        return Sample(X, y)

    return draw


def several(classes: int, features: int, decay: float, far: float = 0.0, nuisance: float = 3.0) -> Draw:
    """Shares that fall by `decay` from class to class, z ~ N(m_c, I) with |m_c| = 2: a softmax of linear scores is the truth.
    m_0 = 0; the others point at random, the same way in every table. x = z but for x0 = z0 + nuisance z_last, whose means are 0 in
    the last place.

    With far > 0, 1 % of all rows are of the first class but far out, on the way to the three rarest classes.
    """
    means = np.zeros((classes, features))
    way = np.random.default_rng(classes).normal(size=(classes - 1, features - 1))
    means[1:, :-1] = 2 * way / np.linalg.norm(way, axis=1, keepdims=True)
    shares = decay ** np.arange(classes)
    shares /= shares.sum()

    def draw(rng: np.random.Generator, rows: int) -> Sample:
        counts = np.round(shares * rows).astype(np.int64)
        counts[0] = rows - counts[1:].sum()
        y = np.repeat(np.arange(classes), counts)
        X = rng.normal(size=(rows, features)) + means[y]
        if far:
            out = round(0.01 * rows)
            X[:out] += far / 2 * means[classes - 1 - np.arange(out) % 3]
        X[:, 0] += nuisance * X[:, -1]
        return Sample(X, y)

    return draw


def weighted(draw: Draw, sigma: float = 0.8, *, by_feature: bool = False) -> Draw:
    """The same rows with weights exp(sigma g) of mean 1 or so: g ~ N(0, 1), or the first feature. P(y | x) is what it was, so that a
    model that was well specified is so under any weights."""

    def draw_weighted(rng: np.random.Generator, rows: int) -> Sample:
        sample = draw(rng, rows)
        g = sample.X[:, 0] if by_feature else rng.normal(size=rows)
        return dataclasses.replace(sample, mass=np.exp(sigma * g - sigma**2 / 2))

    return draw_weighted


def documents(prevalence: float, length: int = 20, vocabulary: int = 300, tilt: float = 0.5) -> Draw:
    """Texts of `length` words drawn independently from a vocabulary of falling frequencies, tilted by exp(tilt g_w) for positives,
    exactly prevalence * rows of them. The log-odds are a constant and a sum over the words: linear in what is counted."""
    rng = np.random.default_rng(vocabulary)
    names = np.array([f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrs"])[:vocabulary]
    plain = 1 / np.arange(1, vocabulary + 1)
    tilted = plain * np.exp(tilt * rng.normal(size=vocabulary))
    of_class = np.stack([plain / plain.sum(), tilted / tilted.sum()])

    def draw(rng: np.random.Generator, rows: int) -> Sample:
        y = _first(rows, prevalence)
        words = [" ".join(rng.choice(names, length, p=of_class[label])) for label in y]
        return Sample(np.empty((rows, 0)), y, words=np.array(words))

    return draw


def drifting(prevalence: float, memory: float = 0.9, drift: float = 1.5) -> Draw:
    """Rows in time order; every feature is AR(1), x_t = memory x_(t-1) + sqrt(1 - memory^2) e_t, and the first one's mean
    rises by `drift` from the first row to the last. P(y | x) is logistic and the same at all times: weights cannot help.
    """
    path = np.linspace(-drift / 2, drift / 2, 201)
    b = intercept(prevalence, float(np.linalg.norm(SLOPES)), SLOPES[0] * path)

    def draw(rng: np.random.Generator, rows: int) -> Sample:
        from scipy.signal import lfilter

        e = rng.normal(size=(rows, FEATURES))
        e[1:] *= np.sqrt(1 - memory**2)
        X = np.asarray(lfilter([1.0], [1.0, -memory], e, axis=0))
        X[:, 0] += np.linspace(-drift / 2, drift / 2, rows)
        return Sample(X, _flip(rng, b + X @ SLOPES), when=np.arange(rows))

    return draw


def grouped(prevalence: float, size: int = 15, spread: float = 1.5) -> Draw:
    """Groups of `size` rows; X = (u_group + e) / sqrt 2; P(y = 1) = sigmoid(b + spread v_group), v independent of X.

    X tells the groups apart and labels come in clusters, but X says nothing about labels: folds that part a group can only
    remember it.
    """
    b = intercept(prevalence, spread)

    def draw(rng: np.random.Generator, rows: int) -> Sample:
        who = np.arange(rows) // size
        groups = int(who[-1]) + 1
        u, v = rng.normal(size=(groups, FEATURES)), rng.normal(size=groups)
        X = (u[who] + rng.normal(size=(rows, FEATURES))) / np.sqrt(2)
        return Sample(X, _flip(rng, b + spread * v[who]), who=who)

    return draw


def happening(events: int, length: int = 200, share: float = 0.25, shift: float = 0.8, apart: float = 0.7) -> Draw:
    """Rows in time order, in stretches of `length` rows that have one label each: `events` of positives, so many of negatives that
    positives are a `share` of the rows, in random order, no two positive ones side by side.

    X = shift y SLOPES + apart u_stretch + sqrt(1 - apart^2) e, so that P(y | x) is logistic in x for a random row, and weights cannot
    help; but there are not more stretches to learn it from than these. `rows` changes nothing.
    """
    others = round(events * (1 - share) / share)

    def draw(rng: np.random.Generator, rows: int) -> Sample:
        label = _parted(np.sort(rng.choice(others, events, replace=False)), others)
        y = np.repeat(label, length)
        u = rng.normal(size=(len(label), FEATURES))
        X = shift * y[:, None] * SLOPES + apart * np.repeat(u, length, axis=0)
        X += np.sqrt(1 - apart**2) * rng.normal(size=X.shape)
        return Sample(X, y, when=np.arange(len(y)))

    return draw


def _parted(after: np.ndarray, others: int) -> np.ndarray:
    """Labels of stretches: `others` negative ones, a positive one behind each of those numbered in `after`, ascending."""
    label = np.zeros(others + len(after), np.int64)
    label[after + np.arange(1, len(after) + 1)] = 1
    return label


@functools.cache
def _nodes() -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Hermite nodes and weights for E[f(g)], g ~ N(0, 1)."""
    at, weight = np.polynomial.hermite_e.hermegauss(80)
    return at, weight / weight.sum()


def intercept(prevalence: float, spread: float, means: np.ndarray | float = 0.0) -> float:
    """b with mean over `means` m of E[sigmoid(b + m + spread g)] = prevalence, g ~ N(0, 1)."""
    from scipy.optimize import brentq
    from scipy.special import expit

    at, weight = _nodes()
    z = np.atleast_1d(means)[:, None] + spread * at

    def excess(b: float) -> float:
        return float((expit(b + z) @ weight).mean()) - prevalence

    return float(brentq(excess, -50, 50))  # type: ignore[arg-type]


def _first(rows: int, prevalence: float) -> np.ndarray:
    """The first rows are the positives: the folds shuffle, and nothing else looks at the order."""
    return (np.arange(rows) < round(prevalence * rows)).astype(np.int64)


def _flip(rng: np.random.Generator, log_odds: np.ndarray) -> np.ndarray:
    return (rng.random(len(log_odds)) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)


GENERATORS = {
    g.name: g
    for g in (
        Generator("N1-8", noise(0.08)),
        Generator("N1-2", noise(0.02)),
        Generator("N2", logistic(0.045)),
        Generator("N2-few", logistic(0.014)),
        Generator("N2-weak", logistic(0.045, 0.4)),
        Generator("N3", logistic(0.5)),
        Generator("H1", outliers(0.01, 2.0, 14.0), effect=True),
        Generator("H2", mixture(4.0, 2.0), effect=True),
        Generator("H3", outliers(0.005, 1.2, 7.5), effect=True),
        Generator("C0", three(), classes=3),
        Generator("C1", three(14.0), effect=True, classes=3),
        Generator("C0-7", several(7, 5, 0.6), classes=7),
        Generator("C1-7", several(7, 5, 0.6, 8.0), effect=True, classes=7),
        Generator("C0-20", several(20, 8, 0.87), classes=20, rows=3000),
        Generator("C1-20", several(20, 8, 0.87, 8.0), effect=True, classes=20, rows=3000),
        Generator("W0", weighted(logistic(0.045)), options={"weight": "mass"}),
        Generator("W1", weighted(logistic(0.045), by_feature=True), options={"weight": "mass"}),
        Generator("X0", documents(0.08)),
        Generator("T0", drifting(0.08), options={"time": "when"}),
        Generator("G0", grouped(0.1), options={"group": "who"}),
        *(Generator(f"E{n}", happening(n), options={"time": "when"}) for n in (2, 5, 10, 20, 40, 80)),
    )
}
