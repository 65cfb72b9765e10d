// What kernels and their callers share.
//
// Sources under kernels/isa/ are compiled once for each instruction set, and the linker keeps only
// one of several functions of the same name. So whatever they define lies in a namespace of the
// instruction set (LYCEUM_ISA) or has internal linkage, and what their headers define is
// LYCEUM_INLINE: it becomes part of whoever calls it. For the same reason they use no templates of
// the standard library and no headers of libtorch, which also makes them quick to compile.
#pragma once

#include <cstdint>

#define LYCEUM_INLINE inline __attribute__((always_inline))

namespace lyceum {

// The upper half of a float32.
struct BFloat16 {
  uint16_t bits;
};

// The number of channels in a block.
constexpr int64_t kLanes = 16;

}  // namespace lyceum
