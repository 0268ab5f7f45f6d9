// One instruction set's kernels; compiled once for each.
#include "bytes.hpp"
#include "census.hpp"
#include "sigmoid.hpp"
#include "softmax.hpp"

#define NAME_(set) set##_kernels
#define NAME(set) NAME_(set)
#define TEXT_(set) #set
#define TEXT(set) TEXT_(set)

namespace steelyard {
namespace STEELYARD_SET {
bool nearest(const Nearest&);  // in nearest.cpp, which is compiled otherwise
void linear_pass(const LinearPass&);  // in linear.cpp
void linear_steps(const LinearSteps&);
void linear_hessian(const LinearHessian&);  // in hessian.cpp
void sparse_newton(const SparseNewton&);  // in sparse.cpp
void softmax_sums(const Sums&);  // in sums.cpp
void sigmoid_sums(const Sums&);
void region_sums(const float*, int64_t, int, double*, int);
}
const Kernels NAME(STEELYARD_SET) = {TEXT(STEELYARD_SET), STEELYARD_SET::softmax, STEELYARD_SET::sigmoid,
                                       STEELYARD_SET::softmax_census, STEELYARD_SET::sigmoid_census,
                                       STEELYARD_SET::softmax_sums, STEELYARD_SET::sigmoid_sums, STEELYARD_SET::region_sums,
                                       STEELYARD_SET::bytes, STEELYARD_SET::nearest, STEELYARD_SET::linear_pass,
                                       STEELYARD_SET::linear_steps, STEELYARD_SET::linear_hessian, STEELYARD_SET::sparse_newton};
}
