"""The kernels in Triton (ops/triton_*.py), on a GPU; on the CPU too where TRITON_INTERPRET=1 runs them step by step, for tests.

`Call` is one call of them; ops/fused.py gives it a backward pass, ops/tables.py says what it reads of a recipe. No call waits for
the device: a label that is no class makes its loss NaN.
"""

import functools
import importlib
import importlib.util
import math
import os
from typing import Any

import torch
from torch import Tensor

from . import fused, launch, proof, tables
from .bound import Bound

LARGEST = {"plain": 32768, "linear": 16384, "curved": 8192}  # as many as registers hold
LINE = 32  # neighbouring pixels that a program should read at least
ELEMENTS = 2048  # of a program of a census, of a sum


@functools.cache
def _interpreted() -> bool:
    return os.environ.get("TRITON_INTERPRET") == "1"


@functools.cache
def _installed() -> bool:
    return importlib.util.find_spec("triton") is not None


def available(device: torch.device) -> bool:
    return _installed() and (device.type == "cuda" or _interpreted())


def refusal(logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None) -> str:
    """Why this call needs another backend, or ""."""
    if not available(logits.device):
        return f"Triton is not installed, or has no kernels for {logits.device.type}"
    if logits.dim() > 2 and math.prod(logits.shape[1:]) >= 2**31:
        return "an image of more than 2**31 logits"  # addresses within one are 32 bits wide
    return tables.refusal(logits, target, bound, weight) or proof.refusal(Call, scale, logits, target, bound, weight)


def _kernels(name: str) -> Any:
    return importlib.import_module(f".triton_{name}", __package__)


def _on(tensor: Tensor) -> Any:
    """Triton launches on the current device, which need not be the tensor's."""
    return torch.cuda.device_of(tensor)


