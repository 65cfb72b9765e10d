// The kernel of the processor's level.
#include "kernels/convolution/stem/kernels.h"
#include "kernels/level.h"

namespace lyceum::stem {

namespace avx512 {
void convolve(const Shape&, const float*, const float*, const float*, float*, float*);
}
namespace avx2 {
void convolve(const Shape&, const float*, const float*, const float*, float*, float*);
}

void convolve(const Shape& shape, const float* x, const float* weights, const float* bias, float* scratch, float* y) {
  const auto run = level() == Level::kAvx512 ? avx512::convolve : avx2::convolve;
  run(shape, x, weights, bias, scratch, y);
}

}  // namespace lyceum::stem
