// Convolutions by Lyceum's own Winograd kernels (winograd/kernels.h), divided among libtorch's threads.
#pragma once

#include <array>
#include <vector>

#include "kernels/convolution/shape.h"
#include "kernels/convolution/through.h"

namespace lyceum::winograd {

// Whether the kernels can compute it on this processor, may, and are the fastest here.
bool suits(const ConvolutionShape& shape);

// Weights in frequencies, for those who keep them from call to call.
int64_t packed_size(const ConvolutionShape& shape);
void pack(const ConvolutionShape& shape, const void* weight, float* packed);

// Bits depend on the shape and on the number of threads, as oneDNN's do.
void convolve(const ConvolutionShape& shape, const ForwardMemory& memory);

// Packed weights and biases of the two convolutions of a block.
struct BlockMemory {
  std::array<const float*, 2> packed, biases;
};
// Images and the first layer's weights and bias (stem/kernels.h).
struct StemMemory {
  const float *x, *weights, *bias;
  int64_t channels;
};
// For one block after the other: x = relu(second(relu(first(x))) + x), all of them of the same shape. Where there is a stem,
// what x is at first is its result.
void convolve_blocks(const ConvolutionShape& shape, const std::vector<BlockMemory>& blocks, void* x,
                     const StemMemory* stem = nullptr);

// The same with something done to a few images before and after they are convolved, while they are in a core's own
// cache; by `parts(shape)` parts, each of which one thread does.
int64_t parts(const ConvolutionShape& shape);
bool suits_through(const ConvolutionShape& shape);

void convolve_through(const ConvolutionShape& shape, const ForwardMemory& memory, const Through& through);

struct BackwardMemory {
  // x may be null.
  const void *x, *weight;
  void *dx, *d_weight;
};
// Both gradients.
void convolve_backward_through(const ConvolutionShape& shape, const BackwardMemory& memory,
                               const BackwardThrough& through);

void convolve_backward_data(const ConvolutionShape& shape, const BackwardDataMemory& memory);
// Without the bias's gradient.
void convolve_backward_weights(const ConvolutionShape& shape, const BackwardWeightsMemory& memory);

}  // namespace lyceum::winograd
