// Which of the processor's vector instructions our own convolutions are for. Their sources are compiled once for each level
// (LYCEUM_LEVEL names it, register.h has what differs), with AVX-512 or with AVX2 and FMA.
#pragma once

namespace lyceum {

enum class Level { kNone, kAvx2, kAvx512 };

// What the processor has and the build was made for; no more than the environment's LYCEUM_ISA names (none, avx2, avx512),
// for tests and measurements.
Level level();

// As LYCEUM_ISA names it.
const char* name_of(Level level);

}  // namespace lyceum
