// The first convolution of a frozen network, from the few channels of an image to blocks of
// sixteen, for AVX-512 and AVX2: 3x3, stride 1, padding 1, with its bias and ReLU, by the
// definition. It takes an image at a time, so that what comes next finds the result in a core's own
// cache.
#pragma once

#include "kernels/isa/common.h"

namespace lyceum::stem {

struct Shape {
  int64_t height, width;
  // 1 or 3; a multiple of sixteen.
  int64_t in_channels, out_channels;
};

LYCEUM_INLINE bool suits(const Shape& s) {
  return (s.in_channels == 1 || s.in_channels == 3) && s.out_channels % 16 == 0 && s.height > 0 &&
         s.width > 0;
}

// The most pixels that are computed together.
constexpr int64_t kMostPixels = 16;

LYCEUM_INLINE int64_t padded_row(const Shape& s) { return (s.width + 2) * s.in_channels; }

// The floats of scratch that `convolve` needs. The last pixels of the last row read further,
// numbers that nobody uses.
LYCEUM_INLINE int64_t scratch_size(const Shape& s) {
  return (s.height + 2) * padded_row(s) + kMostPixels * s.in_channels;
}

struct Kernels {
  // x [H, W, C], weights [3, 3, C, K], bias [K], y [K / 16, H, W, 16].
  void (*convolve)(const Shape& shape, const float* x, const float* weights, const float* bias,
                   float* scratch, float* y);
};

}  // namespace lyceum::stem
