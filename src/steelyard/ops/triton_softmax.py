"""Softmax cross-entropy in Triton: loss, mass, lse and gradient of every item; the formulas of native/softmax.hpp.

`tile` holds all classes of some items at once: one read of the logits, one write of the gradient. It serves short rows (many
to a program), planes (neighbouring pixels side by side) and rows of as many classes as registers hold. `loop` goes over the
classes of one item in pieces: longer rows.
"""

# pyright: basic, reportMissingImports=false
import triton
import triton.language as tl

from .triton_curves import NAN, bent, expm1, log1p, penalty

INF = tl.constexpr(float("inf"))
LIKELY = tl.constexpr(0.6)  # as in native/items.hpp


@triton.jit
def entry(row, column, full, y, c, inside, C, SUM: tl.constexpr):
    """The table's entry of label y for class c: a product of its parts, or their sum; None holds nothing."""
    found = 0.0 if SUM else 1.0
    if full is not None:
        found = tl.load(full + y * C + c, mask=inside, other=0.0)
    if row is not None:
        one = tl.load(row + y)
        found = found + one if SUM else found * one
    if column is not None:
        one = tl.load(column + c, mask=c < C, other=0.0)
        found = found + one if SUM else found * one
    return found


@triton.jit
def asked(t, gives, c, is_label, own, inside, C, labelled, give, take, SOFT: tl.constexpr):
    """(yes, no): what is asked of class c as the labelled one and as another."""
    taken = tl.zeros_like(is_label.to(tl.float32))
    if take is not None:
        taken = tl.load(take + c, mask=c < C, other=0.0) + taken
    if SOFT:
        yes, no = t, taken * 0.0
        if labelled is not None:
            yes = t * tl.load(labelled + c, mask=c < C, other=0.0)
        if give is not None:
            no = (gives - t * tl.load(give + c, mask=c < C, other=0.0)) * taken
    else:
        yes = tl.where(is_label, own, 0.0)
        no = tl.where(is_label, 0.0, gives * taken)
    return tl.where(inside, yes, 0.0), tl.where(inside, no, 0.0)


@triton.jit
def every(
    below, yes, no, unlikely, log_total, inverse, ya, yb, yc, na, nb, nc,
    SAME: tl.constexpr, YES: tl.constexpr, YES_WHOLE: tl.constexpr, NO: tl.constexpr, NO_WHOLE: tl.constexpr,
):  # fmt: skip
    """(loss, its derivative by log p, p) of every class, where each is asked for; `unlikely` is the sum of all p up to LIKELY."""
    p = tl.exp(below) * inverse
    likely = p > LIKELY
    logp = tl.where(likely, log1p(-tl.minimum(unlikely, 0.5)), below - log_total)
    q = tl.where(likely, unlikely, -expm1(tl.where(likely, 0.0, logp)))
    value, slope = bent(YES, YES_WHOLE, ya, yb, yc, logp, p, q)
    if SAME:
        lost = penalty(yes + no, value)
        h = (yes + no) * slope
    else:
        other, other_slope = bent(NO, NO_WHOLE, na, nb, nc, logp, p, q)
        lost = penalty(yes, value) + penalty(no, other)
        h = yes * slope + no * other_slope
    return lost, h, p


