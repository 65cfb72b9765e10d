#include "kernels/convolution/winograd.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <numeric>

#include "kernels/convolution/implementations.h"
#include "kernels/isa.h"
#include "kernels/scratch.h"

namespace lyceum::winograd {

namespace {

const Kernels& table() { return kernels().winograd; }

// Working memory of each thread.
float* scratch(int64_t size) {
  thread_local Scratch one;
  return one.of(size);
}

// Packed weights and sums, of the thread that calls: convolutions may run on several threads of
// JavaScript at once.
float* packed(int64_t size) {
  thread_local Scratch one;
  return one.of(size);
}

Shape shape_of(const ConvolutionShape& s) {
  return {s.batch, s.height, s.width, s.in_channels, s.out_channels};
}

// The shape of the convolution from the result's gradient to the input's.
Shape turned(const Shape& s) { return {s.batch, s.height, s.width, s.out_channels, s.in_channels}; }

struct Strides {
  int64_t out, in, row, column;
};

Strides strides_of(const ConvolutionShape& s) {
  if (s.weights_last) return {9 * s.in_channels, 1, 3 * s.in_channels, s.in_channels};
  return {9 * s.in_channels, 9, 3, 1};
}

float* packed_for(const Shape& shape) {
  return packed(winograd::packed_size(shape.in_channels, shape.out_channels));
}

// With fewer tiles the transforms of the weights cost more than they save.
constexpr int64_t kLeastTiles = 48;
constexpr int64_t kChannelsAtOnce = 8;
// 256 KiB of an activation: two of them and the scratch fit into a second-level cache of a MiB.
constexpr int64_t kFloatsAtOnce = 1 << 16;
// A MiB of weights, in a second-level cache of two.
constexpr int64_t kWeightsAtOnce = 1 << 18;

const float* pack_all(const Weights& weights, const Shape& shape, bool turned, float* to) {
  at::parallel_for(0, shape.in_channels, kChannelsAtOnce, [&](int64_t begin, int64_t end) {
    table().pack(weights, shape, turned, begin, end, to);
  });
  return to;
}

// Divides the tiles evenly among the threads: the rest of a group takes its share of the time.
template <class Body>
void for_tiles(const Shape& shape, const Body& body) {
  at::parallel_for(0, shape.tiles(), ConvolutionGroup::tiles, body);
}

void convolve_all(const Shape& shape, const float* x, const float* weights, const After& after,
                  float* y) {
  for_tiles(shape, [&](int64_t begin, int64_t end) {
    table().convolve(shape, x, weights, after, begin, end,
                     scratch(scratch_size<ConvolutionGroup>(shape)), y, {});
  });
}

// Images that are gone through together: as many as fill groups of tiles, or as one cache holds
// with all that lies between.
struct ImageGroups {
  ImageGroups(const Shape& shape, int64_t tiles_together)
      : batch(shape.batch),
        in_image(shape.in_channels * shape.height * shape.width),
        out_image(shape.out_channels * shape.height * shape.width) {
    const int64_t tiles = shape.tiles_high() * shape.tiles_wide();
    images = std::clamp<int64_t>(kFloatsAtOnce / std::max(in_image, out_image), 1,
                                 tiles_together / std::gcd(tiles, tiles_together));
  }

  // Calls `body(part, begin, end, next)` for groups of images, those of a part one after the other:
  // [end, next) follow.
  template <class Body>
  void each(int64_t parts, const Body& body) const {
    at::parallel_for(0, parts, 1, [&](int64_t first, int64_t last) {
      for (int64_t part = first; part < last; part++) {
        const int64_t stop = first_of(part + 1, parts);
        for (int64_t image = first_of(part, parts); image < stop; image += images) {
          const int64_t end = std::min(image + images, stop);
          body(part, image, end, std::min(end + images, stop));
        }
      }
    });
  }

  int64_t first_of(int64_t part, int64_t parts) const { return batch * part / parts; }

