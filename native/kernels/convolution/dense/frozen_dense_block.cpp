// lyceum::frozen_dense_block: a block of a frozen DenseNet-BC (Huang et al. 2017), whose second
// batch norms are folded into the 1x1 convolutions,
//
//   x = cat(x, conv3x3(relu(conv1x1(relu(norm(x))))))
//
// layer after layer; float32, channels-last, without gradient. Where windows are given, what comes
// after the block goes with it: the averages of relu(norm(x)) over each window. An image at a time,
// or a few, go through all layers in a core's own cache: in memory, a block that grows by a few
// channels a layer costs more time than its arithmetic does. Inside, channels lie in lanes
// (shape.h), [blocks][images][pixels][16].
//
// The same out of separate layers is in src/nn/dense-layer.ts; tests hold the two together.
#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <cmath>

#include "kernels/convolution/dense/shape.h"
#include "kernels/convolution/kept_weights.h"
#include "kernels/isa.h"
#include "kernels/scratch.h"

namespace {

using lyceum::kLanes;
namespace pointwise = lyceum::pointwise;
namespace winograd = lyceum::winograd;

constexpr const char* kName = "frozen_dense_block";

// The tensors of a norm: weight, bias, running mean and variance.
constexpr size_t kNorm = 4;

// Scale and shift of a norm by its running averages, in lanes.
struct Scaling {
  std::vector<float> scale, shift;

