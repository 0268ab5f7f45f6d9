import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from steelyard import BinaryCrossEntropy, Counts, CrossEntropy, Recipe, inverse_frequency, label_temperature, posterior
from steelyard.report import Report
from steelyard.report.snippets import snippets

LOGITS = torch.tensor([[2.0, -1.0], [0.3, 0.1], [-0.5, 1.5], [1.0, 1.2], [3.0, -2.0]])
Y = torch.tensor([0, 1, 1, 0, 1])


def run(code, **names):
    exec(compile(code, "snippet", "exec"), names)
    return names


def by_key(data):
    return {s.key: s.code for s in snippets(Report.from_json(data))}


def test_every_snippet_is_python(any_study):
    found = snippets(Report.from_json(any_study))
    assert len(found) >= 2
    for snippet in found:
        compile(snippet.code, snippet.key, "exec")


def test_torch_gives_the_loss_of_the_recipe(won):
    ours = CrossEntropy(Report.from_json(won).recipe)(LOGITS, Y)
    theirs = run(by_key(won)["torch"], logits=LOGITS, y=Y)["loss"]
    torch.testing.assert_close(theirs, ours, rtol=1e-5, atol=0)


def test_torch_with_one_logit_gives_the_loss_of_the_recipe(won):
    logit = LOGITS[:, 1] - LOGITS[:, 0]
    ours = BinaryCrossEntropy(Report.from_json(won).recipe)(logit, Y)
    theirs = run(by_key(won)["torch-one-logit"], logit=logit, y=Y)["loss"]
    torch.testing.assert_close(theirs, ours, rtol=1e-5, atol=0)


def test_steelyard_gives_the_loss_of_the_recipe(won):
    logit = LOGITS[:, 1] - LOGITS[:, 0]
    ours = CrossEntropy(Report.from_json(won).recipe)(LOGITS, Y)
    theirs = run(by_key(won)["steelyard"], logits=LOGITS, logit=logit, y=Y)
    torch.testing.assert_close(theirs["loss"], ours, rtol=1e-5, atol=0)  # the last of the two forms


def test_plain_torch_has_no_weights(kept):
    code = by_key(kept)["torch"]
    logit = LOGITS[:, 1] - LOGITS[:, 0]
    theirs = run(code, logits=LOGITS, logit=logit, y=Y)["loss"]
    torch.testing.assert_close(theirs, torch.nn.functional.cross_entropy(LOGITS, Y))
    assert "Tensor" not in code
    assert "tensor(" not in code


def test_no_weights_are_offered_where_none_won(kept):
    for code in by_key(kept).values():
        assert "class_weight=" not in code
        assert "sy.Recipe" not in code


def test_decisions_undo_the_weights(won, tmp_path, monkeypatch):
    recipe = Report.from_json(won).recipe
    recipe.save(tmp_path / "recipe.json")
    monkeypatch.chdir(tmp_path)
    called = run(by_key(won)["decide"], logits=LOGITS)["called"]
    assert called.tolist() == (posterior(LOGITS, recipe)[:, 1] >= 0.231).tolist()


def test_three_classes_divide_by_the_shares(three):
    logits = torch.tensor([[0.2, 0.1, 0.0], [3.0, 0.0, 0.0]])
    decided = run(by_key(three)["decide"], logits=logits)["decided"]
    expected = (torch.softmax(logits, 1) / torch.tensor([0.7, 0.2, 0.1]) ** 0.35).argmax(1)
    assert decided.tolist() == expected.tolist() == [2, 0]


def _table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = np.where(X[:, 0] + rng.normal(size=200) > 1, "ill", "well")
    return X, y


def test_scikit_learn_moves_the_threshold_of_plain(kept):
    X, y = _table()
    found = run(by_key(kept)["sklearn"], X=X, y=y)
    assert pytest.approx(1 / 2.5) == found["model"][-1].C
    assert found["model"][-1].class_weight is None
    assert found["called"].tolist() == (found["model"].predict_proba(X)[:, 0] >= 0.231).tolist()  # "ill" sorts first


def test_scikit_learn_undoes_what_it_weighted(won, tmp_path, monkeypatch):
    Report.from_json(won).recipe.save(tmp_path / "recipe.json")
    monkeypatch.chdir(tmp_path)
    X, y = _table()
    found = run(by_key(won)["sklearn"], X=X, y=y)
    w = Report.from_json(won).recipe.label_weights()
    q = found["model"].predict_proba(X)[:, 0]
    odds = q / (1 - q) * w[0] / w[1]
    np.testing.assert_allclose(found["p"], odds / (1 + odds), rtol=1e-4)
    assert found["called"].tolist() == (found["p"] >= 0.231).tolist()


