// The bytes that a fuzzer draws, read as settings from their end and as a file from their front: so
// a plain file is an input too, and mutations of the settings leave the file as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  // The next byte from the end; 0 where none is left.
  uint8_t byte() { return size_ > 0 ? data_[--size_] : 0; }

  // From `least` to `most`.
  int64_t between(int64_t least, int64_t most) {
    return least + int64_t(word() % uint64_t(most - least + 1));
  }

  uint64_t word() {
    uint64_t word = 0;
    for (int i = 0; i < 4; i++) word = word << 8 | byte();
    return word;
  }

  // A fraction from 0 to 1, both included.
  double fraction() { return double(word()) / double(0xffffffff); }

  // What was not read as settings.
  const uint8_t* rest() const { return data_; }
  int64_t rest_size() const { return int64_t(size_); }

 private:
  const uint8_t* data_;
  size_t size_;
};

// Ends the process where a promise is broken, as a sanitizer does.
inline void check(bool kept) {
  if (!kept) std::abort();
}

}  // namespace fuzz
