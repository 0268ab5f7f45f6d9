"""A scikit-learn classifier or pipeline of the user's own, on rows as they are."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from steelyard import focal, inverse_frequency
from steelyard.tuning import tune
from steelyard.tuning.data.arrays import OwnRows
from steelyard.tuning.models.model import Fit
from steelyard.tuning.models.own_estimator import OwnEstimator, is_estimator

RNG = np.random.default_rng(0)
Y = np.where(RNG.random(150) < 0.3, 1, 0)
X = RNG.normal(size=(150, 3)) + Y[:, None]
FRAME = pd.DataFrame(X, columns=list("abc")).assign(ward=RNG.choice(["n", "s"], 150))
MIXED = make_column_transformer((StandardScaler(), list("abc")), (OneHotEncoder(), ["ward"]))
OWN = {
    "array": (LogisticRegression(C=2.0), X),
    "sparse": (LogisticRegression(), sparse.csr_matrix(X)),
    "pipeline": (make_pipeline(MIXED, LogisticRegression()), FRAME),
}


@pytest.mark.parametrize("name", OWN)
def test_the_weights_reach_the_classifier_and_are_undone(name):
    from sklearn.base import clone

    own, data = OWN[name]
    assert is_estimator(own)
    study = tune(
        own,
        data=(data, Y),
        bootstrap=100,
        repeats=1,
        folds=3,
        recipes={"inverse": inverse_frequency, "focal": focal(gamma=2.0)},
    )
    assert not hasattr(own, "classes_")  # the user's own stays as it was
    assert list(study.skipped) == ["focal"]
    inverse = next(arm.recipe for arm in study.arms if arm.name == "inverse")
    fitted = OwnEstimator(own).fit(Fit(data, Y, [inverse], np.ones(1)))
    key = "logisticregression__sample_weight" if name == "pipeline" else "sample_weight"
    wanted = clone(own).set_params(
        **({"random_state": 0} if name != "pipeline" else {"logisticregression__random_state": 0})
    )
    wanted.fit(data, Y, **{key: inverse.label_weights()[Y]})
    got = 1 / (1 + np.exp(-fitted.logits(data)[0, 0]))
    np.testing.assert_allclose(got, wanted.predict_proba(data)[:, 1], atol=0.02)  # one row more, see Estimators
    assert study.model.predict_proba(data).shape == (150, 2)


def test_what_takes_no_weights_or_sets_them_itself_is_refused():
    quick = {"bootstrap": 100, "repeats": 1, "folds": 3, "recipes": {"inverse": inverse_frequency}}
    study = tune(KNeighborsClassifier(), data=(X, Y), **quick)
    assert "takes neither sample_weight nor class_weight" in study.skipped["inverse"]
    with pytest.raises(ValueError, match="takes no sample_weight"):
        tune(KNeighborsClassifier(), data=(X, Y), weight=np.arange(1, 151), **quick)
    for own in (
        LogisticRegression(class_weight="balanced"),
        make_pipeline(LogisticRegression(class_weight={0: 1, 1: 9})),
    ):
        with pytest.raises(ValueError, match="sets class_weight"):
            tune(own, data=(X, Y), **quick)
    with pytest.raises(ValueError, match="epochs= belongs to a function"):
        tune(LogisticRegression(), data=(X, Y), epochs=3, **quick)


@pytest.mark.parametrize("data", [FRAME, sparse.csr_matrix(X)])
def test_other_content_is_another_digest(data):
    import hashlib

    def digest(rows):
        into = hashlib.sha256()
        OwnRows(rows).digest(into)
        return into.hexdigest()

    other = data.copy()
    if isinstance(other, pd.DataFrame):
        other.loc[7, "a"] = 0.5
    else:
        other[7, 0] = 0.5
    assert digest(data) == digest(data.copy()) != digest(other)
