// The formulas stand in steelyard/losses/slopes.py. A row costs one exponential per class, a logarithm where its curve asks for one.
#include "slopes.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "call.hpp"

namespace steelyard {
namespace {

constexpr int64_t CHUNK = 1 << 13;  // scores that a thread takes at a time
constexpr double FAR = std::numeric_limits<double>::infinity();

// g' and g'' by log p
struct Bent {
    double slope, bend;
};

double power(double q, double gamma) {
    if (gamma == 2.0) return q * q;
    if (gamma == 1.0) return q;
    if (gamma == 3.0) return q * q * q;
    if (gamma == 0.5) return std::sqrt(q);
    return q == 0 ? (gamma == 0 ? 1.0 : 0.0) : std::pow(q, gamma);
}

bool asks_log(const Bend& g) { return g.kind == FOCAL || g.kind == GCE; }

Bent bent(const Bend& g, double logp, double p, double q) {
    switch (g.kind) {
        case FOCAL: {
            if (g.a == 0) return {-1, 0};
            const double w = power(q, g.a);
            if (p == 0) return {-w, 0};
            if (q <= 0) return {-w * (g.a + 1), g.a == 1 ? 2 * p : 0};
            const double ratio = p * logp / q;  // -> -1 as q -> 0
            // (log p + q) / q is what is left of two that cancel, next to numbers of size 1
            return {w * (g.a * ratio - 1), w / q * (g.a * p * (1 - g.a * ratio + (logp + q) / q))};
        }
        case SHIFTED: {
            const double m = q - g.b;
            if (m <= 0 || p == 0) return {0, 0};
            const double rest = std::min(p + g.b, 1.0), logs = m > 0.5 ? std::log(rest) : std::log1p(-m);
            const double w = power(m, g.a) * p, inside = g.a * (logs / m) - 1 / rest;
            const double turn = g.a * p / m * (1 / rest + logs / m) + p / (rest * rest);
            return {w * inside, w * ((1 - g.a * p / m) * inside + turn)};
        }
        case POLY:
            return {g.a * q - (1 + g.a), -g.a * p};
        case GCE: {
            const double w = std::exp(g.a * logp);
            return {-w, -g.a * w};
        }
        case SYMMETRIC:
            return {g.b * g.c * p - g.a, g.b * g.c * p};
        case SQUARE:
            return {-2 * q * p, 2 * p * (p - q)};
        default:
            return {-1, 0};
    }
}

// W T times both; what has no weight is absent, and what overflows next to a certain answer is of no use to a step.
Bent weighed(double coefficient, const Bend& g, bool exact, double logp, double p, double q) {
    if (coefficient == 0) return {0, 0};
    Bent x = bent(g, logp, p, q);
    if (!std::isfinite(x.bend) || (!exact && x.bend < 0)) x.bend = 0;
    return {coefficient * x.slope, coefficient * x.bend};
}

const double* row(const ByLabel& table, int64_t y) { return table.at ? table.at + y * table.stride : nullptr; }

// work(first row, last row, whether all its labels are classes)
template <class Do> bool by_rows(const Slopes& call, const Do& work) {
    const int64_t each = std::max<int64_t>(1, CHUNK / std::max<int64_t>(1, call.C));
    std::atomic<bool> right{true};
    auto one = [&](int64_t chunk) {
        if (!work(chunk * each, std::min(call.N, (chunk + 1) * each))) right = false;
    };
    spread((call.N + each - 1) / each, call.threads,
           [](void* state, int64_t chunk) { (*static_cast<decltype(one)*>(state))(chunk); }, &one);
    return right;
}

struct Item {
    double logp, p, q;
};

// u becomes e^(u - max); the class of the maximum, whose 1 - p is the sum of the others
class Row {
  public:
    Row(double* u, int64_t C) : e(u) {
        double top = -FAR, others = 0;
        for (int64_t c = 0; c < C; c++)
            if (u[c] > top) top = u[best = c];
        highest = top;
        for (int64_t c = 0; c < C; c++) {
            e[c] = std::exp(u[c] - top);
            others += c == best ? 0 : e[c];
        }
        total = others + e[best];
        rest = others / total;
    }
    double p(int64_t c) const { return e[c] / total; }
    double q(int64_t c) const { return c == best ? rest : 1 - p(c); }
    double logp(int64_t c, double u) const { return c == best ? std::log1p(-rest) : u - highest - std::log(total); }

