// How often each of the numbers 0..255 occurs, whatever type they have: they become bytes first, a block at a time. A byte becomes one
// bit of its class, and such bits are added up in place, eight classes to a vector, by carry-save adders (Harley and Seal's; W. Mula,
// N. Kurz and D. Lemire, "Faster population counts using AVX2 instructions", 2018): no table is read or written.
#pragma once

#include <algorithm>
#include <limits>
#include <type_traits>

#include "call.hpp"
#include "simd.hpp"

namespace steelyard::STEELYARD_SET {

typedef uint8_t Bytes __attribute__((vector_size(4 * LANES)));
constexpr int64_t WIDE = 4 * LANES, VECTORS = 32, PIECE = VECTORS * WIDE;
constexpr int SIXTEENS = 256 / 16;
constexpr int MOST = LANES == 16 ? 7 : LANES == 8 ? 4 : 3;  // sixteens of classes: counting bits of more takes as long as tables

INLINE Bytes bytes_at(const uint8_t* from) {
    Bytes out;
    std::memcpy(&out, from, sizeof(out));
    return out;
}

// Which of 16 numbers a byte below 16 asks for. Of `below(byte)` that is 0 for bytes above 15.
#if defined(__AVX512F__)
#define STEELYARD_LOOKS_UP 1
struct Sixteen {
    __m512i table;
    explicit Sixteen(const uint8_t* from) : table(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)))) {}
    static INLINE Bytes below(Bytes at) { return bits<Bytes>(_mm512_adds_epu8(bits<__m512i>(at), _mm512_set1_epi8(0x70))); }
    INLINE Bytes operator()(Bytes at) const { return bits<Bytes>(_mm512_shuffle_epi8(table, bits<__m512i>(at))); }
};
#elif defined(__AVX2__)
#define STEELYARD_LOOKS_UP 1
struct Sixteen {
    __m256i table;
    explicit Sixteen(const uint8_t* from) : table(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)))) {}
    static INLINE Bytes below(Bytes at) { return bits<Bytes>(_mm256_adds_epu8(bits<__m256i>(at), _mm256_set1_epi8(0x70))); }
    INLINE Bytes operator()(Bytes at) const { return bits<Bytes>(_mm256_shuffle_epi8(table, bits<__m256i>(at))); }
};
#elif defined(__aarch64__)
#define STEELYARD_LOOKS_UP 1
struct Sixteen {
    uint8x16_t table;
    explicit Sixteen(const uint8_t* from) : table(vld1q_u8(from)) {}
    static INLINE Bytes below(Bytes at) { return at; }
    INLINE Bytes operator()(Bytes at) const { return bits<Bytes>(vqtbl1q_u8(table, bits<uint8x16_t>(at))); }
};
#else
#define STEELYARD_LOOKS_UP 0
struct Sixteen {
    explicit Sixteen(const uint8_t*) {}
    static INLINE Bytes below(Bytes at) { return at; }
    INLINE Bytes operator()(Bytes at) const { return at; }
};
#endif

constexpr uint8_t LOW[16] = {1, 2, 4, 8, 16, 32, 64, 128}, HIGH[16] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128};

// Of each bit of three vectors: `sum` keeps its lower digit, and what comes back is the higher one.
INLINE Bytes carry(Bytes& sum, Bytes a, Bytes b) {
#if defined(__AVX512F__)
    const __m512i s = bits<__m512i>(sum), x = bits<__m512i>(a), y = bits<__m512i>(b);
    sum = bits<Bytes>(_mm512_ternarylogic_epi64(s, x, y, 0x96));
    return bits<Bytes>(_mm512_ternarylogic_epi64(s, x, y, 0xe8));
#else
    const Bytes either = sum ^ a, both = sum & a;
    sum = either ^ b;
    return both | (either & b);
#endif
}

INLINE uint64_t all_bits(Bytes x) {
    uint64_t words[WIDE / 8], found = 0;
    std::memcpy(words, &x, sizeof(words));
    for (const uint64_t word : words) found |= word;
    return found;
}

// How often each of eight bits was set: digits that are worth 1, 2, 4, ... vectors, and counts of the highest one.
struct Digits {
    static constexpr int WITHIN = 5, ACROSS = 2;  // digits of one block; digits that blocks are added up in
    Bytes within[WITHIN] = {}, across[ACROSS] = {}, waiting[ACROSS], many[8] = {};
    uint64_t before[8] = {};
    int64_t blocks = 0, spilled = 0;

