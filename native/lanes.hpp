// Softmax of many items side by side, one per lane: few classes, or classes that are planes. See softmax.hpp.
//
// A block of items goes through passes whose turns do not wait for one another: the logits and their largest, the exponentials,
// the loss, the gradient. Logits are read once and gradients written once, a line of the cache of one plane at a time; what lies
// between stays in the nearest cache. What is ignored counts as zeros, so that no pass has to know.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "curves.hpp"
#include "items.hpp"

namespace steelyard::STEELYARD_SET {

constexpr int64_t PAST = int64_t(1) << 22;  // logits whose gradient goes past the caches

template <class T, bool SOFT_TARGET, int V> struct Lanes {
    typedef typename T::Type Type;
    static constexpr int ITEMS = V * LANES;
    static constexpr int GROUP = V < 4 ? V : 4;  // vectors side by side in registers
#if defined(__AVX512F__) || defined(__aarch64__)
    static constexpr int PAIR = 2;  // the same where each takes many of them: there are 32
#else
    static constexpr int PAIR = 1;
#endif
    const Softmax& call;
    const int64_t C;
    const bool smooth, linear, scaled, moved;
    const bool plain_columns;  // scale and offset are those of a class, whatever the label
    const bool past;  // the gradient is too large for the caches, and has memory of its own
    Buffer kept;  // [C][ITEMS]: u, then e^(u - top), then the gradient
    Buffer rows;  // [ITEMS][C]: rows of half precision, widened
    std::unique_ptr<int32_t[]> places;  // [C][LANES]: where in `kept` the numbers of LANES rows lie, in the order of the rows
    Buffer powers;  // [C][ITEMS]: e^(u - top), where curves of every class need u beside it
    Buffer soft;  // [C][ITEMS]: soft targets; [C][ITEMS]: u - top, then h, of curves that need every class
    Buffer asked_by;  // [C]: sum_c k_c of a label
    Buffer columns;   // [2, C]: scale and offset of a class, 1 and 0 where there are none
    const Lookup labelled_by, own_by, give_by, asked_table, scale_by, offset_by, margin_by;

    // of each item
    alignas(64) float weight[ITEMS], up[ITEMS], through[ITEMS], labelled[ITEMS], give[ITEMS], own[ITEMS];
    alignas(64) float asked_of[ITEMS];  // sum_c k_c
    alignas(64) int32_t y[ITEMS], valid[ITEMS];
    bool whole = false;  // nothing in the block is ignored or beyond its end

    // of a vector of items, from pass to pass
    struct Found {
        Floats top, below_label, others, e_label, weighed, asked;
        Floats under;  // the sum of what is less than e^0
        Floats inverse, log_total, logp, p, q, times;
        Floats rise, here, gives;  // what the gradient of every class follows from
    };
    Found found[V];

    Floats losses{};  // of few vectors, in float32: their sums are double
    int waiting = 0;
    const Type* ahead = nullptr;  // the next block's logits

    explicit Lanes(const Softmax& call)
        : call(call),
          C(call.C),
          smooth(call.give != nullptr || SOFT_TARGET),
          linear(call.yes.kind == LOG && call.no.kind == LOG),
          scaled(call.scale.row || call.scale.column || call.scale.full),
          moved(call.offset.row || call.offset.column || call.offset.full),
          plain_columns((scaled || moved) && !call.scale.row && !call.scale.full && !call.offset.row && !call.offset.full && !call.margin),
          past(call.gradient != call.logits && call.N * call.C * call.S >= PAST),
          kept(buffer(call.C * ITEMS)),
          powers(smooth && !SOFT_TARGET && !linear ? buffer(call.C * ITEMS) : nullptr),
          soft(SOFT_TARGET ? buffer(2 * call.C * ITEMS) : nullptr),
          asked_by(asked_for(call)),
          columns(plain_columns ? buffer(2 * call.C) : nullptr),
          labelled_by(call.labelled, call.C),
          own_by(call.mass ? call.own : nullptr, call.C),
          give_by(call.give, call.C),
          asked_table(asked_by.get(), call.C),
          scale_by(call.scale.row, call.C),
          offset_by(call.offset.row, call.C),
          margin_by(call.margin, call.C) {
        for (int i = 0; i < ITEMS; i++) {
            weight[i] = labelled[i] = own[i] = asked_of[i] = 1.0f;
            up[i] = call.factor;
            through[i] = give[i] = 0.0f;
            y[i] = 0;  // what depends on the label is the same for all where targets are soft
        }
        for (int64_t c = 0; plain_columns && c < C; c++) {
            columns[c] = call.scale.column ? peek(call.scale.column + c) : 1.0f;
            columns[C + c] = call.offset.column ? peek(call.offset.column + c) : 0.0f;
        }
        if (call.S > 1) return;
        if (!std::is_same_v<T, F32>) rows = buffer(C * ITEMS);
        places.reset(new int32_t[C * LANES]);
        for (int64_t i = 0; i < C * LANES; i++) places[i] = static_cast<int32_t>(i % C * ITEMS + i / C);
    }

    // Items first..first+count, which are neighbours in one plane (S > 1, n fixed) or rows (S = 1).
    void run(int64_t n, int64_t first, int count, double& total) {
        const int64_t S = call.S, at = n * S + first;  // of item
        read(at, count);
        const int64_t start = S > 1 ? n * C * S + first : at * C;  // of logit
        const Type* z = static_cast<const Type*>(call.logits) + start;
        const bool planes = S > 1 && count == ITEMS, raised = !SOFT_TARGET && call.beside.power != 0;
        ahead = S > 1 ? z + ITEMS : z;
        Type* g = call.gradient ? static_cast<Type*>(call.gradient) + start : nullptr;
        const bool past_here = past && reinterpret_cast<uintptr_t>(g) % 64 == 0 && S * sizeof(Type) % 64 == 0;
        if constexpr (!SOFT_TARGET && LANES == 16)  // on AVX2, with half the registers, it took a fifth longer
            if (planes && !raised && C >= 2 && C <= 4 && (linear || !smooth)) {
                switch (C) {
                    case 2: few<2>(z, g, at, past_here); break;
                    case 3: few<3>(z, g, at, past_here); break;
                    case 4: few<4>(z, g, at, past_here); break;
                }
                waiting += V;
                if (waiting >= 64) flush(total);
                return;
            }
        look_up();
        if (planes && !raised) {
            whole ? find_top<true, true>(z) : find_top<true, false>(z);
        } else {
            S > 1 ? load_planes(z, count) : load_rows(z, count);
            for (int v = 0; raised && v < V; v++) raise(kept.get() + v * LANES, v);
            whole ? find_top<false, true>(z) : find_top<false, false>(z);
        }
        if constexpr (SOFT_TARGET) load_soft(start, count);
        exponentials();
        for (int v = 0; v < V; v++) logarithms(found[v]);
        for (int v = 0; v < V; v++) {
            const Floats k = F32::load(labelled + v * LANES), share = F32::load(give + v * LANES);
            finish<true>(found[v], v, k, share, at, std::min(count - v * LANES, LANES));
        }
        waiting += V;
        if (waiting >= 64) flush(total);
        if (!call.gradient) return;
        if (planes) {
            if (past_here) {
                gradient([&](int v, int64_t c, Floats a, Floats b) INLINE_LAMBDA { T::store_past(g + c * S + v * LANES, a, b); });
                return;
            }
            gradient([&](int v, int64_t c, Floats a, Floats b) INLINE_LAMBDA { T::store(g + c * S + v * LANES, a, b); });
        } else {
            gradient([&](int v, int64_t c, Floats a, Floats b) INLINE_LAMBDA { F32::store(kept.get() + c * ITEMS + v * LANES, a, b); });
            S > 1 ? store_planes(g, count) : store_rows(g, count);
        }
    }

    // What was added up since the last time.
    void flush(double& total) {
        total += sum(losses);
        losses = all(0.0f);
        waiting = 0;
    }

  private:
    // -- what is given ------------------------------------------------------------------------------------------------

    // The census has seen to it that there is nothing but classes and `ignore`.
    template <class Label> void read_labels(const Label* from, int count) {
        Label padded[LANES];
        for (int64_t ahead = 0; ahead < ITEMS; ahead += 64 / static_cast<int64_t>(sizeof(Label))) __builtin_prefetch(from + ITEMS + ahead);
        for (int v = 0; v * LANES < count; v++, from += LANES) {
            const Label* some = from;
            if (count - v * LANES < LANES) {
                for (int i = 0; i < LANES; i++) padded[i] = i < count - v * LANES ? peek(from + i) : 0;
                some = padded;
            }
            const Ints label = low_words(some), there = label != static_cast<int32_t>(call.ignore);
            put(y + v * LANES, label & there);
            put(valid + v * LANES, there);
        }
    }

    // Labels and what counts of an item; the constructor has filled in what is not given.
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
        for (int ahead = 0; call.weight && ahead < ITEMS; ahead += 16) __builtin_prefetch(call.weight + at + ITEMS + ahead);
        if (call.weight)
            for (int i = 0; i < count; i++) {
                weight[i] = peek(call.weight + at + i);
                valid[i] = weight[i] == 0.0f ? 0 : valid[i];
            }
        if (call.upstream)
            for (int i = 0; i < count; i++) up[i] = peek(call.upstream + at + i) * weight[i];
        else if (call.weight)
            for (int i = 0; i < count; i++) up[i] = call.factor * weight[i];
        if (call.through)
            for (int i = 0; i < count; i++) through[i] = peek(call.through + at + i);
        Ints live = ints(valid);
        for (int v = 1; v < V; v++) live = live & ints(valid + v * LANES);
        whole = !any(~live);
    }
    // What depends on the label.
    void look_up() {
        if constexpr (SOFT_TARGET) return;
        for (int i = 0; i < ITEMS; i += LANES) {
            const Ints label = ints(y + i);
            if (call.labelled) F32::store(labelled + i, labelled_by(label));
            if (call.own && call.mass) F32::store(own + i, own_by(label));
            if (!call.give) continue;
            F32::store(give + i, give_by(label));
            F32::store(asked_of + i, asked_table(label));
        }
    }
    // [C], of hard labels that give
    static Buffer asked_for(const Softmax& call) {
        if (SOFT_TARGET || !call.give) return nullptr;
        double takes = 0;
        for (int64_t c = 0; c < call.C; c++) takes += call.take[c];
        Buffer of = buffer(call.C);
        for (int64_t y = 0; y < call.C; y++)
            of[y] = by_label(call.labelled, y, 1.0f) + call.give[y] * (static_cast<float>(takes) - call.take[y]);
        return of;
    }

