// A step of stochastic gradient descent with momentum over the floats of one parameter.
#pragma once

#include <cstdint>

namespace lyceum::sgd {

struct Rule {
  float rate, momentum, decay;
  bool nesterov;
};

struct Kernels {
  // d = g + decay · w
  // v = momentum · v + d
  // w = w - rate · v, or by Nesterov's rule w - rate · (d + momentum · v)
  // `v` is null where there is no momentum.
  void (*step)(float* w, const float* g, float* v, int64_t count, const Rule& rule);
};

}  // namespace lyceum::sgd
