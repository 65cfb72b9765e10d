// Channels-last images to blocks of sixteen lanes of which some may be unused, and back: how the
// channels of a DenseNet's block lie (kernels/convolution/dense/shape.h).
#pragma once

#include <cstdint>

namespace lyceum::lanes {

struct Shape {
  int64_t pixels;
  // The used lanes of each block add up to the channels.
  int64_t channels, blocks;
  const int64_t* used;
};

struct Kernels {
  // Reads an image in channels-last, [pixels, channels], into its blocks, which lie `block_stride`
  // floats apart. Unused lanes become zero.
  void (*read)(const Shape& shape, const float* from, int64_t block_stride, float* to);
  // Writes blocks back to an image in channels-last.
  void (*write)(const Shape& shape, const float* from, int64_t block_stride, float* to);
};

}  // namespace lyceum::lanes