    void load_planes(const Type* z, int count) {
        const int64_t S = call.S;
        float* to = kept.get();
        if (count == ITEMS) {
            for (int64_t c = 0; c < C; c++, z += S)
                for (int v = 0; v < V; v++) F32::store(to + c * ITEMS + v * LANES, T::load(z + v * LANES));
            return;
        }
        for (int64_t c = 0; c < C; c++)
            for (int i = 0; i < ITEMS; i++) to[c * ITEMS + i] = i < count ? T::one(z + c * S + i) : 0.0f;
    }

    void load_rows(const Type* z, int count) {
        float* to = kept.get();
        if (count == ITEMS) {
            const float* from = reinterpret_cast<const float*>(z);
            if constexpr (!std::is_same_v<T, F32>) {
                for (int64_t i = 0; i < C * V; i++) F32::store(rows.get() + i * LANES, T::load(z + i * LANES));
                from = rows.get();
            }
            const Ints row = lane() * static_cast<int32_t>(C);
            for (int v = 0; v < V; v++, from += LANES * C)
                for (int64_t c = 0; c < C; c++) F32::store(to + c * ITEMS + v * LANES, gather(from + c, row));
            return;
        }
        for (int i = 0; i < count; i++)
            for (int64_t c = 0; c < C; c++) to[c * ITEMS + i] = T::one(z + i * C + c);
        for (int i = count; i < ITEMS; i++)
            for (int64_t c = 0; c < C; c++) to[c * ITEMS + i] = 0.0f;
    }

