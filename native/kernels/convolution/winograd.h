// Convolutions by Lyceum's own Winograd kernels (winograd/kernels.h), divided among libtorch's threads.
#pragma once

#include <array>

#include "kernels/convolution/shape.h"

namespace lyceum::winograd {

// Whether the kernels can compute it on this processor, may, and are the fastest here.
bool suits(const ConvolutionShape& shape);

// Bits depend on the shape and on the number of threads, as oneDNN's do.
void convolve(const ConvolutionShape& shape, const ForwardMemory& memory);
// Two convolutions with bias, of as many channels as x has: x = relu(second(relu(first(x))) + x).
void convolve_block(const ConvolutionShape (&shapes)[2], const std::array<const void*, 2>& weights,
                    const std::array<const void*, 2>& biases, void* x);
void convolve_backward_data(const ConvolutionShape& shape, const BackwardDataMemory& memory);
// Without the bias's gradient.
void convolve_backward_weights(const ConvolutionShape& shape, const BackwardWeightsMemory& memory);

}  // namespace lyceum::winograd
