#include "bridge/division.h"

#include <algorithm>
#include <atomic>

#if defined(__x86_64__) && defined(__linux__)
#include <ATen/Parallel.h>
#include <link.h>
#include <signal.h>
#include <ucontext.h>
#endif

namespace lyceum {
namespace {

std::atomic<uint64_t> failed{0};

#if defined(__x86_64__) && defined(__linux__)

struct sigaction previous;

// Where libtorch's own code lies: a division anywhere else is none of ours.
struct Range {
  uintptr_t begin = 0;
  uintptr_t end = 0;
};
Range libtorch;

int findLibtorch(dl_phdr_info* module, size_t, void*) {
  const auto within = reinterpret_cast<uintptr_t>(&at::set_num_threads);
  Range range{UINTPTR_MAX, 0};
  for (int i = 0; i < module->dlpi_phnum; ++i) {
    const auto& segment = module->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    range.begin = std::min<uintptr_t>(range.begin, module->dlpi_addr + segment.p_vaddr);
    range.end =
        std::max<uintptr_t>(range.end, module->dlpi_addr + segment.p_vaddr + segment.p_memsz);
  }
  if (within < range.begin || within >= range.end) return 0;
  libtorch = range;
  return 1;
}

// The length of the DIV or IDIV at `code` (Intel's manual, volume 2, opcodes F6 and F7 with /6 and
// /7), 0 for anything else; `wide` tells F7 from F6.
int lengthOfDivision(const uint8_t* code, bool& wide) {
  const uint8_t* at = code;
  while (*at == 0x66 || *at == 0x67 || *at == 0x2e || *at == 0x3e || *at == 0x64 || *at == 0x65) {
    ++at;
  }
  if ((*at & 0xf0) == 0x40) ++at;
  if (*at != 0xf6 && *at != 0xf7) return 0;
  wide = *at++ == 0xf7;
  const int mod = *at >> 6, operation = (*at >> 3) & 7, rm = *at & 7;
  ++at;
  if (operation < 6) return 0;
  int base = rm;
  if (mod != 3 && rm == 4) base = *at++ & 7;
  if (mod == 1) at += 1;
  if (mod == 2 || (mod == 0 && base == 5)) at += 4;
  return static_cast<int>(at - code);
}

void skipDivision(int signal, siginfo_t* info, void* data) {
  auto* registers = static_cast<ucontext_t*>(data)->uc_mcontext.gregs;
  bool wide = false;
  const auto at = static_cast<uintptr_t>(registers[REG_RIP]);
  const bool ours = info->si_code == FPE_INTDIV && at >= libtorch.begin && at < libtorch.end;
  const int length = ours ? lengthOfDivision(reinterpret_cast<const uint8_t*>(at), wide) : 0;
  if (length == 0) {
    // This division is not libtorch's: let it end the process as it would have.
    sigaction(signal, &previous, nullptr);
    return;
  }
  // The quotient stays what the dividend's low half is, the remainder is 0.
  if (wide) {
    registers[REG_RDX] = 0;
  } else {
    registers[REG_RAX] &= ~0xff00ll;
  }
  registers[REG_RIP] += length;
  failed.fetch_add(1, std::memory_order_relaxed);
}

#endif

}  // namespace

void surviveDivisions() {
#if defined(__x86_64__) && defined(__linux__)
  dl_iterate_phdr(findLibtorch, nullptr);
  struct sigaction action {};
  action.sa_sigaction = skipDivision;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  struct sigaction before {};
  // The handler is set once for the process, however many threads load the addon.
  if (sigaction(SIGFPE, &action, &before) == 0 && before.sa_sigaction != skipDivision) {
    previous = before;
  }
#endif
}

uint64_t failedDivisions() { return failed.load(std::memory_order_relaxed); }

}  // namespace lyceum
