#include "call.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace steelyard {

#if defined(__x86_64__)
const bool narrows_at_once = (__builtin_cpu_init(), __builtin_cpu_supports("avx512bf16") != 0);
#else
const bool narrows_at_once = false;
#endif

// Below, memory is used again and its pages are there; above, a fragmented machine spends longer on finding large pages than
// it saves (measured: two to three times slower at 250 MB).
constexpr int64_t LEAST = int64_t(4) << 20, MOST = int64_t(128) << 20, PAGE = int64_t(2) << 20;

void settle(void* memory, int64_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (bytes < LEAST || bytes > MOST) return;
    const auto start = reinterpret_cast<uintptr_t>(memory), first = (start + PAGE - 1) / PAGE * PAGE;
    const auto last = (start + static_cast<uintptr_t>(bytes)) / PAGE * PAGE;
    if (last > first) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);  // advice: failure is no error
#else
    (void)memory;
    (void)bytes;
#endif
}

}  // namespace steelyard
