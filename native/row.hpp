// Softmax of one item, a class per lane: long rows. See softmax.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "curves.hpp"
#include "items.hpp"

namespace steelyard::STEELYARD_SET {

template <class T> struct Row {
    const Softmax& call;
    const int64_t C, padded;
    const bool smooth, linear, soft_target;
    Buffer kept;  // [padded]: u, then e^(u - m); -inf, then 0, beyond C
    Buffer below, h;  // of curves of every class: u - m and h; of hard labels e^(u - m), u keeping its place, and nothing
    float takes = 0;
    float level[LANES];  // of the rows from levels_from on
    int64_t levels_from = -1;
    const typename T::Type *next_logits = nullptr, *next_gradient = nullptr;

    explicit Row(const Softmax& call)
        : call(call),
          C(call.C),
          padded((call.C + LANES - 1) / LANES * LANES),
          smooth(call.give != nullptr || call.label == SOFT),
          linear(call.yes.kind == LOG && call.no.kind == LOG),
          soft_target(call.label == SOFT),
          kept(buffer(padded)),
          below(smooth && !linear ? buffer(padded) : nullptr),
          h(soft_target && smooth && !linear ? buffer(padded) : nullptr) {
        double all_takes = 0;
        for (int64_t c = 0; call.take && c < C; c++) all_takes += call.take[c];
        takes = static_cast<float>(all_takes);
    }

    void run(int64_t i, double& sum_of_losses) {
        const typename T::Type* z = static_cast<const typename T::Type*>(call.logits) + i * C;
        typename T::Type* g = static_cast<typename T::Type*>(call.gradient);
        if (g) g += i * C;
        next_logits = z + C;
        next_gradient = (g ? g : const_cast<typename T::Type*>(z)) + C;
        if (!item_counts(call, i)) {
            if (g) std::fill(g, g + C, typename T::Type(0));
            if (call.loss) call.loss[i] = 0;
            if (call.mass) call.mass[i] = 0;
            if (call.lse) call.lse[i] = 0;
            if (call.beside.out) call.beside.out[i] = NAN;
            return;
        }
        const int64_t y = soft_target ? -1 : label(call, i);
        const float s = weight_of(call, i);
        float up = s * (call.upstream ? peek(call.upstream + i) : call.factor);
        const float through = call.through ? peek(call.through + i) : 0;
        const float* t = soft_target ? static_cast<const float*>(call.target) + i * C : nullptr;

        float own_k = 0, gives = 0, mass = 0;
        if (soft_target) {
            if (call.mass) mass = expected(t, call.own);
            if (call.give) gives = expected(t, call.give);
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
        const bool raised = call.beside.power != 0 && y >= 0;
        // the logits themselves are read again, where nothing changes them and nothing else needs u
        const bool direct = T::CHEAP && !scaled && !moved && margin == 0 && !raised && (!smooth || (linear && !soft_target));
        float m;
        if (direct) {
            m = maximum<false>(z, u, scales, scale_all, offsets, offset_all, scaled, moved);
        } else if (raised) {
            m = raise(i, z, u, scales, scale_all, offsets, offset_all, scaled, moved);
        } else {
            m = maximum<true>(z, u, scales, scale_all, offsets, offset_all, scaled, moved);
        }
        if (margin != 0) {
            u[y] -= margin;
            m = margin > 0 ? again(u) : std::max(m, u[y]);  // the label may have been the maximum
        }

        // 2: e^(u - m), the label's apart: the vector that holds it and the last one are the only ones that have to know
        const float u_y = y < 0 ? 0.0f : direct ? T::one(z + y) : u[y];
        float asked_for = 0, weighed = 0;
        if (soft_target) sum_of_asked(u, m, t, gives, y, own_k, asked_for, weighed);
        const bool apart = below && !soft_target;  // u is wanted beside its powers
        float* to = apart ? below.get() : u;
        if (below && !apart)
            for (int64_t c = 0; c < padded; c += LANES) F32::store(below.get() + c, F32::load(u + c) - m);
        const float* take = smooth && linear && !soft_target ? call.take : nullptr;
        const int64_t whole = C / LANES * LANES, special = y < 0 ? whole : y / LANES * LANES;
        Floats total_e = all(0.0f), taken = all(0.0f);  // with `apart`, taken is the sum of what is less than e^0
        auto stretch = [&](int64_t start, int64_t stop) {
            if (apart) return powers<F32, UNDER>(u, to, start, stop, m, take, total_e, taken);
            if constexpr (T::CHEAP)
                if (direct)
                    return take ? powers<T, TAKEN>(z, to, start, stop, m, take, total_e, taken)
                                : powers<T, PLAIN>(z, to, start, stop, m, take, total_e, taken);
            take ? powers<F32, TAKEN>(u, to, start, stop, m, take, total_e, taken)
                 : powers<F32, PLAIN>(u, to, start, stop, m, take, total_e, taken);
        };
        auto vector = [&](int64_t c) {
            direct ? guarded<T>(z, to, c, y, m, take, apart, total_e, taken) : guarded<F32>(u, to, c, y, m, take, apart, total_e, taken);
        };
        stretch(0, std::min(special, whole));
        stretch(special + LANES, whole);
        if (special < whole) vector(special);
        if (whole < C) vector(whole);
        if (take) {
            asked_for = own_k + gives * (takes - take[y]);
            weighed = gives == 0 ? 0 : gives * sum(taken);
        }
        const float others = sum(total_e);
        const float e_y = y < 0 ? 0.0f : exp(all(u_y - m))[0];
        const float total = others + e_y, inverse = 1.0f / total, log_total = log_of_sum(all(total))[0], q = others * inverse;
        const float p = e_y * inverse, logp = q < 0.5f ? log1p(all(-q))[0] : (u_y - m) - log_total;

        // 3: the loss, and the gradient in place of e
        const float times = regional(call.beside, all(q))[0];
        up *= times;
        if (call.beside.out) call.beside.out[i] = call.beside.told == SURPRISE ? -logp : q;
        float loss;
        if (!smooth) {
            const Bent bend = along(call.yes, all(logp), all(p), all(q));
            loss = penalty(all(own_k), bend.value)[0];
            if (g) {
                const float h_y = own_k * bend.slope[0] * up;
                const float elsewhere = (through - h_y) * inverse, here = h_y * q + through * p;
                write(g, scales, scale_all, scaled, [&](int64_t c, const auto&) INLINE_LAMBDA { return F32::load(u + c) * elsewhere; });
                put(g, y, here, scales, scale_all);
            }
        } else if (linear) {
            const float rest = asked_for - own_k;
            loss = rest * log_total - weighed;
            if (!soft_target) loss += penalty(all(own_k), all(-logp))[0];
            if (g) {
                if (y >= 0) u[y] = e_y;
                const float rise = (asked_for * up + through) * inverse, share = up * gives;
                if (take) {
                    write(g, scales, scale_all, scaled, [&](int64_t c, const auto& at) INLINE_LAMBDA {
                        return F32::load(u + c) * rise - at(take, c) * share;
                    });
                } else {
                    write(g, scales, scale_all, scaled, [&](int64_t c, const auto&) INLINE_LAMBDA {
                        return F32::load(u + c) * rise - up * asked(c, t, gives);
                    });
                }
                if (y >= 0) put(g, y, (rest - asked_for * q) * up + through * p, scales, scale_all);
            }
        } else if (soft_target) {
            loss = curved(g, u, t, gives, inverse, log_total, up, through, scales, scale_all, scaled);
        } else {
            const float unlikely = (sum(taken) + (u_y < m ? e_y : 0.0f)) * inverse;
            const Label_ of{y, own_k, gives, logp, p, q, unlikely};
            const auto any = [&](Floats log_c, Floats p_c, Floats q_c, Floats k) INLINE_LAMBDA { return along(call.no, log_c, p_c, q_c).times(k); };
            const bool squared = call.no.kind == FOCAL && call.no.a == 2.0f;
            loss = squared ? curved_others(g, to, u, m, of, inverse, log_total, up, through, scales, scale_all, scaled, SquaredFocal{})
                           : curved_others(g, to, u, m, of, inverse, log_total, up, through, scales, scale_all, scaled, any);
        }
        loss *= s * times;
        sum_of_losses += loss;
        if (call.loss) call.loss[i] = loss;
        if (call.mass) call.mass[i] = s * mass;
        if (call.lse) call.lse[i] = m + log_total;
    }

  private:
    enum Beside_ { PLAIN, TAKEN, UNDER };  // what is added up beside the powers: nothing, take (u - m), what is less than e^0
    struct Label_ {
        int64_t y;
        float k, gives, logp, p, q, unlikely;  // of the label; 1 - p of a class that is likely
    };

    // take * below, where what takes nothing adds nothing
    INLINE static Floats skip_nothing(Floats below, Floats take) { return take == 0.0f ? all(0.0f) : take * below; }

    // e^(u - m) for whole vectors of classes start..stop; adds up these, and what WHAT says
    template <class From, Beside_ WHAT>
    void powers(const typename From::Type* from, float* to, int64_t start, int64_t stop, float m, const float* take, Floats& total,
                Floats& taken) const {
        Floats s0 = all(0.0f), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0;
        auto step = [&](int64_t c, Floats& sum, Floats& share) INLINE_LAMBDA {
            const Floats below = From::load(from + c) - m, e = exp(below);
            if constexpr (WHAT == TAKEN) share = share + skip_nothing(below, F32::load(take + c));
            if constexpr (WHAT == UNDER) share = e < 1.0f ? share + e : share;
            F32::store(to + c, e);
            sum = sum + e;
        };
        int64_t c = start;
        for (; c + 4 * LANES <= stop; c += 4 * LANES) {
            for (int64_t i = 0; i < 4 * LANES; i += 64 / sizeof(typename T::Type)) {  // the next row, while this one computes
                __builtin_prefetch(next_logits + c + i);
                __builtin_prefetch(next_gradient + c + i, 1);
            }
            step(c, s0, t0);
            step(c + LANES, s1, t1);
            step(c + 2 * LANES, s2, t0);
            step(c + 3 * LANES, s3, t1);
        }
        for (; c < stop; c += LANES) step(c, s0, t0);
        total = total + ((s0 + s1) + (s2 + s3));
        if constexpr (WHAT != PLAIN) taken = taken + (t0 + t1);
    }

    // The same for one vector in which the label y, or what is beyond the last class, counts for nothing.
    template <class From>
    void guarded(const typename From::Type* from, float* to, int64_t c, int64_t y, float m, const float* take, bool apart, Floats& total,
                 Floats& taken) const {
        const int64_t there = std::min<int64_t>(LANES, C - c);
        const Floats x = there == LANES ? From::load(from + c) : load_some<From>(from + c, there);
        const Ints out = (lane() >= static_cast<int32_t>(there)) | (lane() == static_cast<int32_t>(y < 0 ? -1 : std::min<int64_t>(y - c, LANES)));
        const Floats below = x - m, e = out ? all(0.0f) : exp(below);
        if (apart) taken = e < 1.0f ? taken + e : taken;
        if (take) taken = taken + (out ? all(0.0f) : skip_nothing(below, table_at(take, c)));
        F32::store(to + c, e);
        total = total + e;
    }

    // LANES numbers of a table, 0 beyond its end
    INLINE Floats table_at(const float* table, int64_t c) const {
        return c + LANES <= C ? F32::load(table + c) : load_some<F32>(table + c, C - c);
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
        } else if (scales && offsets && scale_all == 1.0f && offset_all == 0.0f) {
            auto step = [&](int64_t at, Floats& most) INLINE_LAMBDA {
                const Floats x = T::load(z + at) * F32::load(scales + at) + F32::load(offsets + at);
                F32::store(u + at, x);
                most = larger(most, x);
            };
            for (; c + 2 * LANES <= whole; c += 2 * LANES) {
                step(c, m0);
                step(c + LANES, m1);
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
        if (c < C) {
            Floats x = load_some<T>(z + c, C - c);
            if (scaled) x = x * (scales ? table_at(scales, c) * scale_all : all(scale_all));
            if (moved) x = x + (offsets ? table_at(offsets, c) + offset_all : all(offset_all));
            x = lane() < static_cast<int32_t>(C - c) ? x : all(-INF);
            if constexpr (STORE) F32::store(u + c, x);
            m1 = larger(m1, x);
        }
        return largest(larger(larger(m0, m1), larger(m2, m3)));
    }
    // Of LANES rows from `first` on: from where on logits are raised, see Beside. The rows lie in lanes where a number is made of each,
    // so that none waits for the one before.
    void levels(int64_t first) {
        alignas(64) float part[LANES * LANES] = {};
        const int64_t rows = std::min<int64_t>(LANES, call.N - first), whole = C / LANES * LANES;
        const typename T::Type* z = static_cast<const typename T::Type*>(call.logits) + first * C;
        auto rest = [&](const typename T::Type* row) INLINE_LAMBDA {  // what is beyond the last whole vector, and -inf
            float x[LANES];
            for (int i = 0; i < LANES; i++) x[i] = -INF;
            for (int64_t c = whole; c < C; c++) x[c - whole] = T::one(row + c);
            return F32::load(x);
        };
        auto across = [&](auto join) INLINE_LAMBDA {
            Floats found = gather(part, lane() * LANES);
            for (int i = 1; i < LANES; i++) found = join(found, gather(part + i, lane() * LANES));
            return found;
        };
        alignas(64) float own[LANES] = {}, tops[LANES];
        for (int64_t r = 0; r < rows; r++) {
            const typename T::Type* row = z + r * C;
            Floats most = rest(row);
            for (int64_t c = 0; c < whole; c += LANES) most = larger(T::load(row + c), most);
            F32::store(part + r * LANES, most);
            const int64_t y = label(call, first + r);
            own[r] = y >= 0 && y < C ? T::one(row + y) : 0.0f;
        }
        const Floats top = across([](Floats a, Floats b) INLINE_LAMBDA { return larger(a, b); });
        F32::store(tops, top);
        for (int64_t r = 0; r < rows; r++) {
            const typename T::Type* row = z + r * C;
            const float most = tops[r];
            Floats s0 = exp(rest(row) - most), s1 = all(0.0f);
            int64_t c = 0;
            for (; c + 2 * LANES <= whole; c += 2 * LANES) {
                s0 = s0 + exp(T::load(row + c) - most);
                s1 = s1 + exp(T::load(row + c + LANES) - most);
            }
            for (; c < whole; c += LANES) s0 = s0 + exp(T::load(row + c) - most);
            F32::store(part + r * LANES, s0 + s1);
        }
        const Floats total = across([](Floats a, Floats b) INLINE_LAMBDA { return a + b; });
        F32::store(level, larger(F32::load(own), top + log(total) + call.beside.log_floor));
        levels_from = first;
    }

    // u of logits that are raised, in the buffer, -inf beyond the last class, and its maximum
    float raise(int64_t i, const typename T::Type* z, float* u, const float* scales, float scale_all, const float* offsets,
                float offset_all, bool scaled, bool moved) {
        if (levels_from < 0 || i >= levels_from + LANES) levels(i);
        const float from = level[i - levels_from], power = call.beside.power;
        Floats most = all(-INF);
        for (int64_t c = 0; c < padded; c += LANES) {
            Floats x;
            if (c + LANES <= C) {
                x = T::load(z + c);
            } else {
                float some[LANES];
                for (int j = 0; j < LANES; j++) some[j] = c + j < C ? T::one(z + c + j) : -INF;
                x = F32::load(some);
            }
            const Floats above = x - from;
            x = above > 0.0f ? x + power * above : x;
            if (scaled) x = x * (scales ? table_at(scales, c) * scale_all : all(scale_all));
            if (moved) x = x + (offsets ? table_at(offsets, c) + offset_all : all(offset_all));
            if (c + LANES > C) x = lane() < static_cast<int32_t>(C - c) ? x : all(-INF);
            F32::store(u + c, x);
            most = larger(x, most);
        }
        return largest(most);
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

    // sum_c t_c table_c; without a table sum_c t_c
    float expected(const float* t, const float* table) const {
        Sum shares;
        for (int64_t c = 0; c < C; c += LANES)
            shares.add(table ? table_at(t, c) * table_at(table, c) : table_at(t, c));
        return sum(shares.total);
    }

    // asked_for = sum_c k_c; weighed = sum_c k_c (u_c - m), without the label
    void sum_of_asked(const float* u, float m, const float* t, float gives, int64_t y, float own_k, float& asked_for,
                      float& weighed) const {
        Sum k_sum, w_sum;
        for (int64_t c = 0; c < C; c += LANES) {
            Floats k = asked(c, t, gives);
            for (int i = 0; i < LANES; i++)
                if (c + i == y || c + i >= C) k[i] = 0;
            k_sum.add(k);
            w_sum.add(k == 0.0f ? all(0.0f) : k * (F32::load(u + c) - m));
        }
        asked_for = sum(k_sum.total) + own_k;
        weighed = sum(w_sum.total);
    }

    INLINE void write_some(typename T::Type* g, int64_t c, Floats d, const float* scales, float scale_all, bool scaled) const {
        if (scaled) d = d * (scales ? table_at(scales, c) * scale_all : all(scale_all));
        if (c + LANES <= C) {
            T::store(g + c, d);
        } else {
            store_some<T>(g + c, d, C - c);
        }
    }
    INLINE void put(typename T::Type* g, int64_t c, float d, const float* scales, float scale_all) const {
        T::put(g + c, d * (scales ? scales[c] * scale_all : scale_all));
    }
    // find(c, at) for every vector of classes; at(table, c) reads a table there
    template <class Find>
    INLINE void write(typename T::Type* g, const float* scales, float scale_all, bool scaled, const Find& find) const {
        const int64_t whole = C / LANES * LANES;
        const auto inside = [](const float* table, int64_t c) INLINE_LAMBDA { return F32::load(table + c); };
        const auto at_end = [&](const float* table, int64_t c) INLINE_LAMBDA { return table_at(table, c); };
        const auto all_of = [&](const auto& found) INLINE_LAMBDA {
            int64_t c = 0;
            for (; c + 2 * LANES <= whole; c += 2 * LANES) T::store(g + c, found(c), found(c + LANES));
            for (; c < whole; c += LANES) T::store(g + c, found(c));
        };
        if (!scaled) {
            all_of([&](int64_t c) INLINE_LAMBDA { return find(c, inside); });
        } else if (scales && scale_all == 1.0f) {
            all_of([&](int64_t c) INLINE_LAMBDA { return find(c, inside) * F32::load(scales + c); });
        } else if (scales) {
            all_of([&](int64_t c) INLINE_LAMBDA { return find(c, inside) * (F32::load(scales + c) * scale_all); });
        } else {
            all_of([&](int64_t c) INLINE_LAMBDA { return find(c, inside) * scale_all; });
        }
        if (whole < C) write_some(g, whole, find(whole, at_end), scales, scale_all, scaled);
    }

    // A curve over every class but the label, whose own term is apart, with the digits that it has alone: what asks of the others
    // is their `take`, times what the label gives. Leaves take dg/dlog p in place of u.
    template <class Curved>
    float curved_others(typename T::Type* g, const float* e, float* u, float m, const Label_& of, float inverse, float log_total,
                        float up, float through, const float* scales, float scale_all, bool scaled, const Curved& curve) const {
        Sum losses, pulls;
        const Ints label = all(static_cast<int32_t>(of.y % LANES));
        const int64_t special = of.y / LANES * LANES, whole = C / LANES * LANES;
        Floats loss = all(0.0f), pull = all(0.0f);
        auto one = [&](int64_t c, Floats take, auto guarded) INLINE_LAMBDA {
            const Floats p = F32::load(e + c) * inverse, logp = (F32::load(u + c) - m) - log_total;
            if constexpr (decltype(guarded)::value)
                if (c == special) take = lane() == label ? all(0.0f) : take;
            const Bent bend = curve(logp, p, p > LIKELY ? all(of.unlikely) : 1.0f - p, take);
            const Ints none = take == 0.0f;
            const Floats d = none ? all(0.0f) : bend.slope;
            loss = none ? loss : loss + bend.value;
            pull = pull + d;
            F32::store(u + c, d);
        };
        for (int64_t start = 0; start < whole; start += 16 * LANES) {
            const int64_t stop = std::min(whole, start + 16 * LANES);
            if (special >= start && special < stop) {
                for (int64_t c = start; c < stop; c += LANES) one(c, F32::load(call.take + c), std::true_type{});
            } else {
                for (int64_t c = start; c < stop; c += LANES) one(c, F32::load(call.take + c), std::false_type{});
            }
            losses.add(loss);
            pulls.add(pull);
            loss = pull = all(0.0f);
        }
        if (whole < C) one(whole, table_at(call.take, whole), std::true_type{});
        losses.add(loss);
        pulls.add(pull);

        const Bent own = along(call.yes, all(of.logp), all(of.p), all(of.q));
        const float h = of.k * own.slope[0], others = of.gives == 0 ? 0 : of.gives * sum(pulls.total);
        if (g) {
            const float rise = (through - (others + h) * up) * inverse, share = of.gives * up;
            write(g, scales, scale_all, scaled, [&](int64_t c, const auto&) INLINE_LAMBDA {
                return F32::load(e + c) * rise + F32::load(u + c) * share;
            });
            put(g, of.y, (h * of.q - of.p * others) * up + through * of.p, scales, scale_all);
        }
        return penalty(all(of.gives), all(sum(losses.total)))[0] + penalty(all(of.k), own.value)[0];
    }

    // The same of soft targets, in which every class asks for something of its own.
    float curved(typename T::Type* g, const float* e, const float* t, float gives, float inverse, float log_total,
                 float up, float through, const float* scales, float scale_all, bool scaled) {
        Floats unlikely_sum = all(0.0f);
        for (int64_t c = 0; c < padded; c += LANES) {
            const Floats p = F32::load(e + c) * inverse;
            unlikely_sum = unlikely_sum + (p > LIKELY ? all(0.0f) : p);
        }
        const Floats unlikely = all(sum(unlikely_sum)), top = log1p(-smaller(unlikely, all(0.5f)));
        Sum loss, pull;
        for (int64_t c = 0; c < C; c += LANES) {
            const Floats p = F32::load(e + c) * inverse;
            const Ints likely = p > LIKELY;
            const Floats logp = likely ? top : F32::load(below.get() + c) - log_total;
            const Floats q = likely ? unlikely : -expm1(logp);
            Floats yes, no;
            both(c, t, gives, yes, no);
            for (int i = 0; i < LANES; i++) {
                if (c + i >= C) yes[i] = no[i] = 0;
            }
            Floats d;
            const Bent bend = along(call.yes, logp, p, q);
            if (call.yes == call.no) {
                loss.add(penalty(yes + no, bend.value));
                d = (yes + no) * bend.slope;
            } else {
                const Bent other = along(call.no, logp, p, q);
                loss.add(penalty(yes, bend.value) + penalty(no, other.value));
                d = yes * bend.slope + no * other.slope;
            }
            pull.add(d);
            F32::store(h.get() + c, d);
        }
        if (g) {
            const Floats whole = all(sum(pull.total));
            for (int64_t c = 0; c < C; c += LANES) {
                const Floats p = F32::load(e + c) * inverse;
                write_some(g, c, (F32::load(h.get() + c) - p * whole) * up + p * through, scales, scale_all, scaled);
            }
        }
        return sum(loss.total);
    }
};

}  // namespace steelyard::STEELYARD_SET
