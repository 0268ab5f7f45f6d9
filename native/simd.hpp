// Vectors of floats as GCC and Clang know them on every machine, and the few functions that the losses are made of.
//
// A file that includes this is compiled once per instruction set (see CMakeLists.txt), so everything lives in a namespace
// of its own: two sets must never share an inline function.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "call.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)  // where every machine has NEON, 16 bytes wide: it is the baseline there
#include <arm_neon.h>
#endif

#ifndef STEELYARD_SET
#define STEELYARD_SET baseline
#endif

#if defined(__AVX512F__)
#define STEELYARD_LANES 16
#elif defined(__AVX2__)
#define STEELYARD_LANES 8
#else
#define STEELYARD_LANES 4
#endif

#define INLINE inline __attribute__((always_inline))
#define INLINE_LAMBDA __attribute__((always_inline))

namespace steelyard::STEELYARD_SET {

constexpr int LANES = STEELYARD_LANES;
typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef int32_t Ints __attribute__((vector_size(4 * LANES)));
typedef uint32_t Words __attribute__((vector_size(4 * LANES)));
typedef uint16_t Halves __attribute__((vector_size(2 * LANES)));

constexpr float INF = std::numeric_limits<float>::infinity();

INLINE Floats all(float x) { return x - Floats{}; }  // and not +, which would make 0 of -0
INLINE Ints all(int32_t x) { return Ints{} + x; }
template <class To, class From> INLINE To bits(From x) {
    static_assert(sizeof(To) == sizeof(From));
    To out;
    std::memcpy(&out, &x, sizeof(out));
    return out;
}
INLINE Ints ints(const int32_t* p) {
    Ints out;
    std::memcpy(&out, p, sizeof(out));
    return out;
}
INLINE void put(int32_t* to, Ints x) { std::memcpy(to, &x, sizeof(x)); }
// Labels as int32: the low words of wider ones.
INLINE Ints low_words(const int32_t* p) { return ints(p); }
INLINE Ints low_words(const uint8_t* p) {
#if defined(__AVX512F__)
    return bits<Ints>(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#elif defined(__AVX2__)
    return bits<Ints>(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
#elif defined(__aarch64__)
    uint32_t four;
    std::memcpy(&four, p, sizeof(four));
    return bits<Ints>(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four)))));
#else
    Ints out;
    for (int i = 0; i < LANES; i++) out[i] = p[i];
    return out;
#endif
}
INLINE Ints low_words(const int64_t* p) {
    const Ints a = ints(reinterpret_cast<const int32_t*>(p)), b = ints(reinterpret_cast<const int32_t*>(p) + LANES);
#if STEELYARD_LANES == 16
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif STEELYARD_LANES == 8
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
#else
    return __builtin_shufflevector(a, b, 0, 2, 4, 6);
#endif
}
// b where either is NaN, as the machine's own instructions have it
#if defined(__AVX512F__)
INLINE Floats larger(Floats a, Floats b) { return _mm512_max_ps(a, b); }
INLINE Floats smaller(Floats a, Floats b) { return _mm512_min_ps(a, b); }
#elif defined(__AVX2__)
INLINE Floats larger(Floats a, Floats b) { return _mm256_max_ps(a, b); }
INLINE Floats smaller(Floats a, Floats b) { return _mm256_min_ps(a, b); }
#else
INLINE Floats larger(Floats a, Floats b) { return a > b ? a : b; }
INLINE Floats smaller(Floats a, Floats b) { return a < b ? a : b; }
#endif
INLINE Ints nan(Floats x) { return x != x; }
// A sum of many, to the last place: what an addition rounds away is added to the next number (Kahan 1965).
struct Sum {
    Floats total{}, lost{};
    INLINE void add(Floats x) {
        const Floats rest = x - lost, next = total + rest;
        const Floats off = (next - total) - rest;
        lost = nan(off) ? all(0.0f) : off;  // of an infinite sum
        total = next;
    }
};
INLINE bool any(Ints mask) {
#if defined(__aarch64__)
    return vmaxvq_u32(bits<uint32x4_t>(mask)) != 0;
#else
    int32_t found = 0;
    for (int i = 0; i < LANES; i++) found |= mask[i];
    return found != 0;
#endif
}
// One number of all lanes: each half joined with the other until one lane is left.
template <class Join> INLINE float folded(Floats x, const Join& join) {
#if STEELYARD_LANES == 16
    x = join(x, __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    x = join(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3));
    x = join(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1));
    x = join(x, __builtin_shufflevector(x, x, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0));
