// One image, from wherever it lies to the pixels of a view.
#pragma once

#include <cstdint>
#include <vector>

#include "image/outcome.h"
#include "image/source.h"
#include "image/view.h"

namespace lyceum::image {

// Decodes an image into the three planes of a view, each of view.height x view.width bytes. They
// are all zero unless the outcome's status is kOk.
Outcome decode_image(const Place& place, const View& view, const Choice& choice,
                     int64_t most_pixels, uint8_t* to);

// The same of an image that is decoded already: rows of pixels of three bytes, red, green, blue.
Outcome view_pixels(const uint8_t* pixels, int64_t height, int64_t width, const View& view,
                    const Choice& choice, uint8_t* to);

// Decodes an image and makes it smaller, so that its shorter side has `shorter` pixels at most.
// `to` becomes a record of it (image/record.h), or empty where the outcome's status is not kOk.
Outcome fit_image(const Place& place, int64_t shorter, int64_t most_pixels,
                  std::vector<uint8_t>& to);

// The same of an image that is decoded already.
Outcome fit_pixels(const uint8_t* pixels, int64_t height, int64_t width, int64_t shorter,
                   std::vector<uint8_t>& to);

}  // namespace lyceum::image
