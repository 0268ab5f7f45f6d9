// One instruction set's passes over a table for many linear models at once, and the steps that follow from their gradients.
//
// A block of rows is copied to where it stays in the nearest caches; logits, slopes and the slopes' products with the rows are made of
// it for every model before the next block. Numbers within a block are of type T, sums over blocks are doubles.
#include <type_traits>

#include "linear.hpp"

namespace steelyard::STEELYARD_SET {

// Slopes dl/du in place of u, and the losses added to `value`. u is the logit that is large where the row is wrong.
template <class T, bool FOCAL_, bool VALUED>
INLINE void sigmoid_slopes(T* u, int64_t count, T gamma, const T* own, double* value) {
    constexpr int W = WIDTH<T>;
    Vector<T> losses{};
    for (int64_t i = 0; i < count; i += W) {
        const Wrong<T> w = wrong<FOCAL_, VALUED, false, T>(load(u + i), every<T>(gamma));
        const Vector<T> times = load(own + i);
        store<T>(u + i, w.slope * times);
        if constexpr (VALUED) losses += w.loss * times;
    }
    if constexpr (VALUED)
        for (int k = 0; k < W; k++) *value += static_cast<double>(losses[k]);
}

// The same for C logits u [C, stride], with a log-probability's plain loss.
template <class T> INLINE void softmax_slopes(T* u, int64_t C, int64_t stride, int64_t count, int64_t label, const T* own) {
    constexpr int W = WIDTH<T>;
    for (int64_t i = 0; i < count; i += W) {
        Vector<T> most = load(u + i);
        for (int64_t c = 1; c < C; c++) {
            const Vector<T> x = load(u + c * stride + i);
            most = x > most ? x : most;
        }
        Vector<T> sum{}, others{};
        for (int64_t c = 0; c < C; c++) {
            const Vector<T> e = exp(load(u + c * stride + i) - most);
            sum += e;
            if (c != label) others += e;
            store<T>(u + c * stride + i, e);
        }
        const Vector<T> each = load(own + i) / sum;
        for (int64_t c = 0; c < C; c++) store<T>(u + c * stride + i, load(u + c * stride + i) * each);
        store<T>(u + label * stride + i, -others * each);  // -(1 - p) without cancellation
    }
}

// The same for any curve that one wrong logit has, which is here the others' log-sum-exp less the label's, with the losses.
template <class T, bool FOCAL_, bool VALUED>
INLINE void others_slopes(T* u, int64_t C, int64_t stride, int64_t count, int64_t label, T gamma, const T* own, double* value) {
    constexpr int W = WIDTH<T>;
    Vector<T> losses{};
    for (int64_t i = 0; i < count; i += W) {
        Vector<T> most = every<T>(-FAR<T>), sum{};
        for (int64_t c = 0; c < C; c++) {
            const Vector<T> x = load(u + c * stride + i);
            if (c != label) most = x > most ? x : most;
        }
        for (int64_t c = 0; c < C; c++) {
            if (c == label) continue;
            const Vector<T> e = exp(load(u + c * stride + i) - most);
            sum += e;
            store<T>(u + c * stride + i, e);
        }
        const Wrong<T> w = wrong<FOCAL_, VALUED, false, T>(most + log(sum) - load(u + label * stride + i), every<T>(gamma));
        const Vector<T> times = load(own + i), slope = w.slope * times, each = slope / sum;
        for (int64_t c = 0; c < C; c++) store<T>(u + c * stride + i, c == label ? -slope : load(u + c * stride + i) * each);
        if constexpr (VALUED) losses += w.loss * times;
    }
    if constexpr (VALUED)
        for (int k = 0; k < W; k++) *value += static_cast<double>(losses[k]);
}

template <class T, class From> void pass_of(const LinearPass& call) {
    Block<T> block(call);
    const int64_t p = call.p, pp = block.pp, B = block.B, logits = block.logits;
    std::vector<double> total(logits * pp);
    for (int64_t part = 0; part < call.parts; part++) {
        const int64_t label = call.bounds[3 * part], start = call.bounds[3 * part + 1], stop = call.bounds[3 * part + 2];
        const double *chain = call.chain + part * call.models, *scale = call.scale + part * call.models;
        block.turn(call, part);
        std::fill(total.begin(), total.end(), 0.0);
        for (int64_t from = start; from < stop; from += B) {
            block.template read<From>(call, from, stop);
            const T gamma = static_cast<T>(call.gamma), *times = block.times.data();
            const int64_t whole = block.whole;
            for (int64_t m = 0; m < call.models; m++) {
                double loss = 0;
                T* mine = &block.u[m * call.C * B];
                auto one = [&](auto focal, auto valued) INLINE_LAMBDA {
                    constexpr bool F = decltype(focal)::value, V = decltype(valued)::value;
                    if (call.C == 1)
                        sigmoid_slopes<T, F, V>(mine, whole, gamma, times, &loss);
                    else if (F || V)
                        others_slopes<T, F, V>(mine, call.C, B, whole, label, gamma, times, &loss);
                    else
                        softmax_slopes<T>(mine, call.C, B, whole, label, times);
                };
                if (call.gamma != 0 && call.value) one(std::true_type{}, std::true_type{});
                else if (call.gamma != 0) one(std::true_type{}, std::false_type{});
                else if (call.value) one(std::false_type{}, std::true_type{});
                else one(std::false_type{}, std::false_type{});
                if (call.value) call.value[m] += scale[m] * loss;
            }
            all_outers<T>(block.X.data(), block.u.data(), logits, pp, block.rows, B, total.data());
        }
        for (int64_t k = 0; k < logits; k++) {
            const double by = scale[k / call.C] * chain[k / call.C];
            for (int64_t j = 0; j < p; j++) call.gradient[k * p + j] += by * total[k * pp + j];
        }
    }
}

void linear_pass(const LinearPass& call) {
    if (call.fine)
        call.doubles ? pass_of<double, double>(call) : pass_of<double, float>(call);
    else
        call.doubles ? pass_of<float, double>(call) : pass_of<float, float>(call);
}

// -- steps: what limited-memory BFGS and a Cholesky factor make of a gradient
template <class T> INLINE double dot(const T* a, const double* b, int64_t n) {
    constexpr int W = WIDTH<double>;
    Doubles all[4] = {};
    int64_t i = 0;
    for (; i + 4 * W <= n; i += 4 * W)
        for (int k = 0; k < 4; k++) all[k] += widen(a + i + k * W) * load(b + i + k * W);
    for (; i + W <= n; i += W) all[0] += widen(a + i) * load(b + i);
    all[0] = (all[0] + all[1]) + (all[2] + all[3]);
    double out = 0;
    for (int k = 0; k < W; k++) out += all[0][k];
    for (; i < n; i++) out += static_cast<double>(a[i]) * b[i];
    return out;
}
template <class T> INLINE void add(double* to, const T* what, double times, int64_t n) {
    constexpr int W = WIDTH<double>;
    int64_t i = 0;
    for (; i + W <= n; i += W) store<double>(to + i, load(to + i) + times * widen(what + i));
    for (; i < n; i++) to[i] += times * static_cast<double>(what[i]);
}

void linear_steps(const LinearSteps& call) {
    const int64_t n = call.size, models = call.models;
    double share[64];
    for (int64_t m = 0; m < models; m++) {
        double* out = call.out + m * n;
        std::memcpy(out, call.gradient + m * n, sizeof(double) * static_cast<size_t>(n));
        for (int64_t k = call.pairs; k-- > 0;) {
            const int64_t at = (k * models + m);
            share[k] = call.rho[at] == 0 ? 0 : call.rho[at] * dot(call.moves + at * n, out, n);
            if (share[k] != 0) add(out, call.changes + at * n, -share[k], n);
        }
        const float* L = call.factor + call.which[m] * n * n;  // lower, row by row
        for (int64_t i = 0; i < n; i++) out[i] = (out[i] - dot(L + i * n, out, i)) / static_cast<double>(L[i * n + i]);
        for (int64_t i = n; i-- > 0;) {
            out[i] /= static_cast<double>(L[i * n + i]);
            add(out, L + i * n, -out[i], i);
        }
        for (int64_t k = 0; k < call.pairs; k++) {
            const int64_t at = (k * models + m);
            if (call.rho[at] != 0) add(out, call.moves + at * n, share[k] - call.rho[at] * dot(call.changes + at * n, out, n), n);
        }
    }
}

}  // namespace steelyard::STEELYARD_SET
