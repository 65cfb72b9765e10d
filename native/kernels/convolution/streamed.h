// What is done to a few images before and after they are convolved, while they are in a core's own
// cache, so that batch norm goes over memory less often. Several threads call these functions at a
// time, for different images.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace lyceum {

// A tensor whose next images are prefetched while some are convolved.
struct Prefetched {
  const void* data;
  int64_t bytes_of_image;
};

struct AroundForward {
  // Writes images [begin, end) of x to `x`, for the convolution to read. Empty where x is in memory
  // already.
  std::function<void(int64_t begin, int64_t end, float* x)> before;
  // Called once the results of these images are written. A part belongs to one thread at a time.
  std::function<void(int64_t part, int64_t begin, int64_t end)> after;
  // What `before` reads, and what the results are written to.
  std::vector<Prefetched> prefetched;
};

struct AroundBackward {
  // Writes the result's gradient of images [begin, end) to `dy`; and x to `x`, unless it is in
  // memory already.
  std::function<void(int64_t begin, int64_t end, float* dy, float* x)> before;
  // Called once x's gradient of these images is written. May be empty.
  std::function<void(int64_t part, int64_t begin, int64_t end)> after;
  // What `before` reads; and what comes after it reads or writes, x's gradient included.
  std::vector<Prefetched> prefetched, prefetched_after;
};

}  // namespace lyceum
