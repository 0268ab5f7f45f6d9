"""Weightings as people say them, and whose class each number is for."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

import steelyard as sy
from steelyard.cli import main
from steelyard.tuning.arms import arms, usual
from steelyard.tuning.weightings import said

COUNTS = sy.Counts.of(95, 5, classes=["no", "yes"])
QUICK = {"repeats": 1, "folds": 3, "bootstrap": 100, "baselines": False}


def table(rows: int = 300) -> pd.DataFrame:
    """Labels 0 and 1 of which 0 is the rare one: the tuner takes it for positive, and puts it last."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(rows, 2)).round(4)
    return pd.DataFrame(
        {"a": x[:, 0], "b": x[:, 1], "label": (x.sum(axis=1) + rng.normal(size=rows) < 1.8).astype(int)}
    )


@pytest.mark.parametrize(
    ("given", "name", "weights"),
    [
        ("inverse_frequency", "inverse_frequency", sy.inverse_frequency(COUNTS)),
        ("inverse-frequency(beta=0.5)", "inverse_frequency(beta=0.5)", sy.inverse_frequency(COUNTS, beta=0.5)),
        ("focal(gamma=3)", "focal(gamma=3)", sy.focal(3.0)),
        ("yes=20, no=1", "weights yes=20, no=1", sy.Recipe(weight=[1, 20], classes=COUNTS.classes)),
        ({"yes": 20, "no": 1}, "weights yes=20, no=1", sy.Recipe(weight=[1, 20], classes=COUNTS.classes)),
        (pd.Series({"yes": 20, "no": 1}), "weights yes=20, no=1", sy.Recipe(weight=[1, 20], classes=COUNTS.classes)),
        ([1, 20], "weights 1, 20", sy.Recipe(weight=[1, 20])),
        (np.array([1, 20]), "weights 1, 20", sy.Recipe(weight=[1, 20])),
        (torch.tensor([1.0, 20.0]), "weights 1, 20", sy.Recipe(weight=[1, 20])),
    ],
    ids=["name", "call", "curve", "text", "dictionary", "Series", "list", "array", "tensor"],
)
def test_every_form_is_the_recipe_it_says(given, name, weights):
    plain, arm = arms([given])
    assert (plain.name, arm.name) == ("plain", name)
    assert arms(given)[1].name == name  # one alone needs no list
    made, expected = arm.recipe(COUNTS), sy.unit_mass(sy.mix(weights, sy.Recipe(classes=COUNTS.classes)), COUNTS)
    np.testing.assert_allclose(made.label_weights(), expected.label_weights(), rtol=1e-12)
    assert (made.classes, made.curve) == (COUNTS.classes, weights.curve)


def test_a_saved_recipe_and_usual(tmp_path):
    sy.inverse_frequency(COUNTS, beta=0.3).save(tmp_path / "mine.json")
    found = arms([str(tmp_path / "mine.json"), tmp_path / "mine.json"][:1])
    assert found[1].name == "mine"
    assert found[1].recipe(COUNTS) == arms([sy.inverse_frequency(COUNTS, beta=0.3)])[1].recipe(COUNTS)
    assert [a.name for a in arms(["usual", {"no": 1, "yes": 3}])] == [a.name for a in usual()] + ["weights no=1, yes=3"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("inverse_frequancy", "Did you mean 'inverse-frequency'"),
        ("inverse_frequency(beta=", "is no call of a strategy"),
        ("inverse_frequency(0.5)", "is no call of a strategy"),
        ("inverse_frequency(beta=__import__('os'))", "is no call of a strategy"),
        ("inverse_frequency(gamma=1)", "takes counts, beta, absent, and"),
        ("no=1,yes", "'yes' is not NAME=NUMBER"),
        ("no=1,yes=2,no=3", "weighs 'no' twice"),
        ("missing.json", "missing.json"),
        (3, "a strategy's name"),
        ([1], "a strategy's name"),
    ],
    ids=range(10),
)
def test_what_is_wrong_is_said(wrong, says):
    with pytest.raises((ValueError, OSError), match=says.replace("(", r"\(")):
        arms([wrong])


