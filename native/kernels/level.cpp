#include "kernels/level.h"

#include <cstdlib>
#include <string>

namespace lyceum {

Level level() {
#ifdef LYCEUM_LEVELS
  static const Level found = [] {
    const char* given = std::getenv("LYCEUM_ISA");
    const std::string most = given ? given : "";
    if (most == "none") return Level::kNone;
    if (most != "avx2" && __builtin_cpu_supports("avx512f")) return Level::kAvx512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? Level::kAvx2 : Level::kNone;
  }();
  return found;
#else
  return Level::kNone;
#endif
}

const char* name_of(Level level) {
  if (level == Level::kAvx512) return "avx512";
  return level == Level::kAvx2 ? "avx2" : "none";
}

}  // namespace lyceum
