#include "kernels/isa/pointwise/kernels.h"
#include "kernels/isa/register.h"

namespace lyceum::pointwise::LYCEUM_ISA {
namespace {

using namespace lyceum::LYCEUM_ISA;

// d_weights[c][q] += Σ_p a[p][c] · dy[q][p], for R in-channels of a block and Q registers of
// out-channels, all of it in registers.
template <int R, int Q>
void accumulate(const float* a, const float* dy, int64_t block_stride, int64_t pixels,
                int64_t out_channels, float* d_weights) {
  Register totals[R][Q];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 3
    for (int q = 0; q < Q; q++) totals[r][q] = read(d_weights + r * out_channels + q * kRegister);
  }
#pragma GCC unroll 2
  for (int64_t p = 0; p < pixels; p++, a += kLanes, dy += kLanes) {
    Register gradients[Q];
#pragma GCC unroll 3
    for (int q = 0; q < Q; q++) gradients[q] = read(dy + register_at(q, block_stride));
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      const Register value = splat(a[r]);
#pragma GCC unroll 3
      for (int q = 0; q < Q; q++) totals[r][q] = multiply_add(value, gradients[q], totals[r][q]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 3
    for (int q = 0; q < Q; q++) write(d_weights + r * out_channels + q * kRegister, totals[r][q]);
  }
}

// The same for a block of in-channels, of which `lanes` are used.
template <int Q>
void accumulate_block(const float* a, int64_t lanes, const float* dy, int64_t block_stride,
                      int64_t pixels, int64_t out_channels, float* d_weights) {
  if constexpr (kRegister < kLanes) {
    // All lanes: what the unused ones sum is nobody's.
    for (int64_t c = 0; c < lanes; c += 4) {
      accumulate<4, Q>(a + c, dy, block_stride, pixels, out_channels, d_weights + c * out_channels);
    }
  } else if (lanes > 12) {
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
    for (int64_t p = 0; p < pixels; p++) {
      store(a + p * kLanes, relu(load(from + p * kLanes) * scale + shift));
    }
    for (int64_t k = 0; k < g.out_blocks;) {
      const float* dy = g.dy + k * g.block_stride + first * kLanes;
      float* to = g.d_weights + block * kLanes * out_channels + k * kLanes;
      const int64_t left = g.out_blocks - k;
      if constexpr (kRegister < kLanes) {
        accumulate_block<2>(a, in.lanes[block], dy, g.block_stride, pixels, out_channels, to);
        k += 1;
      } else if (left >= 3) {
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

// x's gradient of R pixels, of which so many are there, and of Q registers of in-channels from
// `block` on: all of it in registers. `sums` and `products` are [blocks, 16] each.
template <int R, int Q>
void add_input(const Input& in, const Gradient& g, int64_t block, int64_t first, int64_t pixels,
               float* sums, float* products) {
  Register found[R][Q];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 3
    for (int q = 0; q < Q; q++) found[r][q] = Register{};
  }
  const int64_t in_channels = in.blocks * kLanes;
  const float* weights = g.weights + block * kLanes;
  for (int64_t out = 0; out < g.out_blocks; out++) {
    const float* dy = g.dy + out * g.block_stride + first * kLanes;
#pragma GCC unroll 2
    for (int64_t k = 0; k < kLanes; k++, weights += in_channels) {
      Register by[Q];
#pragma GCC unroll 3
      for (int q = 0; q < Q; q++) by[q] = read(weights + q * kRegister);
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) {
        const Register value = splat(dy[r * kLanes + k]);
#pragma GCC unroll 3
        for (int q = 0; q < Q; q++) found[r][q] = multiply_add(value, by[q], found[r][q]);
      }
    }
  }
#pragma GCC unroll 3
  for (int q = 0; q < Q; q++) {
    const int64_t channel = block * kLanes + q * kRegister;
    const int64_t at = block * in.block_stride + register_at(q, in.block_stride) + first * kLanes;
    const Register scale = read(in.scale + channel), shift = read(in.shift + channel),
                   mean = read(g.mean + channel);
    Register sum = read(sums + channel), product = read(products + channel);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      if (r >= pixels) continue;
      const Register x = read(in.x + at + r * kLanes);
      // NaN passes, as in ATen.
      const Register passed = x * scale + shift <= 0.0f ? Register{} : found[r][q];
      sum += passed;
      product += passed * (x - mean);
      float* dx = g.dx + at + r * kLanes;
      write(dx, read(dx) + scale * passed);
    }
    write(sums + channel, sum);
    write(products + channel, product);
  }
}

// The same for kPixels pixels and some blocks of in-channels, `left` or fewer; returns how many
// blocks.
int64_t add_input_blocks(const Input& in, const Gradient& g, int64_t block, int64_t first,
                         int64_t pixels, float* sums, float* products, int64_t left) {
  if constexpr (kRegister < kLanes) {
    for (int64_t r = 0; r < kPixels && r < pixels; r += 4) {
      add_input<4, 2>(in, g, block, first + r, pixels - r, sums, products);
    }
    return 1;
  }
  // Two and two instead of three and one.
  if (left >= 3 && left != 4) {
    add_input<kPixels, 3>(in, g, block, first, pixels, sums, products);
    return 3;
  }
  if (left >= 2) {
    add_input<kPixels, 2>(in, g, block, first, pixels, sums, products);
    return 2;
  }
  add_input<kPixels, 1>(in, g, block, first, pixels, sums, products);
  return 1;
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
        block += add_input_blocks(in, g, block, first + p, pixels - p, sums, products,
                                  in.blocks - block);
      }
    }
    // Floats sum a tile, doubles the tiles.
    for (int64_t i = 0; i < in.blocks * kLanes; i++) {
      g.sums[i] += double(sums[i]);
      g.products[i] += double(products[i]);
    }
  }
}

void add_statistics(const float* d, const float* x, const float* mean_of, const float* along_of,
                    const float* level_of, int64_t pixels, float* dx) {
  const Vector mean = load(mean_of), along = load(along_of), level = load(level_of);
  for (int64_t p = 0; p < pixels; p++, d += kLanes, x += kLanes, dx += kLanes) {
    store(dx, load(d) - (load(x) - mean) * along - level);
  }
}

}  // namespace lyceum::pointwise::LYCEUM_ISA
