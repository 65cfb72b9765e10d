#include "kernels/isa/winograd/tiles.h"

namespace lyceum::winograd::LYCEUM_ISA {
namespace {

using Group = ConvolutionGroup;

// m[q][r] = Σ_c v[c][r] · u[c][q], for F frequencies, R tiles and Q registers of out-channels, all
// of it in registers. A line is prefetched with each channel: more often does not pay.
template <bool kPrefetch, int F, int R, int Q>
LYCEUM_INLINE void multiply(const float* v, const float* u, int64_t channels, int64_t out_channels,
                            float* m, Prefetch& prefetch) {
  Register sums[F][R][Q];
#pragma GCC unroll 2
  for (int f = 0; f < F; f++) {
#pragma GCC unroll 12
    for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
      for (int q = 0; q < Q; q++) sums[f][r][q] = Register{};
    }
  }
  const int64_t size = channels * out_channels;
  Prefetch::Lines lines{};
  if constexpr (kPrefetch) lines = prefetch.take(channels);
  for (int64_t block = 0; block < channels; block += kLanes, v += Group::block) {
#pragma GCC unroll 2
    for (int64_t c = 0; c < kLanes; c++, u += out_channels) {
      if constexpr (kPrefetch) lines.fetch();
#pragma GCC unroll 2
      for (int f = 0; f < F; f++) {
        Register weights[Q];
#pragma GCC unroll 4
        for (int q = 0; q < Q; q++) weights[q] = read(u + f * size + q * kRegister);
#pragma GCC unroll 12
        for (int r = 0; r < R; r++) {
          const Register value = splat(v[f * Group::frequency + r * kLanes + c]);
#pragma GCC unroll 4
          for (int q = 0; q < Q; q++) {
            sums[f][r][q] = multiply_add(value, weights[q], sums[f][r][q]);
          }
        }
      }
    }
  }
#pragma GCC unroll 2
  for (int f = 0; f < F; f++) {
#pragma GCC unroll 12
    for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
      for (int q = 0; q < Q; q++) {
        write(m + register_at(q, Group::block) + f * Group::frequency + r * kLanes, sums[f][r][q]);
      }
    }
  }
}

// F frequencies of a group of `count` tiles; a few more tiles than that may be multiplied, and
// their results be anything.
template <bool kPrefetch, int F, int R, int Q>
LYCEUM_INLINE void multiply_tiles(const float* v, const float* u, int64_t count, int64_t channels,
                                  int64_t out_channels, float* m, Prefetch& prefetch) {
  static_assert(Group::tiles % R == 0 && kFrequencies % F == 0);
  for (int64_t t = 0; t < count; t += R) {
    multiply<kPrefetch, F, R, Q>(v + t * kLanes, u, channels, out_channels, m + t * kLanes,
                                 prefetch);
  }
}

constexpr int64_t kFrequenciesAtOnce = 2;
// The number of blocks of sixteen out-channels whose sums the registers hold, for six tiles or
// more.
constexpr int64_t kBlocksAtOnce = kRegister < kLanes ? 1 : 4;

// All out-channels of a few frequencies.
template <bool kPrefetch>
LYCEUM_INLINE void multiply_frequencies(const float* v, const float* u, int64_t count,
                                        int64_t channels, int64_t out_channels, float* m,
                                        Prefetch& prefetch) {
  const int64_t size = channels * out_channels;
  for (int64_t k = 0; k < out_channels;) {
    const int64_t left = (out_channels - k) / kLanes;
    float* out = m + k / kLanes * Group::block;
    if constexpr (kRegister < kLanes) {
      for (int64_t f = 0; f < kFrequenciesAtOnce; f++) {
        const float *from = v + f * Group::frequency, *by = u + f * size + k;
        float* to = out + f * Group::frequency;
        multiply_tiles<kPrefetch, 1, 6, kLanes / kRegister>(from, by, count, channels, out_channels,
                                                            to, prefetch);
      }
      k += kLanes;
      continue;
    }
    if (left == 1) {
      multiply_tiles<kPrefetch, kFrequenciesAtOnce, 12, 1>(v, u + k, count, channels, out_channels,
                                                           out, prefetch);
      k += kLanes;
      continue;
    }
    const int64_t blocks = left < kBlocksAtOnce ? left : kBlocksAtOnce;
    for (int64_t f = 0; f < kFrequenciesAtOnce; f++) {
      const float *from = v + f * Group::frequency, *by = u + f * size + k;
      float* to = out + f * Group::frequency;
      if (blocks == kBlocksAtOnce) {
        multiply_tiles<kPrefetch, 1, 6, kBlocksAtOnce>(from, by, count, channels, out_channels, to,
                                                       prefetch);
      } else if (blocks == 3) {
        multiply_tiles<kPrefetch, 1, 6, 3>(from, by, count, channels, out_channels, to, prefetch);
      } else {
        multiply_tiles<kPrefetch, 1, 12, 2>(from, by, count, channels, out_channels, to, prefetch);
      }
    }
    k += blocks * kLanes;
  }
}

