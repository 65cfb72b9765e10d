// The three transforms of F(4x4, 3x3) and their transposes, on a register of channels at a time.
// The points of interpolation are 0, ±kA, ±kB and infinity.
#pragma once

#include "kernels/isa/register.h"

namespace lyceum::winograd::LYCEUM_ISA {

using namespace lyceum::LYCEUM_ISA;

// These two, of those that were tried, round least (docs/performance.md).
inline constexpr float kA2 = 0.5f, kB2 = 2.0f;
inline constexpr float kA = 0.7071067811865476f, kB = 1.4142135623730951f;

// Bᵀ d: six pixels of the input.
LYCEUM_INLINE void input_line(const Register d0, const Register d1, const Register d2,
                              const Register d3, const Register d4, const Register d5,
                              Register* out) {
  const Register even_b = d4 - kB2 * d2, odd_b = d3 - kB2 * d1;
  const Register even_a = d4 - kA2 * d2, odd_a = d3 - kA2 * d1;
  out[0] = even_b - kA2 * (d2 - kB2 * d0);
  out[1] = even_b + kA * odd_b;
  out[2] = even_b - kA * odd_b;
  out[3] = even_a + kB * odd_a;
  out[4] = even_a - kB * odd_a;
  out[5] = (d5 - kB2 * d3) - kA2 * odd_b;
}

// Aᵀ m: six frequencies back to four pixels.
LYCEUM_INLINE void output_line(const Register m0, const Register m1, const Register m2,
                               const Register m3, const Register m4, const Register m5,
                               Register* out) {
  const Register even_a = m1 + m2, odd_a = m1 - m2, even_b = m3 + m4, odd_b = m3 - m4;
  out[0] = m0 + even_a + even_b;
  out[1] = kA * odd_a + kB * odd_b;
  out[2] = kA2 * even_a + kB2 * even_b;
  out[3] = m5 + kA * kA2 * odd_a + kB * kB2 * odd_b;
}

// A y: four pixels of the result's gradient.
LYCEUM_INLINE void gradient_line(const Register y0, const Register y1, const Register y2,
                                 const Register y3, Register* out) {
  const Register even_a = y0 + kA2 * y2, odd_a = y1 + kA2 * y3;
  const Register even_b = y0 + kB2 * y2, odd_b = y1 + kB2 * y3;
  out[0] = y0;
  out[1] = even_a + kA * odd_a;
  out[2] = even_a - kA * odd_a;
  out[3] = even_b + kB * odd_b;
  out[4] = even_b - kB * odd_b;
  out[5] = y3;
}

// The rows of G are divided by the product of a point's distances from the others.
inline constexpr float kScale0 = 1 / (kA2 * kB2);
inline constexpr float kScaleA = 1 / (2 * kA2 * (kA2 - kB2));
inline constexpr float kScaleB = 1 / (2 * kB2 * (kB2 - kA2));

// G g: three weights.
LYCEUM_INLINE void weight_line(const Register g0, const Register g1, const Register g2,
                               Register* out) {
  const Register even_a = kScaleA * (g0 + kA2 * g2), odd_a = (kScaleA * kA) * g1;
  const Register even_b = kScaleB * (g0 + kB2 * g2), odd_b = (kScaleB * kB) * g1;
  out[0] = kScale0 * g0;
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = g2;
}

// Gᵀ u: six frequencies of the weights' gradient back to three.
LYCEUM_INLINE void weight_gradient_line(const Register u0, const Register u1, const Register u2,
                                        const Register u3, const Register u4, const Register u5,
                                        Register* out) {
  const Register even_a = kScaleA * (u1 + u2), odd_a = kScaleA * (u1 - u2);
  const Register even_b = kScaleB * (u3 + u4), odd_b = kScaleB * (u3 - u4);
  out[0] = kScale0 * u0 + even_a + even_b;
  out[1] = kA * odd_a + kB * odd_b;
  out[2] = u5 + kA2 * even_a + kB2 * even_b;
}

}  // namespace lyceum::winograd::LYCEUM_ISA
