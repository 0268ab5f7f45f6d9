// Chunks of work on threads of this call's own: nothing outlives the call, so a fork finds nothing half done.
#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

#include "call.hpp"

namespace steelyard {

void spread(int64_t chunks, int threads, void (*work)(void*, int64_t), void* state) {
    threads = static_cast<int>(std::min<int64_t>(threads, chunks));
    if (threads < 2) {
        for (int64_t i = 0; i < chunks; i++) work(state, i);
        return;
    }
    std::atomic<int64_t> next{0};
    auto run = [&] {
        for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < chunks;) work(state, i);
    };
    std::vector<std::thread> others;
    others.reserve(threads - 1);
    for (int i = 1; i < threads; i++) {
        try {
            others.emplace_back(run);
        } catch (const std::system_error&) {  // no more threads to be had: those that run do it all
            break;
        }
    }
    run();
    for (auto& thread : others) thread.join();
}

}  // namespace steelyard
