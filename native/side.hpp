// Numbers of many linear models side by side, one model in each lane: a number of a sparse matrix is read once for all of them, and what is
// next to it are L numbers that follow each other.
#pragma once

#include <memory>
#include <new>

#include "logistic.hpp"

namespace steelyard::STEELYARD_SET {
namespace {

template <class T, int L> struct Side {  // L numbers as as few vectors as hold them
    static constexpr int W = L < WIDTH<T> ? L : WIDTH<T>, N = L / W;
    typedef T V __attribute__((vector_size(W * sizeof(T))));
    V v[N];

    static INLINE Side at(const T* from) {
        Side out;
        std::memcpy(out.v, from, sizeof(out.v));
        return out;
    }
    INLINE void to(T* place) const { std::memcpy(place, v, sizeof(v)); }
    INLINE void add(T x, const T* from) {
        const Side o = at(from);
        for (int i = 0; i < N; i++) v[i] += x * o.v[i];
    }
    INLINE void add(const Side& x, const Side& y) {
        for (int i = 0; i < N; i++) v[i] += x.v[i] * y.v[i];
    }
    INLINE Side operator+(const Side& o) const {
        Side out;
        for (int i = 0; i < N; i++) out.v[i] = v[i] + o.v[i];
        return out;
    }
    INLINE Side operator*(const Side& o) const {
        Side out;
        for (int i = 0; i < N; i++) out.v[i] = v[i] * o.v[i];
        return out;
    }
};

// The sum over `count` numbers of the matrix, each times the L numbers of its row or column.
template <class T, int L>
INLINE Side<T, L> gathered(const T* x, const int32_t* index, int64_t count, const T* from, int64_t stride) {
    Side<T, L> a{}, b{};
    int64_t k = 0;
    for (; k + 2 <= count; k += 2) {
        a.add(x[k], from + index[k] * stride);
        b.add(x[k + 1], from + index[k + 1] * stride);
    }
    if (k < count) a.add(x[k], from + index[k] * stride);
    return a + b;
}

template <int L> struct Sum {  // of many float numbers a lane: blocks in float, of which the sum is a double
    Side<float, L> block{};
    double all[L] = {};
    int many = 0;

    INLINE void add(const Side<float, L>& x, const Side<float, L>& y) {
        block.add(x, y);
        if (++many == 128) close();
    }
    INLINE void close() {
        float told[L];
        block.to(told);
        for (int l = 0; l < L; l++) all[l] += static_cast<double>(told[l]);
        block = {};
        many = 0;
    }
};

typedef float Some __attribute__((vector_size(sizeof(float) * WIDTH<double>)));

// All arrays of some models in one piece of large pages: what is gathered lies on many small ones otherwise.
class Arena {
    static constexpr size_t PAGE = size_t(2) << 20;
    struct Free {
        void operator()(char* memory) const { ::operator delete(memory, std::align_val_t(PAGE)); }
    };
    std::unique_ptr<char, Free> memory;
    size_t used = 0;

  public:
    template <class T> void plan(T*& array, int64_t count) {
        if (memory) array = reinterpret_cast<T*>(memory.get() + used);
        used += (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
    }
    void make() {
        memory.reset(static_cast<char*>(::operator new(used, std::align_val_t(PAGE))));
        settle(memory.get(), static_cast<int64_t>(used));
        std::memset(memory.get(), 0, used);
        used = 0;
    }
};

template <int L> INLINE Side<double, L> wide(const float* from) {
    typedef Side<double, L> D;
    D out;
    for (int i = 0; i < D::N; i++) out.v[i] = widen(from + i * D::W);
    return out;
}
template <int L> INLINE Side<float, L> narrow(const Side<double, L>& x) {
    typedef Side<double, L> D;
    float out[L];
    for (int i = 0; i < D::N; i++) {
        const auto some = __builtin_convertvector(x.v[i], Some);
        std::memcpy(out + i * D::W, &some, sizeof(some));
    }
    return Side<float, L>::at(out);
}

}  // namespace
}  // namespace steelyard::STEELYARD_SET
