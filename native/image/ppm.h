// Images that are not compressed, in the format that a cache of decoded images holds: Netpbm's PPM,
// "P6", with 8 bits a channel and no comments.
#pragma once

#include <cstdint>
#include <string>

#include "image/source.h"

namespace lyceum::image {

struct Ppm {
  int64_t width, height;
  // Rows of pixels of three bytes: red, green, blue.
  const uint8_t* pixels;
};

// The image that bytes are, whole and with nothing behind it; `pixels` is null where they are none.
Ppm ppm_in(const Bytes& bytes);

// What stands before the pixels.
std::string ppm_header(int64_t height, int64_t width);

}  // namespace lyceum::image
