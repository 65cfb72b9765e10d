#include "kernels/isa/stem/kernels.h"

#include "kernels/isa/register.h"

namespace lyceum::stem::LYCEUM_ISA {
namespace {

using namespace lyceum::LYCEUM_ISA;

// Pixels of a row that are computed together: their sums stay in registers.
constexpr int64_t kPixels = kRegister;
static_assert(kPixels <= kMostPixels);

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
void convolve_padded(const Shape& s, const float* padded, const float* weights, const float* bias,
                     float* y) {
  const int64_t stride = padded_row(s);
  for (int64_t k = 0; k < s.out_channels; k += kRegister) {
    const Register level = read(bias + k);
    for (int64_t row = 0; row < s.height; row++) {
      float* to =
          y + register_at(k / kRegister, s.height * s.width * kLanes) + row * s.width * kLanes;
      for (int64_t first = 0; first < s.width; first += kPixels) {
        Register sums[kPixels];
#pragma GCC unroll 16
        for (int64_t p = 0; p < kPixels; p++) sums[p] = level;
        for (int64_t i = 0; i < 3; i++) {
          const float* line = padded + (row + i) * stride + first * C;
          const float* w = weights + i * 3 * C * s.out_channels + k;
#pragma GCC unroll 9
          for (int64_t j = 0; j < 3 * C; j++) {
            const Register weight = read(w + j * s.out_channels);
#pragma GCC unroll 16
            for (int64_t p = 0; p < kPixels; p++) {
              sums[p] = multiply_add(splat(line[p * C + j]), weight, sums[p]);
            }
          }
        }
        const int64_t left = s.width - first;
#pragma GCC unroll 16
        for (int64_t p = 0; p < kPixels; p++) {
          if (p < left) write(to + (first + p) * kLanes, rectified(sums[p]));
        }
      }
    }
  }
}

}  // namespace

void convolve(const Shape& s, const float* x, const float* weights, const float* bias,
              float* scratch, float* y) {
  pad(s, x, scratch);
  (s.in_channels == 1 ? convolve_padded<1> : convolve_padded<3>)(s, scratch, weights, bias, y);
}

}  // namespace lyceum::stem::LYCEUM_ISA
