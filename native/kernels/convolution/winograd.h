// Convolutions by Lyceum's own Winograd kernels (kernels/isa/winograd/), divided among libtorch's
// threads.
#pragma once

#include <array>
#include <vector>

#include "kernels/convolution/shape.h"
#include "kernels/convolution/streamed.h"

namespace lyceum::winograd {

// Whether the kernels can compute a convolution on this processor, may, and are the fastest there.
bool suits(const ConvolutionShape& shape);

// The packed weights and biases of the two convolutions of a block.
struct BlockMemory {
  std::array<const float*, 2> packed, biases;
};
// Images, and the first layer's weights and bias (kernels/isa/stem/kernels.h).
struct StemMemory {
  const float *x, *weights, *bias;
  int64_t channels;
};
// For one block after the other: y = relu(second(relu(first(x))) + x), which is the next block's x,
// all of them of the same shape. `x` and `y` may be the same memory. Where there is a stem, the
// first x is its result, and `x` is not read.
void convolve_blocks(const ConvolutionShape& shape, const std::vector<BlockMemory>& blocks,
                     const void* x, void* y, const StemMemory* stem = nullptr);

// A convolution that takes a few images at a time, with something done to them before and after,
// while they are in a core's own cache. The images are divided into `parts(shape)` parts, each of
// which one thread goes through.
int64_t parts(const ConvolutionShape& shape);
bool suits_streamed(const ConvolutionShape& shape);

void convolve_streamed(const ConvolutionShape& shape, const ForwardMemory& memory,
                       const AroundForward& around);

struct BackwardMemory {
  // x may be null.
  const void *x, *weight;
  void *dx, *d_weight;
};
// Both gradients.
void convolve_backward_streamed(const ConvolutionShape& shape, const BackwardMemory& memory,
                                const AroundBackward& around);

}  // namespace lyceum::winograd
