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
  for (int64_t i = 0; i < pairs; i++, a += 8, b += 8, weights += kGroup) {
    const __m128i of_a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a));
    const __m128i of_b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b));
    const __m256i pixels =
        channels_of_two(_mm256_inserti128_si256(_mm256_castsi128_si256(of_a), of_b, 1));
    upper = _mm256_add_epi32(upper, _mm256_madd_epi16(pixels, weights_for_all(weights->upper)));
    lower = _mm256_add_epi32(lower, _mm256_madd_epi16(pixels, weights_for_all(weights->lower)));
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

// Four pixels of both rows, channel by channel. kPairs is the number of pairs that each pixel has,
// or 0 where it is known only now.
template <int kPairs>
LYCEUM_INLINE __m256i next_four(const RowWeights& row, int64_t x, const PairOfWeights* weights,
                                const uint8_t* const from[2]) {
  __m256i sums[4];
#pragma GCC unroll 4
  for (int64_t i = 0; i < 4; i++) {
    const int64_t start = 4 * int64_t(row.starts[x + i]);
    const int64_t pairs = kPairs > 0 ? kPairs : row.pairs[x + i];
    sums[i] = sum_pixel(weights + i, pairs, from[0] + start, from[1] + start);
  }
  // Both packings saturate.
  return channels_of_four(_mm256_packus_epi16(_mm256_packs_epi32(sums[0], sums[1]),
                                              _mm256_packs_epi32(sums[2], sums[3])));
}

template <int kPairs>
LYCEUM_INLINE void across_row(const RowWeights& row, const uint8_t* const from[2],
                              uint8_t* const to[2], int64_t plane) {
  const int64_t pairs = kPairs > 0 ? kPairs : row.most_pairs;
  for (int64_t x = 0; x < row.count; x += kGroup) {
    const PairOfWeights* weights = row.weights + x * pairs;
    const __m256i first = next_four<kPairs>(row, x, weights, from);
    const __m256i last = next_four<kPairs>(row, x + 4, weights + 4, from);
    store_channels(_mm256_castsi256_si128(first), _mm256_castsi256_si128(last), to[0] + x, plane);
    store_channels(_mm256_extracti128_si256(first, 1), _mm256_extracti128_si256(last, 1), to[1] + x,
                   plane);
  }
}

#ifdef __AVX512BW__

LYCEUM_INLINE __m512i load_512(const void* from) { return _mm512_loadu_si512(from); }

LYCEUM_INLINE __m512i in_each_lane(__m128i order) { return _mm512_broadcast_i32x4(order); }

LYCEUM_INLINE __m512i rounded(__m512i upper, __m512i lower) {
  return _mm512_srai_epi32(_mm512_add_epi32(_mm512_slli_epi32(upper, 8), lower), kPrecision);
}

LYCEUM_INLINE __m512i add_products(__m512i sum, __m512i words, __m512i weights) {
  return _mm512_add_epi32(sum, _mm512_madd_epi16(words, weights));
}

// The sums of a group's pixels of one row: those with even numbers and those with odd ones, a pixel
// in each 128 bits.
struct GroupSums {
  __m512i upper[2], lower[2];

  LYCEUM_INLINE void begin() {
    for (int i = 0; i < 2; i++)
      upper[i] = _mm512_setzero_si512(), lower[i] = _mm512_set1_epi32(kHalf);
  }
  // Adds two neighbouring pixels of the input for each pixel of the group.
  LYCEUM_INLINE void add(__m512i pixels, const __m512i (&by_upper)[2],
                         const __m512i (&by_lower)[2]) {
    // Each channel's two bytes side by side as 16 bits.
    const __m512i orders[2] = {
        in_each_lane(_mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1)),
        in_each_lane(_mm_setr_epi8(8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1))};
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
      const __m512i words = _mm512_shuffle_epi8(pixels, orders[i]);
      upper[i] = add_products(upper[i], words, by_upper[i]);
      lower[i] = add_products(lower[i], words, by_lower[i]);
    }
  }
  // Words, of which each 128 bits hold an even pixel's channels and the next one's.
  LYCEUM_INLINE __m512i words() const {
    return _mm512_packs_epi32(rounded(upper[0], lower[0]), rounded(upper[1], lower[1]));
  }
};

// Stores a group's pixels of both rows, channel by channel. Both packings saturate.
LYCEUM_INLINE void store_group(const GroupSums (&rows)[2], uint8_t* const to[2], int64_t x,
                               int64_t plane) {
  const __m512i bytes = _mm512_packus_epi16(rows[0].words(), rows[1].words());
  const __m512i by_channel = _mm512_shuffle_epi8(
      bytes, in_each_lane(_mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15)));
  // Every eighth word belongs to the same channel of the same row.
  const __m512i eighths =
      _mm512_set_epi16(31, 23, 15, 7, 30, 22, 14, 6, 29, 21, 13, 5, 28, 20, 12, 4, 27, 19, 11, 3,
                       26, 18, 10, 2, 25, 17, 9, 1, 24, 16, 8, 0);
  const __m512i planes = _mm512_permutexvar_epi16(eighths, by_channel);
  const auto store = [&](uint8_t* first, __m128i red_and_green, __m128i blue) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(first), red_and_green);
    _mm_storeh_pd(reinterpret_cast<double*>(first + plane), _mm_castsi128_pd(red_and_green));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(first + 2 * plane), blue);
  };
  store(to[0] + x, _mm512_castsi512_si128(planes), _mm512_extracti32x4_epi32(planes, 1));
  store(to[1] + x, _mm512_extracti32x4_epi32(planes, 2), _mm512_extracti32x4_epi32(planes, 3));
}