  // The floats of an image of x and of the result.
  int64_t batch, in_image, out_image;
  // The number of images that are gone through together.
  int64_t images;
};

Prefetch images_of(const std::vector<Prefetched>& tensors, int64_t begin, int64_t end) {
  Prefetch prefetch;
  for (const auto& [data, bytes] : tensors) {
    prefetch.add(static_cast<const char*>(data) + begin * bytes, (end - begin) * bytes);
  }
  return prefetch;
}

}  // namespace

bool suits(const ConvolutionShape& s) {
  const bool window = s.kernel_height == 3 && s.kernel_width == 3 && s.stride_height == 1 &&
                      s.stride_width == 1 && s.pad_height == 1 && s.pad_width == 1;
  // Beyond, the weights do not stay in the second-level cache. With AVX-512 oneDNN's kernels, by
  // the same algorithm, are then as fast; without it oneDNN has none of that algorithm, but a few
  // images do not pay for turning so many weights.
  const int64_t limit = isa() == Isa::kAvx512 ? 128 : 512;
  const bool channels = s.in_channels % kLanes == 0 && s.out_channels % kLanes == 0 &&
                        s.in_channels < limit && s.out_channels < limit;
  return kernels().has_convolutions() && window && channels && s.allow_winograd && s.blocked &&
         !s.bfloat16 && shape_of(s).tiles() >= kLeastTiles;
}

int64_t parts(const ConvolutionShape& s) { return std::min(s.threads, s.batch); }

namespace {

int64_t packed_size(const ConvolutionShape& s) {
  return winograd::packed_size(s.in_channels, s.out_channels);
}

// Bits depend on the shape and on the number of threads, as oneDNN's do.

void pack(const ConvolutionShape& s, const void* weight, float* packed) {
  const Strides w = strides_of(s);
  pack_all({static_cast<const float*>(weight), w.out, w.in, w.row, w.column}, shape_of(s), false,
           packed);
}

void convolve_packed(const ConvolutionShape& s, const ForwardMemory& given) {
  const Shape shape = shape_of(s);
  const float* weights = given.packed;
  if (!weights) {
    float* made = packed_for(shape);
    pack(s, given.weight, made);
    weights = made;
  }
  After after;
  after.bias = static_cast<const float*>(given.bias);
  after.sum = s.sum;
  after.relu = s.relu;
  convolve_all(shape, static_cast<const float*>(given.x), weights, after,
               static_cast<float*>(given.y));
}

}  // namespace

void convolve_blocks(const ConvolutionShape& s, const std::vector<BlockMemory>& blocks,
                     const void* x, void* y, const StemMemory* first) {
  const Shape all = shape_of(s);
  const ImageGroups groups(all, ConvolutionGroup::tiles);
  // The number of blocks whose weights the cache holds.
  const int64_t size = packed_size(s), count = blocks.size();
  const int64_t at_once = std::clamp<int64_t>(kWeightsAtOnce / (2 * size), 1, count);
  const stem::Shape of_stem{s.height, s.width, first ? first->channels : 0, s.in_channels};
  const float* given = static_cast<const float*>(x);
  float* results = static_cast<float*>(y);
  for (int64_t from = 0; from < count; from += at_once) {
    const int64_t to = std::min(from + at_once, count);
    groups.each(parts(s), [&](int64_t, int64_t begin, int64_t end, int64_t) {
      Shape some = all;
      some.batch = end - begin;
      const int64_t buffer =
          std::max(scratch_size<ConvolutionGroup>(all), first ? stem::scratch_size(of_stem) : 0);
      float* working = scratch(buffer + groups.images * groups.in_image);
      float* inner = working + buffer;
      float* here = results + begin * groups.in_image;
      if (from == 0 && first) {
        for (int64_t image = begin; image < end; image++) {
          kernels().stem.convolve(of_stem, first->x + image * s.height * s.width * first->channels,
                                  first->weights, first->bias, working,
                                  results + image * groups.in_image);
        }
      } else if (from == 0 && given != results) {
        std::copy_n(given + begin * groups.in_image, (end - begin) * groups.in_image, here);
      }
      for (int64_t block = from; block < to; block++) {
        const auto& [packed, biases] = blocks[block];
        table().convolve(some, here, packed[0], {biases[0], false, true}, 0, some.tiles(), working,
                         inner, {});
        table().convolve(some, inner, packed[1], {biases[1], true, true}, 0, some.tiles(), working,
                         here, {});
      }
    });
  }
}

bool suits_streamed(const ConvolutionShape& s) {
  // Beyond, what is done at once would not stay in the cache, and nothing would be gained.
  return suits(s) && packed_size(s) <= kFloatsAtOnce &&
         std::max(s.in_channels, s.out_channels) * s.height * s.width <= kFloatsAtOnce;
}

void convolve_streamed(const ConvolutionShape& s, const ForwardMemory& given,
                       const AroundForward& around) {
  const Shape all = shape_of(s);
  const ImageGroups groups(all, ConvolutionGroup::tiles);
  float* weights = packed_for(all);
  pack(s, given.weight, weights);
  const float* x = static_cast<const float*>(given.x);
  float* y = static_cast<float*>(given.y);
  groups.each(parts(s), [&](int64_t part, int64_t begin, int64_t end, int64_t next) {
    Shape some = all;
    some.batch = end - begin;
    const int64_t buffer = scratch_size<ConvolutionGroup>(all);
    float* working = scratch(buffer + groups.images * groups.in_image);
    float* made = working + buffer;
    const float* from = x ? x + begin * groups.in_image : made;
    if (around.before) around.before(begin, end, made);
    table().convolve(some, from, weights, {}, 0, some.tiles(), working,
                     y + begin * groups.out_image, images_of(around.prefetched, end, next));
    if (around.after) around.after(part, begin, end);
  });
}

void convolve_backward_streamed(const ConvolutionShape& s, const BackwardMemory& given,
                                const AroundBackward& around) {
  const Shape all = shape_of(s), back = turned(all);
  const ImageGroups groups(all, GradientGroup::tiles);
  const Strides w = strides_of(s);
  const int64_t size = packed_size(s), count = parts(s);
  float* weights = packed((1 + count) * size);
  float* sums = weights + size;
  pack_all({static_cast<const float*>(given.weight), w.in, w.out, w.row, w.column}, back, true,
           weights);
  After after;
  after.sum = s.sum;
  const float* x = static_cast<const float*>(given.x);
  float* dx = static_cast<float*>(given.dx);
  groups.each(count, [&](int64_t part, int64_t begin, int64_t end, int64_t next) {
    Shape some = all, some_back = back;
    some.batch = some_back.batch = end - begin;
    const int64_t buffer =
        std::max(scratch_size<ConvolutionGroup>(back), scratch_size<GradientGroup>(all));
    float* working = scratch(buffer + groups.images * (groups.in_image + groups.out_image));
    float* dy = working + buffer;
    float* made = dy + groups.images * groups.out_image;
    const float* from = x ? x + begin * groups.in_image : made;
    if (begin == groups.first_of(part, count)) std::fill_n(sums + part * size, size, 0.0f);
    around.before(begin, end, dy, made);
    table().sum_weights(some, from, dy, 0, some.tiles(), working, sums + part * size,
                        images_of(around.prefetched_after, begin, end));
    table().convolve(some_back, dy, weights, after, 0, some.tiles(), working,
                     dx + begin * groups.in_image, images_of(around.prefetched, end, next));
    if (around.after) around.after(part, begin, end);
  });
  at::parallel_for(0, s.in_channels, kChannelsAtOnce, [&](int64_t begin, int64_t end) {
    table().unpack(all, sums, count, begin, end, static_cast<float*>(given.d_weight), w.out, w.in,
                   w.row, w.column);
  });
}

namespace {

void convolve_backward_data(const ConvolutionShape& s, const BackwardDataMemory& given) {
  const Shape shape = turned(shape_of(s));
  const Strides w = strides_of(s);
  const float* weights =
      pack_all({static_cast<const float*>(given.weight), w.in, w.out, w.row, w.column}, shape, true,
               packed_for(shape));
  After after;
  after.sum = s.sum;
  convolve_all(shape, static_cast<const float*>(given.dy), weights, after,
               static_cast<float*>(given.dx));
}

// The bias's gradient is not computed.
void convolve_backward_weights(const ConvolutionShape& s, const BackwardWeightsMemory& given) {
  const Shape shape = shape_of(s);
  const Strides w = strides_of(s);
  const int64_t size = packed_size(s);
  constexpr int64_t group = GradientGroup::tiles;
  const int64_t tiles = shape.tiles(), parts = std::min(s.threads, (tiles + group - 1) / group);
  float* sums = packed(parts * size);
  at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part++) {
      std::fill_n(sums + part * size, size, 0.0f);
      table().sum_weights(shape, static_cast<const float*>(given.x),
                          static_cast<const float*>(given.dy), tiles * part / parts,
                          tiles * (part + 1) / parts, scratch(scratch_size<GradientGroup>(shape)),
                          sums + part * size, {});
    }
  });
  at::parallel_for(0, s.in_channels, kChannelsAtOnce, [&](int64_t begin, int64_t end) {
    table().unpack(shape, sums, parts, begin, end, static_cast<float*>(given.d_weight), w.out, w.in,
                   w.row, w.column);
  });
}

bool suits_pass(const ConvolutionShape& s, Pass pass) {
  return suits(s) && !(pass == Pass::kBackwardWeights && s.bias);
}

Layout packed_layout(const ConvolutionShape& s) { return {packed_size(s)}; }

bool adds_to_gradient(const ConvolutionShape&) { return true; }

}  // namespace

const Implementation implementation{
    suits_pass,      packed_layout,          pack,
    convolve_packed, convolve_backward_data, convolve_backward_weights,
    adds_to_gradient};

}  // namespace lyceum::winograd
