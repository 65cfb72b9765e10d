// The loops of fused batch norm, over a range of tiles (see channels.h). T is how activations are stored: float or
// c10::BFloat16; what is computed with them is float.
#pragma once

#include "kernels/channels.h"

namespace lyceum {

// Per channel: how many values, their mean, the sum of squares about it.
struct Moments {
  double count = 0;
  double* mean = nullptr;
  double* squares = nullptr;

  // Takes in the moments of other values (Chan, Golub and LeVeque 1983).
  void add(const Moments& other, int64_t channels);
};


// y = x · scale + shift, plus the residual where there is one, then ReLU where asked.
template <class T>
struct Apply {
  const T* x;
  const T* residual;
  const float* scale;
  const float* shift;
  T* y;
  bool relu;
};

// Of y's gradient, what came through the ReLU. Which values did is read from y where it was stored for the residual's
// sake, and otherwise worked out again from x, as `apply` does: that is cheaper than reading y.
template <class T>
struct Passed {
  const T* dy;
  const T* x;
  const T* y;
  const float* scale;
  const float* shift;
  bool relu;
};

// What the batch's own mean and variance, which depend on x, add to its gradient.
struct OfBatch {
  const float* mean = nullptr;
  const float* along = nullptr;
  const float* level = nullptr;
};

// find_moments    takes in the moments of x
// apply           see Apply
// sum_gradient    adds up, per channel, the gradient that passed, and its product with x - mean; where y is given,
//                 writes down what passed: it is the residual's gradient
// input_gradient  dx = gradient · scale - along · (x - mean) - level, the last two where the statistics were the batch's
// What is written must not be what is read, unless channels lie in whole blocks.
#define LYCEUM_DECLARE(T)                                                                                         \
  void find_moments(const T* x, const Channels& c, int64_t begin, int64_t end, Moments& found);                  \
  void apply(const Apply<T>& a, const Channels& c, int64_t begin, int64_t end);                                  \
  void sum_gradient(const Passed<T>& p, const float* mean, T* passed, double* sum, double* product,              \
                    const Channels& c, int64_t begin, int64_t end);                                              \
  void input_gradient(const Passed<T>& p, const OfBatch* of, T* dx, const Channels& c, int64_t begin, int64_t end);
LYCEUM_DECLARE(float)
LYCEUM_DECLARE(c10::BFloat16)
#undef LYCEUM_DECLARE

}  // namespace lyceum
