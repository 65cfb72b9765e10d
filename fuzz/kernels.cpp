// Stands in for native/kernels/isa.cpp, whose choice holds for the whole process and whose table
// needs every kernel there is.
#include "kernels.h"

#include <type_traits>
#include <vector>

#include "kernels/isa.h"

namespace lyceum {

#define LYCEUM_DECLARE(isa)                                                  \
  namespace resample::isa {                                                  \
  std::remove_pointer_t<decltype(lyceum::Kernels().resample.across)> across; \
  std::remove_pointer_t<decltype(lyceum::Kernels().resample.down)> down;     \
  }                                                                          \
  namespace {                                                                \
  Kernels isa##_table() {                                                    \
    Kernels table{};                                                         \
    table.resample.across = resample::isa::across;                           \
    table.resample.down = resample::isa::down;                               \
    return table;                                                            \
  }                                                                          \
  }
LYCEUM_DECLARE(none)
#ifdef __x86_64__
LYCEUM_DECLARE(avx2)
LYCEUM_DECLARE(avx512)
#endif

namespace {

std::vector<Kernels> sets() {
  std::vector<Kernels> sets{none_table()};
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) sets.push_back(avx2_table());
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
    sets.push_back(avx512_table());
#endif
  return sets;
}

const std::vector<Kernels>& all() {
  static const std::vector<Kernels> known = sets();
  return known;
}

int used = 0;

}  // namespace

const Kernels& kernels() { return all()[used]; }

}  // namespace lyceum

int fuzz::kernel_sets() { return int(lyceum::all().size()); }

void fuzz::use_kernels(int set) { lyceum::used = set; }
