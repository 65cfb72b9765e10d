// The encoded bytes of an image: a file, a part of one, or memory.
#pragma once

#include <cstdint>
#include <vector>

#include "image/outcome.h"

namespace lyceum::image {

// Where the bytes of an image are.
struct Place {
  // Null where the image lies in memory.
  const char* path;
  // The memory that `offset` counts in, where there is no path, and its size.
  const uint8_t* memory;
  int64_t memory_size;
  int64_t offset;
  // -1 is all from the offset on.
  int64_t length;
  // What the whole file's size in bytes and its time in milliseconds are to be; -1 is any.
  int64_t expected_size, expected_time;
};

struct Bytes {
  const uint8_t* data;
  int64_t size;
};

// More is refused, whatever it may be.
constexpr int64_t kMostBytes = int64_t(256) << 20;

// Reads files into memory that is kept from one to the next, up to some MiB.
class Source {
 public:
  // The bytes of a place, valid until the next call; or a status of its own in `outcome`.
  Bytes read(const Place& place, Outcome& outcome);

  // Gives back memory that only an unusual image needed.
  void shrink();

 private:
  Bytes read_file(const Place& place, Outcome& outcome);

  std::vector<uint8_t> buffer_;
};

}  // namespace lyceum::image
