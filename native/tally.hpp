// How often each whole number occurs in a buffer, at the speed of reading it.
#pragma once

#include "call.hpp"

namespace steelyard {

// `type` of the numbers: their bytes, negative where they have a sign: -1 int8, 1 uint8, 2 uint16, -8 int64, ...
// Adds to table [size] how often start, start + 1, ... occur. False where a number lies outside; the table is then of no use.
bool tally(const Kernels& kernels, const void* numbers, int64_t n, int type, int64_t start, int64_t size, int64_t* table,
           int threads);

}  // namespace steelyard
