"""Weights given to the optimiser cross zero; three ways that mean something end where their formulas say."""

import math

import pytest
import torch


@pytest.fixture(scope="module")
def example(run):
    return run("learned_weights", seeds=1)


def test_the_program_as_copied_ends_in_nan(example):
    module, printed = example
    assert 0 <= module.on_probabilities(0) < 100
    assert printed.numbers("on probabilities: NaN in")[:2] == [20, 20]


def test_with_a_stable_logit_the_weight_goes_through_zero(example):
    """By hand in plain torch: one logit for nine no and one yes."""
    module, printed = example
    w_neg, w_pos, logit = module.on_logits()
    neg, pos, z = 0.5, 2.0, 0.0
    for step in range(21):
        if step == 20:
            assert (w_neg[step], w_pos[step], logit[step]) == pytest.approx((neg, pos, z))
        yes, no, p = math.log1p(math.exp(-z)), math.log1p(math.exp(z)), 1 / (1 + math.exp(-z))
        neg, pos, z = neg - 0.1 * 0.9 * no, pos - 0.1 * 0.1 * yes, z - 0.1 * (0.9 * neg * p - 0.1 * pos * (1 - p))
    assert w_neg[20] == pytest.approx(-0.785, abs=1e-3)
    assert w_neg[100] == pytest.approx(-550, abs=1)
    assert w_neg[200] == pytest.approx(-3.04e6, rel=1e-2)
    assert printed.numbers("  20 ")[0] == -0.7852


def test_the_constrained_weights_even_out_the_parts_of_the_loss_up_to_the_prior(example):
    module, _ = example
    found = module.train(module.Problem.of(0), "geometric", steps=600)
    share, w = torch.tensor([0.9, 0.1]), found.weights
    assert float(w.prod()) == pytest.approx(1, rel=1e-4)
    mass = (share * w).sum()
    no, yes = (share * w * (found.losses + 0.1 * (1 - 1 / mass))).tolist()
    assert no == pytest.approx(yes, rel=0.02)


def test_minimax_makes_the_classes_losses_equal_and_the_search_finds_balance(example):
    module, printed = example
    minimax = module.train(module.Problem.of(0), "minimax")
    assert minimax.losses[0] == pytest.approx(minimax.losses[1].item(), rel=0.15)
    plain, balanced = (printed.numbers(name)[-1] for name in ("no weights", "inverse frequency"))
    assert balanced > plain + 0.08
    for way in ("b  minimax", "c  by the loss"):
        assert printed.numbers(way)[-1] > balanced - 0.02
    assert printed.numbers("a  constrained: product")[-1] < plain
