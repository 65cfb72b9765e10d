// The kernels of the processor's level.
#include "kernels/convolution/winograd/kernels.h"
#include "kernels/level.h"

namespace lyceum::winograd {

#define LYCEUM_DECLARE(level)                                                                                         \
  namespace level {                                                                                                   \
  void pack(const Weights&, const Shape&, bool, int64_t, int64_t, float*);                                            \
  void convolve(const Shape&, const float*, const float*, const After&, int64_t, int64_t, float*, float*, Ahead);     \
  void sum_weights(const Shape&, const float*, const float*, int64_t, int64_t, float*, float*, Ahead);                \
  void unpack(const Shape&, const float*, int64_t, int64_t, int64_t, float*, int64_t, int64_t, int64_t, int64_t);     \
  }
LYCEUM_DECLARE(avx512)
LYCEUM_DECLARE(avx2)

void pack(const Weights& weights, const Shape& shape, bool turned, int64_t begin, int64_t end, float* packed) {
  const auto run = level() == Level::kAvx512 ? avx512::pack : avx2::pack;
  run(weights, shape, turned, begin, end, packed);
}

void convolve(const Shape& shape, const float* x, const float* packed, const After& after, int64_t begin, int64_t end,
              float* scratch, float* y, Ahead ahead) {
  const auto run = level() == Level::kAvx512 ? avx512::convolve : avx2::convolve;
  run(shape, x, packed, after, begin, end, scratch, y, ahead);
}

void sum_weights(const Shape& shape, const float* x, const float* dy, int64_t begin, int64_t end, float* scratch,
                 float* sums, Ahead ahead) {
  const auto run = level() == Level::kAvx512 ? avx512::sum_weights : avx2::sum_weights;
  run(shape, x, dy, begin, end, scratch, sums, ahead);
}

void unpack(const Shape& shape, const float* sums, int64_t parts, int64_t begin, int64_t end, float* d_weight,
            int64_t out_stride, int64_t in_stride, int64_t row_stride, int64_t column_stride) {
  const auto run = level() == Level::kAvx512 ? avx512::unpack : avx2::unpack;
  run(shape, sums, parts, begin, end, d_weight, out_stride, in_stride, row_stride, column_stride);
}

}  // namespace lyceum::winograd
