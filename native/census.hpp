// Which labels there are, before any exponential: what the mean divides by, and the first label that is no class. The mean's
// gradient needs its divisor before the first logit is read, so this is a pass of its own over labels and call weights.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "call.hpp"
#include "simd.hpp"

namespace steelyard::STEELYARD_SET {

constexpr int64_t COUNTED = 1 << 16;  // items of one chunk

// work(first, last) -> Census for chunks of items on several threads, added up in order.
template <class Work> Census counted(int64_t items, int threads, const Work& work) {
    const int64_t chunks = (items + COUNTED - 1) / COUNTED;
    std::unique_ptr<Census[]> found(new Census[chunks]);
    auto one = [&](int64_t i) { found[i] = work(i * COUNTED, std::min(items, (i + 1) * COUNTED)); };
    spread(chunks, threads, [](void* state, int64_t i) { (*static_cast<decltype(one)*>(state))(i); }, &one);
    Census sum;
    for (int64_t i = 0; i < chunks; i++) {
        sum.mass += found[i].mass;
        sum.count += found[i].count;
        if (found[i].bad && !sum.bad) sum.wrong = found[i].wrong;
        sum.bad |= found[i].bad;
    }
    return sum;
}

// (how many are `ignored`, whether any other is larger than `largest`), a vector of bytes at a time.
inline std::pair<int64_t, bool> bytes_of_labels(const uint8_t* y, int64_t items, bool may_ignore, uint8_t ignored, uint8_t largest) {
    typedef uint8_t Bytes __attribute__((vector_size(4 * LANES)));
    constexpr int64_t WIDE = 4 * LANES;
    int64_t count = 0, i = 0;
    Bytes strange{};
    while (i + WIDE <= items) {
        Bytes found{};
        for (const int64_t stop = std::min(items, i + 255 * WIDE); i + WIDE <= stop; i += WIDE) {
            Bytes label;
            std::memcpy(&label, y + i, sizeof(label));
            const auto skip = (label == ignored) & (Bytes{} - static_cast<uint8_t>(may_ignore) != Bytes{});
            found = skip ? found + 1 : found;
            strange |= skip ? Bytes{} : bits<Bytes>(label > largest);
        }
        for (int j = 0; j < WIDE; j++) count += found[j];
    }
    bool any_strange = false;
    for (int j = 0; j < WIDE; j++) any_strange |= strange[j] != 0;
    for (; i < items; i++) {
        const bool skip = may_ignore && y[i] == ignored;
        count += skip;
        any_strange |= !skip && y[i] > largest;
    }
    return {count, any_strange};
}

// Counts what is not ignored, and finds a label outside 0..classes-1.
template <class Label> Census labels_of(const Label* y, int64_t items, int64_t ignore, int64_t classes) {
    typedef std::make_unsigned_t<Label> Unsigned;
    const Label ignored_label = static_cast<Label>(ignore);
    const bool may_ignore = static_cast<int64_t>(ignored_label) == ignore;
    const auto largest = static_cast<int64_t>(std::min<uint64_t>(std::numeric_limits<Unsigned>::max(), classes - 1));
    int64_t ignored = 0;
    bool strange = false;
    if constexpr (sizeof(Label) == 1) {
        std::tie(ignored, strange) = bytes_of_labels(y, items, may_ignore, ignored_label, static_cast<uint8_t>(largest));
    } else {
        int32_t skipped = 0, odd = 0;
        for (int64_t i = 0; i < items; i++) {
            const Label label = peek(y + i);
            const int32_t skip = may_ignore & (label == ignored_label);
            skipped += skip;
            odd += ~skip & (static_cast<Unsigned>(label) > static_cast<Unsigned>(largest));
        }
        ignored = skipped;
        strange = odd != 0;
    }
    Census found;
    found.count = items - ignored;
    found.bad = strange;
    for (int64_t i = 0; found.bad; i++) {
        const auto label = static_cast<int64_t>(peek(y + i));
        if (label == ignore || (label >= 0 && label < classes)) continue;
        found.wrong = label;
        break;
    }
    return found;
}

// own(item, label): what a label counts, before the call weight.
template <class Label, class Own>
Census hard_census(const Common& call, const Label* y, int64_t items, int64_t classes, bool mass, const Own& own) {
    return counted(items, call.threads, [&](int64_t first, int64_t last) {
        Census found = labels_of(y + first, last - first, call.ignore, classes);
        if (found.bad || (!call.weight && !mass)) return found;
        double sums[4] = {0, 0, 0, 0};  // so that additions need not wait for one another
        for (int64_t i = first; i < last; i++) {
            const auto label = static_cast<int64_t>(peek(y + i));
            if (label == call.ignore) continue;
            const float s = call.weight ? peek(call.weight + i) : 1.0f;
            found.count -= s == 0;
            if (s != 0 && mass) sums[i & 3] += static_cast<double>(s) * own(i, label);
        }
        found.mass = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        return found;
    });
}

template <class Own> Census census_of(const Common& call, int64_t items, int64_t classes, bool mass, const Own& own) {
    switch (call.label) {
        case INT64: return hard_census(call, static_cast<const int64_t*>(call.target), items, classes, mass, own);
        case INT32: return hard_census(call, static_cast<const int32_t*>(call.target), items, classes, mass, own);
        default: return hard_census(call, static_cast<const uint8_t*>(call.target), items, classes, mass, own);
    }
}

// The same of classes, whose weights are one table: vectors of labels at a time, their sums in double.
template <class Label> Census classes_census(const Softmax& call, const Label* y, bool mass) {
    typedef double Doubles __attribute__((vector_size(8 * LANES)));
    const Lookup own(call.own, call.C);
    return counted(call.N * call.S, call.threads, [&](int64_t first, int64_t last) {
        Census found = labels_of(y + first, last - first, call.ignore, call.C);
        if (found.bad || (!call.weight && !mass)) return found;
        Doubles total{};
        Ints lost{};  // what has no weight
        auto vector = [&](const Label* some, Floats weight, Ints here) INLINE_LAMBDA {
            const Ints label = low_words(some), there = (label != static_cast<int32_t>(call.ignore)) & here;
            const Ints counts = there & (weight != 0.0f);
            lost = lost - (there & ~counts);
            if (!mass) return;
            const Floats share = call.own ? own(label & there) : all(1.0f);
            total += __builtin_convertvector(counts ? weight : all(0.0f), Doubles) *
                     __builtin_convertvector(counts ? share : all(0.0f), Doubles);
        };
        int64_t i = first;
        for (; i + LANES <= last; i += LANES) vector(y + i, call.weight ? F32::load(call.weight + i) : all(1.0f), all(-1));
        if (i < last) {
            Label padded[LANES] = {};
            float weights[LANES] = {};
            for (int64_t k = 0; k < last - i; k++) padded[k] = peek(y + i + k);
            for (int64_t k = 0; k < last - i; k++) weights[k] = call.weight ? peek(call.weight + i + k) : 1.0f;
            vector(padded, F32::load(weights), lane() < static_cast<int32_t>(last - i));
        }
        for (int k = 0; k < LANES; k++) found.count -= lost[k];
        for (int k = 0; k < LANES; k++) found.mass += total[k];
        return found;
    });
}

inline Census softmax_census(const Softmax& call, bool mass) {
    const int64_t items = call.N * call.S, C = call.C, S = call.S;
    switch (call.label) {
        case INT64: return classes_census(call, static_cast<const int64_t*>(call.target), mass);
        case INT32: return classes_census(call, static_cast<const int32_t*>(call.target), mass);
        case UINT8: return classes_census(call, static_cast<const uint8_t*>(call.target), mass);
        default: break;
    }
    const float* t = static_cast<const float*>(call.target);
    return counted(items, call.threads, [&](int64_t first, int64_t last) {
        Census found;
        for (int64_t i = first; i < last; i++) {
            const float s = call.weight ? peek(call.weight + i) : 1.0f;
            if (s == 0) continue;
            found.count++;
            for (int64_t c = 0; mass && c < C; c++)
                found.mass += static_cast<double>(s) * peek(t + (i / S * C + c) * S + i % S) * (call.own ? call.own[c] : 1.0f);
        }
        return found;
    });
}

inline Census sigmoid_census(const Sigmoid& call, bool mass) {
    const int64_t items = call.N * call.C * call.S;
    auto class_of = [&](int64_t i) { return call.period == 1 ? 0 : i / call.S % call.C; };
    if (call.label < SOFT)
        return census_of(call, items, 2, mass, [&](int64_t i, int64_t y) { return call.own[y * call.stride + class_of(i)]; });
    auto share_of = [&](int64_t i) -> float {
        switch (call.label) {
            case SOFT_BFLOAT16: return BF16::one(static_cast<const uint16_t*>(call.target) + i);
            case SOFT_FLOAT16: return F16::one(static_cast<const uint16_t*>(call.target) + i);
            default: return peek(static_cast<const float*>(call.target) + i);
        }
    };
    return counted(items, call.threads, [&](int64_t first, int64_t last) {
        Census found;
        found.count = last - first;
        for (int64_t i = first; call.weight && i < last; i++) found.count -= peek(call.weight + i) == 0;
        for (int64_t i = first; mass && i < last; i++) {
            const float no = call.own[class_of(i)], yes = call.own[call.stride + class_of(i)];
            const float share = share_of(i), s = call.weight ? peek(call.weight + i) : 1.0f;
            found.mass += static_cast<double>(s) * (share * yes + (1 - share) * no);
        }
        return found;
    });
}

}  // namespace steelyard::STEELYARD_SET
