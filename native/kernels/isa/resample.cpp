#include "kernels/isa/resample.h"

#include <cstring>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "kernels/isa/common.h"

namespace lyceum::resample::LYCEUM_ISA {
namespace {

constexpr int32_t kHalf = 1 << (kPrecision - 1);

LYCEUM_INLINE int32_t weight_of(const PairOfWeights& pair, int64_t i) {
  return 256 * pair.upper[i] + pair.lower[i];
}

// A sum of bytes by weights, rounded. Weights are not negative, and their sum may be a little above
// one.
LYCEUM_INLINE uint8_t to_byte(int32_t sum) {
  const int32_t value = sum >> kPrecision;
  return uint8_t(value > 255 ? 255 : value);
}

#ifdef __AVX2__

// Of two pixels of both rows, each channel's two bytes side by side as 16 bits; and of four pixels,
// each channel's four bytes.
LYCEUM_INLINE __m256i channels_of_two(__m256i pixels) {
  const __m256i order = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1));
  return _mm256_shuffle_epi8(pixels, order);
}
LYCEUM_INLINE __m256i channels_of_four(__m256i pixels) {
  const __m256i order = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  return _mm256_shuffle_epi8(pixels, order);
}

LYCEUM_INLINE __m256i weights_for_all(const int16_t (&pair)[2]) {
  int32_t both;
  std::memcpy(&both, pair, sizeof both);
  return _mm256_set1_epi32(both);
}

// Sums by the upper and the lower parts of weights, put together. Those of more than 33,000 lower
// parts do not fit, but the whole sum does, which is right then as well.
LYCEUM_INLINE __m256i rounded(__m256i upper, __m256i lower) {
  return _mm256_srai_epi32(_mm256_add_epi32(_mm256_slli_epi32(upper, 8), lower), kPrecision);
}

// The four channels of one pixel of both rows.
LYCEUM_INLINE __m256i sum_pixel(const PairOfWeights* weights, int64_t pairs, const uint8_t* a,
                                const uint8_t* b) {
  __m256i upper = _mm256_setzero_si256(), lower = _mm256_set1_epi32(kHalf);
  for (int64_t i = 0; i < pairs; i++, a += 8, b += 8) {
    const __m128i of_a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a));
    const __m128i of_b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b));
    const __m256i pixels =
        channels_of_two(_mm256_inserti128_si256(_mm256_castsi128_si256(of_a), of_b, 1));
    upper = _mm256_add_epi32(upper, _mm256_madd_epi16(pixels, weights_for_all(weights[i].upper)));
    lower = _mm256_add_epi32(lower, _mm256_madd_epi16(pixels, weights_for_all(weights[i].lower)));
  }
  return rounded(upper, lower);
}

// Stores eight pixels of one row, of which `first` and `last` hold four each, channel by channel.
LYCEUM_INLINE void store_channels(__m128i first, __m128i last, uint8_t* to, int64_t plane) {
  const __m128i red_and_green = _mm_unpacklo_epi32(first, last);
  const __m128i blue = _mm_unpackhi_epi32(first, last);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), red_and_green);
  _mm_storeh_pd(reinterpret_cast<double*>(to + plane), _mm_castsi128_pd(red_and_green));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 2 * plane), blue);
}

#endif

}  // namespace

#ifdef __AVX2__

