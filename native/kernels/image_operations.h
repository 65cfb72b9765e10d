// The operations on images of bytes of RandAugment, TrivialAugment and colour jitter. They compute
// what PIL computes (Pillow 9.4), on which torchvision's versions of the three run. Nothing of
// libtorch is in here.
#pragma once

#include <cstdint>

namespace lyceum {

// The codes are also in src/data/policies/operations.ts.
enum class ImageOperation : int32_t {
  kIdentity,
  kShearX,      // magnitude: columns per row
  kShearY,      // rows per column
  kTranslateX,  // columns to the right, rounded towards 0
  kTranslateY,  // rows down, rounded towards 0
  kRotate,      // degrees counter-clockwise
  kBrightness,  // the factor less 1, as are the next three
  kColor,
  kContrast,
  kSharpness,
  kPosterize,  // bits that are kept
  kSolarize,   // the lowest value that is inverted
  kAutoContrast,
  kEqualize,
  kHue,  // a fraction of the whole circle of hues; grey images stay as they are
};
constexpr int32_t kImageOperations = 15;

// Of magnitudes up to this one, either way, no operation computes numbers that do not fit.
constexpr double kLargestMagnitude = 65536;

struct ImageShape {
  // Channels are 1 (grey, which kColor leaves as it is) or 3 (red, green, blue).
  int64_t channels, height, width;
};

// Applies an operation to an image [C, H, W], row by row. What comes from outside of the image is
// black. `to` must not overlap `from`.
void apply_operation(ImageOperation operation, double magnitude, const ImageShape& shape,
                     const uint8_t* from, uint8_t* to);

}  // namespace lyceum
