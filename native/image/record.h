// Decoded images as bytes in a file: what a cache of them holds, one record after the other.
#pragma once

#include <cstdint>
#include <cstddef>

#include "image/source.h"

namespace lyceum::image {

// A record is this head, in little-endian order, and rows of pixels of three bytes.
struct RecordHead {
  char magic[8];
  uint32_t width, height;
  // Of the pixels.
  uint64_t checksum;
};
static_assert(sizeof(RecordHead) == 24, "records are read as they lie in files");

// The pixels of a record. `pixels` is null where the bytes are no record, or are damaged.
struct Record {
  const uint8_t* pixels;
  int64_t width, height;
};

inline int64_t record_size(int64_t width, int64_t height) {
  return int64_t(sizeof(RecordHead)) + 3 * width * height;
}

// Writes the head in front of the pixels that stand behind it already.
void seal_record(uint8_t* record, int64_t width, int64_t height);

// Whether bytes begin as a record does.
bool is_record(const Bytes& bytes);

// Reads a record and compares its checksum.
Record open_record(const Bytes& bytes);

}  // namespace lyceum::image
