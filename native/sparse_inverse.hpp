// What is roughly the inverse of a Hessian: of its diagonal, and of the columns that most rows have, and the intercept, of the whole.
#pragma once

#include <cmath>

#include "sparse_look.hpp"

namespace steelyard::STEELYARD_SET {
namespace {

template <int L> struct Inverse : Look<L> {
    typedef Side<float, L> F;
    typedef Side<double, L> D;
    using Models<L>::call, Models<L>::p, Models<L>::C, Models<L>::k, Models<L>::r, Models<L>::inverse, Models<L>::bend,
          Models<L>::steep, Models<L>::share, Models<L>::bent, Models<L>::factor, Models<L>::small, Models<L>::block_x,
          Models<L>::block_at, Models<L>::block_ends, Models<L>::ridge;

    using Look<L>::Look;

    // The curvature of a row and class with itself.
    INLINE F own(int64_t row, int64_t c, int64_t label) const {
        const F curve = F::at(&bend[row * L]);
        if (C == 1 || c == label) return curve;
        const F mine = F::at(&share[(row * C + c) * L]), flat = F::at(&steep[row * L]);
        F out;
        for (int i = 0; i < F::N; i++) out.v[i] = mine.v[i] * (flat.v[i] * (1.0f - mine.v[i]) + curve.v[i] * mine.v[i]);
        return out;
    }
    // Of H its diagonal, and of the columns that most rows have, and the intercept, the whole.
    void precondition() {
        std::vector<double> H(k * k * C * L);
        std::vector<float> sums(k * k * C * L);
        std::vector<int32_t> at;
        std::vector<float> x;
        int64_t since = 0;
        auto close = [&] {
            for (size_t i = 0; i < H.size(); i++) H[i] += static_cast<double>(sums[i]);
            std::fill(sums.begin(), sums.end(), 0.0f);
            since = 0;
        };
        for (int64_t a = 0; a < call.parts; a++)
            for (int64_t row = call.bounds[3 * a + 1]; row < call.bounds[3 * a + 2]; row++) {
                at.assign(block_at.begin() + block_ends[row], block_at.begin() + block_ends[row + 1]);
                x.assign(block_x.begin() + block_ends[row], block_x.begin() + block_ends[row + 1]);
                at.push_back(static_cast<int32_t>(k - 1));
                x.push_back(1);
                for (int64_t c = 0; c < C; c++) {
                    const F curve = own(row, c, call.bounds[3 * a]);
                    curve.to(&bent[(row * C + c) * L]);
                    for (size_t i = 0; i < at.size(); i++)
                        for (size_t j = 0; j <= i; j++) {
                            float* to = &sums[((at[i] * k + at[j]) * C + c) * L];
                            F all = F::at(to);
                            const float both = x[i] * x[j];
                            for (int v = 0; v < F::N; v++) all.v[v] += both * curve.v[v];
                            all.to(to);
                        }
                }
                if (++since == 1024) close();
            }
        close();
        for (int64_t c = 0; c < C; c++)
            for (int l = 0; l < L; l++) {
                double trace = 0;
                auto cell = [&](int64_t i, int64_t j) -> double& { return H[((i * k + j) * C + c) * L + l]; };
                for (int64_t i = 0; i < k; i++) trace += cell(i, i) += i < k - 1 ? ridge[l] : 0;
                for (int64_t i = 0; i < k; i++) cell(i, i) += 1e-6 * trace / static_cast<double>(k) + 1e-37;
            }
        factorise(H);
        float heavy[L];
        for (int l = 0; l < L; l++) heavy[l] = static_cast<float>(ridge[l]);
        const F weight = F::at(heavy);
        for (int64_t j = 0; j < p; j++) {
            const int64_t from = call.column_ends[j], many = call.column_ends[j + 1] - from;
            for (int64_t c = 0; c < C; c++) {
                F sum = weight;
                for (int64_t e = from; e < from + many; e++) {
                    const float x = call.light_by_column[e];
                    sum.add(x * x, &bent[(call.rows_of[e] * C + c) * L]);
                }
                for (int i = 0; i < F::N; i++) sum.v[i] = 1.0f / sum.v[i];
                sum.to(&inverse[(j * C + c) * L]);
            }
        }
    }
    // Cholesky's L by lanes, with the inverse of its diagonal on the diagonal.
    void factorise(std::vector<double>& H) {
        for (int64_t c = 0; c < C; c++) {
            auto cell = [&](int64_t i, int64_t j) { return &H[((i * k + j) * C + c) * L]; };
            for (int64_t i = 0; i < k; i++)
                for (int64_t j = 0; j <= i; j++) {
                    D sum = D::at(cell(i, j));
                    for (int64_t m = 0; m < j; m++) {
                        const D a = D::at(cell(i, m)), b = D::at(cell(j, m));
                        for (int v = 0; v < D::N; v++) sum.v[v] -= a.v[v] * b.v[v];
                    }
                    double told[L];
                    sum.to(told);
                    if (i == j)  // rounding may leave less than nothing
                        for (int l = 0; l < L; l++) told[l] = 1 / std::sqrt(std::max(told[l], 1e-37));
                    D out = D::at(told);
                    if (i != j) out = out * D::at(cell(j, j));
                    out.to(cell(i, j));
                }
        }
        for (size_t i = 0; i < H.size(); i++) factor[i] = static_cast<float>(H[i]);
    }
    void solve_block() {  // small = (L L^T)^-1 r there
        for (int64_t c = 0; c < C; c++) {
            auto cell = [&](int64_t i, int64_t j) { return F::at(&factor[((i * k + j) * C + c) * L]); };
            auto to = [&](int64_t i) { return &small[(i * C + c) * L]; };
            auto less = [](F& x, const F& a, const F& b) {
                for (int v = 0; v < F::N; v++) x.v[v] -= a.v[v] * b.v[v];
            };
            for (int64_t i = 0; i < k; i++) {
                F x = F::at(&r[((i == k - 1 ? p : i) * C + c) * L]);
                for (int64_t j = 0; j < i; j++) less(x, cell(i, j), F::at(to(j)));
                (x * cell(i, i)).to(to(i));
            }
            for (int64_t i = k; i-- > 0;) {
                F x = F::at(to(i));
                for (int64_t j = i + 1; j < k; j++) less(x, cell(j, i), F::at(to(j)));
                (x * cell(i, i)).to(to(i));
            }
        }
    }
};

}  // namespace
}  // namespace steelyard::STEELYARD_SET
