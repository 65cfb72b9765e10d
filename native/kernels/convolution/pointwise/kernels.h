// 1x1 convolutions with what a frozen DenseNet has around them, for AVX-512: batch norm and ReLU before, bias and ReLU
// after. Activations in blocks of sixteen channels, float32, of which the last lanes of a block may be unused.
#pragma once

#include <cstdint>

namespace lyceum::pointwise {

// Pixels that are computed together; there must be as many.
constexpr int64_t kPixels = 8;

struct Input {
  // [blocks] of [pixels, 16], so many floats apart.
  const float* x;
  int64_t block_stride, blocks, pixels;
  // Used lanes of each block.
  const int64_t* lanes;
  // [blocks, 16] each: relu(x · scale + shift) is convolved.
  const float *scale, *shift;
};

struct Output {
  // [blocks] of [pixels, 16]. Must not share memory with x.
  float* y;
  int64_t block_stride, blocks;
};

// Floats of scratch that it needs.
constexpr int64_t scratch_size(int64_t blocks) { return blocks * kPixels * 16; }

// `weights` are [in-blocks, 16, out-blocks, 16], `bias` [out-blocks, 16].
void convolve(const Input& in, const float* weights, const float* bias, float* scratch, const Output& out);

}  // namespace lyceum::pointwise
