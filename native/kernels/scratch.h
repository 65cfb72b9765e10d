// Memory that a kernel works in, kept from call to call.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace lyceum {

// Aligned to a register of AVX-512. To be held by a thread.
class Scratch {
 public:
  // At least so many floats; what they are is left over from the last use.
  float* of(int64_t size) {
    if (size > size_) {
      data_.reset();
      size_ = 0;
      const size_t bytes = (size * sizeof(float) + 63) / 64 * 64;
      data_.reset(static_cast<float*>(std::aligned_alloc(64, bytes)));
      if (!data_) throw std::bad_alloc();
      size_ = size;
      // Kernels compute with lanes that nobody needs; denormal numbers among them would be slow.
      std::fill_n(data_.get(), size, 0.0f);
    }
    return data_.get();
  }

 private:
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  std::unique_ptr<float, Free> data_;
  int64_t size_ = 0;
};

}  // namespace lyceum
