"""The printed smoothing formula does not smooth; weights times smoothing has the wrong optimum in torch, not in ours."""

import pytest
import torch

import steelyard as sy


@pytest.fixture(scope="module")
def example(run):
    return run("label_smoothing")


def test_the_printed_formula_has_the_gradient_of_plain_cross_entropy(example):
    module, printed = example
    logits, labels = module.batch()
    plain = module.gradient(torch.nn.CrossEntropyLoss(), logits, labels)
    torch.testing.assert_close(module.gradient(module.printed, logits, labels), 0.9 * plain, rtol=1e-12, atol=1e-15)
    assert printed.numbers("plain cross-entropy: at most")[0] < 1e-15


def test_the_right_formula_is_torchs_and_ours(example):
    module, printed = example
    logits, labels = module.batch()
    torchs = torch.nn.CrossEntropyLoss(label_smoothing=0.1)(logits, labels)
    torch.testing.assert_close(module.right(logits, labels), torchs, rtol=1e-12, atol=0)
    torch.testing.assert_close(sy.CrossEntropy(sy.smooth(0.1))(logits, labels), torchs, rtol=1e-12, atol=0)
    assert max(printed.numbers("its gradient minus torch's: at most")) < 1e-15


@pytest.mark.parametrize("weight", [(1.0, 1.0), (0.1, 0.9), (0.01, 0.99)])
def test_torchs_optimum_moves_with_the_weight_and_ours_stays(example, weight):
    # by hand: p is proportional to w_c q_c with q = (0.95, 0.05)
    module, printed = example
    a, b = weight[0] * 0.95, weight[1] * 0.05
    zero = torch.tensor([0])
    theirs, ours = (float(module.optimum(f(list(weight)), zero, 2)[1]) for f in (module.torch_loss, module.our_loss))
    assert theirs == pytest.approx(b / (a + b), abs=1e-5)
    assert ours == pytest.approx(0.05, abs=1e-5)
    assert printed.numbers(f"weight {list(weight)}", "torch")[:2] == [round(theirs, 3), 0.05]


def test_smoothing_times_inverse_frequency_favours_the_rarest_class_in_torch_and_none_in_ours(example):
    module, printed = example
    raw = [(0.9 * p + 0.1 / 4) / p for p in module.PRIOR]
    theirs = [v / sum(raw) for v in raw]
    assert theirs == pytest.approx([0.176, 0.193, 0.228, 0.404], abs=6e-4)
    assert printed.numbers("torch", "0.176,") == pytest.approx(theirs[1:], abs=6e-4)
    assert printed.numbers("steelyard", "0.250,") == [0.25] * 3


def test_three_ways_to_write_the_same_smoothed_weighted_loss_differ():
    """Index targets, the smoothed probabilities as targets, and the weight on the sample: none equals another."""
    torch.manual_seed(3)
    z, y, w = torch.randn(64, 3).double(), torch.randint(3, (64,)), torch.tensor([0.2, 1.0, 5.0]).double()
    soft = 0.9 * torch.nn.functional.one_hot(y, 3).double() + 0.1 / 3
    by_index = sy.CrossEntropyLoss(weight=w, label_smoothing=0.1)(z, y)
    by_soft = sy.CrossEntropyLoss(weight=w)(z, soft)
    by_sample = sy.CrossEntropy(sy.mix(sy.fixed(weight=w), sy.smooth(0.1), sy.fixed(norm="mass")))(z, y)
    each = torch.nn.CrossEntropyLoss(reduction="none")(z, soft)
    torch.testing.assert_close(by_sample, (w[y] * each).sum() / w[y].sum())
    torch.testing.assert_close(by_index, torch.nn.CrossEntropyLoss(weight=w, label_smoothing=0.1)(z, y))
    torch.testing.assert_close(by_soft, torch.nn.CrossEntropyLoss(weight=w)(z, soft))
    assert len({round(float(v), 3) for v in (by_index, by_soft, by_sample)}) == 3
