// One axis after the other: each pixel keeps the two nearest *distinct* labels found so far, with their squared distances. That is
// enough: if b is the second nearest label of a pixel by way of pixel q, then b is among the two nearest distinct labels of q on
// the axes before, or a nearer one would be there in its place.
//
// Squares are whole numbers where the spacing is: in float they are exact below 2^24, which twice as many lanes can do. Everything
// else is in double; this file is compiled without contraction, so that the sums are scipy's for any spacing.
#include "nearest.hpp"

#include <atomic>
#include <cmath>
#include <new>
#include <vector>

#include "call.hpp"
#include "line.hpp"
#include "scan.hpp"

namespace steelyard::STEELYARD_SET {
namespace {

constexpr int64_t SEGMENT = 32;  // lines one after the other, each with the bounds of the one before
constexpr int64_t ABREAST = 16;  // lines side by side, which share cache lines
constexpr double EXACT = 16777216;  // up to here float knows every whole number

template <class Do> void share_out(int64_t chunks, int threads, const Do& work) {
    spread(chunks, threads, [](void* state, int64_t chunk) { (*static_cast<const Do*>(state))(chunk); }, const_cast<Do*>(&work));
}

int64_t pieces(int64_t whole, int64_t piece) { return (whole + piece - 1) / piece; }

// What the caller wants of a line.
template <class T> void give(const Planes<T>& found, const Nearest& call, int64_t at, int64_t n) {
    if (call.first)
        for (int64_t x = 0; x < n; x++) call.first[at + x] = std::sqrt(static_cast<double>(found.d1[x]));
    if (call.second)
        for (int64_t x = 0; x < n; x++) call.second[at + x] = std::sqrt(static_cast<double>(found.d2[x]));
    if (call.both)
        for (int64_t x = 0; x < n; x++) {
            const double sum = std::sqrt(static_cast<double>(found.d1[x])) + std::sqrt(static_cast<double>(found.d2[x]));
            call.both[at + x] = peek(call.labels + at + x) ? FAR<double> : sum;
        }
}

// Axis `a` of `found`. Its lines follow each other along the axis before, which is done, so that one line's answers bound the next's.
template <class T> class Pass {
  public:
    Pass(const Nearest& call, Planes<T> found, int a, int64_t inner)
        : call(call), found(found), a(a), before(call.shape[a - 1]), n(call.shape[a]), inner(inner),
          segments(pieces(before, SEGMENT)), groups(pieces(inner, ABREAST)), last(a == call.axes - 1),
          second(call.second || call.both) {}

    int64_t chunks(int64_t outer) const { return outer * segments * groups; }

    void run(int64_t chunk) const {
        const int64_t start = chunk / groups % segments * SEGMENT, column = chunk % groups * ABREAST;
        const int64_t abreast = std::min(ABREAST, inner - column);
        const T step = static_cast<T>(call.spacing[a - 1]);
        const bool skip = last && !call.first && !call.second;
        Line<T> line(n, static_cast<T>(call.spacing[a]), second);
        std::vector<Bound<T>> bounds(abreast * line.count(), Bound<T>{FAR<T>, FAR<T>});
        for (int64_t i = start; i < std::min(before, start + SEGMENT); i++)
            for (int64_t c = 0; c < abreast; c++) {
                const int64_t at = (chunk / groups / segments * before + i) * n * inner + column + c;
                line.run(found + at, inner, bounds.data() + c * line.count(), step, skip);
                if (last) {
                    give(line.answers(), call, at, n);
                } else {
                    keep(line.answers(), found + at);
                }
            }
    }

  private:
    void keep(const Planes<T>& answers, const Planes<T>& to) const {
        for (int64_t x = 0; x < n; x++) to.d1[x * inner] = answers.d1[x];
        for (int64_t x = 0; x < n; x++) to.l1[x * inner] = answers.l1[x];
        if (!second) return;
        for (int64_t x = 0; x < n; x++) to.d2[x * inner] = answers.d2[x];
        for (int64_t x = 0; x < n; x++) to.l2[x * inner] = answers.l2[x];
    }

    const Nearest& call;
    const Planes<T> found;
    const int a;
    const int64_t before, n, inner, segments, groups;  // found is [outer, before, n, inner]
    const bool last, second;
};

template <class T> bool all_axes(const Nearest& call, int64_t size) {
    const bool second = call.second || call.both;
    const std::unique_ptr<T[]> memory(new T[4 * size]);  // of which what nobody writes to costs nothing
    const Planes<T> found{memory.get(), memory.get() + size, memory.get() + 2 * size, memory.get() + 3 * size};
    int64_t outer = 1, inner = size / call.shape[0];
    const int64_t strip = std::min(STRIP, pieces(inner, 16 * call.threads) * 16);
    share_out(pieces(inner, strip), call.threads, [&](int64_t chunk) {
        const int64_t start = chunk * strip, stop = std::min(inner, start + strip);
        Strip<T>(call.labels, found, call.shape[0], inner, static_cast<T>(call.spacing[0]), second, start, stop).run();
    });
    std::atomic<bool> failed{false};
    for (int a = 1; a < call.axes && !failed; a++) {
        inner /= call.shape[a];
        const Pass<T> pass(call, found, a, inner);
        share_out(pass.chunks(outer), call.threads, [&](int64_t chunk) {
            try {
                pass.run(chunk);
            } catch (const std::bad_alloc&) {
                failed = true;
            }
        });
        outer *= call.shape[a - 1];
    }
    return !failed;
}

// Whether every squared distance, and every label, is a whole number that float knows.
bool narrow(const Nearest& call, int64_t size) {
    double most = 0;
    for (int a = 0; a < call.axes; a++) {
        const double step = call.spacing[a], far = static_cast<double>(call.shape[a]) * step;
        if (step != std::floor(step)) return false;
        most += far * far;
    }
    return most < EXACT && *std::max_element(call.labels, call.labels + size) < EXACT;
}

}  // namespace

bool nearest(const Nearest& call) try {
    int64_t size = 1;
    for (int a = 0; a < call.axes; a++) size *= call.shape[a];
    if (size == 0) return true;
    return narrow(call, size) ? all_axes<float>(call, size) : all_axes<double>(call, size);
} catch (const std::bad_alloc&) {
    return false;
}

}  // namespace steelyard::STEELYARD_SET
