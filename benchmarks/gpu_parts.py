"""The parts of `python -m benchmarks gpu`: each yields its rows one by one, so that time may run out between any two."""

import contextlib
import copy
import functools
import os
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F

import steelyard as sy
from steelyard import adaptive, testing
from steelyard.ops import eager, families, kernels, reference, terms
from steelyard.testing.rules import made

from . import peers
from .gpu_sizes import sizes
from .measure import in_turn

Rows = Iterator[dict[str, Any]]
HALF = torch.bfloat16
ROUNDS = 7


def laws(device: torch.device, small: bool) -> Rows:
    """testing.check_backend of the device's kernels, recipe by recipe."""
    name = "native" if device.type == "cpu" else "triton"
    for link in ("softmax", "sigmoid"):
        for name_of, recipe in testing.recipes(link).items():
            broken = ""
            try:
                testing.check_backend(name, given={link: {name_of: recipe}}, device=str(device))
            except AssertionError as error:
                broken = str(error)[:300]
            yield {"link": link, "recipe": name_of, "broken": broken}


def accuracy(device: torch.device, small: bool) -> Rows:
    """Largest errors of loss and gradient, relative to the largest entry, of the kernels and of eager."""
    for link, shapes in families.SHAPES.items():
        for shape, size in shapes.items():
            size = (max(1, size[0] // 100), *size[1:]) if small else size
            for form in families.FORMS:
                for name, dtype in families.DTYPES.items():
                    logits, target, bound = families.example(link, form, size, dtype, device)
                    exact = _both(reference.terms, logits.cpu().double(), target.cpu(), bound.map(lambda t: t.cpu()))
                    found = {}
                    for who, compute in (("steelyard", functools.partial(_kernels, device)), ("eager", eager.terms)):
                        loss, gradient = _both(compute, logits, target, bound)
                        found[who] = {"loss": _error(loss, exact[0]), "gradient": _error(gradient, exact[1])}
                    yield {"link": link, "shape": shape, "form": form, "dtype": name, "errors": found}


def _kernels(device: torch.device, *call: Any) -> Any:
    return terms(*call[:4], ignore_index=call[4], backend="native" if device.type == "cpu" else "triton")


def _both(compute: Any, logits: Tensor, target: Tensor, bound: Any) -> tuple[Tensor, Tensor]:
    z = logits.clone().requires_grad_()
    loss = compute(z, target, bound, None, -100).loss
    (gradient,) = torch.autograd.grad(loss.double().sum(), z)
    return loss.detach(), gradient


def _error(found: Tensor, exact: Tensor) -> float:
    return float((found.cpu().double() - exact).abs().max() / exact.abs().max().clamp(min=1e-30))


def bandwidth(device: torch.device, small: bool) -> Rows:
    """GB/s of what has to be read and written: the logits once, their gradient once."""
    scale = 100 if small else 1
    for dtype in (HALF, torch.float32):
        for C in (10, 1000, 32000, 128000):
            rows = max(2, 2**28 // C // scale)  # half a gigabyte of bfloat16
            yield _moved(device, (rows, C), dtype, _softmax(C, device, dtype))
        yield _moved(
            device,
            (max(1, 16 // scale), 19, 512, 512) if not small else (1, 19, 32, 32),
            dtype,
            _softmax(19, device, dtype),
        )
        yield _moved(device, (2**28 // 80 // scale, 80), dtype, _sigmoid(80, device, dtype))


def _softmax(C: int, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    weight = torch.rand(C) + 0.5
    plain = functools.partial(F.cross_entropy, weight=weight.to(device, dtype), label_smoothing=0.1)
    ours = sy.CrossEntropyLoss(weight=weight, label_smoothing=0.1).to(device)
    weights = sy.fixed(weight=weight)
    full = sy.mix(
        sy.fixed(weight=weight, offset=[torch.randn(C).tolist()], scale=torch.rand(C) + 0.5), sy.smooth(0.1), sy.focal()
    )
    variants: dict[str, Any] = {
        "eager": plain,
        "compile": peers.compiled(plain),
        "steelyard": ours,
        "steelyard consumed": sy.CrossEntropy(sy.mix(weights, sy.smooth(0.1)), consume_logits=True).to(device),
        "steelyard, every field": sy.CrossEntropy(full).to(device),
        "eager, no weights": F.cross_entropy,
        "steelyard, no weights": sy.CrossEntropy().to(device),
    }
    return variants | _rows_of_others()


def _rows_of_others() -> dict[str, Any]:
    """Cross-entropy of rows without weights, as far as it is installed."""
    found: dict[str, Any] = {}
    if find_spec("liger_kernel"):
        from liger_kernel.transformers import LigerCrossEntropyLoss  # pyright: ignore[reportMissingImports]

        found["liger, no weights"] = LigerCrossEntropyLoss()
    if find_spec("quack"):
        from quack.cross_entropy import cross_entropy  # pyright: ignore[reportMissingImports]

        found["quack, no weights"] = cross_entropy
    return found


def _sigmoid(K: int, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    positive = torch.full((K,), 9.0)
    plain = functools.partial(F.binary_cross_entropy_with_logits, pos_weight=positive.to(device, dtype))
    recipe = sy.Recipe(weight=[0.75, 0.25], curve=sy.curves.Focal(2.0))
    return {
        "eager": lambda z, y: plain(z, y.to(z.dtype)),
        "compile": peers.compiled(lambda z, y: plain(z, y.to(z.dtype))),
        "steelyard": sy.BCEWithLogitsLoss(pos_weight=positive).to(device),
        "focal eager": lambda z, y: peers.focal(z, y.to(z.dtype)),
        "focal compile": peers.compiled(lambda z, y: peers.focal(z, y.to(z.dtype))),
        "focal steelyard": sy.BinaryCrossEntropy(recipe).to(device),
    }


def _moved(
    device: torch.device, shape: tuple[int, ...], dtype: torch.dtype, variants: dict[str, Any]
) -> dict[str, Any]:
    torch.manual_seed(0)
    logits = torch.randn(shape, device=device, dtype=dtype).requires_grad_()
    sigmoid = len(shape) == 2 and shape[1] == 80
    items = shape if sigmoid else (shape[0], *shape[2:])
    target = torch.randint(2 if sigmoid else shape[1], items, device=device)
    other = torch.empty_like(logits)

    def step(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
        value = loss(logits, target if not sigmoid else target.float())
        torch.autograd.grad(value if value.dim() == 0 else value.mean(), logits)

    steps: dict[str, Callable[[], object]] = {"copy": lambda: other.copy_(logits.detach())}
    failed = {}
    for name, loss in variants.items():
        try:
            if "consumed" in name:  # what it consumes must be a copy, whose time is given apart
                step(lambda z, y, loss=loss: loss(z * 1, y))
                steps[name] = functools.partial(step, lambda z, y, loss=loss: loss(z * 1, y))
            else:
                step(loss)
                steps[name] = functools.partial(step, loss)
        except Exception as error:  # a peer that cannot do this shape
            failed[name] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    times = in_turn(steps, ROUNDS, clock=functools.partial(_clock, device))
    size = 2 * logits.numel() * logits.element_size()
    return {
        "shape": list(shape),
        "dtype": str(dtype).removeprefix("torch."),
        "gigabytes": size / 1e9,
        "variants": {n: t | {"gb_per_s": size / 1e6 / t["median_ms"], "of_copy": t["ratio"]} for n, t in times.items()},
        "failed": failed,
    }


def _clock(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def linear(device: torch.device, small: bool) -> Rows:
    """A head of 4,096 tokens: the layer and the loss together against apart."""
    for hidden, C in ((2048, 32000), (4096, 128000)):
        tokens, hidden, C = (64, hidden // 32, C // 100) if small else (4096, hidden, C)
        torch.manual_seed(0)
        h = torch.randn(tokens, hidden, device=device, dtype=HALF).requires_grad_()
        w = (torch.randn(C, hidden, device=device) / hidden**0.5).to(HALF).requires_grad_()
        y = torch.randint(C, (tokens,), device=device)
        ours = sy.LinearCrossEntropy().to(device)
        variants: dict[str, Any] = {"eager": lambda h, w, y: F.cross_entropy(h @ w.t(), y), "steelyard": ours}
        if find_spec("cut_cross_entropy"):
            from cut_cross_entropy import linear_cross_entropy  # pyright: ignore[reportMissingImports]

            variants["cut-cross-entropy"] = linear_cross_entropy
        if find_spec("liger_kernel"):
            from liger_kernel.transformers import LigerFusedLinearCrossEntropyLoss  # pyright: ignore[reportMissingImports]

            liger = LigerFusedLinearCrossEntropyLoss()
            variants["liger"] = lambda h, w, y, liger=liger: liger(w, h, y)
        steps = {n: functools.partial(_gradients, f, h, w, y) for n, f in variants.items()}
        found = in_turn(steps, ROUNDS, clock=functools.partial(_clock, device))
        for name, step in steps.items():
            found[name]["extra_mib"] = _peak(step, device)
        yield {"shape": [tokens, hidden, C], "dtype": "bfloat16", "variants": found}


def _gradients(loss: Any, h: Tensor, w: Tensor, y: Tensor) -> None:
    torch.autograd.grad(loss(h, w, y), (h, w))


def _peak(step: Callable[[], object], device: torch.device) -> float | None:
    if device.type != "cuda":
        return None
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    step()
    torch.cuda.synchronize(device)
    return (torch.cuda.max_memory_allocated(device) - before) / 2**20


def training(device: torch.device, small: bool) -> Rows:
    """Each a sentence that holds or not, and why not."""
    for name in sorted(adaptive.RULES.keys() - WITHOUT):
        yield _holds(f"{name}: a step without waiting for the device", functools.partial(_rule, name, device))
    for what, check in (
        ("accumulate over one NCCL rank is the whole batch", _accumulated),
        ("autocast leaves the loss in float32", _autocast),
        ("a CUDA graph replays the loss and its gradient", _graph),
        ("torch.compile of a model and its loss gives eager's gradient", _compiled),
        ("a weighted loss does not wait for the device", _quiet),
    ):
        yield _holds(what, functools.partial(check, device))


def _holds(what: str, check: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"what": what, "broken": check()}
    except Exception as error:
        return {"what": what, "broken": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}


def _batch(device: torch.device) -> tuple[Tensor, Tensor, nn.Module]:
    torch.manual_seed(0)
    net = nn.Linear(16, 3).to(device)
    return torch.randn(512, 16, device=device), torch.arange(512, device=device) % 3, net


@contextlib.contextmanager
def _nobody_waits(device: torch.device) -> Iterator[None]:
    if device.type != "cuda":
        yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


COUNTS = sy.Counts.of(400, 80, 32)
RULES: dict[str, tuple[str, Callable[[], Any]]] = {  # those that need more than their defaults, or another loss
    "Anneal": ("softmax", lambda: adaptive.Anneal(sy.Recipe(), sy.inverse_frequency(COUNTS), over=(0, 4))),
    "Curriculum": ("softmax", lambda: adaptive.Curriculum(COUNTS, over=(0, 4))),
    "Deferred": ("softmax", lambda: adaptive.Deferred(sy.Recipe(), sy.inverse_frequency(COUNTS), after_epoch=1)),
    "Equalized": ("sigmoid", lambda: adaptive.Equalized(3)),
    "FBetaKnee": ("one logit", adaptive.FBetaKnee),
    "Hardest": ("softmax", lambda: adaptive.hardest(0.25)),
    "Mixed": ("softmax", lambda: adaptive.Mixed(adaptive.Seesaw(3), sy.focal())),
    "Family": ("softmax", lambda: adaptive.Family(lambda tau: sy.logit_adjustment(COUNTS, tau=tau), low=0.0, high=3.0)),
}
WITHOUT = {"CalibratedMaps"}  # it looks at pictures


def _rule(name: str, device: torch.device) -> str:
    link, make = RULES.get(name, ("softmax", made(adaptive.RULES[name])))
    x, y, net = _batch(device)
    loss = (sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy)(make()).to(device)
    if link == "sigmoid":
        y = F.one_hot(y, 3).float()
    elif link == "one logit":
        y, net = (y == 2).float(), nn.Sequential(nn.Linear(16, 1), nn.Flatten(0)).to(device)
    for step in range(3):
        loss.advance(epoch=0, step=step)
        with _nobody_waits(device) if step else contextlib.nullcontext():
            loss(net(x), y).backward()
    return ""


def _quiet(device: torch.device) -> str:
    x, y, net = _batch(device)
    loss = sy.CrossEntropy(sy.mix(sy.Recipe(weight=[1.0, 5.0, 9.0], norm="mass"), sy.focal())).to(device)
    loss(net(x), y).backward()
    with _nobody_waits(device):
        loss(net(x), y).backward()
    return ""


def _accumulated(device: torch.device) -> str:
    x, y, net = _batch(device)
    loss = sy.CrossEntropy(sy.Recipe(weight=[1.0, 5.0, 9.0], norm="mass")).to(device)
    (whole,) = torch.autograd.grad(loss(net(x), y), net.weight)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29533"}
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", rank=0, world_size=1)
    try:
        with sy.accumulate(loss, [y[:100], y[100:]]):
            for part in (slice(0, 100), slice(100, 512)):
                loss(net(x[part]), y[part]).backward()
    finally:
        dist.destroy_process_group()
    off = float((net.weight.grad - whole).abs().max() / whole.abs().max())
    return "" if off < 1e-5 else f"off by {off:.2g} of the largest"


def _autocast(device: torch.device) -> str:
    x, y, net = _batch(device)
    loss = sy.CrossEntropy(sy.Recipe(weight=[1.0, 5.0, 9.0])).to(device)
    with torch.autocast(device.type, dtype=HALF):
        value = loss(net(x), y)
    value.backward()
    return "" if value.dtype == torch.float32 and bool(net.weight.grad.isfinite().all()) else f"{value.dtype}"


def _graph(device: torch.device) -> str:
    if device.type != "cuda":
        return "not tried: a GPU alone has graphs"
    x, y, net = _batch(device)
    loss = sy.CrossEntropy(sy.Recipe(weight=[1.0, 5.0, 9.0])).to(device)
    logits = net(x).detach().requires_grad_()
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(3):
            torch.autograd.grad(loss(logits, y), logits)
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        value = loss(logits, y)
        (gradient,) = torch.autograd.grad(value, logits)
    with torch.no_grad():
        logits.mul_(-1)
    graph.replay()
    right = loss(logits, y)
    (expected,) = torch.autograd.grad(right, logits)
    same = torch.allclose(value, right, rtol=1e-6) and torch.allclose(gradient, expected, rtol=1e-5, atol=1e-8)
    return "" if same else "other numbers"


def _compiled(device: torch.device) -> str:
    x, y, net = _batch(device)
    loss = sy.CrossEntropy(sy.Recipe(weight=[1.0, 5.0, 9.0], target=0.1)).to(device)
    other = copy.deepcopy(net)
    loss(net(x), y).backward()
    torch.compile(lambda x, y: loss(other(x), y), fullgraph=True)(x, y).backward()
    off = float((net.weight.grad - other.weight.grad).abs().max())
    return "" if off < 1e-5 else f"off by {off:.2g}"


def first(device: torch.device, small: bool) -> Rows:
    """What families.tried says of each."""
    if not kernels.available(device):
        yield {"failed": f"no kernels serve {device}"}
    for one in families.tried(device):
        yield one._asdict()


PARTS: dict[str, Callable[[torch.device, bool], Rows]] = {
    "first": first,  # before anything else has compiled a family
    "laws": laws,
    "accuracy": accuracy,
    "training": training,
    "bandwidth": bandwidth,
    "linear": linear,
    "sizes": sizes,
}
SHARE = {"bandwidth": 2.0}  # of an even share of the time that is left
