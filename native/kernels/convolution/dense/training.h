// A block of a DenseNet-BC in training: what its forward and its backward pass have in common. The
// operator (dense_block.cpp) says what is computed.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>

#include "kernels/batch_norm/steps.h"
#include "kernels/convolution/dense/shape.h"
#include "kernels/isa.h"

namespace lyceum::dense {

constexpr const char* kName = "dense_block";

// The parameters of a layer, both norms' weight and bias and both convolutions' weight, and its
// averages, both norms' mean and variance.
constexpr size_t kParameters = 6, kAverages = 4;
// The parameters of the norm that comes after the block, and its averages.
constexpr size_t kAfter = 2;

struct Layer {
  const at::Tensor &weight1, &bias1, &narrow, &weight2, &bias2, &wide;

  static Layer of(const at::Tensor* p) { return {p[0], p[1], p[2], p[3], p[4], p[5]}; }
};

// What the forward pass finds of a layer and the backward pass needs.
struct Kept {
  static constexpr size_t kTensors = 3;
  at::Tensor z, mean, inverse;
};

// Working memory of each thread, shared by both passes.
float* scratch(int64_t size);

// A batch: the parts into which it is divided, each of which one thread goes through, and how its
// blocks lie.
struct Batch {
  Batch(const DenseShape& shape, int64_t batch)
      : size(batch),
        parts(std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), batch))),
        pixels(shape.pixels()),
        plane(shape.plane()),
        inner_blocks(shape.inner_blocks()),
        at_once(shape.images_at_once()) {}

  int64_t block_stride() const { return size * plane; }

  // Calls `body(part, begin, end, next)` for groups of at most `images`, those of a part one after
  // the other: [end, next) follow.
  template <class Body>
  void each_group(int64_t images, const Body& body) const {
    at::parallel_for(0, parts, 1, [&](int64_t first, int64_t last) {
      for (int64_t part = first; part < last; part++) {
        const int64_t stop = size * (part + 1) / parts;
        for (int64_t image = size * part / parts; image < stop; image += images) {
          const int64_t end = std::min(image + images, stop);
          body(part, image, end, std::min(end + images, stop));
        }
      }
    });
  }

  template <class Body>
  void each(const Body& body) const {
    each_group(1, [&](int64_t part, int64_t image, int64_t, int64_t) { body(part, image); });
  }

  // Asks for some images of a block, or of what lies between the two convolutions.
  void prefetch_block(winograd::Prefetch& prefetch, const float* block, int64_t begin,
                      int64_t end) const {
    prefetch.add(block + begin * plane, (end - begin) * plane * int64_t(sizeof(float)));
  }
  void prefetch_inner(winograd::Prefetch& prefetch, const float* inner, int64_t begin,
                      int64_t end) const {
    prefetch.add(inner + inner_at(begin), inner_at(end - begin) * int64_t(sizeof(float)));
  }

  // The channels of some images of some blocks.
  Channels blocks(int64_t count, int64_t images) const {
    Channels c;
    c.channels = count * kLanes;
    c.blocks = count;
    c.segments = images;
    c.rows = pixels;
    c.segment_stride = plane;
    c.block_stride = block_stride();
    c.row_stride = kLanes;
    return c;
  }

  // The channels of some images between the two convolutions, [images][blocks][pixels][16].
  Channels inner(int64_t images) const {
    Channels c = blocks(inner_blocks, images);
    c.segment_stride = inner_blocks * plane;
    c.block_stride = plane;
    return c;
  }

  // The offset of an image between the two convolutions.
  int64_t inner_at(int64_t image) const { return image * inner_blocks * plane; }

  // `size` images in all, `at_once` of which go together through the 3x3 convolution.
  int64_t size, parts, pixels, plane, inner_blocks, at_once;
};

// The 3x3 convolution of some images as Winograd's kernels take it.
inline winograd::Shape tiled(const DenseShape& shape, int64_t images) {
  return {images, shape.height, shape.width, shape.inner, kLanes};
}

struct ForwardResult {
  DenseShape shape;
  // The result, and all channels in blocks of lanes, [blocks][images][pixels][16].
  at::Tensor y, grown;
  // The statistics of all channels.
  Statistics statistics;
  std::vector<Kept> layers;
};

// Also takes the statistics into the running averages. Throws c10::Error for tensors that do not
// fit.
ForwardResult forward(const at::Tensor& x, at::TensorList parameters, at::TensorList averages,
                      at::IntArrayRef window, double momentum, double eps);

// What the forward pass saved.
struct Saved {
  DenseShape shape;
  at::Tensor grown;
  // The mean and the inverse of the deviation of each lane.
  at::Tensor mean, inverse;
  at::TensorList parameters;
  // Kept::kTensors of each layer.
  at::TensorList kept;
  std::vector<int64_t> window;
};

// The gradients of x, if wanted, and of the parameters, in the operator's order.
std::vector<at::Tensor> backward(const at::Tensor& dy, const Saved& saved, bool x_wanted);

}  // namespace lyceum::dense
