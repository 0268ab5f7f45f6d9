// What Python hands over for one call: plain pointers and sizes, the same for every instruction set.
#pragma once

#include <cstdint>
#include <cstring>

namespace steelyard {

enum Kind : int32_t { LOG, FOCAL, SHIFTED, POLY, GCE, SYMMETRIC, SQUARE };
enum Dtype : int32_t { FLOAT32, BFLOAT16, FLOAT16 };
// SOFT: float32 probabilities in the layout of the logits; those of half precision are for sigmoids alone
enum Label : int32_t { INT64, INT32, UINT8, SOFT, SOFT_BFLOAT16, SOFT_FLOAT16 };

// One number of the caller's, whose address need not be a multiple of its size: a field of packed records, a file from byte 3 on.
template <class T> inline __attribute__((always_inline)) T peek(const T* from) {
    T out;
    std::memcpy(&out, from, sizeof(out));
    return out;
}

struct Curve {
    Kind kind;
    float a, b, c;  // in the order of the Python dataclass
    bool operator==(const Curve& o) const { return kind == o.kind && a == o.a && b == o.b && c == o.c; }
};

// Float32 tables; null where there is none. `full` [C, C] holds row and column already.
struct Table {
    const float *row, *column, *full;
};

// What a pass tells of every item's own label (sigmoid: of every logit) while it computes the loss.
enum Told : int32_t {
    NOTHING,
    MISSED,    // 1 - p of the label; sigmoid: the smaller of P(is) and, with a minus, P(is not), so that neither loses its digits
    SURPRISE,  // -log p of the label; softmax only
    SIZE,      // of the gradient: 1 - p of the label, |sigma - y|
};

// What an adaptive rule asks of the pass; see ops/beside.py. Made for tables by which u is z, but for an offset.
struct Beside {
    Told told;
    float* out;             // of each item, NaN where it does not count; null for NOTHING
    const float* regions;   // [bins] or null: an item counts regions[floor(its SIZE times bins)] times
    int32_t bins;
    float power, log_floor;  // softmax: z_c + power max(0, log p_c - max(log p_y, log_floor)) in place of z_c; 0: as it is
};

// Logits [N, C, S] of `type`, contiguous; labels and everything per item [N, S].
struct Common {
    const void* logits;
    void* gradient;  // null: no gradient is wanted; may be `logits`
    const void* target;
    const float* weight;    // call weight [N, S], or null
    const float* upstream;  // dL/dloss of each item; null: `factor` for all
    const float* through;   // dL/dlse of each item, or null
    float *loss, *mass, *lse;  // of each item, or null
    Dtype type;
    Label label;
    int64_t ignore, N, C, S;
    float factor;
    int32_t threads;
    Beside beside;
};

struct Softmax : Common {
    Table scale, offset;
    const float* margin;  // [C] or null
    const float* own;     // W[c, c], what the mass counts; null: 1
    const float* labelled;  // W[c, c] T[c, c]; null: 1
    const float *give, *take;  // W T of class c at label y = give[y] take[c]; null: 0
    Curve yes, no;
};

// Every table is [2, period + spare], row 1 for "is", and repeats after `period` numbers: 1 or C. No scale: 1, no offset: 0.
struct Sigmoid : Common {
    const float *scale, *offset, *yes_share, *no_share, *own;
    int64_t period, stride;
    bool by_label;  // scale or offset depends on the label
    Curve yes, no;
};

// What the mean divides by, and the first label that is no class; see census.hpp.
struct Census {
    double mass = 0;
    int64_t count = 0;
    int64_t wrong = 0;
    bool bad = false;
};

// Sums of one number per item (sigmoid: per logit) of a call; see sums.cpp.
struct Sums {
    const float* values;  // [N, S], sigmoid [N, C, S]: as told by the pass; NaN does not count. Null: items are only counted
    const void* target;
    const float* weight;  // or null; 0 does not count
    Label label;
    int64_t ignore, N, C, S;
    double* out;  // softmax [2, C]: items, sum of values; sigmoid [4, C]: not, is, missed of either
    int32_t threads;
};

struct Nearest;  // see nearest.hpp

// Many linear models on the rows of a table. The last column of X [rows, p] is ones. Rows lie in parts that share their label;
// u = chain z + shift is the logit that the loss is made of, and `scale` what a row of the part counts.
struct Linear {
    const void *X, *own;     // own [rows], of X's type: what each row counts beside that, or null
    const int64_t* bounds;   // [parts, 3]: label, start, stop
    const double *theta, *chain, *shift, *scale;  // [models, C, p], [parts, models], [parts, models, C], [parts, models]
    int64_t stride, p, models, C, parts;          // C = 1: a sigmoid; `stride` from row to row
    double gamma;                                 // of the focal loss; 0: cross-entropy
    bool doubles, fine;                           // X is doubles; compute in doubles
};

// Their mean losses and the gradients, see linear.cpp.
struct LinearPass : Linear {
    double *gradient, *value;  // [models, C, p] and, if wanted, [models], both added to
};

// The Hessians of their mean losses, see hessian.cpp; where a curvature may be negative, unless `exact`, only what the logarithm bends of it.
struct LinearHessian : Linear {
    double* hessian;  // [models, C p, C p], zeros before
    bool exact;
};

// (L L^T)^-1 gradient for every model, corrected by the pairs of moves and changes (limited-memory BFGS).
struct LinearSteps {
    const double *moves, *changes, *rho;  // [pairs, models, size] twice, [pairs, models]; at most 64 pairs
    const double* gradient;               // [models, size]
    const float* factor;                  // [factors, size, size], lower
    const int64_t* which;                 // [models] its factor
    double* out;                          // [models, size]
    int64_t models, size, pairs;
};

// Many linear models on sparse rows to their optimum, see sparse.cpp: truncated Newton. The matrix [rows, p] is given by row and by column,
// in doubles and in floats, without a column of ones;
// within a row columns ascend. Rows lie in parts and read the models' tables as in LinearPass.
struct SparseNewton {
    const int64_t *row_ends, *column_ends;  // [rows + 1], [p + 1], from 0 on
    const int32_t *columns, *rows_of;
    const double *by_row, *by_column;
    const float *light_by_row, *light_by_column;
    const double* own;       // [rows] or null
    const int64_t* bounds;   // [parts, 3]
    const double *chain, *shift, *scale, *ridge;  // as in LinearPass; [models]
    const int64_t* order;    // [p] which of the coefficients a column has
    double* theta;           // [models, C, width] in and out, the intercept last; 0 where no column has it
    uint8_t* converged;      // [models] out
    int64_t rows, p, width, models, C, parts, iterations, products;
    int64_t blocks;  // so many of the first columns, and the intercept, have their part of the Hessian inverted whole
    double gamma, tolerance, residual;  // as in models/sparse.py
};

struct Kernels {
    const char* name;
    double (*softmax)(const Softmax&);  // the sum of the losses
    double (*sigmoid)(const Sigmoid&);
    Census (*softmax_census)(const Softmax&, bool mass);
    Census (*sigmoid_census)(const Sigmoid&, bool mass);
    void (*softmax_sums)(const Sums&);
    void (*sigmoid_sums)(const Sums&);
    void (*region_sums)(const float* sizes, int64_t items, int bins, double* out, int threads);
    // Adds to counts [256] how often 0..255 occur, from the first number on; how many numbers it took before it met another, in whole
    // pieces. `type` as in tally.hpp; n below 2^32.
    int64_t (*bytes)(const void* numbers, int64_t n, int type, uint64_t* counts);
    bool (*nearest)(const Nearest&);  // false where memory ran out
    void (*linear_pass)(const LinearPass&);
    void (*linear_steps)(const LinearSteps&);
    void (*linear_hessian)(const LinearHessian&);
    void (*sparse_newton)(const SparseNewton&);
};

extern const Kernels baseline_kernels, avx2_kernels, avx512_kernels;

// Whether the machine rounds float32 to bfloat16 in one instruction.
extern const bool narrows_at_once;

// Asks for large pages under memory that is about to be written for the first time: a fresh gradient of 60 MB costs more in
// page faults than in arithmetic.
void settle(void* memory, int64_t bytes);

// work(state, chunk) for every chunk, on at most `threads` threads. Which thread takes which chunk changes no result.
void spread(int64_t chunks, int threads, void (*work)(void*, int64_t), void* state);

}  // namespace steelyard