    // soft[c] = t_c; own and give become what the item asks on average
    void load_soft(int64_t start, int count) {
        const float* t = static_cast<const float*>(call.target) + start;
        const int64_t S = call.S;
        for (int64_t c = 0; c < C; c++)
            for (int i = 0; i < ITEMS; i++)
                soft[c * ITEMS + i] = i < count ? peek(t + (S > 1 ? c * S + i : i * C + c)) : 0.0f;
        for (int v = 0; v < V; v++) {
            if (call.mass) F32::store(own + v * LANES, expected(call.own, 1.0f, v));
            if (call.give) F32::store(give + v * LANES, expected(call.give, 0.0f, v));
        }
    }
    Floats expected(const float* table, float absent, int v) const {
        Sum all_shares;
        for (int64_t c = 0; c < C; c++)
            all_shares.add(F32::load(soft.get() + c * ITEMS + v * LANES) * by_label(table, c, absent));
        return all_shares.total;
    }

    // -- tables -------------------------------------------------------------------------------------------------------

    INLINE Ints is_label(int v, int64_t c) const {
        return SOFT_TARGET ? Ints{} : ints(y + v * LANES) == static_cast<int32_t>(c);
    }
    // The scale of class c for the labels of these lanes, or the offset; `row` is its part by label alone.
    INLINE Floats entry(const Table& table, Floats row, int v, int64_t c, bool scale) const {
        if (table.full) {
            return gather(table.full + c, ints(y + v * LANES) * static_cast<int32_t>(C));
        }
        if (!table.column) return row;
        return scale ? row * table.column[c] : row + table.column[c];
    }
    INLINE Floats scale_of(int v, int64_t c, Floats row) const { return entry(call.scale, row, v, c, true); }
    INLINE Floats scale_row(int v) const { return call.scale.row ? scale_by(ints(y + v * LANES)) : all(1.0f); }
    INLINE Floats offset_row(int v) const { return call.offset.row ? offset_by(ints(y + v * LANES)) : all(0.0f); }

