// Softmax of many items side by side, one per lane: few classes, or classes that are planes. See softmax.hpp.
//
// A block of items goes through four passes, each a loop whose turns do not wait for one another: the largest logit, the
// exponentials, the loss, the gradient.
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
    const Softmax& call;
    const int64_t C;
    const bool smooth, linear, scaled, moved;
    const bool past;  // the gradient is too large for the caches, and has memory of its own
    float takes = 0;
    Buffer kept;  // [C][ITEMS]: u, then e^(u - top), then the gradient
    Buffer rows;  // [ITEMS][C]: rows of half precision, widened
    std::unique_ptr<int32_t[]> places;  // [C][LANES]: where in `kept` the numbers of LANES rows lie, in the order of the rows
    Buffer soft;  // [C][ITEMS]: soft targets; [C][ITEMS]: u - top, then h, of curves that need every class

    // of each item
    alignas(64) float weight[ITEMS], up[ITEMS], through[ITEMS], labelled[ITEMS], give[ITEMS], own[ITEMS];
    alignas(64) float asked_of[ITEMS];  // sum_c k_c
    alignas(64) int32_t y[ITEMS], valid[ITEMS];
    bool whole = false;  // nothing in the block is ignored or beyond its end

    // of each item, from pass to pass
    Floats top[V], at_label[V], others[V], e_label[V], weighed[V], asked[V], inverse[V], rise[V], here[V], gives[V],
        log_total[V], logp[V], p[V], q[V], times[V];

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
          past(call.gradient != call.logits && call.N * call.C * call.S >= PAST),
          kept(buffer(call.C * ITEMS)),
          soft(smooth && (SOFT_TARGET || !linear) ? buffer(2 * call.C * ITEMS) : nullptr) {
        for (int i = 0; i < ITEMS; i++) {
            weight[i] = labelled[i] = own[i] = asked_of[i] = 1.0f;
            up[i] = call.factor;
            through[i] = give[i] = 0.0f;
            y[i] = 0;  // what depends on the label is the same for all where targets are soft
        }
        double all_takes = 0;
        for (int64_t c = 0; call.take && c < C; c++) all_takes += call.take[c];
        takes = static_cast<float>(all_takes);
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
        if (S > 1) {
            load_planes(z, count);
        } else {
            load_rows(z, count);
        }
        if constexpr (SOFT_TARGET) load_soft(start, count);
        if (!whole) clear();
        ahead = S > 1 ? z + ITEMS : z;
        find_top();
        exponentials();
        logarithms();
        for (int v = 0; v < V; v++) finish(v, at, std::min(count - v * LANES, LANES));
        waiting += V;
        if (waiting >= 64) flush(total);
        if (!call.gradient) return;
        gradient();
        Type* g = static_cast<Type*>(call.gradient) + start;
        if (S > 1) {
            store_planes(g, count);
        } else {
            store_rows(g, count);
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
        if constexpr (SOFT_TARGET) return;
        for (int i = 0; i < ITEMS; i += LANES) {
            const Ints label = ints(y + i);
            if (call.labelled) F32::store(labelled + i, gather(call.labelled, label));
            if (call.own && call.mass) F32::store(own + i, gather(call.own, label));
            if (!call.give) continue;
            const Floats gives = gather(call.give, label);
            F32::store(give + i, gives);
            F32::store(asked_of + i, F32::load(labelled + i) + gives * (takes - gather(call.take, label)));
        }
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

    // What is ignored may hold anything: zeros instead, before the passes and after them, so that none of them has to know.
    void clear() {
        for (int64_t c = 0; c < C; c++)
            for (int v = 0; v < V; v++) {
                float* u = kept.get() + c * ITEMS + v * LANES;
                F32::store(u, ints(valid + v * LANES) ? F32::load(u) : all(0.0f));
            }
    }

    // -- tables -------------------------------------------------------------------------------------------------------

    INLINE Floats at_labels(const float* table, int v) const {
        return gather(table, ints(y + v * LANES));
    }
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
    INLINE Floats scale_row(int v) const { return call.scale.row ? at_labels(call.scale.row, v) : all(1.0f); }

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

    void find_top() {
        for (int v = 0; v < V; v++) {
            float* u = kept.get() + v * LANES;
            if (!SOFT_TARGET && call.beside.power != 0) raise(u, v);
            if (scaled || moved || call.margin) adjust(u, v);
            Floats most = all(-INF), found = all(0.0f);
            for (int64_t c = 0; c < C; c++) {
                const Floats x = F32::load(u + c * ITEMS);
                if (!SOFT_TARGET) found = is_label(v, c) ? x : found;
                most = larger(most, x);
            }
            top[v] = most;
            at_label[v] = found;
        }
    }

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

    // u = S z + O - margin
    void adjust(float* u, int v) {
        const Floats scales = scale_row(v), offsets = call.offset.row ? at_labels(call.offset.row, v) : all(0.0f);
        const Floats margin = call.margin && !SOFT_TARGET ? at_labels(call.margin, v) : all(0.0f);
        for (int64_t c = 0; c < C; c++) {
            Floats x = F32::load(u + c * ITEMS);
            if (scaled) x = x * scale_of(v, c, scales);
            if (moved) x = x + entry(call.offset, offsets, v, c, false);
            if (call.margin) x = is_label(v, c) ? x - margin : x;
            F32::store(u + c * ITEMS, x);
        }
    }

    // The next block of plane c, a line at a time while this one computes: too many planes for the machine to foresee.
    INLINE void fetch(int v, int64_t c) const { __builtin_prefetch(ahead + (call.S > 1 ? c * call.S : 0) + v * LANES); }

    // e^(u - top), its sum without the label, and what smoothing asks for
    void exponentials() {
        for (int v = 0; v < V; v++) {
            float* u = kept.get() + v * LANES;
            const Floats m = top[v];
            Floats rest = all(0.0f), label_e = all(0.0f), weigh = all(0.0f), ask = all(0.0f);
            if (!smooth) {
                for (int64_t c = 0; c < C; c++) {
                    fetch(v, c);
                    const Floats e = exp(F32::load(u + c * ITEMS) - m);
                    const Ints label = is_label(v, c);
                    rest = rest + (label ? all(0.0f) : e);
                    label_e = label ? e : label_e;
                    F32::store(u + c * ITEMS, e);
                }
            } else if (linear && !SOFT_TARGET) {
                for (int64_t c = 0; c < C; c++) {
                    fetch(v, c);
                    const Floats below = F32::load(u + c * ITEMS) - m, e = exp(below);
                    const Ints label = is_label(v, c);
                    rest = rest + (label ? all(0.0f) : e);
                    label_e = label ? e : label_e;
                    if (const float take = call.take[c]; take != 0) weigh = weigh + (label ? all(0.0f) : below * take);
                    F32::store(u + c * ITEMS, e);
                }
                const Floats share = F32::load(give + v * LANES);
                weigh = share == 0.0f ? all(0.0f) : weigh * share;
                ask = F32::load(asked_of + v * LANES);
            } else {
                Sum asks_for, weighs;
                for (int64_t c = 0; c < C; c++) {
                    const Floats below = F32::load(u + c * ITEMS) - m, e = exp(below);
                    const Ints label = is_label(v, c);
                    rest = rest + (label ? all(0.0f) : e);
                    label_e = label ? e : label_e;
                    Floats yes, no;
                    asks(v, c, yes, no);
                    const Floats k = yes + no;
                    asks_for.add(k);
                    // the label's own term comes later, with the digits that u - top loses
                    weighs.add((k == 0.0f) | label ? all(0.0f) : k * below);
                    if (!linear) F32::store(soft.get() + (C + c) * ITEMS + v * LANES, below);
                    F32::store(u + c * ITEMS, e);
                }
                ask = asks_for.total;
                weigh = weighs.total;
            }
            others[v] = rest;
            e_label[v] = label_e;
            weighed[v] = weigh;
            asked[v] = ask;
        }
    }

    // Of the label: p, q = 1 - p and log p, each to its own last digits.
    void logarithms() {
        for (int v = 0; v < V; v++) {
            const Floats total = others[v] + e_label[v], one_over = 1.0f / total, unlikely = others[v] * one_over;
            const Floats logs = log(total), likely = log1p(-unlikely);
            inverse[v] = one_over;
            log_total[v] = logs;
            q[v] = unlikely;
            p[v] = e_label[v] * one_over;
            logp[v] = unlikely < 0.5f ? likely : (at_label[v] - top[v]) - logs;
        }
    }

    // Loss, mass and lse, and what the gradient of every class follows from.
    INLINE void finish(int v, int64_t at, int count) {
        times[v] = regional(call.beside, q[v]);
        const Floats upstream = F32::load(up + v * LANES) * times[v], along_lse = F32::load(through + v * LANES);
        const Floats k = F32::load(labelled + v * LANES);
        const Ints live = ints(valid + v * LANES);

        Floats loss;
        if (!smooth) {
            const Bent g = along(call.yes, logp[v], p[v], q[v]);
            const Floats h = k * g.slope * upstream;
            loss = penalty(k, g.value);
            rise[v] = (along_lse - h) * inverse[v];
            here[v] = h * q[v] + along_lse * p[v];
        } else if (linear) {
            const Floats rest = SOFT_TARGET ? asked[v] : asked[v] - k;
            loss = rest * log_total[v] - weighed[v];
            if (!SOFT_TARGET) loss = loss + penalty(k, -logp[v]);
            rise[v] = (asked[v] * upstream + along_lse) * inverse[v];
            here[v] = (rest - asked[v] * q[v]) * upstream + along_lse * p[v];
            gives[v] = F32::load(give + v * LANES) * upstream;
        } else {
            loss = every_class(v);
        }
        loss = live ? loss * F32::load(weight + v * LANES) * times[v] : all(0.0f);
        losses = losses + loss;
        if (count <= 0) return;
        give_out(call.loss, at + v * LANES, count, loss);
        if (call.beside.out) {
            const Floats told = call.beside.told == SURPRISE ? -logp[v] : q[v];
            give_out(call.beside.out, at + v * LANES, count, live ? told : all(NAN));
        }
        if (call.mass) {
            const Floats mass = F32::load(weight + v * LANES) * F32::load(own + v * LANES);
            give_out(call.mass, at + v * LANES, count, live ? mass : all(0.0f));
        }
        if (call.lse) give_out(call.lse, at + v * LANES, count, live ? top[v] + log_total[v] : all(0.0f));
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
            const Floats p = F32::load(e + c * ITEMS) * inverse[v];
            unlikely = unlikely + (p > LIKELY ? all(0.0f) : p);
        }
        const Floats likely_log = log1p(-smaller(unlikely, all(0.5f)));
        Sum loss, pull;
        for (int64_t c = 0; c < C; c++) {
            const Floats p = F32::load(e + c * ITEMS) * inverse[v];
            const Ints likely = p > LIKELY;
            const Floats logp = likely ? likely_log : F32::load(h + c * ITEMS) - log_total[v];
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
        rise[v] = pull.total;
        return loss.total;
    }

    // dl/du, then dl/dz, in place of e^(u - top)
    void gradient() {
        for (int v = 0; v < V; v++) {
            float* e = kept.get() + v * LANES;
            const Floats factor = rise[v], label_d = here[v];
            if (!smooth) {
                for (int64_t c = 0; c < C; c++)
                    F32::store(e + c * ITEMS, is_label(v, c) ? label_d : F32::load(e + c * ITEMS) * factor);
            } else if (linear && !SOFT_TARGET) {
                const Floats share = gives[v];
                for (int64_t c = 0; c < C; c++) {
                    const Floats d = F32::load(e + c * ITEMS) * factor - share * call.take[c];
                    F32::store(e + c * ITEMS, is_label(v, c) ? label_d : d);
                }
            } else {
                const Floats upstream = F32::load(up + v * LANES) * times[v], along_lse = F32::load(through + v * LANES);
                const float* h = soft.get() + C * ITEMS + v * LANES;
                for (int64_t c = 0; c < C; c++) {
                    Floats yes, no, d = F32::load(e + c * ITEMS);
                    if (linear) {
                        asks(v, c, yes, no);
                        d = d * factor - (yes + no) * upstream;
                    } else {
                        const Floats p = d * inverse[v];
                        d = (F32::load(h + c * ITEMS) - p * factor) * upstream + p * along_lse;
                    }
                    F32::store(e + c * ITEMS, d);
                }
            }
            if (!scaled) continue;
            const Floats scales = scale_row(v);
            for (int64_t c = 0; c < C; c++)
                F32::store(e + c * ITEMS, F32::load(e + c * ITEMS) * scale_of(v, c, scales));
        }
        if (!whole) clear();
    }

    void store_planes(Type* g, int count) {
        const int64_t S = call.S;
        const float* from = kept.get();
        if constexpr (std::is_same_v<T, F32>) {
            if (count == ITEMS && past && reinterpret_cast<uintptr_t>(g) % sizeof(Floats) == 0 && S % LANES == 0) {
                for (int64_t c = 0; c < C; c++)
                    for (int v = 0; v < V; v++) stream(g + c * S + v * LANES, F32::load(from + c * ITEMS + v * LANES));
                return;
            }
        }
        if (count == ITEMS) {
            for (int64_t c = 0; c < C; c++)
                for (int v = 0; v < V; v++) T::store(g + c * S + v * LANES, F32::load(from + c * ITEMS + v * LANES));
            return;
        }
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
