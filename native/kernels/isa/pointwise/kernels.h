// 1x1 convolutions with what a DenseNet has around them, for AVX-512 and AVX2: batch norm and ReLU
// before, and in frozen networks bias and ReLU after; and their gradients. Activations are float32
// in blocks of sixteen channels, of which the last lanes of a block may be unused.
#pragma once

#include "kernels/isa/common.h"

namespace lyceum::pointwise {

// The number of pixels that are computed together; an image must have as many.
constexpr int64_t kPixels = 8;
// The number of pixels whose share of the weights' gradient is summed in registers.
constexpr int64_t kTile = 64;

struct Input {
  // [blocks] of [pixels, 16], block_stride floats apart.
  const float* x;
  int64_t block_stride, blocks, pixels;
  // The number of used lanes of each block.
  const int64_t* lanes;
  // [blocks, 16] each, zero in unused lanes: relu(x · scale + shift) is convolved.
  const float *scale, *shift;
};

struct Output {
  // [blocks] of [pixels, 16]. Must not share memory with x.
  float* y;
  int64_t block_stride, blocks;
};

// The floats of scratch that `convolve` needs.
LYCEUM_INLINE constexpr int64_t scratch_size(int64_t blocks) { return blocks * kPixels * 16; }

struct Gradient {
  // The result's gradient, [out-blocks] of [pixels, 16], block_stride floats apart; up to kPixels
  // pixels beyond it may be read.
  const float* dy;
  int64_t block_stride, out_blocks;
  // [out-blocks, 16, in-blocks, 16].
  const float* weights;
  // Each in-channel's mean, [in-blocks, 16].
  const float* mean;

  // x's gradient, which lies as x does: what came through the ReLU, times scale, is added to it.
  float* dx;
  // The weights' gradient, [in-blocks, 16, out-blocks, 16], is added to.
  float* d_weights;
  // What came through the ReLU, and its products with x - mean, [in-blocks, 16] each, are added to.
  double *sums, *products;
};

// The floats of scratch that `add_gradient` needs.
LYCEUM_INLINE constexpr int64_t gradient_scratch_size(int64_t blocks) {
  return (kTile + 2 * blocks) * 16;
}

// Windows that lie beside each other and are averaged: `high` by `wide` of them, each of `height`
// by `width` pixels.
struct Windows {
  int64_t high, wide, height, width;
};

struct Kernels {
  // `weights` are [in-blocks, 16, out-blocks, 16], `bias` [out-blocks, 16]; without it there is no
  // ReLU after either.
  void (*convolve)(const Input& in, const float* weights, const float* bias, float* scratch,
                   const Output& out);

  // x's gradient follows from the scale alone here: what mean and variance, which depend on x, add
  // to it is for the caller, who knows the sums of the whole batch.
  void (*add_gradient)(const Input& in, const Gradient& gradient, float* scratch);

  // y, [blocks, windows, 16], are the averages of relu(x · scale + shift).
  void (*average)(const Input& in, const Windows& windows, float* y);

  // dx, as far as it follows from the scale alone, is written, not added to; sums and products are
  // as in Gradient.
  void (*average_gradient)(const Input& in, const Windows& windows, const float* dy,
                           const float* mean, float* dx, double* sums, double* products);

  // dx = d - (x - mean) · along - level, of a block of sixteen channels.
  void (*add_statistics)(const float* d, const float* x, const float* mean, const float* along,
                         const float* level, int64_t pixels, float* dx);
};

}  // namespace lyceum::pointwise