  static Scaling of(at::TensorList norm, double eps, const lyceum::DenseShape& shape) {
    std::vector<float> scale, shift;
    for (const at::Tensor& values : norm) {
      lyceum::check_dense_values(kName, values, shape.channels(), "each of norms");
    }
    for (int64_t channel = 0; channel < norm[0].numel(); channel++) {
      const auto at = [&](int i) { return double(norm[i].data_ptr<float>()[channel]); };
      const double slope = at(0) / std::sqrt(at(3) + eps);
      scale.push_back(float(slope));
      shift.push_back(float(at(1) - at(2) * slope));
    }
    return {lyceum::in_lanes(shape.lanes, scale.data()),
            lyceum::in_lanes(shape.lanes, shift.data())};
  }
};

// What a layer computes with, in lanes.
struct Layer {
  Scaling norm;
  at::Tensor narrow, bias, wide;
};

struct Block {
  lyceum::DenseShape shape;
  std::vector<Layer> layers;
  // What comes after them.
  Scaling after;
};

at::Tensor narrow_of(const at::Tensor& weight, const lyceum::DenseShape& shape) {
  // The same number of floats may belong to other lanes, which the name tells apart. Its last bits
  // tell it from other kernels' names.
  const uint64_t name = (uint64_t(shape.in_channels) * 32 + shape.growth) * 4 + 2;
  return lyceum::kept_weights(weight, {int64_t(shape.lanes.size()) * kLanes * weight.size(0), name},
                              [&](float* to) { lyceum::pack_narrow(weight, shape.lanes, to); });
}

at::Tensor wide_of(const at::Tensor& weight) {
  const int64_t channels = weight.size(1);
  return lyceum::kept_weights(weight, {winograd::packed_size(channels, kLanes)}, [&](float* to) {
    const at::Tensor padded = lyceum::padded_wide(weight);
    const winograd::Weights weights{padded.data_ptr<float>(), 9 * channels, 9, 3, 1};
    lyceum::kernels().winograd.pack(weights, {1, 4, 4, channels, kLanes}, false, 0, channels, to);
  });
}

Block block_of(const at::Tensor& x, at::TensorList norms, at::TensorList weights,
               at::TensorList biases, at::IntArrayRef window, double eps) {
  const size_t count = biases.size(), after = window.empty() ? 0 : 1;
  TORCH_CHECK(count > 0 && norms.size() == kNorm * (count + after) && weights.size() == 2 * count,
              kName,
              ": for each layer, and for a window, four of norms, for each layer two weights and a "
              "bias, got ",
              norms.size(), ", ", weights.size(), " and ", count);
  Block block{lyceum::dense_shape(kName, x, weights[0], weights[1]), {}, {}};
  lyceum::DenseShape& shape = block.shape;
  for (size_t i = 0; i < count; i++) {
    lyceum::check_dense_weights(kName, shape, shape.channels(), weights[2 * i], weights[2 * i + 1]);
    lyceum::check_dense_values(kName, biases[i], shape.inner, "a bias");
    block.layers.push_back({Scaling::of(norms.slice(kNorm * i, kNorm), eps, shape),
                            narrow_of(weights[2 * i], shape), biases[i],
                            wide_of(weights[2 * i + 1])});
    shape.lanes.push_back(shape.growth);
  }
  if (after > 0) block.after = Scaling::of(norms.slice(kNorm * count, kNorm), eps, shape);
  return block;
}

at::Tensor frozen_dense_block(const at::Tensor& x_in, at::TensorList norms, at::TensorList weights,
                              at::TensorList biases, at::IntArrayRef window, double eps) {
  const Block block = block_of(x_in, norms, weights, biases, window, eps);
  const lyceum::DenseShape& shape = block.shape;
  const bool averages = !window.empty();
  const lyceum::DenseShape out = averages ? shape.averaged(kName, window) : shape;
  const lyceum::DenseShape in(shape.in_channels, shape.inner, shape.growth, shape.height,
                              shape.width);
  const at::Tensor x = x_in.contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t batch = x.size(0), pixels = shape.pixels(), plane = shape.plane(),
                inner_blocks = shape.inner_blocks();
  const at::Tensor y = at::empty({batch, out.channels(), out.height, out.width}, x.options(),
                                 at::MemoryFormat::ChannelsLast);
  const int64_t at_once = shape.images_at_once(), blocks = shape.lanes.size();
  winograd::Shape tiled{at_once, shape.height, shape.width, shape.inner, kLanes};
  const int64_t working =
      winograd::scratch_size<winograd::ConvolutionGroup>(tiled) + pointwise::scratch_size(blocks);
  const float* from = x.data_ptr<float>();
  float* to = y.data_ptr<float>();

  at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    thread_local lyceum::Scratch scratch;
    const int64_t block_stride = at_once * plane;
    float* memory =
        scratch.of(working + (blocks + inner_blocks) * block_stride + blocks * out.plane());
    float* grown = memory + working;
    float* inner = grown + blocks * block_stride;
    float* small = inner + inner_blocks * block_stride;
    winograd::Shape some = tiled;
    for (int64_t first = begin; first < end; first += at_once) {
      some.batch = std::min(at_once, end - first);
      for (int64_t i = 0; i < some.batch; i++) {
        lyceum::read_lanes(in, from + (first + i) * pixels * shape.in_channels, block_stride,
                           grown + i * plane);
      }
      for (size_t l = 0; l < block.layers.size(); l++) {
        const Layer& layer = block.layers[l];
        const int64_t there = shape.in_blocks() + int64_t(l);
        for (int64_t i = 0; i < some.batch; i++) {
          lyceum::kernels().pointwise.convolve(
              {grown + i * plane, block_stride, there, pixels, shape.lanes.data(),
               layer.norm.scale.data(), layer.norm.shift.data()},
              layer.narrow.data_ptr<float>(), layer.bias.data_ptr<float>(), memory,
              {inner + i * inner_blocks * plane, plane, inner_blocks});
        }
        lyceum::kernels().winograd.convolve(some, inner, layer.wide.data_ptr<float>(), {}, 0,
                                            some.tiles(), memory, grown + there * block_stride, {});
      }
      for (int64_t i = 0; i < some.batch; i++) {
        const float* result = grown + i * plane;
        if (averages) {
          lyceum::kernels().pointwise.average(
              {result, block_stride, blocks, pixels, shape.lanes.data(), block.after.scale.data(),
               block.after.shift.data()},
              {out.height, out.width, window[0], window[1]}, small);
          result = small;
        }
        lyceum::write_lanes(out, result, averages ? out.plane() : block_stride,
                            to + (first + i) * out.pixels() * out.channels());
      }
    }
  });
  return y;
}

at::Tensor frozen_dense_block_autograd(const at::Tensor& x, at::TensorList norms,
                                       at::TensorList weights, at::TensorList biases,
                                       at::IntArrayRef window, double eps) {
  const auto check = [](const at::Tensor& input) {
    TORCH_CHECK(!(at::GradMode::is_enabled() && input.requires_grad()),
                "frozen_dense_block has no gradient: call it in noGrad");
  };
  check(x);
  for (const at::TensorList list : {norms, weights, biases}) {
    for (const at::Tensor& tensor : list) check(tensor);
  }
  at::AutoDispatchBelowADInplaceOrView below;
  return frozen_dense_block(x, norms, weights, biases, window, eps);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "frozen_dense_block(Tensor x, Tensor[] norms, Tensor[] weights, Tensor[] biases, int[] "
      "window, float eps) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("frozen_dense_block", frozen_dense_block); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) {
  m.impl("frozen_dense_block", frozen_dense_block_autograd);
}
