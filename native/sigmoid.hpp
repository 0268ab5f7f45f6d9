// Sigmoid cross-entropy, element by element:
//
//     u = S[y,k] z + O[y,k],  l = a g1(log s(u)) + b g0(log s(-u)),  (a, b) = what label y asks of "is" and "is not"
//
// The margin is in the offset, the weight in a and b. A soft target is an expectation over y.
#pragma once

#include "softmax.hpp"

namespace steelyard::STEELYARD_SET {

constexpr int64_t STRETCH = 1 << 15;  // logits of one chunk

// One adjusted logit: what both outcomes need, without cancellation.
struct Odds {
    Floats p, q, logp, logq;
    explicit INLINE Odds(Floats u) {
        const Floats size = u < 0.0f ? -u : u, e = exp(-size), big = 1.0f / (1.0f + e), small = e * big, l = log1p(e);
        const Ints up = u >= 0.0f;
        p = up ? big : small;
        q = up ? small : big;
        logp = (up ? all(0.0f) : u) - l;
        logq = (up ? -u : all(0.0f)) - l;
    }
};

// Tables of one label at LANES neighbouring logits.
struct Entry {
    Floats scale, offset, a, b, own;
};

template <class T, bool SOFT_TARGET, bool PLAIN> struct Elements {
    const Sigmoid& call;
    Floats loss_sum, mass_sum;

    INLINE Floats table(const float* t, int64_t y, int64_t k) const {
        if (call.period == 1) return all(t[y * call.stride]);
        return F32::load(t + y * call.stride + k);
    }
    INLINE Floats flat(const float* t, int64_t y, int64_t k) const { return all(t[y * call.stride + k]); }

    template <bool PLANE> INLINE Entry entry(int64_t y, int64_t k) const {
        auto at = [&](const float* t) { return PLANE ? flat(t, y, k) : table(t, y, k); };
        return {at(call.scale), at(call.offset), at(call.yes_share), at(call.no_share), at(call.own)};
    }

    // Loss, lse and gradient of LANES logits; `up` and `along` arrive at loss and lse.
    INLINE void branch(Floats z, const Entry& t, Floats up, Floats along, Floats& loss, Floats& lse, Floats& d) const {
        const Floats u = t.scale * z + t.offset;
        const Odds odds(u);
        loss = penalty(t.a, call.yes, odds.logp, odds.q) + penalty(t.b, call.no, odds.logq, odds.p);
        lse = -odds.logq;
        d = (t.a * slope(call.yes, odds.logp, odds.q) * odds.q - t.b * slope(call.no, odds.logq, odds.p) * odds.p) * up;
        d = (d + odds.p * along) * t.scale;
    }

    // Hard labels that ask for one outcome: only that one is looked at.
    INLINE void single(Floats z, Ints is, Floats scale, Floats offset, Floats weight, Floats up, Floats along, Floats& loss,
                       Floats& lse, Floats& d) const {
        const Floats u = scale * z + offset;
        const Odds odds(is ? u : -u);
        Floats h;
        if (call.yes == call.no) {
            loss = penalty(weight, call.yes, odds.logp, odds.q);
            h = slope(call.yes, odds.logp, odds.q);
        } else {
            loss = is ? penalty(weight, call.yes, odds.logp, odds.q) : penalty(weight, call.no, odds.logp, odds.q);
            h = is ? slope(call.yes, odds.logp, odds.q) : slope(call.no, odds.logp, odds.q);
        }
        h = weight * h * odds.q * up;
        lse = is ? -odds.logq : -odds.logp;
        d = ((is ? h : -h) + (is ? odds.p : odds.q) * along) * scale;
    }

    // `count` logits from `at` on; k is the class of the first one
    template <bool PLANE> void some(int64_t at, int count, int64_t k, Sums& sums) {
        typename T::Type spare[LANES] = {};
        const typename T::Type* from = static_cast<const typename T::Type*>(call.logits) + at;
        if (count < LANES) {
            std::memcpy(spare, from, count * sizeof(*from));
            from = spare;
        }
        const Floats z = T::load(from);
        Floats s = all(1.0f), up = all(call.factor), along = all(0.0f), t = all(0.0f);
        Ints live = lane() < count, is = Ints{};
        take(call.weight, at, count, s);
        take(call.upstream, at, count, up);
        take(call.through, at, count, along);
        if constexpr (SOFT_TARGET) {
            take(static_cast<const float*>(call.target), at, count, t);
        } else {
            labels(at, count, is, live);
        }
        live = live & (s != 0.0f);
        up = up * s;

        Floats loss, lse, d, own;
        if constexpr (SOFT_TARGET) {
            const Entry no = entry<PLANE>(0, k), yes = entry<PLANE>(1, k);
            own = t * yes.own + (1.0f - t) * no.own;
            if (call.by_label) {
                Floats l0, e0, d0, l1, e1, d1;
                const Floats rest = 1.0f - t;
                branch(z, {no.scale, no.offset, rest * no.a, rest * no.b, no.own}, up, rest * along, l0, e0, d0);
                branch(z, {yes.scale, yes.offset, t * yes.a, t * yes.b, yes.own}, up, t * along, l1, e1, d1);
                loss = l0 + l1;
                lse = rest * e0 + t * e1;
                d = d0 + d1;
            } else {
                const Floats rest = 1.0f - t;
                branch(z, {yes.scale, yes.offset, t * yes.a + rest * no.a, t * yes.b + rest * no.b, own}, up, along, loss, lse, d);
            }
        } else {
            const Entry no = entry<PLANE>(0, k), yes = entry<PLANE>(1, k);
            const Floats scale = is ? yes.scale : no.scale, offset = is ? yes.offset : no.offset;
            own = is ? yes.own : no.own;
            if constexpr (PLAIN) {
                single(z, is, scale, offset, is ? yes.a : no.b, up, along, loss, lse, d);
            } else {
                branch(z, {scale, offset, is ? yes.a : no.a, is ? yes.b : no.b, own}, up, along, loss, lse, d);
            }
        }
        loss = live ? loss * s : all(0.0f);
        own = live ? own * s : all(0.0f);
        lse = live ? lse : all(0.0f);
        d = live ? d : all(0.0f);
        loss_sum = loss_sum + loss;
        mass_sum = mass_sum + own;
        int counted = 0;
        for (int i = 0; i < LANES; i++) counted -= live[i];
        sums.count += counted;
        give(call.loss, at, count, loss);
        give(call.mass, at, count, own);
        give(call.lse, at, count, lse);
        if (call.gradient) {
            typename T::Type* g = static_cast<typename T::Type*>(call.gradient) + at;
            if (count == LANES) {
                T::store(g, d);
            } else {
                T::store(spare, d);
                std::memcpy(g, spare, count * sizeof(*g));
            }
        }
    }

    INLINE static void take(const float* from, int64_t at, int count, Floats& to) {
        if (!from) return;
        if (count == LANES) {
            to = F32::load(from + at);
        } else {
            for (int i = 0; i < count; i++) to[i] = from[at + i];
        }
    }
    INLINE static void give(float* to, int64_t at, int count, Floats x) {
        if (!to) return;
        if (count == LANES) {
            F32::store(to + at, x);
        } else {
            for (int i = 0; i < count; i++) to[at + i] = x[i];
        }
    }
    INLINE void labels(int64_t at, int count, Ints& is, Ints& live) const {
        int32_t one[LANES] = {}, there[LANES] = {};
        auto read = [&](auto* from) {
            for (int i = 0; i < count; i++) {
                one[i] = -int32_t(from[at + i] == 1);
                there[i] = -int32_t(static_cast<int64_t>(from[at + i]) != call.ignore);
            }
        };
        switch (call.label) {
            case INT64: read(static_cast<const int64_t*>(call.target)); break;
            case INT32: read(static_cast<const int32_t*>(call.target)); break;
            default: read(static_cast<const uint8_t*>(call.target));
        }
        std::memcpy(&is, one, sizeof(is));
        std::memcpy(&live, there, sizeof(live));
        is = is & live;
    }

    Sums stretch(int64_t start, int64_t stop, int64_t k, bool plane) {
        Sums sums;
        int vectors = 0;
        loss_sum = mass_sum = all(0.0f);
        for (int64_t at = start; at < stop; at += LANES) {
            const int count = static_cast<int>(std::min<int64_t>(LANES, stop - at));
            if (plane) {
                some<true>(at, count, k, sums);
            } else {
                some<false>(at, count, k, sums);
                k += LANES;
                while (k >= call.period) k -= call.period;
            }
            if (++vectors == 64 || at + LANES >= stop) {  // float32 sums of few numbers, double of these
                sums.loss += sum(loss_sum);
                sums.mass += sum(mass_sum);
                loss_sum = mass_sum = all(0.0f);
                vectors = 0;
            }
        }
        return sums;
    }
};

template <class T, bool SOFT_TARGET, bool PLAIN> Sums by_elements(const Sigmoid& call) {
    typedef Elements<T, SOFT_TARGET, PLAIN> Unit;
    const bool plane = call.S > 1 && call.period > 1;
    const int64_t total = call.N * call.C * call.S, inner = plane ? call.S : total;
    const int64_t each = (inner + STRETCH - 1) / STRETCH;
    return over(total / inner * each, call.threads, [&](int64_t chunk) {
        Unit unit{call, {}, {}};
        const int64_t segment = chunk / each, offset = chunk % each * STRETCH;
        const int64_t start = segment * inner + offset, stop = segment * inner + std::min(inner, offset + STRETCH);
        return unit.stretch(start, stop, plane ? segment % call.period : start % call.period, plane);
    });
}

template <class T> Sums sigmoid_of(const Sigmoid& call, bool plain) {
    if (call.label == SOFT) return by_elements<T, true, false>(call);
    return plain ? by_elements<T, false, true>(call) : by_elements<T, false, false>(call);
}

inline Sums sigmoid(const Sigmoid& call) {
    if (call.N * call.C * call.S == 0) return {};
    bool plain = true;  // label 0 asks nothing of "is", label 1 nothing of "is not"
    for (int64_t k = 0; k < call.period; k++) plain &= call.yes_share[k] == 0 && call.no_share[call.stride + k] == 0;
    switch (call.type) {
        case BFLOAT16: return sigmoid_of<BF16>(call, plain);
        case FLOAT16: return sigmoid_of<F16>(call, plain);
        default: return sigmoid_of<F32>(call, plain);
    }
}

}  // namespace steelyard::STEELYARD_SET
