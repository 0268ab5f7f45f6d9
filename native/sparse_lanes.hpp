// What the models of sparse.cpp that go side by side have: where they are, their gradients and curvatures, and where they go.
#pragma once

#include <vector>

#include "side.hpp"

namespace steelyard::STEELYARD_SET {
namespace {

template <int L> struct Models {
    const SparseNewton& call;
    const int64_t n, p, C, P, stride, k;
    Arena arena;
    double *theta, *slopes;               // [p + 1, C, L], [rows, C, L]
    float *d, *r, *q, *inverse;           // [p + 1, C, L]
    float *bend, *steep, *share, *bent;   // [rows, L] twice, [rows, C, L] twice
    std::vector<double> chain, shift, scale;    // [parts, L], [parts, C, L], [parts, L]
    std::vector<float> block_x, factor, small;  // of the rows in the block, [k, k, C, L], [k, C, L]
    std::vector<int32_t> block_at;                // their columns, ascending
    std::vector<int64_t> block_ends;
    int64_t model[L];
    double value[L], decrement[L], length[L], ridge[L];
    double ahead[L];  // |q|^2 without the intercept
    int64_t count[L];
    bool fresh[L];

    explicit Models(const SparseNewton& c)
        : call(c), n(c.rows), p(c.p), C(c.C), P((c.p + 1) * c.C), stride(c.C * L), k(c.blocks + 1),
          chain(c.parts * L), shift(c.parts * C * L), scale(c.parts * L), factor(k * k * C * L), small(k * C * L) {
        for (int again = 0; again < 2; again++) {
            for (double** one : {&theta, &slopes}) arena.plan(*one, (one == &theta ? P : n * C) * L);
            for (float** one : {&d, &r, &q, &inverse}) arena.plan(*one, P * L);
            for (float** one : {&share, &bent}) arena.plan(*one, n * C * L);
            for (float** one : {&bend, &steep}) arena.plan(*one, n * L);
            if (!again) arena.make();
        }
        block_ends.push_back(0);
        for (int64_t row = 0; row < n; row++) {
            for (int64_t e = call.row_ends[row]; e < call.row_ends[row + 1]; e++)
                if (call.columns[e] < call.blocks) {
                    block_at.push_back(call.columns[e]);
                    block_x.push_back(call.light_by_row[e]);
                }
            block_ends.push_back(static_cast<int64_t>(block_at.size()));
        }
    }
};

}  // namespace
}  // namespace steelyard::STEELYARD_SET
