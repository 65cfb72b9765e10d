// Threads that work at the images of batches.
#pragma once

#include <cstdint>
#include <functional>

namespace lyceum::image {

// Calls `work` with each of 0 .. count - 1 on `threads` threads that are kept for later calls, and
// returns when all are done. Calls may come from several threads at once. `work` must not throw.
void for_each(int64_t count, int64_t threads, const std::function<void(int64_t)>& work);

}  // namespace lyceum::image
