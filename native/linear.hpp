// What passes over a table and its Hessians share: a block of rows that stays in the nearest caches, the logits of many models on it, and
// products of what is made of these with the block.
#pragma once

#include <vector>

#include "logistic.hpp"

namespace steelyard::STEELYARD_SET {

template <class T> INLINE Vector<T> sums(Vector<T> (&x)[WIDTH<T>]) {  // lane k: the sum of x[k]
    for (int half = WIDTH<T> / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            x[i] = evens<T>(x[2 * i], x[2 * i + 1]) + odds<T>(x[2 * i], x[2 * i + 1]);
    return x[0];
}

// z [2, B] of two models and all rows of a block: products along the columns.
template <class T> constexpr int TALL = WIDTH<T> / 2 > 4 ? WIDTH<T> / 2 : 4;  // rows side by side
template <class T> INLINE void two_logits(const T* X, const T* theta, int64_t pp, int64_t rows, T* z, int64_t B) {
    constexpr int W = WIDTH<T>, HIGH = TALL<T>;
    for (int64_t r = 0; r < rows; r += HIGH) {
        Vector<T> all[2 * HIGH] = {};
        for (int64_t j = 0; j < pp; j += W) {
            const Vector<T> a = load(theta + j), b = load(theta + pp + j);
            for (int i = 0; i < HIGH; i++) {
                const Vector<T> x = load(X + (r + i) * pp + j);
                all[i] += a * x;
                all[HIGH + i] += b * x;
            }
        }
        T told[2 * HIGH];
        for (int k = 0; k < 2 * HIGH; k += W) {
            Vector<T> some[W];
            for (int i = 0; i < W; i++) some[i] = all[k + i];
            store<T>(told + k, sums<T>(some));
        }
        std::memcpy(z + r, told, sizeof(T) * HIGH);
        std::memcpy(z + B + r, told + HIGH, sizeof(T) * HIGH);
    }
}

template <class T, int M, int J>
INLINE void outer(const T* X, const T* slopes, int64_t pp, int64_t rows, int64_t B, double* to) {
    constexpr int W = WIDTH<T>;
    Vector<T> all[M][J] = {};
    for (int64_t r = 0; r < rows; r++) {
        Vector<T> x[J];
        for (int j = 0; j < J; j++) x[j] = load(X + r * pp + j * W);
        for (int m = 0; m < M; m++) {
            const Vector<T> s = every<T>(slopes[m * B + r]);
            for (int j = 0; j < J; j++) all[m][j] += s * x[j];
        }
    }
    for (int m = 0; m < M; m++)
        for (int j = 0; j < J; j++) {
            T told[W];
            store<T>(told, all[m][j]);
            double* out = to + m * pp + j * W;
            for (int k = 0; k < W; k++) out[k] += static_cast<double>(told[k]);
        }
}
template <class T, int M> void outers(const T* X, const T* slopes, int64_t pp, int64_t rows, int64_t B, double* to) {
    constexpr int W = WIDTH<T>;
    int64_t j = 0;
    for (; j + 3 * W <= pp; j += 3 * W) outer<T, M, 3>(X + j, slopes, pp, rows, B, to + j);
    if (pp - j == 2 * W) outer<T, M, 2>(X + j, slopes, pp, rows, B, to + j);
    if (pp - j == W) outer<T, M, 1>(X + j, slopes, pp, rows, B, to + j);
}

// to [count, pp] += slopes [count, B] X
template <class T> INLINE void all_outers(const T* X, const T* slopes, int64_t count, int64_t pp, int64_t rows, int64_t B, double* to) {
    int64_t k = 0;
    for (; k + 4 <= count; k += 4) outers<T, 4>(X, slopes + k * B, pp, rows, B, to + k * pp);
    if (count - k == 3) outers<T, 3>(X, slopes + k * B, pp, rows, B, to + k * pp);
    if (count - k == 2) outers<T, 2>(X, slopes + k * B, pp, rows, B, to + k * pp);
    if (count - k == 1) outers<T, 1>(X, slopes + k * B, pp, rows, B, to + k * pp);
}

// Rows of one part in type T, with zeros beyond the last up to a whole number of steps and beyond the last column; `times` is what a row
// counts of its own.
template <class T> struct Block {
    static constexpr int W = WIDTH<T>, STEP = W > TALL<T> ? W : TALL<T>;
    static constexpr int64_t BYTES = 24 << 10;
    const int64_t p, pp, logits, even, B;
    std::vector<T> X, times, theta, u;  // [B, pp] and a vector, [B], [even, pp], [even, B]
    int64_t rows = 0, whole = 0;

    explicit Block(const Linear& call)
        : p(call.p), pp((p + W - 1) / W * W), logits(call.models * call.C), even((logits + 1) / 2 * 2),
          B(std::max<int64_t>(STEP, std::min<int64_t>(128, BYTES / (pp * static_cast<int64_t>(sizeof(T))))) / STEP * STEP),
          X(B * pp + W), times(B), theta(even * pp), u(even * B) {}

    // What turns a row of this part into u = chain z + shift.
    void turn(const Linear& call, int64_t part) {
        for (int64_t k = 0; k < logits; k++) {
            const double by = call.chain[part * call.models + k / call.C];
            for (int64_t j = 0; j < p; j++) theta[k * pp + j] = static_cast<T>(by * call.theta[k * p + j]);
            theta[k * pp + p - 1] = static_cast<T>(by * call.theta[k * p + p - 1] + call.shift[part * logits + k]);
        }
    }
    // The rows from `from` on, but for `stop`, and their logits u.
    template <class From> void read(const Linear& call, int64_t from, int64_t stop) {
        const From *all = static_cast<const From*>(call.X), *own = static_cast<const From*>(call.own);
        rows = std::min(B, stop - from), whole = (rows + STEP - 1) / STEP * STEP;
        for (int64_t r = 0; r < rows; r++) {
            const From* row = all + (from + r) * call.stride;
            for (int64_t j = 0; j < p; j++) X[r * pp + j] = static_cast<T>(row[j]);
            times[r] = own ? static_cast<T>(own[from + r]) : T(1);
        }
        for (int64_t r = rows; r < whole; r++) {
            std::fill_n(&X[r * pp], pp, T(0));
            times[r] = T(0);
        }
        for (int64_t k = 0; k < even; k += 2) two_logits<T>(X.data(), &theta[k * pp], pp, whole, &u[k * B], B);
    }
};

}  // namespace steelyard::STEELYARD_SET
