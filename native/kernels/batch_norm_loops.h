// The loops of fused batch norm, over a range of tiles (see channels.h).
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

void find_moments(const float* x, const Channels& c, int64_t begin, int64_t end, Moments& found);

// y = x · scale + shift, plus the residual where there is one, then ReLU where asked.
struct Apply {
  const float* x;
  const float* residual;
  const float* scale;
  const float* shift;
  float* y;
  bool relu;
};
void apply(const Apply& a, const Channels& c, int64_t begin, int64_t end);

// Of y's gradient, what came through the ReLU. Which values did is read from y where it was stored for the residual's
// sake, and otherwise worked out again from x, as `apply` does: that is cheaper than reading y.
struct Passed {
  const float* dy;
  const float* x;
  const float* y;
  const float* scale;
  const float* shift;
  bool relu;
};

// Adds up, per channel, the gradient that passed, and its product with x - mean. Where y is given, writes the gradient
// that passed down: it is the residual's.
void sum_gradient(const Passed& p, const float* mean, float* passed, double* sum, double* product,
                  const Channels& c, int64_t begin, int64_t end);

// What the batch's own mean and variance, which depend on x, add to its gradient.
struct OfBatch {
  const float* mean = nullptr;
  const float* along = nullptr;
  const float* level = nullptr;
};

// dx = gradient · scale - along · (x - mean) - level, the last two where the statistics were the batch's.
void input_gradient(const Passed& p, const OfBatch* of, float* dx, const Channels& c, int64_t begin, int64_t end);

}  // namespace lyceum
