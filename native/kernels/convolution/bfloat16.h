// What the processor has for bfloat16.
#pragma once

namespace lyceum {

// Whether convolutions are prepared by oneDNN itself in this build.
bool has_onednn();

// Whether the processor has AVX-512 (and LYCEUM_ISA allows it), without which bfloat16 is not
// computed.
bool has_avx512();

// Whether it has AMX, with which bfloat16 is several times as fast as float32.
bool has_amx();

}  // namespace lyceum
