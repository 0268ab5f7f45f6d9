// The curves of steelyard/curves.py on vectors: g(log p) and dg / d log p, from log p, p and q = 1 - p.
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

// g and dg / d log p
struct Bent {
    Floats value, slope;
};

// Not inline: a call costs little next to what these compute, and there are many places that need them.
static __attribute__((noinline)) Bent bent(const Curve& curve, Floats logp, Floats p, Floats q) {
    switch (curve.kind) {
        case FOCAL: {
            if (curve.a == 0.0f) return {-logp, all(-1.0f)};
            const Floats w = power(q, curve.a);
            // q^gamma (gamma p log p / q - 1): the ratio is finite where q^(gamma - 1) is not
            const Floats entropy = logp == -INF ? all(0.0f) : p * logp;
            const Floats ratio = q <= 0.0f ? all(-1.0f) : entropy / q;
            return {-w * logp, w * (curve.a * ratio - 1.0f)};
        }
        case SHIFTED: {
            const Floats m = q - curve.b;
            const Ints flat = m <= 0.0f;
            const Floats rest = smaller(p + curve.b, all(1.0f)), logs = log(rest);
            const Floats w = power(flat ? all(0.0f) : m, curve.a);
            const Floats inside = w * p * (curve.a * (logs / m) - 1.0f / rest);
            return {-w * logs, flat ? all(0.0f) : inside};
        }
        case POLY:
            return {curve.a * q - logp, curve.a * q - (1.0f + curve.a)};
        case GCE:
            return {-expm1(curve.a * logp) / curve.a, -exp(curve.a * logp)};
        case SYMMETRIC:
            return {-curve.b * curve.c * q - curve.a * logp, curve.b * curve.c * p - curve.a};
        case SQUARE:
            return {q * q, -2.0f * q * p};
        default:
            return {-logp, all(-1.0f)};
    }
}

// The focal curve with gamma = 2, of all classes of a row: no division, and no infinity in the slope.
struct SquaredFocal {
    INLINE Bent operator()(Floats logp, Floats p, Floats q) const {
        const Floats entropy = p * larger(all(-200.0f), logp);  // p is 0 there
        return {-(q * q) * logp, q * (2.0f * entropy - q)};
    }
};

INLINE Bent along(const Curve& curve, Floats logp, Floats p, Floats q) {
    return curve.kind == LOG ? Bent{-logp, all(-1.0f)} : bent(curve, logp, p, q);
}

// coefficient * g, where what has no weight is absent: 0 * inf = 0
INLINE Floats penalty(Floats coefficient, Floats value) { return coefficient == 0.0f ? all(0.0f) : coefficient * value; }

}  // namespace steelyard::STEELYARD_SET
