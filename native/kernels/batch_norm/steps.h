// The steps of fused batch norm in training, for operators that take them a few images at a time
// between other things; batch_norm.h has the whole.
//
// Sums over all images are taken in parts, each of which one thread at a time adds to.
#pragma once

#include <ATen/Parallel.h>

#include <vector>

#include "kernels/batch_norm/batch_norm.h"
#include "kernels/isa.h"

namespace lyceum {

// The kernels for activations that are stored as T, float or BFloat16.
template <class T>
const batch_norm::Kernels<T>& batch_norm_kernels();
template <>
inline const batch_norm::Kernels<float>& batch_norm_kernels<float>() {
  return kernels().batch_norm;
}
template <>
inline const batch_norm::Kernels<BFloat16>& batch_norm_kernels<BFloat16>() {
  return kernels().batch_norm_bfloat16;
}

// The memory of a tensor whose values are stored as T.
template <class T>
T* values_of(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.data_ptr());
}

// The number of parts does not depend on the number of threads, so that sums round the same with
// any.
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

// The mean and biased variance of each channel, of `count` values each.
struct Statistics {
  std::vector<double> mean, variance;
  double count = 0;
};

// The moments of each part.
class PartMoments {
 public:
  PartMoments(int64_t parts, int64_t channels);
  // A copy would have vectors of its own, and pointers into the other's.
  PartMoments(const PartMoments&) = delete;

  batch_norm::Moments& operator[](int64_t part) { return parts_[part]; }
  // The statistics of all parts together. To be called once.
  Statistics all();

 private:
  int64_t channels_;
  std::vector<double> mean_, squares_;
  std::vector<batch_norm::Moments> parts_;
};

// The statistics of x, which is in order (in_order).
Statistics statistics_of(const at::Tensor& x);

// x · scale + shift, by channel.
struct Scaling {
  std::vector<float> scale, shift;
};

// The scaling that normalises by this mean and inverse of the deviation.
Scaling scaling_of(const at::Tensor& weight, const at::Tensor& bias, const double* mean,
                   const double* inverse);

// x by the scaling, plus the residual where it is defined, then ReLU where asked; all in order.
at::Tensor scaled(const at::Tensor& x, const Scaling& scaling, const at::Tensor& residual,
                  bool relu);

// What follows from the batch's statistics.
struct Settled {
  at::Tensor mean, inverse;
  Scaling scaling;
};
// Also takes the statistics into the running averages.
Settled settle(const Norm& norm, const Statistics& found);

// The gradient of batch norm: call `sum` for all tiles, `settle`, then `input` for all tiles.
template <class T>
class NormGradient {
 public:
  // With `relu`, dy is the gradient of relu(norm(x)), or of relu(norm(x) + residual) where y is
  // given.
  NormGradient(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& mean,
               const at::Tensor& inverse, bool relu, int64_t parts);

  // Pointers are to where c's first segment begins; tiles are c's. Where y is given, `passed` is
  // written: what came through the ReLU, which is the residual's gradient and stands for dy from
  // then on.
  struct Memory {
    const T *dy, *x, *y = nullptr;
    T* passed = nullptr;
  };
  void sum(int64_t part, const Memory& memory, const Channels& c, int64_t begin, int64_t end);

  // `count` is the number of values a channel. Without `of_batch` the statistics were the running
  // averages, which do not depend on x.
  void settle(double count, bool of_batch = true);

  // `through` says whether dy has yet to come through the ReLU.
  void input(const T* dy, const T* x, T* dx, bool through, const Channels& c, int64_t begin,
             int64_t end) const;

  // The scaling of the norm itself.
  const Scaling& scaling() const { return scaling_; }

  // The gradients of weight and bias, once settled.
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
