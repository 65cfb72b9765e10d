#include "kernels/isa/lanes.h"

#include "kernels/isa/vector.h"

namespace lyceum::lanes::LYCEUM_ISA {

using namespace lyceum::LYCEUM_ISA;

void read(const Shape& shape, const float* from, int64_t block_stride, float* to) {
  const float* end = from + shape.pixels * shape.channels;
  for (int64_t b = 0; b < shape.blocks; b++, to += block_stride) {
    const int64_t lanes = shape.used[b];
    float ones[kLanes];
    for (int64_t lane = 0; lane < kLanes; lane++) ones[lane] = lane < lanes ? 1.0f : 0.0f;
    const Vector used = load(ones);
    const float* pixel = from;
    float* out = to;
    for (int64_t i = 0; i < shape.pixels; i++, pixel += shape.channels, out += kLanes) {
      // A whole register reaches into the next pixels, as long as there are any.
      store(out,
            end - pixel >= kLanes ? (where_positive(used, load(pixel))) : load(pixel, Part{lanes}));
    }
    from += lanes;
  }
}

void write(const Shape& shape, const float* from, int64_t block_stride, float* to) {
  const float* end = to + shape.pixels * shape.channels;
  for (int64_t i = 0; i < shape.pixels; i++, from += kLanes) {
    for (int64_t b = 0; b < shape.blocks; b++) {
      const float* block = from + b * block_stride;
      if (end - to >= kLanes) {
        // Lanes that are written beyond the block's own are written again by what comes next.
        store(to, load(block));
      } else {
        for (int64_t lane = 0; lane < shape.used[b]; lane++) to[lane] = block[lane];
      }
      to += shape.used[b];
    }
  }
}

}  // namespace lyceum::lanes::LYCEUM_ISA
