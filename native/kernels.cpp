// One instruction set's kernels; compiled once for each.
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
}
const Kernels NAME(STEELYARD_SET) = {TEXT(STEELYARD_SET), STEELYARD_SET::softmax, STEELYARD_SET::sigmoid,
                                       STEELYARD_SET::softmax_census, STEELYARD_SET::sigmoid_census,
                                       STEELYARD_SET::nearest};
}
