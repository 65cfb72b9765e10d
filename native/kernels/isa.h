// The vector instructions that kernels are for. The sources under kernels/isa/ are compiled once
// for each instruction set, and `kernels` is the table of those that this process uses.
#pragma once

#include "kernels/isa/kernels.h"

namespace lyceum {

// kNone is what every processor of the architecture has: SSE2 on x86-64, NEON on ARM.
enum class Isa { kNone, kAvx2, kAvx512 };

// The best that both the processor and the build have; or what the environment's LYCEUM_ISA names
// (none, avx2, avx512), which tests and measurements use to run less than the processor has. Throws
// std::runtime_error where LYCEUM_ISA is unknown, or where the processor or the build lacks what it
// names.
Isa isa();

// The name by which LYCEUM_ISA asks for it.
const char* name_of(Isa isa);

// The kernels for `isa()`; throws as `isa` does.
const Kernels& kernels();

}  // namespace lyceum
