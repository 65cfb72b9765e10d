// The steps of fused batch norm in training, for those who take them a few images at a time between other things; the
// whole is in batch_norm.h.
//
// What is summed over all images is summed in parts, each of which one thread at a time adds to.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <vector>

#include "kernels/batch_norm.h"
#include "kernels/batch_norm_loops.h"

namespace lyceum {

// A fixed number of parts, whatever the number of threads, so that sums round the same with any.
constexpr int64_t kParts = 32;

// Calls `body(part, begin, end)` for tiles [begin, end) of each part.
template <class Body>
void for_parts(const Channels& c, const Body& body) {
  const int64_t tiles = c.tiles();
  at::parallel_for(0, kParts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part++) {
      body(part, tiles * part / kParts, tiles * (part + 1) / kParts);
    }
  });
}

// Mean and biased variance of each channel, of so many values each.
struct Statistics {
  std::vector<double> mean, variance;
  double count = 0;
};

class PartMoments {
 public:
  PartMoments(int64_t parts, int64_t channels);
  // The vectors would move, and what points into them would not.
  PartMoments(const PartMoments&) = delete;

  Moments& operator[](int64_t part) { return parts_[part]; }
  // Of all parts together. To be called once.
  Statistics all();

 private:
  int64_t channels_;
  std::vector<double> mean_, squares_;
  std::vector<Moments> parts_;
};

// Of all of x, which is in order (in_order).
Statistics statistics_of(const at::Tensor& x);

struct Scaling {
  std::vector<float> scale, shift;
};

// x · scale + shift normalises by this mean and inverse of the deviation.
Scaling scaling_of(const at::Tensor& weight, const at::Tensor& bias, const double* mean, const double* inverse);

// x · scale + shift, plus the residual where it is defined, then ReLU where asked; all in order.
at::Tensor scaled(const at::Tensor& x, const Scaling& scaling, const at::Tensor& residual, bool relu);

// What the batch's statistics come to; also takes them into the running averages.
struct Settled {
  at::Tensor mean, inverse;
  Scaling scaling;
};
Settled settle(const Norm& norm, const Statistics& found);

// The gradient: `sum` everything, `settle`, then `input` for everything.
template <class T>
class NormGradient {
 public:
  // `relu`: what lies after it is the gradient of relu(norm(x)), or of relu(norm(x) + residual) where y is given.
  NormGradient(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& mean, const at::Tensor& inverse,
               bool relu, int64_t parts);

  // Pointers are to where c's first segment begins; tiles are c's. With y, `passed` is written: what came through the
  // ReLU, which is the residual's gradient and stands for dy from then on.
  struct Memory {
    const T *dy, *x, *y = nullptr;
    T* passed = nullptr;
  };
  void sum(int64_t part, const Memory& memory, const Channels& c, int64_t begin, int64_t end);

  // `count` values a channel. Not `of_batch`: the statistics were the running averages, which do not depend on x.
  void settle(double count, bool of_batch = true);

  // `through`: whether dy has yet to come through the ReLU.
  void input(const T* dy, const T* x, T* dx, bool through, const Channels& c, int64_t begin, int64_t end) const;

  // Of the norm itself.
  const Scaling& scaling() const { return scaling_; }

  // Gradients of weight and bias, once settled.
  at::Tensor weight, bias;

 private:
  bool relu_, of_batch_ = true;
  int64_t parts_;
  at::Tensor mean_, inverse_;
  Scaling scaling_;
  std::vector<float> along_, level_;
  std::vector<double> sums_, products_;
};

}  // namespace lyceum
