// How often each of the numbers 0..255 occurs, whatever type they have: they become bytes first, a piece at a time. Where only a
// few are there, whole vectors of bytes are compared with each of them, and no table is read or written.
#pragma once

#include <algorithm>
#include <type_traits>

#include "call.hpp"
#include "simd.hpp"

namespace steelyard::STEELYARD_SET {

typedef uint8_t Bytes __attribute__((vector_size(4 * LANES)));
constexpr int64_t WIDE = 4 * LANES, PIECE = 128 * WIDE;  // bytes of a vector and of a piece: fewer than 256 vectors, in the nearest cache
constexpr int FEW = 24;                                  // as many comparisons take as long as a table

INLINE Bytes bytes_at(const uint8_t* from) {
    Bytes out;
    std::memcpy(&out, from, sizeof(out));
    return out;
}

// WIDE numbers from `from` on as bytes; what their other bits are is added to `other`.
template <class T> INLINE void as_bytes(const T* from, uint8_t* to, uint64_t& other) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 8) {
        __m512i seen = _mm512_setzero_si512();
        for (int i = 0; i < 8; i++) {
            const __m512i x = _mm512_loadu_si512(from + 8 * i);
            seen = _mm512_or_si512(seen, x);
            _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 8 * i), _mm512_cvtepi64_epi8(x));
        }
        other |= static_cast<uint64_t>(_mm512_test_epi64_mask(seen, _mm512_set1_epi64(~255ll))) << 8;
        return;
    }
    if constexpr (sizeof(T) == 4) {
        __m512i seen = _mm512_setzero_si512();
        for (int i = 0; i < 4; i++) {
            const __m512i x = _mm512_loadu_si512(from + 16 * i);
            seen = _mm512_or_si512(seen, x);
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16 * i), _mm512_cvtepi32_epi8(x));
        }
        other |= static_cast<uint64_t>(_mm512_test_epi32_mask(seen, _mm512_set1_epi32(~255))) << 8;
        return;
    }
#endif
    typedef std::make_unsigned_t<T> Unsigned;
    Unsigned seen = 0;
    for (int i = 0; i < WIDE; i++) {
        const auto x = static_cast<Unsigned>(peek(from + i));
        seen = static_cast<Unsigned>(seen | x);
        to[i] = static_cast<uint8_t>(x);
    }
    other |= seen;
}

// The classes first..first + MANY - 1 in `vectors` of bytes, at most 255.
template <int MANY> INLINE void compared(const uint8_t* x, int64_t vectors, int first, uint64_t* counts) {
    Bytes found[MANY] = {};
    for (int64_t v = 0; v < vectors; v++) {
        const Bytes y = bytes_at(x + v * WIDE);
        for (int j = 0; j < MANY; j++) {
            const auto is = y == Bytes{} + static_cast<uint8_t>(first + j);
            found[j] = is ? found[j] + 1 : found[j];
        }
    }
    for (int j = 0; j < MANY; j++) {
        uint8_t each[WIDE];
        std::memcpy(each, &found[j], sizeof(each));
        uint32_t total = 0;
        for (uint8_t n : each) total += n;
        counts[first + j] += total;
    }
}

// The last class is what is left.
INLINE void few(const uint8_t* x, int64_t vectors, int classes, uint64_t* counts) {
    uint64_t before = 0, after = 0;
    for (int c = 0; c + 1 < classes; c++) before += counts[c];
    int first = 0;
    for (; first + 4 < classes; first += 4) compared<4>(x, vectors, first, counts);
    for (; first + 1 < classes; first++) compared<1>(x, vectors, first, counts);
    for (int c = 0; c + 1 < classes; c++) after += counts[c];
    counts[classes - 1] += static_cast<uint64_t>(vectors * WIDE) - (after - before);
}

// Neighbours are often equal, and adding to one place waits for the last addition to it: eight tables take turns.
struct ByteTables {
    uint32_t times[8][256] = {};

    void add(const uint8_t* x, int64_t n) {
        for (int64_t i = 0; i + 8 <= n; i += 8)
            for (int lane = 0; lane < 8; lane++) times[lane][x[i + lane]]++;
        for (int64_t i = n / 8 * 8; i < n; i++) times[0][x[i]]++;
    }
    void into(uint64_t* counts) const {
        for (const auto& lane : times)
            for (int i = 0; i < 256; i++) counts[i] += lane[i];
    }
};

// See call.hpp.
template <class T> int64_t bytes_of(const T* x, int64_t n, uint64_t* counts) {
    uint8_t made[PIECE];
    ByteTables tables;
    int64_t at = 0;
    for (int64_t size; at < n; at += size) {
        size = std::min(PIECE, n - at);
        const int64_t vectors = size / WIDE;
        const uint8_t* piece = made;
        if constexpr (std::is_same_v<T, uint8_t>) {
            piece = x + at;
        } else {
            uint64_t other = 0;
            for (int64_t v = 0; v < vectors; v++) as_bytes(x + at + v * WIDE, made + v * WIDE, other);
            for (int64_t i = vectors * WIDE; i < size; i++) {
                const auto number = static_cast<std::make_unsigned_t<T>>(peek(x + at + i));
                other |= number;
                made[i] = static_cast<uint8_t>(number);
            }
            if (other > (sizeof(T) == 1 ? 127 : 255)) break;  // a byte with a sign may be negative
        }
        Bytes largest{};
        for (int64_t v = 0; v < vectors; v++) {
            const Bytes y = bytes_at(piece + v * WIDE);
            largest = y > largest ? y : largest;
        }
        int classes = 0;
        for (int i = 0; i < WIDE; i++) classes = std::max(classes, largest[i] + 1);
        if (classes <= FEW) {
            few(piece, vectors, classes, counts);
            tables.add(piece + vectors * WIDE, size - vectors * WIDE);
        } else {
            tables.add(piece, size);
        }
    }
    tables.into(counts);
    return at;
}

inline int64_t bytes(const void* x, int64_t n, int type, uint64_t* counts) {
    switch (type) {
        case 1: return bytes_of(static_cast<const uint8_t*>(x), n, counts);
        case -1: return bytes_of(static_cast<const int8_t*>(x), n, counts);
        case 2: return bytes_of(static_cast<const uint16_t*>(x), n, counts);
        case -2: return bytes_of(static_cast<const int16_t*>(x), n, counts);
        case 4: return bytes_of(static_cast<const uint32_t*>(x), n, counts);
        case -4: return bytes_of(static_cast<const int32_t*>(x), n, counts);
        default: return bytes_of(static_cast<const int64_t*>(x), n, counts);
    }
}

}  // namespace steelyard::STEELYARD_SET
