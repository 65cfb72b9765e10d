// What is shown of an image: which part, and in how many pixels.
#pragma once

#include <cstdint>

#include "image/boxes.h"
#include "image/outcome.h"

namespace lyceum::image {

// A view of height x width pixels. A random one stretches a box of the image to that size
// (torchvision's RandomResizedCrop); the other one resizes the image so that its shorter side has
// `resize` pixels, and cuts out the middle (torchvision's Resize and CenterCrop), with black around
// where that is smaller.
struct View {
  bool random;
  BoxRange range;
  int64_t resize;
  int64_t height, width;
};

// What decides the view of one image: the key of a random view, and whether what is seen is
// mirrored from left to right.
struct Choice {
  uint64_t key;
  bool mirrored;
};

// How `in` pixels along one side, from `origin` of the image on, become pixels of the view. The
// stretch of `size` from `from` on, both in pixels from the origin, would become `out` pixels; of
// these, `count` from `first` on are shown, beginning at pixel `at` of the view. Pixels outside of
// the `in` are not looked at.
struct Axis {
  int64_t origin, in;
  double from, size;
  int64_t out, first, count, at;
};

struct Plan {
  Box box;
  int64_t denominator;
  Axis rows, columns;
};

// What a view shows of an image of height x width.
//
// `key` decides a random view. `may_shrink` allows a random view to be made of the image decoded at
// a half, a quarter or an eighth of its size, as long as the box keeps at least as many pixels as
// the view has; the axes are those of the smaller image then. `mirrored_rows`, `mirrored_columns`
// tell that the image is decoded in the opposite order, which matters to a size that the
// denominator does not divide.
Plan plan_view(const View& view, uint64_t key, int64_t height, int64_t width, bool may_shrink,
               bool mirrored_rows, bool mirrored_columns);

// The whole image, made smaller so that its shorter side has `shorter` pixels (torchvision's
// Resize); as it is where it has no more.
Plan plan_fit(int64_t shorter, int64_t height, int64_t width);

// The size of a side of an image that is decoded at 1 / denominator.
inline int64_t shrunk(int64_t size, int64_t denominator) {
  return (size + denominator - 1) / denominator;
}

}  // namespace lyceum::image
