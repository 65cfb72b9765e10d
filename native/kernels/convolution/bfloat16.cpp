#include "kernels/convolution/bfloat16.h"

#include "kernels/isa.h"

#ifdef LYCEUM_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#elif defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lyceum {

#ifdef LYCEUM_ONEDNN

namespace {

bool allows(dnnl::cpu_isa wanted) {
  // Sets of bits, each of which holds the sets before it.
  const auto bits = static_cast<unsigned>(wanted);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
}

}  // namespace

bool has_onednn() { return true; }

bool has_avx512() { return isa() == Isa::kAvx512 && allows(dnnl::cpu_isa::avx512_core); }

bool has_amx() { return has_avx512() && allows(dnnl::cpu_isa::avx512_core_amx); }

#elif defined(__x86_64__)

bool has_onednn() { return false; }

bool has_avx512() {
  return isa() == Isa::kAvx512 && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

bool has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kTiles = 1u << 24, kBfloat16 = 1u << 22;
  return has_avx512() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & kTiles) && (d & kBfloat16);
}

#else

bool has_onednn() { return false; }
bool has_avx512() { return false; }
bool has_amx() { return false; }

#endif

}  // namespace lyceum
