"""The binary example: what torch's `weight` and `pos_weight` do."""

import pytest
import torch

import steelyard as sy


@pytest.fixture(scope="module")
def example(run):
    return run("bce_weight")


def test_torch_raises_where_the_article_promises_class_weights(example):
    assert "doesn't match the broadcast shape [3, 2]" in example[1].line("torch:")


def test_our_drop_in_raises_too_and_names_what_to_write(example):
    said = example[1].line("steelyard: BCEWithLogitsLoss")
    assert "does not broadcast" in said
    assert "pos_weight" in said
    assert "BinaryCrossEntropy(fixed(weight=[w0, w1]))" in said


def test_torchs_weight_follows_columns_and_samples_never_labels(example):
    module, printed = example
    for labels in (torch.zeros(3, 2), torch.ones(3, 2)):
        ratio = module.what_weight_does(torch.randn(3, 2), labels)
        torch.testing.assert_close(ratio, torch.tensor([[0.1, 0.9]]).expand(3, 2))
    assert printed.numbers("logits (3, 2), labels 01 10 11:") == [0.1, 0.9] * 3
    assert printed.numbers("logits (2,), labels 1 0:")[:2] == [0.1, 0.9]


def test_what_we_suggest_weighs_by_the_label(example):
    assert example[1].line("[0.1 0.9 0.9]")
    torch.testing.assert_close(example[0].what_ours_does(), torch.tensor([[0.1], [0.9], [0.9]]))


def test_the_suggestion_is_pos_weight_times_the_weight_of_no(example):
    module, _ = example
    ours = sy.BinaryCrossEntropy(sy.fixed(weight=module.WEIGHT))(module.LOGITS, module.TARGET)
    torchs = 0.1 * torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(9.0))(module.LOGITS, module.TARGET)
    torch.testing.assert_close(ours, torchs)


def test_pos_weight_on_soft_labels_is_an_expectation_not_an_element_weight(example):
    # by hand: z = 0.5, t = 0.3, p = 9: p t log(1 + e^-z) + (1 - t) log(1 + e^z), and (1 + (p - 1) t) times plain BCE
    module, printed = example
    yes, no = 0.4740769841801067, 0.9740769841801067
    by_pos_weight, by_element, ours = module.soft_labels(0.3, 9.0, 0.5)
    assert by_pos_weight == pytest.approx(9 * 0.3 * yes + 0.7 * no, rel=1e-6)
    assert by_element == pytest.approx((1 + 8 * 0.3) * (0.3 * yes + 0.7 * no), rel=1e-6)
    assert ours == pytest.approx(by_pos_weight, rel=1e-12)
    assert printed.numbers("pos_weight", "element weight", "steelyard [1, 9]") == [pytest.approx(ours, abs=1e-4)]


def test_torchs_two_losses_divide_by_different_things(example):
    module, printed = example
    bce, ce, count, mass = module.divided_by(9.0)
    assert bce == pytest.approx(count, rel=1e-6)
    assert ce == pytest.approx(mass, rel=1e-6)
    assert bce * 3 == pytest.approx(ce * (1 + 9 + 9), rel=1e-6)  # three rows; weights 1, 9, 9
    assert printed.numbers("by the count")[0] == pytest.approx(bce, abs=1e-4)
    assert printed.numbers("by the sum of weights")[0] == pytest.approx(ce, abs=1e-4)
