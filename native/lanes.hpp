// Softmax of many items side by side, one per lane: few classes, or classes that are planes. See softmax.hpp.
#pragma once

#include <algorithm>
#include <memory>

#include "curves.hpp"
#include "items.hpp"

namespace steelyard::STEELYARD_SET {

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

}  // namespace steelyard::STEELYARD_SET
