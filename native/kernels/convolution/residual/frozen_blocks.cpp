// lyceum::frozen_blocks: basic blocks of a frozen residual network, whose batch norms are folded
// into its convolutions,
//
//   x = relu(conv2(relu(conv1(x))) + x)
//
// one after the other, with 3x3 convolutions of stride 1, in blocks of channels
// (kernels/channels.h), float32, without gradient. A few images at a time go through all of them,
// so that what lies between stays in a core's own cache. Weights and biases lie in the order in
// which they serve.
//
// lyceum::frozen_blocks_ does the same in place, for an x that nobody needs any more.
// lyceum::frozen_stage goes before them through a network's first layer too: x =
// relu(stem(images)), from channels-last.
//
// The same out of separate layers is in src/nn; tests hold the two together.
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include "kernels/channels.h"
#include "kernels/convolution/convolution.h"

namespace {

constexpr int64_t kOnes[2] = {1, 1};

using Blocks = std::vector<std::array<lyceum::Filters, 2>>;

Blocks blocks_of(int64_t channels, at::TensorList weights, at::TensorList biases) {
  TORCH_CHECK(weights.size() == biases.size() && weights.size() % 2 == 0,
              "frozen blocks: two weights and two biases for each block, got ", weights.size(),
              " and ", biases.size());
  Blocks blocks(weights.size() / 2);
  for (size_t i = 0; i < weights.size(); i++) {
    TORCH_CHECK(weights[i].sizes() == at::IntArrayRef({channels, channels, 3, 3}),
                "frozen blocks: weights must be [", channels, ", ", channels, ", 3, 3], got ",
                weights[i].sizes());
    blocks[i / 2][i % 2] = {weights[i], biases[i]};
  }
  return blocks;
}

Blocks checked(const at::Tensor& x, at::TensorList weights, at::TensorList biases) {
  TORCH_CHECK(lyceum::is_blocked(x) && x.scalar_type() == at::kFloat && x.is_contiguous(),
              "frozen blocks: x must be contiguous float32 [N, C / 16, H, W, 16], got ",
              x.scalar_type(), " ", x.sizes());
  return blocks_of(lyceum::channels_of(x), weights, biases);
}

at::Tensor frozen_blocks(const at::Tensor& x, at::TensorList weights, at::TensorList biases,
                         bool allow_winograd) {
  const Blocks blocks = checked(x, weights, biases);
  const at::Tensor y = at::empty_like(x);
  lyceum::convolve_blocks(x, y, blocks, {kOnes, kOnes, allow_winograd});
  return y;
}

at::Tensor& frozen_blocks_(at::Tensor& x, at::TensorList weights, at::TensorList biases,
                           bool allow_winograd) {
  const Blocks blocks = checked(x, weights, biases);
  for (size_t i = 0; i < weights.size(); i++) {
    TORCH_CHECK(!weights[i].is_alias_of(x) && !biases[i].is_alias_of(x),
                "frozen_blocks_: weights and biases must not share x's memory");
  }
  lyceum::convolve_blocks(x, x, blocks, {kOnes, kOnes, allow_winograd});
  x.unsafeGetTensorImpl()->bump_version();
  return x;
}

at::Tensor frozen_stage(const at::Tensor& images, const at::Tensor& stem_weight,
                        const at::Tensor& stem_bias, at::TensorList weights, at::TensorList biases,
                        bool allow_winograd) {
  const int64_t channels = stem_weight.dim() == 4 ? stem_weight.size(0) : 0;
  return lyceum::convolve_stage(images, {stem_weight, stem_bias},
                                blocks_of(channels, weights, biases),
                                {kOnes, kOnes, allow_winograd});
}

void check_frozen(const at::Tensor& x, at::TensorList weights, at::TensorList biases) {
  const auto check = [](const at::Tensor& input) {
    TORCH_CHECK(!(at::GradMode::is_enabled() && input.requires_grad()),
                "frozen blocks have no gradient: call them in noGrad, or lyceum::residual_stage");
  };
  check(x);
  for (const at::Tensor& weight : weights) check(weight);
  for (const at::Tensor& bias : biases) check(bias);
}

at::Tensor frozen_blocks_autograd(const at::Tensor& x, at::TensorList weights,
                                  at::TensorList biases, bool allow_winograd) {
  check_frozen(x, weights, biases);
  at::AutoDispatchBelowADInplaceOrView below;
  return frozen_blocks(x, weights, biases, allow_winograd);
}

at::Tensor& frozen_blocks_in_place_autograd(at::Tensor& x, at::TensorList weights,
                                            at::TensorList biases, bool allow_winograd) {
  check_frozen(x, weights, biases);
  at::AutoDispatchBelowADInplaceOrView below;
  return frozen_blocks_(x, weights, biases, allow_winograd);
}

at::Tensor frozen_stage_autograd(const at::Tensor& images, const at::Tensor& stem_weight,
                                 const at::Tensor& stem_bias, at::TensorList weights,
                                 at::TensorList biases, bool allow_winograd) {
  check_frozen(images, weights, biases);
  check_frozen(images, stem_weight, stem_bias);
  at::AutoDispatchBelowADInplaceOrView below;
  return frozen_stage(images, stem_weight, stem_bias, weights, biases, allow_winograd);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "frozen_blocks(Tensor x, Tensor[] weights, Tensor[] biases, bool allow_winograd) -> Tensor");
  m.def(
      "frozen_blocks_(Tensor(a!) self, Tensor[] weights, Tensor[] biases, bool allow_winograd) -> "
      "Tensor(a!)");
  m.def(
      "frozen_stage(Tensor images, Tensor stem_weight, Tensor stem_bias, Tensor[] weights, "
      "Tensor[] biases, bool allow_winograd) "
      "-> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) {
  m.impl("frozen_blocks", frozen_blocks);
  m.impl("frozen_blocks_", frozen_blocks_);
  m.impl("frozen_stage", frozen_stage);
}

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) {
  m.impl("frozen_blocks", frozen_blocks_autograd);
  m.impl("frozen_blocks_", frozen_blocks_in_place_autograd);
  m.impl("frozen_stage", frozen_stage_autograd);
}
