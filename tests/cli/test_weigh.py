"""steelyard weigh. Files: cli/open_command.py, cli/strategies.py, cli/advice.py."""

import inspect
import json
import types

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

import steelyard as sy
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
        (("--to", "troch"), "Did you mean --to torch?"),
        (("--to", "json", "--torch"), "choose one"),
        (("--strategy", "focal", "--strategy", "poly"), "cannot be mixed"),
        (
            ("--strategy", "focal", "--strategy", "class-temperature", "--strategy", "smooth", "--gamma", "2"),
            "behind the --strategy",
        ),
    ],
)
def test_a_wrong_option_is_answered_with_the_right_one(steelyard, two_classes, arguments, says):
    code, out, err = steelyard("weigh", two_classes, "--label", "y", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert says in err


@pytest.mark.parametrize("name", menu())
def test_a_strategy_may_be_spelled_as_in_python(steelyard, two_classes, name):
    said = [
        steelyard("weigh", two_classes, "--label", "y", "--strategy", spelled, "--to", "json", *NEEDS.get(name, ()))
        for spelled in (name, name.replace("-", "_"))
    ]
    assert said[0] == said[1]
    assert said[0][0] == 0


def test_strategies_are_mixed_and_the_mean_weight_stays_one(steelyard, two_classes):
    code, out, err = steelyard(
        "weigh", two_classes, "--label", "y", "--strategy", "effective-number", "--beta", "0.9",
        "--strategy", "focal", "--gamma", "3", "--strategy", "inverse-frequency", "--beta=0.5", "--to", "json",
    )  # fmt: skip
    assert code == 0, err
    counts = sy.Counts.of(90, 10, classes=("no", "yes"))
    by_hand = sy.mix(sy.effective_number(counts, beta=0.9), sy.focal(gamma=3.0), sy.inverse_frequency(counts, beta=0.5))
    recipe = Recipe.from_json(out)
    w = by_hand.label_weights()
    np.testing.assert_allclose(recipe.label_weights(), w / (0.9 * w[0] + 0.1 * w[1]), rtol=1e-12)
    assert recipe.curve == by_hand.curve


@pytest.mark.parametrize(
    "program", ["torch", "keras", "sklearn", "lightgbm", "xgboost", "ultralytics", "mmdet", "monai", "nnunet", "json"]
)
def test_to_says_what_the_flag_said(steelyard, two_classes, program):
    assert steelyard("weigh", two_classes, "--label", "y", "--to", program) == steelyard(
        "weigh", two_classes, "--label", "y", f"--{program}"
    )


def test_one_logit_keeps_the_mean_weight_and_says_what_pos_weight_alone_would_do(steelyard, two_classes):
    out = steelyard("weigh", two_classes, "--label", "y", "--to", "torch")[1]
    loss = run_snippet(out).loss
    y = torch.tensor([0.0] * 90 + [1.0] * 10)
    per_row = torch.nn.functional.binary_cross_entropy_with_logits(torch.zeros(100), y, reduction="none")
    assert loss(torch.zeros(100), y) == pytest.approx(per_row.mean().item(), rel=1e-6)
    alone = torch.nn.BCEWithLogitsLoss(pos_weight=loss.pos_weight)(torch.zeros(100), y) / per_row.mean()
    assert f"{alone:.3g} times as large" in out


def test_people_read_what_the_weights_do_and_what_to_do_next(steelyard, two_classes):
    out = steelyard("weigh", two_classes, "--label", "y")[1]
    # weights 0.5556 and 5: even odds under them are one in ten on the data
    assert "50 % under them is 10 % on the data. Without weights, saying 'yes' from 10 % decides the same." in out
    assert "sy.posterior(logits, recipe)" in out
    assert f"steelyard tune {two_classes} --label y" in out
    assert "Next" not in out
    assert f"Next: steelyard weigh {two_classes} --label y" in steelyard("count", two_classes, "--label", "y")[1]
    assert "Next" not in steelyard("count", two_classes, "--label", "y", "--json")[1]


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
