// The two passes of a resize of bytes: sums of pixels along a row, and sums of rows. Weights are
// whole numbers of 22 bits behind the point, so that every instruction set gives the same bytes.
#pragma once

#include <cstdint>

namespace lyceum::resample {

constexpr int kPrecision = 22;

// Two neighbouring pixels' weights; each is 256 · upper + lower.
struct PairOfWeights {
  int16_t upper[2], lower[2];
};

// The pixels whose weights stand together.
constexpr int64_t kGroup = 8;

// The weights of the pixels of a row that the pass makes. Those of pixel x are `pairs[x]` pairs,
// for the pixels of the input from `starts[x]` on. They stand in groups of kGroup pixels: pair 0 of
// each of them, then pair 1, and so on to `most_pairs`, with zeros where a pixel has fewer.
struct RowWeights {
  const int32_t* starts;
  const int32_t* pairs;
  const PairOfWeights* weights;
  // A multiple of kGroup.
  int64_t count;
  int64_t most_pairs;
  // The most pixels of the input, from the first to the last, that the pixels of a group are made
  // of, pixels with weights of zero included.
  int64_t widest;
};

// The bytes behind a row's last pixel that `across` may read, without making use of them.
constexpr int64_t kReadBeyond = 128;

struct Kernels {
  // Resizes two rows of pixels of four bytes, red, green, blue and one that is dropped, to three
  // planes each, `plane` bytes apart.
  void (*across)(const RowWeights& weights, const uint8_t* const from[2], uint8_t* const to[2],
                 int64_t plane);
  // Sums 2 · `pairs` rows of `count` bytes, each multiplied by its weight.
  void (*down)(const uint8_t* const* rows, const PairOfWeights* weights, int64_t pairs,
               int64_t count, uint8_t* to);
};

}  // namespace lyceum::resample
