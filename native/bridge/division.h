// Integer division that the processor refuses (by zero, or of the smallest integer by -1) must not
// end the process.
#pragma once

#include <cstdint>

namespace lyceum {

// From now on such a division in libtorch's code gives the dividend, and is counted. On processors
// that do not refuse it, and elsewhere, nothing changes.
void surviveDivisions();
// How often it happened, on any thread.
uint64_t failedDivisions();

}  // namespace lyceum
