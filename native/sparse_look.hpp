// The objective of many linear models on sparse rows, its gradient, and the curvature of every row: products with the matrix and its
// transpose in doubles.
#pragma once

#include "sparse_lanes.hpp"

namespace steelyard::STEELYARD_SET {
namespace {

template <int L> struct Look : Models<L> {
    typedef Side<float, L> F;
    typedef Side<double, L> D;
    using Models<L>::call, Models<L>::p, Models<L>::C, Models<L>::stride, Models<L>::theta, Models<L>::slopes, Models<L>::r,
          Models<L>::bend, Models<L>::steep, Models<L>::share, Models<L>::shift, Models<L>::scale, Models<L>::chain,
          Models<L>::value, Models<L>::ridge;

    using Models<L>::Models;

    // The objective, its gradient r and the curvature of every row.
    void look() {
        D losses{};
        std::vector<D> pull(C, D{}), z(C);
        for (int64_t a = 0; a < call.parts; a++) {
            const int64_t label = call.bounds[3 * a];
            const D by = D::at(&scale[a * L]), turn = D::at(&chain[a * L]);
            for (int64_t row = call.bounds[3 * a + 1]; row < call.bounds[3 * a + 2]; row++) {
                const int64_t from = call.row_ends[row], many = call.row_ends[row + 1] - from;
                const double own = call.own ? call.own[row] : 1;
                for (int64_t c = 0; c < C; c++)
                    z[c] = D::at(&theta[(p * C + c) * L]) +
                           gathered<double, L>(call.by_row + from, call.columns + from, many, &theta[c * L], stride);
                D times = by;
                for (int i = 0; i < D::N; i++) times.v[i] *= own;
                if (C == 1)
                    one(row, z[0], turn, D::at(&shift[a * L]), times, losses);
                else
                    several(row, z.data(), a, label, times, losses);
                for (int64_t c = 0; c < C; c++) pull[c] = pull[c] + D::at(&slopes[(row * C + c) * L]);
            }
        }
        const D heavy = D::at(ridge);
        D squares{};
        for (int64_t j = 0; j < p; j++) {
            const int64_t from = call.column_ends[j], many = call.column_ends[j + 1] - from;
            for (int64_t c = 0; c < C; c++) {
                D g = gathered<double, L>(call.by_column + from, call.rows_of + from, many, &slopes[c * L], stride);
                const D t = D::at(&theta[(j * C + c) * L]);
                g.add(heavy, t);
                squares.add(t, t);
                narrow<L>(g).to(&r[(j * C + c) * L]);
            }
        }
        for (int64_t c = 0; c < C; c++) narrow<L>(pull[c]).to(&r[(p * C + c) * L]);
        double loss[L], square[L];
        losses.to(loss);
        squares.to(square);
        for (int l = 0; l < L; l++) value[l] = loss[l] + ridge[l] * square[l] / 2;
    }
    INLINE void one(int64_t row, const D& z, const D& turn, const D& moved, const D& times, D& losses) {
        D slope, curve;
        for (int i = 0; i < D::N; i++) {
            const Wrong<double> w = read(turn.v[i] * z.v[i] + moved.v[i]);
            slope.v[i] = times.v[i] * turn.v[i] * w.slope;
            curve.v[i] = times.v[i] * turn.v[i] * turn.v[i] * w.bend;
            losses.v[i] += times.v[i] * w.loss;
        }
        slope.to(&slopes[row * L]);
        narrow<L>(curve).to(&bend[row * L]);
    }
    INLINE Wrong<double> read(Doubles u) const {
        if (call.gamma == 0) return wrong<false, true, true, double>(u, every<double>(0));
        Wrong<double> w = wrong<true, true, true, double>(u, every<double>(call.gamma));
        w.bend = w.bend > w.least ? w.bend : w.least;
        return w;
    }
    // u = log sum of the others' e^z - z[label]; what a class has of the others' sum is its share.
    INLINE void several(int64_t row, D* z, int64_t a, int64_t label, const D& times, D& losses) {
        D slope, curve;
        for (int i = 0; i < D::N; i++) {
            Doubles most = every<double>(-FAR<double>), sum{};
            for (int64_t c = 0; c < C; c++) {
                z[c].v[i] += D::at(&shift[(a * C + c) * L]).v[i];
                if (c != label) most = z[c].v[i] > most ? z[c].v[i] : most;
            }
            const Doubles mine = z[label].v[i];
            for (int64_t c = 0; c < C; c++)
                if (c != label) sum += z[c].v[i] = exp(z[c].v[i] - most);
            const Wrong<double> w = read(most + log(sum) - mine);
            slope.v[i] = times.v[i] * w.slope;
            curve.v[i] = times.v[i] * w.bend;
            losses.v[i] += times.v[i] * w.loss;
            for (int64_t c = 0; c < C; c++) z[c].v[i] = c == label ? Doubles{} : z[c].v[i] / sum;
        }
        for (int64_t c = 0; c < C; c++) {
            narrow<L>(z[c]).to(&share[(row * C + c) * L]);
            D out = slope * z[c];
            if (c == label)
                for (int i = 0; i < D::N; i++) out.v[i] = -slope.v[i];
            out.to(&slopes[(row * C + c) * L]);
        }
        narrow<L>(slope).to(&steep[row * L]);
        narrow<L>(curve).to(&bend[row * L]);
    }
};

}  // namespace
}  // namespace steelyard::STEELYARD_SET