@triton.jit
def tile(
    logits, gradient, target, weight, upstream, through, loss, mass, lse, partial,
    scale_row, scale_column, scale_full, offset_row, offset_column, offset_full, margin, own, labelled, give, take,
    over, by, inner, blocks, pieces, ignore, ya, yb, yc, na, nb, nc,
    DIVIDES: tl.constexpr, PLANES: tl.constexpr, SOFT: tl.constexpr, SMOOTH: tl.constexpr, LINEAR: tl.constexpr, SAME: tl.constexpr,
    YES: tl.constexpr, YES_WHOLE: tl.constexpr, NO: tl.constexpr, NO_WHOLE: tl.constexpr,
    BLOCK: tl.constexpr, CLASSES: tl.constexpr,
):  # fmt: skip
    """BLOCK items and all classes. Rows: `inner` items of C neighbouring logits. PLANES: of each image `inner` pixels, whose logits
    lie `inner` apart. C = pieces * DIVIDES. An upstream that is None is over[0], or `by`. `partial` gets the sum of the losses of each program."""
    program = tl.program_id(0)
    C = pieces * DIVIDES  # so that the compiler knows how wide it may read
    image = (program // blocks).to(tl.int64)
    i = (program % blocks) * BLOCK + tl.arange(0, BLOCK)
    c = tl.arange(0, CLASSES)[None, :]
    # one wide address for the program, narrow ones within
    start = image * C * inner
    if PLANES:
        at = i[:, None] + c * inner
    else:
        start += (program % blocks).to(tl.int64) * BLOCK * C
        at = tl.arange(0, BLOCK)[:, None] * C + c
    logits += start
    item = image * inner + i
    there = i < inner

    live = there
    if SOFT:
        y = tl.zeros([BLOCK], tl.int64)
        wrong = y != 0
        is_label = (c < 0) & (y[:, None] < 0)
    else:
        y = tl.load(target + item, mask=there, other=0).to(tl.int64)
        live = live & (y != ignore)
        wrong = live & ((y < 0) | (y >= C))
        y = tl.where(live & (y >= 0) & (y < C), y, 0)
        is_label = c == y[:, None]
    s = tl.full([BLOCK], 1.0, tl.float32)
    if weight is not None:
        s = tl.load(weight + item, mask=there, other=0.0)
        live = live & (s != 0.0)
        s = tl.where(live, s, 0.0)
    if upstream is None:
        up = s * (tl.load(over) if over is not None else by)
    else:
        up = s * tl.load(upstream + item, mask=live, other=0.0)
    along = tl.zeros([BLOCK], tl.float32)
    if through is not None:
        along = tl.load(through + item, mask=live, other=0.0)

    # what the label counts, gives away, and adds to the mass
    inside = (c < C) & live[:, None]
    own_k = tl.full([BLOCK], 1.0, tl.float32)
    counted = tl.full([BLOCK], 1.0, tl.float32)
    gives = tl.zeros([BLOCK], tl.float32)
    t = tl.zeros([BLOCK, CLASSES], tl.float32)
    if SOFT:
        t = tl.load(target + start + at, mask=inside, other=0.0)
        if own is not None:
            counted = tl.sum(t * tl.load(own + c, mask=c < C, other=0.0), 1)
        else:
            counted = tl.sum(t, 1)
        if give is not None:
            gives = tl.sum(t * tl.load(give + c, mask=c < C, other=0.0), 1)
    else:
        if labelled is not None:
            own_k = tl.load(labelled + y)
        if own is not None:
            counted = tl.load(own + y)
        if give is not None:
            gives = tl.load(give + y)
        own_k = tl.where(wrong, NAN, own_k)

    factor = entry(scale_row, scale_column, scale_full, y[:, None], c, inside, C, False)
    # read under a mask that does not depend on data, so that reads stay wide; what is ignored may be NaN
    u = tl.load(logits + at, mask=(c < C) & there[:, None], other=0.0).to(tl.float32)
    u = tl.where(live[:, None], u, 0.0) * factor
    u = u + entry(offset_row, offset_column, offset_full, y[:, None], c, inside, C, True)
    if margin is not None and not SOFT:
        u = u - tl.where(is_label, tl.load(margin + y)[:, None], 0.0)
    u = tl.where(c < C, u, -INF)
    most = tl.max(u, 1)
    below = u - most[:, None]
    e = tl.exp(below)
    if SOFT:
        below_y = tl.zeros([BLOCK], tl.float32)
        e_y = tl.zeros([BLOCK], tl.float32)
        rest = tl.sum(e, 1)
    else:
        below_y = tl.sum(tl.where(is_label, below, 0.0), 1)
        e_y = tl.exp(below_y)
        rest = tl.sum(tl.where(is_label, 0.0, e), 1)
    total = rest + e_y
    log_total = tl.log(total)
    inverse = 1.0 / total
    # q = 1 - p of the label as the sum of the others: next to p = 1 it keeps the digits that 1 - p loses
    q, p = rest * inverse, e_y * inverse
    logp = tl.where(q < 0.5, log1p(-tl.where(q < 0.5, q, 0.0)), below_y - log_total)

    if not SMOOTH:
        value, slope = bent(YES, YES_WHOLE, ya, yb, yc, logp, p, q)
        value = penalty(own_k, value)
        h = own_k * slope * up
        d = tl.where(is_label, (h * q + along * p)[:, None], e * ((along - h) * inverse)[:, None])
    elif LINEAR:
        yes, no = asked(t, gives[:, None], c, is_label, own_k[:, None], inside, C, labelled, give, take, SOFT)
        k = yes + no
        if not SOFT:
            k = tl.where(is_label, 0.0, k)
        rest_k = tl.sum(k, 1)
        value = rest_k * log_total - tl.sum(tl.where(k == 0.0, 0.0, k * below), 1)
        all_k = rest_k
        if not SOFT:
            value = value + penalty(own_k, -logp)
            all_k = rest_k + own_k
        d = e * ((all_k * up + along) * inverse)[:, None] - up[:, None] * k
        if not SOFT:
            d = tl.where(is_label, ((rest_k - all_k * q) * up + along * p)[:, None], d)
    else:
        yes, no = asked(t, gives[:, None], c, is_label, own_k[:, None], inside, C, labelled, give, take, SOFT)
        p_c = e * inverse[:, None]
        unlikely = tl.sum(tl.where(p_c > LIKELY, 0.0, p_c), 1)
        lost, h_c, _ = every(
            below, yes, no, unlikely[:, None], log_total[:, None], inverse[:, None],
            ya, yb, yc, na, nb, nc, SAME, YES, YES_WHOLE, NO, NO_WHOLE,
        )  # fmt: skip
        value = tl.sum(tl.where(c < C, lost, 0.0), 1)
        h_c = tl.where(c < C, h_c, 0.0)
        d = (h_c - p_c * tl.sum(h_c, 1)[:, None]) * up[:, None] + p_c * along[:, None]

    value = tl.where(live, value * s, 0.0)
    if gradient is not None:
        d = tl.where(live[:, None], d * factor, 0.0)
        tl.store(gradient + start + at, d.to(gradient.dtype.element_ty), mask=(c < C) & there[:, None])
    if loss is not None:
        tl.store(loss + item, value, mask=there)
    if mass is not None:
        tl.store(mass + item, tl.where(live, s * counted, 0.0), mask=there)
    if lse is not None:
        tl.store(lse + item, tl.where(live, most + log_total, 0.0), mask=there)
    if partial is not None:
        tl.store(partial + program, tl.sum(value))


@triton.jit
def piece(
    logits, at, c, is_label, y, live, C,
    scale_row, scale_column, scale_full, offset_row, offset_column, offset_full, margin, SOFT: tl.constexpr,
):  # fmt: skip
    """(u, the factor of z in it) of some classes of one item; u is -inf beyond the last class."""
    inside = (c < C) & live
    factor = entry(scale_row, scale_column, scale_full, y, c, inside, C, False)
    u = tl.where(live, tl.load(logits + at, mask=c < C, other=0.0).to(tl.float32), 0.0) * factor
    u = u + entry(offset_row, offset_column, offset_full, y, c, inside, C, True)
    if margin is not None and not SOFT:
        u = u - tl.where(is_label, tl.load(margin + y), 0.0)
    return tl.where(c < C, u, -INF), factor


@triton.jit
def loop(
    logits, gradient, target, weight, upstream, through, loss, mass, lse, partial,
    scale_row, scale_column, scale_full, offset_row, offset_column, offset_full, margin, own, labelled, give, take,
    over, by, S, pieces, ignore, ya, yb, yc, na, nb, nc,
    DIVIDES: tl.constexpr, SOFT: tl.constexpr, SMOOTH: tl.constexpr, LINEAR: tl.constexpr, SAME: tl.constexpr,
    YES: tl.constexpr, YES_WHOLE: tl.constexpr, NO: tl.constexpr, NO_WHOLE: tl.constexpr, CLASSES: tl.constexpr,
):  # fmt: skip
    """One item, CLASSES of its classes at a time; its logits lie S apart."""
    item = tl.program_id(0).to(tl.int64)
    C = pieces * DIVIDES  # so that the compiler knows how wide it may read
    base = item // S * C * S + item % S  # wide; what is added to it is narrow
    live = item >= 0
    y = item * 0
    wrong = item < 0
    if not SOFT:
        y = tl.load(target + item).to(tl.int64)
        live = y != ignore
        wrong = live & ((y < 0) | (y >= C))
        y = tl.where(live & (y >= 0) & (y < C), y, 0)
    label = -1 if SOFT else y
    s = 1.0
    if weight is not None:
        s = tl.load(weight + item)
        live = live & (s != 0.0)
        s = tl.where(live, s, 0.0)
    if upstream is None:
        up = s * (tl.load(over) if over is not None else by)
    else:
        up = s * tl.load(upstream + item)
    along = 0.0
    if through is not None:
        along = tl.load(through + item)
    own_k, counted, gives = 1.0, 1.0, 0.0
    if not SOFT:
        if labelled is not None:
            own_k = tl.load(labelled + y)
        if own is not None:
            counted = tl.load(own + y)
        if give is not None:
            gives = tl.load(give + y)
        own_k = tl.where(wrong, NAN, own_k)

    # maximum and sum of powers in one go: the sum so far shrinks where a larger logit turns up
    most, rest, u_y, t_own, t_give = float("-inf"), 0.0, 0.0, 0.0, 0.0
    for start in range(0, C, CLASSES):
        c = start + tl.arange(0, CLASSES)
        at = base + c * S
        is_label = c == label
        u, _ = piece(logits, at, c, is_label, y, live, C, scale_row, scale_column, scale_full, offset_row, offset_column, offset_full, margin, SOFT)  # fmt: skip
        larger = tl.maximum(most, tl.max(u, 0))
        level = tl.where(larger == -INF, 0.0, larger)
        rest = rest * tl.exp(most - level) + tl.sum(tl.where(is_label, 0.0, tl.exp(u - level)), 0)
        u_y += tl.sum(tl.where(is_label, u, 0.0), 0)
        most = larger
        if SOFT:
            t = tl.load(target + at, mask=(c < C) & live, other=0.0)
            if own is not None:
                t_own += tl.sum(t * tl.load(own + c, mask=c < C, other=0.0), 0)
            else:
                t_own += tl.sum(t, 0)
            if give is not None:
                t_give += tl.sum(t * tl.load(give + c, mask=c < C, other=0.0), 0)
    if SOFT:
        counted, gives = t_own, t_give
        below_y, e_y = 0.0, 0.0
    else:
        below_y = u_y - most
        e_y = tl.exp(below_y)
    total = rest + e_y
    log_total = tl.log(total)
    inverse = 1.0 / total
    q, p = rest * inverse, e_y * inverse
    logp = tl.where(q < 0.5, log1p(-tl.where(q < 0.5, q, 0.0)), below_y - log_total)

    value, h, rest_k, all_k, unlikely, pull = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if not SMOOTH:
        value, slope = bent(YES, YES_WHOLE, ya, yb, yc, logp, p, q)
        value = penalty(own_k, value)
        h = own_k * slope * up
    elif LINEAR:
        for start in range(0, C, CLASSES):
            c = start + tl.arange(0, CLASSES)
            at = base + c * S
            is_label = c == label
            inside = (c < C) & live
            u, _ = piece(logits, at, c, is_label, y, live, C, scale_row, scale_column, scale_full, offset_row, offset_column, offset_full, margin, SOFT)  # fmt: skip
            t = tl.load(target + at, mask=inside, other=0.0) if SOFT else 0.0
            yes, no = asked(t, gives, c, is_label, own_k, inside, C, labelled, give, take, SOFT)
            k = tl.where(is_label, 0.0, yes + no)
            rest_k += tl.sum(k, 0)
            value -= tl.sum(tl.where(k == 0.0, 0.0, k * (u - most)), 0)
        value += rest_k * log_total
        all_k = rest_k
        if not SOFT:
            value += penalty(own_k, -logp)
            all_k = rest_k + own_k
    else:
        for start in range(0, C, CLASSES):
            c = start + tl.arange(0, CLASSES)
            at = base + c * S
            u, _ = piece(logits, at, c, c == label, y, live, C, scale_row, scale_column, scale_full, offset_row, offset_column, offset_full, margin, SOFT)  # fmt: skip
            p_c = tl.exp(u - most) * inverse
            unlikely += tl.sum(tl.where(p_c > LIKELY, 0.0, p_c), 0)
        for start in range(0, C, CLASSES):
            c = start + tl.arange(0, CLASSES)
            at = base + c * S
            is_label = c == label
            inside = (c < C) & live
            u, _ = piece(logits, at, c, is_label, y, live, C, scale_row, scale_column, scale_full, offset_row, offset_column, offset_full, margin, SOFT)  # fmt: skip
            t = tl.load(target + at, mask=inside, other=0.0) if SOFT else 0.0
            yes, no = asked(t, gives, c, is_label, own_k, inside, C, labelled, give, take, SOFT)
            lost, h_c, _ = every(u - most, yes, no, unlikely, log_total, inverse, ya, yb, yc, na, nb, nc, SAME, YES, YES_WHOLE, NO, NO_WHOLE)  # fmt: skip
            value += tl.sum(tl.where(c < C, lost, 0.0), 0)
            pull += tl.sum(tl.where(c < C, h_c, 0.0), 0)

    if gradient is not None:
        for start in range(0, C, CLASSES):
            c = start + tl.arange(0, CLASSES)
            at = base + c * S
            is_label = c == label
            inside = (c < C) & live
            u, factor = piece(logits, at, c, is_label, y, live, C, scale_row, scale_column, scale_full, offset_row, offset_column, offset_full, margin, SOFT)  # fmt: skip
            e = tl.exp(u - most)
            if not SMOOTH:
                d = tl.where(is_label, h * q + along * p, e * ((along - h) * inverse))
            else:
                t = tl.load(target + at, mask=inside, other=0.0) if SOFT else 0.0
                yes, no = asked(t, gives, c, is_label, own_k, inside, C, labelled, give, take, SOFT)
                if LINEAR:
                    d = e * ((all_k * up + along) * inverse) - up * (yes + no)
                    d = tl.where(is_label, (rest_k - all_k * q) * up + along * p, d)
                else:
                    _, h_c, p_c = every(u - most, yes, no, unlikely, log_total, inverse, ya, yb, yc, na, nb, nc, SAME, YES, YES_WHOLE, NO, NO_WHOLE)  # fmt: skip
                    d = (h_c - p_c * pull) * up + p_c * along
            d = tl.where(live, d * factor, 0.0)
            tl.store(gradient + at, d.to(gradient.dtype.element_ty), mask=c < C)

    value = tl.where(live, value * s, 0.0)
    if loss is not None:
        tl.store(loss + item, value)
    if mass is not None:
        tl.store(mass + item, tl.where(live, s * counted, 0.0))
    if lse is not None:
        tl.store(lse + item, tl.where(live, most + log_total, 0.0))
    if partial is not None:
        tl.store(partial + item, value)
