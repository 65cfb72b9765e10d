#include <immintrin.h>

#include "kernels/convolution/pointwise/kernels.h"
#include "kernels/vector.h"

namespace lyceum::pointwise {
namespace {

// d_weights[c][q] += Σ_p a[p][c] · dy[q][p], for R in-channels of a block and Q out-blocks, all of it in registers.
template <int R, int Q>
void accumulate(const float* a, const float* dy, int64_t block_stride, int64_t pixels, int64_t out_channels,
                float* d_weights) {
  __m512 totals[R][Q];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 3
    for (int q = 0; q < Q; q++) totals[r][q] = _mm512_loadu_ps(d_weights + r * out_channels + q * kLanes);
  }
#pragma GCC unroll 2
  for (int64_t p = 0; p < pixels; p++, a += kLanes, dy += kLanes) {
    __m512 gradients[Q];
#pragma GCC unroll 3
    for (int q = 0; q < Q; q++) gradients[q] = _mm512_loadu_ps(dy + q * block_stride);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      const __m512 value = _mm512_set1_ps(a[r]);
#pragma GCC unroll 3
      for (int q = 0; q < Q; q++) totals[r][q] = _mm512_fmadd_ps(value, gradients[q], totals[r][q]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 3
    for (int q = 0; q < Q; q++) _mm512_storeu_ps(d_weights + r * out_channels + q * kLanes, totals[r][q]);
  }
}

// Of a block of in-channels, of which `lanes` are used.
template <int Q>
void accumulate_block(const float* a, int64_t lanes, const float* dy, int64_t block_stride, int64_t pixels,
                      int64_t out_channels, float* d_weights) {
  if (lanes > 12) {
    accumulate<8, Q>(a, dy, block_stride, pixels, out_channels, d_weights);
    accumulate<8, Q>(a + 8, dy, block_stride, pixels, out_channels, d_weights + 8 * out_channels);
  } else {
    for (int64_t c = 0; c < lanes; c += 6) {
      accumulate<6, Q>(a + c, dy, block_stride, pixels, out_channels, d_weights + c * out_channels);
    }
  }
}

// The weights' gradient, of a tile of pixels.
void add_weights(const Input& in, const Gradient& g, int64_t first, int64_t pixels, float* a) {
  const int64_t out_channels = g.out_blocks * kLanes;
  for (int64_t block = 0; block < in.blocks; block++) {
    const Vector scale = load(in.scale + block * kLanes), shift = load(in.shift + block * kLanes);
    const float* from = in.x + block * in.block_stride + first * kLanes;
    for (int64_t p = 0; p < pixels; p++) store(a + p * kLanes, relu(load(from + p * kLanes) * scale + shift));
    for (int64_t k = 0; k < g.out_blocks;) {
      const float* dy = g.dy + k * g.block_stride + first * kLanes;
      float* to = g.d_weights + block * kLanes * out_channels + k * kLanes;
      const int64_t left = g.out_blocks - k;
      if (left >= 3) {
        accumulate_block<3>(a, in.lanes[block], dy, g.block_stride, pixels, out_channels, to);
        k += 3;
      } else if (left == 2) {
        accumulate_block<2>(a, in.lanes[block], dy, g.block_stride, pixels, out_channels, to);
        k += 2;
      } else {
        accumulate_block<1>(a, in.lanes[block], dy, g.block_stride, pixels, out_channels, to);
        k += 1;
      }
    }
  }
}

// x's gradient of a few pixels, of Q in-blocks from `block` on: all of it in registers. `sums` and `products` are [blocks, 16]
// each.
template <int Q>
void add_input(const Input& in, const Gradient& g, int64_t block, int64_t first, int64_t pixels, float* sums,
               float* products) {
  __m512 found[kPixels][Q];
#pragma GCC unroll 8
  for (int r = 0; r < kPixels; r++) {
#pragma GCC unroll 3
    for (int q = 0; q < Q; q++) found[r][q] = _mm512_setzero_ps();
  }
  const int64_t in_channels = in.blocks * kLanes;
  const float* weights = g.weights + block * kLanes;
  for (int64_t out = 0; out < g.out_blocks; out++) {
    const float* dy = g.dy + out * g.block_stride + first * kLanes;
#pragma GCC unroll 2
    for (int64_t k = 0; k < kLanes; k++, weights += in_channels) {
      __m512 by[Q];
#pragma GCC unroll 3
      for (int q = 0; q < Q; q++) by[q] = _mm512_loadu_ps(weights + q * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < kPixels; r++) {
        const __m512 value = _mm512_set1_ps(dy[r * kLanes + k]);
#pragma GCC unroll 3
        for (int q = 0; q < Q; q++) found[r][q] = _mm512_fmadd_ps(value, by[q], found[r][q]);
      }
    }
  }
#pragma GCC unroll 3
  for (int q = 0; q < Q; q++) {
    const int64_t channel = (block + q) * kLanes, at = (block + q) * in.block_stride + first * kLanes;
    const Vector scale = load(in.scale + channel), shift = load(in.shift + channel), mean = load(g.mean + channel);
    Vector sum = load(sums + channel), product = load(products + channel);
#pragma GCC unroll 8
    for (int r = 0; r < kPixels; r++) {
      if (r >= pixels) continue;
      const Vector x = load(in.x + at + r * kLanes);
      // What is no number passes, as in ATen.
      const Vector passed = x * scale + shift <= 0.0f ? Vector{} : reinterpret_cast<Vector>(found[r][q]);
      sum += passed;
      product += passed * (x - mean);
      float* dx = g.dx + at + r * kLanes;
      store(dx, load(dx) + scale * passed);
    }
    store(sums + channel, sum);
    store(products + channel, product);
  }
}

}  // namespace

void add_gradient(const Input& in, const Gradient& g, float* scratch) {
  float* a = scratch;
  float *sums = a + kTile * kLanes, *products = sums + in.blocks * kLanes;
  for (int64_t first = 0; first < in.pixels; first += kTile) {
    const int64_t pixels = in.pixels - first < kTile ? in.pixels - first : kTile;
    add_weights(in, g, first, pixels, a);
    for (int64_t i = 0; i < 2 * in.blocks * kLanes; i++) sums[i] = 0;
    for (int64_t p = 0; p < pixels; p += kPixels) {
      for (int64_t block = 0; block < in.blocks;) {
        const int64_t left = in.blocks - block;
        // Two and two instead of three and one.
        if (left >= 3 && left != 4) {
          add_input<3>(in, g, block, first + p, pixels - p, sums, products);
          block += 3;
        } else if (left >= 2) {
          add_input<2>(in, g, block, first + p, pixels - p, sums, products);
          block += 2;
        } else {
          add_input<1>(in, g, block, first + p, pixels - p, sums, products);
          block += 1;
        }
      }
    }
    // Floats sum a tile, doubles the tiles.
    for (int64_t i = 0; i < in.blocks * kLanes; i++) {
      g.sums[i] += double(sums[i]);
      g.products[i] += double(products[i]);
    }
  }
}

void add_statistics(const float* d, const float* x, const float* mean_of, const float* along_of, const float* level_of,
                    int64_t pixels, float* dx) {
  const Vector mean = load(mean_of), along = load(along_of), level = load(level_of);
  for (int64_t p = 0; p < pixels; p++, d += kLanes, x += kLanes, dx += kLanes) {
    store(dx, load(d) - (load(x) - mean) * along - level);
  }
}

}  // namespace lyceum::pointwise
