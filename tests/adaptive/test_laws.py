"""What holds for every adaptive rule."""

import copy
import io

import pytest
import torch
from tests.adaptive.rules import RULES, penalty, same, state, steps
from torch._dynamo.testing import CompileCounter

import steelyard as sy
from steelyard import adaptive
from steelyard.ops import bind

COMPILED = ("Deferred", "BatchStatistics", "Mixed that looks at logits", "Uncertainty")  # the others in the slow run
CASES = pytest.mark.parametrize("case", RULES.values(), ids=RULES)


def test_every_rule_has_a_case():
    shown = {n for n in adaptive.RULES}
    made = {type(case.make()).__name__ for case in RULES.values()}
    assert shown - made - {"Rule"} == set(), "add a line for it to tests/adaptive/rules.py"


@CASES
def test_training_resumed_in_the_middle_is_the_same_to_the_bit(case):
    loss, net = case.loss(), case.net()
    optimizer = steps(case, loss, net, last=3)
    file = io.BytesIO()
    torch.save([loss.state_dict(), net.state_dict(), optimizer.state_dict()], file)
    steps(case, loss, net, first=3, optimizer=optimizer)
    again, other = case.loss(), case.net()
    file.seek(0)
    kept = torch.load(file, weights_only=True)
    again.load_state_dict(kept[0])
    other.load_state_dict(kept[1])
    resumed = torch.optim.Adam([*other.parameters(), *again.parameters()], lr=0.1)
    resumed.load_state_dict(kept[2])
    steps(case, again, other, first=3, optimizer=resumed)
    same(state(again, other), state(loss, net))


@CASES
def test_something_changes_while_training_goes_on(case):
    if not case.learns:
        pytest.skip("looks at each call alone")
    loss, net = case.loss(), case.net()
    x, y = case.data(seed=9)
    found = []
    for step in range(6):
        steps(case, loss, net, first=step, last=step + 1)
        loss.eval()
        found.append(float(loss(case.net()(x), y).detach()))
        loss.train()
    assert len(set(found)) > 1


@CASES
def test_evaluation_changes_nothing(case):
    loss, net = case.loss(), case.net()
    steps(case, loss, net, last=2)
    loss.eval()
    before = state(loss)
    for seed in range(3):
        x, y = case.data(seed=seed)
        loss(net(x), y).backward()
        loss.terms(net(x), y)
    same(state(loss), before)


@CASES
def test_the_loss_is_that_of_the_current_recipe_with_its_call_weights_and_logits(case):
    loss, net = case.loss(), case.net()
    steps(case, loss, net, last=3)
    x, y = case.data(seed=7)
    z, rule = net(x), loss.rule
    fixed = type(loss)(loss.recipe)
    seen = z.detach()
    weight = rule.weigh(seen, y)
    # what a rule weighs does not enter Z, unless it leaves items out
    z_of_the_step = None if rule.selects else sy.global_mass(y, loss)
    expected = fixed(rule.adjust(z, y), y, weight=weight, normalizer=z_of_the_step) + penalty(rule, y)
    torch.testing.assert_close(loss(z, y), expected)


@CASES
def test_the_recipe_is_a_copy_that_stays(case):
    loss, net = case.loss(), case.net()
    steps(case, loss, net, last=2)
    recipe = loss.recipe
    text = recipe.to_json()
    steps(case, loss, net, first=2)
    assert recipe.to_json() == text
    assert sy.Recipe.from_json(text) == recipe
    for t, copied in zip(loss.bound().tensors, bind(loss.recipe, loss.link).tensors, strict=True):
        torch.testing.assert_close(t.detach().double(), copied.double(), check_dtype=False)


@CASES
def test_what_is_ignored_does_not_count(case):
    """Rows that are ignored, even with infinite logits, and rows of call weight 0, are as good as absent."""
    kept, more, masked = case.loss(), case.loss(), case.loss()
    for seed in range(3):
        x, y = case.data(seed=seed)
        z = case.net()(x).detach()
        extra = torch.full_like(z[:4], float("inf"))
        void = torch.full_like(y[:4], -100)
        one = kept(z, y)
        two = more(torch.cat([z, extra]), torch.cat([y, void]))
        three = masked(
            torch.cat([z, z[:4]]), torch.cat([y, y[:4]]), weight=torch.cat([torch.ones(len(y)), torch.zeros(4)])
        )
        torch.testing.assert_close(two, one)
        torch.testing.assert_close(three, one)
    same(state(more), state(kept), rtol=1e-12, atol=1e-12)
    same(state(masked), state(kept), rtol=1e-12, atol=1e-12)


@CASES
def test_micro_batches_are_one_batch(case):
    if not case.exact:
        pytest.skip("chooses within a batch, so the batch matters")
    whole, parts = (case.loss(), case.net()), (case.loss(), case.net())
    for loss, net in (whole, parts):
        steps(case, loss, net, last=3)  # the same for both
        net.zero_grad()
    x, y = case.data(seed=11)
    value = whole[0](whole[1](x), y)
    value.backward()
    pieces = list(zip(x.split([10, 2, 12]), y.split([10, 2, 12]), strict=True))
    total = 0.0
    with sy.accumulate(parts[0], [t for _, t in pieces]):
        for rows, labels in pieces:
            one = parts[0](parts[1](rows), labels)
            one.backward()
            total += one.detach()
    torch.testing.assert_close(total, value.detach())
    for found, expected in zip(parts[1].parameters(), whole[1].parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad)
    same(state(parts[0]), state(whole[0]), rtol=1e-10, atol=1e-12)


