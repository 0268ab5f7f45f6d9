"""Sigmoid cross-entropy element by element, in Triton; the formulas of native/sigmoid.hpp."""

# pyright: basic, reportMissingImports=false
import triton
import triton.language as tl

from .triton_curves import NAN, bent, log1p, penalty


@triton.jit
def branch(
    u,
    a,
    b,
    ya,
    yb,
    yc,
    na,
    nb,
    nc,
    YES: tl.constexpr,
    YES_WHOLE: tl.constexpr,
    NO: tl.constexpr,
    NO_WHOLE: tl.constexpr,
):
    """(loss, dl/du, p, log(1 + e^u)) of an adjusted logit."""
    e = tl.exp(-tl.abs(u))
    big = 1.0 / (1.0 + e)
    small = e * big
    l = log1p(e)
    up = u >= 0.0
    p, q = tl.where(up, big, small), tl.where(up, small, big)
    logp, logq = tl.where(up, 0.0, u) - l, tl.where(up, -u, 0.0) - l
    yes, yes_slope = bent(YES, YES_WHOLE, ya, yb, yc, logp, p, q)
    no, no_slope = bent(NO, NO_WHOLE, na, nb, nc, logq, q, p)
    loss = penalty(a, yes) + penalty(b, no)
    return loss, a * yes_slope * q - b * no_slope * p, p, -logq


@triton.jit
def entry(table, period, k, y, PERIODIC: tl.constexpr):
    """table[y, k]; two numbers are chosen from, not looked up."""
    if PERIODIC:
        found = tl.load(table + y * period + k)
    else:
        found = tl.where(y == 1, tl.load(table + 1), tl.load(table))
    return found


@triton.jit
def entries(x, scale, offset, yes, no, own, period, k, y, PERIODIC: tl.constexpr):
    """(scale, u, yes, no, own) of logits x under labels y."""
    slope = entry(scale, period, k, y, PERIODIC)
    u = slope * x + entry(offset, period, k, y, PERIODIC)
    asked, refused = entry(yes, period, k, y, PERIODIC), entry(no, period, k, y, PERIODIC)
    return slope, u, asked, refused, entry(own, period, k, y, PERIODIC)


@triton.jit
def elements(
    logits, gradient, target, weight, upstream, through, loss, mass, lse, partial,
    scale, offset, yes, no, own, over, by,
    size, C, S, period, ignore, ya, yb, yc, na, nb, nc,
    PERIODIC: tl.constexpr, SOFT: tl.constexpr, BY_LABEL: tl.constexpr,
    YES: tl.constexpr, YES_WHOLE: tl.constexpr, NO: tl.constexpr, NO_WHOLE: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Tables [2, period]; null is None. An upstream that is None is over[0], or `by`. `partial` gets the sum of the losses of each program."""
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = i < size
    if SOFT:
        share = tl.load(target + i, mask=live, other=0.0)
        y = tl.full([BLOCK], 1, tl.int32)
        wrong = y == 0
    else:
        y = tl.load(target + i, mask=live, other=0).to(tl.int64)
        live = live & (y != ignore)
        wrong = live & (y != 0) & (y != 1)
        y = (y == 1).to(tl.int32)
    s = tl.full([BLOCK], 1.0, tl.float32)
    if weight is not None:
        s = tl.load(weight + i, mask=i < size, other=0.0)
        live = live & (s != 0.0)
        s = tl.where(live, s, 0.0)
    if upstream is None:
        up = s * (tl.load(over) if over is not None else by)
    else:
        up = s * tl.load(upstream + i, mask=live, other=0.0)
    along = tl.zeros([BLOCK], tl.float32)
    if through is not None:
        along = tl.load(through + i, mask=live, other=0.0)
    x = tl.load(logits + i, mask=i < size, other=0.0).to(tl.float32)  # a wide read; what is ignored may be NaN
    x = tl.where(live, x, 0.0)

    k = i * 0
    if PERIODIC:
        k = (i // S) % period
    slope, u, a, b, w = entries(x, scale, offset, yes, no, own, period, k, y, PERIODIC)
    if SOFT:
        slope0, u0, a0, b0, w0 = entries(x, scale, offset, yes, no, own, period, k, y * 0, PERIODIC)
        rest = 1.0 - share
        w = share * w + rest * w0
        if BY_LABEL:
            value1, d1, p1, lse1 = branch(u, share * a, share * b, ya, yb, yc, na, nb, nc, YES, YES_WHOLE, NO, NO_WHOLE)
            value0, d0, p0, lse0 = branch(
                u0, rest * a0, rest * b0, ya, yb, yc, na, nb, nc, YES, YES_WHOLE, NO, NO_WHOLE
            )
            value, norm = value1 + value0, share * lse1 + rest * lse0
            d = (d1 * up + share * p1 * along) * slope + (d0 * up + rest * p0 * along) * slope0
        else:
            a, b = share * a + rest * a0, share * b + rest * b0
            value, d, p, norm = branch(u, a, b, ya, yb, yc, na, nb, nc, YES, YES_WHOLE, NO, NO_WHOLE)
            d = (d * up + p * along) * slope
    else:
        a = tl.where(wrong, NAN, a)
        value, d, p, norm = branch(u, a, b, ya, yb, yc, na, nb, nc, YES, YES_WHOLE, NO, NO_WHOLE)
        d = (d * up + p * along) * slope

    value = tl.where(live, value * s, 0.0)
    there = i < size
    if gradient is not None:
        tl.store(gradient + i, tl.where(live, d, 0.0).to(gradient.dtype.element_ty), mask=there)
    if loss is not None:
        tl.store(loss + i, value, mask=there)
    if mass is not None:
        tl.store(mass + i, tl.where(live, s * w, 0.0), mask=there)
    if lse is not None:
        tl.store(lse + i, tl.where(live, norm, 0.0), mask=there)
    if partial is not None:
        tl.store(partial + tl.program_id(0), tl.sum(value))
