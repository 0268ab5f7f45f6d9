// One instruction set's Hessians of many linear models on a table of few columns.
//
// A row's part of them is its curvature in the logits, C (C + 1) / 2 numbers of each model, times the p (p + 1) / 2 products of its columns,
// which all models share. Products of a block of rows are made once, and for every model and pair of logits multiplied with the
// curvatures, as gradients are of the rows themselves.
#include "linear.hpp"

namespace steelyard::STEELYARD_SET {

// Curvatures of C logits u [C, B], which are overwritten, in w [C (C + 1) / 2, B] in the order (0, 0), (0, 1), ..., (1, 1), ...: with the wrong
// logit's slope s and bend b, and each of the others' share r of their sum, s (diag r - r r^T) + b d d^T, d = r and -1 at the label.
template <class T, bool FOCAL_>
INLINE void curvatures(T* u, int64_t C, int64_t B, int64_t count, int64_t label, T gamma, const T* own, bool exact, T* w) {
    constexpr int W = WIDTH<T>;
    for (int64_t i = 0; i < count; i += W) {
        const Vector<T> times = load(own + i);
        Vector<T> wrongly, sum{};
        if (C == 1) {
            wrongly = load(u + i);
        } else {
            Vector<T> most = every<T>(-FAR<T>);
            for (int64_t c = 0; c < C; c++) {
                const Vector<T> x = load(u + c * B + i);
                if (c != label) most = x > most ? x : most;
            }
            for (int64_t c = 0; c < C; c++) {
                if (c == label) continue;
                const Vector<T> e = exp(load(u + c * B + i) - most);
                sum += e;
                store<T>(u + c * B + i, e);
            }
            wrongly = most + log(sum) - load(u + label * B + i);
        }
        const Wrong<T> told = wrong<FOCAL_, false, true, T>(wrongly, every<T>(gamma));
        const Vector<T> never = told.bend > told.least ? told.bend : told.least, bend = times * (exact ? told.bend : never);
        if (C == 1) {
            store<T>(w + i, bend);
            continue;
        }
        const Vector<T> slope = times * told.slope, rest = bend - slope;
        for (int64_t c = 0; c < C; c++)
            if (c != label) store<T>(u + c * B + i, load(u + c * B + i) / sum);
        T* out = w + i;
        for (int64_t c = 0; c < C; c++) {
            const Vector<T> mine = c == label ? -bend : load(u + c * B + i), across = mine * rest;
            for (int64_t k = c; k < C; k++, out += B) {
                Vector<T> x;
                if (c == label)
                    x = k == label ? bend : mine * load(u + k * B + i);
                else if (k == label)
                    x = -bend * mine;
                else
                    x = across * load(u + k * B + i);
                store<T>(out, k == c && c != label ? x + slope * mine : x);
            }
        }
    }
}

template <class T, class From> void hessian_of(const LinearHessian& call) {
    constexpr int W = WIDTH<T>;
    Block<T> block(call);
    const int64_t p = call.p, pp = block.pp, B = block.B, C = call.C, cells = C * (C + 1) / 2, n = C * p;
    const int64_t pairs = p * (p + 1) / 2, wide = (pairs + W - 1) / W * W;
    std::vector<T> products(B * (wide + W)), w(call.models * cells * B);
    std::vector<double> total(call.models * cells * wide);
    for (int64_t part = 0; part < call.parts; part++) {
        const int64_t label = call.bounds[3 * part], start = call.bounds[3 * part + 1], stop = call.bounds[3 * part + 2];
        block.turn(call, part);
        std::fill(total.begin(), total.end(), 0.0);
        for (int64_t from = start; from < stop; from += B) {
            block.template read<From>(call, from, stop);
            for (int64_t r = 0; r < block.rows; r++) {
                const T* row = &block.X[r * pp];
                T* to = &products[r * wide];
                for (int64_t i = 0; i < p; to += p - i++) {  // what is written too far is overwritten by what follows
                    const Vector<T> x = every<T>(row[i]);
                    for (int64_t j = i; j < p; j += W) store<T>(to + j - i, x * load(row + j));
                }
            }
            for (int64_t m = 0; m < call.models; m++) {
                T *u = &block.u[m * C * B], *mine = &w[m * cells * B];
                const T gamma = static_cast<T>(call.gamma);
                if (call.gamma != 0) curvatures<T, true>(u, C, B, block.whole, label, gamma, block.times.data(), call.exact, mine);
                else curvatures<T, false>(u, C, B, block.whole, label, gamma, block.times.data(), call.exact, mine);
            }
            all_outers<T>(products.data(), w.data(), call.models * cells, wide, block.rows, B, total.data());
        }
        for (int64_t m = 0; m < call.models; m++) {
            const double chain = call.chain[part * call.models + m], by = call.scale[part * call.models + m] * chain * chain;
            const double* from = &total[m * cells * wide];
            double* out = call.hessian + m * n * n;
            for (int64_t c = 0; c < C; c++)
                for (int64_t k = c; k < C; k++, from += wide - pairs)
                    for (int64_t i = 0; i < p; i++) {
                        double* row = out + (c * p + i) * n + k * p;
                        for (int64_t j = i; j < p; j++) row[j] += by * *from++;
                    }
        }
    }
    for (int64_t m = 0; m < call.models; m++) {  // the other halves: of each pair of logits, then of the whole
        double* out = call.hessian + m * n * n;
        for (int64_t c = 0; c < C; c++)
            for (int64_t k = c; k < C; k++)
                for (int64_t i = 0; i < p; i++)
                    for (int64_t j = i; j < p; j++) {
                        const double x = out[(c * p + i) * n + k * p + j];
                        out[(c * p + j) * n + k * p + i] = x;
                        out[(k * p + j) * n + c * p + i] = x;
                        out[(k * p + i) * n + c * p + j] = x;
                    }
    }
}

void linear_hessian(const LinearHessian& call) {
    if (call.fine)
        call.doubles ? hessian_of<double, double>(call) : hessian_of<double, float>(call);
    else
        call.doubles ? hessian_of<float, double>(call) : hessian_of<float, float>(call);
}

}  // namespace steelyard::STEELYARD_SET