@CASES
def test_a_step_that_failed_is_forgotten(case):
    """What is staged belongs in a buffer, which is replaced and not written to."""
    one, two = (case.loss(), case.net()), (case.loss(), case.net())
    for loss, net in (one, two):
        steps(case, loss, net, last=3)
    x, y = case.data(seed=11)

    def step(fails):
        with sy.accumulate(two[0], [y[:10], y[10:]]):
            two[0](two[1](x[:10]), y[:10])
            if fails:
                raise MemoryError
            two[0](two[1](x[10:]), y[10:])

    with pytest.raises(MemoryError):
        step(fails=True)
    same(state(*two), state(*one))
    if not case.exact:
        return  # chooses within a batch, so the batch matters
    one[0](one[1](x), y)
    step(fails=False)
    same(state(two[0]), state(one[0]), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=name, marks=() if name in COMPILED else pytest.mark.slow) for name, case in RULES.items()],
)
def test_compiled_it_is_the_same_and_new_numbers_do_not_recompile(case):
    if case.compiles is not None:
        pytest.skip(case.compiles)
    torch._dynamo.reset()
    one, two = case.loss(), case.loss()
    counter = CompileCounter()
    compiled = torch.compile(two, fullgraph=True, backend=counter)
    for step in range(5):
        x, y = case.data(seed=step, dtype=torch.float32)
        z = case.net(torch.float32)(x).detach()
        for loss in (one, two):
            loss.advance(epoch=step, step=step)
        torch.testing.assert_close(compiled(z, y), one(z, y))
    same(state(two), state(one), rtol=1e-5, atol=1e-6)
    switches = 2 if "another curve" in next(k for k, c in RULES.items() if c is case) else 1
    assert counter.frame_count <= switches
    torch._dynamo.reset()


@CASES
def test_extreme_logits_stay_finite(case):
    loss = case.loss()
    for size in (1e4, -1e4):
        x, y = case.data()
        z = (case.net()(x).detach() * size).requires_grad_()
        value = loss(z, y)
        value.backward()
        assert torch.isfinite(value)
        assert torch.isfinite(z.grad).all()
    for name, value in loss.state_dict().items():
        if "clock" not in name:
            assert torch.isfinite(value.double()).all(), name


@CASES
def test_half_precision_does_not_round_the_state(case):
    loss = case.loss().half()
    assert all(b.dtype.itemsize >= 4 for b in loss.buffers() if b.is_floating_point())
    x, y = case.data(dtype=torch.float32)
    assert torch.isfinite(loss(case.net(torch.float32)(x).bfloat16(), y))


@CASES
def test_copies_are_independent(case):
    loss, net = case.loss(), case.net()
    steps(case, loss, net, last=2)
    other = copy.deepcopy(loss)
    before = state(other)
    steps(case, loss, net, first=2)
    same(state(other), before)


@CASES
def test_the_history_is_a_table(case, tmp_path):
    loss, net = case.loss(), case.net()
    steps(case, loss, net)
    history = loss.rule.history()
    assert len(history) >= 6
    assert {"epoch", "step", "observed"} & set(history.columns)
    history.to_csv(tmp_path / "history.csv")
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert len(lines) == len(history) + 1
    assert lines[0].split(",") == list(history.columns)


@CASES
def test_it_stands_where_a_recipe_would(case):
    """In the functional form, global_mass and posterior."""
    rule = case.make()
    x, y = case.data()
    z = case.net()(x).detach()
    function = sy.cross_entropy if case.link == "softmax" else sy.binary_cross_entropy
    loss = case.loss()
    expected = loss(z, y) - penalty(loss.rule, y)
    torch.testing.assert_close(function(z, y, rule), expected)
    assert sy.global_mass(y, loss) == (y != -100).sum()
    if case.link == "softmax":
        torch.testing.assert_close(sy.posterior(z, rule), sy.posterior(z, rule.recipe()))


@CASES
def test_it_takes_pixels_and_a_class_axis_at_the_end(case):
    if case.outputs == 1:
        pytest.skip("one logit has no class axis")
    first, last = case.loss(), case.loss(class_dim=-1)
    torch.manual_seed(0)
    z = torch.randn(2, case.outputs, 4, 3, dtype=torch.float64)
    y = torch.randint(0, case.outputs if case.link == "softmax" else 2, (2, 4, 3))
    y = y if case.link == "softmax" else torch.randint(0, 2, z.shape)
    for _ in range(2):
        moved = y if case.link == "softmax" else y.movedim(1, -1)
        torch.testing.assert_close(last(z.movedim(1, -1), moved), first(z, y))
    same(state(last), state(first), rtol=1e-12, atol=1e-12)


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
