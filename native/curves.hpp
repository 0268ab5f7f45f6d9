// The curves of steelyard/curves.py on vectors: g(log p) and dg / d log p, from log p and q = 1 - p.
#pragma once

#include "call.hpp"
#include "simd.hpp"

namespace steelyard::STEELYARD_SET {

// q^gamma for q in [0, 1]
INLINE Floats power(Floats q, float gamma) {
    if (gamma == 2.0f) return q * q;
    if (gamma == 1.0f) return q;
    if (gamma == 0.0f) return all(1.0f);
    if (gamma == 4.0f) return (q * q) * (q * q);
    if (gamma == 3.0f) return q * q * q;
    Floats logs = log(q) * gamma;
    return q == 0.0f ? all(0.0f) : exp(logs);
}

// p log p: 0 at log p = -inf
INLINE Floats p_log_p(Floats logp) { return logp == -INF ? all(0.0f) : logp * exp(logp); }

// e^x - 1 for x <= 0
INLINE Floats expm1(Floats x) {
    Floats p = all(1.0f / 5040);
    p = p * x + 1.0f / 720;
    p = p * x + 1.0f / 120;
    p = p * x + 1.0f / 24;
    p = p * x + 1.0f / 6;
    p = p * x + 0.5f;
    p = p * x * x + x;
    return x > -0.35f ? p : exp(x) - 1.0f;
}

// Not inline: a call costs little next to what these compute, and there are many places that need them.
static __attribute__((noinline)) Floats bent_value(const Curve& curve, Floats logp, Floats q) {
    switch (curve.kind) {
        case FOCAL:
            return -power(q, curve.a) * logp;
        case SHIFTED: {
            Floats m = larger(q - curve.b, all(0.0f));
            m = nan(q) ? q : m;
            return -power(m, curve.a) * log(smaller(exp(logp) + curve.b, all(1.0f)));
        }
        case POLY:
            return curve.a * q - logp;
        case GCE:
            return -expm1(curve.a * logp) / curve.a;
        case SYMMETRIC:
            return -curve.b * curve.c * q - curve.a * logp;
        case SQUARE:
            return q * q;
        default:
            return -logp;
    }
}

static __attribute__((noinline)) Floats bent_slope(const Curve& curve, Floats logp, Floats q) {
    switch (curve.kind) {
        case FOCAL: {
            if (curve.a == 0.0f) return all(-1.0f);
            // q^gamma (gamma p log p / q - 1): the ratio is finite where q^(gamma - 1) is not
            Floats ratio = q <= 0.0f ? all(-1.0f) : p_log_p(logp) / q;
            return power(q, curve.a) * (curve.a * ratio - 1.0f);
        }
        case SHIFTED: {
            Floats m = q - curve.b;
            Ints flat = m <= 0.0f;
            Floats p = exp(logp), rest = smaller(p + curve.b, all(1.0f));
            Floats ratio = log(rest) / m;
            Floats inside = power(flat ? all(0.0f) : m, curve.a) * p * (curve.a * ratio - 1.0f / rest);
            return flat ? all(0.0f) : inside;
        }
        case POLY:
            return curve.a * q - (1.0f + curve.a);
        case GCE:
            return -exp(curve.a * logp);
        case SYMMETRIC:
            return curve.b * curve.c * exp(logp) - curve.a;
        case SQUARE:
            return -2.0f * q * exp(logp);
        default:
            return all(-1.0f);
    }
}

INLINE Floats value(const Curve& curve, Floats logp, Floats q) {
    return curve.kind == LOG ? -logp : bent_value(curve, logp, q);
}
INLINE Floats slope(const Curve& curve, Floats logp, Floats q) {
    return curve.kind == LOG ? all(-1.0f) : bent_slope(curve, logp, q);
}

// coefficient * g, where what has no weight is absent: 0 * inf = 0
INLINE Floats penalty(Floats coefficient, const Curve& curve, Floats logp, Floats q) {
    Floats out = coefficient * value(curve, logp, q);
    return (coefficient == 0.0f) & ((logp == -INF) | (logp == INF) | nan(logp)) ? all(0.0f) : out;
}

}  // namespace steelyard::STEELYARD_SET
