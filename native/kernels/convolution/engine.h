// Convolutions of any shape by others' kernels: oneDNN's, or libtorch's where the build has no oneDNN or it has no kernels
// for the shape on this processor (engines.h).
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

// Whether the build has it.
bool has_onednn();

// Whether the processor has AVX-512, so that bfloat16 is computed.
bool has_avx512();

// Whether it has AMX, so that bfloat16 is several times as fast as float32.
bool has_amx();

}  // namespace lyceum::engine
