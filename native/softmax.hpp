// Softmax cross-entropy: loss, mass, lse and gradient of every item in one pass over the logits.
//
//     u = S[y,c] z_c + O[y,c] - margin_y [c = y],  p = softmax(u)
//     l = sum_c k_c g(log p_c),  k_c = labelled[y] at c = y, give[y] take[c] elsewhere
//     dl/du = h - p sum_c h,  h_c = k_c dg/dlog p_c
//
// `Lanes` holds many items side by side, one per lane: few classes, or classes that are planes. `Row` holds one item, a
// class per lane: long rows. Both keep e^(u - max) in a buffer that stays in the cache.
#pragma once

#include <algorithm>
#include <memory>
#include <type_traits>

#include "curves.hpp"

namespace steelyard::STEELYARD_SET {

constexpr int SHORT = 96;         // classes up to which items of one row lie side by side in lanes
constexpr int64_t CHUNK = 1 << 16;  // logits of one chunk, about: what a thread takes at a time, and what sums are made of

template <class Label> INLINE int64_t label_at(const void* target, int64_t i) {
    return static_cast<int64_t>(static_cast<const Label*>(target)[i]);
}
INLINE int64_t label(const Common& call, int64_t i) {
    switch (call.label) {
        case INT64: return label_at<int64_t>(call.target, i);
        case INT32: return label_at<int32_t>(call.target, i);
        default: return label_at<uint8_t>(call.target, i);
    }
}
INLINE float weight_of(const Common& call, int64_t i) { return call.weight ? call.weight[i] : 1.0f; }
INLINE bool item_counts(const Common& call, int64_t i) {
    return (call.label == SOFT || label(call, i) != call.ignore) && weight_of(call, i) != 0.0f;
}

// Tables by label, for one label or for the labels of many lanes.
INLINE float by_label(const float* table, int64_t y, float absent) { return table ? table[y] : absent; }

// How each item's loss follows from sums over its classes, once these are known.
struct Ends {
    Floats loss, lse;
    Floats at_label, others, through;  // see Lanes::finish
};

// -- many items side by side ------------------------------------------------------------------------------------------

template <class T, bool SOFT_TARGET, int V> struct Lanes {
    static constexpr int ITEMS = V * LANES;
    const Softmax& call;
    const int64_t C;
    const bool smooth, linear;
    std::unique_ptr<float[]> kept;  // [C][ITEMS]: u, then e^(u - m)
    std::unique_ptr<float[]> soft;  // [C][ITEMS]: soft targets, or the h of curves that need every class
    float weight[ITEMS], up[ITEMS], through[ITEMS], labelled[ITEMS], give[ITEMS], own[ITEMS];
    float asked_of[ITEMS];  // sum_c k_c
    int32_t y[ITEMS], valid[ITEMS];
    float takes = 0;
    Floats losses{}, masses{};  // of few vectors, in float32; `Sums` holds them in double
    Ints counted{};
    int waiting = 0;

    explicit Lanes(const Softmax& call)
        : call(call),
          C(call.C),
          smooth(call.give != nullptr || SOFT_TARGET),
          linear(call.yes.kind == LOG && call.no.kind == LOG),
          kept(new float[call.C * ITEMS]),
          soft(smooth && (SOFT_TARGET || !linear) ? new float[2 * call.C * ITEMS] : nullptr) {
        for (int i = 0; i < ITEMS; i++) {
            weight[i] = labelled[i] = own[i] = asked_of[i] = 1.0f;
            up[i] = call.factor;
            through[i] = give[i] = 0.0f;
            y[i] = 0;  // what depends on the label is the same for all where targets are soft
        }
        for (int64_t c = 0; call.take && c < C; c++) takes += call.take[c];
    }

    // What was added up since the last time.
    void flush(Sums& sums) {
        sums.loss += sum(losses);
        sums.mass += sum(masses);
        for (int i = 0; i < LANES; i++) sums.count -= counted[i];
        losses = masses = all(0.0f);
        counted = Ints{};
        waiting = 0;
    }

    // Items first..first+count, which are neighbours in one plane (S > 1, n fixed) or rows (S = 1).
    void run(int64_t n, int64_t first, int count, Sums& sums) {
        const int64_t S = call.S, at = n * S + first;  // of item
        read(at, count);
        const typename T::Type* z = static_cast<const typename T::Type*>(call.logits) + (S > 1 ? n * C * S + first : at * C);
        typename T::Type* g = static_cast<typename T::Type*>(call.gradient);
        if (g) g += S > 1 ? n * C * S + first : at * C;
        if (S > 1) {
            load_planes(z, count, kept.get());
        } else {
            load_rows(z, count, kept.get());
        }
        if constexpr (SOFT_TARGET) load_soft(at, n, first, count);
        for (int v = 0; v < V; v++) one(v, at, std::min(count - v * LANES, LANES), g != nullptr);
        waiting += V;
        if (waiting >= 64) flush(sums);
        if (!g) return;
        if (S > 1) {
            store_planes(g, count);
        } else {
            store_rows(g, count);
        }
    }

  private:
    template <class Label> void read_labels(const Label* from, int count) {
        const int64_t ignore = call.ignore;
        for (int i = 0; i < count; i++) {
            const bool there = static_cast<int64_t>(from[i]) != ignore;
            y[i] = there ? static_cast<int32_t>(from[i]) : 0;
            valid[i] = -static_cast<int32_t>(there);
        }
    }

    // Labels and what depends on them; the constructor has filled in what does not.
    void read(int64_t at, int count) {
        if constexpr (SOFT_TARGET) {
            for (int i = 0; i < count; i++) valid[i] = -1;
        } else {
            switch (call.label) {
                case INT64: read_labels(static_cast<const int64_t*>(call.target) + at, count); break;
                case INT32: read_labels(static_cast<const int32_t*>(call.target) + at, count); break;
                default: read_labels(static_cast<const uint8_t*>(call.target) + at, count);
            }
        }
        for (int i = count; i < ITEMS; i++) y[i] = valid[i] = 0;
        if (call.weight)
            for (int i = 0; i < count; i++) {
                weight[i] = call.weight[at + i];
                valid[i] = weight[i] == 0.0f ? 0 : valid[i];
            }
        if (call.upstream)
            for (int i = 0; i < count; i++) up[i] = call.upstream[at + i] * weight[i];
        else if (call.weight)
            for (int i = 0; i < count; i++) up[i] = call.factor * weight[i];
        if (call.through)
            for (int i = 0; i < count; i++) through[i] = call.through[at + i];
        if constexpr (SOFT_TARGET) return;
        if (call.labelled)
            for (int i = 0; i < ITEMS; i++) labelled[i] = call.labelled[y[i]];
        if (call.own)
            for (int i = 0; i < ITEMS; i++) own[i] = call.own[y[i]];
        if (call.give)
            for (int i = 0; i < ITEMS; i++) {
                give[i] = call.give[y[i]];
                asked_of[i] = labelled[i] + give[i] * (takes - call.take[y[i]]);
            }
    }

    void load_planes(const typename T::Type* z, int count, float* to) {
        const int64_t S = call.S;
        if (count == ITEMS) {
            for (int64_t c = 0; c < C; c++)
                for (int v = 0; v < V; v++) F32::store(to + c * ITEMS + v * LANES, T::load(z + c * S + v * LANES));
            return;
        }
        for (int64_t c = 0; c < C; c++)
            for (int i = 0; i < ITEMS; i++) to[c * ITEMS + i] = i < count ? T::one(z + c * S + i) : 0.0f;
    }

    void load_rows(const typename T::Type* z, int count, float* to) {
        for (int i = 0; i < count; i++)
            for (int64_t c = 0; c < C; c++) to[c * ITEMS + i] = T::one(z + i * C + c);
        for (int i = count; i < ITEMS; i++)
            for (int64_t c = 0; c < C; c++) to[c * ITEMS + i] = 0.0f;
    }

    // soft[c] = t_c; mass, labelled and give become what the item asks on average
    void load_soft(int64_t at, int64_t n, int64_t first, int count) {
        const float* t = static_cast<const float*>(call.target);
        const int64_t S = call.S;
        t += S > 1 ? n * C * S + first : at * C;
        for (int i = 0; i < ITEMS; i++) own[i] = give[i] = 0.0f;
        for (int64_t c = 0; c < C; c++)
            for (int i = 0; i < ITEMS; i++) {
                const float share = i < count ? (S > 1 ? t[c * S + i] : t[i * C + c]) : 0.0f;
                soft[c * ITEMS + i] = share;
                own[i] += share * by_label(call.own, c, 1.0f);
                give[i] += share * by_label(call.give, c, 0.0f);
            }
    }

    INLINE Floats at_labels(const float* table, int v) const {
        Floats out;
        for (int i = 0; i < LANES; i++) out[i] = table[y[v * LANES + i]];
        return out;
    }

    INLINE Ints is_label(int v, int64_t c) const {
        Ints labels;
        std::memcpy(&labels, y + v * LANES, sizeof(labels));
        return SOFT_TARGET ? Ints{} : labels == static_cast<int32_t>(c);
    }

    // The scale of class c for the labels of these lanes, or the offset.
    INLINE Floats entry(const Table& table, const Floats& row, int v, int64_t c, bool scale) const {
        if (table.full) {
            Floats out;
            for (int i = 0; i < LANES; i++) out[i] = table.full[y[v * LANES + i] * C + c];
            return out;
        }
        if (!table.column) return row;
        return scale ? row * table.column[c] : row + table.column[c];
    }

    // What class c asks: (through g of the labelled class, through g of the others)
    INLINE void asked(int v, int64_t c, Floats& yes, Floats& no) const {
        const float take = call.take ? call.take[c] : 0.0f;
        const Floats gives = F32::load(give + v * LANES);
        if constexpr (SOFT_TARGET) {
            const Floats t = F32::load(soft.get() + c * ITEMS + v * LANES);
            yes = t * by_label(call.labelled, c, 1.0f);
            no = call.give ? (gives - t * call.give[c]) * take : all(0.0f);
        } else {
            const Ints label = is_label(v, c);
            yes = label ? F32::load(labelled + v * LANES) : all(0.0f);
            no = label ? all(0.0f) : gives * take;
        }
    }

    void one(int v, int64_t at, int count, bool gradient) {
        float* u = kept.get() + v * LANES;
        const bool scaled = call.scale.row || call.scale.column || call.scale.full;
        const bool moved = call.offset.row || call.offset.column || call.offset.full;
        const Floats scale_row = call.scale.row ? at_labels(call.scale.row, v) : all(1.0f);
        const Floats offset_row = call.offset.row ? at_labels(call.offset.row, v) : all(0.0f);
        Ints live;
        std::memcpy(&live, valid + v * LANES, sizeof(live));

        Floats m = all(-INF), at_y = all(0.0f);
        const Floats margin = call.margin && !SOFT_TARGET ? at_labels(call.margin, v) : all(0.0f);
        for (int64_t c = 0; c < C; c++) {
            Floats x = F32::load(u + c * ITEMS);
            if (scaled) x = x * entry(call.scale, scale_row, v, c, true);
            if (moved) x = x + entry(call.offset, offset_row, v, c, false);
            const Ints label = is_label(v, c);
            if (call.margin) x = label ? x - margin : x;
            if (scaled || moved || call.margin) F32::store(u + c * ITEMS, x);
            at_y = label ? x : at_y;
            m = larger(m, x);
        }

        Floats others = all(0.0f), e_y = all(0.0f), weighed = all(0.0f), asked_for = all(0.0f);
        if (!smooth) {
            for (int64_t c = 0; c < C; c++) {
                const Floats e = exp(F32::load(u + c * ITEMS) - m);
                const Ints label = is_label(v, c);
                others = others + (label ? all(0.0f) : e);
                e_y = label ? e : e_y;
                F32::store(u + c * ITEMS, e);
            }
        } else if (linear && !SOFT_TARGET) {
            for (int64_t c = 0; c < C; c++) {
                const Floats below = F32::load(u + c * ITEMS) - m, e = exp(below);
                const Ints label = is_label(v, c);
                others = others + (label ? all(0.0f) : e);
                e_y = label ? e : e_y;
                if (const float take = call.take[c]; take != 0) weighed = weighed + (label ? all(0.0f) : below * take);
                F32::store(u + c * ITEMS, e);
            }
            const Floats gives = F32::load(give + v * LANES);
            weighed = gives == 0.0f ? all(0.0f) : weighed * gives;
            asked_for = F32::load(asked_of + v * LANES);
        } else {
            for (int64_t c = 0; c < C; c++) {
                const Floats below = F32::load(u + c * ITEMS) - m, e = exp(below);
                const Ints label = is_label(v, c);
                others = others + (label ? all(0.0f) : e);
                e_y = label ? e : e_y;
                Floats yes, no;
                asked(v, c, yes, no);
                const Floats k = yes + no;
                asked_for = asked_for + k;
                // the label's own term comes later, with the digits that u - m loses
                weighed = weighed + ((k == 0.0f) | label ? all(0.0f) : k * below);
                if (!linear) F32::store(soft.get() + (C + c) * ITEMS + v * LANES, below);
                F32::store(u + c * ITEMS, e);
            }
        }
        const Floats total = others + e_y, inverse = 1.0f / total, log_total = log(total);
        const Floats lse = m + log_total;
        const Floats q = others * inverse;
        const Floats logp = q < 0.5f ? log1p(-q) : (at_y - m) - log_total;
        const Floats upstream = F32::load(up + v * LANES), along = F32::load(through + v * LANES);
        const Floats own_k = F32::load(labelled + v * LANES);

        Floats loss;
        if (!smooth) {
            loss = penalty(own_k, call.yes, logp, q);
            if (gradient) {
                const Floats h = own_k * slope(call.yes, logp, q) * upstream;
                const Floats elsewhere = (along - h) * inverse, here = h * q + along * (e_y * inverse);
                for (int64_t c = 0; c < C; c++) {
                    Floats d = is_label(v, c) ? here : F32::load(u + c * ITEMS) * elsewhere;
                    if (scaled) d = d * entry(call.scale, scale_row, v, c, true);
                    F32::store(u + c * ITEMS, live ? d : all(0.0f));
                }
            }
        } else if (linear) {
            const Floats rest = SOFT_TARGET ? asked_for : asked_for - own_k;
            loss = rest * log_total - weighed;
            if (!SOFT_TARGET) loss = loss + penalty(own_k, call.yes, logp, q);
            const Floats rise = (asked_for * upstream + along) * inverse;
            const Floats here = (rest - asked_for * q) * upstream + along * (e_y * inverse);
            const Floats gives = F32::load(give + v * LANES) * upstream;
            if (gradient)
                for (int64_t c = 0; c < C; c++) {
                    Floats d = F32::load(u + c * ITEMS) * rise;
                    if constexpr (SOFT_TARGET) {
                        Floats yes, no;
                        asked(v, c, yes, no);
                        d = d - (yes + no) * upstream;
                    } else {
                        d = is_label(v, c) ? here : d - gives * call.take[c];
                    }
                    if (scaled) d = d * entry(call.scale, scale_row, v, c, true);
                    F32::store(u + c * ITEMS, live ? d : all(0.0f));
                }
        } else {
            loss = curved(v, inverse, log_total, upstream, along, gradient, scaled, scale_row, live);
        }

        const Floats s = F32::load(weight + v * LANES);
        loss = live ? loss * s : all(0.0f);
        const Floats mass = live ? s * F32::load(own + v * LANES) : all(0.0f);
        losses = losses + loss;
        masses = masses + mass;
        counted = counted + live;
        if (count <= 0) return;
        give_out(call.loss, at + v * LANES, count, loss);
        give_out(call.mass, at + v * LANES, count, mass);
        give_out(call.lse, at + v * LANES, count, live ? lse : all(0.0f));
    }

    INLINE static void give_out(float* to, int64_t at, int count, Floats x) {
        if (!to) return;
        if (count == LANES) {
            F32::store(to + at, x);
        } else {
            for (int i = 0; i < count; i++) to[at + i] = x[i];
        }
    }

    // A curve over every class: h_c needs log p_c and 1 - p_c of each.
    Floats curved(int v, Floats inverse, Floats log_total, Floats upstream, Floats along, bool gradient, bool scaled,
                  Floats scale_row, Ints live) {
        float* e = kept.get() + v * LANES;
        float* h = soft.get() + C * ITEMS + v * LANES;  // u - m, then h
        Floats unlikely = all(0.0f);
        for (int64_t c = 0; c < C; c++) {
            const Floats p = F32::load(e + c * ITEMS) * inverse;
            unlikely = unlikely + (p > 0.5f ? all(0.0f) : p);
        }
        const Floats top = log1p(-unlikely);
        Floats loss = all(0.0f), pull = all(0.0f);
        for (int64_t c = 0; c < C; c++) {
            const Floats p = F32::load(e + c * ITEMS) * inverse;
            const Ints likely = p > 0.5f;
            const Floats logp = likely ? top : F32::load(h + c * ITEMS) - log_total;
            const Floats q = likely ? unlikely : -expm1(logp);
            Floats yes, no;
            asked(v, c, yes, no);
            Floats d;
            if (call.yes == call.no) {
                loss = loss + penalty(yes + no, call.yes, logp, q);
                d = (yes + no) * slope(call.yes, logp, q);
            } else {
                loss = loss + penalty(yes, call.yes, logp, q) + penalty(no, call.no, logp, q);
                d = yes * slope(call.yes, logp, q) + no * slope(call.no, logp, q);
            }
            pull = pull + d;
            F32::store(h + c * ITEMS, d);
        }
        if (gradient)
            for (int64_t c = 0; c < C; c++) {
                const Floats p = F32::load(e + c * ITEMS) * inverse;
                Floats d = (F32::load(h + c * ITEMS) - p * pull) * upstream + p * along;
                if (scaled) d = d * entry(call.scale, scale_row, v, c, true);
                F32::store(e + c * ITEMS, live ? d : all(0.0f));
            }
        return loss;
    }

    void store_planes(typename T::Type* g, int count) {
        const int64_t S = call.S;
        const float* from = kept.get();
        if (count == ITEMS) {
            for (int64_t c = 0; c < C; c++)
                for (int v = 0; v < V; v++) T::store(g + c * S + v * LANES, F32::load(from + c * ITEMS + v * LANES));
            return;
        }
        for (int64_t c = 0; c < C; c++)
            for (int i = 0; i < count; i++) T::put(g + c * S + i, from[c * ITEMS + i]);
    }

    void store_rows(typename T::Type* g, int count) {
        for (int i = 0; i < count; i++)
            for (int64_t c = 0; c < C; c++) T::put(g + i * C + c, kept[c * ITEMS + i]);
    }
};

// -- one item, its classes side by side -------------------------------------------------------------------------------

template <class T> struct Row {
    const Softmax& call;
    const int64_t C, padded;
    const bool smooth, linear, soft_target;
    std::unique_ptr<float[]> kept;  // [padded]: u, then e^(u - m); -inf, then 0, beyond C
    std::unique_ptr<float[]> below, h;
    float takes = 0;

    explicit Row(const Softmax& call)
        : call(call),
          C(call.C),
          padded((call.C + LANES - 1) / LANES * LANES),
          smooth(call.give != nullptr || call.label == SOFT),
          linear(call.yes.kind == LOG && call.no.kind == LOG),
          soft_target(call.label == SOFT),
          kept(new float[padded]),
          below(smooth && !linear ? new float[padded] : nullptr),
          h(smooth && !linear ? new float[padded] : nullptr) {
        for (int64_t c = 0; call.take && c < C; c++) takes += call.take[c];
    }

    void run(int64_t i, Sums& sums) {
        const typename T::Type* z = static_cast<const typename T::Type*>(call.logits) + i * C;
        typename T::Type* g = static_cast<typename T::Type*>(call.gradient);
        if (g) g += i * C;
        if (!item_counts(call, i)) {
            if (g) std::fill(g, g + C, typename T::Type(0));
            if (call.loss) call.loss[i] = 0;
            if (call.mass) call.mass[i] = 0;
            if (call.lse) call.lse[i] = 0;
            return;
        }
        const int64_t y = soft_target ? -1 : label(call, i);
        const float s = weight_of(call, i);
        const float up = s * (call.upstream ? call.upstream[i] : call.factor), along = call.through ? call.through[i] : 0;
        const float* t = soft_target ? static_cast<const float*>(call.target) + i * C : nullptr;

        float own_k = 0, gives = 0, mass = 0;
        if (soft_target) {
            for (int64_t c = 0; c < C; c++) {
                mass += t[c] * by_label(call.own, c, 1.0f);
                gives += t[c] * by_label(call.give, c, 0.0f);
            }
        } else {
            own_k = by_label(call.labelled, y, 1.0f);
            gives = by_label(call.give, y, 0.0f);
            mass = by_label(call.own, y, 1.0f);
        }

        // 1: u and its maximum
        const float scale_row = by_label(call.scale.row, std::max<int64_t>(y, 0), 1.0f);
        const float offset_row = by_label(call.offset.row, std::max<int64_t>(y, 0), 0.0f);
        const float* scale_full = call.scale.full ? call.scale.full + y * C : nullptr;
        const float* offset_full = call.offset.full ? call.offset.full + y * C : nullptr;
        const float* scales = scale_full ? scale_full : call.scale.column;
        const float* offsets = offset_full ? offset_full : call.offset.column;
        const float scale_all = scale_full ? 1.0f : scale_row, offset_all = offset_full ? 0.0f : offset_row;
        const bool scaled = scales || scale_all != 1.0f, moved = offsets || offset_all != 0.0f;
        float* u = kept.get();
        const float margin = call.margin && y >= 0 ? call.margin[y] : 0.0f;
        const float* from = u;  // where u is read from: the logits themselves, if nothing changes them
        float m;
        if (std::is_same_v<T, F32> && !scaled && !moved && margin == 0 && !smooth) {
            from = reinterpret_cast<const float*>(z);
            m = maximum<false>(z, u, scales, scale_all, offsets, offset_all, scaled, moved);
        } else {
            m = maximum<true>(z, u, scales, scale_all, offsets, offset_all, scaled, moved);
        }
        if (margin != 0) {
            u[y] -= margin;
            m = margin > 0 ? again(u) : std::max(m, u[y]);  // the label may have been the maximum
        }

        // 2: e^(u - m), the label's apart: the vector that holds it and the last one are the only ones that have to know
        const float u_y = y < 0 ? 0.0f : from[y];
        float asked_for = 0, weighed = 0;
        if (smooth && (soft_target || !linear)) sum_of_asked(u, m, t, gives, y, own_k, asked_for, weighed);
        if (below)
            for (int64_t c = 0; c < padded; c += LANES) F32::store(below.get() + c, F32::load(u + c) - m);
        const float* take = smooth && linear && !soft_target ? call.take : nullptr;
        const int64_t whole = C / LANES * LANES, special = y < 0 ? whole : y / LANES * LANES;
        Floats total_e = all(0.0f), taken = all(0.0f);
        if (take) {
            powers<true>(from, u, 0, std::min(special, whole), m, take, total_e, taken);
            powers<true>(from, u, special + LANES, whole, m, take, total_e, taken);
        } else {
            powers<false>(from, u, 0, std::min(special, whole), m, take, total_e, taken);
            powers<false>(from, u, special + LANES, whole, m, take, total_e, taken);
        }
        if (special < whole) guarded(from, u, special, y, m, take, total_e, taken);
        if (whole < C) guarded(from, u, whole, y, m, take, total_e, taken);
        if (take) {
            asked_for = own_k + gives * (takes - take[y]);
            weighed = gives == 0 ? 0 : gives * sum(taken);
        }
        const float others = sum(total_e);
        const float e_y = y < 0 ? 0.0f : exp(all(u_y - m))[0];
        const float total = others + e_y, inverse = 1.0f / total, log_total = log(all(total))[0], q = others * inverse;
        const float logp = q < 0.5f ? log1p(all(-q))[0] : (u_y - m) - log_total;

        // 3: the loss, and the gradient in place of e
        float loss;
        if (!smooth) {
            loss = penalty(all(own_k), call.yes, all(logp), all(q))[0];
            if (g) {
                const float h_y = own_k * slope(call.yes, all(logp), all(q))[0] * up;
                const float elsewhere = (along - h_y) * inverse, here = h_y * q + along * (e_y * inverse);
                write(g, u, elsewhere, scales, scale_all, scaled);
                put(g, y, here, scales, scale_all);
            }
        } else if (linear) {
            const float rest = asked_for - own_k;
            loss = rest * log_total - weighed;
            if (!soft_target) loss += penalty(all(own_k), call.yes, all(logp), all(q))[0];
            if (g) {
                if (y >= 0) u[y] = e_y;
                const Floats rise = all((asked_for * up + along) * inverse);
                int64_t at = 0;
                if (take && !scaled)
                    for (const float share = up * gives; at + LANES <= C; at += LANES)
                        T::store(g + at, F32::load(u + at) * rise - F32::load(take + at) * share);
                for (; at < C; at += LANES)
                    write_some(g, at, F32::load(u + at) * rise - up * asked(at, t, gives), scales, scale_all, scaled);
                if (y >= 0) put(g, y, (rest - asked_for * q) * up + along * (e_y * inverse), scales, scale_all);
            }
        } else {
            if (y >= 0) {
                u[y] = e_y;
                below[y] = u_y - m;
            }
            loss = curved(g, u, t, gives, y, own_k, inverse, log_total, up, along, scales, scale_all, scaled);
        }
        loss *= s;
        sums.loss += loss;
        sums.mass += s * mass;
        sums.count += 1;
        if (call.loss) call.loss[i] = loss;
        if (call.mass) call.mass[i] = s * mass;
        if (call.lse) call.lse[i] = m + log_total;
    }

  private:
    // take * below, where what takes nothing adds nothing
    INLINE static Floats skip_nothing(Floats below, Floats take) { return take == 0.0f ? all(0.0f) : take * below; }

    // e^(u - m) for whole vectors of classes start..stop; adds up these, and take (u - m)
    template <bool TAKE>
    INLINE void powers(const float* from, float* to, int64_t start, int64_t stop, float m, const float* take, Floats& total,
                       Floats& taken) const {
        Floats s0 = all(0.0f), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0;
        auto step = [&](int64_t c, Floats& sum, Floats& share) INLINE_LAMBDA {
            const Floats below = F32::load(from + c) - m, e = exp(below);
            if constexpr (TAKE) share = share + skip_nothing(below, F32::load(take + c));
            F32::store(to + c, e);
            sum = sum + e;
        };
        int64_t c = start;
        for (; c + 4 * LANES <= stop; c += 4 * LANES) {
            step(c, s0, t0);
            step(c + LANES, s1, t1);
            step(c + 2 * LANES, s2, t0);
            step(c + 3 * LANES, s3, t1);
        }
        for (; c < stop; c += LANES) step(c, s0, t0);
        total = total + ((s0 + s1) + (s2 + s3));
        if constexpr (TAKE) taken = taken + (t0 + t1);
    }

    // The same for one vector in which the label y, or what is beyond the last class, counts for nothing.
    void guarded(const float* from, float* to, int64_t c, int64_t y, float m, const float* take, Floats& total,
                 Floats& taken) const {
        float x[LANES];
        const int64_t there = std::min<int64_t>(LANES, C - c);
        for (int i = 0; i < LANES; i++) x[i] = -INF;
        for (int i = 0; i < there; i++) x[i] = from[c + i];
        const Ints out = (lane() >= static_cast<int32_t>(there)) | (lane() == static_cast<int32_t>(y < 0 ? -1 : std::min<int64_t>(y - c, LANES)));
        const Floats below = F32::load(x) - m, e = out ? all(0.0f) : exp(below);
        if (take) taken = taken + (out ? all(0.0f) : skip_nothing(below, table_at(take, c)));
        F32::store(to + c, e);
        total = total + e;
    }

    // LANES numbers of a table, 0 beyond its end
    INLINE Floats table_at(const float* table, int64_t c) const {
        if (c + LANES <= C) return F32::load(table + c);
        float x[LANES] = {};
        for (int64_t i = c; i < C; i++) x[i - c] = table[i];
        return F32::load(x);
    }

    // u in the buffer, -inf beyond the last class, and its maximum; without STORE only that
    template <bool STORE>
    float maximum(const typename T::Type* z, float* u, const float* scales, float scale_all, const float* offsets,
                  float offset_all, bool scaled, bool moved) const {
        Floats m0 = all(-INF), m1 = m0, m2 = m0, m3 = m0;
        const int64_t whole = C / LANES * LANES;
        int64_t c = 0;
        if (!scaled && !moved) {
            auto step = [&](int64_t at, Floats& most) INLINE_LAMBDA {
                const Floats x = T::load(z + at);
                if constexpr (STORE) F32::store(u + at, x);
                most = larger(most, x);
            };
            for (; c + 4 * LANES <= whole; c += 4 * LANES) {
                step(c, m0);
                step(c + LANES, m1);
                step(c + 2 * LANES, m2);
                step(c + 3 * LANES, m3);
            }
            for (; c < whole; c += LANES) step(c, m0);
        } else {
            for (; c < whole; c += LANES) {
                Floats x = T::load(z + c);
                if (scaled) x = x * (scales ? F32::load(scales + c) * scale_all : all(scale_all));
                if (moved) x = x + (offsets ? F32::load(offsets + c) + offset_all : all(offset_all));
                F32::store(u + c, x);
                m0 = larger(m0, x);
            }
        }
        float most = largest(larger(larger(m0, m1), larger(m2, m3)));
        for (; c < C; c++) {
            float x = T::one(z + c);
            if (scaled) x *= scales ? scales[c] * scale_all : scale_all;
            if (moved) x += offsets ? offsets[c] + offset_all : offset_all;
            if constexpr (STORE) u[c] = x;
            most = most > x ? most : x;
        }
        if constexpr (STORE)
            for (; c < padded; c++) u[c] = -INF;
        return most;
    }
    // The label may have been the maximum before its margin was taken off.
    float again(const float* u) const {
        Floats found = all(-INF);
        for (int64_t c = 0; c < padded; c += LANES) found = larger(found, F32::load(u + c));
        return largest(found);
    }

    // k_c for classes at..at+LANES, but for a hard label's own class, which is not among them
    INLINE Floats asked(int64_t at, const float* t, float gives) const {
        Floats yes, no;
        both(at, t, gives, yes, no);
        return yes + no;
    }
    INLINE void both(int64_t at, const float* t, float gives, Floats& yes, Floats& no) const {
        const Floats take = call.take ? table_at(call.take, at) : all(0.0f);
        if (!t) {
            yes = all(0.0f);
            no = take * gives;
            return;
        }
        const Floats share = table_at(t, at);
        yes = call.labelled ? share * table_at(call.labelled, at) : share;
        no = call.give ? (gives - share * table_at(call.give, at)) * take : all(0.0f);
    }

    // asked_for = sum_c k_c; weighed = sum_c k_c (u_c - m), without the label
    void sum_of_asked(const float* u, float m, const float* t, float gives, int64_t y, float own_k, float& asked_for,
                      float& weighed) const {
        Floats k_sum = all(0.0f), w_sum = all(0.0f);
        for (int64_t c = 0; c < C; c += LANES) {
            Floats k = asked(c, t, gives);
            for (int i = 0; i < LANES; i++)
                if (c + i == y || c + i >= C) k[i] = 0;
            k_sum = k_sum + k;
            w_sum = w_sum + (k == 0.0f ? all(0.0f) : k * (F32::load(u + c) - m));
        }
        asked_for = sum(k_sum) + own_k;
        weighed = sum(w_sum);
    }

    INLINE void write_some(typename T::Type* g, int64_t c, Floats d, const float* scales, float scale_all, bool scaled) const {
        if (scaled) d = d * (scales ? table_at(scales, c) * scale_all : all(scale_all));
        if (c + LANES <= C) {
            T::store(g + c, d);
        } else {
            for (int i = 0; c + i < C; i++) T::put(g + c + i, d[i]);
        }
    }
    INLINE void put(typename T::Type* g, int64_t c, float d, const float* scales, float scale_all) const {
        T::put(g + c, d * (scales ? scales[c] * scale_all : scale_all));
    }
    void write(typename T::Type* g, const float* e, float factor, const float* scales, float scale_all, bool scaled) const {
        const int64_t whole = C / LANES * LANES;
        int64_t c = 0;
        if (!scaled)
            for (; c < whole; c += LANES) T::store(g + c, F32::load(e + c) * factor);
        for (; c < C; c += LANES) write_some(g, c, F32::load(e + c) * factor, scales, scale_all, scaled);
    }

    float curved(typename T::Type* g, const float* e, const float* t, float gives, int64_t y, float own_k, float inverse,
                 float log_total, float up, float along, const float* scales, float scale_all, bool scaled) {
        Floats unlikely_sum = all(0.0f);
        for (int64_t c = 0; c < padded; c += LANES) {
            const Floats p = F32::load(e + c) * inverse;
            unlikely_sum = unlikely_sum + (p > 0.5f ? all(0.0f) : p);
        }
        const Floats unlikely = all(sum(unlikely_sum)), top = log1p(-unlikely);
        Floats loss = all(0.0f), pull = all(0.0f);
        for (int64_t c = 0; c < C; c += LANES) {
            const Floats p = F32::load(e + c) * inverse;
            const Ints likely = p > 0.5f;
            const Floats logp = likely ? top : F32::load(below.get() + c) - log_total;
            const Floats q = likely ? unlikely : -expm1(logp);
            Floats yes, no;
            both(c, t, gives, yes, no);
            for (int i = 0; i < LANES; i++) {
                if (c + i == y) {
                    yes[i] = own_k;
                    no[i] = 0;
                }
                if (c + i >= C) yes[i] = no[i] = 0;
            }
            Floats d;
            if (call.yes == call.no) {
                loss = loss + penalty(yes + no, call.yes, logp, q);
                d = (yes + no) * slope(call.yes, logp, q);
            } else {
                loss = loss + penalty(yes, call.yes, logp, q) + penalty(no, call.no, logp, q);
                d = yes * slope(call.yes, logp, q) + no * slope(call.no, logp, q);
            }
            pull = pull + d;
            F32::store(h.get() + c, d);
        }
        if (g) {
            const Floats whole = all(sum(pull));
            for (int64_t c = 0; c < C; c += LANES) {
                const Floats p = F32::load(e + c) * inverse;
                write_some(g, c, (F32::load(h.get() + c) - p * whole) * up + p * along, scales, scale_all, scaled);
            }
        }
        return sum(loss);
    }
};

// -- all items --------------------------------------------------------------------------------------------------------

template <class Do> Sums over(int64_t chunks, int threads, const Do& work) {
    std::unique_ptr<Sums[]> found(new Sums[chunks]);
    auto one = [&](int64_t chunk) { found[chunk] = work(chunk); };
    spread(chunks, threads, [](void* state, int64_t chunk) { (*static_cast<decltype(one)*>(state))(chunk); }, &one);
    Sums all;
    for (int64_t i = 0; i < chunks; i++) {
        all.loss += found[i].loss;
        all.mass += found[i].mass;
        all.count += found[i].count;
    }
    return all;
}

template <class T, bool SOFT_TARGET, int V> Sums by_lanes(const Softmax& call) {
    typedef Lanes<T, SOFT_TARGET, V> Unit;
    const int64_t span = std::max<int64_t>(Unit::ITEMS, CHUNK / call.C / Unit::ITEMS * Unit::ITEMS);
    const int64_t outer = call.S > 1 ? call.N : 1, inner = call.S > 1 ? call.S : call.N;
    const int64_t each = (inner + span - 1) / span;
    return over(outer * each, call.threads, [&](int64_t chunk) {
        Unit unit(call);
        Sums sums;
        const int64_t n = chunk / each, start = chunk % each * span, stop = std::min(inner, start + span);
        for (int64_t i = start; i < stop; i += Unit::ITEMS)
            unit.run(call.S > 1 ? n : 0, i, static_cast<int>(std::min<int64_t>(Unit::ITEMS, stop - i)), sums);
        unit.flush(sums);
        return sums;
    });
}

template <class T> Sums softmax_of(const Softmax& call) {
    if (call.N * call.S == 0 || call.C == 0) return {};
    const bool soft = call.label == SOFT;
    if (call.S > 1 || call.C <= SHORT) {
        constexpr int WIDE = 64 / LANES;
        if (call.S > 1 && call.C <= 24) return soft ? by_lanes<T, true, 4 * WIDE>(call) : by_lanes<T, false, 4 * WIDE>(call);
        if (call.C <= 128) return soft ? by_lanes<T, true, WIDE>(call) : by_lanes<T, false, WIDE>(call);
        return soft ? by_lanes<T, true, 1>(call) : by_lanes<T, false, 1>(call);
    }
    const int64_t span = std::max<int64_t>(1, CHUNK / call.C);
    return over((call.N + span - 1) / span, call.threads, [&](int64_t chunk) {
        Row<T> unit(call);
        Sums sums;
        for (int64_t i = chunk * span; i < std::min(call.N, (chunk + 1) * span); i++) unit.run(i, sums);
        return sums;
    });
}

inline Sums softmax(const Softmax& call) {
    switch (call.type) {
        case BFLOAT16: return softmax_of<BF16>(call);
        case FLOAT16: return softmax_of<F16>(call);
        default: return softmax_of<F32>(call);
    }
}

}  // namespace steelyard::STEELYARD_SET
