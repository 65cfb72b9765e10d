// The two that engine.h chooses from.
#pragma once

#include "kernels/convolution/kept_weights.h"
#include "kernels/convolution/shape.h"

namespace lyceum::engine {

// Only in a build with oneDNN's headers of version 2. Prepared once for each shape and kept, which ATen makes anew at every
// call.
namespace onednn {
Layout packed_layout(const ConvolutionShape& shape);
void pack(const ConvolutionShape& shape, const void* weight, float* packed);
void convolve(const ConvolutionShape& shape, const ForwardMemory& memory);
void convolve_backward_data(const ConvolutionShape& shape, const BackwardDataMemory& memory);
void convolve_backward_weights(const ConvolutionShape& shape, const BackwardWeightsMemory& memory);
// Whether it may use AVX-512, and AMX.
bool has_avx512();
bool has_amx();
}  // namespace onednn

namespace libtorch {
void convolve(const ConvolutionShape& shape, const ForwardMemory& memory);
void convolve_backward_data(const ConvolutionShape& shape, const BackwardDataMemory& memory);
void convolve_backward_weights(const ConvolutionShape& shape, const BackwardWeightsMemory& memory);
}  // namespace libtorch

}  // namespace lyceum::engine
