// Yes-or-no labels that ask for one outcome each, and a sum of their losses with its gradient: what most calls of a sigmoid are.
//
// With v = u where the label is "is" and -u where it is "is not", the loss is a g(log s(v)), and its slope along v is
// a q dg / d log p, with p = s(v), q = 1 - p: one outcome is looked at, and a sign takes the slope back to u.
#pragma once

#include <algorithm>

#include "curves.hpp"
#include "items.hpp"

namespace steelyard::STEELYARD_SET {

constexpr int BLOCK = 32;  // vectors whose exponentials are computed together
constexpr uint32_t SIGN = 0x80000000u;

// Of one outcome, from its logit: without cancellation and with one division.
struct Outcome {
    Floats p, q, logp;
    Outcome() = default;
    explicit INLINE Outcome(Floats v) {
        const Floats e = exp(bits<Floats>(bits<Words>(v) | SIGN)), one = 1.0f + e, two = 2.0f + e, over = inverse(one * two);
        const Floats big = two * over, small = e * big;
        const Ints down = v < 0.0f;
        p = down ? small : big;
        q = down ? big : small;
        logp = smaller(v, all(0.0f)) - log1p_of(e * one * over);
    }
};

// Which sign takes each logit to that of its outcome. False where a label is neither: soft, or ignored.
template <class Label> INLINE bool signs_of(const Label* y, int vectors, Words* flip) {
    Words other{};
    for (int v = 0; v < vectors; v++) {
        const Words label = bits<Words>(low_words(y + v * LANES));
        other |= label & ~1u;
        flip[v] = (label ^ 1u) << 31;
    }
    return !any(bits<Ints>(other));
}
template <class Y> INLINE bool signs_of_shares(const typename Y::Type* y, int vectors, Words* flip) {
    Words other{};
    for (int v = 0; v < vectors; v++) {
        const Floats share = Y::load(y + v * LANES);
        other |= bits<Words>(share * share - share);  // 0 for 0 and 1 alone
        flip[v] = ~(bits<Words>(share) << 2) & SIGN;  // a bit that 1 has and 0 has not
    }
    return !any(bits<Ints>(other));
}
INLINE bool signs(const Common& call, int64_t at, int vectors, Words* flip) {
    switch (call.label) {
        case INT64: return signs_of(static_cast<const int64_t*>(call.target) + at, vectors, flip);
        case INT32: return signs_of(static_cast<const int32_t*>(call.target) + at, vectors, flip);
        case UINT8: return signs_of(static_cast<const uint8_t*>(call.target) + at, vectors, flip);
        case SOFT: return signs_of_shares<F32>(static_cast<const float*>(call.target) + at, vectors, flip);
        case SOFT_BFLOAT16: return signs_of_shares<BF16>(static_cast<const uint16_t*>(call.target) + at, vectors, flip);
        default: return signs_of_shares<F16>(static_cast<const uint16_t*>(call.target) + at, vectors, flip);
    }
}

// No call weight, no gradient of its own that arrives, no loss of its own that is wanted.
INLINE bool bare(const Common& call) {
    return !(call.weight || call.upstream || call.through || call.loss || call.mass || call.lse);
}

// A table's two rows at the logits of one block.
struct ByOutcome {
    const float *yes, *no;
    INLINE Floats at(Ints is, int64_t k) const { return is ? F32::load(yes + k) : F32::load(no + k); }
};

template <class T> class Outcomes {
  public:
    // The class of a plane's logits stays; elsewhere `k` is that of the first logit.
    Outcomes(const Sigmoid& call, bool plane, int64_t k)
        : call(call), period(plane ? 1 : call.period), asked(call.beside.out || call.beside.regions), weight(of(call.yes_share + call.stride, call.no_share, 0, plane, k)),
          scale(both(call.scale, 2, plane, k)), offset(both(call.offset, 4, plane, k)) {}

    // Up to BLOCK vectors of logits from `at` on, with what signs() said; k is the class of the first. The sum of the losses.
    Floats block(int64_t at, int vectors, int64_t k, const Words* flip) {
        if (call.period != period) k = 0;
        if (!(call.yes == call.no)) return others(at, vectors, k, flip);
        switch (call.yes.kind) {
            case LOG: return asked ? one<LOG, true>(at, vectors, k, flip) : one<LOG, false>(at, vectors, k, flip);
            case FOCAL: return asked ? others(at, vectors, k, flip) : one<FOCAL, false>(at, vectors, k, flip);
            default: return others(at, vectors, k, flip);
        }
    }

  private:
    struct Adjusted {
        Floats v, a, scale;
    };
    INLINE Adjusted adjusted(int64_t at, int64_t k, Words flip) const {
        const Ints is = bits<Ints>(flip) >= 0;
        Floats u = T::load(static_cast<const typename T::Type*>(call.logits) + at), times = all(1.0f);
        if (scale.yes) {
            times = scale.at(is, k);
            u = times * u;
        }
        if (offset.yes) u = u + offset.at(is, k);
        return {bits<Floats>(bits<Words>(u) ^ flip), weight.at(is, k), times};
    }

    INLINE void put(int64_t at, const Adjusted& x, Floats rise, Words flip) const {
        if (!call.gradient) return;
        Floats d = x.a * call.factor * rise;
        if (scale.yes) d = d * x.scale;
        T::store(static_cast<typename T::Type*>(call.gradient) + at, bits<Floats>(bits<Words>(d) ^ flip));
    }

    // See Beside: how often the items count, in `a`, and what is told of them.
    INLINE void tell(int64_t at, const Outcome& o, Words flip, Floats& a) const {
        a = a * regional(call.beside, regions, o.q);
        if (!call.beside.out) return;
        const Ints is = bits<Ints>(flip) >= 0;
        const Floats p = is ? o.p : o.q, q = is ? o.q : o.p;
        F32::store(call.beside.out + at, call.beside.told == SIZE ? o.q : p <= q ? p : -larger(q, all(1e-37f)));
    }

    template <Kind KIND, bool ASKED> Floats one(int64_t at, int vectors, int64_t k, const Words* flip) const {
        Floats losses{};
        for (int v = 0; v < vectors; v++, at += LANES, k = next(k)) {
            Adjusted x = adjusted(at, k, flip[v]);
            const Outcome o(x.v);
            if constexpr (ASKED) tell(at, o, flip[v], x.a);
            const Bent g = rise<KIND>(call.yes, o.logp, o.p, o.q);
            losses = losses + penalty(x.a, g.value);
            put(at, x, g.slope, flip[v]);
        }
        return losses;
    }

    // Any curves: all outcomes first, then what each curve makes of all of them.
    Floats others(int64_t at, int vectors, int64_t k, const Words* flip) const {
        Outcome outcome[BLOCK];
        Bent yes[BLOCK], no[BLOCK];
        int64_t ks = k;
        for (int v = 0; v < vectors; v++, ks = next(ks)) outcome[v] = Outcome(adjusted(at + v * LANES, ks, flip[v]).v);
        const bool same = call.yes == call.no;
        curved(call.yes, outcome, vectors, yes);
        if (!same) curved(call.no, outcome, vectors, no);
        Floats losses{};
        for (int v = 0; v < vectors; v++, at += LANES, k = next(k)) {
            Adjusted x = adjusted(at, k, flip[v]);
            if (asked) tell(at, outcome[v], flip[v], x.a);
            const Ints is = bits<Ints>(flip[v]) >= 0;
            const Floats value = same || is ? yes[v].value : no[v].value;
            losses = losses + penalty(x.a, value);
            put(at, x, same || is ? yes[v].slope : no[v].slope, flip[v]);
        }
        return losses;
    }
    static void curved(const Curve& curve, const Outcome* outcome, int vectors, Bent* out) {
        with_kind(curve, [&](auto kind) {
            for (int v = 0; v < vectors; v++) {
                const Outcome& o = outcome[v];
                out[v] = rise<decltype(kind)::value>(curve, o.logp, o.p, o.q);
            }
        });
    }

    // The class of the logit LANES further on.
    INLINE int64_t next(int64_t k) const {
        if (period == 1) return k;
        for (k += LANES; k >= period;) k -= period;
        return k;
    }

    ByOutcome both(const float* t, int place, bool plane, int64_t k) {
        return t ? of(t + call.stride, t, place, plane, k) : ByOutcome{nullptr, nullptr};
    }
    ByOutcome of(const float* yes, const float* no, int place, bool plane, int64_t k) {
        if (!plane) return {yes, no};
        std::fill(here[place], here[place] + LANES, yes[k]);
        std::fill(here[place + 1], here[place + 1] + LANES, no[k]);
        return {here[place], here[place + 1]};
    }

    const Sigmoid& call;
    const int64_t period;
    const bool asked;
    float here[6][LANES];  // of a plane's class
    const ByOutcome weight, scale, offset;
    const Lookup regions{call.beside.regions, call.beside.bins};
};

}  // namespace steelyard::STEELYARD_SET
