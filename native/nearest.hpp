// Exact distances from every pixel to the nearest and the second nearest labelled object.
#pragma once

#include <cstdint>

namespace steelyard {

// labels [shape] of int32, 0 for the background and none above `most`; spacing of each axis. Fills first and, unless it is null,
// second [shape] with distances, infinite where there is no such object. False where memory ran out.
bool nearest(const int32_t* labels, double* first, double* second, const int64_t* shape, const double* spacing, int axes,
             int32_t most, int threads);

}  // namespace steelyard
