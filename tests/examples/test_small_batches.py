"""What a weighted mean is divided by."""

import math

import pytest
import torch

import steelyard as sy


@pytest.fixture(scope="module")
def example(run):
    return run("small_batches")


def expected_share(batch, prevalence=0.01):
    """The rare class's expected share of a mean that divides by the weights, from the binomial distribution."""
    rare, common = 0.5 / prevalence, 0.5 / (1 - prevalence)
    total = 0.0
    for k in range(1, batch + 1):
        log_p = math.lgamma(batch + 1) - math.lgamma(k + 1) - math.lgamma(batch - k + 1)
        log_p += k * math.log(prevalence) + (batch - k) * math.log1p(-prevalence)
        total += math.exp(log_p) * k * rare / (k * rare + (batch - k) * common)
    return total


@pytest.mark.parametrize(("batch", "published"), [(8, 0.071), (32, 0.215), (128, 0.396), (1024, 0.488)])
def test_the_rare_class_gets_less_than_half_when_weights_divide_and_half_when_rows_do(example, batch, published):
    _, printed = example
    mass, count = printed.numbers(f" {batch} ")
    assert mass / 100 == pytest.approx(expected_share(batch), abs=0.005)
    assert expected_share(batch) == pytest.approx(published, abs=0.002)
    assert count == pytest.approx(50, abs=1)


def test_the_shares_are_those_of_the_losses_gradients(example):
    """The example divides by hand; the loss itself must do the same."""
    module, _ = example
    torch.manual_seed(5)
    y = (torch.rand(8) < 0.3).long()
    for recipe, divisor in ((module.BY_MASS, None), (module.BALANCED, 8)):
        z = torch.zeros(8, 2, requires_grad=True)
        sy.CrossEntropy(recipe)(z, y).backward()
        assert z.grad is not None
        weight = recipe.class_weight[y]
        share = z.grad.abs().sum(dim=1)  # |p - onehot| sums to 1 at z = 0
        torch.testing.assert_close(share, weight / (weight.sum() if divisor is None else divisor))


def test_in_a_batch_of_one_class_torchs_mean_ignores_the_weight(example):
    z, y = torch.randn(5, 2), torch.ones(5, dtype=torch.long)
    torchs = torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 50.0]))(z, y)
    torch.testing.assert_close(torchs, torch.nn.CrossEntropyLoss()(z, y))
    assert example[1].line("(torch's mean)").split("factor of ")[1].startswith("1 ")
    assert example[1].line("(steelyard)", "factor").split("factor of ")[1].startswith("50 ")
