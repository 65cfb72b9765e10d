#include "kernels/isa.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace lyceum {
namespace none {
extern const Kernels table;
}
#ifdef LYCEUM_X86_KERNELS
namespace avx2 {
extern const Kernels table;
}
namespace avx512 {
extern const Kernels table;
}
#endif

namespace {

Isa best() {
#ifdef LYCEUM_X86_KERNELS
  // Processors with the one but not the other are accelerators of before 2018.
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) return Isa::kAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::kAvx2;
#endif
  return Isa::kNone;
}

Isa choose() {
  const char* given = std::getenv("LYCEUM_ISA");
  if (!given || !*given) return best();
  for (const Isa known : {Isa::kNone, Isa::kAvx2, Isa::kAvx512}) {
    if (std::string(given) != name_of(known)) continue;
    if (known <= best()) return known;
    throw std::runtime_error(std::string("LYCEUM_ISA=") + given +
                             ": this processor and build have " + name_of(best()) +
                             " at most; set LYCEUM_ISA to that, or unset it");
  }
  throw std::runtime_error(std::string("LYCEUM_ISA=") + given +
                           " is unknown; set it to none, avx2 or avx512, or unset it for the best "
                           "that the processor has");
}

const Kernels& table_of(Isa isa) {
#ifdef LYCEUM_X86_KERNELS
  if (isa == Isa::kAvx512) return avx512::table;
  if (isa == Isa::kAvx2) return avx2::table;
#endif
  (void)isa;
  return none::table;
}

}  // namespace

Isa isa() {
  static const Isa chosen = choose();
  return chosen;
}

const char* name_of(Isa isa) {
  if (isa == Isa::kAvx512) return "avx512";
  return isa == Isa::kAvx2 ? "avx2" : "none";
}

const Kernels& kernels() {
  static const Kernels& table = table_of(isa());
  return table;
}

}  // namespace lyceum
