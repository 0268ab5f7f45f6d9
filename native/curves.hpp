// The curves of steelyard/curves.py on vectors: g(log p) and dg / d log p, from log p, p and q = 1 - p.
#pragma once

#include <type_traits>

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
    template <class Number> INLINE Bent times(Number k) const { return {value * k, slope * k}; }
};

template <Kind KIND> INLINE Bent bend(const Curve& curve, Floats logp, Floats p, Floats q) {
    if constexpr (KIND == FOCAL) {
        if (curve.a == 0.0f) return {-logp, all(-1.0f)};
        const Floats w = power(q, curve.a);
        // q^gamma (gamma p log p / q - 1): the ratio is finite where q^(gamma - 1) is not
        const Floats entropy = logp == -INF ? all(0.0f) : p * logp;
        const Floats ratio = q <= 0.0f ? all(-1.0f) : entropy / q;
        return {-w * logp, w * (curve.a * ratio - 1.0f)};
    } else if constexpr (KIND == SHIFTED) {
        const Floats m = q - curve.b;
        const Ints flat = m <= 0.0f;
        const Floats rest = smaller(p + curve.b, all(1.0f)), logs = log(rest);
        const Floats w = power(flat ? all(0.0f) : m, curve.a);
        const Floats inside = w * p * (curve.a * (logs / m) - 1.0f / rest);
        return {-w * logs, flat ? all(0.0f) : inside};
    } else if constexpr (KIND == POLY) {
        return {curve.a * q - logp, curve.a * q - (1.0f + curve.a)};
    } else if constexpr (KIND == GCE) {
        return {-expm1(curve.a * logp) / curve.a, -exp(curve.a * logp)};
    } else if constexpr (KIND == SYMMETRIC) {
        return {-curve.b * curve.c * q - curve.a * logp, curve.b * curve.c * p - curve.a};
    } else if constexpr (KIND == SQUARE) {
        return {q * q, -2.0f * q * p};
    } else {
        return {-logp, all(-1.0f)};
    }
}

// Calls work(kind), the kind a constant.
template <class Work> INLINE void with_kind(const Curve& curve, const Work& work) {
    switch (curve.kind) {
        case FOCAL: return work(std::integral_constant<Kind, FOCAL>());
        case SHIFTED: return work(std::integral_constant<Kind, SHIFTED>());
        case POLY: return work(std::integral_constant<Kind, POLY>());
        case GCE: return work(std::integral_constant<Kind, GCE>());
        case SYMMETRIC: return work(std::integral_constant<Kind, SYMMETRIC>());
        case SQUARE: return work(std::integral_constant<Kind, SQUARE>());
        default: return work(std::integral_constant<Kind, LOG>());
    }
}

// Not inline: a call costs little next to what these compute, and there are many places that need them.
static __attribute__((noinline)) Bent bent(const Curve& curve, Floats logp, Floats p, Floats q) {
    Bent out;
    with_kind(curve, [&](auto kind) { out = bend<decltype(kind)::value>(curve, logp, p, q); });
    return out;
}

// g, and its slope along the logit of a sigmoid's outcome: q dg / d log p, which needs no division by q.
template <Kind KIND> INLINE Bent rise(const Curve& curve, Floats logp, Floats p, Floats q) {
    if constexpr (KIND == FOCAL) {
        const Floats w = power(q, curve.a);
        // p log p is 0 where p is; log p is finite then, so that no 0 meets an infinity
        return {-w * logp, w * (curve.a * (p * larger(logp, all(std::numeric_limits<float>::lowest()))) - q)};
    } else {
        const Bent out = bend<KIND>(curve, logp, p, q);
        return {out.value, out.slope * q};
    }
}

// k times the focal curve with gamma = 2, of all classes of a row: no division, and no infinity in the slope.
struct SquaredFocal {
    template <class Number> INLINE Bent operator()(Floats logp, Floats p, Floats q, Number k) const {
        const Floats entropy = p * larger(all(-200.0f), logp), share = q * k;  // p is 0 there
        return {-share * (q * logp), share * (2.0f * entropy - q)};
    }
};

INLINE Bent along(const Curve& curve, Floats logp, Floats p, Floats q) {
    return curve.kind == LOG ? Bent{-logp, all(-1.0f)} : bent(curve, logp, p, q);
}

// coefficient * g, where what has no weight is absent: 0 * inf = 0
INLINE Floats penalty(Floats coefficient, Floats value) { return coefficient == 0.0f ? all(0.0f) : coefficient * value; }

}  // namespace steelyard::STEELYARD_SET