class Call:
    """See fused.Call."""

    def __init__(self, logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore_index: int):
        self.logits = logits.contiguous()
        shape = logits.shape
        self.N, self.C, self.S = math.prod(shape), 1, 1
        if logits.dim() > 1:
            self.N, self.C, self.S = shape[0], shape[1], math.prod(shape[2:])
        self.softmax, self.soft = bound.link.exclusive, target.is_floating_point()
        if self.soft:
            target = target.float()
        elif target.dtype == torch.bool:
            target = target.view(torch.uint8)
        self.target = target.to(logits.device).contiguous()
        self.weight = None if weight is None else weight.float().contiguous()
        self.ignore, self.bound = ignore_index, bound
        self.tables = _tables(bound, self.C, logits.device)

    def room(self) -> Tensor:
        return torch.empty_like(self.logits)

    def each(self, **buffers: Any) -> None:
        with _on(self.logits):
            self._run(None, 1.0, **buffers)

    def mean(self, gradient: Tensor | None, norm: str | float) -> Tensor:
        with _on(self.logits):
            if norm in ("count", "mass"):
                z, over = self._census(norm == "mass")
                return self._sum(gradient, z, over, 1.0, torch.float32)
            return self._sum(gradient, None, None, float(norm) if norm != "sum" else 1.0, torch.float32)

    def total(self, gradient: Tensor | None) -> Tensor:
        with _on(self.logits):
            return self._sum(gradient, None, None, 1.0, torch.float64)

    def _sum(
        self, gradient: Tensor | None, z: Tensor | None, over: Tensor | None, given: float, dtype: torch.dtype
    ) -> Tensor:
        partial = self._run(over, 1 / given if given else 0.0, gradient=gradient, summed=True)
        out = torch.empty((), dtype=dtype, device=self.logits.device)
        _kernels("sums").finish[(1,)](partial, partial.numel(), z, given, out, ELEMENTS)
        return out

    def _census(self, mass: bool) -> tuple[Tensor, Tensor]:
        """(Z, 1 / Z): what the mean divides by."""
        sums, device = _kernels("sums"), self.logits.device
        if self.soft:
            parts, counted = 1, self._soft_census(mass)
        else:
            items = self.N * self.S * (1 if self.softmax else self.C)
            parts = min(sums.PARTS, -(-items // ELEMENTS))
            counted = torch.empty(parts, dtype=torch.float64, device=device)
            classes, period = (self.C, 1) if self.softmax else (2, self.tables.period)
            own = self.tables.own if mass else None
            rest = (items, classes, self.S, period, self.ignore, mass, not self.softmax, ELEMENTS)
            if parts:
                sums.count[(parts,)](self.target, self.weight, own, counted, *rest)
        z, over = torch.empty((), dtype=torch.float64, device=device), torch.empty((), device=device)
        sums.divide[(1,)](counted, parts, z, over, sums.PARTS)
        return z, over

    def _soft_census(self, mass: bool) -> Tensor:
        target = self.target.view(self.N, self.C, self.S)
        one = torch.ones((), device=target.device)
        if mass and self.softmax:
            one = (target if self.tables.own is None else target * self.tables.own[:, None]).sum(dim=1)
        elif mass:
            own = self.tables.own[:, :, None]
            one = target * own[1] + (1 - target) * own[0]
        shape = (self.N, self.S) if self.softmax else target.shape
        one = one.expand(shape)
        if self.weight is not None:
            s = self.weight.view(shape)
            one = one * s if mass else one * (s != 0)
        return one.sum(dtype=torch.float64)

    def _run(
        self,
        over: Tensor | None,
        by: float,
        *,
        gradient: Tensor | None = None,
        upstream: Tensor | None = None,
        through: Tensor | None = None,
        loss: Tensor | None = None,
        mass: Tensor | None = None,
        lse: Tensor | None = None,
        summed: bool = False,
    ) -> Tensor:
        """The sums of the losses of each program, float32; empty unless `summed`."""
        size = self.logits.numel()
        launch = self._softmax if self.softmax else self._sigmoid
        programs, kernel, rest = launch()
        partial = torch.empty(programs if summed else 0, device=self.logits.device)
        if size:
            buffers = (self.target, self.weight, upstream, through, loss, mass, lse, partial if summed else None)
            kernel[(programs,)](
                self.logits,
                gradient,
                *buffers,
                *self._flat(),
                over,
                by,
                **rest,
                **_curves(self.bound),
                SOFT=self.soft,
            )
        return partial

    def _flat(self) -> tuple[Tensor | None, ...]:
        if self.softmax:
            return (*self.tables.scale, *self.tables.offset, *self.tables[2:])
        return tuple(self.tables)

    def _softmax(self) -> tuple[int, Any, dict[str, Any]]:
        softmax, sizes = _kernels("softmax"), launch.of(self.logits.device)
        smooth = self.soft or self.tables.give is not None
        yes, no = tables.numbers(self.bound.yes), tables.numbers(self.bound.no)
        linear = yes[0] == no[0] == 0
        largest = LARGEST["plain" if not smooth else "linear" if linear else "curved"]
        divides = math.gcd(self.C, 16)
        form = {"pieces": self.C // divides, "DIVIDES": divides, "ignore": self.ignore}
        form |= {"SMOOTH": smooth, "LINEAR": linear, "SAME": yes == no}
        images, inner = (self.N, self.S) if self.S > 1 else (1, self.N)
        classes = _power_of_two(self.C)
        if classes > largest:
            block, warps = sizes.piece, launch.warps(sizes.piece, sizes.piece_warp)
            return self.N * self.S, softmax.loop, form | {"S": self.S, "CLASSES": block, "num_warps": warps}
        block = min(max(sizes.tile // classes, LINE if self.S > 1 else 1), largest // classes, _power_of_two(inner))
        blocks = -(-inner // block)
        shape = {
            "inner": inner,
            "blocks": blocks,
            "PLANES": self.S > 1,
            "BLOCK": block,
            "CLASSES": classes,
            "num_warps": launch.warps(block * classes, sizes.tile_warp),
        }
        return images * blocks, softmax.tile, form | shape

    def _sigmoid(self) -> tuple[int, Any, dict[str, Any]]:
        size, sizes = self.logits.numel(), launch.of(self.logits.device)
        form = {
            "size": size,
            "C": self.C,
            "S": self.S,
            "period": self.tables.period,
            "PERIODIC": self.tables.period > 1,
            "ignore": self.ignore,
            "BY_LABEL": self.bound.label_dependent,
            "BLOCK": sizes.elements,
            "num_warps": launch.warps(sizes.elements, sizes.elements_warp),
        }
        return -(-size // sizes.elements), _kernels("sigmoid").elements, form


def scale(gradient: Tensor, factor: Tensor) -> Tensor:
    """In place, and without a look at the factor."""
    size = gradient.numel()
    if size:
        with _on(gradient):
            _kernels("sums").scale[(-(-size // ELEMENTS),)](gradient, factor, size, ELEMENTS)
    return gradient


KERNELS = fused.Kernels("triton", refusal, Call, scale)
terms = functools.partial(fused.terms, KERNELS)


def _tables(bound: Bound, C: int, device: torch.device) -> Any:
    """Made once for every number of classes and device."""
    made = tables.layout(bound).made
    key = "triton", C, device
    if key not in made:
        if bound.link.exclusive:
            made[key] = tables.softmax_tables(bound, C, device)
        else:
            arrays = tables.sigmoid_tables(bound, device)
            made[key] = tables.SigmoidTables(*(t.expand(2, arrays.period).contiguous() for t in arrays))
    return made[key]


def _curves(bound: Bound) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for side, curve in (("yes", bound.yes), ("no", bound.no)):
        kind, *parameters = tables.numbers(curve)
        whole = parameters[0] in (0.0, 1.0, 2.0, 3.0, 4.0)
        out |= {side.upper(): kind, f"{side.upper()}_WHOLE": int(parameters[0]) if whole else -1}
        out |= dict(zip((side[0] + letter for letter in "abc"), map(float, parameters), strict=True))
    return out


def _power_of_two(n: int) -> int:
    return 1 << max(0, n - 1).bit_length()
