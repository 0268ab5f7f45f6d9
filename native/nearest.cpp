// One axis after the other: each pixel keeps the two nearest *distinct* labels found so far, with their squared distances. That is
// enough: if b is the second nearest label of a pixel by way of pixel q, then b is among the two nearest distinct labels of q on
// the axes before, or a nearer one would be there in its place.
//
// On the first axis two scans do it. On the others the nearest is the lower envelope of parabolas (Felzenszwalb and Huttenlocher
// 2012, Theory of Computing 8), and the second nearest, where the nearest is `a`, the lower envelope of what each column offers apart
// from `a`. Where many labels lie close together, a search outward that stops at the answer is shorter than one envelope for each.
//
// Sums of squares are exact for spacing 1; this file is compiled without contraction, so that they are scipy's for any.
#include "nearest.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <new>
#include <vector>

#include "call.hpp"

namespace steelyard {
namespace {

constexpr double FAR = std::numeric_limits<double>::infinity();
constexpr double PROBE = 0.5;   // a step of the search outward, both ways, beside a place of an envelope (measured)
constexpr int64_t BLOCK = 256;  // lines of the first axis side by side
constexpr int64_t LINES = 16;   // lines of another axis that a thread takes at a time

// The two nearest distinct labels of one pixel; label 0 is none.
struct Two {
    double d1, d2;
    int32_t l1, l2;

    void add(double d, int32_t l) {
        if (l == 0) return;
        if (l == l1) {
            d1 = std::min(d1, d);
        } else if (d < d1) {
            d2 = d1;
            l2 = l1;
            d1 = d;
            l1 = l;
        } else if (d < d2) {
            d2 = d;
            l2 = l;
        }
    }
};

// The last two distinct labels that a scan has passed, and where.
struct Passed {
    int64_t at1, at2;
    int32_t l1, l2;

    void see(int32_t l, int64_t i) {
        if (l == 0) return;
        if (l != l1) {
            l2 = l1;
            at2 = at1;
            l1 = l;
        }
        at1 = i;
    }
};

double squared(int64_t steps, double spacing) {
    const double d = static_cast<double>(steps) * spacing;
    return d * d;
}

// Lines start..stop of the first axis, which lie side by side.
void scan(const int32_t* labels, Two* found, int64_t n, int64_t inner, double spacing, int64_t start, int64_t stop) {
    Passed passed[BLOCK];
    const int64_t many = stop - start;
    std::fill(passed, passed + many, Passed{});
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < many; c++) {
            Passed& p = passed[c];
            p.see(labels[i * inner + start + c], i);
            found[i * inner + start + c] = {p.l1 ? squared(i - p.at1, spacing) : FAR, p.l2 ? squared(i - p.at2, spacing) : FAR, p.l1, p.l2};
        }
    std::fill(passed, passed + many, Passed{});
    for (int64_t i = n - 1; i >= 0; i--)
        for (int64_t c = 0; c < many; c++) {
            Passed& p = passed[c];
            p.see(labels[i * inner + start + c], i);
            Two& two = found[i * inner + start + c];
            if (p.l1) two.add(squared(p.at1 - i, spacing), p.l1);
            if (p.l2) two.add(squared(p.at2 - i, spacing), p.l2);
        }
}

// The lower envelope of parabolas over the places of one line.
class Envelope {
  public:
    explicit Envelope(int64_t n) : at(n), height(n), from(n + 1) {}

    void clear() { last = -1; }
    // Places in rising order.
    void add(int64_t x, double h, double step2) {
        double edge = -FAR;
        while (last >= 0) {
            const double p = static_cast<double>(at[last]), q = static_cast<double>(x);
            edge = ((h - height[last]) / step2 + (q * q - p * p)) / (2 * (q - p));
            if (edge > from[last]) break;
            last--;
            edge = -FAR;
        }
        last++;
        at[last] = x;
        height[last] = h;
        from[last] = edge;
        from[last + 1] = FAR;
    }
    bool empty() const { return last < 0; }
    // Which parabola is lowest at x; `k` is that of a place before, or 0.
    int64_t lowest(int64_t x, int64_t k) const {
        while (k < last && from[k + 1] < static_cast<double>(x)) k++;
        return k;
    }
    std::vector<int64_t> at;
    std::vector<double> height, from;

  private:
    int64_t last = -1;
};

class Line {
  public:
    Line(int64_t n, int32_t most, double spacing, bool wants_second)
        : n(n), spacing(spacing), step2(spacing * spacing), second(wants_second), in(n), out(n), nearest(n), others(n), met(most + 1, -1) {}

    std::vector<Two>& input() { return in; }
    const std::vector<Two>& output() const { return out; }

