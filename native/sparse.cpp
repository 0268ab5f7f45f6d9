// One instruction set's truncated Newton for many linear models on the same sparse rows: see SparseNewton in call.hpp.
//
// L models go side by side, one in each lane. A lane whose model is done takes the next one.
#include "sparse_conjugate.hpp"

namespace steelyard::STEELYARD_SET {
namespace {

template <int L> class Group : Conjugate<L> {
    typedef Side<float, L> F;
    typedef Side<double, L> D;
    using Models<L>::call, Models<L>::p, Models<L>::C, Models<L>::P, Models<L>::theta, Models<L>::d, Models<L>::chain,
          Models<L>::shift, Models<L>::scale, Models<L>::model, Models<L>::value, Models<L>::decrement, Models<L>::length,
          Models<L>::ridge, Models<L>::count, Models<L>::fresh;

    using Conjugate<L>::look, Conjugate<L>::direction;
    static constexpr double ENOUGH = 1e-4;  // of the fall that the slope promises
    static constexpr double ROUNDING = 1e-14;  // of the objective
    static constexpr int SHORTER = 30;

  public:
    using Conjugate<L>::Conjugate;

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
            to.add(all, wide<L>(&d[i * L]));
            to.to(&theta[i * L]);
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
