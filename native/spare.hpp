// Large memory that is used again, see spare.cpp.
#pragma once

#include <cstdint>

namespace steelyard {

struct Spare {
    void *mapped, *start;
    int64_t bytes;
};

Spare* spare(int64_t bytes);      // null where the system does not offer it
void spare_again(Spare* block);   // nobody uses it any more
void spare_nothing();             // back to the system with all that is kept

}  // namespace steelyard
