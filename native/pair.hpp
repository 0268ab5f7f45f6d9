// The two nearest distinct labels of many pixels at once.
//
// Labels are numbers of the type of the distances, 0 for none, so that one comparison chooses both.
#pragma once

#include "vectors.hpp"

namespace steelyard::STEELYARD_SET {

// Squared distances and labels; infinitely far and 0 where there are fewer than two.
template <class T> struct Pair {
    Vector<T> d1, l1, d2, l2;

    static INLINE Pair none() { return Pair{every(FAR<T>), Vector<T>{}, every(FAR<T>), Vector<T>{}}; }

    // A first that is beaten becomes the second even if that is as near: the second's label may be the one that beats it.
    INLINE void add(Vector<T> d, Vector<T> l) {
        const Mask<T> less = d < d1, known = l == l1;
        const Vector<T> loser = d1 > d ? d1 : d, of = less ? l1 : l;  // one instruction each way, where `less ?` would be two
        d1 = d < d1 ? d : d1;
        l1 = less ? l : l1;
        const Mask<T> second = (loser <= d2) & ~known;
        d2 = second ? loser : d2;
        l2 = second ? of : l2;
    }
};

// Where the pairs of all pixels lie.
template <class T> struct Planes {
    T *d1, *l1, *d2, *l2;

    Planes operator+(int64_t offset) const { return {d1 + offset, l1 + offset, d2 + offset, l2 + offset}; }
};

}  // namespace steelyard::STEELYARD_SET
