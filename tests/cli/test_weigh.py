"""steelyard weigh. Files: cli/open_command.py."""

import inspect
import json
import types

import numpy as np
import pytest
import torch
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


def test_the_positive_class_turns_the_ratio(steelyard, two_classes):
    _, out, _ = steelyard("weigh", two_classes, "--label", "y", "--positive", "no", "--torch")
    torch.testing.assert_close(run_snippet(out).loss.pos_weight, torch.tensor(1 / 9))


@pytest.mark.parametrize("name", menu())
def test_every_strategy_of_the_menu_weighs_with_its_defaults(steelyard, two_classes, name):
    code, out, err = steelyard("weigh", two_classes, "--label", "y", "--strategy", name, "--json", *NEEDS.get(name, ()))
    assert (code, err.count("\n")) == (0, 1)  # what was read
    recipe = Recipe.from_json(out)
    assert recipe.source[0].startswith(name.replace("-", "_"))
    for form in ((), ("--torch",)):
        code, out, err = steelyard(
            "weigh", two_classes, "--label", "y", "--strategy", name, *form, *NEEDS.get(name, ())
        )
        assert (code, err.count("\n")) == (0, len(form))


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
        needed = NEEDS.get(name, ())
        code, out, err = steelyard("weigh", "--strategy", name, "--label", "y", "--json", *needed, *arguments)
        assert code == 0, err
        assert f"{option}={float(inside):g}" in Recipe.from_json(out).source[0]
    if np.isfinite(rule.low):
        wrong = f"{flag}={rule.low - 1}"
        code, _, err = steelyard("weigh", two_classes, "--label", "y", "--strategy", name, wrong, *NEEDS.get(name, ()))
        assert code == 2
        assert f"{name}: {option} must be" in err


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
            "unknown option --bta; it takes --beta, --absent. Did you mean --beta?",
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


ABSENT = [name for name, f in menu().items() if "absent" in f.spec.options]
THREE = {"a": 900, "void": 0, "b": 100}


@pytest.mark.parametrize("name", ABSENT)
def test_a_class_that_counts_nothing_keeps_its_place_in_the_weights_and_it_is_said(steelyard, tmp_path, name):
    (tmp_path / "k.json").write_text(json.dumps(THREE))
    (tmp_path / "two.json").write_text(json.dumps({"a": 900, "b": 100}))
    needs = {"deployment": (("--prior", "0.5,0,0.5"), ("--prior", "0.5,0.5"))}.get(name, ((), ()))
    if name == "pos-neg":
        (tmp_path / "k.json").write_text(json.dumps({"a": 900, "void": 0}))
        code, out, _ = steelyard("weigh", tmp_path / "k.json", "--strategy", name, "--absent", "0.5", "--torch")
        assert (code, run_snippet(out).weight.tolist()) == (0, [1.0, 0.5])
        return
    for absent in (None, 0.5):
        given = () if absent is None else ("--absent", absent)
        options = ("--strategy", name, "--torch", *given)
        code, out, err = steelyard("weigh", tmp_path / "k.json", *options, *needs[0])
        weight = run_snippet(out).loss.weight
        assert code == 0
        assert len(weight) == 3
        assert (name == "log-frequency" and absent is None) or weight[1] == (1.0 if absent is None else absent)
        assert f"'void' counts 0; the weight {weight[1]:.5g} keeps the place" in err
        plain = run_snippet(steelyard("weigh", tmp_path / "two.json", *options, *needs[1])[1])
        torch.testing.assert_close(weight[[0, 2]], plain.weight)


def test_the_ratio_is_of_the_classes_that_occur(steelyard, tmp_path):
    (tmp_path / "k.json").write_text(json.dumps(THREE))
    assert "largest / smallest = 9 ('a' / 'b')" in steelyard("weigh", tmp_path / "k.json")[1]
    (tmp_path / "k.json").write_text(json.dumps({"a": 900, "void": 0}))
    assert "only 'a' occurs" in steelyard("weigh", tmp_path / "k.json")[1]
    code, _, err = steelyard("weigh", tmp_path / "k.json", "--ignore", "a")
    assert code == 2
    assert "one class only" in err
