// steelyard._native: the kernels of the best instruction set that this machine has, behind functions of plain addresses.
//
// Nothing here knows of torch. The Python side (steelyard/ops/native.py) owns every buffer, checks shapes and types, and
// holds the tables alive while a Plan points at them.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "call.hpp"
#include "classes.hpp"
#include "nearest.hpp"
#include "objects.hpp"
#include "ranked.hpp"
#include "slopes.hpp"
#include "spare.hpp"
#include "tally.hpp"

namespace nb = nanobind;

namespace steelyard {
namespace {

std::vector<const Kernels*> available() {
    std::vector<const Kernels*> found{&baseline_kernels};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(&avx2_kernels);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        found.push_back(&avx512_kernels);
#endif
    return found;
}

const Kernels* chosen = available().back();

typedef std::uintptr_t Address;
template <class T> T* at(Address address) { return reinterpret_cast<T*>(address); }
const float* table(Address address) { return at<const float>(address); }

// addresses: X, own, bounds, theta, chain, shift, scale; sizes as they stand in the call
Linear linear(const std::vector<Address>& a, const std::vector<int64_t>& sizes, double gamma, bool doubles, bool fine) {
    return {at<const void>(a[0]), at<const void>(a[1]), at<const int64_t>(a[2]), at<const double>(a[3]), at<const double>(a[4]),
            at<const double>(a[5]), at<const double>(a[6]), sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], gamma, doubles, fine};
}

// What the mean divides by and what it divides: (sum of the losses, divisor, count, a label that is no class or None)
typedef std::tuple<double, double, int64_t, std::optional<int64_t>> Result;

enum Norm : int { COUNT, MASS, GIVEN };

struct Where {
    Address logits, gradient, target, weight, upstream, through, loss, mass, lse;
    int type, label;
    int64_t ignore, N, C, S;
    int threads;

    void fill(Common& call) const {
        call.logits = at<const void>(logits);
        call.gradient = at<void>(gradient);
        call.target = at<const void>(target);
        call.weight = table(weight);
        call.upstream = table(upstream);
        call.through = table(through);
        call.loss = at<float>(loss);
        call.mass = at<float>(mass);
        call.lse = at<float>(lse);
        call.type = static_cast<Dtype>(type);
        call.label = static_cast<Label>(label);
        call.ignore = ignore;
        call.N = N;
        call.C = C;
        call.S = S;
        call.threads = threads;
        call.factor = 1;
    }
};

// What stays the same for calls of one kind: their dtypes and sizes.
struct Form {
    int type, label;
    int64_t ignore, N, C, S;

    Where with(Address logits, Address gradient, Address target, Address weight, int threads) const {
        return {logits, gradient, target, weight, 0, 0, 0, 0, 0, type, label, ignore, N, C, S, threads};
    }
};

// See call.hpp: Beside, of addresses.
struct Aside {
    int told;
    Address out, regions;
    int bins;
    float power, log_floor;

    Beside filled() const {
        return {static_cast<Told>(told), at<float>(out), table(regions), bins, power, log_floor};
    }
};

template <class Plan>
Result run(Plan plan, const Where& w, int norm, double divisor, const Aside* beside, double (*kernel)(const Plan&),
           Census (*census)(const Plan&, bool)) {
    nb::gil_scoped_release free;
    w.fill(plan);
    if (beside) plan.beside = beside->filled();
    const Census seen = census(plan, norm == MASS);
    if (seen.bad) return {0, 0, seen.count, seen.wrong};
    if (norm == COUNT) divisor = static_cast<double>(seen.count);
    if (norm == MASS) divisor = seen.mass;
    const int64_t size = w.N * w.C * w.S * (plan.type == FLOAT32 ? 4 : 2);
    if (plan.gradient && plan.gradient != plan.logits) settle(plan.gradient, size);
    plan.factor = divisor == 0 ? 0.0f : static_cast<float>(1 / divisor);
    const double total = kernel(plan);
    return {total, divisor, seen.count, std::nullopt};
}

// The mean alone, 0 where there is nothing to divide by.
double mean(const Result& found, int64_t classes) {
    const auto& [total, divisor, count, wrong] = found;
    if (wrong) throw nb::index_error(("label " + std::to_string(*wrong) + " is no class of " + std::to_string(classes)).c_str());
    return divisor == 0 ? total * 0.0 : total / divisor;
}

// A tensor of torch's in memory that is used again, or None: see spare.hpp.
nb::object in_spare(std::vector<size_t> shape, int type) {
    const int64_t width = type == FLOAT32 ? 4 : 2;
    int64_t bytes = width;
    for (size_t n : shape) bytes *= static_cast<int64_t>(n);
    Spare* block = spare(bytes);
    if (!block) return nb::none();
    nb::capsule owner(block, [](void* p) noexcept { spare_again(static_cast<Spare*>(p)); });
    const auto code = static_cast<uint8_t>(type == BFLOAT16 ? nb::dlpack::dtype_code::Bfloat : nb::dlpack::dtype_code::Float);
    const nb::dlpack::dtype of{code, static_cast<uint8_t>(8 * width), 1};
    return nb::cast(nb::ndarray<nb::pytorch>(block->start, shape.size(), shape.data(), owner, nullptr, of));
}

Curve curve(int kind, float a, float b, float c) { return {static_cast<Kind>(kind), a, b, c}; }

}  // namespace
}  // namespace steelyard

