// One line of any other axis: for each of its places the two nearest labels, out of what each place offers on the axes before.
//
// The offers are looked through in stretches of 4, for 16 places at once. A stretch whose nearest offer is not as near as the places'
// own answers can be at most is passed over, 16 stretches in three instructions; what their answers can be at most is known from the
// line before, as the distance to anything changes by no more than one step does. Of a stretch with only one label, and that is most
// of them, the nearest offer is found before anything is compared with it.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>

#include "pair.hpp"

namespace steelyard::STEELYARD_SET {

constexpr int64_t PLACES = 16, STRETCH = 4;

template <class T> struct Bound {
    T first, second;  // squared; the farthest of a block's answers
};

// More than sqrt(d) + step to the square, by more than what rounding takes away.
template <class T> INLINE T grown(T d, T step) {
    return (d + 2 * step * std::sqrt(d) + step * step) * (1 + 64 * std::numeric_limits<T>::epsilon());
}

// The offers of one kind, nearest or second nearest, along a line.
template <class T> struct Offers {
    std::unique_ptr<T[]> d, l, lowest, name;  // of each place; the lowest of each stretch, and its label

    // Nothing is offered beyond the n places of the line.
    void make(int64_t stretches, int64_t n) {
        d.reset(new T[stretches * STRETCH]);
        l.reset(new T[stretches * STRETCH]);
        lowest.reset(new T[stretches]);
        name.reset(new T[stretches]);
        std::fill(d.get() + n, d.get() + stretches * STRETCH, FAR<T>);
        std::fill(l.get() + n, l.get() + stretches * STRETCH, T(0));
    }
};

template <class T> class Line {
  public:
    Line(int64_t n, T spacing, bool second)
        : n(n), spacing(spacing), second(second), blocks((n + PLACES - 1) / PLACES), stretches(blocks * PLACES / STRETCH),
          padded((stretches + WIDTH<T> - 1) / WIDTH<T> * WIDTH<T>), squares(new T[2 * blocks * PLACES + PLACES]),
          gaps(new T[2 * padded]), found(new T[4 * blocks * PLACES]()) {
        near.make(padded, n);
        far.make(padded, n);
        for (int64_t i = 0; i < 2 * blocks * PLACES + PLACES; i++) squares[i] = square(i - blocks * PLACES);
        for (int64_t i = 0; i < 2 * padded; i++) gaps[i] = square(gap(i - stretches));
    }

    // Pairs that lie `apart` from each other; `bounds`, one for each block of places, are those of a line `step` away, or infinite.
    // `skip`: blocks of nothing but objects need no answer.
    void run(Planes<T> from, int64_t apart, Bound<T>* bounds, T step, bool skip) {
        take(near, from.d1, from.l1, apart);
        if (second) take(far, from.d2, from.l2, apart);
        for (int64_t b = 0; b < blocks; b++) {
            bounds[b] = {grown(bounds[b].first, step), grown(bounds[b].second, step)};
            const T own = peak(near, b);
            if (skip && own == 0) continue;
            Bound<T> most = {std::min(bounds[b].first, own), bounds[b].second};
            if (second) most.second = std::min(most.second, peak(far, b));
            if (b > 0 && most.first == FAR<T>) most.first = grown(bounds[b - 1].first, PLACES * spacing);
            if (b > 0 && most.second == FAR<T>) most.second = grown(bounds[b - 1].second, PLACES * spacing);
            bounds[b] = answer(b, most);
        }
    }

    // Of the n places, one after the other.
    Planes<T> answers() {
        const int64_t many = blocks * PLACES;
        return Planes<T>{found.get(), found.get() + many, found.get() + 2 * many, found.get() + 3 * many};
    }
    int64_t count() const { return blocks; }

  private:
    static constexpr int EACH = PLACES / WIDTH<T>;
    static constexpr T MIXED = -1, NONE = -2;
    typedef Pair<T> Block[EACH];

    T square(int64_t steps) const {
        const T d = static_cast<T>(steps) * spacing;
        return d * d;
    }
    // Steps between a block and the stretch that starts `ahead` stretches after it.
    static int64_t gap(int64_t ahead) {
        return std::max<int64_t>({0, STRETCH * ahead - PLACES + 1, -STRETCH * ahead - STRETCH + 1});
    }

    void take(Offers<T>& offers, const T* d, const T* l, int64_t apart) {
        if (apart == 1) {
            std::copy(d, d + n, offers.d.get());
            std::copy(l, l + n, offers.l.get());
        } else {
            for (int64_t x = 0; x < n; x++) offers.d[x] = d[x * apart];
            for (int64_t x = 0; x < n; x++) offers.l[x] = l[x * apart];
        }
        for (int64_t s = 0; s < padded; s += WIDTH<T>) {
            Vector<T> d[STRETCH], low[STRETCH], high[STRETCH];
            for (int64_t i = 0; i < STRETCH; i++) {
                d[i] = load(offers.d.get() + s * STRETCH + i * WIDTH<T>);
                const Vector<T> l = load(offers.l.get() + s * STRETCH + i * WIDTH<T>);
                low[i] = l == Vector<T>{} ? every(FAR<T>) : l;
                high[i] = -l;
            }
            const Vector<T> name = -least<STRETCH, T>(high);
            store(offers.lowest.get() + s, least<STRETCH, T>(d));
            store(offers.name.get() + s, least<STRETCH, T>(low) < name ? every(MIXED) : name);
        }
    }

    // The farthest offer of a block's own places.
    static T peak(const Offers<T>& offers, int64_t b) { return largest(offers.d.get() + b * PLACES); }

    // The stretches that are no farther away, in whole vectors; all, where finding out would take longer.
    struct Window {
        int64_t from, to;
    };
    Window around(int64_t b, T bound) const {
        if (stretches <= 4 * WIDTH<T>) return {0, stretches};
        const int64_t steps = static_cast<int64_t>(std::min(std::sqrt(bound) / spacing, static_cast<T>(n))) + 1;
        const int64_t from = std::max<int64_t>(0, b * PLACES - steps) / STRETCH;
        return {from / WIDTH<T> * WIDTH<T>, std::min(stretches, ((b + 1) * PLACES + steps) / STRETCH + 1)};
    }

    // Of block b, whose answers are no farther than `most`.
    Bound<T> answer(int64_t b, Bound<T> most) {
        Block block;
        for (Pair<T>& pair : block) pair = Pair<T>::none();
        const T end = std::numeric_limits<T>::max();  // offers of nothing are farther
        const Vector<T> close = every(std::min(most.first, end));
        const T* gaps = this->gaps.get() + stretches - b * PLACES / STRETCH;
        Window window = around(b, close[0]);
        for (int64_t s = window.from; s < window.to; s += WIDTH<T>)
            visit(near, b, s, lanes_of(load(near.lowest.get() + s) + load(gaps + s) <= close), block);
        if (second) {
            // What is nearest is known, and with it, where it is the same everywhere, a label that cannot be second.
            const Vector<T> within = every(std::min({most.second, end, farthest(block, &Pair<T>::d2)}));
            const Vector<T> known = every(common(block));
            window = around(b, within[0]);
            for (int64_t s = window.from; s < window.to; s += WIDTH<T>) {
                const Vector<T> low = load(near.lowest.get() + s) + load(gaps + s);
                visit(near, b, s, lanes_of((low <= within) & (low > close) & (load(near.name.get() + s) != known)), block);
            }
            for (int64_t s = window.from; s < window.to; s += WIDTH<T>) {
                const Vector<T> low = load(far.lowest.get() + s) + load(gaps + s);
                visit(far, b, s, lanes_of((low <= within) & (load(far.name.get() + s) != known)), block);
            }
        }
        const Planes<T> to = answers() + b * PLACES;
        for (int i = 0; i < EACH; i++) {
            store(to.d1 + i * WIDTH<T>, block[i].d1);
            store(to.l1 + i * WIDTH<T>, block[i].l1);
            store(to.d2 + i * WIDTH<T>, block[i].d2);
            store(to.l2 + i * WIDTH<T>, block[i].l2);
        }
        return {farthest(block, &Pair<T>::d1), farthest(block, &Pair<T>::d2)};
    }

    // The stretches from s on whose bits are set.
    INLINE void visit(const Offers<T>& offers, int64_t b, int64_t s, uint32_t set, Block& block) const {
        for (; set; set &= set - 1) {
            const int64_t at = s + __builtin_ctz(set);
            const T* squares = this->squares.get() + blocks * PLACES + b * PLACES - at * STRETCH;
            const T *d = offers.d.get() + at * STRETCH, *l = offers.l.get() + at * STRETCH;
            if (offers.name[at] == MIXED) {
                for (int64_t k = 0; k < STRETCH; k++)
                    for (int i = 0; i < EACH; i++) block[i].add(load(squares + i * WIDTH<T> - k) + d[k], every(l[k]));
            } else {
                for (int i = 0; i < EACH; i++) {
                    Vector<T> best[STRETCH];
                    for (int64_t k = 0; k < STRETCH; k++) best[k] = load(squares + i * WIDTH<T> - k) + d[k];
                    for (int64_t half = STRETCH / 2; half; half /= 2)
                        for (int64_t k = 0; k < half; k++) best[k] = best[k] < best[k + half] ? best[k] : best[k + half];
                    block[i].add(best[0], every(offers.name[at]));
                }
            }
        }
    }

    static INLINE T farthest(const Block& block, Vector<T> Pair<T>::* of) {
        T d[PLACES];
        for (int i = 0; i < EACH; i++) store(d + i * WIDTH<T>, block[i].*of);
        return largest(d);
    }
    // The nearest label, if it is the same for all places.
    static INLINE T common(const Block& block) {
        const T name = block[0].l1[0];
        Mask<T> differs{};
        for (const Pair<T>& pair : block) differs |= pair.l1 != every(name);
        return lanes_of(differs) ? NONE : name;
    }

    const int64_t n;
    const T spacing;
    const bool second;
    const int64_t blocks, stretches, padded;
    Offers<T> near, far;
    std::unique_ptr<T[]> squares, gaps, found;  // by steps, from the most negative on; of the pairs
};

}  // namespace steelyard::STEELYARD_SET
