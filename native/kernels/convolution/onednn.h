// Convolutions of oneDNN, prepared once for each shape and kept: what ATen does anew at every call.
#pragma once

#include "kernels/convolution/shape.h"

namespace lyceum::onednn {

// Each throws dnnl::error where oneDNN cannot.
void convolve(const ConvolutionShape& shape, const ForwardMemory& memory);
void convolve_backward_data(const ConvolutionShape& shape, const BackwardDataMemory& memory);
void convolve_backward_weights(const ConvolutionShape& shape, const BackwardWeightsMemory& memory);

// Whether the processor has AVX-512, so that blocks of sixteen channels are what the fastest convolutions want, and
// oneDNN computes bfloat16.
bool has_avx512();

// Whether it has AMX, so that bfloat16 is several times as fast as float32.
bool has_amx();

}  // namespace lyceum::onednn
