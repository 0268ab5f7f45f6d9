// The first axis: down and up again, every column with the last two distinct labels that it has passed.
#pragma once

#include "pair.hpp"

namespace steelyard::STEELYARD_SET {

constexpr int64_t STRIP = 512;  // columns that go down and up while most of their pairs are still in the cache
constexpr int64_t AHEAD = 2;    // rows; a row is another page of memory, where the processor does not look ahead by itself

// A vector, or what is left at the end of a row.
template <bool WHOLE, class T> INLINE Vector<T> take(const T* from, int64_t many) {
    if (WHOLE) return load(from);
    T out[WIDTH<T>] = {};
    std::copy(from, from + many, out);
    return load(out);
}
template <bool WHOLE, class T> INLINE void put(T* to, Vector<T> x, int64_t many) {
    if (WHOLE) return store(to, x);
    T out[WIDTH<T>];
    store(out, x);
    std::copy(out, out + many, to);
}
template <bool WHOLE, class T> INLINE Vector<T> labels_of(const int32_t* from, int64_t many) {
    typedef int32_t Labels __attribute__((vector_size(4 * WIDTH<T>)));
    Labels labels{};
    std::memcpy(&labels, from, WHOLE ? sizeof(labels) : sizeof(int32_t) * static_cast<size_t>(many));
    return __builtin_convertvector(labels, Vector<T>);
}

// Where the scan has met them.
template <class T> struct Passed {
    Vector<T> at1, l1, at2, l2;

    static INLINE Passed none(T at) { return Passed{every(at), Vector<T>{}, every(at), Vector<T>{}}; }

    INLINE void see(Vector<T> l, T at) {
        const Mask<T> there = l != Vector<T>{}, other = there & (l != l1);
        at2 = other ? at1 : at2;
        l2 = other ? l1 : l2;
        at1 = there ? every<T>(at) : at1;
        l1 = other ? l : l1;
    }
};

template <class T> INLINE Vector<T> squared(Vector<T> steps, T spacing) {
    const Vector<T> d = steps * spacing;
    return d * d;
}

// Columns start..stop of labels [n, inner].
template <class T> class Strip {
  public:
    Strip(const int32_t* labels, Planes<T> found, int64_t n, int64_t inner, T spacing, bool second, int64_t start, int64_t stop)
        : labels(labels), found(found), n(n), inner(inner), start(start), stop(stop), spacing(spacing), second(second) {}

    void run() {
        for (Passed<T>& p : passed) p = Passed<T>::none(-FAR<T>);
        for (int64_t i = 0; i < n; i++) row<true>(i);
        for (Passed<T>& p : passed) p = Passed<T>::none(FAR<T>);
        for (int64_t i = n - 1; i >= 0; i--) row<false>(i);
    }

  private:
    template <bool DOWN> void row(int64_t i) {
        int64_t c = start;
        Passed<T>* p = passed;
        for (; c + WIDTH<T> <= stop; c += WIDTH<T>) step<DOWN, true>(*p++, i, c);
        if (c < stop) step<DOWN, false>(*p, i, c);
    }

    template <bool DOWN, bool WHOLE> INLINE void step(Passed<T>& p, int64_t i, int64_t column) {
        const int64_t at = i * inner + column, many = stop - column;
        const Planes<T> to = found + at;
        const T here = static_cast<T>(i);
        if (DOWN) {
            const int64_t next = (std::min(i + AHEAD, n - 1) - i) * inner;
            __builtin_prefetch(labels + at + next);
            for (const T* plane : {to.d1, to.l1, to.d2, to.l2}) __builtin_prefetch(plane + next, 1);
        }
        p.see(labels_of<WHOLE, T>(labels + at, many), here);
        Pair<T> pair{squared<T>(p.at1 - here, spacing), p.l1, squared<T>(p.at2 - here, spacing), p.l2};
        if (!DOWN) {
            const Pair<T> above = pair;
            pair.d1 = take<WHOLE>(to.d1, many);
            pair.l1 = take<WHOLE>(to.l1, many);
            if (second) pair.d2 = take<WHOLE>(to.d2, many);
            if (second) pair.l2 = take<WHOLE>(to.l2, many);
            pair.add(above.d1, above.l1);
            pair.add(above.d2, above.l2);
        }
        put<WHOLE>(to.d1, pair.d1, many);
        put<WHOLE>(to.l1, pair.l1, many);
        if (second) put<WHOLE>(to.d2, pair.d2, many);
        if (second) put<WHOLE>(to.l2, pair.l2, many);
    }

    const int32_t* labels;
    const Planes<T> found;
    const int64_t n, inner, start, stop;
    const T spacing;
    const bool second;
    Passed<T> passed[STRIP / WIDTH<T>];
};

}  // namespace steelyard::STEELYARD_SET
