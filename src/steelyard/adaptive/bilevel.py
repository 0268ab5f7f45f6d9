"""Numbers of a loss moved by what they do to a loss on held-out data."""

import functools
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..losses.modules import RecipeLoss
from ..ops.widest import widened
from ..options import In, OneOf, checked
from ..rule.protocol import Rule

Batch = tuple[Any, Tensor]
Tensors = Sequence[Tensor]


class Hyper(NamedTuple):
    """value: the held-out loss; gradients: its derivatives to the held numbers; growth: of the last term of the series."""

    value: Tensor
    gradients: list[Tensor]
    growth: Tensor


class Bilevel:
    """The outer optimiser: moves the numbers that `loss` holds so that a model trained by `loss` is good on held-out
    data.

        outer = sy.adaptive.Bilevel(model, loss, inner_rate=0.1)
        loss(model(x), y).backward(); optimizer.step()        # inner steps as ever
        outer.step((x, y), (x_held, y_held))                  # once every few of them

    The held-out loss does not contain the numbers; they act on it through the parameters theta that the training loss
    leads to:

        neumann     d/dh = - (d^2 L_train / dh dtheta) H^-1 d L_held / dtheta, with H^-1 = rate sum over k <= terms of
                    (1 - rate H)^k
        look-ahead  d/dh of L_held(theta - rate d L_train(theta, h) / dtheta): one step of gradient descent

    model       any nn.Module; its parameters that require a gradient, and none of its buffers, are what is trained
    loss        a steelyard loss (or a module with some inside) whose rule holds numbers: Learned or LearnedCosts with
                how="bilevel"
    outer_loss  (logits, target) -> scalar; default `balanced`: every class of the held-out batch counts the same
    rate        of Adam on the free numbers: logs of weights and of scales, and offsets
    inner_rate  `rate` in the formulas. neumann: below 2 / (the largest eigenvalue of H), or the series grows, which is
                warned of
    terms       of the series; each costs one product with H, about two gradients. look-ahead takes none
    damping     added to the diagonal of H: the optimiser's weight_decay. Without it H has no inverse in nets that can
                fit everything
    optimizer   makes the optimiser of the numbers from a list of them, instead of Adam at `rate`

    `state_dict` holds the outer optimiser's moments and `gradients`, what it has cost so far; the numbers themselves
    are in the loss. HELD-OUT MUST BE HELD OUT: on rows that were trained on, the outer gradient vanishes with the
    training loss, so in a net that can fit everything the outer step is blind, and Adam, which ignores the size of
    gradients, follows what is left. Ranks must see the same batches, or the numbers differ between them.

    Raises ValueError for a loss that holds no numbers, a model without parameters, and options outside their range.

    Source: Lorraine et al. 2020, arXiv:1911.02590 (neumann); Li et al. 2021, arXiv:2201.01212 (for
    loss functions); Shu et al. 2019, arXiv:1902.07379 (look-ahead; there with a net that weighs samples, here with
    numbers per class).

    >>> import steelyard as sy
    >>> loss = sy.CrossEntropy(sy.adaptive.Learned(sy.Counts.of(9, 1), how="bilevel"))
    >>> outer = sy.adaptive.Bilevel(torch.nn.Linear(3, 2), loss)
    >>> batch = torch.randn(10, 3), torch.tensor([0] * 9 + [1])
    >>> outer.step(batch, batch).shape
    torch.Size([])
    """

    @checked
    def __init__(
        self,
        model: nn.Module,
        loss: nn.Module,
        *,
        outer_loss: Callable[[Tensor, Tensor], Tensor] | None = None,
        method: Annotated[str, OneOf("neumann", "look-ahead")] = "neumann",
        rate: Annotated[float, In(0.0, math.inf, open_low=True)] = 0.05,
        inner_rate: Annotated[float, In(0.0, math.inf, open_low=True)] = 0.1,
        terms: Annotated[int, In(0, math.inf, whole=True)] = 5,
        damping: Annotated[float, In(0.0, math.inf)] = 0.0,
        optimizer: Callable[[list[Tensor]], torch.optim.Optimizer] | None = None,
    ):
        self.model, self.loss = model, loss
        self._where = [
            (f"{path}.{key}".lstrip("."), rule, key)
            for path, rule in loss.named_modules()
            if isinstance(rule, Rule)
            for key in rule.held
        ]
        if not self._where:
            raise ValueError(
                f'Bilevel: {type(loss).__name__} holds no numbers to move; give it Learned(..., how="bilevel") or'
                " LearnedCosts(...)."
            )
        if not any(p.requires_grad for p in model.parameters()):
            raise ValueError(f"Bilevel: {type(model).__name__} has no parameter that is trained.")
        first = next(m for m in loss.modules() if isinstance(m, RecipeLoss))
        default = balanced if first.link.exclusive else balanced_binary
        self.outer_loss = outer_loss or functools.partial(default, ignore_index=first.ignore_index)
        self.method, self.inner_rate, self.damping = method, inner_rate, damping
        self.terms = 0 if method == "look-ahead" else terms
        self.leaves = [nn.Parameter(getattr(rule, key).detach().clone()) for _, rule, key in self._where]
        self.optimizer = torch.optim.Adam(self.leaves, lr=rate) if optimizer is None else optimizer(list(self.leaves))
        self.gradients = 0  # passes back through the model so far; a product with H counts as two
        self._warned = False

    def hypergradient(self, train: Batch, held_out: Batch) -> Hyper:
        """(held-out loss, its derivatives to the held numbers, growth of the series); changes nothing."""
        names = [n for n, p in self.model.named_parameters() if p.requires_grad]
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        rest = {n: b.detach().clone() for n, b in self.model.named_buffers()}  # running statistics stay as they are
        paths = [path for path, _, _ in self._where]

        def logits(theta: Tensors, x: Any) -> Tensor:
            return functional_call(
                self.model, {**rest, **dict(zip(names, theta, strict=True))}, x if isinstance(x, tuple) else (x,)
            )

        def inner(theta: Tensors, held: Tensors) -> Tensor:
            return functional_call(self.loss, dict(zip(paths, held, strict=True)), (logits(theta, train[0]), train[1]))

        training = [(m, m.training) for m in self.loss.modules()]
        self.loss.eval()  # nothing is observed
        try:
            return hypergradient(
                inner,
                lambda theta: self.outer_loss(logits(theta, held_out[0]), held_out[1]),
                parameters,
                [getattr(rule, key) for _, rule, key in self._where],
                rate=self.inner_rate,
                terms=self.terms,
                damping=self.damping,
                look_ahead=self.method == "look-ahead",
            )
        finally:
            for module, was in training:
                module.training = was

    def step(self, train: Batch, held_out: Batch) -> Tensor:
        """Move the numbers once; returns the held-out loss. Batches are (inputs, target); a tuple of inputs is unpacked."""
        outer = self.hypergradient(train, held_out)
        self.gradients += 3 + 2 * self.terms
        if not self._warned and float(outer.growth) > 1:
            self._warned = True
            warnings.warn(
                f"Bilevel: the series for H^-1 grows (the last of {self.terms} terms is {float(outer.growth):.3g} times the first):"
                f" inner_rate={self.inner_rate:g} is too large for this loss. Lower it, or raise damping.",
                stacklevel=2,
            )
        for leaf, gradient, (_, rule, key) in zip(self.leaves, outer.gradients, self._where, strict=True):
            now = getattr(rule, key)
            leaf.data = now.detach().clone()  # it may have been loaded
            leaf.grad = gradient.to(leaf)
        self.optimizer.step()
        self.optimizer.zero_grad()
        for leaf, (_, rule, key) in zip(self.leaves, self._where, strict=True):
            rule.move(key, leaf.detach().clone())
        return outer.value

    def state_dict(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer.state_dict(), "gradients": self.gradients}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
        self.gradients = int(state["gradients"])


