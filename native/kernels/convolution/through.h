// What is done to a few images before and after they are convolved, while they are in a core's own cache: batch norm goes
// over memory less often so. Several threads call these at a time, for different images.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace lyceum {

// A tensor whose images are needed beside those that are convolved: asked for ahead of time.
struct Needed {
  const void* data;
  // Of one image.
  int64_t bytes;
};

struct Through {
  // Writes images [begin, end) of x to where it is told to. May be empty where x is there.
  std::function<void(int64_t begin, int64_t end, float* x)> before;
  // Their results are there. A part is one thread's at a time.
  std::function<void(int64_t part, int64_t begin, int64_t end)> after;
  // By `before`, and to write the results to.
  std::vector<Needed> needed;
};

struct BackwardThrough {
  // Writes the result's gradient of images [begin, end) to where it is told to; and x, unless it is there.
  std::function<void(int64_t begin, int64_t end, float* dy, float* x)> before;
  // x's gradient of these images is there. May be empty.
  std::function<void(int64_t part, int64_t begin, int64_t end)> after;
  // By `before`; and after it, x's gradient included.
  std::vector<Needed> needed, needed_after;
};

}  // namespace lyceum
