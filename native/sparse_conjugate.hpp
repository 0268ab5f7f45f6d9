// Conjugate gradients: products with the Hessian, in floats, until a direction is known.
#pragma once

#include "sparse_inverse.hpp"

namespace steelyard::STEELYARD_SET {
namespace {

template <int L> struct Conjugate : Inverse<L> {
    typedef Side<float, L> F;
    typedef Side<double, L> D;
    using Models<L>::call, Models<L>::n, Models<L>::p, Models<L>::C, Models<L>::P, Models<L>::k, Models<L>::stride,
          Models<L>::d, Models<L>::r, Models<L>::q, Models<L>::inverse, Models<L>::bend, Models<L>::steep, Models<L>::share,
          Models<L>::bent, Models<L>::small, Models<L>::model, Models<L>::decrement, Models<L>::ridge, Models<L>::ahead;

    using Inverse<L>::Inverse, Inverse<L>::precondition, Inverse<L>::solve_block;
    static constexpr double BEYOND = 1e-2;  // of what is small enough, while other lanes are not there

    // Conjugate gradients: d with H d = r, until what is left of r is small; lanes that are there before go on with the others.
    void direction() {
        precondition();
        double rs[L], now[L], goal[L], curved[L];
        float by[L], back[L] = {};
        bool more[L];
        begin(rs);
        for (int l = 0; l < L; l++) {
            more[l] = model[l] >= 0;
            goal[l] = call.residual * call.residual * rs[l];
            decrement[l] = 0;
        }
        for (int64_t product = 0; product < call.products; product++) {
            turn(back);
            forward(curved);
            for (int l = 0; l < L; l++) {
                more[l] = more[l] && curved[l] > 0 && rs[l] > 0;
                by[l] = more[l] ? static_cast<float>(rs[l] / curved[l]) : 0;
                decrement[l] += static_cast<double>(by[l]) * rs[l];  // <g, d> = <d, H d>
            }
            backward(by, now);
            bool some = false;
            for (int l = 0; l < L; l++) {
                if (!more[l]) continue;
                back[l] = static_cast<float>(now[l] / rs[l]);
                rs[l] = now[l];
                some |= now[l] > goal[l];
                more[l] = now[l] > BEYOND * goal[l];
            }
            if (!some) return;
        }
    }
    // d = q = 0; <r, s> with s = r by what is roughly the inverse of H
    void begin(double* rs) {
        std::fill_n(d, P * L, 0.0f);
        std::fill_n(q, P * L, 0.0f);
        Sum<L> dots;
        for (int64_t at = call.blocks * stride; at < p * stride; at += L) {
            const F left = F::at(&r[at]);
            dots.add(left, left * F::at(&inverse[at]));
        }
        close(dots, rs);
    }
    void close(Sum<L>& dots, double* rs) {  // with the block's share
        solve_block();
        for (int64_t i = 0; i < k; i++)
            for (int64_t c = 0; c < C; c++)
                dots.add(F::at(&r[((i == k - 1 ? p : i) * C + c) * L]), F::at(&small[(i * C + c) * L]));
        dots.close();
        for (int l = 0; l < L; l++) rs[l] = dots.all[l];
    }
    void turn(const float* back) {  // q = s + back q
        const F again = F::at(back);
        Sum<L> squares;
        auto one = [&](int64_t at, F s) {
            s.add(again, F::at(&q[at]));
            s.to(&q[at]);
            return s;
        };
        for (int64_t at = 0; at < call.blocks * stride; at += L) {
            const F s = one(at, F::at(&small[at]));
            squares.add(s, s);
        }
        for (int64_t at = call.blocks * stride; at < p * stride; at += L) {
            const F s = one(at, F::at(&r[at]) * F::at(&inverse[at]));
            squares.add(s, s);
        }
        for (int64_t c = 0; c < C; c++) one(p * stride + c * L, F::at(&small[(k - 1) * stride + c * L]));
        squares.close();
        for (int l = 0; l < L; l++) ahead[l] = squares.all[l];
    }
    // `bent`: the curvature times the rows' logits by q; q . H q
    void forward(double* curved) {
        Sum<L> dots;
        std::vector<F> z(C);
        for (int64_t a = 0; a < call.parts; a++) {
            const int64_t label = call.bounds[3 * a];
            for (int64_t row = call.bounds[3 * a + 1]; row < call.bounds[3 * a + 2]; row++) {
                const int64_t from = call.row_ends[row], many = call.row_ends[row + 1] - from;
                for (int64_t c = 0; c < C; c++)
                    z[c] = F::at(&q[(p * C + c) * L]) +
                           gathered<float, L>(call.light_by_row + from, call.columns + from, many, &q[c * L], stride);
                const F curve = F::at(&bend[row * L]);
                if (C == 1) {
                    const F out = curve * z[0];
                    dots.add(out, z[0]);
                    out.to(&bent[row * L]);
                    continue;
                }
                const float* of = &share[row * stride];
                F mean{};
                for (int64_t c = 0; c < C; c++) mean.add(F::at(of + c * L), z[c]);
                const F flat = F::at(&steep[row * L]);
                F apart;
                for (int i = 0; i < F::N; i++) apart.v[i] = curve.v[i] * (mean.v[i] - z[label].v[i]);
                for (int64_t c = 0; c < C; c++) {
                    const F mine = F::at(of + c * L);
                    F out;
                    for (int i = 0; i < F::N; i++)
                        out.v[i] = c == label ? -apart.v[i] : mine.v[i] * (flat.v[i] * (z[c].v[i] - mean.v[i]) + apart.v[i]);
                    dots.add(out, z[c]);
                    out.to(&bent[(row * C + c) * L]);
                }
            }
        }
        dots.close();
        for (int l = 0; l < L; l++) curved[l] = dots.all[l] + ridge[l] * ahead[l];
    }
    // d += by q, r -= by H q; r . s for the new r
    void backward(const float* by, double* rs) {
        float heavy[L], less[L];
        for (int l = 0; l < L; l++) heavy[l] = static_cast<float>(ridge[l]), less[l] = -by[l];
        const F weight = F::at(heavy), go = F::at(by), down = F::at(less);
        Sum<L> dots;
        for (int64_t j = 0; j < p; j++) {
            const int64_t from = call.column_ends[j], many = call.column_ends[j + 1] - from;
            for (int64_t c = 0; c < C; c++) {
                const int64_t at = (j * C + c) * L;
                F h = gathered<float, L>(call.light_by_column + from, call.rows_of + from, many, &bent[c * L], stride);
                const F along = F::at(&q[at]);
                h.add(weight, along);
                const F left = advance(at, along, h, go, down);
                if (j >= call.blocks) dots.add(left, left * F::at(&inverse[at]));
            }
        }
        for (int64_t c = 0; c < C; c++) {
            Sum<L> pull;
            F ones;
            for (int i = 0; i < F::N; i++) ones.v[i] = 1.0f - typename F::V{};
            for (int64_t row = 0; row < n; row++) pull.add(ones, F::at(&bent[(row * C + c) * L]));
            pull.close();
            const int64_t at = (p * C + c) * L;
            advance(at, F::at(&q[at]), narrow<L>(D::at(pull.all)), go, down);
        }
        close(dots, rs);
    }
    INLINE F advance(int64_t at, const F& along, const F& h, const F& go, const F& down) {
        F so_far = F::at(&d[at]), left = F::at(&r[at]);
        so_far.add(go, along);
        left.add(down, h);
        so_far.to(&d[at]);
        left.to(&r[at]);
        return left;
    }
};

}  // namespace
}  // namespace steelyard::STEELYARD_SET
