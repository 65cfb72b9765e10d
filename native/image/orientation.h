// EXIF's orientation: how a stored image is to be turned and mirrored before it is seen.
#pragma once

#include <cstdint>

#include "image/outcome.h"

namespace lyceum::image {

// The orientation that the content of an APP1 marker names, 1 to 8; 1 where it names none, is
// damaged or is no EXIF data (Exif 2.3, 4.6.4: tag 0x0112 of the first directory).
int64_t orientation_in(const uint8_t* marker, int64_t size);

// The pixel that is seen at (x, y) is stored at (x, y), or at (y, x) where `transposed`, counted
// from the right or from the bottom of what is stored where that is `from_right`, `from_bottom`.
struct Turn {
  explicit Turn(int64_t orientation)
      : transposed(orientation >= 5),
        from_right(orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8),
        from_bottom(orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) {}

  bool none() const { return !transposed && !from_right && !from_bottom; }
  // Whether columns, or rows, are seen in the opposite order of what is stored.
  bool mirrors_columns() const { return transposed ? from_bottom : from_right; }
  bool mirrors_rows() const { return transposed ? from_right : from_bottom; }

  // Where a box that is seen, in an image that is seen as height x width, is stored.
  Box stored(const Box& box, int64_t height, int64_t width) const;

  bool transposed, from_right, from_bottom;
};

// Copies a row of pixels of four bytes as it is seen, out of an image of stored height x width.
void copy_seen_row(const Turn& turn, const uint8_t* stored, int64_t height, int64_t width,
                   int64_t row, uint8_t* to);

}  // namespace lyceum::image
