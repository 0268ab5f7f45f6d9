"""What holds for every adaptive rule: the laws of steelyard.testing.rules, and that torch.compile takes it."""

import importlib
import pkgutil

import pytest
import torch
from tests.adaptive.rules import CASES, NOT_COMPILED
from torch._dynamo.testing import CompileCounter

import steelyard as sy
from steelyard import adaptive
from steelyard.testing.rules import LAWS, same, state

COMPILED = ("Deferred", "BatchStatistics", "Mixed that looks at logits", "Uncertainty")  # the others in the slow run


def test_every_rule_has_a_case():
    assert {type(case.make()).__name__ for case in CASES.values()} >= {*adaptive.RULES}


def test_every_rule_of_the_folder_is_listed():
    for _, stem, _ in pkgutil.iter_modules(adaptive.__path__):
        module = importlib.import_module(f"steelyard.adaptive.{stem}")
        for name, value in vars(module).items():
            ours = isinstance(value, type) and issubclass(value, adaptive.Rule) and value.__module__ == module.__name__
            if ours and not name.startswith("_") and name == value.__name__:
                line = f"from .{stem} import {name} as {name}"
                assert name in adaptive.RULES, f"add to src/steelyard/adaptive/__init__.py: {line}"


def test_a_rule_that_is_not_listed_is_named_with_its_line(monkeypatch):
    monkeypatch.setattr(adaptive, "RULES", {n: rule for n, rule in adaptive.RULES.items() if n != "Seesaw"})
    with pytest.raises(AssertionError, match=r"adaptive/__init__.py: from .seesaw import Seesaw as Seesaw"):
        test_every_rule_of_the_folder_is_listed()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", CASES)
def test_a_law_holds(name, law):
    law(CASES[name])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in COMPILED else pytest.mark.slow) for name in CASES]
)
def test_compiled_it_is_the_same_and_new_numbers_do_not_recompile(name):
    if name in NOT_COMPILED:
        pytest.skip(NOT_COMPILED[name])
    case = CASES[name]
    torch._dynamo.reset()
    one, two = case.loss(), case.loss()
    counter = CompileCounter()
    compiled = torch.compile(two, fullgraph=True, backend=counter)
    for step in range(5):
        x, y = case.data(seed=step, dtype=torch.float32)
        z = case.logits(x)
        for loss in (one, two):
            loss.advance(epoch=step, step=step)
        torch.testing.assert_close(compiled(z, y), one(z, y))
    same(state(two), state(one), rtol=1e-5, atol=1e-6)
    assert counter.frame_count <= (2 if "another curve" in name else 1)
    torch._dynamo.reset()


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_soft_targets_of_weight_0_are_not_observed(link):
    torch.manual_seed(0)
    z = torch.randn(6, 3, dtype=torch.float64)
    soft = torch.rand(6, 3, dtype=torch.float64).softmax(dim=1)
    found = []
    for rows in (slice(None), slice(4)):
        loss = (sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy)(adaptive.BatchStatistics(3, warm_up=0))
        weight = torch.tensor([1.0, 2.0, 1.0, 1.0, 0.0, 0.0])[rows]
        loss(z[rows], soft[rows], weight=weight)
        found.append(state(loss))
    same(*found)
