#include "kernels/convolution/stem/kernels.h"

#include <immintrin.h>

#include "kernels/vector.h"

namespace lyceum::stem {
namespace {

// Pixels of a row that are computed together: their sums stay in registers.
constexpr int64_t kPixels = 16;

int64_t padded_row(const Shape& s) { return (s.width + 2) * s.in_channels; }

// The image with a pixel of zeros around it.
void pad(const Shape& s, const float* x, float* padded) {
  const int64_t stride = padded_row(s), row_size = s.width * s.in_channels;
  for (int64_t i = 0; i < stride; i++) padded[i] = padded[(s.height + 1) * stride + i] = 0;
  for (int64_t row = 0; row < s.height; row++) {
    float* to = padded + (row + 1) * stride;
    for (int64_t c = 0; c < s.in_channels; c++) to[c] = to[row_size + s.in_channels + c] = 0;
    for (int64_t i = 0; i < row_size; i++) to[s.in_channels + i] = x[row * row_size + i];
  }
}

template <int C>
void convolve_padded(const Shape& s, const float* padded, const float* weights, const float* bias, float* y) {
  const int64_t stride = padded_row(s);
  for (int64_t block = 0; block < s.out_channels; block += kLanes) {
    const __m512 level = _mm512_loadu_ps(bias + block);
    for (int64_t row = 0; row < s.height; row++, y += s.width * kLanes) {
      for (int64_t first = 0; first < s.width; first += kPixels) {
        __m512 sums[kPixels];
#pragma GCC unroll 16
        for (int64_t p = 0; p < kPixels; p++) sums[p] = level;
        for (int64_t i = 0; i < 3; i++) {
          const float* line = padded + (row + i) * stride + first * C;
          const float* w = weights + i * 3 * C * s.out_channels + block;
#pragma GCC unroll 9
          for (int64_t j = 0; j < 3 * C; j++) {
            const __m512 weight = _mm512_loadu_ps(w + j * s.out_channels);
#pragma GCC unroll 16
            for (int64_t p = 0; p < kPixels; p++) {
              sums[p] = _mm512_fmadd_ps(_mm512_set1_ps(line[p * C + j]), weight, sums[p]);
            }
          }
        }
        const int64_t left = s.width - first;
#pragma GCC unroll 16
        for (int64_t p = 0; p < kPixels; p++) {
          if (p < left) store(y + (first + p) * kLanes, relu(reinterpret_cast<Vector>(sums[p])));
        }
      }
    }
  }
}

}  // namespace

// The last pixels of the last row look further, at numbers that nobody needs.
int64_t scratch_size(const Shape& s) { return (s.height + 2) * padded_row(s) + kPixels * s.in_channels; }

void convolve(const Shape& s, const float* x, const float* weights, const float* bias, float* scratch, float* y) {
  pad(s, x, scratch);
  (s.in_channels == 1 ? convolve_padded<1> : convolve_padded<3>)(s, scratch, weights, bias, y);
}

}  // namespace lyceum::stem
