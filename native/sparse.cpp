// One instruction set's truncated Newton for many linear models on the same sparse rows: see SparseNewton in call.hpp.
//
// L models go side by side, one in each lane: a number of the matrix is read once for all of them, and what is next to it are L numbers
// that follow each other. A lane whose model is done takes the next one.
#include <cmath>
#include <memory>
#include <new>
#include <vector>

#include "logistic.hpp"

namespace steelyard::STEELYARD_SET {
namespace {

template <class T, int L> struct Side {  // L numbers as as few vectors as hold them
    static constexpr int W = L < WIDTH<T> ? L : WIDTH<T>, N = L / W;
    typedef T V __attribute__((vector_size(W * sizeof(T))));
    V v[N];

    static INLINE Side at(const T* from) {
        Side out;
        std::memcpy(out.v, from, sizeof(out.v));
        return out;
    }
    INLINE void to(T* place) const { std::memcpy(place, v, sizeof(v)); }
    INLINE void add(T x, const T* from) {
        const Side o = at(from);
        for (int i = 0; i < N; i++) v[i] += x * o.v[i];
    }
    INLINE void add(const Side& x, const Side& y) {
        for (int i = 0; i < N; i++) v[i] += x.v[i] * y.v[i];
    }
    INLINE Side operator+(const Side& o) const {
        Side out;
        for (int i = 0; i < N; i++) out.v[i] = v[i] + o.v[i];
        return out;
    }
    INLINE Side operator*(const Side& o) const {
        Side out;
        for (int i = 0; i < N; i++) out.v[i] = v[i] * o.v[i];
        return out;
    }
};

// The sum over `count` numbers of the matrix, each times the L numbers of its row or column.
template <class T, int L>
INLINE Side<T, L> gathered(const T* x, const int32_t* index, int64_t count, const T* from, int64_t stride) {
    Side<T, L> a{}, b{};
    int64_t k = 0;
    for (; k + 2 <= count; k += 2) {
        a.add(x[k], from + index[k] * stride);
        b.add(x[k + 1], from + index[k + 1] * stride);
    }
    if (k < count) a.add(x[k], from + index[k] * stride);
    return a + b;
}

template <int L> struct Sum {  // of many float numbers a lane: blocks in float, of which the sum is a double
    Side<float, L> block{};
    double all[L] = {};
    int many = 0;

    INLINE void add(const Side<float, L>& x, const Side<float, L>& y) {
        block.add(x, y);
        if (++many == 128) close();
    }
    INLINE void close() {
        float told[L];
        block.to(told);
        for (int l = 0; l < L; l++) all[l] += static_cast<double>(told[l]);
        block = {};
        many = 0;
    }
};

typedef float Some __attribute__((vector_size(sizeof(float) * WIDTH<double>)));

// All arrays of a group in one piece of large pages: what is gathered lies on many small ones otherwise.
class Arena {
    static constexpr size_t PAGE = size_t(2) << 20;
    struct Free {
        void operator()(char* memory) const { ::operator delete(memory, std::align_val_t(PAGE)); }
    };
    std::unique_ptr<char, Free> memory;
    size_t used = 0;