    // A block's vector of sixteens.
    void add(Bytes sixteens) {
        const int64_t turn = blocks++;
        for (int k = 0; k < ACROSS; k++) {
            if (!(turn >> k & 1)) {
                waiting[k] = sixteens;
                return;
            }
            sixteens = carry(across[k], waiting[k], sixteens);
        }
        for (int bit = 0; bit < 8; bit++) many[bit] += (sixteens >> static_cast<uint8_t>(bit)) & 1;
        if (++spilled % 255 == 0) settle_many();
    }
    void settle_many() {
        for (int bit = 0; bit < 8; bit++) {
            for (int i = 0; i < WIDE; i++) before[bit] += many[bit][i];
            many[bit] = Bytes{};
        }
    }
    static void told(Bytes x, uint64_t worth, uint64_t* counts) {
        for (int i = 0; i < WIDE; i++)
            for (int bit = 0; bit < 8; bit++) counts[bit] += worth * (x[i] >> bit & 1);
    }
    void into(uint64_t* counts) {
        if (!blocks) return;
        settle_many();
        for (int bit = 0; bit < 8; bit++) counts[bit] += before[bit] << (WITHIN + ACROSS);
        for (int k = 0; k < WITHIN; k++) told(within[k], uint64_t{1} << k, counts);
        for (int k = 0; k < ACROSS; k++) {
            told(across[k], uint64_t{1} << (WITHIN + k), counts);
            if (blocks >> k & 1) told(waiting[k], uint64_t{1} << (WITHIN + k), counts);
        }
    }
};

// One-hot bits of 8 or 16 classes, and their digits on the way through a block.
template <int OF> struct Hot {
    Bytes of[OF];
};
template <int OF, bool ALL> struct Adding {
    const uint8_t* x;
    Bytes first;  // of the classes; ALL: 0, and no other class is there
    Sixteen low{LOW}, high{HIGH};
    Hot<OF> digits[Digits::WITHIN];

    template <int LEVEL, int FIRST> INLINE Hot<OF> sum() {
        Hot<OF> out;
        if constexpr (LEVEL == 0) {
            Bytes at = bytes_at(x + FIRST * WIDE);
            if constexpr (!ALL) at = Sixteen::below(at ^ first);
            out.of[0] = low(at);
            if constexpr (OF == 2) out.of[1] = high(at);
        } else {
            const Hot<OF> a = sum<LEVEL - 1, FIRST>(), b = sum<LEVEL - 1, FIRST + (1 << (LEVEL - 1))>();
            for (int j = 0; j < OF; j++) out.of[j] = carry(digits[LEVEL - 1].of[j], a.of[j], b.of[j]);
        }
        return out;
    }
};

struct ByteCounts {
    Digits eights[2 * SIXTEENS];
    // neighbours are often equal, and adding to one place waits for the last addition to it: eight tables take turns
    uint32_t times[8][256] = {};

