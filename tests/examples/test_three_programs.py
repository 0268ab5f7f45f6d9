"""The three programs end in NaN on every seed; the same weights on logits converge."""

import math
from statistics import median

import pytest
import torch

MEDIANS = {"1 inverse frequency": 2, "2 normalised": 31, "3 trainable weights": 13}


@pytest.fixture(scope="module")
def example(run):
    return run("three_programs")


def literally(seed, w_neg, w_pos, trained):
    """The loop as it is copied, one seed, the loss before each step."""
    torch.manual_seed(seed)
    p = torch.rand(10, 1, requires_grad=True)
    y = torch.tensor([0.0] * 9 + [1.0]).reshape(-1, 1)
    pos, neg = (torch.tensor([w], requires_grad=trained) for w in (w_pos, w_neg))
    optimizer = torch.optim.SGD([p, pos, neg] if trained else [p], lr=0.1)
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = torch.mean(-(pos * y * torch.log(p) + neg * (1 - y) * torch.log(1 - p)))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("name", MEDIANS)
def test_the_batched_runs_are_the_literal_programs(example, name):
    module, _ = example
    together = module.on_probabilities(module.starts(4), *module.PROGRAMS[name]).losses
    for seed in range(4):
        alone = torch.tensor(literally(seed, *module.PROGRAMS[name]))
        torch.testing.assert_close(together[:, seed], alone, equal_nan=True, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "middle"), MEDIANS.items())
def test_every_seed_ends_in_nan(example, name, middle):
    module, printed = example
    nan = module.first_nan(module.on_probabilities(module.starts(), *module.PROGRAMS[name]).losses)
    assert len(nan) == 200
    assert median(nan) == middle
    assert printed.numbers(name, "NaN in")[:2] == [200, 200]
    assert printed.numbers(name, "first NaN at epoch")[0] == middle


@pytest.mark.parametrize("name", MEDIANS)
def test_on_logits_no_seed_ends_in_nan_and_the_loss_always_falls(example, name):
    said = example[1].line(name, "falls at every step")
    assert "NaN in 0 of 200 seeds" in said
    assert said.endswith("falls at every step in 200")


def test_with_a_fitting_step_size_every_seed_converges(example):
    at_start, at_end = example[1].numbers("worst loss over the seeds")
    assert at_start > 1
    assert at_end < 0.05


def test_trained_weights_cross_zero_and_then_reward_mistakes(example):
    module, printed = example
    run = module.on_probabilities(module.starts(), *module.PROGRAMS["3 trainable weights"])
    assert (run.weights[..., 0] < 0).any(dim=0).float().mean() > 0.5
    path, losses, gradients = module.learned_weights(400)
    assert path[0].tolist() == [0.5, 2.0]
    assert path[-1, 0] < -1000
    assert losses[-1] < -1e6
    assert gradients.min() > 0
    assert printed.numbers("below 0 from epoch")[0] == int((path[:, 0] < 0).int().argmax())


def test_the_first_weight_gradient_is_the_share_of_the_class_times_its_mean_loss(example):
    _, _, gradients = example[0].learned_weights(1)
    assert gradients[0].tolist() == pytest.approx([0.9 * math.log(2), 0.1 * math.log(2)])


def test_normalised_weights_have_the_ratio_of_the_inverse_frequencies(example):
    programs = example[0].PROGRAMS
    inverse, normalised = programs["1 inverse frequency"], programs["2 normalised"]
    assert inverse[1] / inverse[0] == pytest.approx(normalised[1] / normalised[0]) == pytest.approx(9.0)
    assert inverse[0] / normalised[0] == pytest.approx(100 / 9)  # N^2 / (n_pos n_neg)
