"""What a mean divides by, and the last step of a sum, without a word to the host.

Sums go over as many parts as the launch has programs, and then over the parts, always in the same order: no run differs from
another.
"""

# pyright: basic, reportMissingImports=false
import triton
import triton.language as tl

PARTS = 512  # of a census at most


@triton.jit
def count(
    target,
    weight,
    own,
    out,
    items,
    C,
    S,
    period,
    ignore,
    MASS: tl.constexpr,
    PERIODIC: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Partial sums, one of each program, of what is not ignored, or of s W[y, y]; `own` holds a number
    for each label, or `period` of them (sigmoid)."""
    part = tl.program_id(0)
    found = tl.zeros([BLOCK], tl.float64)
    for start in range(part * BLOCK, items, tl.num_programs(0) * BLOCK):
        i = tl.cast(start, tl.int64) + tl.arange(0, BLOCK)
        there = i < items
        y = tl.load(target + i, mask=there, other=0).to(tl.int64)
        live = there & (y != ignore)
        one = live.to(tl.float32)
        if weight is not None:
            s = tl.load(weight + i, mask=there, other=0.0)
            live = live & (s != 0.0)
            one = tl.where(live, s, 0.0) if MASS else live.to(tl.float32)
        if MASS and own is not None:
            y = tl.where((y >= 0) & (y < C), y, 0)
            if PERIODIC:
                y = y * period + (i // S) % period
            one = tl.where(live, one * tl.load(own + y, mask=live, other=0.0), 0.0)
        found += one.to(tl.float64)
    tl.store(out + part, tl.sum(found))


@triton.jit
def divide(counted, parts, z, over, BLOCK: tl.constexpr):
    """z[0] = the sum of what was counted, float64; over[0] = 1 / z, 0 where z is 0, float32."""
    found = _sum(counted, parts, BLOCK)
    tl.store(z, found)
    tl.store(over, _inverse(found).to(tl.float32))


@triton.jit
def finish(partial, parts, z, given, out, BLOCK: tl.constexpr):
    """out[0] = the sum of the partial losses over Z, 0 where Z is 0; out may be float32 or float64."""
    divisor = tl.full((), given, tl.float64)
    if z is not None:
        divisor = tl.load(z)
    tl.store(out, (_sum(partial, parts, BLOCK) * _inverse(divisor)).to(out.dtype.element_ty))


@triton.jit
def _sum(partial, parts, BLOCK: tl.constexpr):
    found = tl.zeros([BLOCK], tl.float64)
    for start in range(0, parts, BLOCK):
        i = start + tl.arange(0, BLOCK)
        found += tl.load(partial + i, mask=i < parts, other=0.0).to(tl.float64)
    return tl.sum(found)


@triton.jit
def _inverse(z):
    return tl.where(z == 0.0, 0.0, 1.0 / tl.where(z == 0.0, 1.0, z))


@triton.jit
def scale(gradient, factor, size, BLOCK: tl.constexpr):
    """gradient *= factor; nothing is read or written where that is 1, which the host need not know."""
    by = tl.load(factor).to(tl.float32)
    if by != 1.0:
        i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
        there = i < size
        found = tl.load(gradient + i, mask=there).to(tl.float32) * by
        tl.store(gradient + i, found.to(gradient.dtype.element_ty), mask=there)
