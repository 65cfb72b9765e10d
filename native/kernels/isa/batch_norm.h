// The loops of fused batch norm, over tiles [begin, end) of an activation (channels.h). T is how
// activations are stored, float or BFloat16; what is computed with them is float.
#pragma once

#include "kernels/isa/channels.h"

namespace lyceum::batch_norm {

// The moments of each channel: the number of values, their mean, and the sum of squares about it.
struct Moments {
  double count = 0;
  double* mean = nullptr;
  double* squares = nullptr;

  // Takes in the moments of other values (Chan, Golub and LeVeque 1983).
  LYCEUM_INLINE void add(const Moments& other, int64_t channels) {
    if (other.count == 0) return;
    const double total = count + other.count, share = other.count / total;
    for (int64_t c = 0; c < channels; c++) {
      const double difference = other.mean[c] - mean[c];
      mean[c] += difference * share;
      squares[c] += other.squares[c] + difference * difference * count * share;
    }
    count = total;
  }
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

// The part of y's gradient that came through the ReLU. Which values did is read from y where it was
// stored for the residual's sake, and otherwise worked out again from x, as `apply` does: that is
// cheaper than reading y.
template <class T>
struct Passed {
  const T* dy;
  const T* x;
  const T* y;
  const float* scale;
  const float* shift;
  bool relu;
};

// What the batch's own mean and variance, which depend on x, add to x's gradient.
struct BatchTerms {
  const float* mean = nullptr;
  const float* along = nullptr;
  const float* level = nullptr;
};

// What is written must not be what is read, unless channels lie in whole blocks.
template <class T>
struct Kernels {
  // Takes in the moments of x.
  void (*find_moments)(const T* x, const Channels& c, int64_t begin, int64_t end, Moments& found);
  void (*apply)(const Apply<T>& a, const Channels& c, int64_t begin, int64_t end);
  // Adds up, by channel, the gradient that passed, and its product with x - mean. Where y is given,
  // writes what passed to `passed`: it is the residual's gradient.
  void (*sum_gradient)(const Passed<T>& p, const float* mean, T* passed, double* sum,
                       double* product, const Channels& c, int64_t begin, int64_t end);
  // dx = gradient · scale - along · (x - mean) - level; without the last two where `terms` is null,
  // that is, where the statistics were not the batch's.
  void (*input_gradient)(const Passed<T>& p, const BatchTerms* terms, T* dx, const Channels& c,
                         int64_t begin, int64_t end);
};

}  // namespace lyceum::batch_norm
