// Vectors of float or of double, as many lanes as the instruction set has, for code that is written once for both.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>

#include "simd.hpp"

namespace steelyard::STEELYARD_SET {

template <class T> struct VectorOf {
    typedef T type __attribute__((vector_size(4 * STEELYARD_LANES)));
};
template <class T> using Vector = typename VectorOf<T>::type;
template <class T> using Mask = decltype(Vector<T>{} < Vector<T>{});
template <class T> constexpr int WIDTH = sizeof(Vector<T>) / sizeof(T);
template <class T> constexpr T FAR = std::numeric_limits<T>::infinity();

template <class T> INLINE Vector<T> every(T x) { return x - Vector<T>{}; }
template <class T> INLINE Vector<T> load(const T* from) {
    Vector<T> out;
    std::memcpy(&out, from, sizeof(out));
    return out;
}
template <class T> INLINE void store(T* to, Vector<T> x) { std::memcpy(to, &x, sizeof(x)); }

// One bit for each lane of a mask.
INLINE uint32_t lanes_of(Mask<float> mask) {
#if defined(__AVX512F__)
    return _mm512_movepi32_mask(bits<__m512i>(mask));
#elif defined(__AVX2__)
    return static_cast<uint32_t>(_mm256_movemask_ps(bits<__m256>(mask)));
#elif defined(__aarch64__)
    const Words each = {1, 2, 4, 8};
    return vaddvq_u32(bits<uint32x4_t>(bits<Words>(mask) & each));
#else
    uint32_t out = 0;
    for (int i = 0; i < WIDTH<float>; i++) out |= (mask[i] & 1u) << i;
    return out;
#endif
}
INLINE uint32_t lanes_of(Mask<double> mask) {
#if defined(__AVX512F__)
    return _mm512_movepi64_mask(bits<__m512i>(mask));
#elif defined(__AVX2__)
    return static_cast<uint32_t>(_mm256_movemask_pd(bits<__m256d>(mask)));
#else
    uint32_t out = 0;
    for (int i = 0; i < WIDTH<double>; i++) out |= static_cast<uint32_t>(mask[i] & 1) << i;
    return out;
#endif
}

// Every other number of two vectors, from `a`'s first or second on.
template <class T> INLINE Vector<T> evens(Vector<T> a, Vector<T> b) {
    if constexpr (WIDTH<T> == 16)
        return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    else if constexpr (WIDTH<T> == 8)
        return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
    else if constexpr (WIDTH<T> == 4)
        return __builtin_shufflevector(a, b, 0, 2, 4, 6);
    else
        return __builtin_shufflevector(a, b, 0, 2);
}
template <class T> INLINE Vector<T> odds(Vector<T> a, Vector<T> b) {
    if constexpr (WIDTH<T> == 16)
        return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    else if constexpr (WIDTH<T> == 8)
        return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
    else if constexpr (WIDTH<T> == 4)
        return __builtin_shufflevector(a, b, 1, 3, 5, 7);
    else
        return __builtin_shufflevector(a, b, 1, 3);
}
// The least of every MANY numbers that follow each other, as one vector.
template <int MANY, class T> INLINE Vector<T> least(Vector<T> (&x)[MANY]) {
    for (int half = MANY / 2; half; half /= 2)
        for (int i = 0; i < half; i++) {
            const Vector<T> a = evens<T>(x[2 * i], x[2 * i + 1]), b = odds<T>(x[2 * i], x[2 * i + 1]);
            x[i] = a < b ? a : b;
        }
    return x[0];
}
// The largest of 16.
template <class T> INLINE T largest(const T* from) {
    typedef T Half __attribute__((vector_size(8 * sizeof(T))));
    Half x, y;
    std::memcpy(&x, from, sizeof(x));
    std::memcpy(&y, from + 8, sizeof(y));
    x = x > y ? x : y;
    y = __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3);
    x = x > y ? x : y;
    y = __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5);
    x = x > y ? x : y;
    return std::max(x[0], x[1]);
}

}  // namespace steelyard::STEELYARD_SET
