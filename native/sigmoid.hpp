// Sigmoid cross-entropy, element by element:
//
//     u = S[y,k] z + O[y,k],  l = a g1(log s(u)) + b g0(log s(-u)),  (a, b) = what label y asks of "is" and "is not"
//
// The margin is in the offset, the weight in a and b. A soft target is an expectation over y.
#pragma once

#include <algorithm>
#include <cmath>

#include "curves.hpp"
#include "items.hpp"
#include "outcome.hpp"

namespace steelyard::STEELYARD_SET {

constexpr int64_t STRETCH = 1 << 15;  // logits of one chunk

// One adjusted logit: what both outcomes need, without cancellation and with one division.
struct Odds {
    Floats p, q, logp, logq;
    Odds() = default;
    explicit INLINE Odds(Floats u) {
        const Floats e = exp(u < 0.0f ? u : -u), one = 1.0f + e, two = 2.0f + e, over = inverse(one * two);
        const Floats big = two * over, small = e * big, l = log1p_of(e * one * over);
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
struct Both {
    Entry no, yes;
};

// What is known of LANES neighbouring logits before any exponential.
struct Given {
    Floats weight, up, along, share;  // `share`: a soft target
    Ints is, live;
};

template <class T, bool SOFT_TARGET, bool PLAIN> struct Elements {
    const Sigmoid& call;
    const bool alone;  // see outcome.hpp
    Floats losses{};   // of few vectors, in float32: their sums are double

    template <bool PLANE> INLINE Entry entry(int64_t y, int64_t k) const {
        auto at = [&](const float* t, float absent = 0) INLINE_LAMBDA {
            if (!t) return all(absent);
            t += y * call.stride + k;
            return PLANE || call.period == 1 ? all(*t) : F32::load(t);
        };
        return {at(call.scale, 1), at(call.offset), at(call.yes_share), at(call.no_share), at(call.own)};
    }

    // Loss, lse and gradient of LANES logits; `up` and `through` arrive at loss and lse.
    INLINE void branch(const Odds& odds, const Entry& t, Floats up, Floats through, Floats& loss, Floats& lse, Floats& d) const {
        const Bent yes = along(call.yes, odds.logp, odds.p, odds.q), no = along(call.no, odds.logq, odds.q, odds.p);
        loss = penalty(t.a, yes.value) + penalty(t.b, no.value);
        lse = -odds.logq;
        d = (t.a * yes.slope * odds.q - t.b * no.slope * odds.p) * up;
        d = (d + odds.p * through) * t.scale;
    }

    // Hard labels that ask for one outcome: only that one is looked at, p is its probability.
    INLINE void single(const Odds& odds, Ints is, const Entry& t, Floats up, Floats through, Floats& loss, Floats& lse,
                       Floats& d) const {
        Bent g = along(call.yes, odds.logp, odds.p, odds.q);
        if (!(call.yes == call.no)) {
            const Bent other = along(call.no, odds.logp, odds.p, odds.q);
            g = {is ? g.value : other.value, is ? g.slope : other.slope};
        }
        loss = penalty(t.a, g.value);
        const Floats h = t.a * g.slope * odds.q * up;
        lse = is ? -odds.logq : -odds.logp;
        d = ((is ? h : -h) + (is ? odds.p : odds.q) * through) * t.scale;
    }

    // The tables of both labels at LANES logits.
    template <bool PLANE> INLINE Both tables(int64_t k) const { return {entry<PLANE>(0, k), entry<PLANE>(1, k)}; }

    // What they say for the labels that are there: soft ones where they do not touch the adjusted logits.
    INLINE Entry said(const Both& of, const Given& given) const {
        const Entry &no = of.no, &yes = of.yes;
        if constexpr (SOFT_TARGET) {
            const Floats t = given.share, rest = 1.0f - t;
            return {yes.scale, yes.offset, t * yes.a + rest * no.a, t * yes.b + rest * no.b, t * yes.own + rest * no.own};
        }
        const Ints is = given.is;
        return {is ? yes.scale : no.scale, is ? yes.offset : no.offset, is ? yes.a : (PLAIN ? no.b : no.a), is ? yes.b : no.b,
                is ? yes.own : no.own};
    }

    // Up to BLOCK vectors of logits from `at` on; k is the class of the first one. First the exponentials of all, in a loop whose
    // turns do not wait for one another, then the rest.
    template <bool PLANE> void block(int64_t at, int vectors, int64_t k) {
        Odds odds[BLOCK];
        const bool same = PLANE || call.period == 1;
        const Both everywhere = tables<PLANE>(k);
        int64_t ks = k;
        for (int v = 0; v < vectors; v++, ks = next<PLANE>(ks)) {
            const Floats z = T::load(static_cast<const typename T::Type*>(call.logits) + at + v * LANES);
            const Given given = read<true>(at + v * LANES, LANES);
            const Entry t = said(same ? everywhere : tables<PLANE>(ks), given);
            const Floats u = t.scale * z + t.offset;
            odds[v] = Odds(PLAIN && !SOFT_TARGET ? (given.is ? u : -u) : u);
        }
        for (int v = 0; v < vectors; v++, k = next<PLANE>(k)) {
            const Given given = read<true>(at + v * LANES, LANES);
            const Entry t = said(same ? everywhere : tables<PLANE>(k), given);
            Floats loss, lse, d;
            if constexpr (PLAIN && !SOFT_TARGET) {
                single(odds[v], given.is, t, given.up, given.along, loss, lse, d);
            } else {
                branch(odds[v], t, given.up, given.along, loss, lse, d);
            }
            finish<true>(at + v * LANES, LANES, given, odds[v], loss, t.own, lse, d);
        }
    }

    // `count` logits, WHOLE: LANES of them, one vector after the other: for tails and for soft targets under tables by label.
    template <bool PLANE, bool WHOLE> void some(int64_t at, int count, int64_t k) {
        typename T::Type spare[LANES] = {};
        const typename T::Type* from = static_cast<const typename T::Type*>(call.logits) + at;
        if (!WHOLE) {
            std::memcpy(spare, from, count * sizeof(*from));
            from = spare;
        }
        const Floats z = T::load(from);
        const Given given = read<WHOLE>(at, count);
        const Both both = tables<PLANE>(k);
        const Entry t = said(both, given);
        Floats loss, lse, d;
        const Floats u = t.scale * z + t.offset;
        Odds odds;
        if (SOFT_TARGET && call.by_label) {
            const Entry &no = both.no, &yes = both.yes;
            const Floats share = given.share, rest = 1.0f - share;
            Floats l0, e0, d0, l1, e1, d1;
            branch(Odds(no.scale * z + no.offset), {no.scale, no.offset, rest * no.a, rest * no.b, t.own}, given.up,
                   rest * given.along, l0, e0, d0);
            branch(Odds(yes.scale * z + yes.offset), {yes.scale, yes.offset, share * yes.a, share * yes.b, t.own}, given.up,
                   share * given.along, l1, e1, d1);
            loss = l0 + l1;
            lse = rest * e0 + share * e1;
            d = d0 + d1;
            if (call.beside.out) odds = Odds(u);
        } else if (PLAIN && !SOFT_TARGET) {
            odds = Odds(given.is ? u : -u);
            single(odds, given.is, t, given.up, given.along, loss, lse, d);
        } else {
            odds = Odds(u);
            branch(odds, t, given.up, given.along, loss, lse, d);
        }
        finish<WHOLE>(at, count, given, odds, loss, t.own, lse, d);
    }

    template <bool WHOLE>
    INLINE void finish(int64_t at, int count, const Given& given, const Odds& odds, Floats loss, Floats own, Floats lse, Floats d) {
        const Ints live = given.live;
        if (call.beside.out || call.beside.regions) beside<WHOLE>(at, count, given, odds, loss, d);
        loss = live ? loss * given.weight : all(0.0f);
        d = live ? d : all(0.0f);
        losses = losses + loss;
        give<WHOLE>(call.loss, at, count, loss);
        if (call.mass) give<WHOLE>(call.mass, at, count, live ? own * given.weight : all(0.0f));
        if (call.lse) give<WHOLE>(call.lse, at, count, live ? lse : all(0.0f));
        if (!call.gradient) return;
        typename T::Type* g = static_cast<typename T::Type*>(call.gradient) + at;
        if (WHOLE) {
            T::store(g, d);
        } else {
            typename T::Type spare[LANES];
            T::store(spare, d);
            std::memcpy(g, spare, count * sizeof(*g));
        }
    }

    // See Beside.
    template <bool WHOLE>
    void beside(int64_t at, int count, const Given& given, const Odds& odds, Floats& loss, Floats& d) {
        const Ints turned = PLAIN && !SOFT_TARGET ? ~given.is : Ints{};  // the odds are those of the label's outcome
        const Floats p = turned ? odds.q : odds.p, q = turned ? odds.p : odds.q;
        Floats size = given.is ? q : p;
        if constexpr (SOFT_TARGET) {
            const Floats off = given.share > 0.5f ? q - (1.0f - given.share) : p - given.share;
            size = off < 0.0f ? -off : off;
        }
        const Floats times = regional(call.beside, size);
        loss = loss * times;
        d = d * times;
        if (!call.beside.out) return;
        const Floats told = call.beside.told == SIZE ? size : p <= q ? p : -larger(q, all(1e-37f));
        give<WHOLE>(call.beside.out, at, count, given.live ? told : all(NAN));
    }

    template <bool WHOLE> INLINE Given read(int64_t at, int count) const {
        Given out{all(1.0f), all(call.factor), all(0.0f), all(0.0f), Ints{}, WHOLE ? ~Ints{} : lane() < count};
        take<WHOLE>(call.weight, at, count, out.weight);
        take<WHOLE>(call.upstream, at, count, out.up);
        take<WHOLE>(call.through, at, count, out.along);
        if constexpr (SOFT_TARGET) {
            switch (call.label) {
                case SOFT_BFLOAT16: take<WHOLE, BF16>(static_cast<const uint16_t*>(call.target), at, count, out.share); break;
                case SOFT_FLOAT16: take<WHOLE, F16>(static_cast<const uint16_t*>(call.target), at, count, out.share); break;
                default: take<WHOLE>(static_cast<const float*>(call.target), at, count, out.share);
            }
        } else {
            switch (call.label) {
                case INT64: labels<WHOLE>(static_cast<const int64_t*>(call.target) + at, count, out); break;
                case INT32: labels<WHOLE>(static_cast<const int32_t*>(call.target) + at, count, out); break;
                default: labels<WHOLE>(static_cast<const uint8_t*>(call.target) + at, count, out);
            }
        }
        if (call.weight) {
            out.live = out.live & (out.weight != 0.0f);
            out.up = out.up * out.weight;
        }
        return out;
    }
    template <bool WHOLE, class Label> INLINE void labels(const Label* from, int count, Given& out) const {
        Label padded[LANES] = {};
        if (!WHOLE) {
            std::memcpy(padded, from, count * sizeof(Label));
            from = padded;
        }
        const Ints y = low_words(from);  // the census has seen to it that there is nothing but 0, 1 and `ignore`
        out.live = out.live & (y != static_cast<int32_t>(call.ignore));
        out.is = (y == 1) & out.live;
    }
    template <bool WHOLE, class From = F32>
    INLINE static void take(const typename From::Type* from, int64_t at, int count, Floats& to) {
        if (!from) return;
        if (WHOLE) {
            to = From::load(from + at);
        } else {
            for (int i = 0; i < count; i++) to[i] = From::one(from + at + i);
        }
    }
    template <bool WHOLE> INLINE static void give(float* to, int64_t at, int count, Floats x) {
        if (!to) return;
        if (WHOLE) {
            F32::store(to + at, x);
        } else {
            for (int i = 0; i < count; i++) to[at + i] = x[i];
        }
    }

    // What was added up since the last time.
    void flush(double& total) {
        total += sum(losses);
        losses = all(0.0f);
    }

    // The class of the logit LANES further on.
    template <bool PLANE> INLINE int64_t next(int64_t k) const {
        if (PLANE || call.period == 1) return k;
        for (k += LANES; k >= call.period;) k -= call.period;
        return k;
    }

    template <bool PLANE> double stretch(int64_t start, int64_t stop, int64_t k) {
        double total = 0;
        const int64_t vectors = (stop - start) / LANES;
        const bool one_by_one = SOFT_TARGET && call.by_label;
        Outcomes<T> outcomes(call, PLANE, k);
        Words flip[BLOCK];
        int64_t at = start;
        for (int64_t v = 0; v < vectors; v += BLOCK) {
            const int here = static_cast<int>(std::min<int64_t>(BLOCK, vectors - v));
            if (alone && signs(call, at, here, flip)) {
                losses = losses + outcomes.block(at, here, k, flip);
                for (int i = 0; i < here; i++, at += LANES) k = next<PLANE>(k);
                flush(total);
                continue;
            }
            if (!one_by_one) block<PLANE>(at, here, k);
            for (int i = 0; i < here; i++, k = next<PLANE>(k), at += LANES)
                if (one_by_one) some<PLANE, true>(at, LANES, k);
            flush(total);
        }
        if (at < stop) some<PLANE, false>(at, static_cast<int>(stop - at), k);
        flush(total);
        return total;
    }
};

template <class T, bool SOFT_TARGET, bool PLAIN> double by_elements(const Sigmoid& call, bool plain) {
    typedef Elements<T, SOFT_TARGET, PLAIN> Unit;
    const bool plane = call.S > 1 && call.period > 1, alone = plain && bare(call);
    const int64_t total = call.N * call.C * call.S, inner = plane ? call.S : total;
    const int64_t each = (inner + STRETCH - 1) / STRETCH;
    return over(total / inner * each, call.threads, [&](int64_t chunk) {
        Unit unit{call, alone};
        const int64_t segment = chunk / each, offset = chunk % each * STRETCH;
        const int64_t start = segment * inner + offset, stop = segment * inner + std::min(inner, offset + STRETCH);
        return plane ? unit.template stretch<true>(start, stop, segment % call.period)
                     : unit.template stretch<false>(start, stop, start % call.period);
    });
}

template <class T> double sigmoid_of(const Sigmoid& call, bool plain) {
    if (call.label >= SOFT) return by_elements<T, true, false>(call, plain);
    return plain ? by_elements<T, false, true>(call, plain) : by_elements<T, false, false>(call, plain);
}

inline double sigmoid(const Sigmoid& call) {
    if (call.N * call.C * call.S == 0) return 0;
    bool plain = true;  // label 0 asks nothing of "is", label 1 nothing of "is not"
    for (int64_t k = 0; k < call.period; k++) plain &= call.yes_share[k] == 0 && call.no_share[call.stride + k] == 0;
    switch (call.type) {
        case BFLOAT16: return sigmoid_of<BF16>(call, plain);
        case FLOAT16: return sigmoid_of<F16>(call, plain);
        default: return sigmoid_of<F32>(call, plain);
    }
}

}  // namespace steelyard::STEELYARD_SET
