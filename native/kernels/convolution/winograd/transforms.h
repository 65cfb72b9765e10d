// The three transforms of F(4x4, 3x3) and their transposes, on sixteen channels at a time. The points of interpolation
// are 0, ±kA, ±kB and infinity.
#pragma once

#include "kernels/vector.h"

namespace lyceum::winograd {

// These two, of those that were tried, round least (docs/performance.md).
constexpr float kA2 = 0.5f, kB2 = 2.0f;
constexpr float kA = 0.7071067811865476f, kB = 1.4142135623730951f;

// Bᵀ d: six pixels of the input.
LYCEUM_INLINE void input_line(const Vector d0, const Vector d1, const Vector d2, const Vector d3, const Vector d4,
                              const Vector d5, Vector* out) {
  const Vector even_b = d4 - kB2 * d2, odd_b = d3 - kB2 * d1;
  const Vector even_a = d4 - kA2 * d2, odd_a = d3 - kA2 * d1;
  out[0] = even_b - kA2 * (d2 - kB2 * d0);
  out[1] = even_b + kA * odd_b;
  out[2] = even_b - kA * odd_b;
  out[3] = even_a + kB * odd_a;
  out[4] = even_a - kB * odd_a;
  out[5] = (d5 - kB2 * d3) - kA2 * odd_b;
}

// Aᵀ m: six frequencies back to four pixels.
LYCEUM_INLINE void output_line(const Vector m0, const Vector m1, const Vector m2, const Vector m3, const Vector m4,
                               const Vector m5, Vector* out) {
  const Vector even_a = m1 + m2, odd_a = m1 - m2, even_b = m3 + m4, odd_b = m3 - m4;
  out[0] = m0 + even_a + even_b;
  out[1] = kA * odd_a + kB * odd_b;
  out[2] = kA2 * even_a + kB2 * even_b;
  out[3] = m5 + kA * kA2 * odd_a + kB * kB2 * odd_b;
}

// A y: four pixels of the result's gradient.
LYCEUM_INLINE void gradient_line(const Vector y0, const Vector y1, const Vector y2, const Vector y3, Vector* out) {
  const Vector even_a = y0 + kA2 * y2, odd_a = y1 + kA2 * y3;
  const Vector even_b = y0 + kB2 * y2, odd_b = y1 + kB2 * y3;
  out[0] = y0;
  out[1] = even_a + kA * odd_a;
  out[2] = even_a - kA * odd_a;
  out[3] = even_b + kB * odd_b;
  out[4] = even_b - kB * odd_b;
  out[5] = y3;
}

// The rows of G are divided by the product of a point's distances from the others.
constexpr float kScale0 = 1 / (kA2 * kB2);
constexpr float kScaleA = 1 / (2 * kA2 * (kA2 - kB2));
constexpr float kScaleB = 1 / (2 * kB2 * (kB2 - kA2));

// G g: three weights.
LYCEUM_INLINE void weight_line(const Vector g0, const Vector g1, const Vector g2, Vector* out) {
  const Vector even_a = kScaleA * (g0 + kA2 * g2), odd_a = (kScaleA * kA) * g1;
  const Vector even_b = kScaleB * (g0 + kB2 * g2), odd_b = (kScaleB * kB) * g1;
  out[0] = kScale0 * g0;
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = g2;
}

// Gᵀ u: six frequencies of the weights' gradient back to three.
LYCEUM_INLINE void weight_gradient_line(const Vector u0, const Vector u1, const Vector u2, const Vector u3,
                                        const Vector u4, const Vector u5, Vector* out) {
  const Vector even_a = kScaleA * (u1 + u2), odd_a = kScaleA * (u1 - u2);
  const Vector even_b = kScaleB * (u3 + u4), odd_b = kScaleB * (u3 - u4);
  out[0] = kScale0 * u0 + even_a + even_b;
  out[1] = kA * odd_a + kB * odd_b;
  out[2] = u5 + kA2 * even_a + kB2 * even_b;
}

}  // namespace lyceum::winograd