  private:
    double* e;
    double highest, total, rest;
    int64_t best = 0;
};

bool softmax_rows(const Slopes& call, int64_t from, int64_t to) {
    const int64_t C = call.C;
    const bool logs = asks_log(call.one) || (call.no.at && asks_log(call.other));
    std::vector<double> room(4 * C);
    double *u = room.data(), *e = u + C, *a = e + C, *b = a + C;
    for (int64_t i = from; i < to; i++) {
        const double *z = call.scores + i * C, weight = call.weight ? call.weight[i] : 1;
        double *first = call.first + i * C, *second = call.second + i * C;
        const int64_t y = call.labels[i];
        if (y == call.ignore || weight == 0) {
            std::fill(first, first + C, 0.0);
            std::fill(second, second + C, 0.0);
            continue;
        }
        if (y < 0 || y >= C) return false;
        const double *scale = row(call.scale, y), *offset = row(call.offset, y), *no = row(call.no, y);
        for (int64_t c = 0; c < C; c++) u[c] = e[c] = (scale ? scale[c] * z[c] : z[c]) + (offset ? offset[c] : 0);
        const Row all(e, C);
        auto of = [&](int64_t c, double coefficient, const Bend& g) {
            return weighed(coefficient, g, call.exact, logs ? all.logp(c, u[c]) : 0, all.p(c), all.q(c));
        };
        const Bent own = of(y, *row(call.yes, y), call.one);
        if (!no) {
            for (int64_t c = 0; c < C; c++) {
                const double p = all.p(c), q = all.q(c);
                first[c] = c == y ? own.slope * q : -own.slope * p;
                second[c] = own.bend * (c == y ? q * q : p * p) - own.slope * p * q;
            }
        } else {
            double all_a = 0, all_b = 0;
            for (int64_t c = 0; c < C; c++) {
                const Bent x = of(c, no[c], call.other);
                all_a += a[c] = x.slope + (c == y ? own.slope : 0);
                all_b += b[c] = x.bend + (c == y ? own.bend : 0);
            }
            for (int64_t c = 0; c < C; c++) {
                const double p = all.p(c), q = all.q(c);
                first[c] = a[c] * q - p * (all_a - a[c]);
                second[c] = b[c] * q * q + p * p * (all_b - b[c]) - all_a * p * q;
            }
        }
        for (int64_t c = 0; c < C; c++) {
            const double s = scale ? scale[c] : 1;
            first[c] *= s * weight;
            second[c] *= s * s * weight;
        }
    }
    return true;
}

// PLAIN: both curves are logarithms, and nothing is left to decide by.
template <bool PLAIN> bool sigmoid_rows(const Slopes& call, int64_t from, int64_t to) {
    const int64_t C = call.C;
    const bool logs = asks_log(call.one) || asks_log(call.other);
    for (int64_t i = from * C, k = 0; i < to * C; i++, k = k + 1 == C ? 0 : k + 1) {
        const int64_t y = call.labels[i];
        const double weight = call.weight ? call.weight[i] : 1;
        if (y == call.ignore || weight == 0) {
            call.first[i] = call.second[i] = 0;
            continue;
        }
        if (y != 0 && y != 1) return false;
        const double *scale = row(call.scale, y), *offset = row(call.offset, y);
        const double s = scale ? scale[k] : 1, u = s * call.scores[i] + (offset ? offset[k] : 0);
        const double e = std::exp(-std::abs(u)), likely = 1 / (1 + e), p = u >= 0 ? likely : e * likely;
        const double q = u >= 0 ? e * likely : likely;
        if (PLAIN) {
            const double yes = row(call.yes, y)[k], no = row(call.no, y)[k];
            call.first[i] = s * weight * (no * p - yes * q);
            call.second[i] = s * s * weight * (yes + no) * p * q;
            continue;
        }
        const double l = logs ? std::log1p(e) : 0;
        const Bent is = weighed(row(call.yes, y)[k], call.one, call.exact, std::min(u, 0.0) - l, p, q);
        const Bent not_ = weighed(row(call.no, y)[k], call.other, call.exact, std::min(-u, 0.0) - l, q, p);
        call.first[i] = s * weight * (is.slope * q - not_.slope * p);
        call.second[i] = s * s * weight * (is.bend * q * q + not_.bend * p * p - (is.slope + not_.slope) * p * q);
    }
    return true;
}

}  // namespace

bool softmax_slopes(const Slopes& call) {
    return by_rows(call, [&](int64_t from, int64_t to) { return softmax_rows(call, from, to); });
}

bool sigmoid_slopes(const Slopes& call) {
    const bool plain = call.one.kind == LOG && call.other.kind == LOG;
    return by_rows(call, [&](int64_t from, int64_t to) {
        return plain ? sigmoid_rows<true>(call, from, to) : sigmoid_rows<false>(call, from, to);
    });
}

}  // namespace steelyard