    void run() {
        nearest.clear();
        for (int64_t x = 0; x < n; x++)
            if (in[x].l1) nearest.add(x, in[x].d1, step2);
        if (nearest.empty()) {
            std::copy(in.begin(), in.end(), out.begin());
            return;
        }
        labels.clear();
        line++;
        for (int64_t x = 0, k = 0; x < n; x++) {
            k = nearest.lowest(x, k);
            const int64_t from = nearest.at[k];
            const int32_t l = in[from].l1;
            out[x] = {nearest.height[k] + squared(x - from, spacing), FAR, l, 0};
            if (met[l] != line) {
                met[l] = line;
                labels.push_back(l);
            }
        }
        if (!second) return;
        double steps = 0;  // about as far as the second nearest is
        for (int64_t x = 0; x < n; x++) steps += 2 * std::sqrt(out[x].d1) / spacing + 8;
        if (static_cast<double>(labels.size()) * static_cast<double>(n) <= PROBE * steps) {
            for (const int32_t a : labels) apart_from(a);
        } else {
            for (int64_t x = 0; x < n; x++) outward(x);
        }
    }

  private:
    // What column x offers apart from label a.
    double offer(int64_t x, int32_t a) const { return in[x].l1 != a ? in[x].d1 : in[x].d2; }
    int32_t whose(int64_t x, int32_t a) const { return in[x].l1 != a ? in[x].l1 : in[x].l2; }

    void apart_from(int32_t a) {
        others.clear();
        for (int64_t x = 0; x < n; x++)
            if (whose(x, a)) others.add(x, offer(x, a), step2);
        if (others.empty()) return;
        for (int64_t x = 0, k = 0; x < n; x++) {
            if (out[x].l1 != a) continue;
            k = others.lowest(x, k);
            const int64_t from = others.at[k];
            out[x].d2 = others.height[k] + squared(x - from, spacing);
            out[x].l2 = whose(from, a);
        }
    }

    void outward(int64_t x) {
        const int32_t a = out[x].l1;
        double best = FAR;
        int32_t label = 0;
        const int64_t reach = std::max(x, n - 1 - x);
        for (int64_t r = 0; r <= reach; r++) {
            const double away = squared(r, spacing);
            if (away >= best) break;
            for (const int64_t at : {x - r, x + r}) {
                if (at < 0 || at >= n || !whose(at, a)) continue;
                if (const double d = offer(at, a) + away; d < best) {
                    best = d;
                    label = whose(at, a);
                }
            }
        }
        out[x].d2 = best;
        out[x].l2 = label;
    }

    const int64_t n;
    const double spacing, step2;
    const bool second;
    std::vector<Two> in, out;
    Envelope nearest, others;
    std::vector<int64_t> met;  // the line in which a label was met last
    std::vector<int32_t> labels;
    int64_t line = 0;
};

template <class Do> void share_out(int64_t chunks, int threads, const Do& work) {
    spread(chunks, threads, [](void* state, int64_t chunk) { (*static_cast<const Do*>(state))(chunk); }, const_cast<Do*>(&work));
}

}  // namespace

bool nearest(const int32_t* labels, double* first, double* second, const int64_t* shape, const double* spacing, int axes,
             int32_t most, int threads) try {
    int64_t size = 1;
    for (int a = 0; a < axes; a++) size *= shape[a];
    if (size == 0) return true;
    std::vector<Two> found(size);
    std::atomic<bool> failed{false};
    int64_t inner = size / shape[0];
    share_out((inner + BLOCK - 1) / BLOCK, threads, [&](int64_t chunk) {
        scan(labels, found.data(), shape[0], inner, spacing[0], chunk * BLOCK, std::min(inner, (chunk + 1) * BLOCK));
    });
    for (int a = 1; a < axes; a++) {
        const int64_t n = shape[a];
        inner /= n;
        const int64_t lines = size / n;
        share_out((lines + LINES - 1) / LINES, threads, [&](int64_t chunk) {
            try {
                Line line(n, most, spacing[a], second != nullptr);
                for (int64_t i = chunk * LINES; i < std::min(lines, (chunk + 1) * LINES); i++) {
                    Two* start = found.data() + i / inner * n * inner + i % inner;
                    for (int64_t x = 0; x < n; x++) line.input()[x] = start[x * inner];
                    line.run();
                    for (int64_t x = 0; x < n; x++) start[x * inner] = line.output()[x];
                }
            } catch (const std::bad_alloc&) {
                failed = true;
            }
        });
    }
    for (int64_t i = 0; i < size; i++) {
        first[i] = std::sqrt(found[i].d1);
        if (second) second[i] = std::sqrt(found[i].d2);
    }
    return !failed;
} catch (const std::bad_alloc&) {
    return false;
}

}  // namespace steelyard
