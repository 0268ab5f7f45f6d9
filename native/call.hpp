// What Python hands over for one call: plain pointers and sizes, the same for every instruction set.
#pragma once

#include <cstdint>
#include <cstring>

namespace steelyard {

enum Kind : int32_t { LOG, FOCAL, SHIFTED, POLY, GCE, SYMMETRIC, SQUARE };
enum Dtype : int32_t { FLOAT32, BFLOAT16, FLOAT16 };
enum Label : int32_t { INT64, INT32, UINT8, SOFT };  // SOFT: float32 probabilities in the layout of the logits

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
};

struct Softmax : Common {
    Table scale, offset;
    const float* margin;  // [C] or null
    const float* own;     // W[c, c], what the mass counts; null: 1
    const float* labelled;  // W[c, c] T[c, c]; null: 1
    const float *give, *take;  // W T of class c at label y = give[y] take[c]; null: 0
    Curve yes, no;
};

// Every table is [2, period + spare], row 1 for "is", and repeats after `period` numbers: 1 or C.
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

struct Nearest;  // see nearest.hpp

struct Kernels {
    const char* name;
    double (*softmax)(const Softmax&);  // the sum of the losses
    double (*sigmoid)(const Sigmoid&);
    Census (*softmax_census)(const Softmax&, bool mass);
    Census (*sigmoid_census)(const Sigmoid&, bool mass);
    bool (*nearest)(const Nearest&);  // false where memory ran out
};

extern const Kernels baseline_kernels, avx2_kernels, avx512_kernels;

// Asks for large pages under memory that is about to be written for the first time: a fresh gradient of 60 MB costs more in
// page faults than in arithmetic.
void settle(void* memory, int64_t bytes);

// work(state, chunk) for every chunk, on at most `threads` threads. Which thread takes which chunk changes no result.
void spread(int64_t chunks, int threads, void (*work)(void*, int64_t), void* state);

}  // namespace steelyard
