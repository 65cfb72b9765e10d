// Sixteen floats at a time, for loops over channels: one register of AVX-512, two of AVX2, four of
// SSE and NEON. They are so many variables, not one vector of sixteen: gcc keeps a vector for which
// there is no register in memory, where each sum takes several times as long.
#pragma once

#include <cstring>

#include "kernels/isa/common.h"

namespace lyceum::LYCEUM_ISA {

#if defined(__AVX512F__)
constexpr int kPiece = 16;
#elif defined(__AVX2__)
constexpr int kPiece = 8;
#else
constexpr int kPiece = 4;
#endif
constexpr int kPieces = int(kLanes) / kPiece;
using Piece = float __attribute__((vector_size(4 * kPiece)));
using Bits = uint32_t __attribute__((vector_size(4 * kPiece)));
using Halves = uint16_t __attribute__((vector_size(2 * kPiece)));

struct Vector {
  Piece pieces[kPieces];
};

#define LYCEUM_EACH_PIECE _Pragma("GCC unroll 4") for (int i = 0; i < kPieces; i++)

// The operators of arithmetic between vectors, and with a float for all lanes.
#define LYCEUM_OPERATOR(op)                                            \
  LYCEUM_INLINE Vector operator op(const Vector& a, const Vector& b) { \
    Vector found;                                                      \
    LYCEUM_EACH_PIECE found.pieces[i] = a.pieces[i] op b.pieces[i];    \
    return found;                                                      \
  }                                                                    \
  LYCEUM_INLINE Vector operator op(const Vector& a, float b) {         \
    Vector found;                                                      \
    LYCEUM_EACH_PIECE found.pieces[i] = a.pieces[i] op b;              \
    return found;                                                      \
  }                                                                    \
  LYCEUM_INLINE Vector operator op(float a, const Vector& b) {         \
    Vector found;                                                      \
    LYCEUM_EACH_PIECE found.pieces[i] = a op b.pieces[i];              \
    return found;                                                      \
  }
LYCEUM_OPERATOR(+)
LYCEUM_OPERATOR(-)
LYCEUM_OPERATOR(*)
LYCEUM_OPERATOR(/)
#undef LYCEUM_OPERATOR

LYCEUM_INLINE Vector& operator+=(Vector& a, const Vector& b) { return a = a + b; }
LYCEUM_INLINE Vector& operator-=(Vector& a, const Vector& b) { return a = a - b; }

// NaN stays NaN, as in ATen.
LYCEUM_INLINE Vector relu(const Vector& x) {
  Vector found;
  LYCEUM_EACH_PIECE found.pieces[i] = x.pieces[i] < 0.0f ? Piece{} : x.pieces[i];
  return found;
}

// y where x is above zero, else zero; y where x is NaN, as ATen's gradient of ReLU has it.
LYCEUM_INLINE Vector where_positive(const Vector& x, const Vector& y) {
  Vector found;
  LYCEUM_EACH_PIECE found.pieces[i] = x.pieces[i] <= 0.0f ? Piece{} : y.pieces[i];
  return found;
}

// How many lanes of a vector count. All of them are a type of their own: a number would be tested
// in each row.
struct Whole {
  static constexpr int64_t count = kLanes;
};
struct Part {
  int64_t count;
};

LYCEUM_INLINE Vector load(const float* from, Whole = {}) {
  Vector found;
  LYCEUM_EACH_PIECE std::memcpy(&found.pieces[i], from + i * kPiece, sizeof(Piece));
  return found;
}

LYCEUM_INLINE void store(float* to, const Vector& vector, Whole = {}) {
  LYCEUM_EACH_PIECE std::memcpy(to + i * kPiece, &vector.pieces[i], sizeof(Piece));
}

LYCEUM_INLINE Vector load(const BFloat16* from, Whole = {}) {
  Vector found;
  LYCEUM_EACH_PIECE {
    Halves halves;
    std::memcpy(&halves, from + i * kPiece, sizeof halves);
    const Bits bits = __builtin_convertvector(halves, Bits) << 16;
    std::memcpy(&found.pieces[i], &bits, sizeof bits);
  }
  return found;
}

// Rounded to the nearest, halves to even; NaN stays NaN.
LYCEUM_INLINE void store(BFloat16* to, const Vector& vector, Whole = {}) {
  LYCEUM_EACH_PIECE {
    const Piece piece = vector.pieces[i];
    Bits bits;
    std::memcpy(&bits, &piece, sizeof bits);
    const Bits nearest = bits + 0x7fff + ((bits >> 16) & 1);
    const Halves halves =
        __builtin_convertvector((piece == piece ? nearest : bits | 0x400000) >> 16, Halves);
    std::memcpy(to + i * kPiece, &halves, sizeof halves);
  }
}

// The lanes that do not count are zero.
template <class T>
LYCEUM_INLINE Vector load(const T* from, Part part) {
  T lanes[kLanes] = {};
  for (int64_t lane = 0; lane < part.count; lane++) lanes[lane] = from[lane];
  return load(lanes);
}

template <class T>
LYCEUM_INLINE void store(T* to, const Vector& vector, Part part) {
  T lanes[kLanes];
  store(lanes, vector);
  for (int64_t lane = 0; lane < part.count; lane++) to[lane] = lanes[lane];
}

}  // namespace lyceum::LYCEUM_ISA
