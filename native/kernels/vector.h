// Sixteen floats at a time, for loops over channels-last memory. The compiler makes of a Vector one AVX-512 register,
// two of AVX2 or four of SSE and NEON; functions marked LYCEUM_VARIANTS are compiled once for each of these, and the
// processor's own is chosen when the addon is loaded. (By feature: "arch=…" would match that very model only.)
#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define LYCEUM_VARIANTS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LYCEUM_VARIANTS
#endif
// Into whichever variant calls it: a call would pass vectors in the baseline's registers.
#define LYCEUM_INLINE inline __attribute__((always_inline))

namespace lyceum {

constexpr int64_t kLanes = 16;
using Vector = float __attribute__((vector_size(4 * kLanes)));

LYCEUM_INLINE Vector all(float value) { return Vector{} + value; }

// How many lanes of a vector are meant. A type of its own for all of them: a number would be tested in each row.
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

LYCEUM_INLINE void store(float* to, const Vector& vector, Whole = {}) { std::memcpy(to, &vector, sizeof vector); }

// bfloat16 is the upper half of a float32. Stored to the nearest, halves to even; what is no number stays so.
using Halves = uint16_t __attribute__((vector_size(2 * kLanes)));
using Bits = uint32_t __attribute__((vector_size(4 * kLanes)));

LYCEUM_INLINE Vector load(const c10::BFloat16* from, Whole = {}) {
  Halves halves;
  std::memcpy(&halves, from, sizeof halves);
  const Bits bits = __builtin_convertvector(halves, Bits) << 16;
  Vector vector;
  std::memcpy(&vector, &bits, sizeof vector);
  return vector;
}

LYCEUM_INLINE void store(c10::BFloat16* to, const Vector& vector, Whole = {}) {
  Bits bits;
  std::memcpy(&bits, &vector, sizeof bits);
  const Bits rounded = bits + 0x7fff + ((bits >> 16) & 1);
  const Halves halves = __builtin_convertvector((vector == vector ? rounded : bits | 0x400000) >> 16, Halves);
  std::memcpy(to, &halves, sizeof halves);
}

// The other lanes are zero.
template <class T>
LYCEUM_INLINE Vector load(const T* from, Part part) {
  Vector vector{};
  for (int64_t lane = 0; lane < part.count; lane++) vector[lane] = float(from[lane]);
  return vector;
}

template <class T>
LYCEUM_INLINE void store(T* to, const Vector& vector, Part part) {
  for (int64_t lane = 0; lane < part.count; lane++) to[lane] = T(vector[lane]);
}

// As ATen's: what is no number stays so.
LYCEUM_INLINE Vector relu(const Vector& x) { return x < 0.0f ? Vector{} : x; }

}  // namespace lyceum
