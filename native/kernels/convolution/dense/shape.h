// What the blocks of a DenseNet-BC (Huang et al. 2017), frozen and in training, have in common.
//
// Inside, channels lie in blocks of sixteen lanes: those of x first, then one block for each layer,
// of which the growth decides how many lanes are used. So a layer writes beside what is there.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "kernels/isa/common.h"

namespace lyceum {

struct DenseShape {
  int64_t in_channels, inner, growth, height, width;
  // The number of used lanes of each block of channels: of x's alone, or of the layers' too.
  std::vector<int64_t> lanes;

  DenseShape(int64_t in_channels, int64_t inner, int64_t growth, int64_t height, int64_t width);

  int64_t in_blocks() const { return (in_channels + kLanes - 1) / kLanes; }
  int64_t inner_blocks() const { return inner / kLanes; }
  int64_t pixels() const { return height * width; }
  // The floats of one block of one image.
  int64_t plane() const { return pixels() * kLanes; }
  // The number of channels in all blocks.
  int64_t channels() const;

  // The same channels where windows of the images are averaged; throws c10::Error unless these
  // divide them.
  DenseShape averaged(const char* name, at::IntArrayRef window) const;

  // The number of images that are taken together: 128 KiB of a block of channels, but at least one
  // image, and at most as many small ones as fill groups of tiles.
  int64_t images_at_once() const;
};

// Throws c10::Error, in the operator's name, unless weights are [inner, C, 1, 1] and [growth,
// inner, 3, 3], float32, and the kernels can compute them for an x of float32 [N, C, H, W].
DenseShape dense_shape(const char* name, const at::Tensor& x, const at::Tensor& narrow,
                       const at::Tensor& wide);
void check_dense_values(const char* name, const at::Tensor& values, int64_t count,
                        const char* what);
void check_dense_weights(const char* name, const DenseShape& shape, int64_t channels,
                         const at::Tensor& narrow, const at::Tensor& wide);

// Reads an image in channels-last, [pixels, channels], into its blocks, which lie block_stride
// floats apart. Unused lanes become zero.
void read_lanes(const DenseShape& shape, const float* from, int64_t block_stride, float* to);
// Writes blocks back to an image in channels-last.
void write_lanes(const DenseShape& shape, const float* from, int64_t block_stride, float* to);

// The values of channels by lane; zero in unused lanes.
std::vector<float> in_lanes(const std::vector<int64_t>& lanes, const float* of_channels);

// Packs weights [K, C, 1, 1] as [blocks, 16, K], each channel in its lane.
void pack_narrow(const at::Tensor& weight, const std::vector<int64_t>& lanes, float* to);
// Weights [growth, C, 3, 3] with zeros that fill a block, [16, C, 3, 3].
at::Tensor padded_wide(const at::Tensor& weight);

}  // namespace lyceum
