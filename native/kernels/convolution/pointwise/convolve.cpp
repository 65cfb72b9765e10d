#include <immintrin.h>

#include "kernels/convolution/pointwise/kernels.h"
#include "kernels/vector.h"

namespace lyceum::pointwise {
namespace {

// A few pixels of Q out-blocks, all of it in registers.
template <bool kFinish, int Q>
void multiply(const Input& in, const float* a, const float* weights, const float* bias, int64_t out_channels, float* y,
              int64_t block_stride) {
  __m512 sums[kPixels][Q];
#pragma GCC unroll 8
  for (int r = 0; r < kPixels; r++) {
#pragma GCC unroll 3
    for (int q = 0; q < Q; q++) sums[r][q] = kFinish ? _mm512_loadu_ps(bias + q * kLanes) : _mm512_setzero_ps();
  }
  for (int64_t block = 0; block < in.blocks; block++, a += kPixels * kLanes, weights += kLanes * out_channels) {
    for (int64_t c = 0; c < in.lanes[block]; c++) {
      __m512 by[Q];
#pragma GCC unroll 3
      for (int q = 0; q < Q; q++) by[q] = _mm512_loadu_ps(weights + c * out_channels + q * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < kPixels; r++) {
        const __m512 value = _mm512_set1_ps(a[r * kLanes + c]);
#pragma GCC unroll 3
        for (int q = 0; q < Q; q++) sums[r][q] = _mm512_fmadd_ps(value, by[q], sums[r][q]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kPixels; r++) {
#pragma GCC unroll 3
    for (int q = 0; q < Q; q++) {
      const Vector sum = reinterpret_cast<Vector>(sums[r][q]);
      store(y + q * block_stride + r * kLanes, kFinish ? relu(sum) : sum);
    }
  }
}

template <bool kFinish>
void convolve_all(const Input& in, const float* weights, const float* bias, float* scratch, const Output& out) {
  const int64_t out_channels = out.blocks * kLanes;
  for (int64_t first = 0; first < in.pixels; first += kPixels) {
    // The last few reach back: what is computed twice is the same.
    const int64_t pixel = first + kPixels <= in.pixels ? first : in.pixels - kPixels;
    for (int64_t block = 0; block < in.blocks; block++) {
      const Vector scale = load(in.scale + block * kLanes), shift = load(in.shift + block * kLanes);
      const float* from = in.x + block * in.block_stride + pixel * kLanes;
      float* to = scratch + block * kPixels * kLanes;
#pragma GCC unroll 8
      for (int r = 0; r < kPixels; r++) store(to + r * kLanes, relu(load(from + r * kLanes) * scale + shift));
    }
    for (int64_t k = 0; k < out.blocks;) {
      const float *w = weights + k * kLanes, *b = kFinish ? bias + k * kLanes : nullptr;
      float* y = out.y + k * out.block_stride + pixel * kLanes;
      const int64_t left = out.blocks - k;
      if (left >= 3) {
        multiply<kFinish, 3>(in, scratch, w, b, out_channels, y, out.block_stride);
        k += 3;
      } else if (left == 2) {
        multiply<kFinish, 2>(in, scratch, w, b, out_channels, y, out.block_stride);
        k += 2;
      } else {
        multiply<kFinish, 1>(in, scratch, w, b, out_channels, y, out.block_stride);
        k += 1;
      }
    }
  }
}

}  // namespace

void convolve(const Input& in, const float* weights, const float* bias, float* scratch, const Output& out) {
  (bias ? convolve_all<true> : convolve_all<false>)(in, weights, bias, scratch, out);
}

}  // namespace lyceum::pointwise
