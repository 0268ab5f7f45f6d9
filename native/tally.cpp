// How often each whole number occurs in a buffer, at the speed of reading it.
#include "tally.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <vector>

#include "call.hpp"

namespace steelyard {
namespace {

constexpr int64_t CHUNK = 1 << 22;  // numbers a thread takes at once; below 2^32, so that 32 bits count them

// Neighbours are often equal, and adding to one place waits for the last addition to it: several tables take turns, as long
// as they stay in the nearest cache.
int lanes_for(int64_t size) { return size <= 4096 ? 8 : size <= 65536 ? 2 : 1; }

template <int LANES, class T> void count(const T* x, int64_t n, uint64_t start, uint64_t size, uint32_t* tables) {
    const int64_t stride = static_cast<int64_t>(size) + 1;  // the last place holds what lies outside
    auto place = [&](T value) { return std::min<uint64_t>(static_cast<uint64_t>(static_cast<int64_t>(value)) - start, size); };
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int lane = 0; lane < LANES; lane++) tables[lane * stride + static_cast<int64_t>(place(peek(x + i + lane)))]++;
    for (; i < n; i++) tables[place(peek(x + i))]++;
}

template <class T> void count_chunk(const T* x, int64_t n, uint64_t start, uint64_t size, uint32_t* tables) {
    switch (lanes_for(static_cast<int64_t>(size))) {
        case 8: return count<8>(x, n, start, size, tables);
        case 2: return count<2>(x, n, start, size, tables);
        default: return count<1>(x, n, start, size, tables);
    }
}

template <class T>
bool tally_of(const Kernels& kernels, const T* x, int64_t n, int type, int64_t start, int64_t size, int64_t* table, int threads) {
    const int lanes = lanes_for(size);
    std::mutex together;
    std::atomic<bool> inside{true}, room{true};
    auto work = [&](int64_t chunk) {
        if (!inside || !room) return;
        try {
            const int64_t from = chunk * CHUNK, many = std::min(CHUNK, n - from);
            uint64_t bytes[256] = {};
            const int64_t done = start == 0 || sizeof(T) == 1 ? kernels.bytes(x + from, many, type, bytes) : 0;
            std::vector<uint32_t> tables(done < many ? lanes * (size + 1) : 0);
            if (done < many)
                count_chunk(x + from + done, many - done, static_cast<uint64_t>(start), static_cast<uint64_t>(size), tables.data());
            std::lock_guard<std::mutex> one_at_a_time(together);
            for (int64_t value = 0; value < 256; value++) {
                if (!bytes[value]) continue;
                if (value < start || value - start >= size) {
                    inside = false;
                } else {
                    table[value - start] += static_cast<int64_t>(bytes[value]);
                }
            }
            for (int lane = 0; done < many && lane < lanes; lane++) {
                const uint32_t* found = tables.data() + lane * (size + 1);
                if (found[size]) inside = false;
                for (int64_t i = 0; i < size; i++) table[i] += found[i];
            }
        } catch (const std::bad_alloc&) {
            room = false;
        }
    };
    spread((n + CHUNK - 1) / CHUNK, threads, [](void* state, int64_t chunk) { (*static_cast<decltype(work)*>(state))(chunk); }, &work);
    if (!room) throw std::bad_alloc();
    return inside;
}

}  // namespace

bool tally(const Kernels& kernels, const void* numbers, int64_t n, int type, int64_t start, int64_t size, int64_t* table, int threads) {
    auto as = [&](auto one) {
        return tally_of(kernels, static_cast<const decltype(one)*>(numbers), n, type, start, size, table, threads);
    };
    switch (type) {
        case 1: return as(uint8_t{});
        case -1: return as(int8_t{});
        case 2: return as(uint16_t{});
        case -2: return as(int16_t{});
        case 4: return as(uint32_t{});
        case -4: return as(int32_t{});
        default: return as(int64_t{});  // uint64 too: what does not fit int64 lies outside any table
    }
}

}  // namespace steelyard
