// The kernels of the processor's level.
#include "kernels/convolution/pointwise/kernels.h"
#include "kernels/level.h"

namespace lyceum::pointwise {

#define LYCEUM_DECLARE(level)                                                                                    \
  namespace level {                                                                                              \
  void convolve(const Input&, const float*, const float*, float*, const Output&);                                \
  void add_gradient(const Input&, const Gradient&, float*);                                                      \
  void average(const Input&, const Windows&, float*);                                                            \
  void average_gradient(const Input&, const Windows&, const float*, const float*, float*, double*, double*);     \
  void add_statistics(const float*, const float*, const float*, const float*, const float*, int64_t, float*);    \
  }
LYCEUM_DECLARE(avx512)
LYCEUM_DECLARE(avx2)

void convolve(const Input& in, const float* weights, const float* bias, float* scratch, const Output& out) {
  (level() == Level::kAvx512 ? avx512::convolve : avx2::convolve)(in, weights, bias, scratch, out);
}

void add_gradient(const Input& in, const Gradient& gradient, float* scratch) {
  (level() == Level::kAvx512 ? avx512::add_gradient : avx2::add_gradient)(in, gradient, scratch);
}

void average(const Input& in, const Windows& windows, float* y) {
  (level() == Level::kAvx512 ? avx512::average : avx2::average)(in, windows, y);
}

void average_gradient(const Input& in, const Windows& windows, const float* dy, const float* mean, float* dx,
                      double* sums, double* products) {
  const auto run = level() == Level::kAvx512 ? avx512::average_gradient : avx2::average_gradient;
  run(in, windows, dy, mean, dx, sums, products);
}

void add_statistics(const float* d, const float* x, const float* mean, const float* along, const float* level_of,
                    int64_t pixels, float* dx) {
  const auto run = level() == Level::kAvx512 ? avx512::add_statistics : avx2::add_statistics;
  run(d, x, mean, along, level_of, pixels, dx);
}

}  // namespace lyceum::pointwise
