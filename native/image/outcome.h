// What became of an image of a batch.
#pragma once

#include <cstdint>

namespace lyceum::image {

// The codes are also in src/data/decoding/outcome.ts.
enum class Status : int64_t {
  kOk,
  kOther,       // not a JPEG of grey or three colours: for another decoder
  kTruncated,   // ends before its last pixel, or without its end
  kCorrupt,     // cannot be decoded, or not as its bytes say
  kTooLarge,    // more pixels, bytes, scans or memory than are allowed
  kUnreadable,  // the system refused; `detail` is its errno
  kNoFile,      // a folder, a pipe or a device
  kChanged,     // another size or time than was expected
};

struct Box {
  int64_t top, left, height, width;
};

struct Outcome {
  Status status = Status::kOk;
  // An errno where the file is unreadable; the number of libjpeg's message where the image is
  // truncated, corrupt or too large, or 0.
  int64_t detail = 0;
  // The image's size as it is to be seen, after its orientation; 0 where it is not known.
  int64_t width = 0, height = 0;
  // The part of it that is shown.
  Box box{0, 0, 0, 0};
  // It was decoded at 1 / denominator of its size.
  int64_t denominator = 1;
  // EXIF's orientation, 1 to 8.
  int64_t orientation = 1;
};

}  // namespace lyceum::image
