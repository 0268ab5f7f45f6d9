"""scikit-learn classifiers saved by skops: the probabilities of the study, types that are named and refused, no file without the package."""

import importlib.util
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import steelyard as sy
from steelyard.cli.app import app
from steelyard.tuning import FinalModel
from steelyard.tuning.models import skopped

FAST = {"repeats": 1, "folds": 3, "bootstrap": 100, "baselines": False, "recipes": {"inverse": sy.inverse_frequency}}


@pytest.fixture(scope="module")
def needs_skops():
    if importlib.util.find_spec("skops") is None:
        pytest.skip("skops is not installed")


def rows():
    rng = np.random.default_rng(0)
    y = (rng.random(240) < 0.25).astype(int)
    return rng.normal(size=(240, 3)) + y[:, None], y


def double(X):
    return 2 * X


@pytest.mark.parametrize(
    "estimator",
    [RandomForestClassifier(n_estimators=5, random_state=0), make_pipeline(StandardScaler(), LogisticRegression())],
)
def test_an_estimator_of_ones_own_comes_back_with_the_probabilities_of_the_study(estimator, tmp_path, needs_skops):
    X, y = rows()
    study = sy.tune(estimator, data=(X, y), **FAST)
    (path,) = study.write_model(tmp_path)
    again = FinalModel.load(tmp_path)
    np.testing.assert_allclose(again.predict_proba(X), study.model.predict_proba(X), atol=1e-9, rtol=0)
    np.testing.assert_array_equal(again.predict(X), study.model.predict(X))
    assert again.model == study.model.model
    assert b"pickle" not in path.read_bytes()


def test_a_classifier_named_on_the_command_line_scores_new_tables(tmp_path, needs_skops, capsys):
    X, y = rows()
    table = pd.DataFrame(X, columns=list("abc")).assign(level=np.where(X[:, 0] > 0, "u", "v"), y=y)
    study = sy.tune(table, label="y", model="sklearn.ensemble.RandomForestClassifier(n_estimators=4)", **FAST)
    study.write_model(tmp_path)
    new = tmp_path / "new.csv"
    table.drop(columns="y").to_csv(new, index=False)
    again = FinalModel.load(tmp_path)
    np.testing.assert_allclose(again.predict_proba(table), study.model.predict_proba(table), atol=1e-9, rtol=0)
    np.testing.assert_allclose(again.predict_proba(str(new)), study.model.predict_proba(table), atol=1e-9, rtol=0)


def test_types_that_nobody_trusts_are_named_and_refused(tmp_path, needs_skops):
    X, y = rows()
    model = make_pipeline(FunctionTransformer(double), LogisticRegression())
    study = sy.tune(model, data=(X, y), **FAST)
    study.write_model(tmp_path)
    name = f"{__name__}.double"
    with pytest.raises(
        ValueError, match=rf"types that neither scikit-learn nor NumPy brings: {name}.*trusted=\['{name}'\]"
    ):
        FinalModel.load(tmp_path)
    again = FinalModel.load(tmp_path, trusted=[name])
    np.testing.assert_allclose(again.predict_proba(X), study.model.predict_proba(X), atol=1e-9, rtol=0)


def test_what_skops_never_wrote_is_refused_in_one_sentence(tmp_path, needs_skops):
    X, y = rows()
    study = sy.tune(LogisticRegression(), data=(X, y), **FAST)
    data = json.loads(study.model.to_json())
    for broken in ("", "AAAA", "no base64", data["fitted"]["skops"][:400]):
        wrong = data | {"fitted": data["fitted"] | {"skops": broken}}
        with pytest.raises(ValueError, match=r"^model: this .* is damaged") as raised:
            FinalModel.from_json(json.dumps(wrong))
        assert "\n" not in str(raised.value)
    with pytest.raises(ValueError, match="damaged"):
        FinalModel.from_json(json.dumps(data | {"model": "linear", "fitted": {"theta": [[0.0, 1.0]]}}))


def test_predict_says_that_rows_of_ones_own_code_are_no_table(tmp_path, needs_skops):
    from typer.testing import CliRunner

    X, y = rows()
    sy.tune(LogisticRegression(), data=(X, y), **FAST).write_model(tmp_path)
    (tmp_path / "new.csv").write_text("a,b,c\n1,2,3\n")
    result = CliRunner().invoke(app, ["predict", str(tmp_path), str(tmp_path / "new.csv")])
    assert result.exit_code
    assert "given its rows by your own code" in (str(result.exception) + result.output)


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(skopped.importlib.util, "find_spec", lambda name: None)
    assert skopped.why_not(LogisticRegression()).startswith(
        "a scikit-learn classifier is saved by skops, which is not installed: pip install 'steelyard[skops]'."
    )
    with pytest.raises(skopped.Refused, match="pip install"):
        skopped.restored("")


def test_what_skops_cannot_write_is_said_before_the_study_ends(needs_skops):
    class Closed(LogisticRegression):
        def __getstate__(self):
            raise TypeError("not for others")

    assert "skops cannot write Closed (not for others)" in skopped.why_not(Closed())
