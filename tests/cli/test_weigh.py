"""steelyard weigh: the snippets are run, not looked at."""

import inspect
import types

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_class_weight

from steelyard import Recipe
from steelyard.ingredients import menu
from steelyard.options import In

BALANCED = compute_class_weight("balanced", classes=np.array(["no", "yes"]), y=["no"] * 90 + ["yes"] * 10)
NEEDS = {"deployment": ("--prior", "0.5,0.5"), "costs": ("--matrix", "[[0,1],[20,0]]")}


def run_snippet(text: str, **names) -> types.SimpleNamespace:
    scope = dict(names)
    exec(compile(text, "snippet", "exec"), scope)
    return types.SimpleNamespace(**scope)


def test_inverse_frequency_is_the_default_and_scikit_learns_balanced(steelyard, two_classes):
    code, out, _ = steelyard("weigh", two_classes, "--label", "y", "--json")
    assert code == 0
    np.testing.assert_allclose(Recipe.from_json(out).label_weights(), BALANCED, rtol=1e-12)


def test_people_see_class_count_and_weight(steelyard, two_classes):
    _, out, _ = steelyard("weigh", two_classes, "--label", "y")
    rows = [line.split() for line in out.splitlines()]
    assert ["no", "90", "90.00%", "0.55556"] in rows
    assert ["yes", "10", "10.00%", "5"] in rows
    assert "positive class: 'yes'" in out


def test_the_torch_snippet_runs_and_holds_the_weights(steelyard, two_classes):
    _, out, _ = steelyard("weigh", two_classes, "--label", "y", "--torch")
    cross_entropy = run_snippet(out.partition("# with one logit")[0]).loss
    assert isinstance(cross_entropy, torch.nn.CrossEntropyLoss)
    torch.testing.assert_close(cross_entropy.weight, torch.tensor(BALANCED, dtype=torch.float32), rtol=0, atol=0)
    assert '0 = "no", 1 = "yes"' in out
    binary = run_snippet(out).loss
    assert isinstance(binary, torch.nn.BCEWithLogitsLoss)
    torch.testing.assert_close(binary.pos_weight, torch.tensor(9.0))


def test_the_positive_class_turns_the_ratio(steelyard, two_classes):
    _, out, _ = steelyard("weigh", two_classes, "--label", "y", "--positive", "no", "--torch")
    torch.testing.assert_close(run_snippet(out).loss.pos_weight, torch.tensor(1 / 9))


def test_the_keras_snippet_is_keyed_by_index(steelyard, two_classes):
    _, out, _ = steelyard("weigh", two_classes, "--label", "y", "--keras")
    model = types.SimpleNamespace(fit=lambda x, y, class_weight: None)
    found = run_snippet(out, model=model, x=None, y=None).class_weight
    assert list(found) == [0, 1]
    np.testing.assert_allclose(list(found.values()), BALANCED, rtol=1e-9)


def test_the_scikit_learn_snippet_is_keyed_by_label_and_fits(steelyard, two_classes, shared_data):
    x = np.random.default_rng(0).normal(size=(100, 2))
    _, out, _ = steelyard("weigh", two_classes, "--label", "y", "--sklearn")
    y = np.array(["yes" if i % 10 == 0 else "no" for i in range(100)])
    ours, theirs = run_snippet(out).model.fit(x, y), LogisticRegression(class_weight="balanced").fit(x, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-4)
    _, out, _ = steelyard("weigh", shared_data / "tabular" / "ai4i2020.csv", "--label", "-1", "--sklearn")
    assert list(run_snippet(out).class_weight) == [0, 1]


def test_multilabel_weights_become_weight_and_pos_weight(steelyard, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "1,0\n" * 2 + "0,1\n" * 8 + "0,0\n" * 10)
    code, out, _ = steelyard(
        "weigh", tmp_path / "t.csv", "--label", "a", "--label", "b", "--strategy", "pos-neg", "--torch"
    )
    assert code == 0
    loss = run_snippet(out).loss
    torch.testing.assert_close(loss.pos_weight, torch.tensor([18 / 2, 12 / 8]))
    for n, pos_weight, weight in ((2, 9.0, loss.weight[0]), (8, 1.5, loss.weight[1])):  # unit mass for every label
        assert (20 - n + n * pos_weight) * float(weight) == pytest.approx(20, rel=1e-6)


