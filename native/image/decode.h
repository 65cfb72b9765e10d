// One image, from wherever it lies to the pixels of a view.
#pragma once

#include <cstdint>

#include "image/outcome.h"
#include "image/source.h"
#include "image/view.h"

namespace lyceum::image {

// Decodes an image into the three planes of a view, each of view.height x view.width bytes. They
// are all zero unless the outcome's status is kOk. `key` decides a random view.
Outcome decode_image(const Place& place, const View& view, uint64_t key, int64_t most_pixels,
                     uint8_t* to);

// The same of an image that is decoded already: rows of pixels of three bytes, red, green, blue.
Outcome view_pixels(const uint8_t* pixels, int64_t height, int64_t width, const View& view,
                    uint64_t key, uint8_t* to);

// The size of an image by what stands before its pixels, which are not decoded.
Outcome measure_image(const Place& place, int64_t most_pixels);

}  // namespace lyceum::image
