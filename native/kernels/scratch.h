// Memory that a kernel works in, kept from call to call.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace lyceum {

// Memory aligned to a register of AVX-512, which one thread uses.
class Scratch {
 public:
  // At least `size` floats, with whatever values the last use has left.
  float* of(int64_t size) {
    if (size > size_) {
      data_.reset();
      size_ = 0;
      const size_t bytes = (size * sizeof(float) + 63) / 64 * 64;
      data_.reset(static_cast<float*>(std::aligned_alloc(64, bytes)));
      if (!data_) throw std::bad_alloc();
      size_ = size;
      // Kernels compute with lanes that nobody reads, and denormal numbers among them would be
      // slow.
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