def balanced(logits: Tensor, target: Tensor, ignore_index: int = -100) -> Tensor:
    """Mean over the classes that the batch holds of their mean cross-entropy, at the plain logits."""
    z = logits.movedim(1, -1).reshape(-1, logits.shape[1])
    y = target.reshape(-1)
    valid = y != ignore_index
    each = -z.log_softmax(dim=1).gather(1, y.masked_fill(~valid, 0)[:, None])[:, 0]
    return _mean_of_means(each, y.masked_fill(~valid, 0), valid, z.shape[1])


def balanced_binary(logits: Tensor, target: Tensor, ignore_index: int = -100) -> Tensor:
    """The same with yes and no of every label as the classes; sigmoid."""
    k = logits.shape[1] if logits.dim() > 1 else 1
    z = (logits.movedim(1, -1) if logits.dim() > 1 else logits).reshape(-1, k)
    y = (target.movedim(1, -1) if target.dim() > 1 else target).reshape(-1, k)
    valid = y != ignore_index
    each = nn.functional.binary_cross_entropy_with_logits(z, (y == 1).to(z.dtype), reduction="none")
    group = (y == 1).long() * k + torch.arange(k, device=y.device)
    return _mean_of_means(each.reshape(-1), group.reshape(-1), valid.reshape(-1), 2 * k)


