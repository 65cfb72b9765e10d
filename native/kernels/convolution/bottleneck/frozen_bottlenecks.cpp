// lyceum::frozen_bottlenecks: bottlenecks of a frozen residual network, whose batch norms are
// folded into its convolutions,
//
//   x = relu(conv3(relu(conv2(relu(conv1(x))))) + shortcut)
//
// one after the other, with conv1 and conv3 1x1 and conv2 3x3, in blocks of channels
// (kernels/channels.h), float32, without gradient. A few images at a time go through all of them,
// so that what lies between stays in the caches. The shortcut is x itself, except in the first
// block where a fourth convolution, 1x1 of the stride, makes it of x. Weights and biases lie in the
// order in which they serve, that of the shortcut behind the first three.
//
// The same out of separate layers is in src/nn; tests hold the two together.
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>

#include "kernels/channels.h"
#include "kernels/convolution/bottleneck/training.h"
#include "kernels/convolution/convolution.h"

namespace {

using lyceum::Window;
using lyceum::bottleneck::kOnes;
using lyceum::bottleneck::kZeros;
using lyceum::bottleneck::Stage;

struct Blocks {
  at::TensorList weights, biases;
  int64_t strides[2];
  bool allow_winograd;

  // Whether the first block's shortcut has a convolution.
  bool fitted() const { return weights.size() % 3 == 1; }
  size_t count() const { return weights.size() / 3; }
  // Where the weights of a block begin.
  size_t at(size_t block) const { return 3 * block + (block > 0 && fitted() ? 1 : 0); }

  at::Tensor convolve(const at::Tensor& x, size_t i, const Window& window,
                      const lyceum::AfterConvolution& after) const {
    return lyceum::convolve(x, weights[i], biases[i], window, after);
  }
};

// The most images that go through the blocks at a time: all groups are of one size, since what is
// kept of a weight may depend on it.
int64_t images_at_once(const at::Tensor& x, const Blocks& blocks, int64_t floats_of_result) {
  // 4 MiB of the widest activation, or as much as the weights that each group reads.
  constexpr int64_t kFloats = 1 << 20;
  int64_t floats = kFloats;
  for (const at::Tensor& weight : blocks.weights) floats = std::max(floats, weight.numel());
  const int64_t batch = x.size(0), widest = std::max(x.numel() / batch, floats_of_result);
  int64_t most = std::clamp<int64_t>(floats / widest, 1, batch);
  while (batch % most != 0) most--;
  return most;
}

// Some images through all blocks; y may not be x's memory.
void convolve_some(const at::Tensor& x_given, const Blocks& blocks, const at::Tensor& y) {
  at::Tensor x = x_given;
  for (size_t i = 0; i < blocks.count(); i++) {
    const size_t at = blocks.at(i);
    const at::IntArrayRef stride = i == 0 ? at::IntArrayRef(blocks.strides) : kOnes;
    const at::Tensor narrow = blocks.convolve(x, at, Stage::pointwise(), {{}, true, true});
    const bool winograd = blocks.allow_winograd && Stage::pays_winograd(narrow);
    const at::Tensor inner =
        blocks.convolve(narrow, at + 1, {stride, kOnes, winograd}, {{}, true, true});
    if (i == 0 && blocks.fitted()) {
      blocks.convolve(x, 3, {stride, kZeros, false}, {{}, false, true, y});
    } else if (i == 0) {
      at::Tensor(y).copy_(x);
    }
    blocks.convolve(inner, at + 2, Stage::pointwise(), {y, true, true});
    x = y;
  }
}

at::Tensor frozen_bottlenecks(const at::Tensor& x, at::TensorList weights, at::TensorList biases,
                              int64_t stride, bool allow_winograd) {
  TORCH_CHECK(lyceum::is_blocked(x) && x.scalar_type() == at::kFloat && x.is_contiguous(),
              "frozen_bottlenecks: x must be contiguous float32 [N, C / 16, H, W, 16], got ",
              x.scalar_type(), " ", x.sizes());
  TORCH_CHECK(weights.size() >= 3 && weights.size() % 3 < 2 && weights.size() == biases.size(),
              "frozen_bottlenecks: three weights and biases for each block, and perhaps those of "
              "the shortcut, got ",
              weights.size(), " and ", biases.size());
  TORCH_CHECK(stride > 0, "frozen_bottlenecks: stride must be 1 or more, got ", stride);
  const Blocks blocks{weights, biases, {stride, stride}, allow_winograd};
  for (size_t i = 0; i < weights.size(); i++) {
    const bool is_inner = i == 1 || (i > 3 && (i - blocks.at(1)) % 3 == 1);
    const int64_t window = is_inner ? 3 : 1;
    TORCH_CHECK(weights[i].dim() == 4 && weights[i].size(2) == window &&
                    weights[i].size(3) == window && weights[i].size(0) % lyceum::kLanes == 0,
                "frozen_bottlenecks: weights must be [16 K, C, ", window, ", ", window, "], got ",
                weights[i].sizes());
  }
  const int64_t channels = weights[2].size(0);
  const auto length = [&](int64_t pixels) { return (pixels + stride - 1) / stride; };
  const at::Tensor y = at::empty(
      {x.size(0), channels / lyceum::kLanes, length(x.size(2)), length(x.size(3)), lyceum::kLanes},
      x.options(), at::MemoryFormat::Contiguous);
  TORCH_CHECK(blocks.fitted() || y.sizes() == x.sizes(), "frozen_bottlenecks: x, ", x.sizes(),
              ", cannot be added to ", y.sizes());
  if (y.numel() == 0) return y;
  const int64_t images = images_at_once(x, blocks, y.numel() / x.size(0));
  for (int64_t image = 0; image < x.size(0); image += images) {
    convolve_some(x.narrow(0, image, images), blocks, y.narrow(0, image, images));
  }
  return y;
}

at::Tensor frozen_bottlenecks_autograd(const at::Tensor& x, at::TensorList weights,
                                       at::TensorList biases, int64_t stride, bool allow_winograd) {
  const auto wants = [](const at::Tensor& input) { return input.requires_grad(); };
  TORCH_CHECK(!(at::GradMode::is_enabled() &&
                (wants(x) || std::any_of(weights.begin(), weights.end(), wants) ||
                 std::any_of(biases.begin(), biases.end(), wants))),
              "frozen_bottlenecks: has no gradient: call it in noGrad");
  at::AutoDispatchBelowADInplaceOrView below;
  return frozen_bottlenecks(x, weights, biases, stride, allow_winograd);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "frozen_bottlenecks(Tensor x, Tensor[] weights, Tensor[] biases, int stride, bool "
      "allow_winograd) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("frozen_bottlenecks", frozen_bottlenecks); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) {
  m.impl("frozen_bottlenecks", frozen_bottlenecks_autograd);
}
