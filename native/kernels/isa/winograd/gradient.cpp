#include "kernels/isa/winograd/tiles.h"

namespace lyceum::winograd::LYCEUM_ISA {
namespace {

using Group = GradientGroup;

// sums[c][q] += Σ_t v[t][c] · w[q][t], for R in-channels of a block and Q registers of
// out-channels. A line is prefetched with every second tile: more often does not pay.
template <bool kPrefetch, int R, int Q>
LYCEUM_INLINE void accumulate(const float* v, const float* w, int64_t count, int64_t out_channels,
                              float* sums, Prefetch& prefetch) {
  Register totals[R][Q];
#pragma GCC unroll 16
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
    for (int q = 0; q < Q; q++) totals[r][q] = read(sums + r * out_channels + q * kRegister);
  }
  Prefetch::Lines lines{};
  if constexpr (kPrefetch) lines = prefetch.take((count + 1) / 2);
#pragma GCC unroll 4
  for (int64_t t = 0; t < count; t++, v += kLanes, w += kLanes) {
    if constexpr (kPrefetch) {
      if (t % 2 == 0) lines.fetch();
    }
    Register gradients[Q];
#pragma GCC unroll 4
    for (int q = 0; q < Q; q++) gradients[q] = read(w + register_at(q, Group::block));
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
      const Register value = splat(v[r]);
#pragma GCC unroll 4
      for (int q = 0; q < Q; q++) totals[r][q] = multiply_add(value, gradients[q], totals[r][q]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
    for (int q = 0; q < Q; q++) write(sums + r * out_channels + q * kRegister, totals[r][q]);
  }
}

template <bool kPrefetch, int R, int Q>
LYCEUM_INLINE void accumulate_all(const float* v, const float* w, int64_t count, int64_t channels,
                                  int64_t out_channels, float* sums, Prefetch& prefetch) {
  for (int64_t c = 0; c < channels; c += R) {
    accumulate<kPrefetch, R, Q>(v + c / kLanes * Group::block + c % kLanes, w, count, out_channels,
                                sums + c * out_channels, prefetch);
  }
}

template <bool kPrefetch>
void accumulate_frequency(const float* v, const float* w, int64_t count, int64_t channels,
                          int64_t out_channels, float* sums, Prefetch& prefetch) {
  for (int64_t k = 0; k < out_channels;) {
    const int64_t left = (out_channels - k) / kLanes;
    const float* from = w + k / kLanes * Group::block;
    if constexpr (kRegister < kLanes) {
      accumulate_all<kPrefetch, 4, 2>(v, from, count, channels, out_channels, sums + k, prefetch);
      k += kLanes;
    } else if (left >= 2) {
      accumulate_all<kPrefetch, 8, 2>(v, from, count, channels, out_channels, sums + k, prefetch);
      k += 2 * kLanes;
    } else {
      accumulate_all<kPrefetch, 16, 1>(v, from, count, channels, out_channels, sums + k, prefetch);
      k += kLanes;
    }
  }
}

}  // namespace

void sum_weights(const Shape& shape, const float* x, const float* dy, int64_t begin, int64_t end,
                 float* scratch, float* sums, Prefetch prefetch) {
  const int64_t channels = shape.in_channels, out_channels = shape.out_channels;
  const int64_t plane = shape.height * shape.width * kLanes;
  float* v = scratch;
  float* w = scratch + channels / kLanes * Group::block;
  const auto accumulate = prefetch.any() ? accumulate_frequency<true> : accumulate_frequency<false>;
  Walk in(shape, begin, channels), out(shape, begin, out_channels);
  Tile tiles[Group::tiles];
  for (int64_t first = begin; first < end; first += Group::tiles) {
    const int64_t count = next_tiles<Group>(in, end - first, tiles);
    for (int64_t block = 0; block < channels / kLanes; block++) {
      read_input_block<Group>(x + block * plane, tiles, count, v + block * Group::block);
    }
    if (channels != out_channels) next_tiles<Group>(out, end - first, tiles);
    for (int64_t block = 0; block < out_channels / kLanes; block++) {
      read_gradient_block<Group>(dy + block * plane, tiles, count, w + block * Group::block);
    }
    for (int64_t f = 0; f < kFrequencies; f++) {
      accumulate(v + f * Group::frequency, w + f * Group::frequency, count, channels, out_channels,
                 sums + f * channels * out_channels, prefetch);
    }
  }
}

void unpack(const Shape& shape, const float* sums, int64_t parts, int64_t begin, int64_t end,
            float* d_weight, int64_t out_stride, int64_t in_stride, int64_t row_stride,
            int64_t column_stride) {
  const int64_t size = shape.in_channels * shape.out_channels;
  for (int64_t c = begin; c < end; c++) {
    for (int64_t k = 0; k < shape.out_channels; k += kRegister) {
      const float* from = sums + c * shape.out_channels + k;
      Register lines[3][6];
      for (int j = 0; j < 6; j++) {
        Register u[6];
        for (int i = 0; i < 6; i++) {
          u[i] = read(from + (6 * i + j) * size);
          for (int64_t part = 1; part < parts; part++) {
            u[i] += read(from + (part * kFrequencies + 6 * i + j) * size);
          }
        }
        Register line[3];
        weight_gradient_line(u[0], u[1], u[2], u[3], u[4], u[5], line);
        for (int i = 0; i < 3; i++) lines[i][j] = line[i];
      }
      for (int i = 0; i < 3; i++) {
        Register line[3];
        weight_gradient_line(lines[i][0], lines[i][1], lines[i][2], lines[i][3], lines[i][4],
                             lines[i][5], line);
        float* to = d_weight + k * out_stride + c * in_stride + i * row_stride;
        for (int j = 0; j < 3; j++) {
          for (int64_t lane = 0; lane < kRegister; lane++) {
            to[lane * out_stride + j * column_stride] = line[j][lane];
          }
        }
      }
    }
  }
}

}  // namespace lyceum::winograd::LYCEUM_ISA