    template <int OF, bool ALL> void sixteen(const uint8_t* x, int which = 0) {
        Digits* to = eights + 2 * which;
        Adding<OF, ALL> adding{x, Bytes{} + static_cast<uint8_t>(16 * which), Sixteen{LOW}, Sixteen{HIGH}, {}};
        for (int k = 0; k < Digits::WITHIN; k++)
            for (int j = 0; j < OF; j++) adding.digits[k].of[j] = to[j].within[k];
        const Hot<OF> sixteens = adding.template sum<Digits::WITHIN, 0>();
        for (int k = 0; k < Digits::WITHIN; k++)
            for (int j = 0; j < OF; j++) to[j].within[k] = adding.digits[k].of[j];
        for (int j = 0; j < OF; j++) to[j].add(sixteens.of[j]);
    }
    // Which sixteens of classes occur in a block, a bit for each.
    static uint32_t occurring(const uint8_t* x) {
        const Sixteen low{LOW}, high{HIGH};
        Bytes below{}, above{};
        for (int64_t v = 0; v < VECTORS; v++) {
            const Bytes at = bytes_at(x + v * WIDE) >> 4;
            below |= low(at);
            above |= high(at);
        }
        uint64_t found[2] = {all_bits(below), all_bits(above)};
        for (uint64_t& some : found)
            for (int half = 32; half >= 8; half /= 2) some |= some >> half;
        return static_cast<uint32_t>(found[0] & 255) | static_cast<uint32_t>(found[1] & 255) << 8;
    }
    // A block whose bits are among those of `seen`.
    void block(const uint8_t* x, uint64_t seen) {
        if (!STEELYARD_LOOKS_UP) return tabled(x, PIECE);
        if (seen < 8) return sixteen<1, true>(x);
        if (seen < 16) return sixteen<2, true>(x);
        const uint32_t there = seen < 32 ? 3 : occurring(x);
        if (__builtin_popcount(there) > MOST) return blocks_of_runs(x);
        for (int which = 0; which < SIXTEENS; which++)
            if (there >> which & 1) sixteen<2, false>(x, which);
    }
    // Where masks have one class for long, a vector is counted at once.
    void blocks_of_runs(const uint8_t* x) {
        for (int64_t v = 0; v < VECTORS; v++) {
            const uint8_t* here = x + v * WIDE;
            if (all_bits(bytes_at(here) ^ (Bytes{} + *here)))
                tabled(here, WIDE);
            else
                times[0][*here] += static_cast<uint32_t>(WIDE);
        }
    }
    void tabled(const uint8_t* x, int64_t n) {
        for (int64_t i = 0; i + 8 <= n; i += 8)
            for (int lane = 0; lane < 8; lane++) times[lane][x[i + lane]]++;
        for (int64_t i = n / 8 * 8; i < n; i++) times[0][x[i]]++;
    }
    void into(uint64_t* counts) {
        for (int i = 0; i < 2 * SIXTEENS; i++) eights[i].into(counts + 8 * i);
        for (const auto& lane : times)
            for (int i = 0; i < 256; i++) counts[i] += lane[i];
    }
};

// A block of numbers below 256 as bytes, in any order; back come all their bits.
template <class T> INLINE uint64_t as_bytes(const T* from, uint8_t* to) {
    typedef std::make_unsigned_t<T> Unsigned;
    typedef Unsigned Numbers __attribute__((vector_size(4 * LANES)));
    Numbers seen{};
    for (int64_t v = 0; v < VECTORS; v++) {
        Numbers out{};
        for (int i = 0; i < static_cast<int>(sizeof(T)); i++) {
            Numbers some;
            std::memcpy(&some, from + v * WIDE + i * (WIDE / static_cast<int>(sizeof(T))), sizeof(some));
            seen |= some;
            out |= some << static_cast<Unsigned>(8 * i);
        }
        std::memcpy(to + v * WIDE, &out, sizeof(out));
    }
    uint64_t found = 0;
    for (int i = 0; i < WIDE / static_cast<int>(sizeof(T)); i++) found |= seen[i];
    return found;
}

// See call.hpp.
template <class T> int64_t bytes_of(const T* x, int64_t n, uint64_t* counts) {
    constexpr uint64_t LARGEST = std::is_same_v<T, int8_t> ? 127 : 255;  // a byte with a sign may be negative
    uint8_t made[PIECE];
    ByteCounts found;
    int64_t at = 0;
    for (; at + PIECE <= n; at += PIECE) {
        if constexpr (sizeof(T) == 1) {
            const auto* piece = reinterpret_cast<const uint8_t*>(x + at);
            Bytes seen{};
            for (int64_t v = 0; v < VECTORS; v++) seen |= bytes_at(piece + v * WIDE);
            uint64_t all = all_bits(seen);
            for (int half = 32; half >= 8; half /= 2) all |= all >> half;
            if ((all & 255) > LARGEST) break;
            found.block(piece, all & 255);
        } else {
            const uint64_t all = as_bytes(x + at, made);
            if (all > LARGEST) break;
            found.block(made, all);
        }
    }
    if (at + PIECE > n) {
        int64_t many = 0;
        for (; at + many < n; many++) {
            const auto number = static_cast<uint64_t>(static_cast<int64_t>(peek(x + at + many)));
            if (number > LARGEST) break;
            made[many] = static_cast<uint8_t>(number);
        }
        found.tabled(made, many);
        at += many;
    }
    found.into(counts);
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
