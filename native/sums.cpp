// Sums by class of what a pass told of its items (call.hpp: Beside), so that adaptive rules need no pass of their own over the logits.
//
// Chunks are the same for any number of threads, and are added up in their order.
#include <algorithm>
#include <memory>
#include <type_traits>
#include <vector>

#include "call.hpp"
#include "simd.hpp"

namespace steelyard::STEELYARD_SET {
namespace {

constexpr int64_t SUMMED = 1 << 16;  // items of one chunk
constexpr int64_t WIDE_ROW = 64;     // short rows are taken together, so that vectors are full

// work(first, last, table [size]) for chunks of `each` items; out is the sum of the tables.
template <class Work> void summed(int64_t items, int64_t each, int64_t size, int threads, double* out, const Work& work) {
    const int64_t chunks = (items + each - 1) / each;
    std::unique_ptr<double[]> found(new double[chunks * size]());
    auto one = [&](int64_t i) { work(i * each, std::min(items, (i + 1) * each), found.get() + i * size); };
    spread(chunks, threads, [](void* state, int64_t i) { (*static_cast<decltype(one)*>(state))(i); }, &one);
    std::fill(out, out + size, 0.0);
    for (int64_t i = 0; i < chunks; i++)
        for (int64_t j = 0; j < size; j++) out[j] += found[i * size + j];
}

template <class Label> void softmax_sums_of(const Sums& call, const Label* y) {
    const int64_t C = call.C;
    summed(call.N * call.S, std::max(SUMMED, 16 * C), 2 * C, call.threads, call.out, [&](int64_t first, int64_t last, double* table) {
        for (int64_t i = first; i < last; i++) {
            const auto label = static_cast<int64_t>(peek(y + i));
            const float value = call.values ? peek(call.values + i) : 0.0f;
            if (label == call.ignore || label < 0 || label >= C || value != value) continue;
            if (call.weight && peek(call.weight + i) == 0) continue;
            table[label] += 1;
            table[C + label] += value;
        }
    });
}

}  // namespace

void softmax_sums(const Sums& call) {
    switch (call.label) {
        case INT64: return softmax_sums_of(call, static_cast<const int64_t*>(call.target));
        case INT32: return softmax_sums_of(call, static_cast<const int32_t*>(call.target));
        default: return softmax_sums_of(call, static_cast<const uint8_t*>(call.target));
    }
}

namespace {

// One stretch of `width` neighbours, added to [4, width].
template <class Label>
void add_row(const float* __restrict__ values, const Label* __restrict__ y, int64_t width, float* __restrict__ no,
             float* __restrict__ is, float* __restrict__ no_missed, float* __restrict__ is_missed) {
    for (int64_t j = 0; j < width; j++) {
        const float x = values[j], t = static_cast<float>(peek(y + j));
        const float p = x < 0 ? 1 + x : x, q = x < 0 ? -x : 1 - x;
        const bool counts = x == x && t == t;
        const float yes = counts ? t : 0.0f, not_ = counts ? 1 - t : 0.0f;
        no[j] += not_;
        is[j] += yes;
        no_missed[j] += counts ? not_ * p : 0.0f;
        is_missed[j] += counts ? yes * q : 0.0f;
    }
}

// Rows of labels, `stride` apart, added to [4, width] like them: LANES columns of all rows at a time, so that sums stay in registers.
// From the last column on LANES numbers are read.
template <class Label>
void add_rows(const float* values, const Label* y, int64_t rows, int64_t stride, int64_t width, float* sums) {
    for (int64_t j = 0; j < width; j += LANES) {
        const Ints inside = lane() < static_cast<int32_t>(std::min<int64_t>(LANES, width - j));
        Ints no{}, is{};
        Floats no_missed{}, is_missed{};
        for (int64_t r = 0; r < rows; r++) {
            const Floats x = F32::load(values + r * stride + j);
            const Ints yes = -low_words(y + r * stride + j), counts = inside & (x == x);  // of a label that is neither 0 nor 1 x is NaN
            // what the label missed of 1: P(is) is x, or 1 + x where x is below 0
            const Floats turned = bits<Floats>(bits<Ints>(x) ^ (yes << 31));
            const Floats missed = turned + bits<Floats>(bits<Ints>(all(1.0f)) & (yes ^ (bits<Ints>(x) >> 31)));
            const Ints counts_is = counts & yes, counts_no = counts & ~yes;
            is -= counts_is;
            no -= counts_no;
            is_missed += bits<Floats>(bits<Ints>(missed) & counts_is);
            no_missed += bits<Floats>(bits<Ints>(missed) & counts_no);
        }
        const Floats found[4] = {__builtin_convertvector(no, Floats), __builtin_convertvector(is, Floats), no_missed, is_missed};
        for (int kind = 0; kind < 4; kind++)
            for (int64_t l = 0; l < std::min<int64_t>(LANES, width - j); l++) sums[kind * width + j + l] += found[kind][l];
    }
}

template <class Label> void sigmoid_sums_of(const Sums& call, const Label* y) {
    const int64_t C = call.C;
    const bool planes = call.S > 1 && C > 1;  // else rows of all classes, several at once where they are short
    const int64_t total = call.N * C * call.S;
    const int64_t together = planes ? 1 : std::max<int64_t>(1, WIDE_ROW / C), row = planes ? call.S : C * together;
    const int64_t rows = planes ? call.N * C : total / row, width = planes ? WIDE_ROW : row;
    const int64_t most = std::max<int64_t>(SUMMED / row, planes ? 1 : 64), each = std::min<int64_t>(1024, most);
    summed(rows + (planes ? 0 : 1), each, 4 * C, call.threads, call.out, [&](int64_t first, int64_t last, double* table) {
        std::vector<float> sums(4 * width);
        auto flush = [&](int64_t c) {  // `c` of a plane
            for (int kind = 0; kind < 4; kind++)
                for (int64_t j = 0; j < width; j++) table[kind * C + (planes ? c : j % C)] += sums[kind * width + j];
            std::fill(sums.begin(), sums.end(), 0.0f);
        };
        auto add = [&](int64_t from) {
            float* to = sums.data();
            add_row(call.values + from, y + from, width, to, to + width, to + 2 * width, to + 3 * width);
        };
        auto rest = [&](int64_t from, int64_t to, int64_t c) {  // fewer than a row, or than a vector's worth of a plane
            float one[4] = {};
            for (int64_t i = from; i < to; i++) {
                add_row(call.values + i, y + i, 1, one, one + 1, one + 2, one + 3);
                for (int kind = 0; kind < 4; kind++) table[kind * C + (planes ? c : i % C)] += one[kind], one[kind] = 0;
            }
        };
        int64_t r = first;
        if constexpr (!std::is_floating_point_v<Label>) {
            const int64_t vectors = (width + LANES - 1) / LANES * LANES;
            const int64_t safe = planes || total < vectors ? 0 : std::min({last, rows, (total - vectors) / row + 1});
            for (int64_t many; r < safe; r += many) {
                many = std::min<int64_t>(safe - r, 64);  // rows that stay in the nearest cache
                add_rows(call.values + r * row, y + r * row, many, row, width, sums.data());
            }
        }
        for (; r < last; r++) {
            if (!planes && r == rows) {
                rest(rows * row, total, 0);
            } else if (!planes) {
                add(r * row);
            } else {
                const int64_t at = r * row, c = r % C;
                int64_t i = 0;
                for (int64_t turns = 1; i + width <= row; i += width, turns++) {
                    add(at + i);
                    if (turns % 1024 == 0) flush(c);
                }
                flush(c);
                rest(at + i, at + row, c);
            }
        }
        if (!planes) flush(0);
    });
}

}  // namespace

void sigmoid_sums(const Sums& call) {
    switch (call.label) {
        case INT64: return sigmoid_sums_of(call, static_cast<const int64_t*>(call.target));
        case INT32: return sigmoid_sums_of(call, static_cast<const int32_t*>(call.target));
        case SOFT: return sigmoid_sums_of(call, static_cast<const float*>(call.target));
        default: return sigmoid_sums_of(call, static_cast<const uint8_t*>(call.target));
    }
}

// How many sizes in [0, 1] lie in each region; NaN in none.
void region_sums(const float* sizes, int64_t items, int bins, double* out, int threads) {
    summed(items, std::max<int64_t>(SUMMED, 16 * bins), bins, threads, out, [&](int64_t first, int64_t last, double* table) {
        constexpr int64_t TOGETHER = 256;
        std::vector<int32_t> counts(4 * (bins + 1));  // neighbours often lie in one region: four tables take turns
        int32_t place[TOGETHER];
        for (int64_t at = first; at < last; at += TOGETHER) {
            const int64_t n = std::min(TOGETHER, last - at);
            const float most = static_cast<float>(bins - 1), times = static_cast<float>(bins);
            for (int64_t j = 0; j < n; j++) {
                const float x = sizes[at + j], b = x * times;
                place[j] = x == x ? static_cast<int32_t>(b < most ? b : most) : bins;
            }
            for (int64_t j = 0; j < n; j++) counts[(j & 3) * (bins + 1) + place[j]]++;
        }
        for (int b = 0; b < bins; b++)
            for (int turn = 0; turn < 4; turn++) table[b] += counts[turn * (bins + 1) + b];
    });
}

}  // namespace steelyard::STEELYARD_SET
