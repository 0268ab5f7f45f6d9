"""The tables of the honesty benchmark are what they say: prevalence, signal, shape."""

import numpy as np
import pytest
from benchmarks.generators import FEATURES, GENERATORS, ROWS, SLOPES, Sample, intercept
from scipy import stats
from scipy.special import expit
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

MANY = 100_000
OTHERS = {"C0-20": 8, "C1-20": 8, "X0": 0}  # features, where there are not five
EVENTS = {f"E{n}": n for n in (2, 5, 10, 20, 40, 80)}  # as long as their events need


def many(name: str) -> Sample:
    return GENERATORS[name].sample(0, MANY)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_repeat_is_reproducible_and_no_other(name):
    first, again, other = (GENERATORS[name].sample(r) for r in (0, 0, 1))
    np.testing.assert_array_equal(first.X, again.X)
    np.testing.assert_array_equal(first.y, again.y)
    assert first.X.shape == (len(first.y), OTHERS.get(name, FEATURES))
    assert name in EVENTS or len(first.y) == GENERATORS[name].rows == (3000 if name.endswith("-20") else ROWS)
    assert np.isfinite(first.X).all()
    if first.words is None:
        assert np.abs(first.X - other.X).max() > 0.1
    else:
        assert list(first.words) == list(again.words)
        assert np.mean(first.words == other.words) < 0.01
    assert len(np.unique(first.y)) == GENERATORS[name].classes


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("N1-8", 0.08),
        ("N1-2", 0.02),
        ("N2", 0.045),
        ("N2-few", 0.014),
        ("N2-weak", 0.045),
        ("N3", 0.5),
        ("H1", 0.06),
        ("H2", 0.06),
        ("H3", 0.06),
        ("T0", 0.08),
        ("G0", 0.1),
    ],
)
def test_the_share_of_positives_is_the_stated_one(name, share):
    y = np.concatenate([GENERATORS[name].sample(r).y for r in range(60)])
    if name in ("N1-8", "N1-2", "H1", "H2", "H3"):
        assert y.mean() == pytest.approx(share, abs=1e-12)
        return
    # rows of one table depend on each other in T0 and G0: their tables vary more than 60 * 1500 coins would
    inflation = {"T0": 20, "G0": 4}.get(name, 1)
    assert abs(y.mean() - share) < 4 * np.sqrt(inflation * share * (1 - share) / len(y))


@pytest.mark.parametrize(("name", "events"), EVENTS.items())
def test_events_are_so_many_runs_of_200_rows(name, events):
    sample = GENERATORS[name].sample(1)
    starts, ends = (np.flatnonzero(np.diff(sample.y, prepend=0, append=0) == way) for way in (1, -1))
    np.testing.assert_array_equal(ends - starts, [200] * events)
    assert sample.y.mean() == 0.25


def test_a_random_row_of_a_table_of_events_is_logistic():
    """Both classes are normal with one spread, so that the log-odds are 0.8 SLOPES . x and a constant."""
    samples = [GENERATORS["E40"].sample(r) for r in range(12)]
    X, y = np.concatenate([s.X for s in samples]), np.concatenate([s.y for s in samples])
    np.testing.assert_allclose(
        X[y == 1].mean(axis=0) - X[y == 0].mean(axis=0), 0.8 * SLOPES, atol=0.17
    )  # 4 sigma of events
    for c in (0, 1):
        np.testing.assert_allclose(X[y == c].std(axis=0), 1, atol=0.1)


@pytest.mark.parametrize("name", ["N1-8", "N1-2"])
def test_labels_of_noise_are_independent_of_every_feature(name):
    sample = many(name)
    for x in sample.X.T:
        assert stats.ks_2samp(x[sample.y == 1], x[sample.y == 0]).pvalue > 1e-3


