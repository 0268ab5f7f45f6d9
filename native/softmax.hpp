// Softmax cross-entropy: loss, mass, lse and gradient of every item in one pass over the logits.
//
//     u = S[y,c] z_c + O[y,c] - margin_y [c = y],  p = softmax(u)
//     l = sum_c k_c g(log p_c),  k_c = labelled[y] at c = y, give[y] take[c] elsewhere
//     dl/du = h - p sum_c h,  h_c = k_c dg/dlog p_c
//
// `Lanes` holds many items side by side, one per lane: few classes, or classes that are planes. `Row` holds one item, a
// class per lane: long rows. Both keep e^(u - max) in a buffer that stays in the cache.
#pragma once

#include "lanes.hpp"
#include "row.hpp"

namespace steelyard::STEELYARD_SET {

constexpr int SHORT = 96;         // classes up to which items of one row lie side by side in lanes
constexpr int64_t CHUNK = 1 << 16;  // logits of one chunk, about: what a thread takes at a time, and what sums are made of

template <class T, bool SOFT_TARGET, int V> double by_lanes(const Softmax& call) {
    typedef Lanes<T, SOFT_TARGET, V> Unit;
    const int64_t span = std::max<int64_t>(Unit::ITEMS, CHUNK / call.C / Unit::ITEMS * Unit::ITEMS);
    const int64_t outer = call.S > 1 ? call.N : 1, inner = call.S > 1 ? call.S : call.N;
    const int64_t each = (inner + span - 1) / span;
    return over(outer * each, call.threads, [&](int64_t chunk) {
        Unit unit(call);
        double sum = 0;
        const int64_t n = chunk / each, start = chunk % each * span, stop = std::min(inner, start + span);
        for (int64_t i = start; i < stop; i += Unit::ITEMS)
            unit.run(call.S > 1 ? n : 0, i, static_cast<int>(std::min<int64_t>(Unit::ITEMS, stop - i)), sum);
        unit.flush(sum);
        if (unit.past) streamed();
        return sum;
    });
}

template <class T> double softmax_of(const Softmax& call) {
    if (call.N * call.S == 0 || call.C == 0) return 0;
    const bool soft = call.label == SOFT;
    if (call.S > 1 || call.C <= SHORT) {
        constexpr int WIDE = 64 / LANES;  // vectors of a block of 64 items, which stays in the nearest cache up to some 200 classes
        if (soft) return by_lanes<T, true, WIDE>(call);
        return by_lanes<T, false, WIDE>(call);
    }
    const int64_t span = std::max<int64_t>(1, CHUNK / call.C);
    return over((call.N + span - 1) / span, call.threads, [&](int64_t chunk) {
        Row<T> unit(call);
        double sum = 0;
        for (int64_t i = chunk * span; i < std::min(call.N, (chunk + 1) * span); i++) unit.run(i, sum);
        return sum;
    });
}

inline double softmax(const Softmax& call) {
    switch (call.type) {
        case BFLOAT16: return softmax_of<BF16>(call);
        case FLOAT16: return softmax_of<F16>(call);
        default: return softmax_of<F32>(call);
    }
}

}  // namespace steelyard::STEELYARD_SET
