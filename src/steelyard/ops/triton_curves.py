"""The curves of steelyard/curves.py in Triton: g(log p) and dg / d log p, from log p, p and q = 1 - p.

KIND is `kernel` of a curve; WHOLE is the exponent where it is 0, 1, 2, 3 or 4, else -1.
"""

# Nothing here can be typed: Triton compiles these functions, it does not call them.
# pyright: basic, reportMissingImports=false
import triton
import triton.language as tl

NAN = tl.constexpr(float("nan"))


@triton.jit
def log1p(x):
    """For -0.5 <= x <= 1: 2 atanh(x / (2 + x)) by its series, to the last digits of float32 next to 0 as well."""
    s = x / (2.0 + x)
    t = s * s
    r = 2.0 / 17.0
    r = r * t + 2.0 / 15.0
    r = r * t + 2.0 / 13.0
    r = r * t + 2.0 / 11.0
    r = r * t + 2.0 / 9.0
    r = r * t + 2.0 / 7.0
    r = r * t + 2.0 / 5.0
    r = r * t + 2.0 / 3.0
    return s * t * r + 2.0 * s


@triton.jit
def expm1(x):
    """For x <= 0."""
    r = x * (1.0 / 5040.0) + 1.0 / 720.0
    r = r * x + 1.0 / 120.0
    r = r * x + 1.0 / 24.0
    r = r * x + 1.0 / 6.0
    r = r * x + 0.5
    return tl.where(x > -0.35, r * x * x + x, tl.exp(x) - 1.0)


@triton.jit
def power(q, gamma, WHOLE: tl.constexpr):
    """q^gamma for q >= 0."""
    if WHOLE == 0:
        w = q * 0.0 + 1.0
    elif WHOLE == 1:
        w = q
    elif WHOLE == 2:
        w = q * q
    elif WHOLE == 3:
        w = q * q * q
    elif WHOLE == 4:
        w = (q * q) * (q * q)
    else:
        some = q > 0.0
        w = tl.where(some, tl.exp(gamma * tl.log(tl.where(some, q, 1.0))), 0.0)
    return w


@triton.jit
def bent(KIND: tl.constexpr, WHOLE: tl.constexpr, a, b, c, logp, p, q):
    """(g, dg / d log p)."""
    value = -logp
    slope = p * 0.0 - 1.0
    if KIND == 1:  # Focal
        w = power(q, a, WHOLE)
        # q^gamma (gamma p log p / q - 1): the ratio is finite where q^(gamma - 1) is not
        entropy = tl.where(logp == -float("inf"), 0.0, p * logp)
        certain = q <= 0.0
        ratio = tl.where(certain, -1.0, entropy / tl.where(certain, 1.0, q))
        value = -w * logp
        slope = w * (a * ratio - 1.0)
    elif KIND == 2:  # Shifted
        m = q - b
        flat = m <= 0.0
        rest = tl.minimum(p + b, 1.0)
        logs = tl.log(rest)
        w = power(tl.where(flat, 0.0, m), a, WHOLE)
        inside = w * p * (a * (logs / tl.where(flat, 1.0, m)) - 1.0 / rest)
        value = tl.where(flat, 0.0, -w * logs)
        slope = tl.where(flat, 0.0, inside)
    elif KIND == 3:  # Poly
        value = a * q - logp
        slope = a * q - (1.0 + a)
    elif KIND == 4:  # GCE
        value = -expm1(a * logp) / a
        slope = -tl.exp(a * logp)
    elif KIND == 5:  # Symmetric
        value = -b * c * q - a * logp
        slope = b * c * p - a
    elif KIND == 6:  # Square
        value = q * q
        slope = -2.0 * q * p
    return value, slope


@triton.jit
def penalty(coefficient, value):
    """coefficient * g, where what has no weight is absent: 0 * inf = 0."""
    return tl.where(coefficient == 0.0, 0.0, coefficient * value)