    // What class c asks: (through g of the labelled class, through g of the others)
    INLINE void asks(int v, int64_t c, Floats& yes, Floats& no) const {
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

    // -- passes -------------------------------------------------------------------------------------------------------

    // z + power max(0, log p - max(log p_y, log_floor)), see Beside
    void raise(float* u, int v) {
        Floats most = all(-INF), own = all(0.0f), total = all(0.0f);
        for (int64_t c = 0; c < C; c++) {
            const Floats x = F32::load(u + c * ITEMS);
            own = is_label(v, c) ? x : own;
            most = larger(most, x);
        }
        for (int64_t c = 0; c < C; c++) total = total + exp(F32::load(u + c * ITEMS) - most);
        const Floats from = larger(own, most + log(total) + call.beside.log_floor);
        for (int64_t c = 0; c < C; c++) {
            const Floats x = F32::load(u + c * ITEMS), above = x - from;
            F32::store(u + c * ITEMS, above > 0.0f ? x + call.beside.power * above : x);
        }
    }

    // All passes at once for a block of planes of FEW classes: what lies between them stays in registers.
    template <int FEW> void few(const Type* z, Type* g, int64_t at, bool past_here) {
        smooth ? few<FEW, true>(z, g, at, past_here) : few<FEW, false>(z, g, at, past_here);
    }
    template <int FEW, bool SMOOTH> void few(const Type* z, Type* g, int64_t at, bool past_here) {
        const int64_t S = call.S;
        for (int v = 0; v < V; v += 2) {
            Floats d[2][FEW];
            for (int i = 0; i < 2; i++) few_of<FEW, SMOOTH>(z, v + i, at, d[i]);
            for (int64_t c = 0; g && c < FEW; c++) {
                Type* to = g + c * S + v * LANES;
                past_here ? T::store_past(to, d[0][c], d[1][c]) : T::store(to, d[0][c], d[1][c]);
            }
        }
    }
    template <int FEW, bool SMOOTH> INLINE void few_of(const Type* z, int v, int64_t at, Floats (&d)[FEW]) {
        const Ints label = ints(y + v * LANES);
        const auto live = T::mask(ints(valid + v * LANES));
        const Floats k = call.labelled ? labelled_by(label) : all(1.0f), share = SMOOTH ? give_by(label) : all(0.0f);
        const Floats scales = scaled ? scale_row(v) : all(1.0f), offsets = moved ? offset_row(v) : all(0.0f);
        if (call.mass && call.own) F32::store(own + v * LANES, own_by(label));
        Found of;
        Floats u[FEW];
        of.top = all(-INF);
        for (int64_t c = 0; c < FEW; c++) {
            u[c] = T::load(z + c * call.S + v * LANES, live);
            __builtin_prefetch(ahead + c * call.S + v * LANES);
            if (plain_columns) {
                u[c] = u[c] * columns[c] + columns[C + c];
            } else {
                if (scaled) u[c] = u[c] * scale_of(v, c, scales);
                if (moved) u[c] = u[c] + entry(call.offset, offsets, v, c, false);
                if (call.margin) u[c] = label == static_cast<int32_t>(c) ? u[c] - margin_by(label) : u[c];
            }
            of.top = larger(of.top, u[c]);
        }
        of.others = of.below_label = of.e_label = of.weighed = of.gives = all(0.0f);
        for (int64_t c = 0; c < FEW; c++) {
            const Floats below = u[c] - of.top, e = exp(below);
            const Ints other = label != static_cast<int32_t>(c);
            of.others = other ? of.others + e : of.others;
            of.e_label = other ? of.e_label : e;
            of.below_label = other ? of.below_label : below;
            if (SMOOTH && call.take[c] != 0) of.weighed = other ? of.weighed + below * call.take[c] : of.weighed;
            u[c] = e;
        }
        if (SMOOTH) {
            of.weighed = share == 0.0f ? all(0.0f) : of.weighed * share;
            of.asked = asked_table(label);
        }
        logarithms(of);
        finish<false>(of, v, k, share, at, LANES);
        for (int64_t c = 0; c < FEW; c++) {
            d[c] = u[c] * of.rise;
            if (SMOOTH) d[c] = d[c] - of.gives * call.take[c];
            d[c] = label == static_cast<int32_t>(c) ? of.here : d[c];
            if (scaled) d[c] = d[c] * (plain_columns ? all(columns[c]) : scale_of(v, c, scales));
        }
    }

    // u = S z + O - margin, and its largest, class by class
    template <bool PLANES, bool WHOLE> void find_top(const Type* z) {
        if (plain_columns) {
            find_top<PLANES, WHOLE, COLUMNS>(z);
        } else {
            scaled || moved || call.margin ? find_top<PLANES, WHOLE, ANY>(z) : find_top<PLANES, WHOLE, NOTHING>(z);
        }
    }
    enum Adjust { NOTHING, COLUMNS, ANY };
    template <bool PLANES, bool WHOLE, Adjust ADJUST> void find_top(const Type* z) {
        for (int from = 0; from < V; from += GROUP) {
            Floats most[GROUP], scales[GROUP], offsets[GROUP], margins[GROUP];
            Ints live[GROUP];
            decltype(T::mask(Ints{})) read[GROUP];
            for (int i = 0; i < GROUP; i++) {
                most[i] = all(-INF);
                live[i] = ints(valid + (from + i) * LANES);
                read[i] = T::mask(live[i]);
                if (ADJUST != ANY) continue;
                scales[i] = scale_row(from + i);
                offsets[i] = offset_row(from + i);
                margins[i] = call.margin && !SOFT_TARGET ? margin_by(ints(y + (from + i) * LANES)) : all(0.0f);
            }
            for (int64_t c = 0; c < C; c++) {
                float* u = kept.get() + c * ITEMS + from * LANES;
                const Type* of = PLANES ? z + c * call.S + from * LANES : z;
                for (int i = 0; i < GROUP; i++) {
                    Floats x;
                    if constexpr (PLANES) {
                        x = WHOLE ? T::load(of + i * LANES) : T::load(of + i * LANES, read[i]);
                    } else {
                        x = F32::load(u + i * LANES);
                    }
                    if constexpr (ADJUST == COLUMNS) x = x * columns[c] + columns[C + c];
                    if constexpr (ADJUST == ANY) {
                        if (scaled) x = x * scale_of(from + i, c, scales[i]);
                        if (moved) x = x + entry(call.offset, offsets[i], from + i, c, false);
                        if (call.margin) x = is_label(from + i, c) ? x - margins[i] : x;
                    }
                    if constexpr (!WHOLE && !PLANES) x = live[i] ? x : all(0.0f);
                    most[i] = larger(most[i], x);
                    if (PLANES || ADJUST != NOTHING || !WHOLE) F32::store(u + i * LANES, x);
                }
            }
            for (int i = 0; i < GROUP; i++) found[from + i].top = most[i];
        }
    }

    // e^(u - top), its sum without the label, and what smoothing asks for
    void exponentials() {
        for (int v = 0; v < V; v += PAIR) {
            if constexpr (SOFT_TARGET) {
                for (int i = v; i < v + PAIR; i++) soft_powers(i);
            } else if (!smooth) {
                label_powers<PLAIN>(v);
            } else if (linear) {
                label_powers<TAKEN>(v);
            } else {
                label_powers<UNDER>(v);
            }
        }
        for (int v = 0; v < V; v++) found[v].e_label = SOFT_TARGET ? all(0.0f) : exp(found[v].below_label);
    }

    enum Beside_ { PLAIN, TAKEN, UNDER };  // what is added up beside the powers: nothing, take (u - top), what is less than e^0
    template <Beside_ WHAT> void label_powers(int from) {
        float* u = kept.get() + from * LANES;
        float* to = WHAT == UNDER ? powers.get() + from * LANES : u;
        const float* take = call.take;
        Floats m[PAIR], rest[PAIR], at_label[PAIR], more[PAIR];
        Ints label[PAIR], at{};
        for (int i = 0; i < PAIR; i++) {
            m[i] = found[from + i].top;
            label[i] = ints(y + (from + i) * LANES);
            rest[i] = at_label[i] = more[i] = all(0.0f);
        }
        const int64_t classes = C, next = call.S > 1 ? call.S : 0;
        const Type* ahead_of = ahead + from * LANES;
        for (int64_t c = 0; c < classes; c++, u += ITEMS, to += ITEMS, ahead_of += next, at = at + 1) {
            // The next block of this plane, a line at a time while this one computes: too many planes for the machine to foresee.
            __builtin_prefetch(ahead_of);
            if (PAIR * LANES * sizeof(Type) > 64) __builtin_prefetch(ahead_of + LANES);
            Floats below[PAIR];
            for (int i = 0; i < PAIR; i++) {
                below[i] = F32::load(u + i * LANES) - m[i];
                const Floats e = exp(below[i]);
                const Ints other = label[i] != at;
                rest[i] = other ? rest[i] + e : rest[i];
                at_label[i] = other ? at_label[i] : below[i];
                if (WHAT == UNDER) more[i] = e < 1.0f ? more[i] + e : more[i];
                F32::store(to + i * LANES, e);
            }
            if constexpr (WHAT == TAKEN)
                if (const float taken = take[c]; taken != 0)
                    for (int i = 0; i < PAIR; i++) more[i] = label[i] != at ? more[i] + below[i] * taken : more[i];
        }
        for (int i = 0; i < PAIR; i++) {
            const int v = from + i;
            found[v].others = rest[i];
            found[v].below_label = at_label[i];
            if (WHAT == UNDER) found[v].under = more[i];
            if (WHAT != TAKEN) continue;
            const Floats share = F32::load(give + v * LANES);
            found[v].weighed = share == 0.0f ? all(0.0f) : more[i] * share;
            found[v].asked = F32::load(asked_of + v * LANES);
        }
    }

    void soft_powers(int v) {
        float* u = kept.get() + v * LANES;
        const Floats m = found[v].top;
        Floats rest = all(0.0f);
        Sum asks_for, weighs;
        for (int64_t c = 0; c < C; c++) {
            const Floats below = F32::load(u + c * ITEMS) - m, e = exp(below);
            rest = rest + e;
            Floats yes, no;
            asks(v, c, yes, no);
            const Floats k = yes + no;
            asks_for.add(k);
            weighs.add(k == 0.0f ? all(0.0f) : k * below);
            if (!linear) F32::store(soft.get() + (C + c) * ITEMS + v * LANES, below);
            F32::store(u + c * ITEMS, e);
        }
        found[v].others = rest;
        found[v].below_label = all(0.0f);
        found[v].weighed = weighs.total;
        found[v].asked = asks_for.total;
    }

    // Of the label: p, q = 1 - p and log p, each to its own last digits. The largest class has e^0 = 1, and the log of what all have
    // is that of 1 + the rest, which the others of a label that is the largest are to the last digit; log p is exact with it.
    INLINE static void logarithms(Found& of) {
        const Floats total = of.others + of.e_label, over = steelyard::STEELYARD_SET::inverse(total);
        const Floats rest = SOFT_TARGET ? total - 1.0f : of.below_label == 0.0f ? of.others : (of.others - 1.0f) + of.e_label;
        const Floats sum = 1.0f + rest;
        of.inverse = over;
        of.log_total = log_of_sum(sum) + (rest - (sum - 1.0f)) * over;
        of.q = of.others * over;
        of.p = of.e_label * over;
        of.logp = of.below_label - of.log_total;
    }

    // Loss, mass and lse, and what the gradient of every class follows from. k is what the label asks, share what it gives.
    template <bool CURVES> INLINE void finish(Found& of, int v, Floats k, Floats share, int64_t at, int count) {
        of.times = regional(call.beside, of.q);
        const Floats upstream = F32::load(up + v * LANES) * of.times, along_lse = F32::load(through + v * LANES);
        const Ints live = ints(valid + v * LANES);

        Floats loss;
        if (!smooth) {
            const Bent g = along(call.yes, of.logp, of.p, of.q);
            const Floats h = k * g.slope * upstream;
            loss = penalty(k, g.value);
            of.rise = (along_lse - h) * of.inverse;
            of.here = h * of.q + along_lse * of.p;
        } else if (!CURVES || linear) {
            const Floats rest = SOFT_TARGET ? of.asked : of.asked - k;
            loss = rest * of.log_total - of.weighed;
            if (!SOFT_TARGET) loss = loss + penalty(k, -of.logp);
            of.rise = (of.asked * upstream + along_lse) * of.inverse;
            of.here = (rest - of.asked * of.q) * upstream + along_lse * of.p;
            of.gives = share * upstream;
        } else if constexpr (!SOFT_TARGET) {
            const auto any = [&](Floats logp, Floats p, Floats q, float take) INLINE_LAMBDA { return along(call.no, logp, p, q).times(take); };
            const bool squared = call.no.kind == FOCAL && call.no.a == 2.0f;
            loss = squared ? every_other_class(v, upstream, SquaredFocal{}) : every_other_class(v, upstream, any);
        } else {
            loss = every_class(v);
        }
        if (!whole) {
            of.rise = live ? of.rise : all(0.0f);
            of.here = live ? of.here : all(0.0f);
            of.gives = live ? of.gives : all(0.0f);
        }
        loss = live ? loss * F32::load(weight + v * LANES) * of.times : all(0.0f);
        losses = losses + loss;
        if (count <= 0) return;
        give_out(call.loss, at + v * LANES, count, loss);
        if (call.beside.out) {
            const Floats told = call.beside.told == SURPRISE ? -of.logp : of.q;
            give_out(call.beside.out, at + v * LANES, count, live ? told : all(NAN));
        }
        if (call.mass) {
            const Floats mass = F32::load(weight + v * LANES) * F32::load(own + v * LANES);
            give_out(call.mass, at + v * LANES, count, live ? mass : all(0.0f));
        }
        if (call.lse) give_out(call.lse, at + v * LANES, count, live ? of.top + of.log_total : all(0.0f));
    }

    INLINE static void give_out(float* to, int64_t at, int count, Floats x) {
        if (!to) return;
        if (count == LANES) {
            F32::store(to + at, x);
        } else {
            for (int i = 0; i < count; i++) to[at + i] = x[i];
        }
    }

    // A curve over every class: h_c needs log p_c and 1 - p_c of each. Leaves h, and sum_c h in `rise`.
    Floats every_class(int v) {
        const float* e = kept.get() + v * LANES;
        float* h = soft.get() + C * ITEMS + v * LANES;  // u - top, then h
        Floats unlikely = all(0.0f);
        for (int64_t c = 0; c < C; c++) {
            const Floats p = F32::load(e + c * ITEMS) * found[v].inverse;
            unlikely = unlikely + (p > LIKELY ? all(0.0f) : p);
        }
        const Floats likely_log = log1p(-smaller(unlikely, all(0.5f)));
        Sum loss, pull;
        for (int64_t c = 0; c < C; c++) {
            const Floats p = F32::load(e + c * ITEMS) * found[v].inverse;
            const Ints likely = p > LIKELY;
            const Floats logp = likely ? likely_log : F32::load(h + c * ITEMS) - found[v].log_total;
            const Floats q = likely ? unlikely : -expm1(logp);
            Floats yes, no;
            asks(v, c, yes, no);
            Floats d;
            const Bent g = along(call.yes, logp, p, q);
            if (call.yes == call.no) {
                loss.add(penalty(yes + no, g.value));
                d = (yes + no) * g.slope;
            } else {
                const Bent other = along(call.no, logp, p, q);
                loss.add(penalty(yes, g.value) + penalty(no, other.value));
                d = yes * g.slope + no * other.slope;
            }
            pull.add(d);
            F32::store(h + c * ITEMS, d);
        }
        found[v].rise = pull.total;
        return loss.total;
    }

    // The same of hard labels: what asks is a class's `take`, times what the label gives, and the label's own term apart, with the digits
    // that it has alone. Leaves take dg/dlog p in place of u, and what the gradient makes of that and of e.
    template <class Curved> Floats every_other_class(int v, Floats upstream, const Curved& curve) {
        float* u = kept.get() + v * LANES;
        const float* e = powers.get() + v * LANES;
        const Floats over = found[v].inverse, unlikely = found[v].under * over, m = found[v].top, logs = found[v].log_total;
        const Ints label = ints(y + v * LANES);
        Sum losses_of, pulls;
        for (int64_t start = 0; start < C; start += 16) {
            Floats loss = all(0.0f), pull = all(0.0f);
            for (int64_t c = start; c < std::min(C, start + 16); c++) {
                const float take = call.take[c];
                if (take == 0) {
                    F32::store(u + c * ITEMS, all(0.0f));
                    continue;
                }
                const Floats p = F32::load(e + c * ITEMS) * over, logp = (F32::load(u + c * ITEMS) - m) - logs;
                const Bent g = curve(logp, p, p > LIKELY ? unlikely : 1.0f - p, take);
                const Ints other = label != static_cast<int32_t>(c);
                loss = other ? loss + g.value : loss;
                pull = other ? pull + g.slope : pull;
                F32::store(u + c * ITEMS, g.slope);
            }
            losses_of.add(loss);
            pulls.add(pull);
        }
        const Floats along_lse = F32::load(through + v * LANES);
        const Floats share = F32::load(give + v * LANES), k = F32::load(labelled + v * LANES);
        const Bent own_g = along(call.yes, found[v].logp, found[v].p, found[v].q);
        const Floats h = k * own_g.slope, pull = share == 0.0f ? all(0.0f) : share * pulls.total;
        found[v].rise = (along_lse - (pull + h) * upstream) * over;
        found[v].here = (h * found[v].q - found[v].p * pull) * upstream + along_lse * found[v].p;
        found[v].gives = share * upstream;
        return penalty(share, losses_of.total) + penalty(k, own_g.value);
    }

    // dl/dz of every class, handed to put(v, c, its, those of the next vector)
    template <class Put> INLINE void gradient(const Put& put) {
        const float* e = powers ? powers.get() : kept.get();
        if (!smooth) {
            each(put, [&](int i, int64_t c, int v, const Floats* factor, const Floats*) INLINE_LAMBDA {
                return F32::load(e + c * ITEMS + v * LANES) * factor[i];
            });
        } else if (linear && !SOFT_TARGET) {
            each(put, [&](int i, int64_t c, int v, const Floats* factor, const Floats* share) INLINE_LAMBDA {
                return F32::load(e + c * ITEMS + v * LANES) * factor[i] - share[i] * call.take[c];
            });
        } else if (!SOFT_TARGET) {
            each(put, [&](int i, int64_t c, int v, const Floats* factor, const Floats* share) INLINE_LAMBDA {
                return F32::load(e + c * ITEMS + v * LANES) * factor[i] + F32::load(kept.get() + c * ITEMS + v * LANES) * share[i];
            });
        } else {
            const float* h = soft.get() + C * ITEMS;
            each(put, [&](int i, int64_t c, int v, const Floats* factor, const Floats*) INLINE_LAMBDA {
                const Floats upstream = F32::load(up + v * LANES) * found[v].times;
                const Floats d = F32::load(e + c * ITEMS + v * LANES);
                Floats slope;
                if (linear) {
                    Floats yes, no;
                    asks(v, c, yes, no);
                    slope = d * factor[i] - (yes + no) * upstream;
                } else {
                    const Floats p = d * found[v].inverse;
                    slope = (F32::load(h + c * ITEMS + v * LANES) - p * factor[i]) * upstream + p * F32::load(through + v * LANES);
                }
                return ints(valid + v * LANES) ? slope : all(0.0f);
            });
        }
    }
    template <class Put, class Find> INLINE void each(const Put& put, const Find& find) {
        if (scaled && plain_columns) {
            each<COLUMNS>(put, find);
        } else {
            scaled ? each<ANY>(put, find) : each<NOTHING>(put, find);
        }
    }
    template <Adjust SCALED, class Put, class Find> INLINE void each(const Put& put, const Find& find) {
        for (int from = 0; from < V; from += GROUP) {
            Floats factor[GROUP], share[GROUP], label_d[GROUP], scales[GROUP];
            Ints label[GROUP];
            for (int i = 0; i < GROUP; i++) {
                factor[i] = found[from + i].rise;
                share[i] = found[from + i].gives;
                label_d[i] = found[from + i].here;
                label[i] = ints(y + (from + i) * LANES);
                if (SCALED == ANY) scales[i] = scale_row(from + i);
            }
            for (int64_t c = 0; c < C; c++) {
                Floats d[GROUP];
                for (int i = 0; i < GROUP; i++) {
                    d[i] = find(i, c, from + i, factor, share);
                    if (!SOFT_TARGET) d[i] = label[i] == static_cast<int32_t>(c) ? label_d[i] : d[i];
                    if (SCALED == COLUMNS) d[i] = d[i] * columns[c];
                    if (SCALED == ANY) d[i] = d[i] * scale_of(from + i, c, scales[i]);
                }
                for (int i = 0; i < GROUP; i += 2) put(from + i, c, d[i], d[i + 1]);
            }
        }
    }

    void store_planes(Type* g, int count) {
        const int64_t S = call.S;
        const float* from = kept.get();
        for (int64_t c = 0; c < C; c++)
            for (int i = 0; i < count; i++) T::put(g + c * S + i, from[c * ITEMS + i]);
    }

    void store_rows(Type* g, int count) {
        if (count == ITEMS) {
            for (int v = 0; v < V; v++)
                for (int64_t i = 0; i < C; i++, g += LANES)
                    T::store(g, gather(kept.get() + v * LANES, ints(places.get() + i * LANES)));
            return;
        }
        for (int i = 0; i < count; i++)
            for (int64_t c = 0; c < C; c++) T::put(g + i * C + c, kept[c * ITEMS + i]);
    }
};

}  // namespace steelyard::STEELYARD_SET
