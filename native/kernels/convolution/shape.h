// What a convolution is of, for whichever kernels compute it.
#pragma once

#include <cstdint>

namespace lyceum {

// All that decides which kernel serves.
struct ConvolutionShape {
  int64_t batch, in_channels, height, width;
  int64_t out_channels, kernel_height, kernel_width;
  int64_t stride_height, stride_width, pad_height, pad_width;
  // Activations are [N, C/16, H, W, 16] rather than channels-last.
  bool blocked;
  // Activations, and the arithmetic on them, are bfloat16; weights stay float32 in memory.
  bool bfloat16;
  // Winograd's algorithm may be used, whose rounding errors are larger than the definition's.
  bool allow_winograd;
  bool bias;
  // The result is added to what is there, before the ReLU if there is one.
  bool sum;
  bool relu;
  // Weights lie as [K, H, W, C] rather than [K, C, H, W].
  bool weights_last;
  // Weights lie as [C, K, 1, 1], those of a convolution the other way; for 1x1 only.
  bool weights_turned;
  // The weights stay as they are from call to call, so that it pays to prepare them.
  bool frozen;
  // The number of threads among which the work is divided.
  int64_t threads;

  int64_t out_height() const {
    return (height + 2 * pad_height - kernel_height) / stride_height + 1;
  }
  int64_t out_width() const { return (width + 2 * pad_width - kernel_width) / stride_width + 1; }
};

// How a prepared weight lies in memory: the number of floats, and a name for their order.
struct Layout {
  int64_t size;
  uint64_t name = 0;
};

// Pointers into memory in the layout and dtype that the shape says; weights, bias and their
// gradients are float32.
struct ForwardMemory {
  const void *x, *weight, *bias;
  void* y;
  // The weight as `pack` of the implementation that serves has left it, or null.
  const float* packed = nullptr;
};
struct BackwardDataMemory {
  const void *dy, *weight;
  void* dx;
};
struct BackwardWeightsMemory {
  const void *x, *dy;
  void *d_weight, *d_bias;
};

}  // namespace lyceum