// As across_row, eight pixels at once. Their input is picked out of 16 pixels of each row where
// kPairs is 1, and out of 32 otherwise.
template <int kPairs>
LYCEUM_INLINE void across_groups(const RowWeights& row, const uint8_t* const from[2],
                                 uint8_t* const to[2], int64_t plane) {
  const int64_t pairs = kPairs > 0 ? kPairs : row.most_pairs;
  const PairOfWeights* weights = row.weights;
  const __m512i second = _mm512_set1_epi64(int64_t(1) << 32), two = _mm512_set1_epi32(2);
  for (int64_t x = 0; x < row.count; x += kGroup) {
    // Mirrored pixels come from right to left.
    const int32_t first = row.starts[x], last = row.starts[x + kGroup - 1];
    const int32_t base = first < last ? first : last;
    const __m256i starts =
        _mm256_sub_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row.starts + x)),
                         _mm256_set1_epi32(base));
    // The numbers, within what is loaded, of each pixel's first two pixels of input.
    const __m512i wide = _mm512_cvtepu32_epi64(starts);
    __m512i picked = _mm512_add_epi32(_mm512_or_si512(wide, _mm512_slli_epi64(wide, 32)), second);
    __m512i input[2][2];
    for (int r = 0; r < 2; r++) {
      input[r][0] = load_512(from[r] + 4 * int64_t(base));
      if (kPairs != 1) input[r][1] = load_512(from[r] + 4 * int64_t(base) + 64);
    }
    GroupSums rows[2];
    rows[0].begin();
    rows[1].begin();
    for (int64_t pair = 0; pair < pairs; pair++, weights += kGroup) {
      const __m512i all = load_512(weights);
      const __m512i by_upper[2] = {_mm512_shuffle_epi32(all, _MM_PERM_AAAA),
                                   _mm512_shuffle_epi32(all, _MM_PERM_CCCC)};
      const __m512i by_lower[2] = {_mm512_shuffle_epi32(all, _MM_PERM_BBBB),
                                   _mm512_shuffle_epi32(all, _MM_PERM_DDDD)};
#pragma GCC unroll 2
      for (int r = 0; r < 2; r++) {
        rows[r].add(kPairs == 1 ? _mm512_permutexvar_epi32(picked, input[r][0])
                                : _mm512_permutex2var_epi32(input[r][0], picked, input[r][1]),
                    by_upper, by_lower);
      }
      picked = _mm512_add_epi32(picked, two);
    }
    store_group(rows, to, x, plane);
  }
}

// The sums of up to 64 columns, those of `mask`.
LYCEUM_INLINE void sum_columns(const uint8_t* const* rows, const PairOfWeights* weights,
                               int64_t pairs, int64_t x, __mmask64 mask, uint8_t* to) {
  const __m512i zero = _mm512_setzero_si512();
  __m512i upper[4], lower[4];
  for (int i = 0; i < 4; i++) upper[i] = zero, lower[i] = _mm512_set1_epi32(kHalf);
  for (int64_t pair = 0; pair < pairs; pair++) {
    const __m512i a = _mm512_maskz_loadu_epi8(mask, rows[2 * pair] + x);
    const __m512i b = _mm512_maskz_loadu_epi8(mask, rows[2 * pair + 1] + x);
    const __m512i first = _mm512_unpacklo_epi8(a, b), last = _mm512_unpackhi_epi8(a, b);
    const __m512i words[4] = {_mm512_unpacklo_epi8(first, zero), _mm512_unpackhi_epi8(first, zero),
                              _mm512_unpacklo_epi8(last, zero), _mm512_unpackhi_epi8(last, zero)};
    int32_t both[2];
    std::memcpy(both, weights + pair, sizeof both);
    const __m512i by_upper = _mm512_set1_epi32(both[0]), by_lower = _mm512_set1_epi32(both[1]);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      upper[i] = add_products(upper[i], words[i], by_upper);
      lower[i] = add_products(lower[i], words[i], by_lower);
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) upper[i] = rounded(upper[i], lower[i]);
  const __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(upper[0], upper[1]),
                                            _mm512_packs_epi32(upper[2], upper[3]));
  _mm512_mask_storeu_epi8(to + x, mask, bytes);
}

#endif

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
#ifdef __AVX512BW__
  if (row.most_pairs == 1 && row.widest <= 16) return across_groups<1>(row, from, to, plane);
  if (row.most_pairs == 2 && row.widest <= 32) return across_groups<2>(row, from, to, plane);
  if (row.widest <= 32) return across_groups<0>(row, from, to, plane);
#endif
  if (row.most_pairs == 1) return across_row<1>(row, from, to, plane);
  across_row<0>(row, from, to, plane);
}

#else

void across(const RowWeights& row, const uint8_t* const from[2], uint8_t* const to[2],
            int64_t plane) {
  for (int r = 0; r < 2; r++) {
    for (int64_t x = 0; x < row.count; x++) {
      int32_t sums[3] = {kHalf, kHalf, kHalf};
      const uint8_t* pixel = from[r] + 4 * int64_t(row.starts[x]);
      const PairOfWeights* weights =
          row.weights + x / kGroup * kGroup * row.most_pairs + x % kGroup;
      for (int64_t pair = 0; pair < row.pairs[x]; pair++, weights += kGroup) {
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
#ifdef __AVX512BW__
  for (; x < count; x += 64) {
    const int64_t left = count - x;
    const __mmask64 mask = left < 64 ? (uint64_t(1) << left) - 1 : ~uint64_t(0);
    sum_columns(rows, weights, pairs, x, mask, to);
  }
#elif defined(__AVX2__)
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
