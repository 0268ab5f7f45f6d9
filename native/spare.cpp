// Large memory that is used again. A step's gradient goes back to the system when it is freed, and the next step's is mapped and
// cleared anew, which takes longer than computing it. Here a few blocks stay mapped between steps. While nobody uses them they are the
// system's to take (MADV_FREE): short of memory it takes their pages without asking, and they come back cleared.
#include "spare.hpp"

#include <algorithm>
#include <atomic>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace steelyard {

#if defined(__linux__) && defined(MADV_FREE)

namespace {

constexpr int64_t PAGE = int64_t(2) << 20, MOST = int64_t(1) << 30;  // a large page; what is kept at most in one block
constexpr int KEPT = 2;  // blocks
std::atomic<Spare*> blocks[KEPT];

void unmap(Spare* block) {
    if (!block) return;
    munmap(block->mapped, static_cast<size_t>(block->bytes + PAGE));
    delete block;
}

}  // namespace

Spare* spare(int64_t bytes) {
    for (auto& place : blocks) {
        Spare* found = place.exchange(nullptr);
        if (found && found->bytes >= bytes && found->bytes - bytes <= bytes / 4) return found;
        Spare* none = nullptr;
        if (found && !place.compare_exchange_strong(none, found)) unmap(found);
    }
    auto* block = new (std::nothrow) Spare;
    if (!block) return nullptr;
    block->bytes = (bytes + PAGE - 1) / PAGE * PAGE;
    block->mapped = mmap(nullptr, static_cast<size_t>(block->bytes + PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block->mapped == MAP_FAILED) {
        delete block;
        return nullptr;
    }
    const auto at = reinterpret_cast<uintptr_t>(block->mapped);
    block->start = reinterpret_cast<void*>((at + PAGE - 1) / PAGE * PAGE);  // large pages begin at multiples of their size
    return block;
}

void spare_again(Spare* block) {
    if (block->bytes > MOST || madvise(block->start, static_cast<size_t>(block->bytes), MADV_FREE) != 0) return unmap(block);
    for (auto& place : blocks) {
        Spare* none = nullptr;
        if (place.compare_exchange_strong(none, block)) return;
    }
    for (auto& place : blocks) block = place.exchange(block);  // the newest first
    unmap(block);
}

void spare_nothing() {
    for (auto& place : blocks) unmap(place.exchange(nullptr));
}

#else

Spare* spare(int64_t) { return nullptr; }
void spare_again(Spare*) {}
void spare_nothing() {}

#endif

}  // namespace steelyard