@pytest.mark.parametrize("name", menu())
def test_every_strategy_of_the_menu_weighs_with_its_defaults(steelyard, two_classes, name):
    code, out, err = steelyard("weigh", two_classes, "--label", "y", "--strategy", name, "--json", *NEEDS.get(name, ()))
    assert (code, err) == (0, "")
    recipe = Recipe.from_json(out)
    assert recipe.source[0].startswith(name.replace("-", "_"))
    for form in ((), ("--torch",)):
        code, out, err = steelyard(
            "weigh", two_classes, "--label", "y", "--strategy", name, *form, *NEEDS.get(name, ())
        )
        assert (code, err) == (0, "")


NUMBERS = [
    (n, o, option.rule)
    for n, f in menu().items()
    for o, option in f.spec.options.items()
    if isinstance(option.rule, In)
]


@pytest.mark.parametrize(("name", "option", "rule"), NUMBERS, ids=[f"{n}-{o}" for n, o, _ in NUMBERS])
def test_every_number_of_a_strategy_is_a_flag_with_its_range(steelyard, two_classes, name, option, rule):
    flag = "--" + option.replace("_", "-")
    inside = (rule.search or (rule.low, rule.high))[0] or 0.25
    # before the data and after it, with and without "="
    for arguments in ((two_classes, flag, inside), (f"{flag}={inside}", two_classes)):
        code, out, err = steelyard("weigh", "--strategy", name, "--label", "y", "--json", *arguments)
        assert code == 0, err
        assert f"{option}={float(inside):g}" in Recipe.from_json(out).source[0]
    if np.isfinite(rule.low):
        code, _, err = steelyard("weigh", two_classes, "--label", "y", "--strategy", name, f"{flag}={rule.low - 1}")
        assert code == 2
        assert f"{name}: {option} must be" in err


@pytest.mark.parametrize("name", ["focal", "logit-adjustment", "margin", "smooth", "class-temperature"])
@pytest.mark.parametrize("form", ["--keras", "--sklearn"])
def test_what_is_not_a_class_weight_is_refused_there_with_the_reason(steelyard, two_classes, name, form):
    code, out, err = steelyard("weigh", two_classes, "--label", "y", "--strategy", name, form)
    assert (code, out) == (2, "")
    assert "which class weights cannot express" in err
    _, out, _ = steelyard("weigh", two_classes, "--label", "y", "--strategy", name)
    assert "This is more than class weights" in out


def test_the_help_lists_every_strategy_and_its_options(steelyard):
    code, out, _ = steelyard("weigh", "--help")
    assert code == 0
    for name, function in menu().items():
        assert f"\n{name}" in out
        for option in inspect.signature(function).parameters:
            assert option in ("counts", "classes", "kind") or "--" + option.replace("_", "-") in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--strategy", "efective-number"), "Did you mean 'effective-number'?"),
        (("--strategy", "nonsense"), "The strategies are inverse-frequency, "),
        (
            ("--strategy", "effective-number", "--bta", "0.9"),
            "unknown option --bta; it takes --beta. Did you mean --beta?",
        ),
        (("--strategy", "effective-number", "--beta", "1.5"), "beta must be in [0, 1), got 1.5."),
        (("--strategy", "effective-number", "--beta", "many"), "beta must be in [0, 1), got 'many'."),
        (("--strategy", "effective-number", "--beta"), "beta must be in [0, 1), got"),
        (("--strategy", "deployment"), "--prior is needed"),
        (("--strategy", "costs"), "--matrix is needed"),
        (("--strategy", "costs", "--matrix", "[[0,1]]"), "[C, C]"),
        (("--strategy", "fixed", "--weight", "1,2,3"), "for 2 classes"),
        (("--lable", "y"), "Did you mean --label?"),
        (("--positive", "Yes"), "Did you mean 'yes'?"),
        (("--json", "--torch"), "choose one"),
    ],
)
def test_a_wrong_option_is_answered_with_the_right_one(steelyard, two_classes, arguments, says):
    code, out, err = steelyard("weigh", two_classes, "--label", "y", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert says in err


def test_one_class_cannot_be_weighed(steelyard, tmp_path):
    (tmp_path / "one.csv").write_text("x,y\n1.5,a\n2.5,a\n")
    code, _, err = steelyard("weigh", tmp_path / "one.csv", "--label", "y")
    assert code == 2
    assert "one class only, 'a' (2 rows)" in err


def test_positive_is_for_two_classes(steelyard, shared_data):
    code, _, err = steelyard("weigh", shared_data / "tabular" / "ecoli.csv", "--label", "-1", "--positive", "cp")
    assert code == 2
    assert "here there are 8" in err