@pytest.mark.parametrize("name", ["kept", "won"])
def test_another_model_is_weighted_row_by_row_and_not_named_a_linear_one(name, request, tmp_path, monkeypatch):
    study = request.getfixturevalue(name) | {"model": "boosting"}
    Report.from_json(study).recipe.save(tmp_path / "recipe.json")
    monkeypatch.chdir(tmp_path)
    X, y = _table()
    weights = []

    class Model(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            weights.append(sample_weight)
            return super().fit(X, y, sample_weight=sample_weight)

    found = run(by_key(study)["sklearn"], X=X, y=y, model=Model())
    assert "LogisticRegression" not in by_key(study)["sklearn"]
    assert found["called"].tolist() == (found["p"] >= 0.231).tolist()
    if name == "kept":
        assert weights == [None]
    else:
        w = Report.from_json(study).recipe.label_weights()
        np.testing.assert_allclose(weights[0], np.where(np.asarray(y) == "ill", w[1], w[0]), rtol=1e-5)


@pytest.mark.parametrize(
    "made",
    [
        label_temperature(Counts([950, 50], ["well", "ill"])),
        Recipe(weight=[[1.0, 2.0], [3.0, 4.0]], classes=["well", "ill"]),
        Recipe(
            weight=[[1.0], [4.0]], norm="mass", classes=["well", "ill"]
        ),  # reduction="none" and .mean() would be another loss
    ],
)
def test_what_no_class_weight_can_say_is_not_written_as_one(winning_with, made):
    found = by_key(winning_with(made))
    assert set(found) == {"steelyard", "decide"}
    assert "recipe.json" in found["steelyard"]


def test_scikit_learn_is_keyed_by_the_values_of_the_column(winning_with):
    data = winning_with(Recipe(weight=[[1.0], [4.0]], classes=["1", "2.5"]))
    data["data"]["classes"], data["positive"] = ["1", "2.5"], "2.5"
    assert "class_weight = {1: 1, 2.5: 4}" in by_key(data)["sklearn"]


def test_keras_is_keyed_by_index(winning_with):
    counts = Counts([950, 50], ["well", "ill"])
    w = inverse_frequency(counts).label_weights()

    class Model:
        def fit(self, X, y, class_weight):
            self.weight = class_weight

    model = Model()
    run(by_key(winning_with(inverse_frequency(counts)))["keras"], model=model, X=None, y=None)
    assert model.weight == pytest.approx(dict(enumerate(w)), rel=1e-5)


@pytest.mark.parametrize("model", ["linear", "boosting"])
def test_scikit_learn_takes_the_second_step_of_several_classes(three, model):
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b", "c"], 300, p=[0.7, 0.2, 0.1])
    X = rng.normal(size=(300, 2)) + 1.5 * np.stack([y == "b", y == "c"], 1)
    found = run(by_key(three | {"model": model})["sklearn"], X=X, y=y, model=LogisticRegression())
    p = found["model"].predict_proba(X)
    expected = np.array(["a", "b", "c"])[(p / np.array([0.7, 0.2, 0.1]) ** 0.35).argmax(1)]
    assert found["decided"].tolist() == expected.tolist()
    assert (expected != found["model"].predict(X)).any()


@pytest.fixture
def turned(winning_with):
    """Labels 0 and 1, of which 0 is the rare one and the positive: the study has it last."""
    data = winning_with(inverse_frequency(Counts([950, 50], ["1", "0"])))
    data["data"]["classes"], data["positive"] = ["1", "0"], "0"
    return data


def test_labels_that_are_numbers_find_their_class_at_its_place(turned, tmp_path, monkeypatch):
    recipe = Report.from_json(turned).recipe
    assert recipe.classes == ("0", "1")
    assert recipe.label_weights()[0] > 1 > recipe.label_weights()[1]
    recipe.save(tmp_path / "recipe.json")
    monkeypatch.chdir(tmp_path)
    code, ours = by_key(turned), CrossEntropy(recipe)(LOGITS, Y)
    one = LOGITS[:, 1] - LOGITS[:, 0]
    for key, logit in (("torch", one), ("torch-one-logit", -one), ("steelyard", one)):  # of what is rare, there
        theirs = run(code[key], logits=LOGITS, logit=logit, y=Y)["loss"]
        torch.testing.assert_close(theirs, ours, rtol=1e-5, atol=0)
    called = run(code["decide"], logits=LOGITS)["called"]
    assert called.tolist() == (posterior(LOGITS, recipe)[:, 0] >= 0.231).tolist()
    X, names = _table()
    y = np.where(names == "ill", 0, 1)
    found = run(code["sklearn"], X=X, y=y)
    assert found["model"][-1].class_weight == pytest.approx(dict(enumerate(recipe.label_weights())), rel=1e-5)
    q = found["model"].predict_proba(X)[:, 0]
    odds = q / (1 - q) * recipe.label_weights()[1] / recipe.label_weights()[0]
    np.testing.assert_allclose(found["p"], odds / (1 + odds), rtol=1e-4)


def test_without_weights_too(kept):
    kept["data"]["classes"], kept["positive"] = ["1", "0"], "0"
    logit = LOGITS[:, 0] - LOGITS[:, 1]
    theirs = run(by_key(kept)["torch"], logits=LOGITS, logit=logit, y=Y)["loss"]
    torch.testing.assert_close(theirs, torch.nn.functional.cross_entropy(LOGITS, Y))
    called = run(by_key(kept)["decide"], logits=LOGITS)["called"]
    assert called.tolist() == (torch.softmax(LOGITS, 1)[:, 0] >= 0.231).tolist()


def test_snippets_name_the_versions_of_what_they_import(kept):
    code = by_key(kept)
    assert f"torch {torch.__version__.partition('+')[0]}" in code["torch"].splitlines()[0]
    assert code["sklearn"].startswith("# scikit-learn ")