namespace {

// The next four pixels of both rows, channel by channel. kPairs is the number of pairs that each
// pixel has, or 0 where they differ.
template <int kPairs>
LYCEUM_INLINE __m256i next_four(const RowWeights& row, int64_t x, const PairOfWeights*& weights,
                                const uint8_t* const from[2]) {
  __m256i sums[4];
#pragma GCC unroll 4
  for (int64_t i = 0; i < 4; i++) {
    const int64_t start = 4 * int64_t(row.starts[x + i]);
    const int64_t pairs = kPairs > 0 ? kPairs : row.pairs[x + i];
    sums[i] = sum_pixel(weights, pairs, from[0] + start, from[1] + start);
    weights += pairs;
  }
  // Both packings saturate.
  return channels_of_four(_mm256_packus_epi16(_mm256_packs_epi32(sums[0], sums[1]),
                                              _mm256_packs_epi32(sums[2], sums[3])));
}

template <int kPairs>
LYCEUM_INLINE void across_row(const RowWeights& row, const uint8_t* const from[2],
                              uint8_t* const to[2], int64_t plane) {
  const PairOfWeights* weights = row.weights;
  for (int64_t x = 0; x < row.count; x += 8) {
    const __m256i first = next_four<kPairs>(row, x, weights, from);
    const __m256i last = next_four<kPairs>(row, x + 4, weights, from);
    store_channels(_mm256_castsi256_si128(first), _mm256_castsi256_si128(last), to[0] + x, plane);
    store_channels(_mm256_extracti128_si256(first, 1), _mm256_extracti128_si256(last, 1), to[1] + x,
                   plane);
  }
}

LYCEUM_INLINE __m256i load_bytes(const uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

// The sums of 32 columns.
LYCEUM_INLINE __m256i sum_columns(const uint8_t* const* rows, const PairOfWeights* weights,
                                  int64_t pairs, int64_t x) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i upper[4], lower[4];
  for (int i = 0; i < 4; i++) upper[i] = zero, lower[i] = _mm256_set1_epi32(kHalf);
  for (int64_t pair = 0; pair < pairs; pair++) {
    const __m256i a = load_bytes(rows[2 * pair] + x), b = load_bytes(rows[2 * pair + 1] + x);
    const __m256i first = _mm256_unpacklo_epi8(a, b), last = _mm256_unpackhi_epi8(a, b);
    const __m256i words[4] = {_mm256_unpacklo_epi8(first, zero), _mm256_unpackhi_epi8(first, zero),
                              _mm256_unpacklo_epi8(last, zero), _mm256_unpackhi_epi8(last, zero)};
    const __m256i by_upper = weights_for_all(weights[pair].upper);
    const __m256i by_lower = weights_for_all(weights[pair].lower);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      upper[i] = _mm256_add_epi32(upper[i], _mm256_madd_epi16(words[i], by_upper));
      lower[i] = _mm256_add_epi32(lower[i], _mm256_madd_epi16(words[i], by_lower));
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) upper[i] = rounded(upper[i], lower[i]);
  return _mm256_packus_epi16(_mm256_packs_epi32(upper[0], upper[1]),
                             _mm256_packs_epi32(upper[2], upper[3]));
}

}  // namespace

void across(const RowWeights& row, const uint8_t* const from[2], uint8_t* const to[2],
            int64_t plane) {
  if (row.most_pairs == 1) return across_row<1>(row, from, to, plane);
  across_row<0>(row, from, to, plane);
}

#else

void across(const RowWeights& row, const uint8_t* const from[2], uint8_t* const to[2],
            int64_t plane) {
  for (int r = 0; r < 2; r++) {
    const PairOfWeights* weights = row.weights;
    for (int64_t x = 0; x < row.count; x++) {
      int32_t sums[3] = {kHalf, kHalf, kHalf};
      const uint8_t* pixel = from[r] + 4 * int64_t(row.starts[x]);
      for (int64_t pair = 0; pair < row.pairs[x]; pair++, weights++) {
        for (int i = 0; i < 2; i++, pixel += 4) {
          for (int c = 0; c < 3; c++) sums[c] += weight_of(*weights, i) * pixel[c];
        }
      }
      for (int c = 0; c < 3; c++) to[r][c * plane + x] = to_byte(sums[c]);
    }
  }
}

#endif

void down(const uint8_t* const* rows, const PairOfWeights* weights, int64_t pairs, int64_t count,
          uint8_t* to) {
  int64_t x = 0;
#ifdef __AVX2__
  for (; x + 32 <= count; x += 32) {
    const __m256i bytes = sum_columns(rows, weights, pairs, x);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + x), bytes);
  }
#else
  constexpr int64_t kBlock = 16;
  for (; x + kBlock <= count; x += kBlock) {
    int32_t sums[kBlock];
    for (int64_t i = 0; i < kBlock; i++) sums[i] = kHalf;
    for (int64_t tap = 0; tap < 2 * pairs; tap++) {
      const uint8_t* row = rows[tap] + x;
      const int32_t weight = weight_of(weights[tap / 2], tap % 2);
      for (int64_t i = 0; i < kBlock; i++) sums[i] += weight * row[i];
    }
    for (int64_t i = 0; i < kBlock; i++) to[x + i] = to_byte(sums[i]);
  }
#endif
  for (; x < count; x++) {
    int32_t sum = kHalf;
    for (int64_t tap = 0; tap < 2 * pairs; tap++) {
      sum += weight_of(weights[tap / 2], tap % 2) * rows[tap][x];
    }
    to[x] = to_byte(sum);
  }
}

}  // namespace lyceum::resample::LYCEUM_ISA