using namespace steelyard;

NB_MODULE(_native, m) {
    nb::set_leak_warnings(false);  // tables live as long as the interpreter where a module-level loss holds them
    nb::class_<Where>(m, "Where")
        .def(
            "__init__",
            [](Where* self, Address logits, Address gradient, Address target, Address weight, Address upstream,
               Address through, Address loss, Address mass, Address lse, int type, int label, int64_t ignore, int64_t N,
               int64_t C, int64_t S, int threads) {
                new (self) Where{logits, gradient, target, weight, upstream, through, loss,    mass,
                                 lse,    type,     label,  ignore, N,        C,       S,       threads};
            });
    nb::class_<Form>(m, "Form").def("__init__", [](Form* self, int type, int label, int64_t ignore, int64_t N, int64_t C, int64_t S) {
        new (self) Form{type, label, ignore, N, C, S};
    });
    nb::class_<Curve>(m, "Curve").def("__init__", [](Curve* self, int kind, float a, float b, float c) {
        new (self) Curve(curve(kind, a, b, c));
    });
    nb::class_<Softmax>(m, "Softmax")
        .def("__init__",
             [](Softmax* self, std::vector<Address> tables, const Curve& yes, const Curve& no) {
                 if (tables.size() != 11) throw std::invalid_argument("Softmax: 11 tables");
                 auto t = [&](int i) { return table(tables[i]); };
                 new (self) Softmax{};
                 self->scale = {t(0), t(1), t(2)};
                 self->offset = {t(3), t(4), t(5)};
                 self->margin = t(6);
                 self->own = t(7);
                 self->labelled = t(8);
                 self->give = t(9);
                 self->take = t(10);
                 self->yes = yes;
                 self->no = no;
             })
        .def(
            "__call__",
            [](const Softmax& self, const Where& w, int norm, double divisor, const Aside* beside) {
                return run(self, w, norm, divisor, beside, chosen->softmax, chosen->softmax_census);
            },
            nb::arg(), nb::arg(), nb::arg(), nb::arg() = nb::none())
        .def("mean", [](const Softmax& self, const Form& form, Address logits, Address gradient, Address target, Address weight,
                        int threads, int norm, double divisor) {
            const Where w = form.with(logits, gradient, target, weight, threads);
            return mean(run(self, w, norm, divisor, nullptr, chosen->softmax, chosen->softmax_census), form.C);
        });
    nb::class_<Sigmoid>(m, "Sigmoid")
        .def("__init__",
             [](Sigmoid* self, std::vector<Address> tables, int64_t period, int64_t stride, bool by_label,
                const Curve& yes, const Curve& no) {
                 if (tables.size() != 5) throw std::invalid_argument("Sigmoid: 5 tables");
                 auto t = [&](int i) { return table(tables[i]); };
                 new (self) Sigmoid{};
                 self->scale = t(0);
                 self->offset = t(1);
                 self->yes_share = t(2);
                 self->no_share = t(3);
                 self->own = t(4);
                 self->period = period;
                 self->stride = stride;
                 self->by_label = by_label;
                 self->yes = yes;
                 self->no = no;
             })
        .def(
            "__call__",
            [](const Sigmoid& self, const Where& w, int norm, double divisor, const Aside* beside) {
                return run(self, w, norm, divisor, beside, chosen->sigmoid, chosen->sigmoid_census);
            },
            nb::arg(), nb::arg(), nb::arg(), nb::arg() = nb::none())
        .def("mean", [](const Sigmoid& self, const Form& form, Address logits, Address gradient, Address target, Address weight,
                        int threads, int norm, double divisor) {
            const Where w = form.with(logits, gradient, target, weight, threads);
            return mean(run(self, w, norm, divisor, nullptr, chosen->sigmoid, chosen->sigmoid_census), form.C);
        });
    nb::class_<Aside>(m, "Beside")
        .def("__init__", [](Aside* self, int told, Address out, Address regions, int bins, float power, float log_floor) {
            new (self) Aside{told, out, regions, bins, power, log_floor};
        });
    // values, target, weight, out; ignore, N, C, S
    m.def("sums", [](bool softmax, std::vector<Address> buffers, int label, std::vector<int64_t> sizes, int threads) {
        if (buffers.size() != 4 || sizes.size() != 4) throw std::invalid_argument("sums: 4 buffers, 4 sizes");
        nb::gil_scoped_release free;
        const Sums call{table(buffers[0]), at<const void>(buffers[1]), table(buffers[2]), static_cast<Label>(label),
                        sizes[0], sizes[1], sizes[2], sizes[3], at<double>(buffers[3]), threads};
        (softmax ? chosen->softmax_sums : chosen->sigmoid_sums)(call);
    });
    m.def("region_sums", [](Address sizes, int64_t items, int bins, Address out, int threads) {
        nb::gil_scoped_release free;
        chosen->region_sums(at<const float>(sizes), items, bins, at<double>(out), threads);
    });
    m.def("nearest", [](Address labels, Address first, Address second, Address both, std::vector<int64_t> shape,
                        std::vector<double> spacing, int threads) {
        nb::gil_scoped_release free;
        const Nearest call{at<const int32_t>(labels), at<double>(first), at<double>(second), at<double>(both), shape.data(),
                           spacing.data(), static_cast<int>(shape.size()), threads};
        if (!chosen->nearest(call)) throw std::bad_alloc();
    });
    m.def("linear_pass", [](std::vector<Address> addresses, std::vector<int64_t> sizes, double gamma, bool doubles, bool fine) {
        if (addresses.size() != 9 || sizes.size() != 5) throw std::invalid_argument("linear_pass: 9 addresses, 5 sizes");
        nb::gil_scoped_release free;
        const auto& a = addresses;
        chosen->linear_pass({linear(a, sizes, gamma, doubles, fine), at<double>(a[7]), at<double>(a[8])});
    });
    m.def("linear_hessian", [](std::vector<Address> addresses, std::vector<int64_t> sizes, double gamma, bool doubles, bool fine, bool exact) {
        if (addresses.size() != 8 || sizes.size() != 5) throw std::invalid_argument("linear_hessian: 8 addresses, 5 sizes");
        nb::gil_scoped_release free;
        chosen->linear_hessian({linear(addresses, sizes, gamma, doubles, fine), at<double>(addresses[7]), exact});
    });
    m.attr("linear_focal") = true;  // of more than one logit, too: cores that lack this would compute cross-entropy
    m.def("linear_steps", [](std::vector<Address> addresses, int64_t models, int64_t size, int64_t pairs) {
        if (addresses.size() != 7 || pairs > 64) throw std::invalid_argument("linear_steps: 7 addresses, at most 64 pairs");
        nb::gil_scoped_release free;
        const auto& a = addresses;
        chosen->linear_steps({at<const double>(a[0]), at<const double>(a[1]), at<const double>(a[2]), at<const double>(a[3]),
                              at<const float>(a[4]), at<const int64_t>(a[5]), at<double>(a[6]), models, size, pairs});
    });
    m.def("sparse_newton", [](std::vector<Address> addresses, std::vector<int64_t> sizes, double gamma, double tolerance, double residual) {
        if (addresses.size() != 17 || sizes.size() != 9) throw std::invalid_argument("sparse_newton: 17 addresses, 9 sizes");
        nb::gil_scoped_release free;
        const auto& a = addresses;
        const auto& s = sizes;
        chosen->sparse_newton({at<const int64_t>(a[0]), at<const int64_t>(a[1]), at<const int32_t>(a[2]), at<const int32_t>(a[3]),
                               at<const double>(a[4]), at<const double>(a[5]), at<const float>(a[6]), at<const float>(a[7]),
                               at<const double>(a[8]), at<const int64_t>(a[9]), at<const double>(a[10]), at<const double>(a[11]),
                               at<const double>(a[12]), at<const double>(a[13]), at<const int64_t>(a[14]), at<double>(a[15]),
                               at<uint8_t>(a[16]), s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], gamma, tolerance, residual});
    });
    // scores, order
    m.def("rank_falling", [](std::vector<Address> addresses, int64_t rows, bool doubles) {
        if (addresses.size() != 2) throw std::invalid_argument("rank_falling: 2 addresses");
        nb::gil_scoped_release free;
        falling({at<const void>(addresses[0]), rows, doubles}, at<int64_t>(addresses[1]));
    });
    // scores, positive, slot
    m.def("rank_slots", [](std::vector<Address> addresses, int64_t rows, bool doubles) {
        if (addresses.size() != 3) throw std::invalid_argument("rank_slots: 3 addresses");
        nb::gil_scoped_release free;
        return slots({at<const void>(addresses[0]), rows, doubles}, at<const uint8_t>(addresses[1]), at<int32_t>(addresses[2]));
    });
    // scores, order, positive, kept, cut, hits, alarms
    m.def("cut_corners", [](std::vector<Address> addresses, int64_t rows, bool doubles) {
        if (addresses.size() != 7) throw std::invalid_argument("cut_corners: 7 addresses");
        nb::gil_scoped_release free;
        const auto& a = addresses;
        return cut_corners({{at<const void>(a[0]), rows, doubles}, at<const int64_t>(a[1]), at<const uint8_t>(a[2]),
                            at<const uint8_t>(a[3]), at<double>(a[4]), at<double>(a[5]), at<double>(a[6])});
    });
    // slot, weights, average precision, ROC AUC; rows, draws, levels
    m.def("rank_draws", [](std::vector<Address> addresses, std::vector<int64_t> sizes, bool doubles) {
        if (addresses.size() != 4 || sizes.size() != 3) throw std::invalid_argument("rank_draws: 4 addresses, 3 sizes");
        nb::gil_scoped_release free;
        rank_draws({at<const int32_t>(addresses[0]), at<const void>(addresses[1]), sizes[0], sizes[1],
                    static_cast<int32_t>(sizes[2]), doubles, at<double>(addresses[2]), at<double>(addresses[3])});
    });
    // log-probabilities, steps, cell, weights, tables; rows, classes, tries, cells
    m.def("step_tables", [](std::vector<Address> addresses, std::vector<int64_t> sizes, bool doubles) {
        if (addresses.size() != 5 || sizes.size() != 4) throw std::invalid_argument("step_tables: 5 addresses, 4 sizes");
        nb::gil_scoped_release free;
        const auto& a = addresses;
        step_tables({{at<const void>(a[0]), sizes[0], sizes[1], doubles}, at<const void>(a[1]), at<const int32_t>(a[2]),
                     at<const double>(a[3]), sizes[2], sizes[3], at<double>(a[4])});
    });
    // log-probabilities, cell, label, weights, lost; rows, classes, the class that moves, reach
    m.def("step_moves", [](std::vector<Address> addresses, std::vector<int64_t> sizes, double width, bool doubles) {
        if (addresses.size() != 5 || sizes.size() != 4) throw std::invalid_argument("step_moves: 5 addresses, 4 sizes");
        nb::gil_scoped_release free;
        const auto& a = addresses;
        step_moves({{at<const void>(a[0]), sizes[0], sizes[1], doubles}, at<const int32_t>(a[1]), at<const int32_t>(a[2]),
                    at<const double>(a[3]), sizes[2], sizes[3], width, at<double>(a[4])});
    });
    m.def("tally", [](Address numbers, int64_t n, int type, int64_t start, int64_t size, Address table, int threads) {
        nb::gil_scoped_release free;
        return tally(*chosen, at<const void>(numbers), n, type, start, size, at<int64_t>(table), threads);
    });
    m.def("tally_objects", tally_objects);
    // tables: scale, offset, yes, no, each an address and a stride; curves: kind, a, b, c of the one and the other outcome
    m.def("slopes", [](bool softmax, std::vector<Address> buffers, std::vector<int64_t> sizes, std::vector<int64_t> tables,
                       std::vector<double> curves, bool exact, int threads) {
        if (buffers.size() != 5 || sizes.size() != 3 || tables.size() != 8 || curves.size() != 8)
            throw std::invalid_argument("slopes: 5 buffers, 3 sizes, 4 tables and 2 curves");
        nb::gil_scoped_release free;
        auto by_label = [&](int i) { return ByLabel{at<const double>(static_cast<Address>(tables[2 * i])), tables[2 * i + 1]}; };
        auto bend = [&](int i) { return Bend{static_cast<int32_t>(curves[i]), curves[i + 1], curves[i + 2], curves[i + 3]}; };
        const Slopes call{at<const double>(buffers[0]), at<const int64_t>(buffers[1]), at<const double>(buffers[2]),
                          at<double>(buffers[3]), at<double>(buffers[4]), sizes[0], sizes[1], sizes[2],
                          by_label(0), by_label(1), by_label(2), by_label(3), bend(0), bend(4), exact, threads};
        return softmax ? softmax_slopes(call) : sigmoid_slopes(call);
    });
    m.def("spare", in_spare);
    m.def("spare_nothing", spare_nothing);
    m.def("sets", [] {
        std::vector<std::string> names;
        for (const Kernels* k : available()) names.emplace_back(k->name);
        return names;
    });
    m.def("current", [] { return std::string(chosen->name); });
    m.def("choose", [](const std::string& name) {
        for (const Kernels* k : available())
            if (name == k->name) {
                chosen = k;
                return;
            }
        throw std::invalid_argument("steelyard: no instruction set " + name + " here");
    });
}
