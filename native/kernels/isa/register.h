// One register full of floats, with fused multiply-add: for the kernels that only AVX-512 and AVX2
// have.
#pragma once

#include <immintrin.h>

#include "kernels/isa/vector.h"

namespace lyceum::LYCEUM_ISA {

#ifdef __AVX512F__
using Native = __m512;
constexpr int64_t kRegister = 16;
LYCEUM_INLINE Native native_splat(float value) { return _mm512_set1_ps(value); }
LYCEUM_INLINE Native native_multiply_add(Native a, Native b, Native c) {
  return _mm512_fmadd_ps(a, b, c);
}
#else
using Native = __m256;
constexpr int64_t kRegister = 8;
LYCEUM_INLINE Native native_splat(float value) { return _mm256_set1_ps(value); }
LYCEUM_INLINE Native native_multiply_add(Native a, Native b, Native c) {
  return _mm256_fmadd_ps(a, b, c);
}
#endif

using Register = float __attribute__((vector_size(4 * kRegister)));

LYCEUM_INLINE Register splat(float value) {
  return reinterpret_cast<Register>(native_splat(value));
}

LYCEUM_INLINE Register multiply_add(Register a, Register b, Register c) {
  return reinterpret_cast<Register>(native_multiply_add(
      reinterpret_cast<Native>(a), reinterpret_cast<Native>(b), reinterpret_cast<Native>(c)));
}

LYCEUM_INLINE Register read(const float* from) {
  Register values;
  std::memcpy(&values, from, sizeof values);
  return values;
}

LYCEUM_INLINE void write(float* to, Register values) { std::memcpy(to, &values, sizeof values); }

// NaN stays NaN, as in ATen.
LYCEUM_INLINE Register rectified(Register x) { return x < 0.0f ? Register{} : x; }

// The offset of the q-th register of a pixel, whose blocks of sixteen channels lie `block_stride`
// floats apart.
LYCEUM_INLINE constexpr int64_t register_at(int64_t q, int64_t block_stride) {
  return q * kRegister / kLanes * block_stride + q * kRegister % kLanes;
}

}  // namespace lyceum::LYCEUM_ISA
