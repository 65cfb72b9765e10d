// 3x3 convolutions of stride 1 and padding 1 by Winograd's algorithm F(4x4, 3x3), for AVX-512 and
// AVX2: a quarter of the products that the definition needs, with larger rounding errors.
// Activations are float32 in blocks of sixteen channels, [N, C/16, H, W, 16].
//
//   Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A
//   (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016)
//
// A result is cut into tiles of 4x4 pixels, each of which depends on 6x6 pixels. These are turned
// into 36 numbers a channel ("frequencies"); for each frequency the channels of a group of tiles
// are multiplied by a matrix of weights; and what comes out is turned back. A group is small enough
// to stay in the second-level cache, so that nothing but the result is ever written to memory: this
// is what makes it faster than oneDNN's, at sixteen channels above all.
#pragma once

#include <cstdint>

#include "kernels/isa/winograd/prefetch.h"

namespace lyceum::winograd {

constexpr int64_t kFrequencies = 36;

struct Shape {
  int64_t batch, height, width;
  // Multiples of 16.
  int64_t in_channels, out_channels;

  LYCEUM_INLINE int64_t tiles_high() const { return (height + 3) / 4; }
  LYCEUM_INLINE int64_t tiles_wide() const { return (width + 3) / 4; }
  LYCEUM_INLINE int64_t tiles() const { return batch * tiles_high() * tiles_wide(); }
};

// Weights of [K, C, 3, 3], whose strides are in floats.
struct Weights {
  const float* data;
  int64_t out_stride, in_stride, row_stride, column_stride;
};

// What is done to a result before it is written.
struct After {
  // [K], or null.
  const float* bias = nullptr;
  // The result is added to what is there.
  bool sum = false;
  bool relu = false;
};

// Floats that the transformed weights take.
LYCEUM_INLINE int64_t packed_size(int64_t in_channels, int64_t out_channels) {
  return kFrequencies * in_channels * out_channels;
}

// How a group of tiles lies in scratch: block of channels by block, frequency by frequency, tile by
// tile. All distances are constants to the compiler.
template <int64_t kTiles>
struct GroupOf {
  static constexpr int64_t tiles = kTiles;
  // Floats from one frequency to the next; a little more than they fill, so that frequencies do not
  // fall on the same few lines of the caches.
  static constexpr int64_t frequency = kTiles * 16 + 16;
  static constexpr int64_t block = kFrequencies * frequency;
};

// Small groups stay in the first-level cache for longer; the weights' gradient gains more by
// summing over many tiles.
using ConvolutionGroup = GroupOf<12>;
using GradientGroup = GroupOf<24>;

// Floats of scratch that a thread needs, aligned to 64 bytes.
template <class Group>
LYCEUM_INLINE constexpr int64_t scratch_size(const Shape& shape) {
  return (shape.in_channels + shape.out_channels) / 16 * Group::block;
}

// Each function prefetches what it is told to while it computes.
struct Kernels {
  // Transforms the weights of in-channels [begin, end) into `packed`. `turned` packs them for the
  // gradient with respect to the input, which is the convolution of the result's gradient with the
  // weights turned by half a circle, in- and out-channels exchanged: the caller exchanges the
  // strides and the numbers of channels.
  void (*pack)(const Weights& weights, const Shape& shape, bool turned, int64_t begin, int64_t end,
               float* packed);

  // Computes tiles [begin, end) of y.
  void (*convolve)(const Shape& shape, const float* x, const float* packed, const After& after,
                   int64_t begin, int64_t end, float* scratch, float* y, Prefetch prefetch);

  // Adds tiles [begin, end) to the weights' gradient in frequencies, `sums`, of packed_size.
  void (*sum_weights)(const Shape& shape, const float* x, const float* dy, int64_t begin,
                      int64_t end, float* scratch, float* sums, Prefetch prefetch);

  // The weights' gradient in pixels, of in-channels [begin, end), from `parts` sums that lie one
  // after the other.
  void (*unpack)(const Shape& shape, const float* sums, int64_t parts, int64_t begin, int64_t end,
                 float* d_weight, int64_t out_stride, int64_t in_stride, int64_t row_stride,
                 int64_t column_stride);
};

}  // namespace lyceum::winograd
