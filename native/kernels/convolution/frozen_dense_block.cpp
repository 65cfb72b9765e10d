// lyceum::frozen_dense_block: a block of a frozen DenseNet-BC (Huang et al. 2017), whose second batch norms are folded
// into the 1x1 convolutions,
//
//   x = cat(x, conv3x3(relu(conv1x1(relu(norm(x))))))
//
// layer after layer; float32, channels-last, without gradient. An image at a time, or a few, go through all layers in a
// core's own cache: in memory, a block that grows by a few channels a layer costs more time than its arithmetic does.
//
// Inside, channels lie in blocks of sixteen lanes, [blocks][images][pixels][16]: those of x first, then one block for
// each layer, of which the growth decides how many lanes are used. So a layer writes beside what is there.
//
// The same out of separate layers is in src/models/dense-block.ts; tests hold the two together.
#ifdef LYCEUM_AVX512
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/library.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/convolution/kept_weights.h"
#include "kernels/convolution/pointwise/kernels.h"
#include "kernels/convolution/winograd/kernels.h"
#include "kernels/scratch.h"
#include "kernels/vector.h"

namespace {

using lyceum::kLanes;
namespace pointwise = lyceum::pointwise;
namespace winograd = lyceum::winograd;

int64_t blocks_for(int64_t channels) { return (channels + kLanes - 1) / kLanes; }

// What a layer computes with, in blocks of lanes.
struct Layer {
  std::vector<float> scale, shift;
  at::Tensor narrow, bias, wide;
};

struct Block {
  int64_t in_channels, inner, growth, height, width;
  std::vector<Layer> layers;
  // Used lanes of each block of channels.
  std::vector<int64_t> lanes;

