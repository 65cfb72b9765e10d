// Random boxes to crop, as torchvision's RandomResizedCrop draws them.
#pragma once

#include <cstdint>

#include "image/outcome.h"

namespace lyceum::image {

// What a random box may be.
struct BoxRange {
  // Its least and greatest area, as fractions of the image's.
  double least_area, greatest_area;
  // Its least and greatest width over height, whose logarithms are equally likely.
  double least_ratio, greatest_ratio;
};

// Draws the box of an image. It depends on the key and the image's size alone.
Box draw_box(const BoxRange& range, uint64_t key, int64_t height, int64_t width);

}  // namespace lyceum::image
