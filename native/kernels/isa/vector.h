// Sixteen floats at a time, for loops over channels. The compiler makes of a Vector one register of
// AVX-512, two of AVX2 or four of SSE and NEON.
//
// Sources under kernels/isa/ are compiled once for each instruction set, and the linker keeps only
// one of several functions of the same name. So whatever they define lies in a namespace of the
// instruction set (LYCEUM_ISA) or has internal linkage, and what their headers define is
// LYCEUM_INLINE: it becomes part of whoever calls it. For the same reason they use no templates of
// the standard library and no headers of libtorch, which also makes them quick to compile.
#pragma once

#include <cstdint>
#include <cstring>

#define LYCEUM_INLINE inline __attribute__((always_inline))

namespace lyceum {

// The upper half of a float32.
struct BFloat16 {
  uint16_t bits;
};

constexpr int64_t kLanes = 16;
using Vector = float __attribute__((vector_size(4 * kLanes)));

// How many lanes of a vector count. All of them are a type of their own: a number would be tested
// in each row.
struct Whole {
  static constexpr int64_t count = kLanes;
};
struct Part {
  int64_t count;
};

LYCEUM_INLINE Vector load(const float* from, Whole = {}) {
  Vector vector;
  std::memcpy(&vector, from, sizeof vector);
  return vector;
}

LYCEUM_INLINE void store(float* to, const Vector& vector, Whole = {}) {
  std::memcpy(to, &vector, sizeof vector);
}

// The lanes that do not count are zero.
LYCEUM_INLINE Vector load(const float* from, Part part) {
  Vector vector{};
  for (int64_t lane = 0; lane < part.count; lane++) vector[lane] = from[lane];
  return vector;
}

LYCEUM_INLINE void store(float* to, const Vector& vector, Part part) {
  for (int64_t lane = 0; lane < part.count; lane++) to[lane] = vector[lane];
}

using Halves = uint16_t __attribute__((vector_size(2 * kLanes)));
using Bits = uint32_t __attribute__((vector_size(4 * kLanes)));

LYCEUM_INLINE Vector widened(const Halves& halves) {
  const Bits bits = __builtin_convertvector(halves, Bits) << 16;
  Vector vector;
  std::memcpy(&vector, &bits, sizeof vector);
  return vector;
}

// Rounded to the nearest, halves to even; NaN stays NaN.
LYCEUM_INLINE Halves rounded(const Vector& vector) {
  Bits bits;
  std::memcpy(&bits, &vector, sizeof bits);
  const Bits nearest = bits + 0x7fff + ((bits >> 16) & 1);
  return __builtin_convertvector((vector == vector ? nearest : bits | 0x400000) >> 16, Halves);
}

LYCEUM_INLINE Vector load(const BFloat16* from, Whole = {}) {
  Halves halves;
  std::memcpy(&halves, from, sizeof halves);
  return widened(halves);
}

LYCEUM_INLINE void store(BFloat16* to, const Vector& vector, Whole = {}) {
  const Halves halves = rounded(vector);
  std::memcpy(to, &halves, sizeof halves);
}

LYCEUM_INLINE Vector load(const BFloat16* from, Part part) {
  Halves halves{};
  for (int64_t lane = 0; lane < part.count; lane++) halves[lane] = from[lane].bits;
  return widened(halves);
}

LYCEUM_INLINE void store(BFloat16* to, const Vector& vector, Part part) {
  const Halves halves = rounded(vector);
  for (int64_t lane = 0; lane < part.count; lane++) to[lane].bits = halves[lane];
}

// NaN stays NaN, as in ATen.
LYCEUM_INLINE Vector relu(const Vector& x) { return x < 0.0f ? Vector{} : x; }

}  // namespace lyceum
