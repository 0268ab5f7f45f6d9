"""The user's own scikit-learn classifier or pipeline, trained on the rows of its data as they are."""

from typing import Any

from .estimators import EstimatorModel


class OwnEstimator(EstimatorModel):
    """A classifier that is given, with predict_proba; it is cloned for each fit and stays as it was.

    >>> from sklearn.linear_model import LogisticRegression
    >>> OwnEstimator(LogisticRegression(C=10)).name
    'LogisticRegression(C=10)'
    """

    encoding = "rows"

    def __init__(self, estimator: Any):
        self._of(estimator, " ".join(repr(estimator).split()))


def is_estimator(source: Any) -> bool:
    return not isinstance(source, type) and callable(getattr(source, "fit", None)) and hasattr(source, "predict_proba")
