"""accumulate and global_mass in one process; ranks are in tests/framework/test_ranks.py. Files: losses/penalty.py."""

import pytest
import torch
from tests.framework.shards import LATER, MASS, RECIPE, Everything
from torch._dynamo.testing import CompileCounter

import steelyard as sy
from steelyard.adaptive import Deferred
from steelyard.losses import accumulation
from steelyard.rule import protocol


@pytest.fixture
def batch():
    torch.manual_seed(0)
    z, y = torch.randn(12, 3, dtype=torch.float64), torch.randint(0, 3, (12,))
    y[[2, 5, 11]] = -100
    return z, y, torch.tensor([0.0, 2.0, 0.5] * 4, dtype=torch.float64)


def in_parts(loss, z, y, s=None, cuts=(5, 1, 6)):
    pieces = list(zip(z.split(cuts), y.split(cuts), [None] * 3 if s is None else s.split(cuts), strict=True))
    with sy.accumulate(loss, [p[1] for p in pieces], weight=None if s is None else [p[2] for p in pieces]):
        return sum(loss(a, b, weight=c) for a, b, c in pieces)


def soft(z):
    return (2 * z).softmax(dim=1)


@pytest.mark.parametrize("norm", ["count", "mass"])
def test_labels_with_a_channel_as_a_sum_takes_them_have_the_mass_of_those_without(norm):
    y = torch.randint(0, 3, (4, 5, 6))
    y[0] = -100
    loss, s = sy.CrossEntropy(sy.Recipe(weight=[1.0, 2.0, 5.0], norm=norm)), torch.rand(4, 5, 6)
    for labels in (y[:, None], y[:, None].float()):
        for weight in (None, s, s[:, None]):
            expected = sy.global_mass(y, loss, weight=weight)
            torch.testing.assert_close(sy.global_mass(labels, loss, weight=weight), expected)
    with pytest.raises(ValueError, match="the labels hold fractions"):
        sy.global_mass(y[:, None] + 0.5, loss)


def test_all_losses_of_a_sum_share_one_all_reduce(batch, monkeypatch):
    z, _, s = batch
    total = sy.Sum(a=sy.CrossEntropy(MASS), b=sy.BinaryCrossEntropy(), c=sy.CrossEntropy(sy.fixed(norm=3.0)))
    sent = []
    monkeypatch.setattr(accumulation, "over_ranks", lambda sums, group: sent.append(sums) or sums)
    torch.testing.assert_close(in_parts(total, z, soft(z), s), total(z, soft(z), weight=s))
    assert [t.shape for t in sent] == [(3,)]


def test_losses_of_other_targets_are_held_open_together(batch):
    z, y, _ = batch
    first, second = sy.CrossEntropy(MASS), sy.CrossEntropy(LATER)
    other = torch.where(y == 0, -100, y)
    with sy.accumulate(first, [y[:5], y[5:]]), sy.accumulate(second, [other[:5], other[5:]]):
        found = sum(first(z[p], y[p]) + second(z[p], other[p]) for p in (slice(5), slice(5, 12)))
    torch.testing.assert_close(found, first(z, y) + second(z, other))


def test_nothing_at_all_is_zero(batch):
    loss = sy.CrossEntropy(MASS)
    assert sy.global_mass([], loss) == 0
    assert sy.global_mass([], sy.Recipe()).dtype == torch.float64
    with sy.accumulate(loss, []):
        pass
    with sy.accumulate(loss, [batch[1][:0]]):
        assert loss(batch[0][:0], batch[1][:0]) == 0


def test_targets_may_come_from_a_generator(batch):
    z, y, s = batch
    total = sy.Sum(a=sy.CrossEntropy(MASS), b=sy.CrossEntropy(RECIPE))
    with sy.accumulate(total, (part for part in (y[:5], y[5:])), weight=(part for part in (s[:5], s[5:]))):
        found = total(z[:5], y[:5], weight=s[:5]) + total(z[5:], y[5:], weight=s[5:])
    torch.testing.assert_close(found, total(z, y, weight=s))


def test_a_rule_of_two_losses_learns_once(batch):
    z, y, _ = batch
    rule, alone = Everything("count"), Everything("count")
    one, two = sy.CrossEntropy(rule), sy.CrossEntropy(rule)
    with sy.accumulate(sy.Sum(a=one, b=two), y):
        one(z, y), two(z, y)
    alone.driver.observe(z, y), alone.driver.observe(z, y), alone.driver.settle()
    torch.testing.assert_close(rule.weight, alone.weight)


def test_statistics_are_summed_over_the_group_of_the_step_unless_a_rule_has_its_own(batch, monkeypatch):
    z, y, _ = batch
    asked = []
    monkeypatch.setattr(protocol, "over_ranks", lambda sums, group: asked.append(group) or sums)
    monkeypatch.setattr(accumulation, "over_ranks", lambda sums, group: sums)
    loss, own = sy.CrossEntropy(Everything("count")), sy.CrossEntropy(Everything("count"))
    own.rule.group = "mine"
    with sy.accumulate(sy.Sum(a=loss, b=own), y, group="theirs"):
        loss(z, y)
    assert asked == ["theirs", "mine"]
    assert loss.rule.group is None