@pytest.mark.parametrize(("name", "strength"), [("N2", 1.0), ("N2-few", 1.0), ("N2-weak", 0.4), ("N3", 1.0)])
def test_logistic_tables_have_their_slopes_and_their_auc(name, strength):
    sample = many(name)
    fitted = LogisticRegression(C=1e6).fit(sample.X, sample.y)
    np.testing.assert_allclose(fitted.coef_[0], strength * SLOPES, atol=0.13)  # 4 standard errors with 1,400 positives
    # by integration over g ~ N(0, 1), the score: positives have density f expit, negatives f (1 - expit)
    g = np.linspace(-9, 9, 20001)
    b, spread = intercept(sample_share(name), strength * np.linalg.norm(SLOPES)), strength * np.linalg.norm(SLOPES)
    p, f = expit(b + spread * g), stats.norm.pdf(g)
    positive, negative = f * p / (f * p).sum(), f * (1 - p) / (f * (1 - p)).sum()
    auc = float((positive * (np.cumsum(negative) - negative / 2)).sum())
    assert roc_auc_score(sample.y, sample.X @ SLOPES) == pytest.approx(auc, abs=0.02)


def sample_share(name: str) -> float:
    return {"N2-few": 0.014, "N3": 0.5}.get(name, 0.045)


@pytest.mark.parametrize(("name", "far"), [("H1", 0.01), ("H3", 0.005)])
def test_outliers_are_negatives_far_out_where_the_positives_are(name, far):
    sample = many(name)
    z = sample.X[:, 0] - 3 * sample.X[:, 1]
    out = (z > 6) & (sample.y == 0)
    assert out.mean() == pytest.approx(far, abs=0.002)
    assert z[sample.y == 1].mean() > 1
    assert abs(z[(sample.y == 0) & ~out].mean()) < 0.02
    # without them the truth is logistic, and the best score is z
    kept = ~out
    coefficients = LogisticRegression(C=1e6).fit(sample.X[kept], sample.y[kept]).coef_[0]
    assert coefficients[1] / coefficients[0] == pytest.approx(-3, abs=0.15)


def test_a_heavy_penalty_does_not_cure_the_outliers():
    train, test = GENERATORS["H1"].sample(0), many("H1")
    sd = train.X.std(axis=0)
    found = []
    for strength in (0.01, 1.0, 100.0, 1e4):
        fitted = LogisticRegression(C=1 / strength, max_iter=1000).fit(train.X / sd, train.y)
        found.append(average_precision_score(test.y, fitted.decision_function(test.X / sd)))
    weighted = LogisticRegression(class_weight="balanced", max_iter=1000).fit(train.X / sd, train.y)
    assert average_precision_score(test.y, weighted.decision_function(test.X / sd)) > max(found) + 0.04


def test_the_halves_of_a_mixture_point_apart():
    sample = many("H2")
    positives = sample.X[sample.y == 1]
    half = len(positives) // 2
    np.testing.assert_allclose(positives[:half].mean(axis=0)[:2], [4, 0], atol=0.1)
    np.testing.assert_allclose(positives[half:].mean(axis=0)[:2], [0, 2], atol=0.1)


def test_three_classes_without_outliers_are_linear():
    sample = many("C0")
    np.testing.assert_allclose(np.bincount(sample.y) / MANY, [0.86, 0.08, 0.06], atol=1e-3)
    # equal covariances: discriminant analysis is the truth, and a free softmax finds the same odds
    truth = LinearDiscriminantAnalysis().fit(sample.X, sample.y)
    free = LogisticRegression(C=1e6, max_iter=1000).fit(sample.X, sample.y)
    assert np.abs(truth.predict_proba(sample.X) - free.predict_proba(sample.X)).max() < 0.05


def test_three_classes_with_outliers_have_them_in_the_common_class():
    sample = many("C1")
    z = sample.X[:, 0] - 3 * sample.X[:, 2]
    far = (z > 7) | (sample.X[:, 1] > 7)
    assert far.mean() == pytest.approx(0.01, abs=1e-3)
    assert (sample.y[far] == 0).all()