def _mean_of_means(each: Tensor, group: Tensor, valid: Tensor, groups: int) -> Tensor:
    kept = valid.to(each.dtype)
    sums = each.new_zeros(groups).index_add(0, group, torch.where(valid, each, 0.0))
    sizes = each.new_zeros(groups).index_add(0, group, kept)
    return (sums / sizes.clamp(min=1)).sum() / (sizes > 0).sum().clamp(min=1)


def hypergradient(
    inner: Callable[[Tensors, Tensors], Tensor],
    outer: Callable[[Tensors], Tensor],
    parameters: Tensors,
    held: Tensors,
    *,
    rate: float,
    terms: int,
    damping: float,
    look_ahead: bool,
) -> Hyper:
    """d outer(theta*) / d h, where theta* is what `inner(theta, h)` is trained to and h the held numbers.

        g = d inner / d theta,  H = d g / d theta + damping,  v_0 = d outer / d theta
        v_{k+1} = v_k - rate H v_k
        dh = - rate d/dh <g, v_0 + ... + v_terms>

    The sum goes to H^-1 v_0 / rate, where |1 - rate H| < 1, which makes dh the implicit derivative. look_ahead takes
    v_0 at theta - rate (g + damping theta): with terms=0 this is the derivative through exactly one step of gradient
    descent.
    """
    wanted = [p.detach().requires_grad_() for p in parameters]
    leaves = [h.detach().requires_grad_() for h in held]
    with torch.enable_grad():
        g = torch.autograd.grad(inner(wanted, leaves), wanted, create_graph=True, materialize_grads=True)
        at = wanted
        if look_ahead:
            at = [(p - rate * (d + damping * p)).detach().requires_grad_() for p, d in zip(wanted, g, strict=True)]
        value = outer(at)
    v = list(torch.autograd.grad(value, at, materialize_grads=True))
    total, first = list(v), _norm(v)
    for _ in range(terms):
        hv = torch.autograd.grad(g, wanted, v, retain_graph=True, materialize_grads=True)
        v = [a - rate * (b + damping * a) for a, b in zip(v, hv, strict=True)]
        total = [a + b for a, b in zip(total, v, strict=True)]
    mixed = torch.autograd.grad(g, leaves, [rate * t for t in total], materialize_grads=True)
    return Hyper(value.detach(), [-m for m in mixed], _norm(v) / first.clamp(min=torch.finfo(first.dtype).tiny))


def _norm(tensors: Tensors) -> Tensor:
    return torch.stack([widened(t.detach()).square().sum() for t in tensors]).sum().sqrt()