#elif STEELYARD_LANES == 8
    x = join(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3));
    x = join(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 2, 3, 0, 1));
    x = join(x, __builtin_shufflevector(x, x, 1, 0, 1, 0, 1, 0, 1, 0));
#else
    x = join(x, __builtin_shufflevector(x, x, 2, 3, 0, 1));
    x = join(x, __builtin_shufflevector(x, x, 1, 0, 1, 0));
#endif
    return x[0];
}
INLINE float sum(Floats x) {
#if defined(__aarch64__)
    return vaddvq_f32(bits<float32x4_t>(x));
#else
    return folded(x, [](Floats a, Floats b) INLINE_LAMBDA { return a + b; });
#endif
}
INLINE float largest(Floats x) {
#if defined(__aarch64__)
    return vmaxnmvq_f32(bits<float32x4_t>(x));
#else
    return folded(x, [](Floats a, Floats b) INLINE_LAMBDA { return larger(a, b); });
#endif
}
INLINE Ints lane() {
    Ints out;
    for (int i = 0; i < LANES; i++) out[i] = i;
    return out;
}

// -- e^x for x <= 0, NaN for NaN: to two and a half units in the last place, five and a half at e^-87, where the difference x of two
// float32 is worth less; exact at 0. Small results are denormal. A whole part, and a polynomial fitted for the least relative error:
// of degree 5 on [-ln 2 / 2, ln 2 / 2], 9e-8; or, where 32 numbers are looked up in one instruction, powers of 2^(1/32) and one of
// degree 2 between them, 5e-8, which is four operations fewer for the units that multiply.
INLINE Floats exp(Floats x) {
    x = larger(all(-110.0f), x);
#if defined(__AVX512F__)
    const Floats low = {1.0f, 1.0218972f, 1.04427373f, 1.06714046f, 1.09050775f, 1.1143868f, 1.13878858f, 1.1637249f,
                        1.18920708f, 1.21524739f, 1.24185777f, 1.26905096f, 1.29683959f, 1.32523668f, 1.35425556f, 1.38390994f};
    const Floats high = {1.41421354f, 1.44518077f, 1.47682619f, 1.50916445f, 1.54221082f, 1.5759809f, 1.61049032f, 1.64575553f,
                        1.68179286f, 1.71861935f, 1.75625217f, 1.79470909f, 1.8340081f, 1.87416768f, 1.91520655f, 1.95714414f};
    const Floats shifter = all(393216.0f);  // 1.5 * 2^18: adding it rounds to a multiple of 1/32, whose last five bits are its place
    const Floats turned = x * 1.44269504088896341f + shifter, steps = turned - shifter;
    const Floats r = x - steps * 0.693147180559945f;  // one rounding: ln 2 itself is off by 2e-9, which `steps` makes 2e-7 at most
    const Floats power = _mm512_permutex2var_ps(low, bits<__m512i>(turned), high);
    return _mm512_scalef_ps(power * r * (r * 0.49999998f + 1.00001465f) + power, steps);
#else
    const Floats shifter = all(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number
    Floats turned = x * 1.44269504088896341f + shifter;
    Floats whole = turned - shifter;
#if defined(__FMA__) || defined(__aarch64__)
    Floats r = x - whole * 0.693147180559945f;
#else
    Floats r = x - whole * 0.693359375f;
    r = r + whole * 2.12194440e-4f;
#endif
    Floats p = all(8.2902722061e-3f);
    p = p * r + 4.1898161173e-2f;
    p = p * r + 1.6667638719e-1f;
    p = p * r + 4.9999147654e-1f;
    p = p * r + 9.9999970198e-1f;
    p = p * r + 1.0f;
    Ints n = bits<Ints>(turned) - bits<Ints>(shifter), half = n >> 1;  // in two halves, for what is denormal
    return p * bits<Floats>((half + 127) << 23) * bits<Floats>((n - half + 127) << 23);
#endif
}

// -- log x for x >= 0: -inf at 0, inf at inf, NaN for NaN. Coefficients of Cephes' logf (S. Moshier, public domain).
INLINE Floats log(Floats x) {
#if defined(__AVX512F__)
    Floats m = _mm512_getmant_ps(x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero), whole = _mm512_getexp_ps(x);
    const Ints high = m > 1.41421356237309504f;
    m = (high ? m * 0.5f : m) - 1.0f;
    whole = high ? whole + 1.0f : whole;
#else
    Ints tiny = x < 1.17549435e-38f;
    Floats scaled = tiny ? x * 8388608.0f : x;
    Ints raw = bits<Ints>(scaled);
    Ints e = ((raw >> 23) & 255) - 126;
    e = e - (tiny & 23);
    Floats m = bits<Floats>((raw & 0x007fffff) | 0x3f000000);  // [0.5, 1)
    Ints low = m < 0.707106781186547524f;
    e = e + low;  // low is -1 where true
    m = (low ? m + m : m) - 1.0f;
    Floats whole = __builtin_convertvector(e, Floats);
#endif
    Floats square = m * m;
    Floats p = all(7.0376836292e-2f);
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    p = p * m * square;
    p = p + whole * -2.12194440e-4f - 0.5f * square;
    Floats out = m + p + whole * 0.693359375f;
    out = x == 0.0f ? all(-INF) : out;
    return (x == INF) | nan(x) ? x : out;
}

// -- log x for x >= 1, such as the sum of what is at most e^0: to the last place but one, or two below 1.03
INLINE Floats log_of_sum(Floats x) {
#if defined(__AVX512F__)
    // x = 2^k (1 + r) / inverse, where 1 / inverse lies in the middle of a 32nd, but is 1 in the first, whose logarithm is small. A short
    // chain of operations that wait for one another, where log's is long. The polynomial's relative error is 8e-09.
    const Floats inverses = {1.0f, 0.955223858f, 0.927536249f, 0.901408434f, 0.876712322f, 0.853333354f, 0.83116883f, 0.810126603f,
                              0.790123463f, 0.771084309f, 0.752941191f, 0.735632181f, 0.719101131f, 0.703296721f, 0.688172042f, 0.673684239f};
    const Floats more_inverses = {0.659793794f, 0.646464646f, 0.633663356f, 0.621359229f, 0.609523833f, 0.598130822f, 0.587155938f, 0.576576591f,
                                   0.566371679f, 0.556521714f, 0.547008574f, 0.537815154f, 0.528925598f, 0.520325184f, 0.512000024f, 0.503937006f};
    const Floats logs = {0.0f, 0.0458095595f, 0.0752234012f, 0.10379681f, 0.131576359f, 0.158605009f, 0.184922338f, 0.210564747f,
                          0.235566065f, 0.259957552f, 0.283768147f, 0.307025045f, 0.32975328f, 0.351976395f, 0.373716414f, 0.394993752f};
    const Floats more_logs = {0.41582793f, 0.436236769f, 0.456237435f, 0.475845903f, 0.495077223f, 0.513945758f, 0.532464862f, 0.55064708f,
                               0.568504751f, 0.58604908f, 0.603290796f, 0.620240331f, 0.636907518f, 0.653301299f, 0.669430614f, 0.685303986f};
    const Floats m = _mm512_getmant_ps(x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero), k = _mm512_getexp_ps(x);
    const __m512i at = bits<__m512i>(bits<Words>(x) >> 18);  // the last five bits
    const Floats r = m * Floats(_mm512_permutex2var_ps(inverses, at, more_inverses)) - 1.0f;
    const Floats whole = k * 0.693147180559945f + Floats(_mm512_permutex2var_ps(logs, at, more_logs));
    return whole + (r * r * ((r * -0.243988141f + 0.33336699f) * r + -0.500001252f) + r);
#else
    return log(x);
#endif
}

// -- log(1 + x) = 2 artanh(s), s = x / (2 + x), for x in [-1/2, 1], where |s| <= 1/3: to the last place but one.
// (artanh(s) / s - 1) / s^2 is a polynomial in s^2, fitted at the zeros of a Chebyshev polynomial; its error is 1.5e-8.
INLINE Floats log1p_of(Floats s) {
    const Floats t = s * s;
    Floats p = all(0.13433774f);
    p = p * t + 0.14116979f;
    p = p * t + 0.20003836f;
    p = p * t + 0.3333332f;
    const Floats twice = s + s;
    return twice + twice * t * p;
}
INLINE Floats log1p(Floats x) { return log1p_of(x / (2.0f + x)); }

// -- 1 / x for x far from the ends of float: to the last place but one
INLINE Floats inverse(Floats x) {
#if defined(__AVX512F__)
    const Floats rough = _mm512_rcp14_ps(x);  // 14 bits, doubled by one step of Newton's
    return rough * (2.0f - x * rough);
#else
    return 1.0f / x;
#endif
}

// -- memory whose vectors lie within one line of the cache
struct Freed {
    void operator()(float* p) const { ::operator delete[](p, std::align_val_t{64}); }
};
typedef std::unique_ptr<float[], Freed> Buffer;
inline Buffer buffer(int64_t size) {
    return Buffer(static_cast<float*>(::operator new[](sizeof(float) * static_cast<size_t>(size), std::align_val_t{64})));
}

// LANES numbers from all over
INLINE Floats gather(const float* from, Ints at) {
#if defined(__AVX512F__)
    return _mm512_i32gather_ps(bits<__m512i>(at), from, 4);
#else
    Floats out;
    for (int i = 0; i < LANES; i++) out[i] = from[at[i]];
    return out;
#endif
}

// A table that is read at many places at once. A short one stays in two vectors: gathering is slow on every machine.
struct Lookup {
    const float* from;
    int64_t size;
    Floats low{}, high{};

    Lookup(const float* from, int64_t size) : from(from), size(size) {
        float first[2 * LANES] = {};
        if (!from || size > 2 * LANES) return;
        for (int64_t i = 0; i < size; i++) first[i] = peek(from + i);
        std::memcpy(&low, first, sizeof(low));
        std::memcpy(&high, first + LANES, sizeof(high));
    }
    INLINE Floats operator()(Ints at) const {
#if defined(__AVX512F__)
        if (size <= 2 * LANES) return _mm512_permutex2var_ps(low, bits<__m512i>(at), high);
#elif defined(__AVX2__)
        if (size <= LANES) return _mm256_permutevar8x32_ps(low, bits<__m256i>(at));
#endif
        return gather(from, at);
    }
};

// Past the caches, to an address that is a multiple of a vector: memory that nobody reads soon needs not be read to be written.
INLINE void stream(float* to, Floats x) {
#if defined(__AVX512F__)
    _mm512_stream_ps(to, x);
#elif defined(__AVX2__)
    _mm256_stream_ps(to, x);
#else
    std::memcpy(to, &x, sizeof(x));
#endif
}
INLINE void stream(uint16_t* to, Halves x) {
#if defined(__AVX512F__)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to), bits<__m256i>(x));
#elif defined(__AVX2__)
    _mm_stream_si128(reinterpret_cast<__m128i*>(to), bits<__m128i>(x));
#else
    std::memcpy(to, &x, sizeof(x));
#endif
}
INLINE void streamed() {
#if defined(__AVX2__)
    _mm_sfence();
#endif
}

// -- reading and writing the three types of logits
INLINE Words widened(const uint16_t* p) {
#if defined(__AVX512F__)
    return bits<Words>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
#elif defined(__AVX2__)
    return bits<Words>(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#else
    Halves raw;
    std::memcpy(&raw, p, sizeof(raw));
    return __builtin_convertvector(raw, Words);
#endif
}
INLINE Halves narrowed(Words x) {
#if defined(__AVX512F__)
    return bits<Halves>(_mm512_cvtepi32_epi16(bits<__m512i>(x)));
#else
    return __builtin_convertvector(x, Halves);
#endif
}
INLINE void put(uint16_t* p, Halves x) { std::memcpy(p, &x, sizeof(x)); }

// The first n numbers of a vector: from memory, 0 where there are none, and to memory.
template <class Type> INLINE void copy_some(Type (&to)[LANES], const Type* from, int64_t n) {
#if defined(__AVX512F__)
    const uint32_t there = (1u << n) - 1;
    if constexpr (sizeof(Type) == 4) {
        const __m512i some = _mm512_maskz_loadu_epi32(static_cast<__mmask16>(there), from);
        std::memcpy(to, &some, sizeof(to));
    } else {
        const __m256i some = _mm256_maskz_loadu_epi16(static_cast<__mmask16>(there), from);
        std::memcpy(to, &some, sizeof(to));
    }
#else
    for (int i = 0; i < LANES; i++) to[i] = i < n ? peek(from + i) : Type(0);
#endif
}
template <class Type> INLINE void copy_some(Type* to, const Type (&from)[LANES], int64_t n) {
#if defined(__AVX512F__)
    const uint32_t there = (1u << n) - 1;
    if constexpr (sizeof(Type) == 4) {
        __m512i some;
        std::memcpy(&some, from, sizeof(from));
        _mm512_mask_storeu_epi32(to, static_cast<__mmask16>(there), some);
    } else {
        __m256i some;
        std::memcpy(&some, from, sizeof(from));
        _mm256_mask_storeu_epi16(to, static_cast<__mmask16>(there), some);
    }
#else
    for (int64_t i = 0; i < n; i++) std::memcpy(to + i, from + i, sizeof(Type));
#endif
}
template <class T> INLINE Floats load_some(const typename T::Type* from, int64_t n) {
    typename T::Type some[LANES];
    copy_some(some, from, n);
    return T::load(some);
}
template <class T> INLINE void store_some(typename T::Type* to, Floats x, int64_t n) {
    typename T::Type some[LANES];
    T::store(some, x);
    copy_some(to, some, n);
}

// load(p, mask(live)): 0 where a lane is not live, whatever is there. CHEAP: a second load costs less than keeping floats.
struct F32 {
    typedef float Type;
    static constexpr bool CHEAP = true;
#if defined(__AVX512F__)
    static INLINE __mmask16 mask(Ints live) { return _mm512_movepi32_mask(bits<__m512i>(live)); }
    static INLINE Floats load(const float* p, __mmask16 live) { return _mm512_maskz_loadu_ps(live, p); }
#else
    static INLINE Ints mask(Ints live) { return live; }
    static INLINE Floats load(const float* p, Ints live) { return live ? load(p) : all(0.0f); }
#endif
    static INLINE Floats load(const float* p) {
        Floats out;
        std::memcpy(&out, p, sizeof(out));
        return out;
    }
    static INLINE void store(float* p, Floats x) { std::memcpy(p, &x, sizeof(x)); }
    static INLINE void store(float* p, Floats a, Floats b) {
        store(p, a);
        store(p + LANES, b);
    }
    static INLINE void store_past(float* p, Floats a, Floats b) {
        stream(p, a);
        stream(p + LANES, b);
    }
    static INLINE float one(const float* p) { return peek(p); }
    static INLINE void put(float* p, float x) { std::memcpy(p, &x, sizeof(x)); }
};

struct BF16 {
    typedef uint16_t Type;
    static constexpr bool CHEAP = LANES == 16;
#if defined(__AVX512F__)
    static INLINE Floats load(const uint16_t* p, __mmask32 high) {  // each number's place is the upper half of a lane
        const __m512i to_high = _mm512_set_epi16(15, 0, 14, 0, 13, 0, 12, 0, 11, 0, 10, 0, 9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4, 0, 3, 0, 2, 0, 1, 0, 0, 0);
        const __m256i some = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
        return bits<Floats>(_mm512_maskz_permutexvar_epi16(high, to_high, _mm512_castsi256_si512(some)));
    }
    static INLINE Floats load(const uint16_t* p) { return load(p, 0xaaaaaaaa); }
    static INLINE __mmask32 mask(Ints live) { return 0xaaaaaaaa & _mm512_movepi16_mask(bits<__m512i>(live)); }
#else
    static INLINE Floats load(const uint16_t* p) { return bits<Floats>(widened(p) << 16); }
    static INLINE Floats load(const uint16_t* p, Ints live) { return live ? load(p) : all(0.0f); }
    static INLINE Ints mask(Ints live) { return live; }
#endif
    static INLINE void store(uint16_t* p, Floats x) { steelyard::STEELYARD_SET::put(p, half(x)); }
    static INLINE void store(uint16_t* p, Floats a, Floats b) {
#if defined(__AVX512F__)
        if (narrows_at_once) {
            const Halves2 both = halves(a, b);
            std::memcpy(p, &both, sizeof(both));
            return;
        }
#endif
        store(p, a);
        store(p + LANES, b);
    }
    static INLINE void store_past(uint16_t* p, Floats a, Floats b) {
#if defined(__AVX512F__)
        if (narrows_at_once) {
            _mm512_stream_si512(reinterpret_cast<__m512i*>(p), bits<__m512i>(halves(a, b)));
            return;
        }
#endif
        stream(p, half(a));
        stream(p + LANES, half(b));
    }
#if defined(__AVX512F__)
    typedef uint16_t Halves2 __attribute__((vector_size(4 * LANES)));
    static INLINE Halves2 halves(Floats a, Floats b) {  // where the machine narrows at once
        Halves2 out;
        __asm__("vcvtne2ps2bf16 %1, %2, %0" : "=v"(out) : "v"(a), "v"(b));
        return out;
    }
#endif
    static INLINE Halves half(Floats x) {
#if defined(__AVX512F__)
        if (narrows_at_once) {  // numbers below 1.2e-38 become 0
            Halves out;
            __asm__("vcvtneps2bf16 %1, %0" : "=v"(out) : "v"(x));
            return out;
        }
#endif
        Words raw = bits<Words>(x);
        Words rounded = (raw + 0x7fffu + ((raw >> 16) & 1u)) >> 16;
        rounded = nan(x) ? Words{} + 0x7fc0u : rounded;
        return narrowed(rounded);
    }
    static INLINE float one(const uint16_t* p) { return bits<float>(uint32_t(peek(p)) << 16); }
    static INLINE void put(uint16_t* p, float x) {
        uint32_t raw = bits<uint32_t>(x);
        const uint16_t rounded = x != x ? 0x7fc0 : uint16_t((raw + 0x7fffu + ((raw >> 16) & 1u)) >> 16);
        std::memcpy(p, &rounded, sizeof(rounded));
    }
};

// IEEE half precision by integer arithmetic: a machine that can convert it in one instruction may still lack it in vectors, but for NEON.
struct F16 {
    typedef uint16_t Type;
    static constexpr bool CHEAP = false;
    static INLINE Ints mask(Ints live) { return live; }
    static INLINE Floats load(const uint16_t* p, Ints live) { return live ? load(p) : all(0.0f); }
    static INLINE Floats load(const uint16_t* p) {
#if defined(__aarch64__)
        float16x4_t halves;
        std::memcpy(&halves, p, sizeof(halves));
        return bits<Floats>(vcvt_f32_f16(halves));
#else
        Words h = widened(p);
        Words magnitude = (h & 0x7fffu) << 13;
        Floats out = bits<Floats>(magnitude) * 5.192296858534828e33f;  // 2^112 moves the exponent, denormals included
        Ints special = bits<Ints>((h & 0x7c00u) == 0x7c00u);
        out = special ? bits<Floats>(magnitude | 0x7f800000u) : out;
        return bits<Floats>(bits<Words>(out) | ((h & 0x8000u) << 16));
#endif
    }
    static INLINE void store(uint16_t* p, Floats x) { steelyard::STEELYARD_SET::put(p, half(x)); }
    static INLINE void store(uint16_t* p, Floats a, Floats b) {
        store(p, a);
        store(p + LANES, b);
    }
    static INLINE void store_past(uint16_t* p, Floats a, Floats b) {
        stream(p, half(a));
        stream(p + LANES, half(b));
    }
    static INLINE Halves half(Floats x) {
#if defined(__aarch64__)
        return bits<Halves>(vcvt_f16_f32(bits<float32x4_t>(x)));
#else
        Words raw = bits<Words>(x), sign = (raw >> 16) & 0x8000u, a = raw & 0x7fffffffu;
        Words normal = (a - 0x38000000u + 0x0fffu + ((a >> 13) & 1u)) >> 13;
        Floats shifted = bits<Floats>(a) + 0.5f;  // denormals: the sum's last bit is worth 2^-24, and it rounds to even
        Words small = bits<Words>(shifted) - 0x3f000000u;
        Words out = a < 0x38800000u ? small : normal;
        out = a >= 0x477ff000u ? Words{} + 0x7c00u : out;
        out = a > 0x7f800000u ? Words{} + 0x7e00u : out;
        return narrowed(out | sign);
#endif
    }
    static INLINE float one(const uint16_t* p) {
        uint16_t padded[LANES] = {peek(p)};
        return load(padded)[0];
    }
    static INLINE void put(uint16_t* p, float x) {
        uint16_t padded[LANES];
        store(padded, all(x));
        std::memcpy(p, padded, sizeof(*p));
    }
};

}  // namespace steelyard::STEELYARD_SET