  public:
    template <class T> void plan(T*& array, int64_t count) {
        if (memory) array = reinterpret_cast<T*>(memory.get() + used);
        used += (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
    }
    void make() {
        memory.reset(static_cast<char*>(::operator new(used, std::align_val_t(PAGE))));
        settle(memory.get(), static_cast<int64_t>(used));
        std::memset(memory.get(), 0, used);
        used = 0;
    }
};

template <int L> class Group {
    typedef Side<float, L> F;
    typedef Side<double, L> D;
    static constexpr double ENOUGH = 1e-4;  // of the fall that the slope promises
    static constexpr double ROUNDING = 1e-14;  // of the objective
    static constexpr int SHORTER = 30;
    static constexpr double BEYOND = 1e-2;  // of what is small enough, while other lanes are not there

    const SparseNewton& call;
    const int64_t n, p, C, P, stride, k;
    Arena arena;
    double *theta, *slopes;               // [p + 1, C, L], [rows, C, L]
    float *d, *r, *q, *inverse;           // [p + 1, C, L]
    float *bend, *steep, *share, *bent;   // [rows, L] twice, [rows, C, L] twice
    std::vector<double> chain, shift, scale;    // [parts, L], [parts, C, L], [parts, L]
    std::vector<float> block_x, factor, small;  // of the rows in the block, [k, k, C, L], [k, C, L]
    std::vector<int32_t> block_at;                // their columns, ascending
    std::vector<int64_t> block_ends;
    int64_t model[L];
    double value[L], decrement[L], length[L], ridge[L];
    double ahead[L];  // |q|^2 without the intercept
    int64_t count[L];
    bool fresh[L];

  public:
    explicit Group(const SparseNewton& c)
        : call(c), n(c.rows), p(c.p), C(c.C), P((c.p + 1) * c.C), stride(c.C * L), k(c.blocks + 1),
          chain(c.parts * L), shift(c.parts * C * L), scale(c.parts * L), factor(k * k * C * L), small(k * C * L) {
        for (int again = 0; again < 2; again++) {
            for (double** one : {&theta, &slopes}) arena.plan(*one, (one == &theta ? P : n * C) * L);
            for (float** one : {&d, &r, &q, &inverse}) arena.plan(*one, P * L);
            for (float** one : {&share, &bent}) arena.plan(*one, n * C * L);
            for (float** one : {&bend, &steep}) arena.plan(*one, n * L);
            if (!again) arena.make();
        }
        block_ends.push_back(0);
        for (int64_t row = 0; row < n; row++) {
            for (int64_t e = call.row_ends[row]; e < call.row_ends[row + 1]; e++)
                if (call.columns[e] < call.blocks) {
                    block_at.push_back(call.columns[e]);
                    block_x.push_back(call.light_by_row[e]);
                }
            block_ends.push_back(static_cast<int64_t>(block_at.size()));
        }
    }

    // Models first, first + 1, ... up to `stop`.
    void run(int64_t first, int64_t stop) {
        for (int l = 0; l < L; l++) enter(l, first < stop ? first++ : -1);
        while (true) {
            bool some = false;
            for (int l = 0; l < L; l++) some = some || model[l] >= 0;
            if (!some) return;
            move();
            direction();
            for (int l = 0; l < L; l++) {
                if (model[l] < 0) continue;
                const bool done = std::abs(decrement[l]) <= call.tolerance * std::abs(value[l]), stuck = length[l] == 0 && !fresh[l];
                fresh[l] = false;
                if (done || stuck || ++count[l] >= call.iterations) {
                    leave(l, done);
                    enter(l, first < stop ? first++ : -1);
                } else {
                    length[l] = 1;
                }
            }
        }
    }

  private:
    int64_t name(int64_t j) const { return j == p ? call.width - 1 : call.order[j]; }
    void enter(int l, int64_t which) {
        model[l] = which;
        const int64_t m = which < 0 ? 0 : which;  // an idle lane computes what is not asked for
        for (int64_t j = 0; j <= p; j++)
            for (int64_t c = 0; c < C; c++) theta[(j * C + c) * L + l] = which < 0 ? 0 : call.theta[(m * C + c) * call.width + name(j)];
        for (int64_t i = 0; i < P; i++) d[i * L + l] = 0;
        for (int64_t a = 0; a < call.parts; a++) {
            chain[a * L + l] = call.chain[a * call.models + m];
            scale[a * L + l] = call.scale[a * call.models + m];
            for (int64_t c = 0; c < C; c++) shift[(a * C + c) * L + l] = call.shift[(a * call.models + m) * C + c];
        }
        ridge[l] = call.ridge[m];
        length[l] = value[l] = decrement[l] = 0;
        count[l] = 0;
        fresh[l] = true;
    }
    void leave(int l, bool done) {  // with the step that is due, if it is the last one
        const double by = done ? 1 : 0;
        for (int64_t c = 0; c < C; c++)
            std::fill_n(call.theta + (model[l] * C + c) * call.width, call.width, 0.0);  // of columns without a number
        for (int64_t j = 0; j <= p; j++)
            for (int64_t c = 0; c < C; c++) {
                const int64_t at = (j * C + c) * L + l;
                call.theta[(model[l] * C + c) * call.width + name(j)] = theta[at] - by * static_cast<double>(d[at]);
            }
        call.converged[model[l]] = done;
    }

    // By `length` along -d, shorter where the objective does not fall enough; r is the gradient there.
    void move() {
        double go[L], before[L];
        for (int l = 0; l < L; l++) go[l] = length[l], before[l] = value[l];
        for (int tries = 0;; tries++) {
            step(go);
            look();
            bool wrong = false;
            for (int l = 0; l < L; l++) {
                go[l] = 0;
                if (model[l] < 0 || fresh[l] || length[l] == 0) continue;
                if (value[l] <= before[l] - ENOUGH * length[l] * decrement[l] + ROUNDING * std::abs(before[l])) continue;
                const double shorter = tries < SHORTER ? length[l] / 2 : 0;
                go[l] = shorter - length[l];
                length[l] = shorter;
                wrong = true;
            }
            if (!wrong) return;
        }
    }
    void step(const double* by) {
        D all;
        for (int l = 0; l < L; l++) all.v[l / D::W][l % D::W] = -by[l];
        for (int64_t i = 0; i < P; i++) {
            D to = D::at(&theta[i * L]);
            to.add(all, wide(&d[i * L]));
            to.to(&theta[i * L]);
        }
    }
    static INLINE D wide(const float* from) {
        D out;
        for (int i = 0; i < D::N; i++) out.v[i] = widen(from + i * D::W);
        return out;
    }
    static INLINE F narrow(const D& x) {
        float out[L];
        for (int i = 0; i < D::N; i++) {
            const auto some = __builtin_convertvector(x.v[i], Some);
            std::memcpy(out + i * D::W, &some, sizeof(some));
        }
        return F::at(out);
    }

    // The objective, its gradient r and the curvature of every row.
    void look() {
        D losses{};
        std::vector<D> pull(C, D{}), z(C);
        for (int64_t a = 0; a < call.parts; a++) {
            const int64_t label = call.bounds[3 * a];
            const D by = D::at(&scale[a * L]), turn = D::at(&chain[a * L]);
            for (int64_t row = call.bounds[3 * a + 1]; row < call.bounds[3 * a + 2]; row++) {
                const int64_t from = call.row_ends[row], many = call.row_ends[row + 1] - from;
                const double own = call.own ? call.own[row] : 1;
                for (int64_t c = 0; c < C; c++)
                    z[c] = D::at(&theta[(p * C + c) * L]) +
                           gathered<double, L>(call.by_row + from, call.columns + from, many, &theta[c * L], stride);
                D times = by;
                for (int i = 0; i < D::N; i++) times.v[i] *= own;
                if (C == 1)
                    one(row, z[0], turn, D::at(&shift[a * L]), times, losses);
                else
                    several(row, z.data(), a, label, times, losses);
                for (int64_t c = 0; c < C; c++) pull[c] = pull[c] + D::at(&slopes[(row * C + c) * L]);
            }
        }
        const D heavy = D::at(ridge);
        D squares{};
        for (int64_t j = 0; j < p; j++) {
            const int64_t from = call.column_ends[j], many = call.column_ends[j + 1] - from;
            for (int64_t c = 0; c < C; c++) {
                D g = gathered<double, L>(call.by_column + from, call.rows_of + from, many, &slopes[c * L], stride);
                const D t = D::at(&theta[(j * C + c) * L]);
                g.add(heavy, t);
                squares.add(t, t);
                narrow(g).to(&r[(j * C + c) * L]);
            }
        }
        for (int64_t c = 0; c < C; c++) narrow(pull[c]).to(&r[(p * C + c) * L]);
        double loss[L], square[L];
        losses.to(loss);
        squares.to(square);
        for (int l = 0; l < L; l++) value[l] = loss[l] + ridge[l] * square[l] / 2;
    }
    INLINE void one(int64_t row, const D& z, const D& turn, const D& moved, const D& times, D& losses) {
        D slope, curve;
        for (int i = 0; i < D::N; i++) {
            const Wrong<double> w = read(turn.v[i] * z.v[i] + moved.v[i]);
            slope.v[i] = times.v[i] * turn.v[i] * w.slope;
            curve.v[i] = times.v[i] * turn.v[i] * turn.v[i] * w.bend;
            losses.v[i] += times.v[i] * w.loss;
        }
        slope.to(&slopes[row * L]);
        narrow(curve).to(&bend[row * L]);
    }
    INLINE Wrong<double> read(Doubles u) const {
        if (call.gamma == 0) return wrong<false, true, true, double>(u, every<double>(0));
        Wrong<double> w = wrong<true, true, true, double>(u, every<double>(call.gamma));
        w.bend = w.bend > w.least ? w.bend : w.least;
        return w;
    }
    // u = log sum of the others' e^z - z[label]; what a class has of the others' sum is its share.
    INLINE void several(int64_t row, D* z, int64_t a, int64_t label, const D& times, D& losses) {
        D slope, curve;
        for (int i = 0; i < D::N; i++) {
            Doubles most = every<double>(-FAR<double>), sum{};
            for (int64_t c = 0; c < C; c++) {
                z[c].v[i] += D::at(&shift[(a * C + c) * L]).v[i];
                if (c != label) most = z[c].v[i] > most ? z[c].v[i] : most;
            }
            const Doubles mine = z[label].v[i];
            for (int64_t c = 0; c < C; c++)
                if (c != label) sum += z[c].v[i] = exp(z[c].v[i] - most);
            const Wrong<double> w = read(most + log(sum) - mine);
            slope.v[i] = times.v[i] * w.slope;
            curve.v[i] = times.v[i] * w.bend;
            losses.v[i] += times.v[i] * w.loss;
            for (int64_t c = 0; c < C; c++) z[c].v[i] = c == label ? Doubles{} : z[c].v[i] / sum;
        }
        for (int64_t c = 0; c < C; c++) {
            narrow(z[c]).to(&share[(row * C + c) * L]);
            D out = slope * z[c];
            if (c == label)
                for (int i = 0; i < D::N; i++) out.v[i] = -slope.v[i];
            out.to(&slopes[(row * C + c) * L]);
        }
        narrow(slope).to(&steep[row * L]);
        narrow(curve).to(&bend[row * L]);
    }

    // Conjugate gradients: d with H d = r, until what is left of r is small; lanes that are there before go on with the others.
    void direction() {
        precondition();
        double rs[L], now[L], goal[L], curved[L];
        float by[L], back[L] = {};
        bool more[L];
        begin(rs);
        for (int l = 0; l < L; l++) {
            more[l] = model[l] >= 0;
            goal[l] = call.residual * call.residual * rs[l];
            decrement[l] = 0;
        }
        for (int64_t product = 0; product < call.products; product++) {
            turn(back);
            forward(curved);
            for (int l = 0; l < L; l++) {
                more[l] = more[l] && curved[l] > 0 && rs[l] > 0;
                by[l] = more[l] ? static_cast<float>(rs[l] / curved[l]) : 0;
                decrement[l] += static_cast<double>(by[l]) * rs[l];  // <g, d> = <d, H d>
            }
            backward(by, now);
            bool some = false;
            for (int l = 0; l < L; l++) {
                if (!more[l]) continue;
                back[l] = static_cast<float>(now[l] / rs[l]);
                rs[l] = now[l];
                some |= now[l] > goal[l];
                more[l] = now[l] > BEYOND * goal[l];
            }
            if (!some) return;
        }
    }
    // d = q = 0; <r, s> with s = r by what is roughly the inverse of H
    void begin(double* rs) {
        std::fill_n(d, P * L, 0.0f);
        std::fill_n(q, P * L, 0.0f);
        Sum<L> dots;
        for (int64_t at = call.blocks * stride; at < p * stride; at += L) {
            const F left = F::at(&r[at]);
            dots.add(left, left * F::at(&inverse[at]));
        }
        close(dots, rs);
    }
    void close(Sum<L>& dots, double* rs) {  // with the block's share
        solve_block();
        for (int64_t i = 0; i < k; i++)
            for (int64_t c = 0; c < C; c++)
                dots.add(F::at(&r[((i == k - 1 ? p : i) * C + c) * L]), F::at(&small[(i * C + c) * L]));
        dots.close();
        for (int l = 0; l < L; l++) rs[l] = dots.all[l];
    }
    void turn(const float* back) {  // q = s + back q
        const F again = F::at(back);
        Sum<L> squares;
        auto one = [&](int64_t at, F s) {
            s.add(again, F::at(&q[at]));
            s.to(&q[at]);
            return s;
        };
        for (int64_t at = 0; at < call.blocks * stride; at += L) {
            const F s = one(at, F::at(&small[at]));
            squares.add(s, s);
        }
        for (int64_t at = call.blocks * stride; at < p * stride; at += L) {
            const F s = one(at, F::at(&r[at]) * F::at(&inverse[at]));
            squares.add(s, s);
        }
        for (int64_t c = 0; c < C; c++) one(p * stride + c * L, F::at(&small[(k - 1) * stride + c * L]));
        squares.close();
        for (int l = 0; l < L; l++) ahead[l] = squares.all[l];
    }
    // `bent`: the curvature times the rows' logits by q; q . H q
    void forward(double* curved) {
        Sum<L> dots;
        std::vector<F> z(C);
        for (int64_t a = 0; a < call.parts; a++) {
            const int64_t label = call.bounds[3 * a];
            for (int64_t row = call.bounds[3 * a + 1]; row < call.bounds[3 * a + 2]; row++) {
                const int64_t from = call.row_ends[row], many = call.row_ends[row + 1] - from;
                for (int64_t c = 0; c < C; c++)
                    z[c] = F::at(&q[(p * C + c) * L]) +
                           gathered<float, L>(call.light_by_row + from, call.columns + from, many, &q[c * L], stride);
                const F curve = F::at(&bend[row * L]);
                if (C == 1) {
                    const F out = curve * z[0];
                    dots.add(out, z[0]);
                    out.to(&bent[row * L]);
                    continue;
                }
                const float* of = &share[row * stride];
                F mean{};
                for (int64_t c = 0; c < C; c++) mean.add(F::at(of + c * L), z[c]);
                const F flat = F::at(&steep[row * L]);
                F apart;
                for (int i = 0; i < F::N; i++) apart.v[i] = curve.v[i] * (mean.v[i] - z[label].v[i]);
                for (int64_t c = 0; c < C; c++) {
                    const F mine = F::at(of + c * L);
                    F out;
                    for (int i = 0; i < F::N; i++)
                        out.v[i] = c == label ? -apart.v[i] : mine.v[i] * (flat.v[i] * (z[c].v[i] - mean.v[i]) + apart.v[i]);
                    dots.add(out, z[c]);
                    out.to(&bent[(row * C + c) * L]);
                }
            }
        }
        dots.close();
        for (int l = 0; l < L; l++) curved[l] = dots.all[l] + ridge[l] * ahead[l];
    }
    // d += by q, r -= by H q; r . s for the new r
    void backward(const float* by, double* rs) {
        float heavy[L], less[L];
        for (int l = 0; l < L; l++) heavy[l] = static_cast<float>(ridge[l]), less[l] = -by[l];
        const F weight = F::at(heavy), go = F::at(by), down = F::at(less);
        Sum<L> dots;
        for (int64_t j = 0; j < p; j++) {
            const int64_t from = call.column_ends[j], many = call.column_ends[j + 1] - from;
            for (int64_t c = 0; c < C; c++) {
                const int64_t at = (j * C + c) * L;
                F h = gathered<float, L>(call.light_by_column + from, call.rows_of + from, many, &bent[c * L], stride);
                const F along = F::at(&q[at]);
                h.add(weight, along);
                const F left = advance(at, along, h, go, down);
                if (j >= call.blocks) dots.add(left, left * F::at(&inverse[at]));
            }
        }
        for (int64_t c = 0; c < C; c++) {
            Sum<L> pull;
            F ones;
            for (int i = 0; i < F::N; i++) ones.v[i] = 1.0f - typename F::V{};
            for (int64_t row = 0; row < n; row++) pull.add(ones, F::at(&bent[(row * C + c) * L]));
            pull.close();
            const int64_t at = (p * C + c) * L;
            advance(at, F::at(&q[at]), narrow(D::at(pull.all)), go, down);
        }
        close(dots, rs);
    }
    INLINE F advance(int64_t at, const F& along, const F& h, const F& go, const F& down) {
        F so_far = F::at(&d[at]), left = F::at(&r[at]);
        so_far.add(go, along);
        left.add(down, h);
        so_far.to(&d[at]);
        left.to(&r[at]);
        return left;
    }

    // The curvature of a row and class with itself.
    INLINE F own(int64_t row, int64_t c, int64_t label) const {
        const F curve = F::at(&bend[row * L]);
        if (C == 1 || c == label) return curve;
        const F mine = F::at(&share[(row * C + c) * L]), flat = F::at(&steep[row * L]);
        F out;
        for (int i = 0; i < F::N; i++) out.v[i] = mine.v[i] * (flat.v[i] * (1.0f - mine.v[i]) + curve.v[i] * mine.v[i]);
        return out;
    }
    // Of H its diagonal, and of the columns that most rows have, and the intercept, the whole.
    void precondition() {
        std::vector<double> H(k * k * C * L);
        std::vector<float> sums(k * k * C * L);
        std::vector<int32_t> at;
        std::vector<float> x;
        int64_t since = 0;
        auto close = [&] {
            for (size_t i = 0; i < H.size(); i++) H[i] += static_cast<double>(sums[i]);
            std::fill(sums.begin(), sums.end(), 0.0f);
            since = 0;
        };
        for (int64_t a = 0; a < call.parts; a++)
            for (int64_t row = call.bounds[3 * a + 1]; row < call.bounds[3 * a + 2]; row++) {
                at.assign(block_at.begin() + block_ends[row], block_at.begin() + block_ends[row + 1]);
                x.assign(block_x.begin() + block_ends[row], block_x.begin() + block_ends[row + 1]);
                at.push_back(static_cast<int32_t>(k - 1));
                x.push_back(1);
                for (int64_t c = 0; c < C; c++) {
                    const F curve = own(row, c, call.bounds[3 * a]);
                    curve.to(&bent[(row * C + c) * L]);
                    for (size_t i = 0; i < at.size(); i++)
                        for (size_t j = 0; j <= i; j++) {
                            float* to = &sums[((at[i] * k + at[j]) * C + c) * L];
                            F all = F::at(to);
                            const float both = x[i] * x[j];
                            for (int v = 0; v < F::N; v++) all.v[v] += both * curve.v[v];
                            all.to(to);
                        }
                }
                if (++since == 1024) close();
            }
        close();
        for (int64_t c = 0; c < C; c++)
            for (int l = 0; l < L; l++) {
                double trace = 0;
                auto cell = [&](int64_t i, int64_t j) -> double& { return H[((i * k + j) * C + c) * L + l]; };
                for (int64_t i = 0; i < k; i++) trace += cell(i, i) += i < k - 1 ? ridge[l] : 0;
                for (int64_t i = 0; i < k; i++) cell(i, i) += 1e-6 * trace / static_cast<double>(k) + 1e-37;
            }
        factorise(H);
        float heavy[L];
        for (int l = 0; l < L; l++) heavy[l] = static_cast<float>(ridge[l]);
        const F weight = F::at(heavy);
        for (int64_t j = 0; j < p; j++) {
            const int64_t from = call.column_ends[j], many = call.column_ends[j + 1] - from;
            for (int64_t c = 0; c < C; c++) {
                F sum = weight;
                for (int64_t e = from; e < from + many; e++) {
                    const float x = call.light_by_column[e];
                    sum.add(x * x, &bent[(call.rows_of[e] * C + c) * L]);
                }
                for (int i = 0; i < F::N; i++) sum.v[i] = 1.0f / sum.v[i];
                sum.to(&inverse[(j * C + c) * L]);
            }
        }
    }
    // Cholesky's L by lanes, with the inverse of its diagonal on the diagonal.
    void factorise(std::vector<double>& H) {
        for (int64_t c = 0; c < C; c++) {
            auto cell = [&](int64_t i, int64_t j) { return &H[((i * k + j) * C + c) * L]; };
            for (int64_t i = 0; i < k; i++)
                for (int64_t j = 0; j <= i; j++) {
                    D sum = D::at(cell(i, j));
                    for (int64_t m = 0; m < j; m++) {
                        const D a = D::at(cell(i, m)), b = D::at(cell(j, m));
                        for (int v = 0; v < D::N; v++) sum.v[v] -= a.v[v] * b.v[v];
                    }
                    double told[L];
                    sum.to(told);
                    if (i == j)  // rounding may leave less than nothing
                        for (int l = 0; l < L; l++) told[l] = 1 / std::sqrt(std::max(told[l], 1e-37));
                    D out = D::at(told);
                    if (i != j) out = out * D::at(cell(j, j));
                    out.to(cell(i, j));
                }
        }
        for (size_t i = 0; i < H.size(); i++) factor[i] = static_cast<float>(H[i]);
    }
    void solve_block() {  // small = (L L^T)^-1 r there
        for (int64_t c = 0; c < C; c++) {
            auto cell = [&](int64_t i, int64_t j) { return F::at(&factor[((i * k + j) * C + c) * L]); };
            auto to = [&](int64_t i) { return &small[(i * C + c) * L]; };
            auto less = [](F& x, const F& a, const F& b) {
                for (int v = 0; v < F::N; v++) x.v[v] -= a.v[v] * b.v[v];
            };
            for (int64_t i = 0; i < k; i++) {
                F x = F::at(&r[((i == k - 1 ? p : i) * C + c) * L]);
                for (int64_t j = 0; j < i; j++) less(x, cell(i, j), F::at(to(j)));
                (x * cell(i, i)).to(to(i));
            }
            for (int64_t i = k; i-- > 0;) {
                F x = F::at(to(i));
                for (int64_t j = i + 1; j < k; j++) less(x, cell(j, i), F::at(to(j)));
                (x * cell(i, i)).to(to(i));
            }
        }
    }
};

}  // namespace

void sparse_newton(const SparseNewton& call) {
    if (call.models <= 8)
        Group<8>(call).run(0, call.models);
    else
        Group<16>(call).run(0, call.models);
}

}  // namespace steelyard::STEELYARD_SET
