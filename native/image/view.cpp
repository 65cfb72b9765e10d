#include "image/view.h"

#include <algorithm>
#include <cmath>

namespace lyceum::image {
namespace {

// The largest of 1, 2, 4 and 8 by which a box can be shrunk and still cover the view.
int64_t denominator_for(const View& view, const Box& box) {
  int64_t denominator = 1;
  while (denominator < 8 && box.height >= 2 * denominator * view.height &&
         box.width >= 2 * denominator * view.width) {
    denominator *= 2;
  }
  return denominator;
}

// The stretch of a side that a box covers, of an image decoded at 1 / denominator. Decoding counts
// the pixels that it merges from one end; `mirrored` says that it is the end that is seen last.
Axis stretched(int64_t begin, int64_t length, int64_t side, int64_t denominator, bool mirrored,
               int64_t out) {
  const int64_t available = shrunk(side, denominator);
  const double shift = mirrored ? double(available) - double(side) / double(denominator) : 0;
  const double from = double(begin) / double(denominator) + shift;
  const double size = double(length) / double(denominator);
  const int64_t low = std::clamp<int64_t>(int64_t(std::floor(from)), 0, available - 1);
  const int64_t high = std::clamp<int64_t>(int64_t(std::ceil(from + size)), low + 1, available);
  return {low, high - low, from - double(low), size, out, 0, out, 0};
}

// A side that becomes `out` pixels, of which the middle `shown` are cut out.
Axis centred(int64_t side, int64_t out, int64_t shown) {
  Axis axis{0, side, 0, double(side), out, 0, shown, 0};
  if (shown > out) {
    axis.count = out;
    axis.at = (shown - out) / 2;
  } else {
    // Halves are rounded to even, as Python's round does.
    axis.first = int64_t(std::nearbyint(double(out - shown) / 2.0));
  }
  return axis;
}

struct Size {
  int64_t height, width;
};

// The size of an image whose shorter side becomes `shorter`.
Size resized(int64_t shorter, int64_t height, int64_t width) {
  const int64_t longer = shorter * std::max(height, width) / std::min(height, width);
  return height < width ? Size{shorter, longer} : Size{longer, shorter};
}

}  // namespace

Plan plan_view(const View& view, uint64_t key, int64_t height, int64_t width, bool may_shrink,
               bool mirrored_rows, bool mirrored_columns) {
  if (view.random) {
    const Box box = draw_box(view.range, key, height, width);
    const int64_t denominator = may_shrink ? denominator_for(view, box) : 1;
    return {box, denominator,
            stretched(box.top, box.height, height, denominator, mirrored_rows, view.height),
            stretched(box.left, box.width, width, denominator, mirrored_columns, view.width)};
  }
  const Size size = resized(view.resize, height, width);
  return {{0, 0, height, width},
          1,
          centred(height, size.height, view.height),
          centred(width, size.width, view.width)};
}

Plan plan_fit(int64_t shorter, int64_t height, int64_t width) {
  const bool fits = std::min(height, width) <= shorter;
  const Size size = fits ? Size{height, width} : resized(shorter, height, width);
  return {{0, 0, height, width},
          1,
          centred(height, size.height, size.height),
          centred(width, size.width, size.width)};
}

}  // namespace lyceum::image
