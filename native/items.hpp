// What a call says of one item, and how items are shared out among threads.
#pragma once

#include <memory>

#include "call.hpp"
#include "simd.hpp"

namespace steelyard::STEELYARD_SET {

template <class Label> INLINE int64_t label_at(const void* target, int64_t i) {
    return static_cast<int64_t>(peek(static_cast<const Label*>(target) + i));
}
INLINE int64_t label(const Common& call, int64_t i) {
    switch (call.label) {
        case INT64: return label_at<int64_t>(call.target, i);
        case INT32: return label_at<int32_t>(call.target, i);
        default: return label_at<uint8_t>(call.target, i);
    }
}
INLINE float weight_of(const Common& call, int64_t i) { return call.weight ? peek(call.weight + i) : 1.0f; }
INLINE bool item_counts(const Common& call, int64_t i) {
    return (call.label == SOFT || label(call, i) != call.ignore) && weight_of(call, i) != 0.0f;
}

// A probability that one class of a row has at most, with room for rounding: of two that nearly tie both may be said to have half.
constexpr float LIKELY = 0.6f;

// Tables by label, for one label or for the labels of many lanes.
INLINE float by_label(const float* table, int64_t y, float absent) { return table ? table[y] : absent; }

// What items of these gradients count, see Beside.
INLINE Floats regional(const Beside& beside, const Lookup& regions, Floats size) {
    if (!beside.regions) return all(1.0f);
    const float bins = static_cast<float>(beside.bins);  // NaN counts as the last
    return regions(__builtin_convertvector(smaller(size * bins, all(bins - 1)), Ints));
}
INLINE Floats regional(const Beside& beside, Floats size) {
    return regional(beside, Lookup(beside.regions, std::numeric_limits<int64_t>::max()), size);
}

// The sum of work(chunk) over all chunks, in their order.
template <class Do> double over(int64_t chunks, int threads, const Do& work) {
    std::unique_ptr<double[]> found(new double[chunks]);
    auto one = [&](int64_t chunk) { found[chunk] = work(chunk); };
    spread(chunks, threads, [](void* state, int64_t chunk) { (*static_cast<decltype(one)*>(state))(chunk); }, &one);
    double total = 0;
    for (int64_t i = 0; i < chunks; i++) total += found[i];
    return total;
}

}  // namespace steelyard::STEELYARD_SET
