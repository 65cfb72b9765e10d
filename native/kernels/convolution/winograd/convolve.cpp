#include <immintrin.h>

#include "kernels/convolution/winograd/tiles.h"

namespace lyceum::winograd {
namespace {

// m[q][r] = Σ_c v[c][r] · u[c][q], for R tiles and Q blocks of sixteen out-channels, all of it in registers.
template <int R, int Q>
LYCEUM_INLINE void multiply(const float* v, const float* u, int64_t channels, int64_t out_channels, float* m) {
  __m512 sums[R][Q];
#pragma GCC unroll 24
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
    for (int q = 0; q < Q; q++) sums[r][q] = _mm512_setzero_ps();
  }
  for (int64_t block = 0; block < channels; block += kLanes, v += kGroup * kLanes) {
    for (int64_t c = 0; c < kLanes; c++, u += out_channels) {
      __m512 weights[Q];
#pragma GCC unroll 4
      for (int q = 0; q < Q; q++) weights[q] = _mm512_loadu_ps(u + q * kLanes);
#pragma GCC unroll 24
      for (int r = 0; r < R; r++) {
        const __m512 value = _mm512_set1_ps(v[r * kLanes + c]);
#pragma GCC unroll 4
        for (int q = 0; q < Q; q++) sums[r][q] = _mm512_fmadd_ps(value, weights[q], sums[r][q]);
      }
    }
  }
#pragma GCC unroll 24
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
    for (int q = 0; q < Q; q++) _mm512_storeu_ps(m + (q * kGroup + r) * kLanes, sums[r][q]);
  }
}

template <int R, int Q>
LYCEUM_INLINE void multiply_group(const float* v, const float* u, int64_t channels, int64_t out_channels, float* m) {
  static_assert(kGroup % R == 0);
  for (int64_t t = 0; t < kGroup; t += R) {
    multiply<R, Q>(v + t * kLanes, u, channels, out_channels, m + t * kLanes);
  }
}

// All out-channels of one frequency.
void multiply_frequency(const float* v, const float* u, int64_t channels, int64_t out_channels, float* m) {
  for (int64_t k = 0; k < out_channels;) {
    const int64_t left = (out_channels - k) / kLanes;
    float* out = m + k * kGroup;
    if (left >= 4) {
      multiply_group<6, 4>(v, u + k, channels, out_channels, out);
      k += 4 * kLanes;
    } else if (left == 3) {
      multiply_group<8, 3>(v, u + k, channels, out_channels, out);
      k += 3 * kLanes;
    } else if (left == 2) {
      multiply_group<12, 2>(v, u + k, channels, out_channels, out);
      k += 2 * kLanes;
    } else {
      multiply_group<24, 1>(v, u + k, channels, out_channels, out);
      k += kLanes;
    }
  }
}

// What happens to a result, decided once for all of them.
template <bool kBias, bool kSum, bool kRelu>
struct Finish {
  Vector bias;

  LYCEUM_INLINE void operator()(Vector value, float* to) const {
    if constexpr (kBias) value += bias;
    if constexpr (kSum) value += load(to);
    if constexpr (kRelu) value = relu(value);
    store(to, value);
  }
};

// Sixteen channels of a tile from its frequencies, `stride` floats apart, to the pixels that are inside.
template <class Finish>
LYCEUM_INLINE void write_tile(const float* m, int64_t stride, const Tile& tile, const Finish& finish, float* y) {
  Vector lines[4][6];
#pragma GCC unroll 6
  for (int j = 0; j < 6; j++) {
    Vector line[4];
    output_line(load(m + j * stride), load(m + (6 + j) * stride), load(m + (12 + j) * stride),
                load(m + (18 + j) * stride), load(m + (24 + j) * stride), load(m + (30 + j) * stride), line);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) lines[i][j] = line[i];
  }
  const bool whole = tile.rows >= 4 && tile.columns >= 4;
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    Vector line[4];
    output_line(lines[i][0], lines[i][1], lines[i][2], lines[i][3], lines[i][4], lines[i][5], line);
    float* to = y + tile.offset + i * tile.row_stride;
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      if (whole || (i < tile.rows && j < tile.columns)) finish(line[j], to + j * kLanes);
    }
  }
}

// Sixteen out-channels of a group of tiles.
template <bool kBias, bool kSum, bool kRelu>
void write_block(const float* m, int64_t stride, const Tile* tiles, int64_t count, const float* bias, float* y) {
  Finish<kBias, kSum, kRelu> finish{};
  if constexpr (kBias) finish.bias = load(bias);
  for (int64_t t = 0; t < count; t++) write_tile(m + t * kLanes, stride, tiles[t], finish, y);
}

using WriteBlock = decltype(&write_block<false, false, false>);

WriteBlock write_block_for(const After& after) {
  static constexpr WriteBlock all[2][2][2] = {
      {{write_block<false, false, false>, write_block<false, false, true>},
       {write_block<false, true, false>, write_block<false, true, true>}},
      {{write_block<true, false, false>, write_block<true, false, true>},
       {write_block<true, true, false>, write_block<true, true, true>}}};
  return all[after.bias != nullptr][after.sum][after.relu];
}

}  // namespace

void convolve(const Shape& shape, const float* x, const float* packed, const After& after, int64_t begin, int64_t end,
              float* scratch, float* y) {
  const int64_t channels = shape.in_channels, out_channels = shape.out_channels;
  const int64_t v_stride = frequency_stride(channels), m_stride = frequency_stride(out_channels);
  float* v = scratch;
  float* m = scratch + kFrequencies * v_stride;
  const int64_t plane = shape.height * shape.width * kLanes;
  const WriteBlock write = write_block_for(after);
  Tile tiles[kGroup];
  for (int64_t first = begin; first < end; first += kGroup) {
    const int64_t count = find_tiles(shape, first, end, kGroup, channels, tiles);
    for (int64_t block = 0; block < channels / kLanes; block++) {
      for (int64_t t = 0; t < count; t++) {
        read_input_tile(x + block * plane, tiles[t], v + (block * kGroup + t) * kLanes, v_stride);
      }
    }
    for (int64_t f = 0; f < kFrequencies; f++) {
      multiply_frequency(v + f * v_stride, packed + f * channels * out_channels, channels, out_channels,
                         m + f * m_stride);
    }
    if (channels != out_channels) find_tiles(shape, first, end, kGroup, out_channels, tiles);
    for (int64_t block = 0; block < out_channels / kLanes; block++) {
      write(m + block * kGroup * kLanes, m_stride, tiles, count, after.bias ? after.bias + block * kLanes : nullptr,
            y + block * plane);
    }
  }
}

}  // namespace lyceum::winograd