def test_text_is_never_run(tmp_path):
    with pytest.raises(ValueError, match="is no call"):
        said(f"inverse_frequency(beta=open({str(tmp_path / 'x')!r}, 'w'))")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "weighting",
    [
        sy.Recipe(weight={"0": 9.0, "1": 1.0}),
        sy.Recipe(weight=[9.0, 1.0], classes=["0", "1"]),
        sy.Recipe(weight=[1.0, 9.0], classes=["1", "0"]),
        {0: 9.0, 1: 1.0},
        {1: 1.0, 0: 9.0},
        pd.Series([9.0, 1.0], index=[0, 1])[[1, 0]],
        "0=9,1=1",
        lambda counts: sy.Recipe(weight={"0": 9.0, "1": 1.0}),
        lambda counts: sy.Recipe(weight=[1.0, 9.0]),  # in the order of the counts it was given
    ],
    ids=[
        "by name",
        "in the order of labels",
        "in the tuner's",
        "by number",
        "turned",
        "Series",
        "text",
        "function",
        "of the counts given",
    ],
)
def test_the_weight_of_a_class_is_that_of_its_name(weighting):
    study = sy.tune(table(), label="label", recipes={"mine": weighting}, **QUICK)
    recipe = study.arms[1].recipe
    assert study.arms[1].name == "mine"
    weight = dict(zip(recipe.classes, recipe.label_weights().tolist(), strict=True))
    assert weight["0"] / weight["1"] == pytest.approx(9)


def test_numbers_by_place_that_could_mean_either_class_are_refused():
    for weighting in ([9.0, 1.0], sy.Recipe(weight=[9.0, 1.0])):
        with pytest.raises(ValueError, match=r"names no classes.*\{class: weight\}"):
            sy.tune(table(), label="label", recipes={"mine": weighting}, **QUICK)
    for matrix in ("0,1;5,0", [[0, 1], [5, 0]], np.array([[0.0, 1], [5, 0]])):
        with pytest.raises(ValueError, match=r"the cost matrix names no classes.*cost_fn=.*',0,1;0,0,5;1,1,0'"):
            sy.tune(table(), label="label", cost_matrix=matrix, **QUICK)
    # where the order is that of the labels, numbers by place mean what they say
    turned = table()
    turned["label"] = 1 - turned["label"]
    study = sy.tune(turned, label="label", recipes={"mine": [1.0, 9.0]}, cost_matrix="0,1;5,0", **QUICK)
    assert study.arms[1].recipe.label_weights()[1] > 1


def test_costs_by_name_are_costs_of_that_class():
    """A missed 0 costs 5, said in every way there is."""
    frame = pd.DataFrame([[0, 5], [1, 0]])  # numbered as the labels are
    ways = [
        {"cost_fn": 5, "cost_fp": 1},
        {"cost_matrix": ",0,1;0,0,5;1,1,0"},
        {"cost_matrix": frame},
        {"cost_matrix": frame.loc[[1, 0], [1, 0]]},
        {"cost_matrix": frame.rename(index=str, columns=str).loc[["1", "0"]]},
    ]
    cuts = {sy.tune(table(), label="label", recipes=["inverse_frequency"], **QUICK, **way).threshold for way in ways}
    assert len(cuts) == 1


def test_recipes_of_other_classes_are_refused_by_name():
    for weighting, says in (
        (sy.Recipe(weight={"cat": 9.0, "dog": 1.0}), "'mine' is not for 1, 0.*cat, dog"),
        (sy.Recipe(weight=[1.0, 2.0, 3.0], classes="abc"), "'mine' is not for 1, 0"),
        (sy.Recipe(weight=[[1.0], [2.0]], kind="multilabel"), "multilabel"),
    ):
        with pytest.raises(ValueError, match=says):
            sy.tune(table(), label="label", recipes={"mine": weighting}, **QUICK)


def test_the_command_compares_what_it_is_given_and_the_answer_stands_by_label(tmp_path, capsys):
    table().to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "mine.json").write_text(sy.Recipe(weight={"0": 9.0, "1": 1.0}).to_json())
    words = [
        "tune",
        str(tmp_path / "t.csv"),
        "--label",
        "label",
        "--repeats",
        "1",
        "--folds",
        "3",
        "--bootstrap",
        "100",
    ]
    more = ["--recipe", str(tmp_path / "mine.json"), "--recipe", "0=4,1=1", "--recipe", "inverse_frequency(beta=0.5)"]
    assert main([*words, *more, "--out", str(tmp_path / "out")]) == 0
    told = json.loads((tmp_path / "out/report.json").read_text())
    assert [a["name"] for a in told["arms"]] == ["plain", "mine", "weights 0=4, 1=1", "inverse_frequency(beta=0.5)"]
    assert sy.Recipe.load(tmp_path / "out/recipe.json").classes == ("0", "1")  # a loss reads labels by place
    assert main([*words, "--recipe", "cats=2,dogs=1", "--out", str(tmp_path / "other")]) == 2
    assert "names cats, dogs" in capsys.readouterr().err
