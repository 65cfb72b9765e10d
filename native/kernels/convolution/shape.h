// What a convolution is of, for whichever kernels compute it.
#pragma once

#include <cstdint>

namespace lyceum {

// All that decides which kernel serves.
struct ConvolutionShape {
  int64_t batch, in_channels, height, width;
  int64_t out_channels, kernel_height, kernel_width;
  int64_t stride_height, stride_width, pad_height, pad_width;
  // Activations as [N, C/16, H, W, 16] rather than channels-last.
  bool blocked;
  // Activations, and the arithmetic on them, in bfloat16; weights stay float32 outside.
  bool bfloat16;
  // May round more coarsely than the definition does (Winograd's algorithm), for speed.
  bool coarse;
  bool bias;
  // Added to what is there, then ReLU. (Of the three passes oneDNN has these forward only.)
  bool sum;
  bool relu;
  // Weights lie as [K, H, W, C] rather than [K, C, H, W].
  bool weights_last;
  // The weights stay: it pays to make more of them.
  bool frozen;
  // Among so many the work is divided.
  int64_t threads;

  int64_t out_height() const { return (height + 2 * pad_height - kernel_height) / stride_height + 1; }
  int64_t out_width() const { return (width + 2 * pad_width - kernel_width) / stride_width + 1; }
};

// Pointers into memory in the layout and dtype that the shape says; weights, bias and their gradients are float32.
struct ForwardMemory {
  const void *x, *weight, *bias;
  void* y;
  // The weight as `pack` of the kernel that serves has left it, or null.
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