def test_drift_moves_x_but_not_the_truth():
    sample = GENERATORS["T0"].sample(0, 50_000)
    thirds = np.array_split(np.arange(50_000), 3)
    assert sample.X[thirds[2], 0].mean() - sample.X[thirds[0], 0].mean() == pytest.approx(1.0, abs=0.2)
    assert sample.y[thirds[2]].mean() > 1.3 * sample.y[thirds[0]].mean()
    for rows in thirds:
        slopes = LogisticRegression(C=1e6).fit(sample.X[rows], sample.y[rows]).coef_[0]
        np.testing.assert_allclose(slopes, SLOPES, atol=0.2)
    x = sample.X[:, 1]
    assert np.corrcoef(x[1:], x[:-1])[0, 1] == pytest.approx(0.9, abs=0.02)
    assert x.std() == pytest.approx(1, abs=0.05)


def test_groups_tell_themselves_apart_but_not_the_label():
    sample = GENERATORS["G0"].sample(0, 60_000)
    assert sample.who is not None
    np.testing.assert_array_equal(np.bincount(sample.who), 15)
    x, y = (v.reshape(-1, 15) for v in (sample.X[:, 0], sample.y))
    assert x.mean(axis=1).var() == pytest.approx(0.5 + 0.5 / 15, rel=0.08)
    independent = y.mean() * (1 - y.mean()) / 15
    assert y.mean(axis=1).var() > 2 * independent
    # groups are the independent units: correlation of their means
    r, p = stats.pearsonr(x.mean(axis=1), y.mean(axis=1))
    assert p > 1e-3, r


@pytest.mark.parametrize(("name", "classes"), [("C0-7", 7), ("C0-20", 20)])
def test_several_classes_without_outliers_are_linear(name, classes):
    sample = many(name)
    falls = np.bincount(sample.y)[1:] / np.bincount(sample.y)[:-1]
    np.testing.assert_allclose(falls, {7: 0.6, 20: 0.87}[classes], rtol=0.02)
    smallest = np.bincount(GENERATORS[name].sample(0).y).min()
    assert 20 <= smallest < 40
    z = sample.X.copy()
    z[:, 0] -= 3 * z[:, -1]
    for c in range(classes):  # one covariance for all: a softmax of linear scores is the truth
        np.testing.assert_allclose(np.cov(z[sample.y == c].T), np.eye(z.shape[1]), atol=0.16)
        assert np.linalg.norm(z[sample.y == c].mean(axis=0)) == pytest.approx(2 if c else 0, abs=0.1)


@pytest.mark.parametrize("name", ["C1-7", "C1-20"])
def test_several_classes_with_outliers_have_them_in_the_common_class(name):
    sample, without = many(name), many(name.replace("C1", "C0"))
    z = sample.X[:, 1:] / without.X[:, 1:].std(axis=0)
    far = np.linalg.norm(z, axis=1) > np.linalg.norm(without.X[:, 1:] / without.X[:, 1:].std(axis=0), axis=1).max()
    assert 0.002 < far.mean() <= 0.01
    assert (sample.y[far] == 0).all()


def test_weights_of_rows_change_nothing_about_the_labels():
    for name, follows in (("W0", False), ("W1", True)):
        sample = many(name)
        assert sample.mass is not None
        assert sample.mass.mean() == pytest.approx(1, abs=0.03)
        assert (abs(np.corrcoef(np.log(sample.mass), sample.X[:, 0])[0, 1]) > 0.99) == follows
        fitted = LogisticRegression(C=1e6).fit(sample.X, sample.y, sample_weight=sample.mass)
        np.testing.assert_allclose(fitted.coef_[0], SLOPES, atol=0.2)


def test_documents_are_told_apart_by_their_words_and_not_by_one():
    from sklearn.feature_extraction.text import CountVectorizer

    train, test = (GENERATORS["X0"].sample(r, 6000) for r in (0, 1))
    counts = CountVectorizer(token_pattern=r"\S+").fit(train.words)
    fitted = LogisticRegression(max_iter=500).fit(counts.transform(train.words), train.y)
    score = fitted.decision_function(counts.transform(test.words))
    assert 0.75 < roc_auc_score(test.y, score) < 0.97
    assert {len(text.split()) for text in test.words} == {20}
