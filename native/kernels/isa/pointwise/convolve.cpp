#include "kernels/isa/pointwise/kernels.h"
#include "kernels/isa/register.h"

namespace lyceum::pointwise::LYCEUM_ISA {
namespace {

using namespace lyceum::LYCEUM_ISA;

// R pixels of Q registers of out-channels, all of it in registers. `a` is [in-blocks, kPixels, 16].
template <bool kFinish, int R, int Q>
void multiply(const Input& in, const float* a, const float* weights, const float* bias,
              int64_t out_channels, float* y, int64_t block_stride) {
  Register sums[R][Q];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 3
    for (int q = 0; q < Q; q++) sums[r][q] = kFinish ? read(bias + q * kRegister) : Register{};
  }
  for (int64_t block = 0; block < in.blocks;
       block++, a += kPixels * kLanes, weights += kLanes * out_channels) {
    for (int64_t c = 0; c < in.lanes[block]; c++) {
      Register by[Q];
#pragma GCC unroll 3
      for (int q = 0; q < Q; q++) by[q] = read(weights + c * out_channels + q * kRegister);
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) {
        const Register value = splat(a[r * kLanes + c]);
#pragma GCC unroll 3
        for (int q = 0; q < Q; q++) sums[r][q] = multiply_add(value, by[q], sums[r][q]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 3
    for (int q = 0; q < Q; q++) {
      write(y + register_at(q, block_stride) + r * kLanes,
            kFinish ? rectified(sums[r][q]) : sums[r][q]);
    }
  }
}

// A few pixels of some blocks of out-channels, `left` or fewer; returns how many.
template <bool kFinish>
int64_t multiply_blocks(const Input& in, const float* a, const float* weights, const float* bias,
                        int64_t out_channels, float* y, int64_t block_stride, int64_t left) {
  if constexpr (kRegister < kLanes) {
    for (int64_t r = 0; r < kPixels; r += 4) {
      multiply<kFinish, 4, 2>(in, a + r * kLanes, weights, bias, out_channels, y + r * kLanes,
                              block_stride);
    }
    return 1;
  }
  if (left >= 3) {
    multiply<kFinish, kPixels, 3>(in, a, weights, bias, out_channels, y, block_stride);
    return 3;
  }
  if (left == 2) {
    multiply<kFinish, kPixels, 2>(in, a, weights, bias, out_channels, y, block_stride);
    return 2;
  }
  multiply<kFinish, kPixels, 1>(in, a, weights, bias, out_channels, y, block_stride);
  return 1;
}

template <bool kFinish>
void convolve_all(const Input& in, const float* weights, const float* bias, float* scratch,
                  const Output& out) {
  const int64_t out_channels = out.blocks * kLanes;
  for (int64_t first = 0; first < in.pixels; first += kPixels) {
    // The last few reach back: what is computed twice is the same.
    const int64_t pixel = first + kPixels <= in.pixels ? first : in.pixels - kPixels;
    for (int64_t block = 0; block < in.blocks; block++) {
      const Vector scale = load(in.scale + block * kLanes), shift = load(in.shift + block * kLanes);
      const float* from = in.x + block * in.block_stride + pixel * kLanes;
      float* to = scratch + block * kPixels * kLanes;
#pragma GCC unroll 8
      for (int r = 0; r < kPixels; r++) {
        store(to + r * kLanes, relu(load(from + r * kLanes) * scale + shift));
      }
    }
    for (int64_t k = 0; k < out.blocks;) {
      const float *w = weights + k * kLanes, *b = kFinish ? bias + k * kLanes : nullptr;
      float* y = out.y + k * out.block_stride + pixel * kLanes;
      k += multiply_blocks<kFinish>(in, scratch, w, b, out_channels, y, out.block_stride,
                                    out.blocks - k);
    }
  }
}

}  // namespace

void convolve(const Input& in, const float* weights, const float* bias, float* scratch,
              const Output& out) {
  (bias ? convolve_all<true> : convolve_all<false>)(in, weights, bias, scratch, out);
}

}  // namespace lyceum::pointwise::LYCEUM_ISA