  int64_t in_blocks() const { return blocks_for(in_channels); }
  int64_t pixels() const { return height * width; }
  int64_t out_channels() const { return in_channels + growth * int64_t(layers.size()); }
};

void check_values(const at::Tensor& values, int64_t count, const char* name) {
  TORCH_CHECK(values.is_cpu() && values.scalar_type() == at::kFloat && values.is_contiguous() &&
                  values.sizes() == at::IntArrayRef({count}),
              "frozen_dense_block: ", name, " must be contiguous float32 [", count, "] on the CPU, got ",
              values.scalar_type(), " ", values.sizes());
}

void check_weight(const at::Tensor& weight, at::IntArrayRef sizes) {
  TORCH_CHECK(weight.is_cpu() && weight.scalar_type() == at::kFloat && weight.layout() == at::kStrided &&
                  weight.sizes() == sizes,
              "frozen_dense_block: a weight must be float32 ", sizes, " on the CPU, got ", weight.scalar_type(), " ",
              weight.sizes());
}

// [K, C, 1, 1] to [blocks, 16, K], each channel in its lane.
at::Tensor in_lanes(const at::Tensor& weight, const std::vector<int64_t>& lanes) {
  const int64_t out = weight.size(0);
  return lyceum::kept_weights(weight, {int64_t(lanes.size()) * kLanes * out}, [&](float* to) {
    const at::Tensor from = weight.reshape({out, -1}).t().contiguous();
    const float* row = from.data_ptr<float>();
    for (size_t block = 0; block < lanes.size(); block++) {
      for (int64_t lane = 0; lane < kLanes; lane++, to += out) {
        const bool used = lane < lanes[block];
        if (used) std::copy_n(row, out, to);
        if (!used) std::fill_n(to, out, 0.0f);
        if (used) row += out;
      }
    }
  });
}

// [growth, C, 3, 3] in frequencies, with as many zeros as fill a block.
at::Tensor in_frequencies(const at::Tensor& weight) {
  const int64_t channels = weight.size(1);
  return lyceum::kept_weights(weight, {winograd::packed_size(channels, kLanes)}, [&](float* to) {
    at::Tensor padded = at::zeros({kLanes, channels, 3, 3}, weight.options());
    padded.narrow(0, 0, weight.size(0)).copy_(weight);
    const winograd::Weights weights{padded.data_ptr<float>(), 9 * channels, 9, 3, 1};
    winograd::pack(weights, {1, 4, 4, channels, kLanes}, false, 0, channels, to);
  });
}

// Scale and shift of a norm by its running averages, each channel in its lane.
void scale_in_lanes(at::TensorList norm, double eps, const std::vector<int64_t>& lanes, Layer& layer) {
  layer.scale.assign(lanes.size() * kLanes, 0.0f);
  layer.shift.assign(lanes.size() * kLanes, 0.0f);
  int64_t channel = 0;
  const auto at = [&](int i) { return double(norm[i].data_ptr<float>()[channel]); };
  for (size_t block = 0; block < lanes.size(); block++) {
    for (int64_t lane = 0; lane < lanes[block]; lane++, channel++) {
      const double slope = at(0) / std::sqrt(at(3) + eps);
      layer.scale[block * kLanes + lane] = float(slope);
      layer.shift[block * kLanes + lane] = float(at(1) - at(2) * slope);
    }
  }
}

Block block_of(const at::Tensor& x, at::TensorList norms, at::TensorList weights, at::TensorList biases, double eps) {
  TORCH_CHECK(__builtin_cpu_supports("avx512f"), "frozen_dense_block needs a processor with AVX-512");
  TORCH_CHECK(x.is_cpu() && x.scalar_type() == at::kFloat && x.layout() == at::kStrided && x.dim() == 4 &&
                  x.size(1) > 0 && x.size(2) * x.size(3) >= pointwise::kPixels,
              "frozen_dense_block: x must be float32 [N, C, H, W] of ", pointwise::kPixels,
              " pixels or more on the CPU, got ", x.scalar_type(), " ", x.sizes());
  const size_t count = biases.size();
  TORCH_CHECK(count > 0 && norms.size() == 4 * count && weights.size() == 2 * count,
              "frozen_dense_block: for each layer four of norms, two weights and a bias, got ", norms.size(), ", ",
              weights.size(), " and ", count);
  TORCH_CHECK(weights[1].dim() == 4, "frozen_dense_block: weights must be [K, C, h, w], got ", weights[1].sizes());
  Block block{x.size(1), weights[1].size(1), weights[1].size(0), x.size(2), x.size(3), {}, {}};
  TORCH_CHECK(block.inner > 0 && block.inner % kLanes == 0 && block.growth >= 1 && block.growth <= kLanes,
              "frozen_dense_block: a layer must narrow to a multiple of 16 channels and grow by 1 to 16, got ", block.inner,
              " and ", block.growth);
  for (int64_t left = block.in_channels; left > 0; left -= kLanes) block.lanes.push_back(std::min(left, kLanes));
  int64_t channels = block.in_channels;
  for (size_t i = 0; i < count; i++, channels += block.growth) {
    for (size_t j = 0; j < 4; j++) check_values(norms[4 * i + j], channels, "each of norms");
    check_weight(weights[2 * i], {block.inner, channels, 1, 1});
    check_weight(weights[2 * i + 1], {block.growth, block.inner, 3, 3});
    check_values(biases[i], block.inner, "a bias");
    Layer layer;
    scale_in_lanes(norms.slice(4 * i, 4), eps, block.lanes, layer);
    layer.narrow = in_lanes(weights[2 * i], block.lanes);
    layer.bias = biases[i];
    layer.wide = in_frequencies(weights[2 * i + 1]);
    block.layers.push_back(std::move(layer));
    block.lanes.push_back(block.growth);
  }
  return block;
}

// An image, [pixels, channels], to where its blocks lie. Lanes that are not used may hold anything.
void read_image(const Block& block, const float* from, int64_t block_stride, float* to) {
  const int64_t pixels = block.pixels(), channels = block.in_channels;
  const float* end = from + pixels * channels;
  for (int64_t b = 0; b < block.in_blocks(); b++) {
    const float* pixel = from + b * kLanes;
    float* out = to + b * block_stride;
    for (int64_t i = 0; i < pixels; i++, pixel += channels, out += kLanes) {
      // A whole register reaches into the next pixels, as long as there are any.
      if (end - pixel >= kLanes) {
        lyceum::store(out, lyceum::load(pixel));
      } else {
        std::copy_n(pixel, block.lanes[b], out);
      }
    }
  }
}

// Back; what is written too far is written again by what comes next.
void write_image(const Block& block, const float* from, int64_t block_stride, float* to) {
  const int64_t pixels = block.pixels(), blocks = block.lanes.size();
  const float* end = to + pixels * block.out_channels();
  for (int64_t i = 0; i < pixels; i++, from += kLanes) {
    for (int64_t b = 0; b < blocks; b++) {
      const float* lanes = from + b * block_stride;
      if (end - to >= kLanes) {
        lyceum::store(to, lyceum::load(lanes));
      } else {
        std::copy_n(lanes, block.lanes[b], to);
      }
      to += block.lanes[b];
    }
  }
}

// 128 KiB of a block of channels, or an image; with small images as many as fill groups of tiles.
int64_t images_at_once(const Block& block) {
  constexpr int64_t kFloats = 1 << 15, kMost = 3;
  return std::clamp<int64_t>(kFloats / (block.pixels() * kLanes), 1, kMost);
}

at::Tensor frozen_dense_block(const at::Tensor& x_in, at::TensorList norms, at::TensorList weights,
                              at::TensorList biases, double eps) {
  const Block block = block_of(x_in, norms, weights, biases, eps);
  const at::Tensor x = x_in.contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t batch = x.size(0), pixels = block.pixels(), inner_blocks = block.inner / kLanes;
  const at::Tensor y =
      at::empty({batch, block.out_channels(), block.height, block.width}, x.options(), at::MemoryFormat::ChannelsLast);
  const int64_t at_once = images_at_once(block), blocks = block.lanes.size(), plane = pixels * kLanes;
  winograd::Shape shape{at_once, block.height, block.width, block.inner, kLanes};
  const int64_t working = winograd::scratch_size<winograd::ConvolutionGroup>(shape) + pointwise::scratch_size(blocks);
  const float* from = x.data_ptr<float>();
  float* to = y.data_ptr<float>();

  at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    thread_local lyceum::Scratch scratch;
    const int64_t block_stride = at_once * plane;
    float* memory = scratch.of(working + (blocks + inner_blocks) * block_stride);
    float* grown = memory + working;
    float* inner = grown + blocks * block_stride;
    winograd::Shape some = shape;
    for (int64_t first = begin; first < end; first += at_once) {
      some.batch = std::min(at_once, end - first);
      for (int64_t i = 0; i < some.batch; i++) {
        read_image(block, from + (first + i) * pixels * block.in_channels, block_stride, grown + i * plane);
      }
      for (size_t l = 0; l < block.layers.size(); l++) {
        const Layer& layer = block.layers[l];
        const int64_t there = block.in_blocks() + int64_t(l);
        for (int64_t i = 0; i < some.batch; i++) {
          pointwise::convolve({grown + i * plane, block_stride, there, pixels, block.lanes.data(), layer.scale.data(),
                               layer.shift.data()},
                              layer.narrow.data_ptr<float>(), layer.bias.data_ptr<float>(), memory,
                              {inner + i * inner_blocks * plane, plane, inner_blocks});
        }
        winograd::convolve(some, inner, layer.wide.data_ptr<float>(), {}, 0, some.tiles(), memory,
                           grown + there * block_stride);
      }
      for (int64_t i = 0; i < some.batch; i++) {
        write_image(block, grown + i * plane, block_stride, to + (first + i) * pixels * block.out_channels());
      }
    }
  });
  return y;
}

at::Tensor frozen_dense_block_autograd(const at::Tensor& x, at::TensorList norms, at::TensorList weights,
                                       at::TensorList biases, double eps) {
  const auto check = [](const at::Tensor& input) {
    TORCH_CHECK(!(at::GradMode::is_enabled() && input.requires_grad()),
                "frozen_dense_block has no gradient: call it in noGrad");
  };
  check(x);
  for (const at::TensorList list : {norms, weights, biases}) {
    for (const at::Tensor& tensor : list) check(tensor);
  }
  at::AutoDispatchBelowADInplaceOrView below;
  return frozen_dense_block(x, norms, weights, biases, eps);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "frozen_dense_block(Tensor x, Tensor[] norms, Tensor[] weights, Tensor[] biases, float eps) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("frozen_dense_block", frozen_dense_block); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) { m.impl("frozen_dense_block", frozen_dense_block_autograd); }
#endif
