// Exact distances from every pixel to the nearest and the second nearest labelled object.
#pragma once

#include <cstdint>

namespace steelyard {

// Distances are infinite where there is no such object; what is null is not wanted.
struct Nearest {
    const int32_t* labels;    // [shape], from 0 on, which is the background
    double *first, *second;   // [shape]
    double* both;             // [shape], their sum, infinite on objects
    const int64_t* shape;
    const double* spacing;    // of each axis
    int axes;                 // two or more
    int threads;
};

}  // namespace steelyard
