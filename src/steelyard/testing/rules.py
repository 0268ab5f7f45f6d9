"""The laws of adaptive rules: each a function of one `Case`, its docstring the law. One list, so it may be long."""

import copy
import dataclasses
import functools
import inspect
import io
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..calibrate import posterior
from ..counts import Counts
from ..link import Link, link_of
from ..losses.accumulation import accumulate, global_mass
from ..losses.functional import binary_cross_entropy, cross_entropy
from ..losses.modules import BinaryCrossEntropy, CrossEntropy
from ..ops import bind
from ..recipe import Recipe
from ..rule.protocol import Rule

CLASSES, ROWS, WIDTH = 3, 24, 5
COUNTS = Counts([60, 30, 10])
Loss = CrossEntropy | BinaryCrossEntropy


@dataclasses.dataclass(frozen=True)
class Case:
    """How a rule is made, and what it serves: the arguments of `check_rule`."""

    make: Callable[[], Rule]
    link: Link | str = "softmax"
    outputs: int = CLASSES
    space: tuple[int, ...] = ()
    exact: bool = True
    learns: bool = True
    also: Callable[..., object] | None = None

    def loss(self, **options: Any) -> Loss:
        loss = (CrossEntropy if self.link == "softmax" else BinaryCrossEntropy)(self.make(), **options)
        loss.advance(epoch=0, step=0)
        return loss

    @property
    def values(self) -> int:
        """How many values a label has."""
        return link_of(self.link).labels(self.outputs)

    def data(self, seed: int = 0, rows: int = ROWS, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
        """x [rows, WIDTH] and targets, every class among them, a tenth ignored."""
        random = torch.Generator().manual_seed(seed)
        x = torch.randn(rows, WIDTH, generator=random, dtype=dtype)
        classes = () if self.link == "softmax" or (self.outputs == 1 and not self.space) else (self.outputs,)
        shape = (rows, *classes, *self.space)
        y = torch.randint(0, self.values, shape, generator=random)
        y[torch.rand(shape, generator=random) < 0.1] = -100
        return x, y

    def net(self, dtype: torch.dtype = torch.float64) -> nn.Module:
        torch.manual_seed(1)
        layers: list[nn.Module] = [nn.Linear(WIDTH, self.outputs * math.prod(self.space))]
        if self.space:
            layers.append(nn.Unflatten(1, (self.outputs, *self.space)))
        elif self.link == "sigmoid" and self.outputs == 1:
            layers.append(nn.Flatten(0))
        return nn.Sequential(*layers).to(dtype)

    def logits(self, x: Tensor) -> Tensor:
        """Of a net that was never trained, without a graph."""
        return self.net(x.dtype)(x).detach()

    def train(self, loss: Loss, net: nn.Module, first: int = 0, last: int = 6, optimizer: Any = None) -> Any:
        """Plain training, one epoch per step; returns the optimiser."""
        optimizer = optimizer or torch.optim.Adam([*net.parameters(), *loss.parameters()], lr=0.1)
        for step in range(first, last):
            x, y = self.data(seed=step)
            loss.advance(epoch=step, step=step)
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()
            if self.also is not None:
                self.also(loss, net, x, y)
        return optimizer

    def trained(self, last: int) -> tuple[Loss, nn.Module]:
        loss, net = self.loss(), self.net()
        self.train(loss, net, last=last)
        return loss, net


def check_rule(
    make: Callable[[], Rule],
    *,
    link: Link | str = "softmax",
    outputs: int = CLASSES,
    space: tuple[int, ...] = (),
    exact: bool = True,
    learns: bool = True,
    also: Callable[..., object] | None = None,
) -> None:
    """Hold an adaptive rule to the laws.

    make     what makes the rule, anew at each call; a class that needs nothing, or only `counts` or `classes` as an
             argument, is made with three exclusive classes
    link     of the loss that it serves, with so many `outputs` per item; sigmoid with 1: one yes-or-no logit per item
    space    pixels of an item, for rules that look at pictures
    exact    whether statistics of micro-batches are those of the whole batch: not for ranks within a batch
    learns   whether the loss depends on what was seen before: not where each call is looked at alone
    also     (loss, net, x, y): what training does besides, each step, for rules whose numbers are moved from outside

    AssertionError with the law that is broken, and where. Whether it compiles is not among them.
    """
    case = Case(made(make), link, outputs, space, exact, learns, also)
    for law in LAWS:
        try:
            law(case)
        except AssertionError as broken:
            name = type(case.make()).__name__
            raise AssertionError(f"{name}: {_sentence(law)} It does not hold: {broken}") from broken


def made(make: Callable[..., Rule]) -> Callable[[], Rule]:
    """What makes the rule without an argument."""
    needed = [p.name for p in inspect.signature(make).parameters.values() if _is_needed(p)]
    arguments = {"counts": COUNTS, "classes": CLASSES}
    return functools.partial(make, arguments[needed[0]]) if len(needed) == 1 and needed[0] in arguments else make


def _is_needed(parameter: inspect.Parameter) -> bool:
    free = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return parameter.default is inspect.Parameter.empty and parameter.kind not in free


def _sentence(law: Callable[..., None]) -> str:
    return " ".join((law.__doc__ or law.__name__).split())


# -- the laws ---------------------------------------------------------------------------------------------------------


def resumed(case: Case) -> None:
    """Training resumed in the middle from a checkpoint is the same to the bit."""
    loss, net = case.loss(), case.net()
    optimizer = case.train(loss, net, last=3)
    file = io.BytesIO()
    torch.save([loss.state_dict(), net.state_dict(), optimizer.state_dict()], file)
    case.train(loss, net, first=3, optimizer=optimizer)
    again, other = case.loss(), case.net()
    file.seek(0)
    kept = torch.load(file, weights_only=True)
    again.load_state_dict(kept[0])
    other.load_state_dict(kept[1])
    optimizer = torch.optim.Adam([*other.parameters(), *again.parameters()], lr=0.1)
    optimizer.load_state_dict(kept[2])
    case.train(again, other, first=3, optimizer=optimizer)
    same(state(again, other), state(loss, net))


def changes(case: Case) -> None:
    """Something changes while training goes on."""
    if not case.learns:
        return
    loss, net = case.loss(), case.net()
    x, y = case.data(seed=9)
    z = case.logits(x)
    values = []
    for step in range(6):
        case.train(loss, net, first=step, last=step + 1)
        loss.eval()
        values.append(float(loss(z, y).detach()))
        loss.train()
    _law(len(set(values)) > 1, f"six steps of training left the loss of a batch at {values[0]:.6g}")


def evaluated(case: Case) -> None:
    """Evaluation changes nothing."""
    loss, net = case.trained(2)
    loss.eval()
    before = state(loss)
    for seed in range(3):
        x, y = case.data(seed=seed)
        loss(net(x), y).backward()
        loss.terms(net(x), y)
    same(state(loss), before)


def composed(case: Case) -> None:
    """The loss is that of the current recipe, with the rule's call weights, logits and penalty."""
    loss, net = case.trained(3)
    x, y = case.data(seed=7)
    z, rule = net(x), loss.rule
    assert rule is not None
    weight = rule.weigh(z.detach(), y)
    # what a rule weighs does not enter Z, unless it leaves items out
    of_the_step = None if rule.selects else global_mass(y, loss)
    expected = type(loss)(loss.recipe)(rule.adjust(z, y), y, weight=weight, normalizer=of_the_step) + penalty(rule, y)
    torch.testing.assert_close(loss(z, y), expected)


def copied(case: Case) -> None:
    """The recipe is a copy that stays, and says what the loss computes with."""
    loss, net = case.trained(2)
    recipe = loss.recipe
    text = recipe.to_json()
    case.train(loss, net, first=2)
    _law(recipe.to_json() == text, "the recipe of an earlier step has changed with the rule")
    _law(Recipe.from_json(text) == recipe, "its recipe is another one after to_json and from_json")
    for number, kept in zip(loss.bound().tensors, bind(loss.recipe, loss.link).tensors, strict=True):
        torch.testing.assert_close(number.detach().double(), kept.double(), check_dtype=False)


def ignored(case: Case) -> None:
    """Rows that are ignored, even with infinite logits, and rows of call weight 0, are as good as absent."""
    kept, more, masked = case.loss(), case.loss(), case.loss()
    for seed in range(3):
        x, y = case.data(seed=seed)
        z = case.logits(x)
        value = kept(z, y)
        void = torch.full_like(z[:4], math.inf), torch.full_like(y[:4], -100)
        torch.testing.assert_close(more(torch.cat([z, void[0]]), torch.cat([y, void[1]])), value)
        weight = torch.cat([torch.ones(len(y)), torch.zeros(4)])
        torch.testing.assert_close(masked(torch.cat([z, z[:4]]), torch.cat([y, y[:4]]), weight=weight), value)
    same(state(more), state(kept), rtol=1e-12, atol=1e-12)
    same(state(masked), state(kept), rtol=1e-12, atol=1e-12)


def in_parts(case: Case) -> None:
    """Micro-batches are one batch: the loss, the gradients, and what the rule has learned."""
    if not case.exact:
        return
    (whole, net), (parts, other) = case.trained(3), case.trained(3)
    net.zero_grad()
    other.zero_grad()
    x, y = case.data(seed=11)
    value = whole(net(x), y)
    value.backward()
    pieces = list(zip(x.split([10, 2, 12]), y.split([10, 2, 12]), strict=True))
    total = torch.zeros((), dtype=value.dtype)
    with accumulate(parts, [labels for _, labels in pieces]):
        for rows, labels in pieces:
            piece = parts(other(rows), labels)
            piece.backward()
            total += piece.detach()
    torch.testing.assert_close(total, value.detach())
    for found, expected in zip(other.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad)
    same(state(parts), state(whole), rtol=1e-10, atol=1e-12)


def forgotten(case: Case) -> None:
    """A step that failed is forgotten: what is staged belongs in a buffer, which is replaced and not written to."""
    (one, net), (two, other) = case.trained(3), case.trained(3)
    x, y = case.data(seed=11)

    def step(fails: bool) -> None:
        with accumulate(two, [y[:10], y[10:]]):
            two(other(x[:10]), y[:10])
            if fails:
                raise MemoryError
            two(other(x[10:]), y[10:])

    try:
        step(fails=True)
    except MemoryError:
        same(state(two, other), state(one, net))
    if case.exact:
        one(net(x), y)
        step(fails=False)
        same(state(two), state(one), rtol=1e-10, atol=1e-12)


def finite(case: Case) -> None:
    """Extreme logits leave everything finite."""
    loss = case.loss()
    for size in (1e4, -1e4):
        x, y = case.data()
        z = (case.logits(x) * size).requires_grad_()
        value = loss(z, y)
        value.backward()
        assert z.grad is not None
        _law(bool(torch.isfinite(value)), f"logits of {size:g} give a loss of {float(value.detach())}")
        _law(bool(torch.isfinite(z.grad).all()), f"logits of {size:g} give a gradient that is not finite")
    for name, value in loss.state_dict().items():
        _law("clock" in name or bool(torch.isfinite(value.double()).all()), f"{name} is not finite")


def wide(case: Case) -> None:
    """Half precision does not round the state."""
    loss = case.loss().half()
    for name, buffer in loss.named_buffers():
        _law(not buffer.is_floating_point() or buffer.dtype.itemsize >= 4, f"{name} is {buffer.dtype} after half()")
    x, y = case.data(dtype=torch.float32)
    _law(bool(torch.isfinite(loss(case.logits(x).bfloat16(), y))), "bfloat16 logits give a loss that is not finite")


def narrow(case: Case) -> None:
    """In float32, where one pass of a kernel may do all that the rule asks for, its numbers are those of float64."""
    losses = {dtype: case.loss() for dtype in (torch.float32, torch.float64)}
    for step in range(4):
        random = torch.Generator().manual_seed(step)
        x, y = case.data(seed=step)
        weight = torch.rand(y.shape if case.link != "softmax" else y.shape[:1], generator=random).round(decimals=1)
        found = {}
        for dtype, loss in losses.items():
            for i, free in enumerate(loss.parameters()):
                free.data = free.data + 0.02 * torch.rand(free.shape, generator=torch.Generator().manual_seed(i)).to(
                    free
                )
                free.grad = None
            loss.advance(epoch=step, step=step)
            z = case.logits(x).to(dtype).requires_grad_()
            value = loss(z, y, weight=weight.to(dtype))
            value.backward()
            assert z.grad is not None
            named = {"loss": value.detach(), "gradient": z.grad} | state(loss)
            found[dtype] = named | {n: p.grad for n, p in loss.named_parameters() if p.grad is not None}
        expected = found[torch.float64]
        widened = {name: t.to(expected[name]) for name, t in found[torch.float32].items()}
        same(widened, expected, rtol=1e-3, atol=1e-5)


def independent(case: Case) -> None:
    """Copies are independent."""
    loss, net = case.trained(2)
    other = copy.deepcopy(loss)
    before = state(other)
    case.train(loss, net, first=2)
    same(state(other), before)


def recorded(case: Case) -> None:
    """The history is a table of the numbers, with a row for every advance, and goes into a CSV file."""
    loss, _ = case.trained(6)
    assert loss.rule is not None
    history = loss.rule.history()
    _law(len(history) >= 6, f"six advances left {len(history)} rows")
    _law(bool({"epoch", "step", "observed"} & {*history.columns}), "no column says when")
    with tempfile.TemporaryDirectory() as folder:
        history.to_csv(Path(folder) / "history.csv")
        lines = (Path(folder) / "history.csv").read_text().splitlines()
    _law(len(lines) == len(history) + 1, f"{len(history)} rows became {len(lines)} lines")
    _law(lines[0].split(",") == list(history.columns), "the first line does not name the columns")


def stands_in(case: Case) -> None:
    """It stands where a recipe would: in the functional form, global_mass and posterior."""
    rule, loss = case.make(), case.loss()
    x, y = case.data()
    z = case.logits(x)
    function = cross_entropy if case.link == "softmax" else binary_cross_entropy
    assert loss.rule is not None
    torch.testing.assert_close(function(z, y, rule), loss(z, y) - penalty(loss.rule, y))
    _law(bool(global_mass(y, loss) == (y != -100).sum()), "global_mass is not the count")
    if case.link == "softmax":
        torch.testing.assert_close(posterior(z, rule), posterior(z, rule.recipe()))


def placed(case: Case) -> None:
    """It takes pixels, and a class axis at the end."""
    if case.outputs == 1:
        return  # one logit has no class axis
    first, last = case.loss(), case.loss(class_dim=-1)
    random = torch.Generator().manual_seed(0)
    z = torch.randn(2, case.outputs, 4, 3, dtype=torch.float64, generator=random)
    softmax = case.link == "softmax"
    y = torch.randint(0, case.values, (2, 4, 3) if softmax else z.shape, generator=random)
    for _ in range(2):
        torch.testing.assert_close(last(z.movedim(1, -1), y if softmax else y.movedim(1, -1)), first(z, y))
    same(state(last), state(first), rtol=1e-12, atol=1e-12)


LAWS = (
    resumed,
    changes,
    evaluated,
    composed,
    copied,
    ignored,
    in_parts,
    forgotten,
    finite,
    wide,
    narrow,
    independent,
    recorded,
    stands_in,
    placed,
)


# -- what they compare ------------------------------------------------------------------------------------------------


def penalty(rule: Rule, y: Tensor) -> Tensor:
    """What the mean of the loss has on top for these labels: a number, or a table's mean over them."""
    extra = rule.penalty()
    if extra is None:
        return torch.zeros(())
    if extra.dim() == 0:
        return extra
    valid = y != -100
    if rule.link == "softmax":
        return extra[y[valid], 0].mean()
    rows = extra.expand(2, y.shape[1] if y.dim() > 1 else 1)
    items = torch.where(y.reshape(len(y), -1) == 1, rows[1], rows[0])
    return items[valid.reshape(items.shape)].mean()


def state(*modules: nn.Module) -> dict[str, Tensor]:
    return {f"{i}.{k}": v.clone() for i, m in enumerate(modules) for k, v in m.state_dict().items()}


def same(found: dict[str, Tensor], expected: dict[str, Tensor], *, rtol: float = 0.0, atol: float = 0.0) -> None:
    """Two states; to the bit unless a tolerance is given."""
    _law(found.keys() == expected.keys(), f"the states hold {sorted(found)} and {sorted(expected)}")
    for name, value in expected.items():
        torch.testing.assert_close(
            found[name], value, rtol=rtol, atol=atol, equal_nan=True, msg=lambda m, n=name: f"{n}: {m}"
        )


def _law(holds: bool, broken: str) -> None:
    if not holds:
        raise AssertionError(broken)
