"""check_rule lets a good rule pass and says which law a bad one breaks."""

from typing import Annotated

import pytest
import torch

import steelyard as sy
from steelyard import adaptive, testing
from steelyard.options import In


class Running(adaptive.Rule):
    """Inverse frequency of the labels seen so far."""

    def __init__(self, counts: sy.Counts, *, momentum: Annotated[float, In(0.0, 1.0)] = 1.0):
        super().__init__()
        self.momentum = momentum
        self.register_buffer("seen", torch.ones(len(counts), dtype=torch.float64))
        self.register_buffer("pending", torch.zeros(len(counts), dtype=torch.float64))

    def recipe(self):
        return sy.Recipe(weight=self.seen.sum() / (len(self.seen) * self.seen))

    def observe(self, logits, target):
        seen = self.read(logits, target)
        return torch.zeros_like(self.seen).index_add(0, seen.y, seen.valid.to(self.seen))

    def learn(self, sums):
        self.seen = self.momentum * self.seen + sums


def test_a_good_rule_passes():
    testing.check_rule(Running)
    testing.check_rule(lambda: Running(sy.Counts([1, 2, 3]), momentum=0.5))
    testing.check_rule(adaptive.Equalized, link="sigmoid")


def test_its_options_are_checked():
    with pytest.raises(ValueError, match=r"Running: momentum must be in \[0, 1\], got 2"):
        Running(sy.Counts([1, 2, 3]), momentum=2.0)


class Forgets(Running):
    """Its state is no buffer."""

    steps = 0

    def recipe(self):
        return sy.Recipe(weight=[1.0 + self.steps, 1.0, 1.0])

    def learn(self, sums):
        self.steps += 1


class CountsVoid(Running):
    def observe(self, logits, target):
        return torch.zeros_like(self.seen).index_add(0, target.clamp(min=0), torch.ones_like(target).double())


class LearnsInEvaluation(Running):
    def weigh(self, logits, target):
        self.seen = self.seen + 1


class ActsAtOnce(Running):
    def observe(self, logits, target):
        self.seen = self.seen + super().observe(logits, target)


class WritesOver(Running):
    def learn(self, sums):
        self.seen += sums

    def observe(self, logits, target):
        self.seen.add_(1e-3)
        return super().observe(logits, target)


class StandsStill(Running):
    def learn(self, sums):
        pass


class Overflows(Running):
    def adjust(self, logits, target):
        return logits * logits.exp()


@pytest.mark.parametrize(
    ("rule", "law"),
    [
        (Forgets, "resumed in the middle"),
        (CountsVoid, "as good as absent"),
        (LearnsInEvaluation, "Evaluation changes nothing"),
        (ActsAtOnce, "Micro-batches are one batch|to the bit"),
        (WritesOver, "that failed is forgotten|Micro-batches"),
        (StandsStill, "Something changes"),
        (Overflows, "finite"),
    ],
)
def test_a_bad_rule_is_told_its_law(rule, law):
    with pytest.raises(AssertionError, match=law) as broken:
        testing.check_rule(rule)
    assert str(broken.value).startswith(f"{rule.__name__}: ")


def test_a_rule_without_a_recipe_is_none():
    with pytest.raises(TypeError, match="Nothing: a rule must have recipe"):
        type("Nothing", (adaptive.Rule,), {})


@pytest.mark.parametrize(("hook", "instead"), [("settle", r"learn\(sums\)"), ("complaints", r"warnings\(\)")])
def test_a_hook_that_nobody_calls_is_refused_with_what_to_write(hook, instead):
    with pytest.raises(TypeError, match=rf"Old: nobody calls {hook}\(\) of a rule any more; .*{instead}"):
        type("Old", (adaptive.Rule,), {"recipe": lambda self: sy.Recipe(), hook: lambda self: None})
