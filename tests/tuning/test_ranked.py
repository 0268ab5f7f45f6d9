"""Ranks by the core and by NumPy are the same, and the metrics of every draw are scikit-learn's of the rows repeated."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from steelyard.tuning import ranked
from steelyard.tuning.ranked import Ranked
from steelyard.tuning.validation.sweep import Sweep

SCORES = {
    "all different": lambda rng, n: rng.normal(size=n),
    "few levels": lambda rng, n: np.round(rng.normal(size=n), 1),
    "one level": lambda rng, n: np.full(n, -2.5),
    "endless": lambda rng, n: (
        np.where(rng.random(n) < 0.2, np.inf, np.round(rng.normal(size=n))) * rng.choice([-1, 1], n)
    ),
    "zeros of both signs": lambda rng, n: rng.choice([-0.0, 0.0, 1e-40, -1e-40, 1.0], n),
    "neighbours": lambda rng, n: np.nextafter(np.float32(3), np.float32(rng.choice([0, 9], n))),
}
OF = {"average_precision": average_precision_score, "roc_auc": roc_auc_score}
needs_core = pytest.mark.skipif(not ranked.THERE, reason="the C++ core is not there")


@pytest.fixture(params=["core", "numpy"])
def way(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(ranked, "THERE", False)
    elif not ranked.THERE:
        pytest.skip("the C++ core is not there")


def case(name: str, n: int, dtype: type) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(n)
    score, y = SCORES[name](rng, n).astype(dtype), (rng.random(n) < 0.2).astype(np.int64)
    y[:2] = 0, 1
    return score, y, rng


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [2, 37, 1500])
@pytest.mark.parametrize("name", SCORES)
def test_rows_fall_and_rows_of_one_score_stay_in_their_order(name, n, dtype, way):
    score, *_ = case(name, n, dtype)
    order = ranked.descending(score)
    np.testing.assert_array_equal(order, sorted(range(n), key=lambda i: -score[i]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SCORES)
def test_every_draw_is_judged_as_scikit_learn_judges_its_rows(name, dtype, way):
    score, y, rng = case(name, 700, dtype)
    shown = np.clip(score, -1e30, 1e30)  # scikit-learn refuses endless scores
    for weights in (rng.poisson(1.0, (700, 37)).astype(np.float32), rng.random((700, 5))):
        weights[1] = 1.0
        one = Ranked.of(score, y)
        for metric, of in OF.items():
            drawn = getattr(one, metric)(weights)
            expected = [of(y, shown, sample_weight=w.astype(np.float64)) for w in weights.T]
            np.testing.assert_allclose(drawn, expected, rtol=1e-12)


@needs_core
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [2, 37, 1500])
@pytest.mark.parametrize("name", SCORES)
def test_the_core_gives_what_numpy_gives(name, n, dtype, monkeypatch):
    score, y, rng = case(name, n, dtype)
    if n > 2:
        score[rng.integers(2, n, 3)] = np.nan
    whole, parts = rng.poisson(1.0, (n, 33)).astype(np.float32), rng.random((n, 33))
    found = ranked.descending(score), *ranked.slots(score, y == 1)
    metrics = [getattr(Ranked.of(score, y), metric)(w) for metric in OF for w in (whole, parts)]
    monkeypatch.setattr(ranked, "THERE", False)
    for mine, theirs in zip(found, (ranked.descending(score), *ranked.slots(score, y == 1)), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    wanted = [getattr(Ranked.of(score, y), metric)(w) for metric in OF for w in (whole, parts)]
    for i, (mine, theirs) in enumerate(zip(metrics, wanted, strict=True)):
        np.testing.assert_allclose(mine, theirs, rtol=0 if i % 2 == 0 else 1e-13)  # whole numbers: to the last bit


@pytest.mark.parametrize("weighted", [False, True])
def test_subsets_are_judged_as_if_they_stood_alone(weighted, way):
    score, y, rng = case("few levels", 900, np.float32)
    code, member = (
        rng.integers(0, 5, 900).astype(np.uint8),
        np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0]], bool),
    )
    weights = rng.random(900) if weighted else None
    score[code == 4] = np.where(rng.random(int((code == 4).sum())) < 0.1, np.nan, 0)
    member[1, 4] = False  # where a score may be missing nobody is judged
    found = ranked.of_subsets(score, y, code, member, weights)
    for metric, of in OF.items():
        for j in range(2):
            rows = member[j][code]
            expected = of(y[rows], score[rows], sample_weight=None if weights is None else weights[rows])
            np.testing.assert_allclose(found[metric][j], expected, rtol=1e-12)
    assert found["average_precision"][2] == 0
    assert found["roc_auc"][2] == 0.5


def test_nothing_is_ranked_without_positives(way):
    score, no = np.arange(4.0), np.zeros(4, np.int64)
    with pytest.raises(ValueError, match="at least one positive row"):
        Ranked.of(score, no)
    found = ranked.of_subsets(score, no, no.astype(np.uint8), np.ones((1, 1), bool))
    assert (found["average_precision"], found["roc_auc"]) == ([0.0], [0.5])
    empty = Ranked.of(score, np.array([0, 1, 0, 1]))
    weights = np.array([[1], [0], [1], [0]], np.float32)  # a draw that holds no positive
    assert (empty.average_precision(weights), empty.roc_auc(weights)) == ([0.0], [0.5])


@needs_core
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [2, 37, 1500])
@pytest.mark.parametrize("name", SCORES)
def test_corners_are_those_of_the_hull_of_all_cuts(name, n, dtype):
    score, y, rng = case(name, n, dtype)
    order = ranked.descending(score)
    for kept in (np.ones(n, bool), rng.random(n) < 0.7, y == 0, np.zeros(n, bool)):
        found = ranked.corners(score, order, y == 1, kept)
        assert found is not None
        at = order[kept[order]]
        whole = Sweep.descending(score[at], y[at] == 1).hull()
        for mine, theirs in zip(found, (whole.cuts, whole.hit, whole.said - whole.hit), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_many_rows_and_a_machine_without_the_core_have_no_corners_here(monkeypatch):
    score, mask = np.zeros(2), np.ones(2, bool)
    monkeypatch.setattr(ranked, "FEW", 2)
    assert ranked.corners(score, np.arange(2), mask, mask) is None
    monkeypatch.setattr(ranked, "FEW", 3)
    monkeypatch.setattr(ranked, "THERE", False)
    assert ranked.corners(score, np.arange(2), mask, mask) is None
