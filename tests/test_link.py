"""What a link says of logits is what the losses do with them."""

import copy
import pickle

import pytest
import torch

import steelyard as sy
from steelyard.link import LINKS, SIGMOID, SOFTMAX, link_for, link_of

LOSSES = {"softmax": sy.CrossEntropy, "sigmoid": sy.BinaryCrossEntropy}
EACH = pytest.mark.parametrize("link", LINKS.values(), ids=str)
Z = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@EACH
@pytest.mark.parametrize("axis", [1, 2])
def test_one_loss_per_item(link, axis):
    logits = Z.movedim(1, axis)
    loss = LOSSES[link.name](reduction="none", class_dim=axis)
    target = torch.zeros(link.items(logits.shape, axis), dtype=torch.int64)
    assert loss(logits, target).shape == target.shape
    if axis == 1:
        assert link.beside_logits(target).expand_as(Z).shape == Z.shape


@EACH
def test_probabilities_are_those_that_a_plain_loss_asks_for(link):
    p = link.probabilities(Z)
    torch.testing.assert_close(p, sy.posterior(Z, sy.Recipe(), link=link))
    torch.testing.assert_close(p, sy.posterior(Z, sy.Recipe(), link=link.name))
    sure = p.argmax(dim=1) if link.exclusive else (p > 0.5).long()
    assert torch.equal(link.decided(Z), sure)
    assert int(link.decided(Z).max()) == link.labels(3) - 1


@EACH
def test_only_hard_labels_of_exclusive_classes_lack_the_class_axis(link):
    hard = torch.zeros(link.items(Z.shape), dtype=torch.int64)
    assert link.wide(hard) == (hard.dim() == Z.dim())
    assert link.wide(torch.zeros_like(Z))


@EACH
def test_a_link_equals_its_name_and_survives_a_copy(link):
    assert link == link.name == str(link)
    assert {link: 1}[link.name] == 1
    assert LOSSES[link.name]().link == link
    for other in (copy.deepcopy(link), pickle.loads(pickle.dumps(link))):
        assert other == link


def test_links_by_name_and_by_the_kind_of_counts():
    assert link_of("softmax") is link_of(SOFTMAX) is link_for("exclusive") is link_for(None) is SOFTMAX
    assert link_for("multilabel") is SIGMOID
    assert SOFTMAX != SIGMOID
    with pytest.raises(ValueError, match="posterior: link must be one of softmax, sigmoid, got 'probit'"):
        link_of("probit", "posterior")
