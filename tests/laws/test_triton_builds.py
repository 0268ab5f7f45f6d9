"""Triton's compiler, which needs no GPU, takes every kernel as it would be launched: to machine code of an H100."""

import inspect
import os

import pytest
import torch

import steelyard as sy
from steelyard import testing
from steelyard.ops import bind, fused, gpu

triton = pytest.importorskip("triton")
if os.environ.get("TRITON_INTERPRET") == "1":
    pytest.skip("the interpreter has taken the compiler's place", allow_module_level=True)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning:triton")]
TYPES = {
    torch.float32: "fp32",
    torch.float64: "fp64",
    torch.bfloat16: "bf16",
    torch.float16: "fp16",
    torch.int64: "i64",
    torch.int32: "i32",
    torch.uint8: "u8",
}


class Builds:
    """Stands in for the launch of a kernel: compiles what it would have run, once for each specialisation."""

    def __init__(self):
        self.made = {}

    def launch(self, kernel, grid):
        def launched(*args, **options):
            warps = options.pop("num_warps", 4)
            self.build(kernel, inspect.signature(kernel.fn).bind(*args, **options).arguments, warps)

        return launched

    def build(self, kernel, arguments, warps):
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource

        signature, constants, hints = {}, {}, {}
        for parameter in kernel.params:
            name, at, value = parameter.name, (parameter.num,), arguments[parameter.name]
            whole = isinstance(value, int) and not isinstance(value, bool)
            if parameter.is_constexpr or value is None or (whole and value == 1):
                signature[name], constants[at] = "constexpr", value
            elif isinstance(value, torch.Tensor):
                signature[name], hints[at] = "*" + TYPES[value.dtype], [["tt.divisibility", 16]]
            else:
                signature[name] = "i32" if whole else "fp32"
                if whole and value % 16 == 0:
                    hints[at] = [["tt.divisibility", 16]]
        key = kernel.fn.__name__, warps, str(signature), str(constants), str(hints)
        if key not in self.made:
            source = ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=hints)
            self.made[key] = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": warps})


@pytest.fixture
def builds(monkeypatch):
    found = Builds()
    monkeypatch.setattr(gpu, "available", lambda device: True)
    monkeypatch.setattr(gpu.proof, "refusal", lambda *call: "")  # what is not run proves nothing
    monkeypatch.setattr(triton.runtime.jit.JITFunction, "__getitem__", lambda self, grid: found.launch(self, grid))
    return found


def kernels(builds):
    return {name for name, *_ in builds.made}


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_every_recipe(builds, link):
    for recipe in testing.recipes(link).values():
        bound = bind(recipe, link)
        for call in testing.calls(link, bound).values():
            call = call.to(torch.float32)
            if not gpu.refusal(call.logits, call.target, bound, call.weight):
                x = call.logits.requires_grad_()
                fused.reduced(gpu.KERNELS, x, call.target, bound, call.weight, -100, "mass").backward()
    assert kernels(builds) == {"count", "divide", "finish", "scale", "tile" if link == "softmax" else "elements"}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("shape", [(4096, 10), (64, 1000), (4, 32000), (2, 128256), (2, 19, 64, 64)], ids=str)
def test_shapes_of_use(builds, shape, dtype):
    C = shape[1]
    x, y = torch.zeros(shape, dtype=dtype, requires_grad=True), torch.zeros(shape[:1] + shape[2:], dtype=torch.int64)
    weight = [1.0 + c % 3 for c in range(C)]
    for recipe in (
        sy.Recipe(weight=weight),
        sy.Recipe(weight=weight, offset=[weight], target=0.1),
        sy.Recipe(weight=weight, target=0.1, curve=sy.curves.Focal(2.0)),
    ):
        fused.terms(gpu.KERNELS, x, y, bind(recipe, "softmax"), None, -100).loss.sum().backward()
        fused.reduced(gpu.KERNELS, x, y, bind(recipe, "softmax"), None, -100, "mass")
    assert ("loop" if C > 100_000 else "tile") in kernels(builds)


def test_reads_are_wide(builds):
    """16 bytes at a time, of rows and of planes: what a loss at the speed of memory is made of."""
    for shape in ((16384, 1000), (8, 19, 256, 256)):
        x = torch.empty(shape, requires_grad=True)
        y = torch.zeros(shape[:1] + shape[2:], dtype=torch.int64)
        fused.reduced(gpu.KERNELS, x, y, bind(sy.Recipe(), "softmax"), None, -100, "sum")
    made = [kernel.asm["ptx"] for (name, *_), kernel in builds.made.items() if name == "tile"]
    assert len(made) == 2
    for ptx in made:
        assert "ld.global.v4.b32" in ptx
        assert "st.global.v4.b32" in ptx
