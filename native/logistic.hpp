// What a row's loss is made of, for linear models: exponentials and logarithms of doubles, slopes and curvatures of one wrong logit.
#pragma once

#include "vectors.hpp"

namespace steelyard::STEELYARD_SET {

typedef int64_t Longs __attribute__((vector_size(4 * LANES)));
typedef Vector<double> Doubles;

// e^x for x <= 0: Taylor's polynomial on [-ln 2 / 2, ln 2 / 2], whose error is below rounding. 0 from e^-708 on.
INLINE Doubles exp(Doubles x) {
    const Doubles shifter = every<double>(6755399441055744.0);  // 1.5 * 2^52: adding it rounds to a whole number
    x = x < -708.0 ? every<double>(-708.0) : x;
    const Doubles turned = x * 1.4426950408889634074 + shifter, whole = turned - shifter;
    Doubles r = x - whole * 6.93147180369123816490e-01;
    r = r - whole * 1.90821492927058770002e-10;
    Doubles p = every<double>(1.0 / 6227020800);
    p = p * r + 1.0 / 479001600;
    p = p * r + 1.0 / 39916800;
    p = p * r + 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * (r * r) + r + 1.0;
    const Longs n = bits<Longs>(turned) - bits<Longs>(shifter);
    return p * bits<Doubles>((n + 1023) << 52);
}
// log(1 + x) = 2 artanh(s), s = x / (2 + x), for x in [0, 1], where s <= 1/3: the series up to s^33.
INLINE Doubles log1p(Doubles x) {
    const Doubles s = x / (2.0 + x), t = s * s;
    Doubles p = every<double>(1.0 / 33);
    for (int k = 31; k > 1; k -= 2) p = p * t + 1.0 / k;
    return 2.0 * (s + s * t * p);
}
INLINE Doubles log(Doubles x) {  // of numbers from 1 on
    const Longs b = bits<Longs>(x), n = (b >> 52) - 1023;
    const Doubles m = bits<Doubles>((b & 0xFFFFFFFFFFFFFll) | (1023ll << 52));
    return __builtin_convertvector(n, Doubles) * 6.93147180559945309417e-01 + log1p(m - 1.0);
}

template <class T> INLINE Doubles widen(const T* from) {
    typedef T Some __attribute__((vector_size(sizeof(T) * WIDTH<double>)));
    Some out;
    std::memcpy(&out, from, sizeof(out));
    return __builtin_convertvector(out, Doubles);
}

template <class T> INLINE Vector<T> away(Vector<T> u) { return u > T(0) ? -u : u; }  // -|u|

// Of the logit u that is large where the row is wrong, with q = s(u): loss q^gamma log(1 + e^u), its slope and its curvature, and what is
// left of that where only the logarithm bends, which is never negative.
template <class T> struct Wrong {
    Vector<T> slope, loss, bend, least;
};
template <bool FOCAL_, bool LOSS, bool BENT, class T> INLINE Wrong<T> wrong(Vector<T> u, Vector<T> gamma) {
    const Vector<T> e = exp(away<T>(u)), inverse = T(1) / (T(1) + e);
    const Vector<T> q = u > T(0) ? inverse : e * inverse;
    Wrong<T> out{q, {}, {}, {}};
    if constexpr (FOCAL_ || BENT) {
        const Vector<T> p = u > T(0) ? e * inverse : inverse;
        out.bend = out.least = p * q;
        if constexpr (FOCAL_) {
            const Vector<T> loss = (u > T(0) ? u : Vector<T>{}) + log1p(e), power = exp(away<T>(gamma * (u - loss)));
            out.slope = power * (q + gamma * p * loss);
            out.loss = power * loss;
            if constexpr (BENT) {
                out.bend = p * power * (q * (T(1) + T(2) * gamma) + gamma * loss * (gamma * p - q));
                out.least = p * out.slope;
            }
        }
    }
    if constexpr (LOSS && !FOCAL_) out.loss = (u > T(0) ? u : Vector<T>{}) + log1p(e);
    return out;
}

}  // namespace steelyard::STEELYARD_SET