// What happens to a result, decided once for all of them.
template <bool kBias, bool kSum, bool kRelu>
struct Finish {
  Register bias;

  LYCEUM_INLINE void operator()(Register value, float* to) const {
    if constexpr (kBias) value += bias;
    if constexpr (kSum) value += read(to);
    if constexpr (kRelu) value = rectified(value);
    write(to, value);
  }
};

// A register of channels of a tile from its frequencies to the pixels that are inside.
template <class Finish>
LYCEUM_INLINE void write_tile(const float* m, const Tile& tile, const Finish& finish, float* y) {
  constexpr int64_t stride = Group::frequency;
  Register lines[4][6];
#pragma GCC unroll 6
  for (int j = 0; j < 6; j++) {
    Register line[4];
    output_line(read(m + j * stride), read(m + (6 + j) * stride), read(m + (12 + j) * stride),
                read(m + (18 + j) * stride), read(m + (24 + j) * stride),
                read(m + (30 + j) * stride), line);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) lines[i][j] = line[i];
  }
  const bool whole = tile.rows >= 4 && tile.columns >= 4;
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    Register line[4];
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
void write_block(const float* m, const Tile* tiles, int64_t count, const float* bias, float* y) {
  for (int64_t lane = 0; lane < kLanes; lane += kRegister) {
    Finish<kBias, kSum, kRelu> finish{};
    if constexpr (kBias) finish.bias = read(bias + lane);
    for (int64_t t = 0; t < count; t++) {
      write_tile(m + t * kLanes + lane, tiles[t], finish, y + lane);
    }
  }
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

void convolve(const Shape& shape, const float* x, const float* packed, const After& after,
              int64_t begin, int64_t end, float* scratch, float* y, Prefetch prefetch) {
  const int64_t channels = shape.in_channels, out_channels = shape.out_channels;
  float* v = scratch;
  // Where all out-channels of a few tiles are multiplied at once, products may lie where the
  // frequencies were: half the memory, which then stays in the first-level cache.
  const bool in_place = channels == out_channels && channels <= kBlocksAtOnce * kLanes;
  float* m = in_place ? v : v + channels / kLanes * Group::block;
  const int64_t plane = shape.height * shape.width * kLanes;
  const WriteBlock write = write_block_for(after);
  const bool fetch = prefetch.any();
  Walk in(shape, begin, channels), out(shape, begin, out_channels);
  Tile tiles[Group::tiles];
  for (int64_t first = begin; first < end; first += Group::tiles) {
    const int64_t count = next_tiles<Group>(in, end - first, tiles);
    for (int64_t block = 0; block < channels / kLanes; block++) {
      read_input_block<Group>(x + block * plane, tiles, count, v + block * Group::block);
    }
    for (int64_t f = 0; f < kFrequencies; f += kFrequenciesAtOnce) {
      const float *from = v + f * Group::frequency, *by = packed + f * channels * out_channels;
      float* to = m + f * Group::frequency;
      if (fetch) {
        multiply_frequencies<true>(from, by, count, channels, out_channels, to, prefetch);
      } else {
        multiply_frequencies<false>(from, by, count, channels, out_channels, to, prefetch);
      }
    }
    if (channels != out_channels) next_tiles<Group>(out, end - first, tiles);
    for (int64_t block = 0; block < out_channels / kLanes; block++) {
      write(m + block * Group::block, tiles, count,
            after.bias ? after.bias + block * kLanes : nullptr, y + block * plane);
    }
  }
}

}  // namespace lyceum::winograd::LYCEUM_ISA