def test_linear_and_unbatched_targets_have_their_class_axis(batch):
    z, _, s = batch
    t = soft(z).reshape(4, 3, 3)
    mass = float((t.reshape(-1, 3) @ torch.tensor([0.5, 1.0, 8.0], dtype=torch.float64)).sum())
    assert sy.global_mass(t, sy.LinearCrossEntropy(MASS)) == pytest.approx(mass)
    for loss in (sy.CrossEntropy(MASS), sy.CrossEntropy(MASS, class_dim=-1)):
        for target, weight in ((t[0, 0], None), (torch.tensor(2), None), (torch.tensor(2), s[1])):
            one = z[0]
            found = loss(one, target, weight=weight, normalizer=sy.global_mass(target, loss, weight=weight))
            torch.testing.assert_close(found, loss(one, target, weight=weight))


def test_the_current_recipe_of_a_schedule_gives_the_mass(batch):
    y = batch[1]
    loss = sy.CrossEntropy(Deferred(MASS, LATER, after_epoch=3))
    for epoch, recipe in ((2, MASS), (3, LATER), (0, MASS)):
        loss.advance(epoch=epoch)
        assert sy.global_mass(y, loss) == sy.global_mass(y, loss.rule) == sy.global_mass(y, recipe)


def test_compiled_it_is_the_same_and_a_new_step_does_not_recompile(batch):
    torch._dynamo.reset()
    z, y, _ = (t.float() if t.is_floating_point() else t for t in batch)
    loss, counter = sy.CrossEntropy(MASS), CompileCounter()
    compiled = torch.compile(loss, fullgraph=True, backend=counter)
    for step in range(4):
        labels = y.roll(step)
        torch.testing.assert_close(in_parts(compiled, z, labels, cuts=(4, 4, 4)), loss(z, labels))
    assert counter.frame_count == 1
    torch._dynamo.reset()


LABELS, LIVE = torch.tensor([0, 1, 2]), torch.ones(3, requires_grad=True)
YES_NO = sy.Recipe(weight=[[1.0, 1.0, 1.0], [2.0, 3.0, 4.0]], norm="mass", kind="multilabel")
BAD = {
    "a Sum has no one Z": (lambda: sy.global_mass(LABELS, sy.Sum(a=sy.CrossEntropy())), "got Sum.*sy.accumulate"),
    "a drop-in": (lambda: sy.global_mass(LABELS, sy.CrossEntropyLoss()), "got CrossEntropyLoss"),
    "not tensors": (lambda: sy.global_mass([0, 1], sy.Recipe()), "target must be a tensor or a list of them, got int"),
    "a label too many": (lambda: sy.global_mass(LABELS + 1, MASS), "outside the 3 classes"),
    "probabilities of more classes": (
        lambda: sy.global_mass(torch.rand(4, 5), MASS),
        r"for 3 classes but the probabilities \[4, 5\] have 5",
    ),
    "labels of fewer": (
        lambda: sy.global_mass(torch.rand(4, 1), YES_NO),
        r"for 3 classes but the yes-or-no targets \[4, 1\] have 1",
    ),
    "labels without an axis": (lambda: sy.global_mass(torch.rand(4), YES_NO), r"yes-or-no targets \[4\] have 4"),
    "learned mass": (lambda: sy.global_mass(LABELS, sy.Recipe(weight=LIVE, norm="mass")), "weights are learned"),
}


@pytest.mark.parametrize(("call", "match"), BAD.values(), ids=BAD)
def test_what_cannot_be_is_said(call, match):
    with pytest.raises((ValueError, TypeError), match=match):
        call()


def test_what_cannot_be_held_open_is_said_and_leaves_the_loss_as_it_was(batch):
    z, y, _ = batch
    loss = sy.CrossEntropy(MASS)
    with sy.accumulate(loss, y), pytest.raises(ValueError, match="in another"), sy.accumulate(loss, y):
        pass
    for wrong in (sy.CrossEntropy(MASS, reduction="sum"), torch.nn.Linear(1, 1)):
        with pytest.raises(ValueError, match=r"reduction='sum'|holds no steelyard loss"), sy.accumulate(wrong, y):
            pass
    with pytest.raises(ValueError, match="1 targets but 2 weights"), sy.accumulate(loss, [y], weight=[None, None]):
        pass
    torch.testing.assert_close(loss(z, y), sy.CrossEntropy(MASS)(z, y))


@pytest.mark.parametrize("norm", ["count", "mass", 5.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_micro_batches_add_up_to_one_penalty(batch, norm, weighted):
    z, y, s = batch
    loss = sy.CrossEntropy(Everything(norm)).eval()
    rule = loss.rule
    without = sy.CrossEntropy(loss.recipe)
    mass = sy.global_mass(y, loss, weight=s if weighted else None)
    weigh = rule.weigh(z, y) * (s if weighted else 1)
    assert (weigh == 0).any()
    items = sy.global_mass(y, RECIPE, weight=s if weighted else None) if norm == 5.0 else mass
    expected = without(rule.adjust(z, y), y, weight=weigh, normalizer=mass) + rule.penalty() * items / mass
    for found in (loss(z, y, weight=s if weighted else None), in_parts(loss, z, y, s if weighted else None)):
        torch.testing.assert_close(found, expected)


def test_a_penalty_is_on_every_item_that_is_not_ignored(batch):
    z, y, _ = batch
    loss = sy.CrossEntropy(Everything("count"), reduction="none").eval()
    bare = loss(z, y) - loss.rule.penalty() * (y != -100)
    torch.testing.assert_close(bare, sy.CrossEntropy(Everything("count")).eval().terms(z, y).loss)
    assert (loss(z, y)[y == -100] == 0).all()
