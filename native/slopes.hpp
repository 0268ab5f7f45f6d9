// Gradient and curvature of every row's own loss, in double: what programs that boost trees ask for.
#pragma once

#include <cstdint>

namespace steelyard {

// A curve of steelyard/curves.py by its number (call.hpp: Kind), its parameters in double.
struct Bend {
    int32_t kind;
    double a, b, c;
};

// A number for every label and class; null where there is none. The rows of the labels are `stride` apart, 0 where all share one.
struct ByLabel {
    const double* at;
    int64_t stride;
};

// Scores [N, C]. Softmax: labels and weight [N]. Sigmoid: both [N, C], tables of two labels.
struct Slopes {
    const double* scores;
    const int64_t* labels;
    const double* weight;  // or null
    double *first, *second;  // [N, C], dl/dz and the curvature
    int64_t ignore, N, C;
    ByLabel scale, offset;
    ByLabel yes, no;  // W T; softmax: of the labelled class, at its own place, and of the others, 0 there. Sigmoid: of "is" and "is not"
    Bend one, other;  // the curves of these two
    bool exact;       // false: g'' counts where it is positive
    int threads;
};

bool softmax_slopes(const Slopes&);  // false where a label is no class; the numbers are not whole then
bool sigmoid_slopes(const Slopes&);

}  // namespace steelyard
