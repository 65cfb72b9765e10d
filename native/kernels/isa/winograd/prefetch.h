// Memory that will be needed soon, prefetched line by line into the second-level cache while a core
// computes. All at once it would take the few places that a core has for lines under way, and
// computing would wait.
#pragma once

#include <cstdint>

#include "kernels/isa/common.h"

namespace lyceum::winograd {

class Prefetch {
 public:
  static constexpr int64_t kMost = 4;
  static constexpr int64_t kLine = 64;

  // Lines one after the other. To prefetch one that does not exist does no harm.
  struct Lines {
    const char* next;
    int64_t step;

    LYCEUM_INLINE void fetch() {
      constexpr int kRead = 0, kSecondCache = 2;
      __builtin_prefetch(next, kRead, kSecondCache);
      next += step;
    }
  };

  // Ranges beyond kMost are left out.
  LYCEUM_INLINE void add(const void* data, int64_t bytes) {
    if (count_ < kMost && bytes > 0) {
      ranges_[count_++] = {static_cast<const char*>(data), (bytes + kLine - 1) / kLine};
    }
  }

  LYCEUM_INLINE bool any() const { return count_ > 0; }

  // The next `count` lines; where none are left, one that is at hand again and again, which costs
  // less than a test.
  LYCEUM_INLINE Lines take(int64_t count) {
    if (first_ == count_) return {reinterpret_cast<const char*>(this), 0};
    auto& [data, left] = ranges_[first_];
    const Lines found{data, kLine};
    data += count * kLine;
    left -= count;
    if (left <= 0) first_++;
    return found;
  }

 private:
  struct Range {
    const char* data;
    int64_t left;
  };
  Range ranges_[kMost];
  int64_t count_ = 0, first_ = 0;
};

}  // namespace lyceum::winograd
