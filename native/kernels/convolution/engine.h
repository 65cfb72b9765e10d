// Convolutions of any shape, by what the build has: oneDNN's, prepared once for each shape and kept, which ATen makes anew
// at every call (engine_onednn.cpp); or libtorch's, where oneDNN's headers are not or are of a version that has other
// functions (engine_libtorch.cpp).
#pragma once

#include "kernels/convolution/kept_weights.h"
#include "kernels/convolution/shape.h"

namespace lyceum::engine {

// Of frozen weights, for those who keep them from call to call; no floats where nothing is to be made of them.
Layout packed_layout(const ConvolutionShape& shape);
void pack(const ConvolutionShape& shape, const void* weight, float* packed);

// Each throws what its library throws where that cannot.
void convolve(const ConvolutionShape& shape, const ForwardMemory& memory);
void convolve_backward_data(const ConvolutionShape& shape, const BackwardDataMemory& memory);
void convolve_backward_weights(const ConvolutionShape& shape, const BackwardWeightsMemory& memory);

// Whether the processor has AVX-512, so that blocks of sixteen channels are what the fastest convolutions want, and
// bfloat16 is computed.
bool has_avx512();

// Whether it has AMX, so that bfloat16 is several times as fast as float32.
bool has_amx();

}  // namespace lyceum::engine
