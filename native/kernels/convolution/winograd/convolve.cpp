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

// Sixteen channels of a tile from its frequencies, `stride` floats apart, written to the pixels that are inside.
void write_tile(const float* m, int64_t stride, const Tile& tile, const Vector& bias, const After& after, float* y) {
  Vector lines[4][6];
  for (int j = 0; j < 6; j++) {
    Vector line[4];
    output_line(load(m + j * stride), load(m + (6 + j) * stride), load(m + (12 + j) * stride),
                load(m + (18 + j) * stride), load(m + (24 + j) * stride), load(m + (30 + j) * stride), line);
    for (int i = 0; i < 4; i++) lines[i][j] = line[i];
  }
  const auto finish = [&](Vector value, float* to) {
    value += bias;
    if (after.sum) value += load(to);
    if (after.relu) value = relu(value);
    store(to, value);
  };
  for (int i = 0; i < 4 && i < tile.rows; i++) {
    Vector line[4];
    output_line(lines[i][0], lines[i][1], lines[i][2], lines[i][3], lines[i][4], lines[i][5], line);
    float* to = y + (tile.offset + i * tile.row_stride);
    if (tile.columns >= 4) {
      for (int j = 0; j < 4; j++) finish(line[j], to + j * kLanes);
    } else {
      for (int j = 0; j < tile.columns; j++) finish(line[j], to + j * kLanes);
    }
  }
}

int64_t stride_of(int64_t channels) { return kGroup * channels + kLanes; }

}  // namespace

int64_t scratch_size(const Shape& shape) {
  return kFrequencies * (stride_of(shape.in_channels) + stride_of(shape.out_channels));
}

void convolve(const Shape& shape, const float* x, const float* packed, const After& after, int64_t begin, int64_t end,
              float* scratch, float* y) {
  const int64_t channels = shape.in_channels, out_channels = shape.out_channels;
  const int64_t v_stride = stride_of(channels), m_stride = stride_of(out_channels);
  float* v = scratch;
  float* m = scratch + kFrequencies * v_stride;
  Tile tiles[kGroup];
  for (int64_t first = begin; first < end; first += kGroup) {
    const int64_t count = end - first < kGroup ? end - first : kGroup;
    for (int64_t t = 0; t < count; t++) {
      tiles[t] = tile_at(shape, first + t, channels);
      for (int64_t block = 0; block < channels / kLanes; block++) {
        read_input_tile(x + block * shape.height * shape.width * kLanes, tiles[t], v + (block * kGroup + t) * kLanes,
                        v_stride);
      }
    }
    for (int64_t f = 0; f < kFrequencies; f++) {
      multiply_frequency(v + f * v_stride, packed + f * channels * out_channels, channels, out_channels,
                         m + f * m_stride);
    }
    for (int64_t t = 0; t < count; t++) {
      const Tile tile = tile_at(shape, first + t, out_channels);
      for (int64_t block = 0; block < out_channels / kLanes; block++) {
        const Vector bias = after.bias ? load(after.bias + block * kLanes) : Vector{};
        write_tile(m + (block * kGroup + t) * kLanes, m_stride, tile, bias, after,
                   y + block * shape.height * shape.width * kLanes);
      }
    }
  }
}

}  // namespace lyceum::winograd
